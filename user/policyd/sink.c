/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sink has not taken stays in the kernel's ring, so it survives us. Only when as much waits
 * for it as is kept for subscribers is more counted as lost, and the ring goes on for them.
 */
#include "sink.h"

#include <string.h>
#include <sys/epoll.h>

#include "base.h"
#include "metrics.h"

/* No room for now: there may be later. */
static bool is_full(int r)
{
	return r == -EAGAIN || r == -EINTR || r == -ENOSPC || r == -EDQUOT;
}

bool sink_lets_go(const struct sink *sink, int r)
{
	return !r || sink->outlet.loss.open;
}

bool sink_waits(const struct policyd *d)
{
	return !d->sink->failed && !pol_outlet_empty(&d->sink->outlet);
}

void sink_orphan(struct policyd *d)
{
	d->sink->alone = !pol_outlet_empty(&d->sink->outlet);
}

void sink_numbers(const struct policyd *d, struct pol_metrics_sink *ret)
{
	const struct pol_outlet *outlet = &d->sink->outlet;

	ret->name = d->options->file ? "file" : "stdout";
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

static void say(struct policyd *d, int r)
{
	struct sink *sink = d->sink;

	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r && r != sink->said)
		policyd_say("%s takes no more events: %s, waiting", sink->kind->name, strerror(-r));
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
	int r;

	if (sink->failed)
		return 1;
	r = policyd_flush(d, &sink->outlet, sink->kind->write, sink);
	if (r < 0 && !is_full(r)) {
		policyd_say("cannot write events to %s: %s", sink->kind->name, strerror(-r));
		return give_up(d);
	}
	if (sink->kind->settle && sink->kind->settle(d, r) < 0)
		return give_up(d);
	say(d, r);
	sink->stuck = r;
	if (!r)
		sink->alone = false;
	if (sink->io)
		(void)sd_event_source_set_enabled(sink->io, r ? SD_EVENT_ON : SD_EVENT_OFF);
	return !sink_lets_go(sink, r);
}

static int on_room(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct policyd *d = arg;

	(void)source;
	(void)fd;
	(void)events;
	if (d->pump)
		rounds_now(d);
	else
		(void)sink_flush(d);
	return 0;
}

void sink_reopen(struct policyd *d)
{
	if (d->sink->kind->reopen)
		d->sink->kind->reopen(d);
}

int sink_add(struct policyd *d)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	d->sink = sink;
	sink->kind = d->options->file ? &sink_file : &sink_stdout;
	sink->outlet.format = d->options->format;
	sink->outlet.max = d->options->keep;
	sink->fd = -EBADF;
	r = sink->kind->open(d);
	if (r < 0) {
		d->status = POL_ERR_FAILED;
		return r;
	}
	r = sd_event_add_io(d->event, &sink->io, sink->fd, EPOLLOUT, on_room, d);
	if (r == -EPERM)
		return 0;
	return r < 0 ? r : sd_event_source_set_enabled(sink->io, SD_EVENT_OFF);
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
	sd_event_source_disable_unref(d->sink->io);
	pol_closep(&d->sink->fd);
	pol_outlet_done(&d->sink->outlet);
	free(d->sink);
}
