/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event_json.h"
#include "window.h"

static struct window window;

static void init(void)
{
	window = (struct window){ .max = 4096 };
}

static void done(void)
{
	window_free(&window);
	cr_assert_eq(window.bytes, 0);
}

TestSuite(window, .init = init, .fini = done);

static void put(uint64_t count)
{
	char text[32];
	struct line_parts parts = { .mark = { 0xab, count }, .guest = "web!", .guest_len = 3 };

	parts.text = text;
	parts.len = (size_t)snprintf(text, sizeof(text), "line %llu", (unsigned long long)count);
	cr_assert_eq(window_put(&window, &parts), 0);
}

Test(window, keeps_lines_whole)
{
	const struct line *line;

	for (uint64_t i = 1; i <= 200; i++) /* it grows on the way */
		put(i);
	line = window_get(&window, 149);
	cr_assert_eq(line->mark.count, 150);
	cr_assert_eq(line->len, strlen("line 150"));
	cr_assert_eq(memcmp(line->text, "line 150", line->len), 0);
	cr_assert_eq(line->guest_len, 3);
	cr_assert_eq(memcmp(line->guest, "web", 3), 0);
}

/* The mark goes on only behind what is acknowledged without a gap. */
Test(window, marks_what_is_done_without_a_gap)
{
	for (uint64_t i = 1; i <= 4; i++)
		put(i);
	window_done(&window, 1);
	window_done(&window, 3);
	cr_assert_eq(window.mark.id, 0);
	cr_assert_eq(window.first, 0);
	window_done(&window, 0);
	cr_assert_eq(window.mark.count, 2);
	cr_assert_eq(window.first, 2);
	window_done(&window, 0);  /* long ago */
	window_done(&window, 99); /* never */
	cr_assert_eq(window.first, 2);
	window_done(&window, 2);
	cr_assert_eq(window.mark.count, 4);
	cr_assert_eq(window.first, window.next);
	cr_assert_eq(window.bytes, 0);
}

Test(window, is_full_by_bytes)
{
	uint64_t cnt = 0;

	while (!window_full(&window))
		put(++cnt);
	cr_assert_geq(window.bytes, window.max);
	cr_assert_leq(window.bytes, window.max + 256);
	cr_assert_gt(cnt, 10);
	window_done(&window, 0);
	cr_assert_not(window_full(&window));
}

/* ---- what policyd sends ---- */

static int read_line(const char *text, struct line_parts *ret)
{
	return line_read(text, strlen(text), ret);
}

Test(window, reads_a_line_of_policyd)
{
	struct line_parts parts;

	cr_assert_eq(read_line("00000000000000ab-17 web {\"a b\":1}", &parts), 0);
	cr_assert_eq(parts.mark.count, 17);
	cr_assert_eq(parts.guest_len, 3);
	cr_assert_eq(memcmp(parts.guest, "web", 3), 0);
	cr_assert_eq(parts.len, strlen("{\"a b\":1}"));
	cr_assert_eq(memcmp(parts.text, "{\"a b\":1}", parts.len), 0);
	cr_assert_eq(read_line("00000000000000ab-17 - x", &parts), 0);
	cr_assert_eq(parts.guest_len, 0);
}

Test(window, refuses_a_line_that_is_none)
{
	static const char *const bad[] = {
		"",
		"{\"schema\":\"policyctl/v1\"}",
		"00000000000000ab-17",
		"00000000000000ab-17 ",
		"00000000000000ab-17 web",
		"00000000000000ab-17 web ",
		"00000000000000ab-17  x",
		"00000000000000ab-17xweb x",
	};
	static char large[POL_EVENT_LINE_SIZE + 64];
	struct line_parts parts;
	int head = snprintf(large, sizeof(large), "00000000000000ab-17 web ");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(read_line(bad[i], &parts), -EINVAL, "%s", bad[i]);
	memset(large + head, 'x', POL_EVENT_LINE_SIZE);
	cr_assert_eq(line_read(large, (size_t)head + POL_EVENT_LINE_SIZE, &parts), -EINVAL);
	cr_assert_eq(line_read(large, (size_t)head + POL_EVENT_LINE_SIZE - 1, &parts), 0);
}
