/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /metrics, and nothing else. libmicrohttpd reads requests and sends answers; it has no thread: its
 * epoll descriptor is a source of our loop. Bounded in all that a client can cost: connections, their
 * memory, their time, texts in flight, and how often a text is made.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base.h"
#include "http_lib.h"
#include "metrics.h"
#include "policyd.h"

#define PEERS_MAX   16
#define BACKLOG	    64 /* who waits to be one of them */
#define PEER_MEMORY (16u << 10)
/* From its connection to the last byte of the answer. */
#define PEER_US (10 * UINT64_C(1000000))
/*
 * Each is as large as a policy's guests make it, and slow readers hold old ones: then the last one is
 * given until their time is over.
 */
#define TEXTS_MAX 4
/* The next one is made at the earliest after so many times as long as the last one took. */
#define REST_TIMES 10

/* struct peer - a connection. @fd: libmicrohttpd's; -EBADF: unused. @until_us: then it is over. */
struct peer {
	int fd;
	uint64_t until_us;
};

/**
 * struct http - the server.
 * @io: of libmicrohttpd's descriptor. @timer: of its work left, and of the peers' time.
 * @again: there is room for another peer, which libmicrohttpd sees only when it is run next.
 * @text: the last one made, @fresh_us: until then it is given again; @texts: in memory.
 */
struct http {
	struct http_lib lib;
	const struct pol_listen *address;
	int fd;
	struct MHD_Daemon *daemon;
	sd_event_source *io;
	sd_event_source *timer;
	bool again;
	struct peer peers[PEERS_MAX];
	struct MHD_Response *text;
	uint64_t fresh_us;
	unsigned int texts;
};

/* ------------------------------------------------------------------ answers */

static enum MHD_Result queue(struct http *http, struct MHD_Connection *peer, unsigned int status,
			     struct MHD_Response *response)
{
	return response ? http->lib.MHD_queue_response(peer, status, response) : MHD_NO;
}

static enum MHD_Result refuse(struct http *http, struct MHD_Connection *peer, unsigned int status,
			      const char *why)
{
	struct MHD_Response *response = http->lib.MHD_create_response_from_buffer(
		strlen(why), (void *)(uintptr_t)why, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	(void)http->lib.MHD_add_response_header(response, "Content-Type", "text/plain");
	(void)http->lib.MHD_add_response_header(response, "Connection", "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)http->lib.MHD_add_response_header(response, "Allow", "GET");
	r = queue(http, peer, status, response);
	http->lib.MHD_destroy_response(response);
	return r;
}

static void free_text(void *arg)
{
	struct metrics_text *text = arg;

	--*text->live;
	free(text->data);
	free(text);
}

static void forget_text(struct http *http)
{
	if (http->text)
		http->lib.MHD_destroy_response(http->text);
	http->text = NULL;
}

/* Return: 0; -ENOMEM. */
static int make_text(struct policyd *d, struct http *http)
{
	uint64_t began_us = pol_monotonic_us(), done_us;
	struct MHD_Response *response;
	struct metrics_text *text;
	int r;

	r = metrics_collect(d, &text);
	if (r < 0)
		return r;
	text->live = &http->texts;
	http->texts++;
	response = http->lib.MHD_create_response_from_buffer_with_free_callback_cls(
		text->len, text->data, free_text, text);
	if (!response) {
		free_text(text);
		return -ENOMEM;
	}
	forget_text(http);
	http->text = response;
	(void)http->lib.MHD_add_response_header(http->text, "Content-Type", POL_METRICS_TYPE);
	(void)http->lib.MHD_add_response_header(http->text, "Connection", "close");
	done_us = pol_monotonic_us();
	http->fresh_us = done_us + REST_TIMES * (done_us - began_us);
	return 0;
}

static bool is_stale(const struct http *http)
{
	return !http->text || (pol_monotonic_us() >= http->fresh_us && http->texts < TEXTS_MAX);
}

static bool may_read(const struct http *http, struct MHD_Connection *peer)
{
	const union MHD_ConnectionInfo *info =
		http->lib.MHD_get_connection_info(peer, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (http->address->address.any.sa_family != AF_UNIX)
		return true;
	return info && pol_listen_is_root(info->connect_fd);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *peer, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **state)
{
	struct policyd *d = arg;
	struct http *http = d->http;

	(void)version;
	(void)data;
	(void)data_len;
	(void)state;
	if (!may_read(http, peer))
		return refuse(http, peer, MHD_HTTP_FORBIDDEN, "for root only\n");
	if (strcmp(url, "/metrics") != 0)
		return refuse(http, peer, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
	if (strcmp(method, "GET") != 0)
		return refuse(http, peer, MHD_HTTP_METHOD_NOT_ALLOWED, "there is only GET\n");
	if (is_stale(http) && make_text(d, http) < 0)
		return refuse(http, peer, MHD_HTTP_SERVICE_UNAVAILABLE, "try again later\n");
	return queue(http, peer, MHD_HTTP_OK, http->text);
}

/* ------------------------------------------------------------------ connections */

static struct peer *peer_of(struct http *http, int fd)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (http->peers[i].fd == fd)
			return &http->peers[i];
	return NULL;
}

static void on_peer(void *arg, struct MHD_Connection *connection, void **state,
		    enum MHD_ConnectionNotificationCode what)
{
	struct policyd *d = arg;
	struct http *http = d->http;
	const union MHD_ConnectionInfo *info =
		http->lib.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *peer;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = info ? peer_of(http, -EBADF) : NULL;
		if (peer)
			*peer = (struct peer){ info->connect_fd, pol_monotonic_us() + PEER_US };
		*state = peer;
		return;
	}
	http->again = true;
	peer = *state;
	if (peer)
		peer->fd = -EBADF;
}

/* libmicrohttpd's own time-out starts again with each byte. Return: when the next one is over. */
static uint64_t end_overdue(struct http *http)
{
	uint64_t now = pol_monotonic_us(), next = UINT64_MAX;

	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *peer = &http->peers[i];

		if (peer->fd < 0)
			continue;
		if (peer->until_us <= now)
			(void)shutdown(peer->fd, SHUT_RDWR);
		else if (peer->until_us < next)
			next = peer->until_us;
	}
	return next;
}

static void arm(struct http *http)
{
	uint64_t next = end_overdue(http);
	MHD_UNSIGNED_LONG_LONG ms;

	if (http->again || (http->lib.MHD_get_timeout(http->daemon, &ms) == MHD_YES && !ms))
		next = 0;
	http->again = false;
	(void)sd_event_source_set_time(http->timer, next);
	(void)sd_event_source_set_enabled(http->timer,
					  next == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int work(struct policyd *d)
{
	(void)d->http->lib.MHD_run(d->http->daemon);
	arm(d->http);
	return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	return work(arg);
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	return work(arg);
}

/* ------------------------------------------------------------------ the server */

static int start(struct policyd *d, struct http *http)
{
	const union MHD_DaemonInfo *info;

	http->daemon = http->lib.MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, d, MHD_OPTION_LISTEN_SOCKET, http->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)PEERS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PEER_MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, on_peer, d, MHD_OPTION_END);
	info = http->daemon ? http->lib.MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			    : NULL;
	if (!info) {
		policyd_say("cannot serve metrics: libmicrohttpd does not start");
		return -EIO;
	}
	return sd_event_add_io(d->event, &http->io, info->epoll_fd, EPOLLIN, on_io, d);
}

static int serve(struct policyd *d, struct http *http)
{
	struct pol_err err = { 0 };
	int r = http_lib_open(&http->lib, &err);

	if (!r)
		r = http->fd = pol_listen_open(http->address, BACKLOG, &err);
	if (r < 0) {
		policyd_say_err(&err);
		d->status = (int)err.kind;
		return r;
	}
	r = sd_event_add_time(d->event, &http->timer, CLOCK_MONOTONIC, 0, 1000, on_time, d);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	return r < 0 ? r : start(d, http);
}

int http_add(struct policyd *d)
{
	if (!d->options->metrics.text)
		return 0;
	d->http = calloc(1, sizeof(*d->http));
	if (!d->http)
		return -ENOMEM;
	d->http->fd = -EBADF;
	d->http->address = &d->options->metrics;
	for (size_t i = 0; i < PEERS_MAX; i++)
		d->http->peers[i].fd = -EBADF;
	return serve(d, d->http);
}

void http_done(struct policyd *d)
{
	struct http *http = d->http;

	if (!http)
		return;
	sd_event_source_disable_unref(http->io);
	sd_event_source_disable_unref(http->timer);
	if (http->fd >= 0 && http->address->address.any.sa_family == AF_UNIX)
		(void)unlink(http->address->address.local.sun_path);
	forget_text(http);
	if (http->daemon)
		http->lib.MHD_stop_daemon(http->daemon); /* it closes the socket, too */
	else
		pol_closep(&http->fd);
	http_lib_close(&http->lib);
	free(http);
	d->http = NULL;
}
