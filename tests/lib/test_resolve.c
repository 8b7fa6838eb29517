/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

#include <linux/types.h>

#include "abi.h"
#include "resolve_fixture.h"
#include "resolve_int.h"

TestSuite(resolve, .init = init, .fini = fini, .timeout = 300);

Test(resolve, directories_files_and_names_to_come)
{
	need_tree();
	tree_dir(tree, "d");
	tree_file(tree, "d/f");
	use_rules("{ path = \"@/d\", access = \"rw\" },\n"
		  "{ path = \"@/d/f\", access = \"ro\" },\n"
		  "{ path = \"@/d/new\", access = \"rx\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 3);
	place_is(0, "d", NULL);
	place_is(1, "d", "f");
	place_is(2, "d", "new");
	cr_assert(!places.items[2].pending && !places.items[2].derived);
	cr_assert_eq(diags.cnt, 0);
}

Test(resolve, the_root_directory_is_a_place)
{
	struct pol_walk walk = { 0 };

	cr_assert_eq(pol_walk("/", &walk), 0);
	cr_assert_str_eq(walk.dir, "/");
	cr_assert_null(walk.name);
	pol_walk_done(&walk);
	cr_assert_eq(pol_walk("/nonexistent", &walk), 0);
	cr_assert_str_eq(walk.dir, "/");
	cr_assert_str_eq(walk.name, "nonexistent");
	cr_assert_eq(walk.mode, 0);
	pol_walk_done(&walk);
}

Test(resolve, a_missing_parent_is_an_error_at_the_rules_line)
{
	use_rules(
		"{ path = \"@/no\", access = \"ro\" },\n{ path = \"@/no/x\", access = \"none\" },\n"
		"{ path = \"@/no/x/y\", access = \"rw\" },\n");
	resolve_fails(POL_P_PARENT, 5);
	cr_assert_eq(diags.errors, 2, "both rules below the missing directory");
}

Test(resolve, an_optional_rule_waits_for_its_parent)
{
	use_rules("{ path = \"@/no/x\", access = \"ro\", optional = true },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 1);
	cr_assert(places.items[0].pending);
	cr_assert_str_eq(places.items[0].dir, policy->guests[0].rules[0].path);
	cr_assert(find_code(POL_P_PENDING));
}

Test(resolve, nothing_lies_below_a_file)
{
	need_tree();
	tree_file(tree, "f");
	use_rules("{ path = \"@/f/x\", access = \"ro\", optional = true },\n");
	resolve_fails(POL_P_NOT_DIRECTORY, 4);
}

Test(resolve, symlinks_are_followed_by_hand)
{
	need_tree();
	tree_dir(tree, "real");
	tree_dir(tree, "real/sub");
	tree_file(tree, "real/sub/f");
	tree_dir(tree, "other");
	tree_link(tree, "abs", "@/real");
	tree_link(tree, "rel", "other/../abs/./sub//");
	tree_link(tree, "file", "rel/f");
	tree_link(tree, "up", "/../../..");
	use_rules("{ path = \"@/abs\", access = \"ro\" },\n"
		  "{ path = \"@/file\", access = \"ro\" },\n"
		  "{ path = \"@/rel\", access = \"rx\" },\n"
		  "{ path = \"@/rel/new\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 4);
	place_is(0, "real", NULL);
	place_is(1, "real/sub", "f");
	place_is(2, "real/sub", NULL);
	place_is(3, "real/sub", "new");
}

Test(resolve, dot_dot_in_a_target_is_the_real_parent)
{
	need_tree();
	tree_dir(tree, "a");
	tree_dir(tree, "a/deep");
	tree_dir(tree, "b");
	tree_link(tree, "b/jump", "../a/deep");
	/* The parent of what jump leads to is a, not b. */
	tree_link(tree, "b/back", "jump/..");
	use_rules("{ path = \"@/b/back\", access = \"ro\" },\n");
	resolve_ok();
	place_is(0, "a", NULL);
}

Test(resolve, a_dangling_symlink_is_an_error)
{
	need_tree();
	tree_link(tree, "dangling", "nowhere");
	use_rules("{ path = \"@/dangling\", access = \"ro\" },\n");
	resolve_fails(POL_P_SYMLINK_DANGLING, 4);
}

Test(resolve, a_dangling_symlink_may_be_optional)
{
	need_tree();
	tree_link(tree, "dangling", "nowhere");
	use_rules("{ path = \"@/dangling\", access = \"ro\", optional = true },\n");
	resolve_ok();
	cr_assert(places.items[0].pending);
}

Test(resolve, a_circle_of_symlinks_is_an_error)
{
	need_tree();
	tree_link(tree, "x", "y");
	tree_link(tree, "y", "x");
	use_rules("{ path = \"@/x/f\", access = \"ro\" },\n");
	resolve_fails(POL_P_SYMLINK_LOOP, 4);
}

Test(resolve, two_paths_to_one_place_with_one_access_are_one)
{
	need_tree();
	tree_dir(tree, "usr");
	tree_dir(tree, "usr/lib");
	tree_link(tree, "lib", "usr/lib");
	use_rules(
		"{ path = \"@/lib\", access = \"rx\" },\n{ path = \"@/usr/lib\", access = \"rx\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 1);
	cr_assert_eq(places.items[0].rule, 1, "the one written without a symlink stays");
	cr_assert_eq(places.twins_cnt, 1);
	cr_assert_eq(places.twins[0].rule, 0);
}

Test(resolve, two_paths_to_one_place_must_agree)
{
	need_tree();
	tree_dir(tree, "usr");
	tree_link(tree, "lib", "usr");
	use_rules(
		"{ path = \"@/usr\", access = \"rx\" },\n{ path = \"@/lib\", access = \"ro\" },\n");
	resolve_fails(POL_P_SAME_PLACE, 5);
	cr_assert(strstr(find_code(POL_P_SAME_PLACE)->message, "line 4"));
}

Test(resolve, two_paths_to_one_place_must_agree_on_log)
{
	need_tree();
	tree_dir(tree, "usr");
	tree_link(tree, "lib", "usr");
	use_rules("{ path = \"@/usr\", access = \"rx\" },\n"
		  "{ path = \"@/lib\", access = \"rx\", log = true },\n");
	resolve_fails(POL_P_SAME_PLACE, 5);
	cr_assert(strstr(find_code(POL_P_SAME_PLACE)->message, "log = true"));
}

Test(resolve, a_symlink_where_a_guest_may_create_is_an_error)
{
	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "target");
	tree_link(tree, "data/link", "../target");
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/data/link\", access = \"ro\" },\n");
	resolve_fails(POL_P_SYMLINK_STEERED, 5);
	cr_assert(strstr(find_code(POL_P_SYMLINK_STEERED)->message, "guest 'a'"));
}

struct steering_case {
	char access[32];
	bool steers;
};

ParameterizedTestParameters(resolve, only_create_rename_and_link_steer)
{
	static struct steering_case params[] = {
		{ "create", true },    { "rename", true },    { "link", true },
		{ "read", false },     { "write", false },    { "delete", false },
		{ "metadata", false }, { "truncate", false },
	};

	return cr_make_param_array(struct steering_case, params,
				   sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct steering_case *param, resolve, only_create_rename_and_link_steer)
{
	char rules[512];

	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "target");
	tree_link(tree, "data/link", "../target");
	(void)snprintf(
		rules, sizeof(rules),
		"{ path = \"@/data\", access = \"%s\" },\n{ path = \"@/data/link/x\", access = \"ro\" },\n",
		param->access);
	use_rules(rules);
	if (param->steers)
		resolve_fails(POL_P_SYMLINK_STEERED, 5);
	else
		resolve_ok();
}

Test(resolve, any_guest_can_steer_and_the_nearest_rule_says_whether)
{
	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "data/safe");
	tree_dir(tree, "target");
	tree_link(tree, "data/safe/link", "../../target");
	policy = tree_policy(
		tree,
		"version = 1\n"
		"[guest.a]\nfiles = [{ path = \"@/data/safe/link\", access = \"ro\" }]\n"
		"[guest.b]\nfiles = [{ path = \"@/data\", access = \"rw\" },"
		" { path = \"@/data/safe\", access = \"ro\" }]\n",
		&diags);
	resolve_ok();
	fini();
	places = (struct pol_places){ 0 };
	policy = NULL;
	init();
	tree_dir(tree, "data");
	tree_dir(tree, "target");
	tree_link(tree, "data/link", "../target");
	policy = tree_policy(tree,
			     "version = 1\n"
			     "[guest.a]\nfiles = [{ path = \"@/data/link\", access = \"ro\" }]\n"
			     "[guest.b]\nfiles = [{ path = \"@/data\", access = \"rw\" }]\n",
			     &diags);
	resolve_fails(POL_P_SYMLINK_STEERED, 3);
	cr_assert(strstr(find_code(POL_P_SYMLINK_STEERED)->message, "guest 'b'"));
}

Test(resolve, a_twin_may_not_be_steered_either)
{
	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "usr");
	tree_link(tree, "data/lib", "../usr");
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/usr\", access = \"ro\" },\n"
		"{ path = \"@/data/lib\", access = \"ro\" },\n");
	resolve_fails(POL_P_SYMLINK_STEERED, 6);
}

/* The running generation: one guest with these rights on @/data. */
static int resolve_running(const char *dir, uint32_t access)
{
	struct pol_region region = { .guest = 4711, .access = access };
	char full[4096];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, dir);
	region.dir = full;
	return pol_resolve(policy, &region, 1, NULL, 0, &diags, &places);
}

Test(resolve, a_running_guest_can_steer)
{
	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "target");
	tree_link(tree, "data/link", "../target");
	use_rules("{ path = \"@/data/link\", access = \"ro\" },\n");
	cr_assert_eq(resolve_running("data", POL_RIGHT_READ), 0);
	pol_places_done(&places);
	cr_assert_eq(resolve_running("data", POL_RIGHT_RENAME), -EINVAL);
	cr_assert(strstr(find_code(POL_P_SYMLINK_STEERED)->message, "a running guest"));
}

/* It held the name and put a symlink there: the region is that name, not what it leads to. */
Test(resolve, a_name_that_a_running_guest_made_a_symlink_is_steered)
{
	need_tree();
	tree_dir(tree, "data");
	tree_dir(tree, "target");
	tree_link(tree, "data/name", "../target");
	use_rules("{ path = \"@/data/name\", access = \"ro\" },\n");
	cr_assert_eq(resolve_running("data/name", POL_RIGHT_CREATE), -EINVAL);
	cr_assert(find_code(POL_P_SYMLINK_STEERED));
}

Test(resolve, a_region_that_is_gone_says_nothing)
{
	need_tree();
	tree_dir(tree, "data");
	tree_link(tree, "link", "data");
	use_rules("{ path = \"@/link\", access = \"ro\" },\n");
	cr_assert_eq(resolve_running("gone/deeper", POL_RIGHTS_ALL), 0);
}

Test(resolve, what_is_held_by_name_stays_held_by_name)
{
	const char *held[2];
	char path[4096], other[4096];

	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "d/now-a-directory");
	use_rules(
		"{ path = \"@/d/now-a-directory\", access = \"ro\" },\n{ path = \"@/d\", access = \"rw\" },\n");
	(void)snprintf(path, sizeof(path), "%s/d/now-a-directory", tree);
	(void)snprintf(other, sizeof(other), "%s/zzz", tree);
	held[0] = other;
	held[1] = path;
	cr_assert_eq(pol_resolve(policy, NULL, 0, held, 2, &diags, &places), 0);
	place_is(0, "d", NULL);
	place_is(1, "d", "now-a-directory");
}

Test(resolve, repeats_are_judged_by_what_symlinks_lead_to)
{
	need_tree();
	tree_dir(tree, "usr");
	tree_dir(tree, "usr/lib");
	tree_dir(tree, "usr/share");
	tree_link(tree, "lib", "usr/lib");
	use_rules("{ path = \"@/usr\", access = \"rx\" },\n"
		  "{ path = \"@/lib\", access = \"rx\" },\n" /* with a symlink: no warning */
		  "{ path = \"@/usr/share\", access = \"rx\" },\n");
	resolve_ok();
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_REPEATS);
	cr_assert_eq(diags.items[0].line, 6);
}

Test(resolve, list_on_a_file_never_matches)
{
	need_tree();
	tree_file(tree, "f");
	use_rules(
		"{ path = \"@/f\", access = \"list\" },\n{ path = \"@/missing\", access = \"list\" },\n");
	resolve_ok();
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_NO_EFFECT);
}

Test(resolve, several_names_of_a_file_are_a_warning)
{
	char from[4096], to[4096];
	bool complete;

	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "d/e");
	tree_file(tree, "d/e/one");
	(void)snprintf(from, sizeof(from), "%s/d/e/one", tree);
	(void)snprintf(to, sizeof(to), "%s/outside", tree);
	cr_assert_eq(link(from, to), 0);
	use_rules("{ path = \"@/d\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(pol_lint_links(policy, &places, 1, &diags, &complete), 0);
	cr_assert(!complete);
	cr_assert_eq(diags.cnt, 0);
	cr_assert_eq(pol_lint_links(policy, &places, 2, &diags, &complete), 0);
	cr_assert(complete);
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_LINKS);
	cr_assert(strstr(diags.items[0].message, "/d/e/one"));
}

Test(resolve, several_names_are_no_warning_where_one_rule_has_them_all)
{
	char from[4096], to[4096];
	bool complete;

	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "d/e");
	tree_file(tree, "d/one");
	(void)snprintf(from, sizeof(from), "%s/d/one", tree);
	(void)snprintf(to, sizeof(to), "%s/d/e/two", tree);
	cr_assert_eq(link(from, to), 0);
	use_rules("{ path = \"@/d\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(pol_lint_links(policy, &places, 100, &diags, &complete), 0);
	cr_assert_eq(diags.cnt, 0);
	/* One rule gives the file, another takes it away. */
	use_rules(
		"{ path = \"@/d\", access = \"ro\" },\n{ path = \"@/d/one\", access = \"none\" },\n");
	resolve_ok();
	cr_assert_eq(pol_lint_links(policy, &places, 100, &diags, &complete), 0);
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_LINKS);
	use_rules(
		"{ path = \"@/d\", access = \"ro\" },\n{ path = \"@/d/e\", access = \"none\" },\n");
	resolve_ok();
	cr_assert_eq(pol_lint_links(policy, &places, 100, &diags, &complete), 0);
	cr_assert_eq(diags.cnt, 2, "and that of before");
}

Test(resolve, paths_longer_than_path_max_work)
{
	struct pol_walk walk = { 0 };
	char name[201], *path = NULL;
	size_t size;
	FILE *out;

	need_tree();
	cr_assert_eq(chdir(tree), 0);
	memset(name, 'n', 200);
	name[200] = '\0';
	out = open_memstream(&path, &size);
	fputs(tree, out);
	for (int i = 0; i < 30; i++) {
		cr_assert_eq(mkdir(name, 0755), 0);
		cr_assert_eq(chdir(name), 0);
		fprintf(out, "/%s", name);
	}
	fclose(out);
	cr_assert_gt(size, 4096);
	cr_assert_eq(pol_walk(path, &walk), 0);
	cr_assert_eq(walk.fault, POL_WALK_OK);
	cr_assert_str_eq(walk.dir, path);
	pol_walk_done(&walk);
	for (int i = 0; i < 30; i++)
		cr_assert(chdir("..") == 0 && rmdir(name) == 0);
	cr_assert_eq(chdir("/"), 0);
	free(path);
}

Test(resolve, a_hundred_thousand_rules, .timeout = 600)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	need_tree();
	for (int i = 0; i < 100; i++) {
		char dir[16];

		(void)snprintf(dir, sizeof(dir), "d%d", i);
		tree_dir(tree, dir);
	}
	fprintf(out, "version = 1\n[guest.a]\n");
	for (int i = 0; i < 100000; i++)
		fprintf(out, "[[guest.a.files]]\npath = \"@/d%d/f%d\"\naccess = \"ro\"\n", i % 100,
			i);
	fclose(out);
	policy = tree_policy(tree, text, &diags);
	free(text);
	resolve_ok();
	cr_assert_eq(places.cnt, 100000);
}

static void use_device(const char *device)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "version = 1\n[guest.a.limits]\nio = [{ device = \"%s\", rbps = 9 }]\n",
		       device);
	policy = tree_policy("", text, &diags);
}

static void refuses_device(const char *device, const char *why)
{
	use_device(device);
	cr_assert_eq(pol_resolve(policy, NULL, 0, NULL, 0, &diags, &places), -EINVAL, "%s", device);
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_DEVICE);
	cr_assert_eq(diags.items[0].line, 3);
	cr_assert(strstr(diags.items[0].message, why), "%s", diags.items[0].message);
	cr_assert(diags.items[0].help);
	pol_diags_done(&diags);
	pol_policy_free(policy);
	memset(&diags, 0, sizeof(diags));
	policy = NULL;
}

Test(resolve, a_device_of_io_that_is_none)
{
	refuses_device("/dev/null", "is no block device");
	refuses_device("/dev/no_such_disk", "No such file or directory");
	refuses_device("/dev/null/0", "Not a directory");
	refuses_device("/srv/disk", "does not lie below /dev");
	refuses_device("/dev", "does not lie below /dev");
}
