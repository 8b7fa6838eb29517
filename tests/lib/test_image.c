/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image.c: rules and keys to exact map entries. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "image.h"

/* A policy of one guest and the places, anchors and meta that go with it. */
struct made {
	struct pol_policy *policy;
	struct pol_places places;
	struct pol_anchors anchors;
	struct pol_meta *meta;
	struct pol_image image;
};

static void start(struct made *made, const char *files)
{
	struct pol_diags diags = {};
	char *text;

	memset(made, 0, sizeof(*made));
	cr_assert_gt(asprintf(&text, "version = 1\n[guest.g]\nfiles = [%s]\n", files), 0);
	cr_assert_eq(pol_policy_parse("t.toml", text, strlen(text), &diags, &made->policy), 0);
	free(text);
	pol_diags_done(&diags);
	made->places.items = calloc(16, sizeof(*made->places.items));
	made->anchors.items = calloc(16, sizeof(*made->anchors.items));
}

static struct pol_place *place(struct made *made, size_t rule, const char *dir, const char *name)
{
	struct pol_place *at = &made->places.items[made->places.cnt++];

	at->dir = strdup(dir);
	at->name = name ? strdup(name) : NULL;
	at->rule = rule;
	return at;
}

/* Paths must be added in their order: the list is searched by halves. */
static struct pol_anchor *anchor(struct made *made, const char *path, uint64_t ino)
{
	struct pol_anchor *at = &made->anchors.items[made->anchors.cnt++];

	at->path = strdup(path);
	at->record.self.inode.ino = ino;
	at->record.self.inode.dev = 1;
	at->record.mode = 0040755;
	at->record.is_root = 1; /* until named() */
	return at;
}

static void named(struct pol_anchor *at, uint64_t parent, const char *name)
{
	at->record.is_root = 0;
	at->record.parent.inode.ino = parent;
	at->record.parent.inode.dev = 1;
	at->record.name_len = (__u32)strlen(name);
	memcpy(at->record.name, name, strlen(name));
}

static int build(struct made *made)
{
	cr_assert_eq(pol_meta_new(made->policy, &made->places, &made->meta), 0);
	return pol_image_build(made->policy, made->meta, &made->places, &made->anchors,
			       &made->image);
}

static void finish(struct made *made)
{
	pol_policy_free(made->policy);
	pol_places_done(&made->places);
	pol_anchors_done(&made->anchors);
	pol_meta_free(made->meta);
	pol_image_done(&made->image);
}

static const struct pol_rule_value *dir_of(const struct made *made, uint32_t ruleset, uint64_t ino)
{
	for (size_t i = 0; i < made->image.dirs_cnt; i++)
		if (made->image.dirs[i].key.ruleset == ruleset &&
		    made->image.dirs[i].key.inode.ino == ino)
			return &made->image.dirs[i].value;
	return NULL;
}

Test(image, a_directory_rule_is_one_entry_and_protects_what_is_above)
{
	struct made made;

	start(&made, "{ path = \"/a/b\", access = \"ro\" }");
	place(&made, 0, "/a/b", NULL);
	anchor(&made, "/", 2);
	anchor(&made, "/a", 3);
	named(anchor(&made, "/a/b", 4), 3, "b");
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 4)->access, POL_RIGHT_READ | POL_RIGHT_LIST);
	cr_assert_eq(dir_of(&made, 1, 4)->flags, POL_DIR_RULE);
	cr_assert_eq(dir_of(&made, 1, 4)->rule, 1);
	cr_assert_eq(dir_of(&made, 1, 3)->flags, POL_DIR_NAMES);
	cr_assert_eq(made.image.names_cnt, 1, "the anchor's own name");
	cr_assert_str_eq(made.image.names[0].key.name, "b");
	cr_assert_eq(made.image.names[0].value.access, 0);
	cr_assert_eq(made.image.names[0].value.flags, POL_RULE_STALE);
	for (uint64_t ino = 2; ino <= 4; ino++)
		cr_assert_eq(dir_of(&made, 0, ino)->flags, POL_DIR_ABOVE);
	cr_assert_eq(made.image.dirs_cnt, 5);
	finish(&made);
}

Test(image, a_file_rule_is_a_name_and_a_flag_on_its_directory)
{
	struct made made;

	start(&made, "{ path = \"/a\", access = \"ro\" }, { path = \"/a/f\", access = \"rw\" }");
	place(&made, 0, "/a", NULL);
	place(&made, 1, "/a", "f");
	anchor(&made, "/", 2);
	anchor(&made, "/a", 3);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 3)->flags, POL_DIR_RULE | POL_DIR_NAMES);
	cr_assert_eq(dir_of(&made, 1, 3)->access, POL_RIGHT_READ | POL_RIGHT_LIST);
	cr_assert_eq(made.image.names_cnt, 1);
	cr_assert_str_eq(made.image.names[0].key.name, "f");
	cr_assert_eq(made.image.names[0].value.rule, 2);
	finish(&made);
}

Test(image, what_lies_in_proc_sys_is_marked)
{
	struct made made;

	start(&made, "{ path = \"/a\", access = \"ro\" }, { path = \"/a/f\", access = \"rw\" }");
	place(&made, 0, "/a", NULL)->sysctl = true;
	place(&made, 1, "/a", "f")->sysctl = true;
	anchor(&made, "/", 2);
	anchor(&made, "/a", 3);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 3)->flags, POL_DIR_RULE | POL_DIR_NAMES | POL_RULE_SYSCTL);
	cr_assert_eq(made.image.names[0].value.flags, POL_RULE_SYSCTL);
	finish(&made);
}

Test(image, long_names_are_found_by_hash_and_kept_whole)
{
	char name[POL_NAME_SIZE], files[512];
	struct made made;

	memset(name, 'n', 200);
	name[200] = '\0';
	(void)snprintf(files, sizeof(files), "{ path = \"/a/%s\", access = \"ro\" }", name);
	start(&made, files);
	place(&made, 0, "/a", name);
	anchor(&made, "/", 2);
	anchor(&made, "/a", 3);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(made.image.names_cnt, 0);
	cr_assert_eq(made.image.longs_cnt, 1);
	cr_assert_eq(made.image.longs[0].key.len, 200);
	cr_assert_arr_eq(made.image.longs[0].value.name, name, 200);
	finish(&made);
}

Test(image, an_explicit_rule_beats_one_derived_from_a_mount)
{
	struct made made;

	start(&made, "{ path = \"/a\", access = \"rw\" }, { path = \"/b\", access = \"ro\" }");
	place(&made, 0, "/a", NULL);
	place(&made, 1, "/b", NULL);
	place(&made, 0, "/a/m", NULL)->derived = true;
	anchor(&made, "/a", 3);
	anchor(&made, "/a/m", 4); /* the same directory as /b */
	anchor(&made, "/b", 4);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 4)->access, POL_RIGHT_READ | POL_RIGHT_LIST);
	cr_assert_eq(dir_of(&made, 1, 4)->rule, 2);
	finish(&made);
}

Test(image, two_derived_rules_on_one_directory_leave_what_both_give)
{
	struct made made;

	start(&made, "{ path = \"/a\", access = [\"read\", \"write\"] }, "
		     "{ path = \"/b\", access = [\"read\", \"list\"] }");
	place(&made, 0, "/a/m", NULL)->derived = true;
	place(&made, 1, "/b/m", NULL)->derived = true;
	anchor(&made, "/a/m", 4);
	anchor(&made, "/b/m", 4);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 4)->access, POL_RIGHT_READ);
	finish(&made);
}

/* Above a rule that gives something; nothing of the kind where nobody asks for it. */
Test(image, the_way_to_a_rule_may_be_looked_at)
{
	struct made made;

	start(&made, "{ path = \"/a/b\", access = \"ro\" }, { path = \"/c/d\", access = \"none\" }");
	made.policy->guests[0].knobs = POL_GUEST_STAT;
	place(&made, 0, "/a/b", NULL);
	place(&made, 1, "/c/d", NULL);
	anchor(&made, "/", 2);
	anchor(&made, "/a", 3);
	anchor(&made, "/a/b", 4);
	anchor(&made, "/c", 5);
	anchor(&made, "/c/d", 6);
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(dir_of(&made, 1, 2)->flags, POL_DIR_WAY);
	cr_assert_eq(dir_of(&made, 1, 3)->flags, POL_DIR_WAY);
	cr_assert_eq(dir_of(&made, 1, 4)->flags, POL_DIR_WAY | POL_DIR_RULE);
	cr_assert_eq(dir_of(&made, 1, 4)->access, POL_RIGHT_READ | POL_RIGHT_LIST);
	cr_assert_null(dir_of(&made, 1, 5));
	cr_assert_eq(dir_of(&made, 1, 6)->flags, POL_DIR_RULE);
	finish(&made);
}

Test(image, a_guest_is_told_that_it_may_not_look)
{
	struct pol_meta_guest guest = {};
	struct pol_guest_config config;

	pol_image_guest(&guest, &config);
	cr_assert_eq(config.flags, POL_GUEST_KNOWN);
	guest.knobs = POL_GUEST_STAT;
	pol_image_guest(&guest, &config);
	cr_assert_eq(config.flags, POL_GUEST_KNOWN | POL_GUEST_STAT);
}

Test(image, a_pending_rule_makes_no_entry)
{
	struct made made;

	start(&made, "{ path = \"/a/b\", access = \"ro\", optional = true }");
	place(&made, 0, "/a/b", NULL)->pending = true;
	cr_assert_eq(build(&made), 0);
	cr_assert_eq(made.image.dirs_cnt, 0);
	finish(&made);
}

Test(image, a_guest_is_told_its_ceilings)
{
	struct pol_meta_guest guest = {
		.ruleset = 3,
		.audit = true,
		.err = ENOENT,
		.limits = { .fds = 256, .pids = 1024, .kill = true },
	};
	struct pol_guest_config config;

	memset(&config, 0xff, sizeof(config));
	pol_image_guest(&guest, &config);
	cr_assert_eq(config.ruleset, 3);
	cr_assert_eq(config.mode, POL_MODE_AUDIT);
	cr_assert_eq(config.err, ENOENT);
	cr_assert_eq(config.flags, POL_GUEST_KNOWN | POL_GUEST_KILL);
	cr_assert_eq(config.fds, 256);
	cr_assert_eq(config.pids, 1024);
	guest.audit = false;
	guest.limits.kill = false;
	guest.limits.fds = 0;
	pol_image_guest(&guest, &config);
	cr_assert_eq(config.mode, POL_MODE_ENFORCE);
	cr_assert_eq(config.flags, POL_GUEST_KNOWN);
	cr_assert_eq(config.fds, 0, "0 is a ceiling");
}

Test(image, without_a_number_there_is_no_ceiling_on_descriptors)
{
	static const uint64_t none[] = { POL_LIMIT_UNSET, POL_LIMIT_MAX, POL_NO_CEILING };
	struct pol_meta_guest guest = {};
	struct pol_guest_config config;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		guest.limits.fds = none[i];
		pol_image_guest(&guest, &config);
		cr_assert_eq(config.fds, POL_NO_CEILING);
	}
	guest.limits.fds = 1ull << 30; /* the highest that a policy may name */
	pol_image_guest(&guest, &config);
	cr_assert_eq(config.fds, 1u << 30);
}
