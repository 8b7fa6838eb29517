/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subscriber.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base.h"
#include "outlet.h"
#include "request.h"

/*
 * ASKED: its request is awaited. FED: it gets events. LEAVING: only what is queued, then the end.
 */
enum state { ASKED, FED, LEAVING, OVER };

/**
 * struct subscriber - one connection.
 * @next: number of the next kept event to look at. @end: with a request that does not follow, the
 * first that it does not get. @missed: of what it asked for, not kept any more.
 */
struct subscriber {
	struct policyd *d;
	int fd;
	enum state state;
	sd_event_source *io;
	struct pol_outlet outlet;
	struct pol_request request;
	uint64_t next;
	uint64_t end;
	uint64_t missed;
	size_t len; /* of the line so far */
	char line[POL_REQUEST_SIZE];
};

static ssize_t send_some(void *arg, const char *data, size_t len)
{
	const struct subscriber *subscriber = arg;
	ssize_t n = send(subscriber->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

/*
 * What it sends is read only until its request is there: afterwards a half-closed connection, which
 * is readable for ever, is one that is fed.
 */
static void watch(struct subscriber *subscriber, bool full)
{
	uint32_t events = full ? EPOLLOUT : 0;

	if (subscriber->state == ASKED)
		events |= EPOLLIN;
	(void)sd_event_source_set_io_events(subscriber->io, events);
}

/* Kept events to the queue, while it has room. Return: 0; negative errno: it has to be given up. */
static int take_kept(struct subscriber *subscriber)
{
	struct pol_keep *keep = subscriber->d->keep;
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
	int r = 0;

	while (!r && subscriber->next < subscriber->end &&
	       pol_outlet_has_room(&subscriber->outlet) &&
	       !pol_keep_get(keep, subscriber->next, &view, &ctx)) {
		subscriber->outlet.mark = server_mark(subscriber->d, subscriber->next++);
		if (pol_request_wants(&subscriber->request, view, ctx))
			r = pol_outlet_put(&subscriber->outlet, view, ctx);
	}
	return r;
}

static bool is_done(const struct subscriber *subscriber)
{
	return subscriber->next >= subscriber->end ||
	       subscriber->next >= pol_keep_next(subscriber->d->keep);
}

/* Return: 0: it has all there is; -EAGAIN: it takes no more now; else the connection's error. */
static int feed(struct subscriber *subscriber)
{
	int r;

	server_note(subscriber->d);
	do {
		r = policyd_flush(subscriber->d, &subscriber->outlet, send_some, subscriber);
		if (!r && subscriber->state == FED)
			r = take_kept(subscriber);
	} while (!r && (!pol_outlet_empty(&subscriber->outlet) ||
			(subscriber->state == FED && !is_done(subscriber))));
	return r;
}

void subscriber_flush(struct subscriber *subscriber)
{
	int r;

	if (subscriber->state == OVER)
		return;
	r = feed(subscriber);
	if (r < 0 && r != -EAGAIN)
		subscriber->state = OVER;
	if (!r && (subscriber->state == LEAVING ||
		   (subscriber->state == FED && subscriber->next >= subscriber->end)))
		subscriber->state = OVER;
	if (subscriber->state != OVER)
		watch(subscriber, r == -EAGAIN);
}

void subscriber_gone(struct subscriber *subscriber, uint64_t serial,
		     const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	if (subscriber->state != FED || subscriber->next != serial)
		return;
	subscriber->outlet.mark = server_mark(subscriber->d, subscriber->next++);
	if (serial < subscriber->end && pol_request_wants(&subscriber->request, view, ctx) &&
	    pol_loss_view(&subscriber->outlet.loss, view) < 0)
		subscriber->state = OVER;
}

static void answer(struct subscriber *subscriber, const struct pol_err *err)
{
	char line[POL_ANSWER_SIZE];
	int len = pol_request_answer(err, subscriber->missed, line, sizeof(line));

	subscriber->state = err ? LEAVING : FED;
	if (len < 0 || pol_outlet_text(&subscriber->outlet, line, (size_t)len) < 0)
		subscriber->state = OVER;
	subscriber_flush(subscriber);
}

void subscriber_refuse(struct subscriber *subscriber, const struct pol_err *err)
{
	answer(subscriber, err);
}

/* A guest that the loaded policy lacks is a typing error; without one there is none to ask. */
static int check_guest(const struct subscriber *subscriber, struct pol_err *err)
{
	const char *guest = subscriber->request.guest;
	uint32_t id;

	if (!guest || !subscriber->d->feed ||
	    pol_feed_guest_id(subscriber->d->feed, guest, &id) != -ENOENT)
		return 0;
	return pol_err_say(err, POL_ERR_FAILED, -ENOENT, "the loaded policy has no guest '%s'",
			   guest);
}

static void begin(struct subscriber *subscriber)
{
	const struct pol_request *request = &subscriber->request;
	struct policyd *d = subscriber->d;

	subscriber->outlet.format = request->format;
	subscriber->outlet.flags = request->colour ? POL_FORMAT_COLOUR : 0;
	subscriber->outlet.marks = request->marks;
	/* What has happened by now belongs to what is kept. */
	if (request->kept || request->after.id)
		rounds_drain(d);
	subscriber->next = request->kept ? pol_keep_first(d->keep) : pol_keep_next(d->keep);
	if (request->after.id)
		subscriber->next = server_after(d, &request->after, &subscriber->missed);
	/* Of `lost` records that come before any other line. */
	subscriber->outlet.told = server_mark(d, subscriber->next - 1);
	subscriber->end = request->follow ? UINT64_MAX : pol_keep_next(d->keep);
}

static void take_request(struct subscriber *subscriber, size_t len)
{
	struct pol_err err = { 0 };
	int r = pol_request_read(subscriber->line, len, &subscriber->request, &err);

	if (!r)
		r = check_guest(subscriber, &err);
	if (!r)
		begin(subscriber);
	answer(subscriber, r < 0 ? &err : NULL);
}

static void read_request(struct subscriber *subscriber)
{
	size_t room = sizeof(subscriber->line) - subscriber->len;
	char *at = subscriber->line + subscriber->len, *newline;
	ssize_t n = recv(subscriber->fd, at, room, MSG_DONTWAIT);
	struct pol_err err = { 0 };

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		subscriber->state = OVER;
		return;
	}
	subscriber->len += (size_t)n;
	newline = memchr(at, '\n', (size_t)n);
	if (newline) {
		take_request(subscriber, (size_t)(newline - subscriber->line));
	} else if (subscriber->len == sizeof(subscriber->line)) {
		pol_err_say(&err, POL_ERR_USAGE, -EINVAL, "request: longer than %zu bytes",
			    sizeof(subscriber->line));
		answer(subscriber, &err);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct subscriber *subscriber = arg;

	(void)source;
	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR))
		subscriber->state = OVER;
	else if (subscriber->state == ASKED)
		read_request(subscriber);
	else
		subscriber_flush(subscriber);
	/* Frees those that are over: this may be one. */
	server_sweep(subscriber->d);
	return 0;
}

bool subscriber_over(const struct subscriber *subscriber)
{
	return subscriber->state == OVER;
}

int subscriber_new(struct policyd *d, int fd, struct subscriber **ret)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
	int r;

	if (!subscriber) {
		(void)close(fd);
		return -ENOMEM;
	}
	subscriber->d = d;
	subscriber->fd = fd;
	subscriber->outlet.max = SUBSCRIBER_MAX;
	r = sd_event_add_io(d->event, &subscriber->io, fd, EPOLLIN, on_io, subscriber);
	if (r < 0) {
		subscriber_free(subscriber);
		return r;
	}
	*ret = subscriber;
	return 0;
}

void subscriber_free(struct subscriber *subscriber)
{
	sd_event_source_disable_unref(subscriber->io);
	(void)close(subscriber->fd);
	pol_outlet_done(&subscriber->outlet);
	pol_request_done(&subscriber->request);
	free(subscriber);
}
