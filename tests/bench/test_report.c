/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static struct bench bench;
static char *said;
static size_t said_size;

static void setup(void)
{
	memset(&bench, 0, sizeof(bench));
}

static void teardown(void)
{
	free(said);
	said = NULL;
}

TestSuite(bench_report, .init = setup, .fini = teardown, .timeout = 60);

static void add(int vm, const char *line)
{
	cr_assert_eq(bench_add(&bench, vm, line), 0, "'%s'", line);
}

/* A row in all four runs, the last one @more instructions off. */
static void add_row(const char *name, int value, int more)
{
	char line[128];

	for (int i = 0; i < BENCH_RUNS; i++) {
		snprintf(line, sizeof(line), "%d %s %d %d.5 %d 100", i % 2 + 1, name,
			 i == 3 ? value + more : value, value + 10, value - 10);
		add(i / 2 + 1, line);
	}
}

static void add_good_clock(void)
{
	add_row("clock 0 none", 200004, 0);
}

/* What @check says of the figures. */
static int check(double limit)
{
	FILE *to = open_memstream(&said, &said_size);
	int bad = bench_check(&bench, limit, to);

	fclose(to);
	return bad;
}

static const char *print(void (*fn)(const struct bench *, FILE *))
{
	FILE *to;

	free(said);
	to = open_memstream(&said, &said_size);
	fn(&bench, to);
	fclose(to);
	return said;
}

static void expect(const char *part)
{
	cr_expect(strstr(said, part), "no '%s' in:\n%s", part, said);
}

Test(bench_report, reads_rows_and_facts)
{
	const struct bench_row *row;

	add(0, "qemu 10.0.2 (Debian)");
	add(1, "kernel 6.12.1");
	add(1, "2 open 8 guest 10226 10254.5 10200 2000");
	row = bench_find(&bench, "open", 8, "guest");
	cr_assert(row);
	cr_assert_eq(row->cnt, 1);
	cr_assert_eq(row->runs[0].vm, 1);
	cr_assert_eq(row->runs[0].round, 2);
	cr_assert_eq(bench_value(row), 10226);
	cr_assert_eq(bench_later(row), 10254.5);
	cr_assert_str_eq(bench_fact(&bench, "qemu"), "10.0.2 (Debian)");
	cr_assert_str_eq(bench_fact(&bench, "cpu"), "");
	cr_assert_null(bench_find(&bench, "open", 1, "guest"));
	cr_assert_eq(bench_value(NULL), -1);
}

Test(bench_report, refuses_lines_that_are_none)
{
	static const char *const lines[] = {
		"1 open 8 guest 10226 10254.5 10200",
		"1 open 8 guest 10226 10254.5 10200 2000 more",
		"1 walk 8 guest 10226 10254.5 10200 2000",
		"1 open 8 stranger 10226 10254.5 10200 2000",
		"1 open -8 guest 10226 10254.5 10200 2000",
		"1 open 8 guest 0 10254.5 10200 2000",
		"1 open 8 guest - 10254.5 10200 2000",
		"word",
		" text",
		"averyveryverylongword text",
		"",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_eq(bench_add(&bench, 1, lines[i]), -EINVAL, "'%s'", lines[i]);
	cr_assert_eq(bench_add(&bench, 0, "1 open 8 guest 10226 10254.5 10200 2000"), -EINVAL);
	cr_assert_eq(bench.row_cnt, 0);
	cr_assert_eq(bench.fact_cnt, 0);
}

Test(bench_report, refuses_a_run_that_is_there)
{
	add(1, "1 open 8 guest 10226 10254.5 10200 2000");
	add(2, "1 open 8 guest 10226 10254.5 10200 2000");
	cr_assert_eq(bench_add(&bench, 1, "1 open 8 guest 1 1 1 1"), -EEXIST);
}

Test(bench_report, refuses_vms_that_differ_in_a_fact)
{
	add(1, "kernel 6.12.1");
	add(2, "kernel 6.12.1");
	cr_assert_eq(bench.fact_cnt, 1);
	cr_assert_eq(bench_add(&bench, 2, "kernel 6.12.2"), -EEXIST);
}

Test(bench_report, has_room_for_so_many_rows)
{
	char line[128];

	for (int i = 0; i < BENCH_ROWS; i++) {
		snprintf(line, sizeof(line), "1 open %d guest 1 1 1 1", i);
		add(1, line);
	}
	cr_assert_eq(bench_add(&bench, 1, "1 pipe 0 guest 1 1 1 1"), -ENOSPC);
}

Test(bench_report, takes_what_repeats)
{
	add_good_clock();
	add_row("open 8 none", 10000, 0);
	add_row("open 8 guest", 10000, 50);
	cr_assert_eq(check(0.5), 0, "%s", said);
	cr_assert_eq(bench_spread(bench_find(&bench, "open", 8, "guest")), 0.5);
}

Test(bench_report, says_which_row_differs_and_by_how_much)
{
	add_good_clock();
	add_row("open 8 guest", 10000, 51);
	add_row("fork 0 none", 10000, -300);
	cr_assert_eq(check(0.5), 2);
	expect("bench: open, depth 8, guest: 10000 instructions in VM 1, round 1, and 10051 in "
	       "VM 2, round 2: 0.51 %\n");
	expect("bench: fork, none: 9700 instructions in VM 2, round 2, and 10000 in VM 1, round 1: "
	       "3.09 %\n");
}

Test(bench_report, refuses_a_row_that_lacks_a_run)
{
	add_good_clock();
	add(1, "1 open 8 guest 10226 10254.5 10200 2000");
	cr_assert_eq(check(0.5), 1);
	expect("bench: open, depth 8, guest: measured 1 times instead of 4");
}

Test(bench_report, refuses_a_clock_of_another_kind)
{
	add_row("clock 0 none", 58000, 0);
	cr_assert_eq(check(0.5), 1);
	expect("the clock does not count instructions: 58000 for a loop of 200000");
}

Test(bench_report, refuses_nothing_at_all)
{
	cr_assert_eq(check(0.5), 1);
	expect("no measurement of the clock");
}

static void add_some(void)
{
	add(0, "kernel 6.12.1");
	add_good_clock();
	add_row("open 1 none", 5000, 0);
	add_row("open 1 empty", 5200, 0);
	add_row("open 1 landlock", 6000, 0);
	add_row("open 1 guest", 5300, 0);
	add_row("open 16 none", 10000, 0);
	add_row("open 16 empty", 10200, 0);
	add_row("open 16 guest", 10331, 0);
	add_row("fork 0 none", 150000, 0);
}

Test(bench_report, table_has_ratio_and_what_is_added)
{
	add_some();
	print(bench_print_table);
	expect("kernel      6.12.1\n");
	expect("      1  no program                                5000    1.000           -           -        5010\n");
	expect("      1  engine: a guest                           5300    1.060         300         100        5310\n");
	expect("         no program                              150000    1.000");
	expect("Not in these figures: cache and TLB misses");
	expect("9 of 9 rows");
}

Test(bench_report, goals_are_met_or_missed_or_not_measured)
{
	add_some();
	print(bench_print_goals);
	expect("  G1   a guest's open, to empty                 1      1.019  <= 1.030   met\n");
	expect("  G2   the same over depth, flat                          31  <= 30      missed\n");
	expect("  G5   Landlock's added, to a guest's           1      3.333  >= 4.500   missed\n");
	expect("  G10  ceilings, added, to Landlock's           1          -  <= 0.500   not measured\n");
}

Test(bench_report, goals_of_what_has_no_hook)
{
	add_row("stat 8 none", 3000, 0);
	add_row("stat 8 guest", 3000, 0);
	add_row("read 0 none", 1000, 0);
	add_row("read 0 guest", 1100, 0);
	print(bench_print_goals);
	expect("  G15  a guest's stat, over none                8          0  <= 6       met\n");
	expect("  G15  a guest's read, over none                         100  <= 6       missed\n");
}

Test(bench_report, goals_know_the_kernel)
{
	add(0, "kernel 7.2.12");
	print(bench_print_goals);
	expect("<= 1.035");
}

Test(bench_report, json_has_every_row)
{
	FILE *to = open_memstream(&said, &said_size);
	json_error_t err;
	json_t *root, *row;

	add_some();
	cr_assert_eq(bench_write_json(&bench, 0.5, to), 0);
	fclose(to);
	root = json_loads(said, 0, &err);
	cr_assert(root, "%s", err.text);
	cr_assert_str_eq(json_string_value(json_object_get(root, "kernel")), "6.12.1");
	cr_assert_eq(json_array_size(json_object_get(root, "rows")), 9);
	row = json_array_get(json_object_get(root, "rows"), 4);
	cr_assert_eq(json_number_value(json_object_get(row, "instructions")), 5300);
	cr_assert_eq(json_number_value(json_object_get(row, "over_empty")), 100);
	cr_assert_eq(json_array_size(json_object_get(row, "runs")), BENCH_RUNS);
	json_decref(root);
}

Test(bench_report, plot_has_a_line_for_each_actor)
{
	add_some();
	print(bench_write_plot);
	expect("<svg ");
	expect("kernel 6.12.1");
	expect("M87.5 "); /* depth 1 */
	expect("engine: a guest, first touch");
	expect("</svg>\n");
}
