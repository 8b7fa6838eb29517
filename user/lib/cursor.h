/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far one guest's sequence was read: the arithmetic of struct pol_cursor. Pure; reader.c
 * decides, this keeps the books.
 *
 * Invariant: next - 1 + ahead == delivered + sum(lost) + sum(holes.count), with next 0 as 1.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

#define POL_CURSOR_HOLES 8
#define POL_CURSOR_RINGS 4

/**
 * struct pol_hole - numbers passed over: @count of those in @first..@last, inclusive.
 * Exact where @count is the whole range. @count 0: unused.
 */
struct pol_hole {
	__u64 first;
	__u64 last;
	__u64 count;
};

/**
 * struct pol_cursor - how far a guest's sequence was read; kept by the caller over processes
 * (value of the pinned map "cursors", by guest id). All zero: nothing was read yet.
 * @next: lowest number not decided yet; 0 means 1.
 * @delivered: records handed out, in all.
 * @ahead: numbers accounted for that lie at or after @next; 0 but within a run.
 * @lost: what lost records have reported, by type.
 * @scanned: by ring, up to which position it had been read when this cursor was saved. A record
 *	     below @next is one delivered before if it lies before that (the space may not have
 *	     been freed), else a late one: the holes alone could not tell, once they are not exact.
 * @holes: numbers below @next that are neither delivered nor reported; by number, no overlap.
 */
struct pol_cursor {
	__u64 next;
	__u64 delivered;
	__u64 ahead;
	__u64 lost[POL_TYPES_CNT];
	__u64 scanned[POL_CURSOR_RINGS];
	struct pol_hole holes[POL_CURSOR_HOLES];
};
_Static_assert(sizeof(struct pol_cursor) ==
		       24 + 8 * (POL_TYPES_CNT + POL_CURSOR_RINGS) + 24 * POL_CURSOR_HOLES,
	       "pol_cursor");

/* pol_cursor_next() - @next, with 0 as 1. */
uint64_t pol_cursor_next(const struct pol_cursor *cursor);

/* pol_cursor_holes() - numbers in all holes. */
uint64_t pol_cursor_holes(const struct pol_cursor *cursor);

/**
 * pol_cursor_known() - whether the record @seq at position @start of @ring was delivered before.
 */
bool pol_cursor_known(const struct pol_cursor *cursor, uint64_t seq, unsigned int ring,
		      uint64_t start);

/**
 * pol_cursor_cross() - go on to @to without the numbers before it: those that are accounted for
 * (@ahead) are used up, the rest becomes a hole. Nothing happens if @to is not after @next.
 */
void pol_cursor_cross(struct pol_cursor *cursor, uint64_t to);

/**
 * pol_cursor_deliver() - count the record @seq as delivered.
 * Return: 0: in order (numbers before it were crossed); 1: late, it was in a hole; -EALREADY: it
 * was delivered before, nothing changes.
 */
int pol_cursor_deliver(struct pol_cursor *cursor, uint64_t seq);

/**
 * pol_cursor_settle() - everything missing up to some number is accounted for: @left of them,
 * between @first and @last, stay a hole, the others were just reported. @gaps: how many of the
 * numbers meant lie at or after @next.
 */
void pol_cursor_settle(struct pol_cursor *cursor, uint64_t gaps, const struct pol_hole *left);

/* pol_cursor_sane() - whether the invariant holds; for what was read from a map. */
bool pol_cursor_sane(const struct pol_cursor *cursor);
