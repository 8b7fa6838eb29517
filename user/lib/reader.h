/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Merges the records of several rings into each guest's own order and accounts for every number
 * of its sequence: emitted = delivered + lost. Pure: records, counters and cursors come in and go
 * out through callbacks; records stay where they lie (the ring's memory) until they are released.
 *
 * The kernel takes a number (atomic add on pol_guest_state.seq), then reserves; where that fails
 * it adds to pol_guest_state.lost. Between the two steps, and until it is submitted, a number is
 * "in flight": missing, but not lost. So a gap says nothing by itself. What decides:
 *
 *	C  losses that the kernel has counted and no lost record has reported yet,
 *	   read BEFORE
 *	H  the highest number given out;
 *	M  the numbers up to H that were neither delivered, nor seen, nor reported.
 *
 * Each counted loss has a number <= H (the number is taken before the loss is counted, and H is
 * read after C), and a lost number is never seen, so C <= |lost up to H| <= |M|. Where C == |M|,
 * every number of M is lost and none is in flight: the gap is final. Else the reader waits, for at
 * most POL_READER_WAIT_NS or until its window is full; then it goes on past the gap, remembers
 * what it passed over as a hole in the cursor, and a record that shows up late still counts.
 *
 * Under load there is always something in flight near H. So the pair (C, H) of the run before is
 * tried too, against what has been seen since: what was in flight then has landed by now.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "cursor.h"
#include "gap.h"

/* Default window: what the 4 MiB ring holds of the smallest record (688 bytes), and some. */
#define POL_READER_WINDOW 8192

/**
 * struct pol_lost - one gap record.
 * @of: enum pol_type. @count: records of that type lost. @first, @last: numbers that bound them:
 * exact where one type was lost and nothing else was in flight, else the nearest known bounds.
 */
struct pol_lost {
	uint32_t guest;
	uint32_t of;
	uint64_t count;
	uint64_t first;
	uint64_t last;
};

/**
 * struct pol_reader_ops - the reader's surroundings; each gets the @arg of pol_reader_new().
 * @state: counters of a guest. Called twice for one decision: the losses are taken from the first
 *	   answer, the highest number from the second (a copy of a live map value is not atomic).
 * @load: a guest's cursor. @save: keep it; NULL: the reader only looks (a filtered reading).
 * @record: deliver one record; @lost: deliver one gap.
 *
 * Each returns 0, or a negative errno. That ends the reader: nothing of that run may be saved, free
 * it; the next one starts where the cursors saved last say, and delivers that run's records again.
 */
struct pol_reader_ops {
	int (*state)(void *arg, uint32_t guest, struct pol_guest_state *ret);
	int (*load)(void *arg, uint32_t guest, struct pol_cursor *ret);
	int (*save)(void *arg, uint32_t guest, const struct pol_cursor *cursor);
	int (*record)(void *arg, const void *data, size_t len);
	int (*lost)(void *arg, const struct pol_lost *lost);
};

/**
 * struct pol_reader_stats - what the reader itself met; all since pol_reader_new().
 * @bad: records that could not be decoded. @again: records dropped since an earlier reader had
 * delivered them. @late: records delivered after their place. @forced: gaps passed over undecided.
 * @odd: counters that contradict the records (more losses than numbers missing).
 */
struct pol_reader_stats {
	uint64_t bad;
	uint64_t again;
	uint64_t late;
	uint64_t forced;
	uint64_t odd;
};

struct pol_reader;

/**
 * pol_reader_new() - a reader of @rings rings, holding at most @window records back.
 * @ops: copied. @rings: at most POL_CURSOR_RINGS, numbered alike by every reader.
 *
 * Return: 0; -EINVAL: no ring or too many, or no window; -ENOMEM.
 */
int pol_reader_new(const struct pol_reader_ops *ops, void *arg, unsigned int rings, size_t window,
		   struct pol_reader **ret);
void pol_reader_free(struct pol_reader *reader);
void pol_reader_freep(struct pol_reader **reader);

/**
 * pol_reader_add() - take up one record, in its ring's order.
 * @start, @end: ring positions of the record and of the next one.
 * @data: stays valid until the position is released.
 *
 * Return: 0 (a bad record too: it is counted and passed over); -ENOBUFS: the window is full,
 * nothing taken: run, release, come again; -ENOMEM; what ops.load returned.
 */
int pol_reader_add(struct pol_reader *reader, unsigned int ring, uint64_t start, uint64_t end,
		   const void *data, size_t len);

/**
 * pol_reader_watch() - make a guest known, so that losses are found with no record of it at hand.
 * Return: 0; -EINVAL: no such id; -ENOMEM; what ops.load returned.
 */
int pol_reader_watch(struct pol_reader *reader, uint32_t guest);

#define POL_READER_SWEEP \
	1u /* look at the counters of every guest known, not only of those at hand */
#define POL_READER_FORCE 2u /* decide now: go past gaps that are not final */

/**
 * pol_reader_run() - deliver what can be delivered, guests merged by time.
 * @now_ns: CLOCK_BOOTTIME, or any clock that does not go back.
 *
 * Return: number of records and gaps delivered; what a callback returned, now and ever after.
 */
int pol_reader_run(struct pol_reader *reader, uint64_t now_ns, unsigned int flags);

/* pol_reader_held() - records that wait for a gap before them to be decided. */
size_t pol_reader_held(const struct pol_reader *reader);

/* pol_reader_unsettled() - guests with a gap that is not final yet, as of the last run. */
size_t pol_reader_unsettled(const struct pol_reader *reader);

/**
 * pol_reader_commit() - save the cursors that moved. To be called when what was delivered is safe
 * (written and flushed) and before the ring's space is released: killed in between, nothing is
 * missing, and the next reader drops what it meets again.
 *
 * Return: 0; what ops.save returned; what a run failed with.
 */
int pol_reader_commit(struct pol_reader *reader);

/**
 * pol_reader_position() - up to where @ring may be released: the first record not delivered yet,
 * else the end of the last one added, else @fallback.
 */
uint64_t pol_reader_position(const struct pol_reader *reader, unsigned int ring, uint64_t fallback);

void pol_reader_stats(const struct pol_reader *reader, struct pol_reader_stats *ret);
