/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "event.h"

struct pol_reader {
	struct pol_reader_ops ops;
	void *arg;
	unsigned int rings;
	size_t window;
	struct pol_held *entries;
	size_t cnt;
	uint64_t ring_end[POL_CURSOR_RINGS];
	bool ring_seen[POL_CURSOR_RINGS];
	struct pol_gap **guests; /* by id */
	uint32_t *known;	 /* ids, in the order they came up */
	size_t known_cnt;
	size_t unsettled;
	uint64_t now_ns;
	int failed; /* what a run ended with: its cursors are half moved, not to be saved */
	struct pol_reader_stats stats;
};

int pol_reader_new(const struct pol_reader_ops *ops, void *arg, unsigned int rings, size_t window,
		   struct pol_reader **ret)
{
	_cleanup_(pol_reader_freep) struct pol_reader *reader = NULL;

	if (rings == 0 || rings > POL_CURSOR_RINGS || window == 0)
		return -EINVAL;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->ops = *ops;
	reader->arg = arg;
	reader->rings = rings;
	reader->window = window;
	reader->entries = calloc(window, sizeof(*reader->entries));
	reader->guests = calloc(POL_GUESTS_MAX, sizeof(struct pol_gap *));
	reader->known = calloc(POL_GUESTS_MAX, sizeof(*reader->known));
	if (!reader->entries || !reader->guests || !reader->known)
		return -ENOMEM;
	*ret = TAKE_PTR(reader);
	return 0;
}

void pol_reader_free(struct pol_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < reader->known_cnt; i++)
		free(reader->guests[reader->known[i]]);
	free(reader->known);
	free(reader->guests);
	free(reader->entries);
	free(reader);
}

void pol_reader_freep(struct pol_reader **reader)
{
	pol_reader_free(*reader);
}

int pol_reader_watch(struct pol_reader *reader, uint32_t id)
{
	_cleanup_free_ struct pol_gap *guest = NULL;
	int r;

	if (id >= POL_GUESTS_MAX)
		return -EINVAL;
	if (reader->guests[id])
		return 0;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return -ENOMEM;
	guest->id = id;
	r = reader->ops.load(reader->arg, id, &guest->cursor);
	if (r < 0)
		return r;
	reader->guests[id] = TAKE_PTR(guest);
	reader->known[reader->known_cnt++] = id;
	return 0;
}

/* A good record: held, unless an earlier reader delivered it. */
static int hold(struct pol_reader *reader, const struct pol_event_head *head,
		const struct pol_held *held)
{
	int r = pol_reader_watch(reader, head->guest);

	if (r < 0)
		return r;
	if (pol_cursor_known(&reader->guests[head->guest]->cursor, held->seq, held->ring,
			     held->start))
		reader->stats.again++;
	else
		reader->entries[reader->cnt++] = *held;
	return 0;
}

int pol_reader_add(struct pol_reader *reader, unsigned int ring, uint64_t start, uint64_t end,
		   const void *data, size_t len)
{
	struct pol_event_head head;
	int r = 0;

	if (reader->cnt == reader->window)
		return -ENOBUFS;
	if (pol_event_check(data, len, &head) < 0)
		reader->stats.bad++;
	else
		r = hold(reader, &head,
			 &(struct pol_held){
				 .data = data,
				 .start = start,
				 .seq = head.seq,
				 .time = head.boot_ns,
				 .len = (uint32_t)len,
				 .guest = head.guest,
				 .ring = ring,
			 });
	if (r < 0)
		return r;
	reader->ring_end[ring] = end;
	reader->ring_seen[ring] = true;
	return 0;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_number(const void *a, const void *b)
{
	const struct pol_held *x = a, *y = b;
	int r = compare(x->guest, y->guest);

	return r ? r : compare(x->seq, y->seq);
}

static int by_time(const void *a, const void *b)
{
	const struct pol_held *x = a, *y = b;
	int r = compare(x->time, y->time);

	return r ? r : by_number(a, b);
}

/* The pair (C, H) of reader.h: losses first, then the highest number. */
static int read_state(struct pol_reader *reader, uint32_t id, struct pol_guest_state *ret)
{
	struct pol_guest_state later;
	int r;

	r = reader->ops.state(reader->arg, id, ret);
	if (r < 0)
		return r;
	r = reader->ops.state(reader->arg, id, &later);
	if (r < 0)
		return r;
	ret->seq = later.seq;
	return 0;
}

/* Decides for one guest. */
static int decide(struct pol_reader *reader, struct pol_gap *gap, const struct pol_held *held,
		  size_t cnt, unsigned int flags)
{
	bool needed = pol_gap_look(gap, held, cnt);
	struct pol_guest_state state;
	enum pol_gap_answer answer;
	int r;

	if (!needed && !(flags & POL_READER_SWEEP))
		return 0;
	r = read_state(reader, gap->id, &state);
	if (r < 0)
		return r;
	answer = pol_gap_decide(gap, held, cnt, &state, reader->now_ns, flags & POL_READER_FORCE);
	reader->unsettled += answer == POL_GAP_WAIT;
	reader->stats.forced += answer == POL_GAP_FORCED || answer == POL_GAP_ODD;
	reader->stats.odd += answer == POL_GAP_ODD;
	return 0;
}

/* Entries are sorted by number; each gets a time that does not go back within its guest. */
static int decide_all(struct pol_reader *reader, unsigned int flags)
{
	size_t end;
	int r;

	reader->unsettled = 0;
	for (size_t at = 0; at < reader->cnt; at = end) {
		struct pol_held *first = &reader->entries[at];

		for (end = at + 1; end < reader->cnt; end++) {
			struct pol_held *entry = &reader->entries[end];

			if (entry->guest != first->guest)
				break;
			if (entry->time < entry[-1].time)
				entry->time = entry[-1].time;
		}
		r = decide(reader, reader->guests[first->guest], first, end - at, flags);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The other guests: those that wait for something, and in a sweep everyone. */
static int decide_rest(struct pol_reader *reader, unsigned int flags)
{
	_cleanup_free_ bool *seen = calloc(POL_GUESTS_MAX, sizeof(*seen));
	int r;

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < reader->cnt; i++)
		seen[reader->entries[i].guest] = true;
	for (size_t i = 0; i < reader->known_cnt; i++) {
		if (seen[reader->known[i]])
			continue;
		r = decide(reader, reader->guests[reader->known[i]], NULL, 0, flags);
		if (r < 0)
			return r;
	}
	return 0;
}

static int report_type(struct pol_reader *reader, struct pol_gap *guest, uint32_t type,
		       uint64_t cnt, bool only)
{
	const struct pol_tally *tally = &guest->tally;
	struct pol_lost lost = {
		.guest = guest->id,
		.of = type,
		.count = cnt,
		.first = tally->first,
		.last = tally->last,
	};
	uint64_t last = guest->state.lost_last[type];

	/* Several types in one gap: of each only the last number is known, if it is plausible. */
	if (!only && last >= lost.first + cnt - 1 && last <= lost.last)
		lost.last = last;
	return reader->ops.lost(reader->arg, &lost);
}

/*
 * Reports the losses and closes the books on everything missing in the tally. What of it the
 * losses do not explain (a forced run) stays as a hole. Return: gaps reported, or the callback's.
 */
static int settle(struct pol_reader *reader, struct pol_gap *guest)
{
	struct pol_cursor *cursor = &guest->cursor;
	uint64_t losses = pol_gap_losses(guest, &guest->state), told = 0;
	struct pol_hole left = { guest->tally.first, guest->tally.last, 0 };
	int done = 0, r = 0;

	guest->settle = false;
	for (uint32_t type = 0; type < POL_TYPES_CNT && r == 0; type++) {
		uint64_t cnt = guest->state.lost[type] - cursor->lost[type];

		if (guest->state.lost[type] <= cursor->lost[type])
			continue;
		r = report_type(reader, guest, type, cnt, cnt == losses);
		if (r)
			break;
		cursor->lost[type] += cnt;
		told += cnt;
		done++;
	}
	if (guest->tally.missing > told)
		left.count = guest->tally.missing - told;
	pol_cursor_settle(cursor, guest->tally.gaps, &left);
	guest->dirty = true;
	return r ? r : done;
}

/* One record of @guest, in its turn. Return: 1: delivered; 0: known already; the callback's. */
static int deliver(struct pol_reader *reader, struct pol_gap *guest, struct pol_held *entry)
{
	bool old = entry->seq < pol_cursor_next(&guest->cursor);
	int r;

	/* The same number twice: the kernel never does that. */
	if (pol_cursor_known(&guest->cursor, entry->seq, entry->ring, entry->start)) {
		reader->stats.again++;
		entry->done = true;
		return 0;
	}
	r = reader->ops.record(reader->arg, entry->data, entry->len);
	if (r)
		return r;
	reader->stats.late += old;
	if (entry->seq > guest->tally.upto)
		pol_cursor_cross(&guest->cursor, guest->tally.upto + 1);
	(void)pol_cursor_deliver(&guest->cursor, entry->seq);
	guest->dirty = true;
	entry->done = true;
	return 1;
}

/*
 * Everything that may go, by time. A guest's losses come before its first record after them; but
 * after late records: settling closes the holes that those belong to.
 */
static int deliver_all(struct pol_reader *reader)
{
	int done = 0, r;

	for (size_t i = 0; i < reader->cnt; i++) {
		struct pol_held *entry = &reader->entries[i];
		struct pol_gap *guest = reader->guests[entry->guest];

		if (entry->seq > guest->ready)
			continue;
		if (guest->settle && entry->seq > guest->tally.first &&
		    entry->seq >= pol_cursor_next(&guest->cursor)) {
			r = settle(reader, guest);
			if (r < 0)
				return r;
			done += r;
		}
		r = deliver(reader, guest, entry);
		if (r < 0)
			return r;
		done += r;
	}
	return done;
}

/* Losses after the last record; and the numbers behind it are decided as well. */
static int finish_all(struct pol_reader *reader)
{
	int done = 0, r;

	for (size_t i = 0; i < reader->known_cnt; i++) {
		struct pol_gap *guest = reader->guests[reader->known[i]];

		if (guest->settle) {
			r = settle(reader, guest);
			if (r < 0)
				return r;
			done += r;
		}
		if (guest->tally.upto >= pol_cursor_next(&guest->cursor)) {
			pol_cursor_cross(&guest->cursor, guest->tally.upto + 1);
			guest->dirty = true;
		}
	}
	return done;
}

/* What was delivered needs no place any more. */
static void drop_done(struct pol_reader *reader)
{
	size_t left = 0;

	for (size_t i = 0; i < reader->cnt; i++)
		if (!reader->entries[i].done)
			reader->entries[left++] = reader->entries[i];
	reader->cnt = left;
}

static int run(struct pol_reader *reader, unsigned int flags)
{
	int done, r;

	qsort(reader->entries, reader->cnt, sizeof(*reader->entries), by_number);
	r = decide_all(reader, flags);
	if (r == 0)
		r = decide_rest(reader, flags);
	if (r < 0)
		return r;
	qsort(reader->entries, reader->cnt, sizeof(*reader->entries), by_time);
	done = deliver_all(reader);
	if (done < 0)
		return done;
	drop_done(reader);
	r = finish_all(reader);
	return r < 0 ? r : done + r;
}

int pol_reader_run(struct pol_reader *reader, uint64_t now_ns, unsigned int flags)
{
	bool full = reader->cnt == reader->window;
	int done, r;

	if (reader->failed)
		return reader->failed;
	reader->now_ns = now_ns;
	r = run(reader, flags);
	/*
	 * A full window cannot get what would close a gap. Most often that is what comes next in a ring,
	 * and there is room for it now; where there is little we go on without it.
	 */
	if (r >= 0 && full && reader->cnt > reader->window / 2) {
		done = r;
		r = run(reader, flags | POL_READER_FORCE);
		r = r < 0 ? r : done + r;
	}
	if (r < 0)
		reader->failed = r;
	return r;
}

size_t pol_reader_held(const struct pol_reader *reader)
{
	return reader->cnt;
}

size_t pol_reader_unsettled(const struct pol_reader *reader)
{
	return reader->unsettled;
}

int pol_reader_commit(struct pol_reader *reader)
{
	int r;

	if (reader->failed)
		return reader->failed;
	if (!reader->ops.save)
		return 0;
	for (size_t i = 0; i < reader->known_cnt; i++) {
		struct pol_gap *guest = reader->guests[reader->known[i]];

		if (!guest->dirty)
			continue;
		for (unsigned int ring = 0; ring < reader->rings; ring++)
			if (reader->ring_seen[ring])
				guest->cursor.scanned[ring] = reader->ring_end[ring];
		r = reader->ops.save(reader->arg, guest->id, &guest->cursor);
		if (r < 0)
			return r;
		guest->dirty = false;
	}
	return 0;
}

uint64_t pol_reader_position(const struct pol_reader *reader, unsigned int ring, uint64_t fallback)
{
	uint64_t pos = reader->ring_seen[ring] ? reader->ring_end[ring] : fallback;

	for (size_t i = 0; i < reader->cnt; i++)
		if (reader->entries[i].ring == ring && reader->entries[i].start < pos)
			pos = reader->entries[i].start;
	return pos;
}

void pol_reader_stats(const struct pol_reader *reader, struct pol_reader_stats *ret)
{
	*ret = reader->stats;
}
