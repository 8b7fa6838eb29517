/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit_limits.h"

#include <criterion/criterion.h>

static const struct pol_limits silent = {
	.fds = POL_LIMIT_UNSET,
	.pids = 1024,
	.memory_bytes = POL_LIMIT_UNSET,
	.swap_bytes = POL_LIMIT_UNSET,
	.cpu_milli = POL_LIMIT_UNSET,
};

static void expect(const struct pol_unit_limit *got, const char *property, uint64_t value,
		   const char *file, const char *text)
{
	cr_assert_str_eq(got->property, property);
	cr_assert_eq(got->value, value, "%s is %llu", property, (unsigned long long)got->value);
	cr_assert_str_eq(got->file, file);
	cr_assert_str_eq(got->text, text);
}

Test(unit_limits, what_the_policy_is_silent_on_is_left_out)
{
	struct pol_unit_limit rows[POL_UNIT_LIMITS_MAX];

	cr_assert_eq(pol_unit_limits(&silent, rows), 1);
	expect(&rows[0], "TasksMax", 1024, "pids.max", "1024");
}

Test(unit_limits, each_ceiling_has_its_property_and_its_file)
{
	struct pol_unit_limit rows[POL_UNIT_LIMITS_MAX];
	struct pol_limits limits = silent;

	limits.memory_bytes = 4831838208;
	limits.swap_bytes = 0;
	limits.cpu_milli = 2000;
	cr_assert_eq(pol_unit_limits(&limits, rows), 4);
	expect(&rows[1], "MemoryMax", 4831838208, "memory.max", "4831838208");
	expect(&rows[2], "MemorySwapMax", 0, "memory.swap.max", "0");
	expect(&rows[3], "CPUQuotaPerSecUSec", 2000000, "cpu.max", "200000 100000");
}

Test(unit_limits, the_smallest_share_of_a_core)
{
	struct pol_unit_limit rows[POL_UNIT_LIMITS_MAX];
	struct pol_limits limits = silent;

	limits.cpu_milli = 10;
	cr_assert_eq(pol_unit_limits(&limits, rows), 2);
	expect(&rows[1], "CPUQuotaPerSecUSec", 10000, "cpu.max", "1000 100000");
}

Test(unit_limits, lifted_is_infinity)
{
	struct pol_unit_limit rows[POL_UNIT_LIMITS_MAX];
	struct pol_limits limits = silent;

	limits.memory_bytes = limits.swap_bytes = limits.cpu_milli = POL_LIMIT_MAX;
	cr_assert_eq(pol_unit_limits(&limits, rows), 4);
	expect(&rows[1], "MemoryMax", UINT64_MAX, "memory.max", "max");
	expect(&rows[2], "MemorySwapMax", UINT64_MAX, "memory.swap.max", "max");
	expect(&rows[3], "CPUQuotaPerSecUSec", UINT64_MAX, "cpu.max", "max 100000");
}

Test(unit_limits, memory_is_read_back_in_whole_pages)
{
	struct pol_unit_limit rows[POL_UNIT_LIMITS_MAX];
	struct pol_limits limits = silent;

	limits.memory_bytes = 3 * 4096 + 1;
	cr_assert_eq(pol_unit_limits(&limits, rows), 2);
	expect(&rows[1], "MemoryMax", 3 * 4096 + 1, "memory.max", "12288");
}
