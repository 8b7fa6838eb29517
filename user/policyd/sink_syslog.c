/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A syslog receiver as the sink. One that is gone is waited for: what it does not get stays, as it
 * does for a full disk. On a stream that is so until its side has it: SYSLOG in policyd(8).
 */
#include <poll.h>
#include <string.h>

#include "base.h"
#include "sink.h"
#include "syslog_link.h"

/* A name's servers that do not answer hold up the loop: not for long. */
#define RESOLVER_PATIENCE "timeout:1 attempts:1"

/* So long a start waits for the receiver's answer, and goes on without. */
#define ANSWER_MS 500

/* Its event source goes first: the descriptor's number may be another's at once. */
static void on_closing(void *arg)
{
	struct sink *sink = arg;

	sink->io = sd_event_source_disable_unref(sink->io);
}

/* Whoever starts this is told now, not by the first event, that nobody is there. */
static int try_link(struct sink *sink)
{
	int r = pol_syslog_link_open(&sink->link, pol_boot_ns());
	struct pollfd answer = { .fd = sink->link.fd, .events = POLLOUT };

	if (r != -EALREADY)
		return r;
	(void)poll(&answer, 1, ANSWER_MS);
	return pol_syslog_link_open(&sink->link, pol_boot_ns());
}

static int open_link(struct policyd *d)
{
	struct sink *sink = d->sink;

	sink->link = (struct pol_syslog_link){
		.to = &d->options->syslog,
		.fd = -EBADF,
		.closing = on_closing,
		.arg = sink,
	};
	if (setenv("RES_OPTIONS", RESOLVER_PATIENCE, 0) < 0)
		return -errno;
	sink_say(d, try_link(sink));
	return 0;
}

static ssize_t write_some(void *arg, const char *data, size_t len)
{
	struct sink *sink = arg;

	return pol_syslog_link_write(&sink->link, data, len, pol_boot_ns());
}

/* A connection that is new is waited for as others are. */
static int settle(struct policyd *d, int r)
{
	struct sink *sink = d->sink;

	(void)r;
	if (sink->link.fd < 0 || sink->io)
		return 0;
	r = sink_watch(d, sink->link.fd);
	if (r < 0)
		policyd_say("cannot wait for the syslog receiver: %s", strerror(-r));
	return r;
}

static const char *why(const struct sink *sink, int r)
{
	return pol_syslog_link_why(&sink->link, r);
}

static void close_link(struct sink *sink)
{
	pol_syslog_link_close(&sink->link);
}

const struct sink_kind sink_syslog = {
	.name = "the syslog receiver",
	.word = "syslog",
	.waits = true,
	.open = open_link,
	.write = write_some,
	.settle = settle,
	.why = why,
	.close = close_link,
};
