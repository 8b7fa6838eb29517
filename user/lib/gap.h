/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decides, for one guest, which of its missing numbers are lost for good and how far its records
 * may be delivered: the rule of reader.h. Pure; used by reader.c only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cursor.h"

/* How long a gap may hold its guest's later records back: a producer's preemption, and some. */
#define POL_READER_WAIT_NS (250ull * 1000 * 1000)

/**
 * struct pol_held - a record held: where it lies, and its place in its guest's order.
 * @time: its own, then the latest in its guest up to it: never against the order.
 */
struct pol_held {
	const void *data;
	uint64_t start;
	uint64_t seq;
	uint64_t time;
	uint32_t len;
	uint32_t guest;
	uint32_t ring;
	bool done;
};

/**
 * struct pol_tally - what is missing of a guest up to one number.
 * @upto: that number. @gaps: missing ones at or after the cursor's next. @missing: all of them.
 * @first, @last: bounds of all of them; meaningless if @missing is 0.
 */
struct pol_tally {
	uint64_t upto;
	uint64_t gaps;
	uint64_t missing;
	uint64_t first;
	uint64_t last;
};

/**
 * struct pol_gap - what the reader knows of a guest.
 * @old: counters as of the run before, valid with @has_old.
 * @waiting: since @waiting_ns, a gap is not final.
 * The rest is of one run: records up to @ready may go; with @settle, what is missing in @tally is
 * accounted for by the losses in @state.
 */
struct pol_gap {
	uint32_t id;
	struct pol_cursor cursor;
	bool dirty;
	bool has_old;
	bool waiting;
	uint64_t waiting_ns;
	struct pol_guest_state old;
	uint64_t ready;
	bool settle;
	struct pol_tally tally;
	struct pol_guest_state state;
};

/* pol_gap_losses() - losses that @state has counted and no lost record has reported. */
uint64_t pol_gap_losses(const struct pol_gap *gap, const struct pol_guest_state *state);

/**
 * pol_gap_look() - begin a run: how far the records go without a gap.
 * @held, @cnt: the guest's records, by number.
 *
 * Return: whether the counters are needed (pol_gap_decide()).
 */
bool pol_gap_look(struct pol_gap *gap, const struct pol_held *held, size_t cnt);

enum pol_gap_answer {
	POL_GAP_DONE,	/* nothing is open */
	POL_GAP_WAIT,	/* something is not final yet */
	POL_GAP_FORCED, /* it was not, and we go on */
	POL_GAP_ODD,	/* the same, and more losses are counted than numbers missing */
};

/**
 * pol_gap_decide() - go on with the guest's counters, as reader.h asks for them.
 * @force: go past the gap now, final or not.
 */
enum pol_gap_answer pol_gap_decide(struct pol_gap *gap, const struct pol_held *held, size_t cnt,
				   const struct pol_guest_state *state, uint64_t now_ns,
				   bool force);
