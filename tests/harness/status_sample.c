/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status_sample.h"

#include "base.h"

static char sha256[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
static char file[] = "policy.toml", web[] = "web", db[] = "db";
static struct pol_meta meta = { .file = file, .sha256 = sha256 };
static const struct pol_meta_guest metas[] = { { .name = web, .id = 2 },
					       { .name = db, .id = 5, .audit = true } };

static struct pol_guest_status guests[] = {
	{
		.guest = &metas[0],
		.tasks = 3,
		.fds_now = 12,
		.fds_peak = 40,
		.fds_ceiling = 256,
		.fds_refused = 6,
		.orphaned = 1,
		.pids_now = 4,
		.pids_peak = 9,
		.pids_ceiling = 1024,
		.pids_refused = 8,
		.memory_now = 253952,
		.memory_peak = 1048576,
		.memory_ceiling = 268435456,
		.denials = 7,
		.would_deny = 5,
		.escapes = 2,
		.emitted = 41,
		.lost = 10,
		.lost_of = { [POL_TYPE_VIOLATION] = 7, [POL_TYPE_EXEC] = 3 },
		.folded = 4,
		.folded_would = 1,
		.lost_repeats = 2,
		.folded_lost = 3,
		.stale = 11,
		.shadows = { .cnt = 18, .bytes = 19, .stale = 20 },
		.shadow_budget = 21,
	},
	{
		.guest = &metas[1],
		.fds_now = POL_STATUS_NONE,
		.fds_peak = POL_STATUS_NONE,
		.fds_ceiling = POL_STATUS_NONE,
		.fds_refused = 13,
		.pids_ceiling = POL_STATUS_NONE,
		.memory_now = POL_STATUS_NONE,
		.memory_peak = POL_STATUS_NONE,
		.memory_ceiling = POL_STATUS_NONE,
		.denials = 14,
		.would_deny = 15,
		.shadow_budget = POL_STATUS_NONE,
	},
};

static struct pol_program_stats programs[] = {
	{ .name = "pol_fd_opened", .skipped = 17 },
	{ .name = "pol_file_open", .runs = 1000, .run_ns = 2500000042 },
};

void test_status(struct pol_status *ret)
{
	*ret = (struct pol_status){
		.meta = &meta,
		.guests = guests,
		.guests_cnt = ARRAY_SIZE(guests),
		.generation = 3,
		.made_ns = 1790000000123456789,
		.programs = programs,
		.programs_cnt = ARRAY_SIZE(programs),
		.recursion_misses = 17,
		.mode = "mixed",
	};
	for (size_t i = 0; i < POL_FAILS_CNT; i++)
		ret->fails[i] = 100 + i;
}
