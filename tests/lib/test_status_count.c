/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* status_count.c: what of the engine's counters is shown for a guest. */
#include <criterion/criterion.h>

#include "status.h"

static const struct pol_guest_state state = {
	.seq = 41,
	.denials = 7,
	.would_deny = 5,
	.escapes = 2,
	.counts = 3 * POL_COUNT_ONE_INSTANCE + 4 * POL_COUNT_ONE_TASK + 12 * POL_COUNT_ONE_FD,
	.fds_peak = 40,
	.tasks_peak = 9,
	.orphaned = 1,
	.refused = { [POL_RESOURCE_FDS] = 6, [POL_RESOURCE_PIDS] = 8, [POL_RESOURCE_MEMORY] = 10 },
	.lost = { [POL_TYPE_VIOLATION] = 100, [POL_TYPE_CEILING] = 20, [POL_TYPE_FORK] = 3 },
};

Test(status_count, takes_the_ceilings_of_the_policy)
{
	struct pol_guest_status status = {};
	struct pol_limits limits = { .pids = 64, .fds = 256 };

	pol_status_ceilings(&limits, &status);
	cr_assert_eq(status.pids_ceiling, 64);
	cr_assert_eq(status.fds_ceiling, 256);
	limits.pids = 0;
	pol_status_ceilings(&limits, &status);
	cr_assert_eq(status.pids_ceiling, 0, "0 is a ceiling");
}

Test(status_count, has_no_ceiling_where_the_policy_has_none)
{
	static const uint64_t none[] = { POL_LIMIT_UNSET, POL_LIMIT_MAX };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct pol_limits limits = { .pids = none[i], .fds = none[i] };
		struct pol_guest_status status = {};

		pol_status_ceilings(&limits, &status);
		cr_assert_eq(status.pids_ceiling, POL_STATUS_NONE);
		cr_assert_eq(status.fds_ceiling, POL_STATUS_NONE);
	}
}

Test(status_count, tells_open_files_from_their_instance)
{
	struct pol_guest_status status = { .fds_ceiling = 256 };

	pol_status_count(&state, &status);
	cr_assert_eq(status.fds_now, 12);
	cr_assert_eq(status.fds_peak, 40);
	cr_assert_eq(status.fds_refused, 6);
	cr_assert_eq(status.orphaned, 1);
}

Test(status_count, has_no_open_files_where_they_are_not_counted)
{
	struct pol_guest_status status = { .fds_ceiling = POL_STATUS_NONE };

	pol_status_count(&state, &status);
	cr_assert_eq(status.fds_now, POL_STATUS_NONE);
	cr_assert_eq(status.fds_peak, POL_STATUS_NONE);
}

Test(status_count, counts_tasks_with_and_without_a_ceiling)
{
	static const uint64_t ceilings[] = { 64, POL_STATUS_NONE };

	for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
		struct pol_guest_status status = { .pids_ceiling = ceilings[i] };

		pol_status_count(&state, &status);
		cr_assert_eq(status.pids_now, 4);
		cr_assert_eq(status.pids_peak, 9);
		cr_assert_eq(status.pids_refused, 8);
	}
}

Test(status_count, sums_what_was_lost)
{
	struct pol_guest_status status = { .lost = 1000 };

	pol_status_count(&state, &status);
	cr_assert_eq(status.lost, 123);
	cr_assert_eq(status.emitted, 41);
	cr_assert_eq(status.denials, 7);
	cr_assert_eq(status.would_deny, 5);
	cr_assert_eq(status.escapes, 2);
}
