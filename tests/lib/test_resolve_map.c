/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest_path: parsed and merged, and what check finds by what rules lead to. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "meta.h"
#include "resolve_fixture.h"

TestSuite(resolve_map, .init = init, .fini = fini);

#define SEEN(path, access, at) \
	"{ path = \"" path "\", access = \"" access "\", guest_path = \"" at "\" },\n"

Test(resolve_map, a_guest_path_is_cleaned_and_kept)
{
	const struct pol_rule *rule;

	use_rules(SEEN("@/a", "ro", "//data/./x/") "{ path = \"@/b\", access = \"ro\" },\n"
		  "{ path = \"@/c\", access = \"none\" },\n" SEEN("@/d", "none", "/d"));
	rule = policy->guests[0].rules;
	cr_assert(pol_guest_is_mapped(&policy->guests[0]));
	cr_assert_str_eq(rule[0].guest_path, "/data/x");
	cr_assert_str_eq(pol_rule_seen_at(&rule[0]), "/data/x");
	cr_assert_null(rule[1].guest_path);
	cr_assert_str_eq(pol_rule_seen_at(&rule[1]), rule[1].path);
	cr_assert_null(pol_rule_seen_at(&rule[2]), "a hole");
	cr_assert_str_eq(pol_rule_seen_at(&rule[3]), "/d");
}

Test(resolve_map, a_profiles_guest_path_comes_with_its_rule)
{
	policy = tree_policy("",
			     "version = 1\n[profile.p]\nfiles = [" SEEN("/a", "ro", "/x")
			     SEEN("/b", "ro", "/y") "]\n[profile.q]\nfiles = [" SEEN("/b", "ro", "/y")
			     "]\n[guest.a]\ninclude = [\"p\", \"q\"]\nfiles = [" SEEN("/a", "ro", "/z")
			     "]\n[guest.b]\ninclude = [\"p\"]\n[guest.c]\nfiles = ["
			     "{ path = \"/a\", access = \"ro\" }]\n",
			     &diags);
	cr_assert(policy);
	cr_assert_str_eq(pol_guest_rule(&policy->guests[0], "/a")->guest_path, "/z", "its own wins");
	cr_assert_str_eq(pol_guest_rule(&policy->guests[0], "/b")->guest_path, "/y");
	cr_assert_str_eq(pol_guest_rule(&policy->guests[1], "/a")->guest_path, "/x");
	cr_assert_not(pol_guest_is_mapped(&policy->guests[2]));
}

static void fails_below(int line)
{
	const char *message;
	char first[32];

	resolve_fails(POL_P_BELOW_FILE, line);
	message = find_code(POL_P_BELOW_FILE)->message;
	(void)snprintf(first, sizeof(first), "(line %d)", line - 1);
	cr_assert(strstr(message, first) && strstr(message, "below the file"), "%s", message);
	(void)snprintf(first, sizeof(first), "(line %d)", line);
	cr_assert(strstr(message, first), "%s", message);
}

Test(resolve_map, below_a_file)
{
	need_tree();
	tree_file(tree, "f");
	tree_dir(tree, "d");
	use_rules(SEEN("@/f", "ro", "/data") SEEN("@/d", "ro", "/data/a/b"));
	fails_below(5);
}

Test(resolve_map, below_a_name_that_is_made_a_file)
{
	need_tree();
	tree_dir(tree, "d");
	use_rules(SEEN("@/new", "rw", "/data") SEEN("@/d", "ro", "/data/x"));
	fails_below(5);
}

/* Also by the path of a rule without one, and through a symlink. */
Test(resolve_map, below_a_file_that_a_symlink_leads_to)
{
	need_tree();
	tree_file(tree, "f");
	tree_dir(tree, "d");
	tree_link(tree, "l", "f");
	use_rules("{ path = \"@/l\", access = \"ro\" },\n" SEEN("@/d", "ro", "@/l/x"));
	fails_below(5);
}

Test(resolve_map, below_directories_and_names_that_nobody_makes)
{
	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "e");
	tree_file(tree, "f");
	use_rules(SEEN("@/d", "ro", "/data") SEEN("@/e", "ro", "/data/e") SEEN("@/f", "ro", "/data/e/f")
		  SEEN("@/new", "ro", "/new") SEEN("@/g", "ro", "/new/g") SEEN("@/f2", "ro", "/data2"));
	resolve_ok();
	cr_assert_eq(places.cnt, 6);
}

/* On one path they would be one, and so would their meta. */
Test(resolve_map, guests_that_see_it_elsewhere_share_no_rules)
{
	struct pol_meta *meta = NULL;

	policy = tree_policy("",
			     "version = 1\n[guest.a]\nfiles = [" SEEN("/a", "ro", "/x") "]\n[guest.b]\n"
			     "files = [" SEEN("/a", "ro", "/y") "]\n",
			     &diags);
	cr_assert(policy);
	cr_assert_eq(pol_meta_new(policy, &places, &meta), 0);
	cr_assert_neq(meta->guests[0].ruleset, meta->guests[1].ruleset);
	cr_assert_str_eq(meta->rules[0].guest_path, "/x");
	cr_assert_str_eq(meta->rules[1].guest_path, "/y");
	pol_meta_free(meta);
}

/* Of two rules on one place the second decides nothing, and is seen where it says. */
Test(resolve_map, twins_have_their_place)
{
	struct pol_meta *meta = NULL;

	need_tree();
	tree_dir(tree, "d");
	tree_link(tree, "l", "d");
	use_rules("{ path = \"@/d\", access = \"ro\" },\n{ path = \"@/l\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(places.twins_cnt, 1);
	cr_assert_eq(pol_meta_new(policy, &places, &meta), 0);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_not(meta->rules[i].pending);
		cr_assert_str_eq(meta->rules[i].dir, places.items[0].dir);
	}
	pol_meta_free(meta);
}
