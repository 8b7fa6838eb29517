/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events_stream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event.h"
#include "pump.h"
#include "ring.h"
#include "stop_signals.h"

struct session {
	const struct pol_stream_options *options;
	struct pol_feed *feed;
	struct pol_pump *pump;
	bool colour;
	int write_error;
	char line[POL_EVENT_LINE_SIZE];
};

static int print_view(void *arg, const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	struct session *session = arg;
	const struct pol_stream_options *options = session->options;
	int len;

	if (!pol_event_filter_match(&options->filter, view, ctx->boot_to_real_ns))
		return 0;
	len = options->format->write(view, ctx, session->colour ? POL_FORMAT_COLOUR : 0,
				     session->line, sizeof(session->line));
	if (len < 0)
		return len;
	if (fwrite(session->line, 1, (size_t)len, stdout) != (size_t)len) {
		session->write_error = errno ? errno : EIO;
		return -session->write_error;
	}
	return 0;
}

/* With a filter nothing is ever safe: it only looks. */
static int flush(void *arg)
{
	struct session *session = arg;

	if (fflush(stdout) != 0) {
		session->write_error = errno ? errno : EIO;
		return -session->write_error;
	}
	return !pol_event_filter_any(&session->options->filter);
}

static int follow(struct session *session)
{
	sigset_t asleep;
	uint64_t swept_ns = 0;
	struct pol_ring *rings;
	size_t cnt;
	bool full;
	int r;

	pol_stop_catch(&asleep);
	rings = pol_feed_rings(session->feed, &cnt);
	while (!pol_stopped()) {
		uint64_t now_ns = pol_pump_now(session->pump);
		bool sweep = now_ns >= swept_ns + POL_PUMP_IDLE_MS * UINT64_C(1000000);

		if (sweep)
			swept_ns = now_ns;
		r = pol_pump_round(session->pump, sweep ? POL_READER_SWEEP : 0, &full);
		if (r < 0)
			return r;
		r = pol_ring_wait(rings, cnt,
				  pol_pump_settled(session->pump) ? POL_PUMP_IDLE_MS
								  : POL_PUMP_NAP_MS,
				  &asleep);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

static int open_session(struct session *session)
{
	static const struct pol_pump_ops ops = { .view = print_view, .flush = flush };

	session->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	return pol_pump_new(session->feed, &ops, session, &session->pump);
}

static void close_session(struct session *session)
{
	pol_pump_free(session->pump);
}

/* The exit status for what a reading ended with. */
static int finish(struct session *session, int r)
{
	struct pol_reader_stats stats;

	pol_pump_stats(session->pump, &stats);
	if (stats.bad)
		(void)fprintf(
			stderr,
			"policyctl events: warning: %llu records could not be decoded (another "
			"version wrote them?), ignoring\n",
			(unsigned long long)stats.bad);
	/* Nobody reads on: `policyctl events | head`. What was not printed stays in the ring. */
	if (r == 0 || session->write_error == EPIPE)
		return 0;
	if (session->write_error)
		(void)fprintf(stderr, "policyctl events: cannot write events: %s\n",
			      strerror(session->write_error));
	else
		(void)fprintf(stderr, "policyctl events: cannot read events: %s\n", strerror(-r));
	return POL_ERR_FAILED;
}

int pol_stream_run(struct pol_feed *feed, const struct pol_stream_options *options)
{
	_cleanup_(close_session) struct session session = { .feed = feed, .options = options };
	int r;

	r = open_session(&session);
	if (r < 0) {
		(void)fprintf(stderr, "policyctl events: cannot read events: %s\n", strerror(-r));
		return POL_ERR_FAILED;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	r = options->follow ? follow(&session) : pol_pump_drain(session.pump);
	return finish(&session, r);
}
