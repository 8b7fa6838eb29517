/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket: who may connect, and the list of those who are. The file beside it, SOCKET.lock, is
 * held while it is served: a second policyd there is told so, and a socket left by a dead one is
 * known to be nobody's.
 */
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base.h"
#include "policyd.h"
#include "subscriber.h"

/* With SUBSCRIBER_MAX it bounds what readers that do not read can cost. */
#define SUBSCRIBERS_MAX 32

struct server {
	int lock;
	int fd;
	bool bound;
	sd_event_source *io;
	struct subscriber *subscribers[SUBSCRIBERS_MAX];
	size_t cnt;
};

/* ------------------------------------------------------------------ subscribers */

void server_sweep(struct policyd *d)
{
	struct server *server = d->server;
	size_t left = 0;

	for (size_t i = 0; i < server->cnt; i++) {
		if (subscriber_over(server->subscribers[i]))
			subscriber_free(server->subscribers[i]);
		else
			server->subscribers[left++] = server->subscribers[i];
	}
	server->cnt = left;
}

size_t server_subscribers(const struct policyd *d)
{
	return d->server->cnt;
}

static void on_gone(void *arg, uint64_t serial, const struct pol_event_view *view,
		    const struct pol_event_ctx *ctx)
{
	const struct policyd *d = arg;

	for (size_t i = 0; i < d->server->cnt; i++)
		subscriber_gone(d->server->subscribers[i], serial, view, ctx);
}

void server_flush(struct policyd *d)
{
	for (size_t i = 0; i < d->server->cnt; i++)
		subscriber_flush(d->server->subscribers[i]);
	server_sweep(d);
}

static void take(struct policyd *d, int fd)
{
	struct server *server = d->server;
	struct subscriber *subscriber;
	struct pol_err err = { 0 };

	if (server->cnt == SUBSCRIBERS_MAX) {
		(void)close(fd);
		return;
	}
	if (subscriber_new(d, fd, &subscriber) < 0)
		return;
	server->subscribers[server->cnt++] = subscriber;
	if (!pol_listen_is_root(fd)) {
		pol_err_say(&err, POL_ERR_HOST, -EPERM, "events are for root only");
		subscriber_refuse(subscriber, &err);
	} else if (server->cnt == SUBSCRIBERS_MAX) {
		pol_err_say(&err, POL_ERR_BUSY, -EBUSY, "there are %d subscribers already",
			    SUBSCRIBERS_MAX - 1);
		subscriber_refuse(subscriber, &err);
	}
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct policyd *d = arg;
	int peer;

	(void)source;
	(void)events;
	while ((peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		take(d, peer);
	server_sweep(d);
	return 0;
}

/* ------------------------------------------------------------------ the socket */

static int refuse(int r, const char *what, const char *path)
{
	policyd_say("cannot %s '%s': %s", what, path, strerror(-r));
	return r;
}

/* The last directory only: those above are the host's. */
static int make_dir(const char *socket)
{
	_cleanup_free_ char *copy = strdup(socket);
	const char *dir = copy ? dirname(copy) : NULL;

	if (!dir)
		return -ENOMEM;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return refuse(-errno, "make the directory", dir);
	return 0;
}

static int take_lock(struct policyd *d, const char *socket)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];

	(void)snprintf(path, sizeof(path), "%s.lock", socket);
	d->server->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->server->lock < 0)
		return refuse(-errno, "open", path);
	if (!flock(d->server->lock, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return refuse(-errno, "lock", path);
	policyd_say(
		"another policyd serves '%s'\n  help: end it, or give this one another --socket",
		socket);
	d->status = POL_ERR_BUSY;
	return -EBUSY;
}

/* A dead policyd's, as the lock is ours; anything but a socket is not ours to remove. */
static int remove_old(const char *socket)
{
	struct stat st;

	if (lstat(socket, &st) < 0)
		return errno == ENOENT ? 0 : refuse(-errno, "look at", socket);
	if (!S_ISSOCK(st.st_mode)) {
		policyd_say("'%s' is there and is no socket\n  help: remove it, or give another "
			    "--socket",
			    socket);
		return -EEXIST;
	}
	return unlink(socket) < 0 ? refuse(-errno, "remove", socket) : 0;
}

static int bind_socket(struct policyd *d, const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct server *server = d->server;
	int r;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return refuse(-errno, "make the socket", socket_path);
	r = pol_listen_bind(server->fd, (struct sockaddr *)&address, sizeof(address));
	server->bound = !r;
	if (!r && listen(server->fd, SUBSCRIBERS_MAX) < 0)
		r = -errno;
	return r < 0 ? refuse(r, "serve", socket_path) : 0;
}

int server_add(struct policyd *d)
{
	const char *path = d->options->socket;
	int r;

	d->server = calloc(1, sizeof(*d->server));
	if (!d->server)
		return -ENOMEM;
	d->server->fd = d->server->lock = -EBADF;
	r = pol_keep_new(d->options->keep, d->here_ctx.host, d->here_ctx.boot_id, on_gone, d,
			 &d->keep);
	if (!r)
		r = make_dir(path);
	if (!r)
		r = take_lock(d, path);
	if (!r)
		r = remove_old(path);
	if (!r)
		r = bind_socket(d, path);
	if (r < 0)
		return r;
	return sd_event_add_io(d->event, &d->server->io, d->server->fd, EPOLLIN, on_connection, d);
}

void server_done(struct policyd *d)
{
	struct server *server = d->server;

	if (!server)
		return;
	server_flush(d);
	for (size_t i = 0; i < server->cnt; i++)
		subscriber_free(server->subscribers[i]);
	sd_event_source_disable_unref(server->io);
	/* The lock last: whoever gets it finds the socket's name free. */
	if (server->bound)
		(void)unlink(d->options->socket);
	pol_closep(&server->fd);
	pol_closep(&server->lock);
	pol_keep_free(d->keep);
	free(server);
}
