/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the rings are read: at once when they wake us; after a nap while a number is in flight or
 * the sink has not taken what it got, as the kernel wakes only who has caught up (ring.h); and once
 * a second for losses with no record behind them.
 */
#include <sys/epoll.h>
#include <time.h>

#include "base.h"
#include "policyd.h"

/* struct rounds - @bad: records not decoded of this engine, @bad_sum: of all. */
struct rounds {
	sd_event_source *rings[POL_CURSOR_RINGS];
	sd_event_source *timer;
	size_t rings_cnt;
	uint64_t swept_ns;
	uint64_t bad;
	uint64_t bad_sum;
};

#define MS_US UINT64_C(1000)
#define MS_NS UINT64_C(1000000)

static void enable_rings(struct rounds *rounds, bool on)
{
	for (size_t i = 0; i < rounds->rings_cnt; i++)
		(void)sd_event_source_set_enabled(rounds->rings[i],
						  on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void arm(struct policyd *d, uint64_t in_ms)
{
	(void)sd_event_source_set_time_relative(d->rounds->timer, in_ms * MS_US);
	(void)sd_event_source_set_enabled(d->rounds->timer, SD_EVENT_ONESHOT);
}

/* With no engine: nobody tells when a file can be written again. */
static void arm_sink(struct policyd *d)
{
	if (sink_waits(d))
		arm(d, POL_PUMP_IDLE_MS);
	else
		(void)sd_event_source_set_enabled(d->rounds->timer, SD_EVENT_OFF);
}

/* What wakes the next round. */
static void arm_next(struct policyd *d, bool full)
{
	bool caught_up = pol_pump_caught_up(d->pump), settled = pol_pump_settled(d->pump);

	enable_rings(d->rounds, caught_up && !full);
	if (sink_holds(d))
		arm(d, POL_PUMP_NAP_MS);
	else if (full)
		arm(d, 0);
	else if (!settled)
		arm(d, POL_PUMP_NAP_MS);
	else
		arm(d, caught_up ? POL_PUMP_IDLE_MS : POL_RING_NAP_MS);
}

static void say_bad(struct policyd *d)
{
	struct pol_reader_stats stats;

	pol_pump_stats(d->pump, &stats);
	if (stats.bad != d->rounds->bad)
		policyd_say("warning: %llu records could not be decoded (another version wrote "
			    "them?), ignoring",
			    (unsigned long long)(stats.bad - d->rounds->bad));
	d->rounds->bad_sum += stats.bad - d->rounds->bad;
	d->rounds->bad = stats.bad;
}

uint64_t rounds_undecodable(const struct policyd *d)
{
	return d->rounds->bad_sum;
}

/* Return: whether the sink still holds. */
static bool settle(struct policyd *d)
{
	int r = pol_pump_flush(d->pump);

	if (r < 0)
		engine_lost(d, r);
	else if (sink_holds(d))
		arm(d, POL_PUMP_NAP_MS);
	return r < 0 || sink_holds(d);
}

void rounds_now(struct policyd *d)
{
	struct rounds *rounds = d->rounds;
	unsigned int flags = 0;
	bool full = false;
	int r;

	if (!d->pump || (sink_holds(d) && settle(d)))
		return;
	if (pol_pump_now(d->pump) >= rounds->swept_ns + POL_PUMP_IDLE_MS * MS_NS ||
	    !rounds->swept_ns) {
		flags = POL_READER_SWEEP;
		rounds->swept_ns = pol_pump_now(d->pump);
	}
	r = pol_pump_round(d->pump, flags, &full);
	if (r < 0) {
		engine_lost(d, r);
		return;
	}
	say_bad(d);
	arm_next(d, full);
}

static int on_ring(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	rounds_now(arg);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	struct policyd *d = arg;

	(void)source;
	(void)usec;
	rounds_now(d);
	if (d->pump)
		return 0;
	/* Nothing comes any more, but the sink or a subscriber may have something left. */
	server_flush(d);
	(void)sink_flush(d);
	arm_sink(d);
	return 0;
}

void rounds_drain(struct policyd *d)
{
	int r;

	if (!d->pump)
		return;
	r = pol_pump_drain(d->pump);
	if (r < 0)
		policyd_say("cannot read what is pending: %s; the next reader gets it",
			    strerror(-r));
	else
		say_bad(d);
}

int rounds_begin(struct policyd *d)
{
	struct rounds *rounds = d->rounds;
	size_t cnt;
	struct pol_ring *rings = pol_feed_rings(d->feed, &cnt);
	int r = 0;

	rounds->swept_ns = 0;
	rounds->bad = 0;
	for (size_t i = 0; i < cnt && r >= 0; i++) {
		r = sd_event_add_io(d->event, &rounds->rings[i], rings[i].fd, EPOLLIN, on_ring, d);
		rounds->rings_cnt = r < 0 ? i : i + 1;
	}
	if (r < 0)
		return r;
	rounds_now(d);
	return 0;
}

void rounds_end(struct policyd *d)
{
	struct rounds *rounds = d->rounds;

	for (size_t i = 0; i < rounds->rings_cnt; i++)
		rounds->rings[i] = sd_event_source_disable_unref(rounds->rings[i]);
	rounds->rings_cnt = 0;
	arm_sink(d);
}

int rounds_add(struct policyd *d)
{
	int r;

	d->rounds = calloc(1, sizeof(*d->rounds));
	if (!d->rounds)
		return -ENOMEM;
	r = sd_event_add_time_relative(d->event, &d->rounds->timer, CLOCK_MONOTONIC, 0, 1000,
				       on_time, d);
	return r < 0 ? r : sd_event_source_set_enabled(d->rounds->timer, SD_EVENT_OFF);
}

void rounds_done(struct policyd *d)
{
	if (!d->rounds)
		return;
	rounds_end(d);
	sd_event_source_disable_unref(d->rounds->timer);
	free(d->rounds);
}
