/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit_limits.h"

#include <criterion/criterion.h>

#include "base.h"

#define ROWS 12 /* all without devices, and two devices */

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
	struct pol_unit_limit rows[ROWS];

	cr_assert_eq(pol_unit_limits(&silent, rows), 1);
	expect(&rows[0], "TasksMax", 1024, "pids.max", "1024");
}

Test(unit_limits, each_ceiling_has_its_property_and_its_file)
{
	struct pol_unit_limit rows[ROWS];
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
	struct pol_unit_limit rows[ROWS];
	struct pol_limits limits = silent;

	limits.cpu_milli = 10;
	cr_assert_eq(pol_unit_limits(&limits, rows), 2);
	expect(&rows[1], "CPUQuotaPerSecUSec", 10000, "cpu.max", "1000 100000");
}

Test(unit_limits, lifted_is_infinity)
{
	struct pol_unit_limit rows[ROWS];
	struct pol_limits limits = silent;

	limits.memory_bytes = limits.swap_bytes = limits.cpu_milli = POL_LIMIT_MAX;
	cr_assert_eq(pol_unit_limits(&limits, rows), 4);
	expect(&rows[1], "MemoryMax", UINT64_MAX, "memory.max", "max");
	expect(&rows[2], "MemorySwapMax", UINT64_MAX, "memory.swap.max", "max");
	expect(&rows[3], "CPUQuotaPerSecUSec", UINT64_MAX, "cpu.max", "max 100000");
}

Test(unit_limits, memory_is_read_back_in_whole_pages)
{
	struct pol_unit_limit rows[ROWS];
	struct pol_limits limits = silent;

	limits.memory_bytes = 3 * 4096 + 1;
	cr_assert_eq(pol_unit_limits(&limits, rows), 2);
	expect(&rows[1], "MemoryMax", 3 * 4096 + 1, "memory.max", "12288");
}

static struct pol_io_limit disk = {
	.device = (char *)"/dev/sda1",
	.major = 8,
	.max = { 104857600, POL_LIMIT_MAX, 5000, POL_LIMIT_MAX },
};

Test(unit_limits, a_device_has_a_row_for_each_direction)
{
	struct pol_unit_limit rows[ROWS];
	struct pol_limits limits = silent;

	limits.io = &disk;
	limits.io_cnt = 1;
	cr_assert_leq(pol_unit_limits_max(&limits), ROWS);
	cr_assert_eq(pol_unit_limits(&limits, rows), 5);
	expect(&rows[1], "IOReadBandwidthMax", 104857600, "io.max", "rbps=104857600");
	expect(&rows[2], "IOWriteBandwidthMax", UINT64_MAX, "io.max", "wbps=max");
	expect(&rows[3], "IOReadIOPSMax", 5000, "io.max", "riops=5000");
	expect(&rows[4], "IOWriteIOPSMax", UINT64_MAX, "io.max", "wiops=max");
	cr_assert_str_eq(rows[1].device, "/dev/sda1");
	cr_assert_str_eq(rows[1].disk, "8:0");
	cr_assert_null(rows[0].device);
}

static void expect_lift(const struct pol_unit_limit *got, const char *property, const char *device)
{
	cr_assert_str_eq(got->property, property);
	cr_assert_eq(got->value, UINT64_MAX);
	if (device)
		cr_assert_str_eq(got->device, device);
	else
		cr_assert_null(got->device);
}

Test(unit_limits, what_the_policy_is_silent_on_is_lifted)
{
	struct pol_unit_limit rows[POL_UNIT_LIFTS_MAX];

	cr_assert_eq(pol_unit_lifts(&silent, rows), POL_UNIT_LIFTS_MAX);
	expect_lift(&rows[0], "MemoryMax", NULL);
	expect_lift(&rows[1], "MemorySwapMax", NULL);
	expect_lift(&rows[2], "CPUQuotaPerSecUSec", NULL);
	expect_lift(&rows[3], "IOReadBandwidthMax", "");
	expect_lift(&rows[6], "IOWriteIOPSMax", "");
}

Test(unit_limits, what_the_policy_sets_is_not_lifted)
{
	struct pol_unit_limit rows[POL_UNIT_LIFTS_MAX];
	struct pol_limits limits = silent;

	limits.memory_bytes = 1 << 20;
	limits.cpu_milli = 1000;
	cr_assert_eq(pol_unit_lifts(&limits, rows), 1 + POL_IO_CNT);
	expect_lift(&rows[0], "MemorySwapMax", NULL);
	expect_lift(&rows[1], "IOReadBandwidthMax", "");
}

Test(unit_limits, a_number_holds_if_it_is_all_there_is)
{
	struct pol_unit_limit rows[ROWS];

	(void)pol_unit_limits(&silent, rows);
	cr_assert(pol_unit_limit_holds(&rows[0], "1024\n"));
	cr_assert_not(pol_unit_limit_holds(&rows[0], "10240\n"));
	cr_assert_not(pol_unit_limit_holds(&rows[0], "102\n"));
	cr_assert_not(pol_unit_limit_holds(&rows[0], ""));
}

Test(unit_limits, a_device_holds_by_a_word_of_its_own_line)
{
	const char *text = "8:16 rbps=1 wbps=max riops=max wiops=max\n"
			   "8:0 rbps=104857600 wbps=max riops=5000 wiops=7\n";
	struct pol_unit_limit rows[ROWS];
	struct pol_limits limits = silent;

	limits.io = &disk;
	limits.io_cnt = 1;
	(void)pol_unit_limits(&limits, rows);
	cr_assert(pol_unit_limit_holds(&rows[1], text));
	cr_assert(pol_unit_limit_holds(&rows[2], text));
	cr_assert(pol_unit_limit_holds(&rows[3], text));
	cr_assert_not(pol_unit_limit_holds(&rows[4], text), "it is 7");
	cr_assert_not(pol_unit_limit_holds(&rows[1], "18:0 rbps=104857600 wbps=max\n"));
	cr_assert_not(pol_unit_limit_holds(&rows[1], "8:0 rbps=1048576000 wbps=max\n"));
	cr_assert_not(pol_unit_limit_holds(&rows[1], ""));
	cr_assert(pol_unit_limit_holds(&rows[2], ""), "no line, no bound");
}

Test(unit_limits, what_a_file_read_before_is_set_again)
{
	static const struct {
		const char *file;
		const char *text;
		const char *property;
		uint64_t value;
	} rows[] = {
		{ "pids.max", "77", "TasksMax", 77 },
		{ "pids.max", "max", "TasksMax", UINT64_MAX },
		{ "memory.max", "134217728", "MemoryMax", 134217728 },
		{ "memory.swap.max", "0", "MemorySwapMax", 0 },
		{ "memory.swap.max", "", "MemorySwapMax", UINT64_MAX },
		{ "cpu.max", "20000 100000", "CPUQuotaPerSecUSec", 200000 },
		{ "cpu.max", "12340 100000", "CPUQuotaPerSecUSec", 123400 },
		{ "cpu.max", "5000 10000", "CPUQuotaPerSecUSec", 500000 },
		{ "cpu.max", "max 100000", "CPUQuotaPerSecUSec", UINT64_MAX },
		{ "cpu.max", "", "CPUQuotaPerSecUSec", UINT64_MAX },
	};
	struct pol_unit_limit got;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert(pol_unit_limit_before(rows[i].file, rows[i].text, &got));
		cr_assert_str_eq(got.property, rows[i].property);
		cr_assert_eq(got.value, rows[i].value, "'%s' is %llu", rows[i].text,
			     (unsigned long long)got.value);
		cr_assert_null(got.device);
	}
	cr_assert_not(pol_unit_limit_before("memory.oom.group", "1", &got));
	cr_assert_not(pol_unit_limit_before("io.max", "", &got));
}

Test(unit_limits, what_a_device_had_before)
{
	static const char *const bad[] = { "", "8:0", "x", "8:0 rbps=1 wbps=2 riops=3",
					   "8 rbps=1 wbps=2 riops=3 wiops=4" };
	struct pol_io_limit io;

	cr_assert(pol_unit_io_before("254:3 rbps=max wbps=10000000 riops=5 wiops=max\n8:0 ...", &io));
	cr_assert_eq(io.major, 254);
	cr_assert_eq(io.minor, 3);
	cr_assert_eq(io.max[POL_IO_RBPS], POL_LIMIT_MAX);
	cr_assert_eq(io.max[POL_IO_WBPS], 10000000);
	cr_assert_eq(io.max[POL_IO_RIOPS], 5);
	cr_assert_eq(io.max[POL_IO_WIOPS], POL_LIMIT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(pol_unit_io_before(bad[i], &io), "'%s'", bad[i]);
}

Test(unit_limits, no_device_has_any)
{
	struct pol_unit_limit rows[POL_IO_CNT];

	cr_assert_eq(pol_unit_no_io(rows), POL_IO_CNT);
	cr_assert_str_eq(rows[0].property, "IOReadBandwidthMax");
	cr_assert_str_eq(rows[3].property, "IOWriteIOPSMax");
	for (size_t i = 0; i < POL_IO_CNT; i++)
		cr_assert_str_empty(rows[i].device);
}
