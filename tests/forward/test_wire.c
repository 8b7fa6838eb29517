/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "event_json.h"
#include "wire.h"

static struct window window;
static struct wire wire;
static char text[POL_EVENT_LINE_SIZE];

static void init(void)
{
	window = (struct window){ .max = 1 << 20 };
	wire = (struct wire){ 0 };
	memset(text, 'x', sizeof(text));
}

static void done(void)
{
	window_free(&window);
}

TestSuite(wire, .init = init, .fini = done);

static void put(size_t len)
{
	struct line_parts parts = { .mark = { 1, window.next + 1 }, .text = text, .len = len };

	parts.guest = text;
	cr_assert_eq(window_put(&window, &parts), 0);
}

Test(wire, counts_octets)
{
	put(3);
	put(12);
	cr_assert(wire_fill(&wire, &window));
	cr_assert_eq(wire.len, strlen("3 xxx12 xxxxxxxxxxxx"));
	cr_assert_eq(memcmp(wire.data, "3 xxx12 xxxxxxxxxxxx", wire.len), 0);
	/* The same one until it is written. */
	put(3);
	cr_assert(wire_fill(&wire, &window));
	cr_assert_eq(wire.len, strlen("3 xxx12 xxxxxxxxxxxx"));
	wire_written(&wire, 100);
	cr_assert(wire_fill(&wire, &window));
	cr_assert_eq(wire.len, strlen("3 xxx"));
	wire_written(&wire, 200);
	cr_assert_not(wire_fill(&wire, &window), "all is out");
}

/* Whole messages only: the largest, and what is left of a piece does not hold the next. */
Test(wire, never_cuts_a_message)
{
	for (int i = 0; i < 3; i++)
		put(POL_EVENT_LINE_SIZE - 1);
	cr_assert(wire_fill(&wire, &window));
	cr_assert_eq(wire.len, 1 * (5 + POL_EVENT_LINE_SIZE - 1));
	cr_assert_eq(wire.next, 1);
}

Test(wire, is_done_when_its_bytes_are_acknowledged)
{
	for (int i = 0; i < 3; i++) {
		put(10);
		cr_assert(wire_fill(&wire, &window));
		wire_written(&wire, 100 * (i + 1));
	}
	cr_assert(wire_busy(&wire));
	wire_acknowledged(&wire, &window, 99);
	cr_assert_eq(window.first, 0);
	wire_acknowledged(&wire, &window, 299);
	cr_assert_eq(window.first, 2);
	cr_assert_eq(window.mark.count, 2);
	wire_acknowledged(&wire, &window, 300);
	cr_assert_eq(window.first, 3);
	cr_assert_not(wire_busy(&wire));
}

/* As many pieces as it remembers; then none until some are acknowledged. */
Test(wire, bounds_what_is_under_way)
{
	uint64_t bytes = 0;

	for (int i = 0; i < WIRE_PIECES; i++) {
		put(10);
		cr_assert(wire_fill(&wire, &window));
		wire_written(&wire, ++bytes);
	}
	put(10);
	cr_assert_not(wire_fill(&wire, &window));
	wire_acknowledged(&wire, &window, 1);
	cr_assert(wire_fill(&wire, &window));
	wire_written(&wire, ++bytes);
	wire_acknowledged(&wire, &window, bytes);
	cr_assert_eq(window.first, window.next);
}

/* A new connection: what was under way goes out again. */
Test(wire, begins_again_at_what_is_not_done)
{
	for (int i = 0; i < 2; i++) {
		put(10);
		cr_assert(wire_fill(&wire, &window));
		wire_written(&wire, 100 * (i + 1));
	}
	wire_acknowledged(&wire, &window, 100);
	wire = (struct wire){ .next = window.first };
	cr_assert(wire_fill(&wire, &window));
	cr_assert_eq(wire.len, strlen("10 xxxxxxxxxx"));
}
