/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules with in = "guest": parsed, resolved below another root, and their entries kept apart. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "parts.h"
#include "resolve_fixture.h"
#include "resolve_int.h"

TestSuite(rooted, .init = init, .fini = fini);

#define IN_GUEST ", in = \"guest\" },\n"

/* The tree is the guest's root. */
static int resolve_in(bool has_run, const struct pol_region *running, const char *held)
{
	const struct pol_root root = {
		.fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC),
		.mountinfo = "/proc/self/mountinfo",
		.has_run = has_run,
	};
	int r = pol_resolve_in(policy, &root, running, running ? 1 : 0, &held, held ? 1 : 0, &diags,
			       &places);

	close(root.fd);
	return r;
}

static void place_in(size_t i, const char *dir, const char *name)
{
	char full[4096];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s%s", tree, dir);
	cr_assert_lt(i, places.cnt);
	cr_assert_str_eq(places.items[i].dir, dir);
	cr_assert_str_eq(places.items[i].name ?: "", name ?: "");
	cr_assert_eq(stat(full, &st), 0);
	cr_assert_eq(places.items[i].ino, st.st_ino);
	cr_assert(places.items[i].where);
}

Test(rooted, a_path_may_be_both_the_hosts_and_the_guests)
{
	use_rules("{ path = \"/data\", access = \"rw\"" IN_GUEST
		  "{ path = \"/data\", access = \"ro\" },\n");
	cr_assert_eq(policy->guests[0].rules_cnt, 2);
	cr_assert(pol_guest_is_rooted(&policy->guests[0]));
	cr_assert_not(pol_guest_rule(&policy->guests[0], "/data")->in_guest);
	cr_assert(pol_guest_rule_in(&policy->guests[0], "/data", true)->in_guest);
}

Test(rooted, the_host_is_not_looked_at)
{
	need_tree();
	tree_dir(tree, "data");
	use_rules("{ path = \"@/data\", access = \"ro\" },\n"
		  "{ path = \"/not/on/the/host\", access = \"rw\"" IN_GUEST);
	resolve_ok();
	cr_assert_eq(places.cnt, 1);
	place_is(0, "data", NULL);
}

Test(rooted, paths_begin_at_the_guests_root)
{
	need_tree();
	tree_dir(tree, "data");
	tree_file(tree, "data/f");
	use_rules("{ path = \"/\", access = \"ro\"" IN_GUEST
		  "{ path = \"/data\", access = \"rw\"" IN_GUEST
		  "{ path = \"/data/f\", access = \"ro\"" IN_GUEST
		  "{ path = \"/data/new\", access = \"rw\"" IN_GUEST
		  "{ path = \"@/data\", access = \"none\" },\n");
	cr_assert_eq(resolve_in(false, NULL, NULL), 0);
	cr_assert_eq(places.cnt, 4, "the host's rule is not resolved here");
	place_in(0, "/", NULL);
	place_in(1, "/data", NULL);
	place_in(2, "/data", "f");
	place_in(3, "/data", "new");
}

/* Neither an absolute symlink nor '..' leaves it. */
Test(rooted, symlinks_stay_below_the_root)
{
	need_tree();
	tree_dir(tree, "etc");
	tree_link(tree, "absolute", "/etc");
	tree_link(tree, "up", "../../../../../../../../etc");
	use_rules("{ path = \"/absolute\", access = \"ro\"" IN_GUEST
		  "{ path = \"/up\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(false, NULL, NULL), 0);
	cr_assert_eq(places.cnt, 1);
	place_in(0, "/etc", NULL);
	cr_assert_eq(places.twins_cnt, 1);
}

Test(rooted, a_process_that_has_run_made_any_symlink)
{
	need_tree();
	tree_dir(tree, "etc");
	tree_link(tree, "link", "etc");
	use_rules("{ path = \"/link\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(true, NULL, NULL), -EINVAL);
	cr_assert_eq(find_code(POL_P_SYMLINK_STEERED)->line, 4);
}

Test(rooted, own_rules_steer)
{
	need_tree();
	tree_dir(tree, "etc");
	tree_dir(tree, "data");
	tree_link(tree, "data/link", "/etc");
	use_rules("{ path = \"/data\", access = \"rw\"" IN_GUEST
		  "{ path = \"/data/link\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(false, NULL, NULL), -EINVAL);
	cr_assert(strstr(find_code(POL_P_SYMLINK_STEERED)->message, "guest 'a'"));
}

/* What another guest may do there is known by the filesystem's own path, not by a path of the host. */
Test(rooted, a_running_guest_steers_by_where)
{
	struct pol_region region = { .dir = "/elsewhere", .guest = 1, .access = POL_RIGHT_CREATE };

	need_tree();
	tree_dir(tree, "vol");
	tree_dir(tree, "etc");
	use_rules("{ path = \"/vol\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(false, NULL, NULL), 0);
	region.where = strdup(places.items[0].where);
	pol_places_done(&places);
	pol_policy_free(policy);
	tree_link(tree, "vol/link", "/etc");
	use_rules("{ path = \"/vol/link\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(false, &region, NULL), -EINVAL);
	cr_assert(find_code(POL_P_SYMLINK_STEERED));
	region.access = POL_RIGHT_WRITE;
	pol_diags_done(&diags);
	cr_assert_eq(resolve_in(false, &region, NULL), 0);
	free((char *)region.where);
}

Test(rooted, what_is_missing_is_named)
{
	need_tree();
	use_rules("{ path = \"/nodir/x\", access = \"ro\"" IN_GUEST);
	cr_assert_eq(resolve_in(true, NULL, NULL), -EINVAL);
	cr_assert_eq(find_code(POL_P_PARENT)->line, 4);
}

Test(rooted, what_is_optional_waits)
{
	need_tree();
	use_rules("{ path = \"/nodir/x\", access = \"ro\", optional = true" IN_GUEST);
	cr_assert_eq(resolve_in(true, NULL, NULL), 0);
	cr_assert_eq(places.cnt, 1);
	cr_assert(places.items[0].pending);
}

Test(rooted, a_name_stays_a_name)
{
	need_tree();
	tree_dir(tree, "d");
	use_rules("{ path = \"/d\", access = \"rw\"" IN_GUEST);
	cr_assert_eq(resolve_in(true, NULL, "/d"), 0);
	place_in(0, "/", "d");
}

Test(rooted, no_mounts_no_places)
{
	const struct pol_root root = { .fd = -EBADF, .mountinfo = "/proc/0/mountinfo" };

	use_rules("{ path = \"/d\", access = \"rw\"" IN_GUEST);
	cr_assert_eq(pol_resolve_in(policy, &root, NULL, 0, NULL, 0, &diags, &places), -EINVAL);
	cr_assert(find_code(POL_P_LOOKUP));
}

/* ---- their entries ---- */

/* A policy of this text, and its meta with every rule at its own path. */
static struct pol_meta *make_meta(const char *text)
{
	struct pol_diags none = { 0 };
	struct pol_policy *parsed = tree_policy("", text, &none);
	struct pol_places no_places = { 0 };
	struct pol_meta *meta = NULL;

	cr_assert_eq(pol_meta_new(parsed, &no_places, &meta), 0);
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_place place = { .dir = meta->rules[i].path,
						 .where = meta->rules[i].path };

		cr_assert_eq(pol_meta_set_place(&meta->rules[i], &place), 0);
		meta->rules[i].key.inode.ino = i + 1;
	}
	pol_policy_free(parsed);
	pol_diags_done(&none);
	return meta;
}

#define BEFORE                                                                      \
	"version = 1\n[guest.b]\nfiles = [\n"                                        \
	"{ path = \"/gone\", access = \"rw\", in = \"guest\" },\n"                     \
	"{ path = \"/kept\", access = \"rw\", in = \"guest\" },\n"                     \
	"{ path = \"/kept\", access = \"rwx\" } ]\n"
#define NEXT                                                                        \
	"version = 1\n[guest.a]\nfiles = [ { path = \"/x\", access = \"ro\" } ]\n"     \
	"[guest.b]\nfiles = [\n"                                                      \
	"{ path = \"/kept\", access = \"ro\", in = \"guest\" },\n"                     \
	"{ path = \"/new\", access = \"rw\", in = \"guest\" } ]\n"

/* Raw entries of rules 1 and 3 (sorted: /gone, /kept of the host, /kept), and one of set 0. */
static struct pol_image make_raw(void)
{
	struct pol_image raw = { .dirs_cnt = 3, .names_cnt = 2, .longs_cnt = 1 };

	raw.dirs = calloc(3, sizeof(*raw.dirs));
	raw.names = calloc(2, sizeof(*raw.names));
	raw.longs = calloc(1, sizeof(*raw.longs));
	raw.dirs[0].key = (struct pol_dir_key){ .inode.ino = 1, .ruleset = 1 };
	raw.dirs[0].value = (struct pol_rule_value){ 7, 1, POL_DIR_RULE };
	raw.dirs[1].key = (struct pol_dir_key){ .inode.ino = 3, .ruleset = 1 };
	raw.dirs[1].value = (struct pol_rule_value){ 7, 3, POL_DIR_RULE };
	raw.dirs[2].key = (struct pol_dir_key){ .inode.ino = 3 };
	raw.dirs[2].value.flags = POL_DIR_ABOVE;
	raw.names[0].key.dir = raw.dirs[1].key;
	raw.names[0].key.name[0] = 'n';
	raw.names[0].value = (struct pol_rule_value){ 0, 3, POL_RULE_STALE };
	raw.names[1].key.dir = raw.dirs[0].key;
	raw.names[1].value = (struct pol_rule_value){ 7, 1, 0 };
	raw.longs[0].key.dir = raw.dirs[1].key;
	raw.longs[0].value.rule = (struct pol_rule_value){ 7, 3, 0 };
	return raw;
}

Test(rooted, a_load_keeps_places_and_changes_rights)
{
	struct pol_meta *before = make_meta(BEFORE), *next = make_meta(NEXT);
	const struct pol_meta_guest *from = pol_meta_guest(before, "b");
	struct pol_meta_guest *to = &next->guests[1];
	struct pol_image raw = make_raw(), got = { 0 };
	const uint32_t ro = POL_RIGHT_READ | POL_RIGHT_LIST;

	cr_assert_eq(pol_parts_carry(&raw, before, from, next, to, &got), 0);
	cr_assert_eq(got.dirs_cnt, 2, "that of /gone has gone");
	cr_assert_eq(got.dirs[0].key.ruleset, to->ruleset);
	cr_assert_eq(got.dirs[0].key.inode.ino, 3);
	cr_assert_eq(got.dirs[0].value.access, ro);
	cr_assert_eq(got.dirs[0].value.rule, pol_meta_first_rule(next, to->ruleset) + 1);
	cr_assert_eq(got.dirs[1].key.ruleset, 0);
	cr_assert_eq(got.dirs[1].value.flags, POL_DIR_ABOVE);
	cr_assert_eq(got.names_cnt, 1);
	cr_assert_eq(got.names[0].value.access, 0, "stale stays stale");
	cr_assert_eq(got.names[0].value.flags, POL_RULE_STALE);
	cr_assert_eq(got.longs_cnt, 1);
	cr_assert_eq(got.longs[0].value.rule.access, ro);
	pol_image_done(&raw);
	pol_image_done(&got);
	pol_meta_free(before);
	pol_meta_free(next);
}

/* Two paths that led to one place: the one that stays has it, though the other one made the entries. */
Test(rooted, a_twin_takes_over)
{
	struct pol_meta *before = make_meta(
		"version = 1\n[guest.b]\nfiles = [\n"
		"{ path = \"/one\", access = \"none\", in = \"guest\" },\n"
		"{ path = \"/two\", access = \"none\", in = \"guest\" } ]\n");
	struct pol_meta *next = make_meta(
		"version = 1\n[guest.b]\nfiles = [\n"
		"{ path = \"/two\", access = \"none\", in = \"guest\" } ]\n");
	struct pol_image raw = make_raw(), got = { 0 };

	free(before->rules[1].where);
	before->rules[1].where = strdup(before->rules[0].where);
	raw.dirs_cnt = 1; /* of rule 1 */
	raw.names_cnt = raw.longs_cnt = 0;
	cr_assert_eq(pol_parts_carry(&raw, before, &before->guests[0], next, &next->guests[0],
				     &got), 0);
	cr_assert_eq(got.dirs_cnt, 1);
	cr_assert_eq(got.dirs[0].value.rule, 1);
	cr_assert_eq(got.dirs[0].value.access, 0);
	pol_image_done(&raw);
	pol_image_done(&got);
	pol_meta_free(before);
	pol_meta_free(next);
}

Test(rooted, a_load_keeps_where_rules_are)
{
	struct pol_meta *before = make_meta(BEFORE), *next = make_meta(NEXT);
	size_t first = pol_meta_first_rule(next, next->guests[1].ruleset);

	before->guests[0].rooted = 5;
	before->guests[0].own_root = true;
	before->guests[0].root.ino = 77;
	for (size_t i = first; i < next->rules_cnt; i++)
		pol_meta_unset_place(&next->rules[i]);
	cr_assert_eq(pol_meta_carry(before, &before->guests[0], next, &next->guests[1]), 0);
	cr_assert_eq(next->guests[1].rooted, 5);
	cr_assert_eq(next->guests[1].root.ino, 77);
	cr_assert(next->guests[1].own_root);
	cr_assert_not(next->rules[first].pending);
	cr_assert_str_eq(next->rules[first].dir, "/kept");
	cr_assert_eq(next->rules[first].key.inode.ino, 3, "the guest's, not the host's");
	cr_assert(next->rules[first + 1].pending, "/new waits");
	pol_meta_free(before);
	pol_meta_free(next);
}

Test(rooted, such_guests_share_no_rule_set)
{
	struct pol_meta *meta = make_meta(
		"version = 1\n[profile.p]\nfiles = [ { path = \"/a\", access = \"ro\", in = \"guest\" } ]\n"
		"[guest.a]\ninclude = [\"p\"]\n[guest.b]\ninclude = [\"p\"]\n");

	cr_assert_neq(meta->guests[0].ruleset, meta->guests[1].ruleset);
	cr_assert(pol_meta_is_rooted(meta, &meta->guests[0]));
	pol_meta_free(meta);
}

Test(rooted, meta_round_trips)
{
	struct pol_meta *meta = make_meta(BEFORE), *back = NULL;
	char *bytes = NULL;
	size_t len;

	meta->guests[0].rooted = 1;
	meta->guests[0].root = (struct pol_root_id){ 2, 3, 4, 5 };
	meta->guests[0].own_root = true;
	meta->rules[1].guest_path = strdup("/seen");
	meta->rules[1].optional = true;
	meta->rules[2].log = true;
	cr_assert_eq(pol_meta_encode(meta, &bytes, &len), 0);
	cr_assert_eq(pol_meta_decode(bytes, len, &back), 0);
	cr_assert_eq(back->guests[0].rooted, 1);
	cr_assert(back->guests[0].own_root);
	cr_assert_str_eq(back->rules[1].guest_path, "/seen");
	cr_assert_null(back->rules[0].guest_path);
	cr_assert(pol_meta_is_mapped(back, &back->guests[0]));
	cr_assert_eq(memcmp(&back->guests[0].root, &meta->guests[0].root, sizeof(struct pol_root_id)),
		     0);
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(back->rules[i].in_guest, i != 1);
		cr_assert_eq(back->rules[i].optional, i == 1);
		cr_assert_eq(back->rules[i].log, i == 2);
		cr_assert_eq(back->rules[i].col, meta->rules[i].col);
		cr_assert_str_eq(back->rules[i].where, meta->rules[i].where);
	}
	free(bytes);
	pol_meta_free(meta);
	pol_meta_free(back);
}

Test(rooted, parts_round_trip)
{
	struct pol_parts parts = { 0 }, back = { 0 };
	struct pol_image raw = make_raw(), more = make_raw(), empty = { 0 };
	char *bytes = NULL, *again = NULL;
	size_t len, again_len;

	cr_assert_eq(pol_parts_put(&parts, POL_PART_HOST, &empty), 0);
	cr_assert_eq(pol_parts_put(&parts, 7, &raw), 0);
	cr_assert_eq(pol_parts_put(&parts, 7, &more), 0);
	cr_assert_eq(parts.cnt, 2, "the second took the first's place");
	cr_assert_eq(pol_parts_encode(&parts, &bytes, &len), 0);
	cr_assert_eq(pol_parts_decode(bytes, len, &back), 0);
	cr_assert_eq(pol_parts_find(&back, 7)->dirs_cnt, 3);
	cr_assert_eq(pol_parts_find(&back, 7)->names[0].value.rule, 3);
	cr_assert_null(pol_parts_find(&back, 8));
	cr_assert_eq(pol_parts_encode(&back, &again, &again_len), 0);
	cr_assert_eq(again_len, len);
	cr_assert_arr_eq(again, bytes, len);
	pol_parts_done(&back);
	for (size_t cut = 0; cut < len; cut++)
		if (pol_parts_decode(bytes, cut, &back) == 0) {
			cr_assert_lt(back.cnt, 2, "cut at %zu", cut);
			pol_parts_done(&back);
		}
	free(bytes);
	free(again);
	pol_parts_done(&parts);
}

Test(rooted, parts_merge_to_one_entry_a_key)
{
	struct pol_parts parts = { 0 };
	struct pol_image host = make_raw(), own = make_raw(), all = { 0 };

	own.dirs[1].value.access = 3;
	cr_assert_eq(pol_parts_put(&parts, POL_PART_HOST, &host), 0);
	cr_assert_eq(pol_parts_put(&parts, 7, &own), 0);
	cr_assert_eq(pol_parts_merge(&parts, &all), 0);
	cr_assert_eq(all.dirs_cnt, 3);
	cr_assert_eq(all.names_cnt, 2);
	cr_assert_eq(all.longs_cnt, 1);
	for (size_t i = 0; i < 3; i++)
		if (all.dirs[i].key.inode.ino == 3 && all.dirs[i].key.ruleset)
			cr_assert_eq(all.dirs[i].value.access, 3, "of two only what both give");
	pol_image_done(&all);
	pol_parts_done(&parts);
}
