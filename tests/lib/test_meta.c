/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* meta.c: what user space keeps of a generation, and its bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "meta.h"

/* Two guests with the same profile, one with a rule of its own. */
static const char text[] = "version = 1\n"
			   "[profile.p]\n"
			   "files = [{ path = \"/usr\", access = \"rx\" }]\n"
			   "[guest.a]\n"
			   "include = [\"p\"]\n"
			   "[guest.b]\n"
			   "include = [\"p\"]\n"
			   "[guest.c]\n"
			   "mode = \"audit\"\n"
			   "errno = \"ENOENT\"\n"
			   "limits = { io = [{ device = \"/dev/a\", rbps = 9 }] }\n"
			   "wx = \"deny\"\n"
			   "shadow = { max_size = 5, budget = 6, exec = true, "
			   "paths = [\"/srv/y\", \"/srv/x\"] }\n"
			   "members = { units = [\"u.service\"], cgroups = [\"/x.slice\"], "
			   "pids = [7, \"/run/p\"] }\n"
			   "include = [\"p\"]\n"
			   "files = [{ path = \"/srv/x\", access = \"rw\", name = \"data\" },\n"
			   "         { path = \"/srv/x/no\", access = \"none\" }]\n";

static struct pol_policy *parse(const char *policy)
{
	struct pol_diags diags = {};
	struct pol_policy *ret = NULL;

	cr_assert_eq(pol_policy_parse("t.toml", policy, strlen(policy), &diags, &ret), 0);
	pol_diags_done(&diags);
	return ret;
}

/* Places as the resolver would find them: every rule a directory of its own path. */
static void fake_places(const struct pol_policy *policy, struct pol_places *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->items = calloc(16, sizeof(*ret->items));
	for (size_t g = 0; g < policy->guests_cnt; g++)
		for (size_t i = 0; i < policy->guests[g].rules_cnt; i++) {
			struct pol_place *place = &ret->items[ret->cnt++];

			place->dir = strdup(policy->guests[g].rules[i].path);
			place->guest = g;
			place->rule = i;
		}
}

static struct pol_meta *make(void)
{
	struct pol_policy *policy = parse(text);
	struct pol_places places;
	struct pol_meta *meta = NULL;

	fake_places(policy, &places);
	cr_assert_eq(pol_meta_new(policy, &places, &meta), 0);
	pol_places_done(&places);
	pol_policy_free(policy);
	return meta;
}

static void check_members(const struct pol_meta_guest *guest)
{
	static const struct pol_member want[] = {
		{ .kind = POL_MEMBER_UNIT, .text = (char *)"u.service" },
		{ .kind = POL_MEMBER_CGROUP, .text = (char *)"/x.slice" },
		{ .kind = POL_MEMBER_PID, .pid = 7 },
		{ .kind = POL_MEMBER_PID_FILE, .text = (char *)"/run/p" },
	};

	cr_assert_eq(guest->members_cnt, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		cr_assert_eq(guest->members[i].kind, want[i].kind);
		cr_assert_eq(guest->members[i].pid, want[i].pid);
		cr_assert_gt(guest->members[i].line, 1);
		cr_assert_gt(guest->members[i].col, 1);
		cr_assert_eq(!guest->members[i].text, !want[i].text);
		if (want[i].text)
			cr_assert_str_eq(guest->members[i].text, want[i].text);
	}
}

static void check_shadow(const struct pol_shadow_policy *shadow)
{
	cr_assert_eq(shadow->max_size, 5);
	cr_assert_eq(shadow->budget, 6);
	cr_assert(shadow->exec);
	cr_assert_eq(shadow->paths_cnt, 2);
	cr_assert_str_eq(shadow->paths[0], "/srv/x");
	cr_assert_str_eq(shadow->paths[1], "/srv/y");
}

Test(meta, guests_with_equal_rules_share_a_set)
{
	struct pol_meta *meta = make();

	cr_assert_eq(meta->guests_cnt, 3);
	cr_assert_eq(pol_meta_guest(meta, "a")->ruleset, pol_meta_guest(meta, "b")->ruleset);
	cr_assert_neq(pol_meta_guest(meta, "a")->ruleset, pol_meta_guest(meta, "c")->ruleset);
	cr_assert_eq(meta->rules_cnt, 4, "one rule for a and b, three for c");
	cr_assert_null(pol_meta_guest(meta, "d"));
	pol_meta_free(meta);
}

Test(meta, bytes_round_trip)
{
	struct pol_meta *meta = make(), *back = NULL;
	char *bytes = NULL, *again = NULL;
	size_t len, again_len;

	meta->generation = 42;
	meta->guests[2].id = 7;
	meta->guests[2].ghost = true;
	meta->guests[1].knobs = POL_GUEST_STAT;
	meta->rules[0].key.inode.ino = 99;
	cr_assert_eq(pol_meta_encode(meta, &bytes, &len), 0);
	cr_assert_eq(pol_meta_decode(bytes, len, &back), 0);
	cr_assert_eq(back->generation, 42);
	cr_assert_str_eq(back->file, "t.toml");
	cr_assert_eq(pol_meta_guest_by_id(back, 7)->err, ENOENT);
	cr_assert(pol_meta_guest_by_id(back, 7)->audit);
	cr_assert_eq(pol_meta_guest_by_id(back, 7)->knobs,
		     POL_GUEST_NO_WX | POL_GUEST_SHADOW | POL_GUEST_SHADOW_EXEC);
	cr_assert(pol_meta_guest_by_id(back, 7)->ghost);
	check_members(pol_meta_guest_by_id(back, 7));
	check_shadow(&pol_meta_guest_by_id(back, 7)->shadow);
	cr_assert_eq(back->guests[0].shadow.max_size, 256ull << 20);
	cr_assert_eq(back->guests[0].shadow.paths_cnt, 0);
	cr_assert_eq(back->guests[1].knobs, POL_GUEST_STAT);
	cr_assert_eq(back->rules[0].key.inode.ino, 99);
	cr_assert_eq(pol_meta_encode(back, &again, &again_len), 0);
	cr_assert_eq(again_len, len);
	cr_assert_arr_eq(again, bytes, len);
	free(bytes);
	free(again);
	pol_meta_free(meta);
	pol_meta_free(back);
}

/* Each field another value: one that is left out or put in another's place shows. */
Test(meta, limits_round_trip)
{
	static const struct pol_limits limits[] = {
		{ .fds = 1,
		  .pids = 2,
		  .memory_bytes = 3,
		  .swap_bytes = 4,
		  .cpu_milli = 5,
		  .best_effort = true },
		{ .fds = POL_LIMIT_MAX, .pids = 1024, .fds_all = true },
		{ .fds = POL_LIMIT_UNSET, .memory_bytes = POL_LIMIT_MAX, .kill = true },
	};
	static const struct pol_io_limit io[] = {
		{ .device = (char *)"/dev/a", .major = 8, .minor = 16, .max = { 2, 3, 4, 5 } },
		{ .device = (char *)"/dev/b", .major = 253, .max = { POL_LIMIT_MAX, 6, 7, 8 } },
	};
	struct pol_meta *meta = make(), *back = NULL;
	char *bytes = NULL;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		meta->guests[i].limits = limits[i];
	cr_assert_eq(pol_io_copy(io, ARRAY_SIZE(io), &meta->guests[1].limits), 0);
	cr_assert_eq(pol_meta_encode(meta, &bytes, &len), 0);
	cr_assert_eq(pol_meta_decode(bytes, len, &back), 0);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct pol_limits *got = &back->guests[i].limits;

		cr_assert_eq(got->fds, limits[i].fds);
		cr_assert_eq(got->fds_all, limits[i].fds_all);
		cr_assert_eq(got->kill, limits[i].kill);
		cr_assert_eq(got->pids, limits[i].pids);
		cr_assert_eq(got->memory_bytes, limits[i].memory_bytes);
		cr_assert_eq(got->swap_bytes, limits[i].swap_bytes);
		cr_assert_eq(got->cpu_milli, limits[i].cpu_milli);
		cr_assert_eq(got->best_effort, limits[i].best_effort);
	}
	cr_assert_eq(back->guests[0].limits.io_cnt, 0);
	cr_assert_eq(back->guests[1].limits.io_cnt, ARRAY_SIZE(io));
	for (size_t i = 0; i < ARRAY_SIZE(io); i++) {
		const struct pol_io_limit *got = &back->guests[1].limits.io[i];

		cr_assert_str_eq(got->device, io[i].device);
		cr_assert_eq(got->major, io[i].major);
		cr_assert_eq(got->minor, io[i].minor);
		cr_assert_arr_eq(got->max, io[i].max, sizeof(io[i].max));
	}
	free(bytes);
	pol_meta_free(meta);
	pol_meta_free(back);
}

/* The least that decoding asks for must not be more than the least that encoding makes. */
Test(meta, the_smallest_guests_and_rules_are_decoded)
{
	struct pol_meta_guest guests[] = { { .name = (char *)"" }, { .name = (char *)"" } };
	struct pol_meta_rule rules[] = { { .path = (char *)"" }, { .path = (char *)"" } };
	struct pol_meta meta = {
		.file = (char *)"", .sha256 = (char *)"", .cgroup = (char *)"", .guests = guests
	};
	struct pol_meta *back = NULL;
	char *bytes = NULL;
	size_t len;

	for (int with_rules = 0; with_rules < 2; with_rules++) {
		meta.guests_cnt = with_rules ? 0 : ARRAY_SIZE(guests);
		meta.rules = rules;
		meta.rules_cnt = with_rules ? ARRAY_SIZE(rules) : 0;
		cr_assert_eq(pol_meta_encode(&meta, &bytes, &len), 0);
		cr_assert_eq(pol_meta_decode(bytes, len, &back), 0);
		cr_assert_eq(back->guests_cnt, meta.guests_cnt);
		cr_assert_eq(back->rules_cnt, meta.rules_cnt);
		pol_meta_free(back);
		free(bytes);
	}
}

Test(meta, cut_bytes_are_refused)
{
	struct pol_meta *meta = make(), *back = NULL;
	char *bytes = NULL;
	size_t len;

	cr_assert_eq(pol_meta_encode(meta, &bytes, &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		char *part = malloc(cut ? cut : 1); /* its end is where the sanitizer looks */

		memcpy(part, bytes, cut);
		cr_assert_eq(pol_meta_decode(part, cut, &back), -EPROTO, "%zu bytes", cut);
		free(part);
	}
	cr_assert_null(back);
	free(bytes);
	pol_meta_free(meta);
}

Test(meta, changed_bytes_never_crash)
{
	struct pol_meta *meta = make();
	char *bytes = NULL;
	size_t len;

	cr_assert_eq(pol_meta_encode(meta, &bytes, &len), 0);
	for (size_t at = 0; at < len; at++) {
		struct pol_meta *back = NULL;
		char kept = bytes[at];

		bytes[at] = (char)0xff;
		if (!pol_meta_decode(bytes, len, &back))
			pol_meta_free(back);
		bytes[at] = kept;
	}
	free(bytes);
	pol_meta_free(meta);
}

Test(meta, steerable_is_judged_by_the_nearest_rule)
{
	struct pol_meta *meta = make();

	cr_assert(pol_meta_steerable(meta, "/srv/x", NULL));
	cr_assert(pol_meta_steerable(meta, "/srv/x/deep/er", NULL));
	cr_assert_not(pol_meta_steerable(meta, "/srv/x/no", NULL));
	cr_assert_not(pol_meta_steerable(meta, "/srv/xy", NULL));
	cr_assert_not(pol_meta_steerable(meta, "/usr/bin", NULL));
	cr_assert_not(pol_meta_steerable(meta, "/", NULL));
	pol_meta_free(meta);
}

Test(meta, regions_name_rules_held_by_name)
{
	struct pol_meta *meta = make();
	struct pol_region *regions = NULL;
	size_t cnt = 0, held_cnt = 0;
	char **held = NULL;

	meta->rules[0].entry = strdup("file");
	cr_assert_eq(pol_meta_regions(meta, 0, &regions, &cnt, &held, &held_cnt), 0);
	cr_assert_eq(cnt, 4);
	cr_assert_eq(held_cnt, 1);
	cr_assert_str_eq(held[0], "/usr/file");
	free(held[0]);
	free(held);
	free(regions);
	pol_meta_free(meta);
}
