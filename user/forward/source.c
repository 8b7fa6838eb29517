/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to policyd. One that is gone is made again once a second, from the mark of the last
 * line that came; what policyd does not keep any more it counts, and we say.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base.h"
#include "forward.h"

#define RETRY_US (1000 * UINT64_C(1000))

/* Larger than an answer, and than a line with its mark. */
#define CHUNK 65536

/**
 * struct source - @fd: -EBADF: none. @mark: of the last line. @said: why there is none; 0: there is.
 * @len: bytes in @buf, from @start on. @ended: policyd has closed, or the connection's error: what is
 * in @buf is taken yet. @stopped: no more is read.
 */
struct source {
	int fd;
	sd_event_source *io;
	sd_event_source *retry;
	struct pol_mark mark;
	int said;
	int ended;
	bool answered;
	bool stopped;
	size_t start;
	size_t len;
	char buf[CHUNK];
};

static void hang_up(struct source *source)
{
	source->io = sd_event_source_disable_unref(source->io);
	pol_closep(&source->fd);
	source->fd = -EBADF;
	source->answered = false;
	source->ended = 0;
	source->start = source->len = 0;
}

static void retry(struct source *source)
{
	hang_up(source);
	(void)sd_event_source_set_time_relative(source->retry, RETRY_US);
	(void)sd_event_source_set_enabled(source->retry, SD_EVENT_ONESHOT);
}

/* Each reason once. */
static void wait_for(struct forward *f, int r, const char *why)
{
	if (f->source->said != r)
		forward_say("no events from '%s': %s, waiting", f->options->socket, why);
	f->source->said = r;
	retry(f->source);
}

/* ------------------------------------------------------------------ the answer */

static void say_missed(struct forward *f, uint64_t missed)
{
	if (missed == POL_MISSED_UNKNOWN)
		forward_say("policyd does not know how far we had come (another boot, or its "
			    "directory was removed): what it keeps is sent from its beginning");
	else if (missed)
		forward_say(
			"%llu events came that policyd does not keep any more: they are missing",
			(unsigned long long)missed);
	if (missed != POL_MISSED_UNKNOWN)
		f->missed += missed;
}

static void take_answer(struct forward *f, const char *line, size_t len)
{
	struct source *source = f->source;
	struct pol_err err = { 0 };
	uint64_t missed = 0;

	if (pol_request_granted(line, len, &missed, &err) >= 0) {
		source->answered = true;
		if (source->said)
			forward_say("policyd serves again");
		source->said = 0;
		say_missed(f, missed);
		return;
	}
	if (err.kind == POL_ERR_BUSY) {
		wait_for(f, -EBUSY, err.message);
		return;
	}
	forward_say("policyd refuses: %s%s%s", err.message, err.fix[0] ? "\n  help: " : "",
		    err.fix);
	hang_up(source);
	forward_fail(f, (int)err.kind);
}

/* ------------------------------------------------------------------ lines */

static void fail_protocol(struct forward *f)
{
	forward_say("policyd sent what is no event\n  help: use the programs of one version");
	hang_up(f->source);
	forward_fail(f, POL_ERR_FAILED);
}

static void take_line(struct forward *f, const char *line, size_t len)
{
	struct line_parts parts;

	if (line_read(line, len, &parts) < 0) {
		fail_protocol(f);
		return;
	}
	if (window_put(&f->window, &parts) < 0) {
		forward_say("out of memory");
		forward_fail(f, POL_ERR_FAILED);
		return;
	}
	f->source->mark = parts.mark;
}

/* One line of the buffer. Return: whether there was one. */
static bool take_one(struct forward *f)
{
	struct source *source = f->source;
	const char *line = source->buf + source->start;
	const char *newline = memchr(line, '\n', source->len);

	if (!newline)
		return false;
	source->start += (size_t)(newline - line) + 1;
	source->len -= (size_t)(newline - line) + 1;
	if (source->answered)
		take_line(f, line, (size_t)(newline - line));
	else
		take_answer(f, line, (size_t)(newline - line));
	return true;
}

static bool wants_more(const struct forward *f)
{
	return !f->source->stopped && !window_full(&f->window);
}

bool source_take(struct forward *f)
{
	struct source *source = f->source;
	uint64_t before = f->window.next;

	while (source->fd >= 0 && wants_more(f) && take_one(f))
		;
	/* Not if lines wait in the buffer: they may be nowhere else any more. */
	if (source->fd >= 0 && source->ended && wants_more(f))
		wait_for(f, source->ended,
			 source->ended == -EPIPE ? "policyd has ended" : strerror(-source->ended));
	if (source->io)
		(void)sd_event_source_set_enabled(
			source->io, wants_more(f) && !source->ended ? SD_EVENT_ON : SD_EVENT_OFF);
	return f->window.next != before;
}

static int on_readable(sd_event_source *io, int fd, uint32_t events, void *arg)
{
	struct forward *f = arg;
	struct source *source = f->source;
	ssize_t n;

	(void)io;
	(void)events;
	memmove(source->buf, source->buf + source->start, source->len);
	source->start = 0;
	n = recv(fd, source->buf + source->len, sizeof(source->buf) - source->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		source->len += (size_t)n;
	else
		source->ended = n ? -errno : -EPIPE;
	forward_go(f);
	if (source->start == 0 && source->len == sizeof(source->buf))
		fail_protocol(f);
	return 0;
}

/* ------------------------------------------------------------------ connecting */

static int ask(struct forward *f)
{
	struct pol_request request = f->options->request;
	char line[POL_REQUEST_SIZE];
	struct pol_err err = { 0 };
	int len;

	request.after = f->source->mark;
	len = pol_request_write(&request, line, sizeof(line), &err);
	if (len < 0) {
		forward_say_err(&err);
		forward_fail(f, (int)err.kind);
		return len;
	}
	/* It fits into the socket's buffer whole. */
	return send(f->source->fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -errno;
}

static int connect_to(struct forward *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->options->socket);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	f->source->fd = TAKE_FD(fd);
	return 0;
}

static void begin(struct forward *f)
{
	int r = connect_to(f);

	if (!r)
		r = ask(f);
	if (!r)
		r = sd_event_add_io(f->event, &f->source->io, f->source->fd, EPOLLIN, on_readable,
				    f);
	if (r < 0)
		wait_for(f, r, strerror(-r));
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	begin(arg);
	return 0;
}

int source_add(struct forward *f, const struct pol_mark *after)
{
	struct source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->fd = -EBADF;
	source->mark = *after;
	f->source = source;
	r = sd_event_add_time_relative(f->event, &source->retry, CLOCK_MONOTONIC, 0, 1000, on_retry,
				       f);
	return r < 0 ? r : 0;
}

void source_stop(struct forward *f)
{
	f->source->stopped = true;
	(void)sd_event_source_set_enabled(f->source->retry, SD_EVENT_OFF);
	if (f->source->io)
		(void)sd_event_source_set_enabled(f->source->io, SD_EVENT_OFF);
}

void source_done(struct forward *f)
{
	if (!f->source)
		return;
	hang_up(f->source);
	sd_event_source_disable_unref(f->source->retry);
	free(f->source);
}
