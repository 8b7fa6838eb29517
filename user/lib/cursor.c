/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cursor.h"

#include <errno.h>
#include <string.h>

#include "base.h"

uint64_t pol_cursor_next(const struct pol_cursor *cursor)
{
	return cursor->next ? cursor->next : 1;
}

uint64_t pol_cursor_holes(const struct pol_cursor *cursor)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < POL_CURSOR_HOLES; i++)
		sum += cursor->holes[i].count;
	return sum;
}

static struct pol_hole *find_hole(struct pol_cursor *cursor, uint64_t seq)
{
	for (size_t i = 0; i < POL_CURSOR_HOLES; i++) {
		struct pol_hole *hole = &cursor->holes[i];

		if (hole->count && seq >= hole->first && seq <= hole->last)
			return hole;
	}
	return NULL;
}

bool pol_cursor_known(const struct pol_cursor *cursor, uint64_t seq, unsigned int ring,
		      uint64_t start)
{
	struct pol_cursor copy = *cursor;

	if (seq >= pol_cursor_next(cursor))
		return false;
	return start < cursor->scanned[ring] || !find_hole(&copy, seq);
}

/* Takes the unused entries out; used ones keep their order. Return: how many are used. */
static size_t compact(struct pol_cursor *cursor)
{
	size_t used = 0;

	for (size_t i = 0; i < POL_CURSOR_HOLES; i++)
		if (cursor->holes[i].count)
			cursor->holes[used++] = cursor->holes[i];
	memset(&cursor->holes[used], 0, (POL_CURSOR_HOLES - used) * sizeof(cursor->holes[0]));
	return used;
}

/*
 * Room for one more: the two oldest holes become one that is no longer exact. Its count is; what
 * lies between the two was delivered, and @scanned tells when it is met again.
 */
static size_t make_room(struct pol_cursor *cursor)
{
	size_t used = compact(cursor);

	if (used < POL_CURSOR_HOLES)
		return used;
	cursor->holes[0].last = cursor->holes[1].last;
	cursor->holes[0].count += cursor->holes[1].count;
	cursor->holes[1].count = 0;
	return compact(cursor);
}

/* Sorted by number: the new hole goes before the first one that starts after it. */
static void add_hole(struct pol_cursor *cursor, const struct pol_hole *hole)
{
	size_t used = make_room(cursor), at = used;

	while (at && cursor->holes[at - 1].first > hole->first)
		at--;
	memmove(&cursor->holes[at + 1], &cursor->holes[at], (used - at) * sizeof(cursor->holes[0]));
	cursor->holes[at] = *hole;
}

void pol_cursor_cross(struct pol_cursor *cursor, uint64_t to)
{
	uint64_t next = pol_cursor_next(cursor), cnt, known;

	if (to <= next)
		return;
	cnt = to - next;
	known = cursor->ahead < cnt ? cursor->ahead : cnt;
	cursor->ahead -= known;
	cursor->next = to;
	if (cnt > known)
		add_hole(cursor, &(struct pol_hole){ next, to - 1, cnt - known });
}

static void take_from_hole(struct pol_cursor *cursor, struct pol_hole *hole, uint64_t seq)
{
	struct pol_hole after = { seq + 1, hole->last, hole->last - seq };

	if (hole->count != hole->last - hole->first + 1) {
		hole->count--;
		return;
	}
	hole->last = seq - 1;
	hole->count = seq - hole->first;
	if (after.count)
		add_hole(cursor, &after);
}

int pol_cursor_deliver(struct pol_cursor *cursor, uint64_t seq)
{
	struct pol_hole *hole;

	if (seq >= pol_cursor_next(cursor)) {
		pol_cursor_cross(cursor, seq);
		cursor->next = seq + 1;
		cursor->delivered++;
		return 0;
	}
	hole = find_hole(cursor, seq);
	if (!hole)
		return -EALREADY;
	take_from_hole(cursor, hole, seq);
	cursor->delivered++;
	return 1;
}

void pol_cursor_settle(struct pol_cursor *cursor, uint64_t gaps, const struct pol_hole *left)
{
	memset(cursor->holes, 0, sizeof(cursor->holes));
	if (left->count)
		cursor->holes[0] = *left;
	if (cursor->ahead < gaps)
		cursor->ahead = gaps;
}

bool pol_cursor_sane(const struct pol_cursor *cursor)
{
	uint64_t sum = cursor->delivered + pol_cursor_holes(cursor);

	for (size_t i = 0; i < POL_TYPES_CNT; i++)
		sum += cursor->lost[i];
	return pol_cursor_next(cursor) - 1 + cursor->ahead == sum;
}
