/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gap.h"

#include "base.h"

static void note_missing(struct pol_tally *tally, uint64_t first, uint64_t last, uint64_t cnt)
{
	if (!tally->missing || first < tally->first)
		tally->first = first;
	if (!tally->missing || last > tally->last)
		tally->last = last;
	tally->missing += cnt;
}

static void note_gap(struct pol_tally *tally, uint64_t first, uint64_t last)
{
	note_missing(tally, first, last, last - first + 1);
	tally->gaps += last - first + 1;
}

/*
 * What is missing up to @upto. Records that are about to fill a hole are taken out of it first, in
 * a copy of the cursor, so that the holes' bounds are right too.
 */
static struct pol_tally take_tally(const struct pol_gap *gap, const struct pol_held *held,
				   size_t cnt, uint64_t upto)
{
	struct pol_cursor cursor = gap->cursor;
	uint64_t next = pol_cursor_next(&cursor), want = next;
	struct pol_tally tally = { .upto = upto };

	for (size_t i = 0; i < cnt && held[i].seq <= upto; i++) {
		if (held[i].seq < next)
			(void)pol_cursor_deliver(&cursor, held[i].seq);
		if (held[i].seq > want)
			note_gap(&tally, want, held[i].seq - 1);
		if (held[i].seq >= want)
			want = held[i].seq + 1;
	}
	if (upto >= want)
		note_gap(&tally, want, upto);
	for (size_t i = 0; i < POL_CURSOR_HOLES; i++)
		if (cursor.holes[i].count)
			note_missing(&tally, cursor.holes[i].first, cursor.holes[i].last,
				     cursor.holes[i].count);
	tally.missing -= tally.gaps < cursor.ahead ? tally.gaps : cursor.ahead;
	return tally;
}

uint64_t pol_gap_losses(const struct pol_gap *gap, const struct pol_guest_state *state)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < POL_TYPES_CNT; i++)
		if (state->lost[i] > gap->cursor.lost[i])
			sum += state->lost[i] - gap->cursor.lost[i];
	return sum;
}

/* Settles if the losses in @state are exactly what is missing up to its number. */
static bool try_settle(struct pol_gap *gap, const struct pol_held *held, size_t cnt,
		       const struct pol_guest_state *state)
{
	struct pol_tally tally = take_tally(gap, held, cnt, state->seq);

	if (pol_gap_losses(gap, state) != tally.missing)
		return false;
	gap->tally = tally;
	gap->state = *state;
	gap->settle = true;
	return true;
}

/* Up to where the records follow each other without a gap, everything up to @from being decided. */
static uint64_t unbroken(const struct pol_gap *gap, const struct pol_held *held, size_t cnt,
			 uint64_t from)
{
	uint64_t next = pol_cursor_next(&gap->cursor);

	if (from >= next)
		next = from + 1;
	for (size_t i = 0; i < cnt && held[i].seq <= next; i++)
		if (held[i].seq == next)
			next++;
	return next - 1;
}

bool pol_gap_look(struct pol_gap *gap, const struct pol_held *held, size_t cnt)
{
	gap->settle = false;
	gap->tally = (struct pol_tally){ 0 };
	gap->ready = unbroken(gap, held, cnt, 0);
	return gap->waiting || pol_cursor_holes(&gap->cursor) ||
	       (cnt && gap->ready < held[cnt - 1].seq);
}

/* Goes past every gap before what is known; losses already counted are reported. */
static enum pol_gap_answer force_past(struct pol_gap *gap, const struct pol_held *held, size_t cnt,
				      const struct pol_guest_state *state)
{
	uint64_t top = cnt ? held[cnt - 1].seq : 0;
	uint64_t losses = pol_gap_losses(gap, state);

	gap->waiting = false;
	gap->ready = top;
	if (!losses)
		return POL_GAP_FORCED;
	gap->tally = take_tally(gap, held, cnt, state->seq > top ? state->seq : top);
	gap->state = *state;
	gap->settle = true;
	return losses > gap->tally.missing ? POL_GAP_ODD : POL_GAP_FORCED;
}

enum pol_gap_answer pol_gap_decide(struct pol_gap *gap, const struct pol_held *held, size_t cnt,
				   const struct pol_guest_state *state, uint64_t now_ns, bool force)
{
	uint64_t top = cnt ? held[cnt - 1].seq : 0, open = pol_gap_losses(gap, state);

	if (try_settle(gap, held, cnt, state) ||
	    (gap->has_old && try_settle(gap, held, cnt, &gap->old))) {
		gap->ready = unbroken(gap, held, cnt, gap->tally.upto);
		gap->waiting = false;
		/* Settled by the older counters: newer losses stay open. */
		open -= pol_gap_losses(gap, &gap->state);
	}
	gap->old = *state;
	gap->has_old = true;
	if (gap->ready >= top && !open) {
		gap->waiting = false;
		return POL_GAP_DONE;
	}
	if (!gap->waiting)
		gap->waiting_ns = now_ns;
	gap->waiting = true;
	if (gap->settle || (!force && now_ns - gap->waiting_ns < POL_READER_WAIT_NS))
		return POL_GAP_WAIT;
	return force_past(gap, held, cnt, state);
}
