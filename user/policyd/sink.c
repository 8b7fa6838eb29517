/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sink has not taken stays in the kernel's ring, so it survives us. Only when as much waits
 * for it as is kept for subscribers is more counted as lost, and the ring goes on for them.
 */
#include "sink.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "base.h"
#include "metrics.h"

/* Half a second, as a drain waits for what is in flight. */
#define FINISH_NAPS 50

#define HOLD_NS	      (1000 * UINT64_C(1000000))
#define HOLD_EVERY_NS (5 * HOLD_NS)

/* Where nothing is wrong: it is busy, and takes more in a moment. */
static bool is_busy(int r)
{
	return r == -EAGAIN || r == -EINTR || r == -EALREADY || r == -EINPROGRESS;
}

/* No room for now: there may be later. */
static bool is_full(const struct sink *sink, int r)
{
	return is_busy(r) || r == -ENOSPC || r == -EDQUOT || (sink->kind->waits && r != -ENOMEM);
}

static const char *why(const struct sink *sink, int r)
{
	return sink->kind->why ? sink->kind->why(sink, r) : strerror(-r);
}

bool sink_lets_go(const struct sink *sink, int r)
{
	return !r || sink->outlet.loss.open;
}

bool sink_waits(const struct policyd *d)
{
	return !d->sink->failed && !pol_outlet_empty(&d->sink->outlet);
}

/* One that does not answer holds others up for a second of five: it may answer again. */
bool sink_holds(const struct policyd *d)
{
	const struct sink *sink = d->sink;

	return sink->held_ns && (pol_boot_ns() - sink->held_ns) % HOLD_EVERY_NS < HOLD_NS;
}

static void hold(struct sink *sink, int r)
{
	if (r != -EINPROGRESS)
		sink->held_ns = 0;
	else if (!sink->held_ns)
		sink->held_ns = pol_boot_ns();
}

void sink_orphan(struct policyd *d)
{
	d->sink->alone = !pol_outlet_empty(&d->sink->outlet);
}

void sink_numbers(const struct policyd *d, struct pol_metrics_sink *ret)
{
	const struct pol_outlet *outlet = &d->sink->outlet;

	ret->name = d->sink->kind->word;
	ret->taken = outlet->delivered;
	ret->waiting = pol_outlet_lines(outlet);
	ret->lost = outlet->dropped;
}

int sink_view(struct policyd *d, const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	struct sink *sink = d->sink;

	/* A round may bring more than waits at once: only what it does not take is to be lost. */
	if (!sink->stuck && !pol_outlet_has_room(&sink->outlet))
		(void)sink_flush(d);
	return pol_outlet_put(&sink->outlet, view, ctx);
}

void sink_say(struct policyd *d, int r)
{
	struct sink *sink = d->sink;

	if (is_busy(r))
		return;
	if (r && r != sink->said)
		policyd_say("%s takes no more events: %s, waiting", sink->kind->name, why(sink, r));
	if (!r && sink->said)
		policyd_say("%s takes events again", sink->kind->name);
	sink->said = r;
}

/* What it got since the last round that was safe stays in the ring. */
static int give_up(struct policyd *d)
{
	d->sink->failed = true;
	policyd_fail(d, POL_ERR_FAILED);
	return 1;
}

int sink_flush(struct policyd *d)
{
	struct sink *sink = d->sink;
	bool empty = pol_outlet_empty(&sink->outlet);
	int r;

	if (sink->failed)
		return 1;
	r = policyd_flush(d, &sink->outlet, sink->kind->write, sink);
	if (r < 0 && !is_full(sink, r)) {
		policyd_say("cannot write events to %s: %s", sink->kind->name, strerror(-r));
		return give_up(d);
	}
	if (sink->kind->settle && sink->kind->settle(d, r) < 0)
		return give_up(d);
	if (!empty) /* nothing was tried */
		sink_say(d, r);
	hold(sink, r);
	sink->under_way = r == -EALREADY || r == -EINPROGRESS;
	/* All is out: there is nothing to wait for but its arrival, which no descriptor tells. */
	sink->stuck = r && r != -EINPROGRESS;
	if (!r)
		sink->alone = false;
	if (sink->io)
		(void)sd_event_source_set_enabled(sink->io,
						  sink->stuck ? SD_EVENT_ON : SD_EVENT_OFF);
	return !sink_lets_go(sink, r);
}

/* By a round, if there is an engine: the rings go on when all is written. */
static void flush_by_round(struct policyd *d)
{
	if (d->pump)
		rounds_now(d);
	else
		(void)sink_flush(d);
}

static int on_room(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	flush_by_round(arg);
	return 0;
}

void sink_finish(struct policyd *d)
{
	for (int i = 0; i < FINISH_NAPS && d->sink->under_way; i++) {
		(void)poll(NULL, 0, POL_PUMP_NAP_MS);
		flush_by_round(d);
	}
}

void sink_reopen(struct policyd *d)
{
	if (d->sink->kind->reopen)
		d->sink->kind->reopen(d);
}

int sink_watch(struct policyd *d, int fd)
{
	int r = sd_event_add_io(d->event, &d->sink->io, fd, EPOLLOUT, on_room, d);

	return r < 0 ? r : sd_event_source_set_enabled(d->sink->io, SD_EVENT_OFF);
}

static const struct sink_kind *kind_of(const struct policyd_options *options)
{
	if (options->journal)
		return &sink_journal;
	if (options->syslog.way)
		return &sink_syslog;
	return options->file ? &sink_file : &sink_stdout;
}

int sink_add(struct policyd *d)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	d->sink = sink;
	sink->kind = kind_of(d->options);
	sink->outlet.format = sink->kind->format ? sink->kind->format : d->options->format;
	sink->outlet.max = d->options->keep;
	sink->fd = -EBADF;
	r = sink->kind->open(d);
	if (r < 0) {
		d->status = POL_ERR_FAILED;
		return r;
	}
	if (sink->kind->waits)
		return 0;
	r = sink_watch(d, sink->fd);
	return r == -EPERM ? 0 : r;
}

/*
 * With losses untold the ring went on, and with the engine it went: they, and the lines that wait
 * before them, are nowhere but here. That must not pass for an end where all was delivered.
 */
static void say_untold(struct policyd *d)
{
	struct pol_outlet *outlet = &d->sink->outlet;
	const struct pol_lost *lost;
	uint64_t cnt = 0;

	if (!outlet->loss.open && !d->sink->alone)
		return;
	for (; (lost = pol_loss_first(&outlet->loss)); pol_loss_told(&outlet->loss))
		cnt += lost->count;
	policyd_say("%s took no more events: %zu lines that waited are lost, and %llu events that "
		    "found no room",
		    d->sink->kind->name, pol_outlet_lines(outlet), (unsigned long long)cnt);
	d->status = POL_ERR_FAILED;
}

void sink_done(struct policyd *d)
{
	if (!d->sink)
		return;
	say_untold(d);
	if (d->sink->kind->close)
		d->sink->kind->close(d->sink);
	sd_event_source_disable_unref(d->sink->io);
	pol_closep(&d->sink->fd);
	pol_outlet_done(&d->sink->outlet);
	free(d->sink);
}
