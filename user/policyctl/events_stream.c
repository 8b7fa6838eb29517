/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events_stream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event.h"
#include "here.h"
#include "mountpoint.h"
#include "reader.h"
#include "ring.h"

/* Without --follow: how long a record that is still being written is waited for. */
#define DRAIN_NS	 (2 * POL_READER_WAIT_NS)
#define UNSETTLED_NAP_MS 10
/* Losses with no record after them are looked for this often; also bounds a lost wake-up. */
#define IDLE_MS 1000

struct session {
	const struct pol_stream_options *options;
	struct pol_feed *feed;
	struct pol_ring *rings;
	size_t rings_cnt;
	struct pol_reader *reader;
	unsigned int ring; /* the one being read */
	struct pol_event_ctx ctx;
	uint64_t now_ns;
	bool colour;
	int write_error;
	struct pol_here here;
	char line[POL_EVENT_LINE_SIZE];
	struct pol_event_view view;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int print_view(struct session *session)
{
	const struct pol_stream_options *options = session->options;
	int len;

	if (!pol_event_filter_match(&options->filter, &session->view, session->ctx.boot_to_real_ns))
		return 0;
	len = options->format->write(&session->view, &session->ctx,
				     session->colour ? POL_FORMAT_COLOUR : 0, session->line,
				     sizeof(session->line));
	if (len < 0)
		return len;
	if (fwrite(session->line, 1, (size_t)len, stdout) != (size_t)len) {
		session->write_error = errno ? errno : EIO;
		return -session->write_error;
	}
	return 0;
}

static int on_record(void *arg, const void *data, size_t len)
{
	struct session *session = arg;
	int r = pol_event_decode(data, len, &session->view);

	if (r < 0)
		return r;
	pol_mountpoint_prefix(&session->view);
	return print_view(session);
}

static int on_lost(void *arg, const struct pol_lost *lost)
{
	struct session *session = arg;

	session->view = (struct pol_event_view){
		.type = POL_TYPE_LOST,
		.boot_ns = session->now_ns,
		.seq = lost->last,
		.generation = pol_feed_generation(session->feed),
		.guest = lost->guest,
		.lost = { lost->of, lost->count, lost->first, lost->last },
	};
	return print_view(session);
}

static int on_state(void *arg, uint32_t guest, struct pol_guest_state *ret)
{
	return pol_feed_state(((struct session *)arg)->feed, guest, ret);
}

static int on_load(void *arg, uint32_t guest, struct pol_cursor *ret)
{
	return pol_feed_cursor_load(((struct session *)arg)->feed, guest, ret);
}

static int on_save(void *arg, uint32_t guest, const struct pol_cursor *cursor)
{
	return pol_feed_cursor_save(((struct session *)arg)->feed, guest, cursor);
}

static int on_ring(void *arg, uint64_t start, uint64_t end, const void *data, size_t len)
{
	struct session *session = arg;

	return pol_reader_add(session->reader, session->ring, start, end, data, len);
}

/* Takes up what the rings have. @ret_full: the window is full, there is more. */
static int take_up(struct session *session, bool *ret_full)
{
	*ret_full = false;
	for (size_t i = 0; i < session->rings_cnt; i++) {
		int r;

		session->ring = (unsigned int)i;
		r = pol_ring_read(&session->rings[i], POL_RING_PEEK, on_ring, session);
		if (r == -ENOBUFS)
			*ret_full = true;
		else if (r < 0)
			return r;
	}
	return 0;
}

/* Every guest, so that a loss with no record behind it is found. */
static int watch_all(struct session *session)
{
	uint32_t limit = pol_feed_guest_limit(session->feed);

	for (uint32_t id = 0; id < limit && id < POL_GUESTS_MAX; id++) {
		int r = pol_reader_watch(session->reader, id);

		if (r < 0)
			return r;
	}
	return 0;
}

/* One round: take up, print, flush; then save the cursors; then free the rings' space. */
static int pass(struct session *session, unsigned int flags, bool *ret_full)
{
	int r;

	/* Every time anew: the time of day may have been set meanwhile. */
	session->now_ns = pol_here_clocks(&session->ctx);
	r = take_up(session, ret_full);
	if (r == 0 && flags & POL_READER_SWEEP)
		r = watch_all(session);
	if (r < 0)
		return r;
	r = pol_reader_run(session->reader, session->now_ns, flags);
	if (r < 0)
		return r;
	if (fflush(stdout) != 0) {
		session->write_error = errno ? errno : EIO;
		return -session->write_error;
	}
	if (!pol_event_filter_any(&session->options->filter))
		return 0;
	r = pol_reader_commit(session->reader);
	if (r < 0)
		return r;
	for (size_t i = 0; i < session->rings_cnt; i++)
		pol_ring_release(&session->rings[i],
				 pol_reader_position(session->reader, (unsigned int)i,
						     session->rings[i].pos));
	return 0;
}

static bool settled(const struct session *session)
{
	return !pol_reader_held(session->reader) && !pol_reader_unsettled(session->reader);
}

/* What is pending now, not what comes while it is printed: a busy guest must not keep us. */
static int drain(struct session *session)
{
	uint64_t until = pol_boot_ns() + DRAIN_NS, left = 0;
	bool full = false;
	int r;

	for (size_t i = 0; i < session->rings_cnt; i++)
		left += pol_ring_fill(&session->rings[i]);
	for (;;) {
		uint64_t before = 0, after = 0;

		for (size_t i = 0; i < session->rings_cnt; i++)
			before += session->rings[i].pos;
		r = pass(session, POL_READER_SWEEP, &full);
		if (r < 0)
			return r;
		for (size_t i = 0; i < session->rings_cnt; i++)
			after += session->rings[i].pos;
		left -= after - before < left ? after - before : left;
		if (full && left)
			continue;
		if (settled(session))
			return 0;
		if (session->now_ns >= until)
			return pass(session, POL_READER_SWEEP | POL_READER_FORCE, &full);
		(void)pol_ring_wait(session->rings, 0, UNSETTLED_NAP_MS, NULL);
	}
}

static int follow(struct session *session)
{
	struct sigaction action = { .sa_handler = stop };
	uint64_t swept_ns = 0;
	sigset_t blocked, before;
	bool full;
	int r;

	/* The signals are open only while asleep: none can fall between a look and the sleep. */
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	(void)sigdelset(&before, SIGINT);
	(void)sigdelset(&before, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	while (!stopped) {
		bool sweep = session->now_ns >= swept_ns + IDLE_MS * UINT64_C(1000000);

		if (sweep)
			swept_ns = session->now_ns;
		r = pass(session, sweep ? POL_READER_SWEEP : 0, &full);
		if (r < 0)
			return r;
		r = pol_ring_wait(session->rings, session->rings_cnt,
				  settled(session) ? IDLE_MS : UNSETTLED_NAP_MS, &before);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

static int open_session(struct session *session)
{
	static const struct pol_reader_ops ops = {
		.state = on_state,
		.load = on_load,
		.save = on_save,
		.record = on_record,
		.lost = on_lost,
	};

	session->rings = pol_feed_rings(session->feed, &session->rings_cnt);
	pol_feed_context(session->feed, &session->ctx);
	pol_here_read(&session->here, &session->ctx);
	session->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	return pol_reader_new(&ops, session, (unsigned int)session->rings_cnt, POL_READER_WINDOW,
			      &session->reader);
}

static void close_session(struct session *session)
{
	pol_reader_free(session->reader);
}

/* The exit status for what a reading ended with. */
static int finish(struct session *session, int r)
{
	struct pol_reader_stats stats;

	pol_reader_stats(session->reader, &stats);
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
	r = options->follow ? follow(&session) : drain(&session);
	return finish(&session, r);
}
