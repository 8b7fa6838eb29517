/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* resolve_glob.c: patterns to rules, on a tree of files. */
#include "resolve_fixture.h"

#include "base.h"

TestSuite(resolve_glob, .init = init, .fini = fini);

/* The guest's rules are exactly these, "path access" each, relative to the tree. */
static void rules_are(const char *const *want, size_t cnt)
{
	const struct pol_guest *guest = &policy->guests[0];

	cr_assert_eq(guest->rules_cnt, cnt, "%zu rules", guest->rules_cnt);
	for (size_t i = 0; i < cnt; i++) {
		char *path;

		cr_assert_gt(asprintf(&path, "%s/%s", tree, want[i]), 0);
		cr_assert_str_eq(guest->rules[i].path, path);
		cr_assert(!guest->rules[i].pattern);
		free(path);
	}
}

#define RULES_ARE(...)                                  \
	rules_are((const char *const[]){ __VA_ARGS__ }, \
		  ARRAY_SIZE(((const char *[]){ __VA_ARGS__ })))

Test(resolve_glob, a_star_is_one_component)
{
	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "d/sub");
	tree_file(tree, "d/a.so");
	tree_file(tree, "d/.b.so");
	tree_file(tree, "d/a.txt");
	tree_file(tree, "d/sub/c.so");
	use_rules("{ path = \"@/d/*.so\", access = \"rx\", glob = true, name = \"libs\" }");
	resolve_ok();
	RULES_ARE("d/.b.so", "d/a.so");
	cr_assert_eq(policy->guests[0].rules[1].line, 4);
	cr_assert_str_eq(policy->guests[0].rules[1].name, "libs");
	cr_assert(strstr(policy->guests[0].rules[1].glob, "/d/*.so"));
	place_is(0, "d", ".b.so");
	place_is(1, "d", "a.so");
}

Test(resolve_glob, wildcards_in_the_middle_and_names_after_them)
{
	tree_dir(tree, "d");
	tree_dir(tree, "d/one");
	tree_dir(tree, "d/two");
	tree_dir(tree, "d/six");
	tree_dir(tree, "d/one/data");
	tree_file(tree, "d/two/data");
	tree_file(tree, "d/file");
	use_rules("{ path = \"@/d/[ot]*/d?ta\", access = \"ro\", glob = true }");
	resolve_ok();
	RULES_ARE("d/one/data", "d/two/data");
	place_is(0, "d/one/data", NULL);
	place_is(1, "d/two", "data");
}

Test(resolve_glob, two_stars_at_the_end_are_the_directory)
{
	tree_dir(tree, "d");
	tree_dir(tree, "d/one");
	tree_file(tree, "d/file");
	use_rules("{ path = \"@/d/*/**\", access = \"ro\", glob = true }");
	resolve_ok();
	RULES_ARE("d/one");
	place_is(0, "d/one", NULL);
}

/* Without glob = true a star is a star, and may stand beside a pattern with the same text. */
Test(resolve_glob, a_literal_star_stays_one)
{
	tree_dir(tree, "d");
	tree_file(tree, "d/*");
	tree_file(tree, "d/x");
	use_rules("{ path = \"@/d/*\", access = \"rw\" },\n"
		  "{ path = \"@/d/*\", access = \"ro\", glob = true }");
	resolve_ok();
	RULES_ARE("d/*", "d/x");
	cr_assert_null(policy->guests[0].rules[0].glob);
	cr_assert_neq(policy->guests[0].rules[0].access, policy->guests[0].rules[1].access);
}

Test(resolve_glob, what_is_written_beats_what_a_glob_made)
{
	tree_dir(tree, "d");
	tree_file(tree, "d/a");
	tree_file(tree, "d/b");
	tree_link(tree, "d/link", "a");
	use_rules("{ path = \"@/d/*\", access = \"ro\", glob = true },\n"
		  "{ path = \"@/d/a\", access = \"rw\" }");
	resolve_ok();
	cr_assert_eq(places.cnt, 2);
	place_is(0, "d", "a");
	cr_assert_null(pol_guest_rule(&policy->guests[0], policy->guests[0].rules[0].path)->glob);
	cr_assert_eq(places.twins_cnt, 1, "the link's");
}

Test(resolve_glob, two_globs_that_differ)
{
	tree_dir(tree, "d");
	tree_file(tree, "d/ab");
	use_rules("{ path = \"@/d/a*\", access = \"ro\", glob = true },\n"
		  "{ path = \"@/d/*b\", access = \"rw\", glob = true }");
	resolve_fails("P0523", 5);
	cr_assert(strstr(find_code("P0523")->message, "(line 4)"));
}

Test(resolve_glob, two_globs_that_agree)
{
	tree_dir(tree, "d");
	tree_file(tree, "d/ab");
	use_rules("{ path = \"@/d/a*\", access = \"ro\", glob = true },\n"
		  "{ path = \"@/d/*b\", access = \"ro\", glob = true }");
	resolve_ok();
	RULES_ARE("d/ab");
}

Test(resolve_glob, nothing_matches)
{
	tree_dir(tree, "d");
	tree_link(tree, "d/x", "nowhere");
	use_rules("{ path = \"@/d/*\", access = \"ro\", glob = true }");
	resolve_fails("P0521", 4);
}

Test(resolve_glob, nothing_matches_and_may)
{
	tree_dir(tree, "d");
	use_rules("{ path = \"@/d/*\", access = \"ro\", glob = true, optional = true },\n"
		  "{ path = \"@/gone/*\", access = \"ro\", glob = true, optional = true },\n"
		  "{ path = \"@/gone/**\", access = \"ro\", glob = true, optional = true }");
	resolve_ok();
	cr_assert_eq(policy->guests[0].rules_cnt, 0);
	cr_assert_eq(diags.warnings, 3);
	cr_assert(find_code("P0621"));
}

/* The guest could make "d/evil" before the next load. */
Test(resolve_glob, not_where_a_guest_makes_names)
{
	tree_dir(tree, "d");
	tree_file(tree, "d/a");
	use_rules("{ path = \"@/d\", access = [\"list\", \"create\"] },\n"
		  "{ path = \"@/d/*\", access = \"rw\", glob = true }");
	resolve_fails("P0522", 5);
}

/* Nor where another glob lets it, nor below such a place, by plain names. */
Test(resolve_glob, not_where_a_glob_lets_it)
{
	tree_dir(tree, "d");
	tree_dir(tree, "d/one");
	tree_dir(tree, "d/one/in");
	use_rules("{ path = \"@/d/*\", access = \"rw\", glob = true },\n"
		  "{ path = \"@/d/*/in\", access = \"rwx\", glob = true }");
	resolve_fails("P0522", 5);
}

Test(resolve_glob, not_where_a_running_guest_makes_names)
{
	struct pol_region region = { .guest = 9, .access = 1u << 4 /* create */ };
	char *dir;

	tree_dir(tree, "d");
	tree_file(tree, "d/a");
	use_rules("{ path = \"@/d/*\", access = \"ro\", glob = true }");
	cr_assert_gt(asprintf(&dir, "%s/d", tree), 0);
	region.dir = dir;
	cr_assert_eq(pol_resolve(policy, &region, 1, NULL, 0, &diags, &places), -EINVAL);
	cr_assert(find_code("P0522"));
	free(dir);
}

/* A rule of its own on the directory, without such rights, is what decides there. */
Test(resolve_glob, where_it_may_not_any_more)
{
	tree_dir(tree, "d");
	tree_dir(tree, "d/in");
	tree_file(tree, "d/in/a");
	use_rules("{ path = \"@/d\", access = \"rw\" },\n"
		  "{ path = \"@/d/in\", access = \"ro\" },\n"
		  "{ path = \"@/d/in/*\", access = \"rw\", glob = true }");
	resolve_ok();
	RULES_ARE("d", "d/in", "d/in/a");
}

/* Looked up once for all who include it. */
Test(resolve_glob, of_a_profile)
{
	need_tree();
	tree_dir(tree, "d");
	tree_file(tree, "d/a");
	policy = tree_policy(tree,
			     "version = 1\n[profile.p]\n"
			     "files = [{ path = \"@/d/*\", access = \"ro\", glob = true }]\n"
			     "[guest.a]\ninclude = [\"p\"]\n[guest.b]\ninclude = [\"p\"]\n"
			     "files = [{ path = \"@/d/?\", access = \"rw\", glob = true }]\n",
			     &diags);
	resolve_ok();
	cr_assert_eq(policy->globs_cnt, 2);
	cr_assert_eq(policy->guests[0].rules_cnt, 1);
	cr_assert_eq(policy->guests[1].rules_cnt, 1);
	cr_assert_neq(policy->guests[0].rules[0].access, policy->guests[1].rules[0].access,
		      "a guest's own wins");
}
