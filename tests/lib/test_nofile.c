/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nofile.h"

#include <criterion/criterion.h>

Test(nofile, floor_is_the_highest_number_and_the_ceiling)
{
	const struct pol_nofile before = { .soft = 1024, .hard = 4096, .base = 7 };
	struct rlimit floor = pol_nofile_floor(&before, 256);

	cr_assert_eq(floor.rlim_cur, 263);
	cr_assert_eq(floor.rlim_max, 263);
}

Test(nofile, floor_is_never_above_the_hard_limit_of_before)
{
	const struct pol_nofile before = { .soft = 20, .hard = 30, .base = 7 };
	struct rlimit floor = pol_nofile_floor(&before, 256);

	cr_assert_eq(floor.rlim_cur, 30);
	cr_assert_eq(floor.rlim_max, 30);
}

Test(nofile, floor_under_no_limit_at_all)
{
	const struct pol_nofile before = { .soft = RLIM_INFINITY, .hard = RLIM_INFINITY, .base = 3 };

	cr_assert_eq(pol_nofile_floor(&before, 1ull << 30).rlim_max, (1ull << 30) + 3);
}

Test(nofile, a_lifted_ceiling_is_none)
{
	cr_assert(pol_has_fds(&(struct pol_limits){ .fds = 0 }), "0 is a ceiling");
	cr_assert_not(pol_has_fds(&(struct pol_limits){ .fds = POL_LIMIT_MAX }));
	cr_assert_not(pol_has_fds(&(struct pol_limits){ .fds = POL_LIMIT_UNSET }));
}
