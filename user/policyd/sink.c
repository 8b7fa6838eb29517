/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard output as a sink of JSON lines. What it has not taken stays in the kernel's ring, so it
 * survives us; only when SINK_MAX bytes wait for it is more counted as lost, and the ring goes on
 * for the subscribers.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base.h"
#include "outlet.h"
#include "policyd.h"

#define SINK_MAX (4u << 20)

struct sink {
	int fd;
	bool is_socket;
	sd_event_source *io; /* NULL: a file, which cannot be waited for */
	struct pol_outlet outlet;
	int said;
};

static ssize_t write_some(void *arg, const char *data, size_t len)
{
	const struct sink *sink = arg;
	ssize_t n = sink->is_socket ? send(sink->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				    : write(sink->fd, data, len);

	return n < 0 ? -errno : n;
}

int sink_view(struct policyd *d, const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	return pol_outlet_put(&d->sink->outlet, view, ctx);
}

/* Full for now: it may have room again. */
static bool is_full(int r)
{
	return r == -EAGAIN || r == -EINTR || r == -ENOSPC || r == -EDQUOT;
}

static int give_up(struct policyd *d, int r)
{
	policyd_say("cannot write events to standard output: %s", strerror(-r));
	policyd_fail(d, POL_ERR_FAILED);
	return 1;
}

int sink_flush(struct policyd *d)
{
	struct sink *sink = d->sink;
	int r = policyd_flush(d, &sink->outlet, write_some, sink);

	if (r < 0 && !is_full(r))
		return give_up(d, r);
	if (r && r != sink->said && r != -EAGAIN && r != -EINTR)
		policyd_say("standard output takes no more events: %s, waiting", strerror(-r));
	sink->said = r;
	if (sink->io)
		(void)sd_event_source_set_enabled(sink->io, r ? SD_EVENT_ON : SD_EVENT_OFF);
	/* With losses to tell the ring goes on: they are counted. */
	return r && !sink->outlet.loss.open;
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

/*
 * A pipe or a terminal is opened again: O_NONBLOCK on the one we got would be on everybody's who
 * shares it. A socket is asked not to block at each send, and a file does not block.
 */
static int open_output(struct sink *sink)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0)
		return -errno;
	sink->is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO))
		sink->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	/* It may be another user's, too. */
	if (sink->fd < 0)
		sink->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return sink->fd < 0 ? -errno : 0;
}

int sink_add(struct policyd *d)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	d->sink = sink;
	sink->outlet.format = pol_format_find("json");
	sink->outlet.max = SINK_MAX;
	sink->fd = -EBADF;
	r = open_output(sink);
	if (r < 0) {
		policyd_say("cannot write events to standard output: %s", strerror(-r));
		return r;
	}
	r = sd_event_add_io(d->event, &sink->io, sink->fd, EPOLLOUT, on_room, d);
	if (r == -EPERM)
		return 0;
	return r < 0 ? r : sd_event_source_set_enabled(sink->io, SD_EVENT_OFF);
}

void sink_done(struct policyd *d)
{
	if (!d->sink)
		return;
	sd_event_source_disable_unref(d->sink->io);
	pol_closep(&d->sink->fd);
	pol_outlet_done(&d->sink->outlet);
	free(d->sink);
}
