/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "base.h"
#include "top_rows.h"

#define SECOND 1000000

static struct pol_meta_guest guests[3] = {
	{ .id = 1, .name = (char *)(uintptr_t) "web" },
	{ .id = 2, .name = (char *)(uintptr_t) "db", .audit = true },
	{ .id = 3, .name = (char *)(uintptr_t) "idle" },
};

static struct pol_guest_status before_rows[3], now_rows[3];
static const struct pol_status before = { .guests = before_rows, .guests_cnt = 2 };
static const struct pol_status now = { .guests = now_rows, .guests_cnt = 3 };
static struct top_row rows[3];

static void set_up(void)
{
	memset(before_rows, 0, sizeof(before_rows));
	memset(now_rows, 0, sizeof(now_rows));
	for (int i = 0; i < 3; i++)
		before_rows[i].guest = now_rows[i].guest = &guests[i];
	now_rows[0].tasks = 1;
	now_rows[1].tasks = 9;
	now_rows[0].memory_now = POL_STATUS_NONE; /* which is not the most */
	now_rows[1].memory_now = 4096;
	now_rows[2].memory_now = 8192;
}

static void assert_order(enum top_sort sort, const char *a, const char *b, const char *c)
{
	top_rows(&now, &before, SECOND, sort, rows);
	cr_assert_str_eq(rows[0].guest->guest->name, a);
	cr_assert_str_eq(rows[1].guest->guest->name, b);
	cr_assert_str_eq(rows[2].guest->guest->name, c);
}

TestSuite(top_rows, .init = set_up);

Test(top_rows, rates_are_per_second)
{
	before_rows[0].denials = 10;
	now_rows[0].denials = 15;
	before_rows[1].would_deny = 1;
	now_rows[1].would_deny = 2;
	now_rows[1].denials = 99; /* an audit guest's are not its refusals */
	before_rows[0].emitted = 20;
	now_rows[0].emitted = 120;
	top_rows(&now, &before, 2 * SECOND, TOP_SORT_NAME, rows);
	cr_assert_str_eq(rows[0].guest->guest->name, "db");
	cr_assert_eq(rows[0].refused, 0.5);
	cr_assert_eq(rows[2].refused, 2.5);
	cr_assert_eq(rows[2].events, 50);
}

Test(top_rows, there_is_no_rate_without_a_look_before)
{
	now_rows[0].denials = now_rows[2].denials = 7;
	top_rows(&now, NULL, SECOND, TOP_SORT_NAME, rows);
	cr_assert_eq(rows[2].refused, 0);
	top_rows(&now, &before, 0, TOP_SORT_NAME, rows);
	cr_assert_eq(rows[2].refused, 0);
	top_rows(&now, &before, SECOND, TOP_SORT_NAME, rows); /* "idle" is new */
	cr_assert_eq(rows[1].refused, 0);
	cr_assert_eq(rows[2].refused, 7);
}

/* A new engine counts from 0; another guest may have the number. */
Test(top_rows, there_is_no_rate_over_a_new_load)
{
	before_rows[0].denials = 100;
	now_rows[0].denials = 3;
	before_rows[1].guest = &guests[2];
	now_rows[1].would_deny = 50;
	top_rows(&now, &before, SECOND, TOP_SORT_NAME, rows);
	cr_assert_eq(rows[2].refused, 0);
	cr_assert_eq(rows[0].refused, 0);
}

Test(top_rows, sorts)
{
	assert_order(TOP_SORT_NAME, "db", "idle", "web");
	assert_order(TOP_SORT_TASKS, "db", "web", "idle");
	assert_order(TOP_SORT_MEMORY, "idle", "db", "web");
	assert_order(TOP_SORT_REFUSED, "db", "idle", "web"); /* nobody: by name */
	now_rows[2].denials = before_rows[0].denials = now_rows[0].denials = 5;
	before_rows[0].denials = 4;
	assert_order(TOP_SORT_REFUSED, "web", "idle", "db"); /* by rate, then by number */
}

Test(top_rows, a_line_has_all_columns)
{
	char head[TOP_LINE_SIZE], line[TOP_LINE_SIZE];

	guests[2].name = (char *)(uintptr_t) "a-name-of-63-bytes-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	memset(&now_rows[2].tasks, 0xfe, sizeof(now_rows[2]) - offsetof(struct pol_guest_status, tasks));
	top_rows(&now, &before, SECOND, TOP_SORT_NAME, rows);
	rows[0].refused = rows[0].events = 1e12;
	top_line_head(head);
	cr_assert_not_null(strstr(head, "REFUSED/S   EVENTS/S"));
	top_line(&rows[0], line);
	cr_assert_not_null(strstr(line, " 1000000000000.0 1000000000000.0"), "%s", line);
	top_line(&rows[1], line);
	guests[2].name = (char *)(uintptr_t) "idle";
}
