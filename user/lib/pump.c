/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pump.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "here.h"
#include "loss.h"
#include "mountpoint.h"
#include "ring.h"

/* How long a drain waits for a record that is still being written. */
#define DRAIN_NS (2 * POL_READER_WAIT_NS)

struct pol_pump {
	struct pol_pump_ops ops;
	void *arg;
	struct pol_feed *feed;
	struct pol_ring *rings;
	size_t rings_cnt;
	struct pol_reader *reader;
	struct pol_event_ctx ctx;
	uint64_t now_ns;
	struct pol_here here;
	struct pol_event_view view;
};

/* ------------------------------------------------------------------ the reader's callbacks */

static int on_record(void *arg, const void *data, size_t len)
{
	struct pol_pump *pump = arg;
	int r = pol_event_decode(data, len, &pump->view);

	if (r < 0)
		return r;
	pol_mountpoint_prefix(&pump->view);
	pump->view.inside = pump->ctx.own_root && pump->ctx.own_root(pump->ctx.arg,
								     pump->view.generation,
								     pump->view.guest);
	return pump->ops.view(pump->arg, &pump->view, &pump->ctx);
}

static int on_lost(void *arg, const struct pol_lost *lost)
{
	struct pol_pump *pump = arg;

	pol_loss_event(lost, pump->now_ns, pol_feed_generation(pump->feed), &pump->view);
	return pump->ops.view(pump->arg, &pump->view, &pump->ctx);
}

static int on_state(void *arg, uint32_t guest, struct pol_guest_state *ret)
{
	return pol_feed_state(((struct pol_pump *)arg)->feed, guest, ret);
}

static int on_load(void *arg, uint32_t guest, struct pol_cursor *ret)
{
	return pol_feed_cursor_load(((struct pol_pump *)arg)->feed, guest, ret);
}

static int on_save(void *arg, uint32_t guest, const struct pol_cursor *cursor)
{
	return pol_feed_cursor_save(((struct pol_pump *)arg)->feed, guest, cursor);
}

/* ------------------------------------------------------------------ a round */

/* The next record of a ring; @has: there is one. @end: where the ring ended when we began. */
struct head {
	struct pol_ring_record record;
	uint64_t end;
	uint64_t time;
	bool has;
};

static int look(struct pol_ring *ring, struct head *head)
{
	const struct pol_event *event;
	int r = pol_ring_next(ring, head->end, &head->record);

	head->has = r > 0;
	if (r <= 0)
		return r;
	event = head->record.data;
	head->time = head->record.len < sizeof(*event) ? 0 : event->boot_ns;
	return 0;
}

static struct head *earliest(struct head *heads, size_t cnt)
{
	struct head *first = NULL;

	for (size_t i = 0; i < cnt; i++)
		if (heads[i].has && (!first || heads[i].time < first->time))
			first = &heads[i];
	return first;
}

/*
 * Takes up what the rings have, by time: a guest's numbers are in all of them, and a window full of
 * one ring's would lack the others'. @ret_full: the window is full, there is more.
 */
static int take_up(struct pol_pump *pump, bool *ret_full)
{
	struct head heads[POL_CURSOR_RINGS] = { 0 }, *head;
	int r = 0;

	*ret_full = false;
	for (size_t i = 0; i < pump->rings_cnt && !r; i++) {
		heads[i].end = pol_ring_end(&pump->rings[i]);
		r = look(&pump->rings[i], &heads[i]);
	}
	while (!r && (head = earliest(heads, pump->rings_cnt))) {
		size_t i = (size_t)(head - heads);

		r = pol_reader_add(pump->reader, (unsigned int)i, head->record.start,
				   head->record.end, head->record.data, head->record.len);
		if (r < 0)
			break;
		pump->rings[i].pos = head->record.end;
		r = look(&pump->rings[i], head);
	}
	*ret_full = r == -ENOBUFS;
	return *ret_full ? 0 : r;
}

/* Every guest, so that a loss with no record behind it is found. */
static int watch_all(struct pol_pump *pump)
{
	uint32_t limit = pol_feed_guest_limit(pump->feed);

	for (uint32_t id = 0; id < limit && id < POL_GUESTS_MAX; id++) {
		int r = pol_reader_watch(pump->reader, id);

		if (r < 0)
			return r;
	}
	return 0;
}

static int commit(struct pol_pump *pump)
{
	int r = pol_reader_commit(pump->reader);

	if (r < 0)
		return r;
	for (size_t i = 0; i < pump->rings_cnt; i++)
		pol_ring_release(&pump->rings[i], pol_reader_position(pump->reader, (unsigned int)i,
								      pump->rings[i].pos));
	return 0;
}

int pol_pump_flush(struct pol_pump *pump)
{
	int r = pump->ops.flush(pump->arg);

	if (r)
		return r < 0 ? r : 0;
	return commit(pump);
}

int pol_pump_round(struct pol_pump *pump, unsigned int flags, bool *ret_full)
{
	int r;

	/* Every time anew: the time of day may have been set meanwhile. */
	pump->now_ns = pol_here_clocks(&pump->ctx);
	r = take_up(pump, ret_full);
	if (r == 0 && flags & POL_READER_SWEEP)
		r = watch_all(pump);
	if (r < 0)
		return r;
	r = pol_reader_run(pump->reader, pump->now_ns, flags);
	return r < 0 ? r : pol_pump_flush(pump);
}

static uint64_t positions(const struct pol_pump *pump)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pump->rings_cnt; i++)
		sum += pump->rings[i].pos;
	return sum;
}

int pol_pump_drain(struct pol_pump *pump)
{
	uint64_t until = pol_boot_ns() + DRAIN_NS, left = 0;
	bool full = false;
	int r;

	for (size_t i = 0; i < pump->rings_cnt; i++)
		left += pol_ring_fill(&pump->rings[i]);
	for (;;) {
		uint64_t before = positions(pump), taken;

		r = pol_pump_round(pump, POL_READER_SWEEP, &full);
		if (r < 0)
			return r;
		taken = positions(pump) - before;
		left -= taken < left ? taken : left;
		if (full && left && taken)
			continue;
		if (pol_pump_settled(pump))
			return 0;
		if (pump->now_ns >= until)
			return pol_pump_round(pump, POL_READER_SWEEP | POL_READER_FORCE, &full);
		(void)pol_ring_wait(pump->rings, 0, POL_PUMP_NAP_MS, NULL);
	}
}

/* ------------------------------------------------------------------ the object */

int pol_pump_new(struct pol_feed *feed, const struct pol_pump_ops *ops, void *arg,
		 struct pol_pump **ret)
{
	static const struct pol_reader_ops reader_ops = {
		.state = on_state,
		.load = on_load,
		.save = on_save,
		.record = on_record,
		.lost = on_lost,
	};
	struct pol_pump *pump = calloc(1, sizeof(*pump));
	int r;

	if (!pump)
		return -ENOMEM;
	pump->ops = *ops;
	pump->arg = arg;
	pump->feed = feed;
	pump->rings = pol_feed_rings(feed, &pump->rings_cnt);
	pol_feed_context(feed, &pump->ctx);
	pol_here_read(&pump->here, &pump->ctx);
	pump->now_ns = pol_here_clocks(&pump->ctx);
	r = pol_reader_new(&reader_ops, pump, (unsigned int)pump->rings_cnt, POL_READER_WINDOW,
			   &pump->reader);
	if (r < 0) {
		free(pump);
		return r;
	}
	*ret = pump;
	return 0;
}

void pol_pump_free(struct pol_pump *pump)
{
	if (!pump)
		return;
	pol_reader_free(pump->reader);
	free(pump);
}

bool pol_pump_settled(const struct pol_pump *pump)
{
	return !pol_reader_held(pump->reader) && !pol_reader_unsettled(pump->reader);
}

bool pol_pump_caught_up(const struct pol_pump *pump)
{
	for (size_t i = 0; i < pump->rings_cnt; i++)
		if (!pol_ring_caught_up(&pump->rings[i]))
			return false;
	return true;
}

const struct pol_event_ctx *pol_pump_context(const struct pol_pump *pump)
{
	return &pump->ctx;
}

uint64_t pol_pump_now(const struct pol_pump *pump)
{
	return pump->now_ns;
}

void pol_pump_stats(const struct pol_pump *pump, struct pol_reader_stats *ret)
{
	pol_reader_stats(pump->reader, ret);
}
