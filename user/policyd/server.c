/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket: who may connect, and the list of those who are. The file beside it, SOCKET.lock, is
 * held while it is served: a second policyd there is told so, and a socket left by a dead one is
 * known to be nobody's. In it is how far the row of events has come: the next policyd goes on from
 * there, so that a subscriber that comes again is told how many it missed.
 */
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base.h"
#include "policyd.h"
#include "request.h"
#include "subscriber.h"

/* With SUBSCRIBER_MAX it bounds what readers that do not read can cost. */
#define SUBSCRIBERS_MAX 32

/**
 * struct server - @row: the mark before the first event that we keep. @noted: as in the file, events
 * of ours. @said: how often that could not be written; said once.
 */
struct server {
	int lock;
	struct pol_mark row;
	uint64_t noted;
	unsigned int said;
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
	server_note(d); /* with nobody connected, too: who comes later is told */
	for (size_t i = 0; i < d->server->cnt; i++)
		subscriber_flush(d->server->subscribers[i]);
	server_sweep(d);
}

static bool may_subscribe(const struct policyd *d, int fd)
{
	return pol_listen_is_root(fd) ||
	       (d->options->group && pol_listen_in_group(fd, d->options->gid));
}

static void say_who(const struct policyd *d, struct pol_err *err)
{
	if (d->options->group)
		pol_err_say(err, POL_ERR_HOST, -EPERM, "events are for root and group '%.64s' only",
			    d->options->group);
	else
		pol_err_say(err, POL_ERR_HOST, -EPERM, "events are for root only");
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
	if (!may_subscribe(d, fd)) {
		say_who(d, &err);
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

/* ------------------------------------------------------------------ marks */

struct pol_mark server_mark(const struct policyd *d, uint64_t serial)
{
	const struct pol_mark *row = &d->server->row;

	return (struct pol_mark){ row->id, row->count + serial + 1 };
}

uint64_t server_after(const struct policyd *d, const struct pol_mark *mark, uint64_t *ret_missed)
{
	const struct pol_mark *row = &d->server->row;
	uint64_t first = pol_keep_first(d->keep), count = row->count + first;

	*ret_missed = POL_MISSED_UNKNOWN;
	if (mark->id != row->id || mark->count > row->count + pol_keep_next(d->keep))
		return first;
	*ret_missed = mark->count < count ? count - mark->count : 0;
	return *ret_missed ? first : mark->count - row->count;
}

/* In place of the text before, on a tmpfs: there is nothing that can fail. */
static int write_row(const struct server *server, uint64_t events)
{
	const struct pol_mark mark = { server->row.id, server->row.count + events };
	char text[POL_MARK_SIZE + 1];
	size_t len = pol_mark_write(&mark, text);

	text[len++] = '\n';
	return pwrite(server->lock, text, len, 0) == (ssize_t)len ? 0 : -EIO;
}

void server_note(struct policyd *d)
{
	struct server *server = d->server;
	uint64_t next = pol_keep_next(d->keep);

	if (server->noted == next)
		return;
	server->noted = next;
	if (write_row(server, next) < 0 && !server->said++)
		policyd_say("cannot write to '%s.lock': subscribers may miss events after a "
			    "restart, unsaid",
			    d->options->socket);
}

/* The row that the policyd before had, or a new one. */
static int read_row(struct server *server)
{
	char text[POL_MARK_SIZE];
	ssize_t len = pread(server->lock, text, sizeof(text), 0);

	if (len > 0 && pol_mark_read(text, (size_t)len, &server->row) > 0)
		return 0;
	if (ftruncate(server->lock, 0) < 0)
		return -errno;
	server->row = (struct pol_mark){ 0 };
	while (!server->row.id)
		if (getrandom(&server->row.id, sizeof(server->row.id), 0) < 0 && errno != EINTR)
			return -errno;
	return write_row(server, 0);
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
	int r;

	(void)snprintf(path, sizeof(path), "%s.lock", socket);
	d->server->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->server->lock < 0)
		return refuse(-errno, "open", path);
	if (!flock(d->server->lock, LOCK_EX | LOCK_NB)) {
		r = read_row(d->server);
		return r < 0 ? refuse(r, "write", path) : 0;
	}
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

/* The owner first: whoever has the mode before that is root. */
static int let_group(const char *path, gid_t gid)
{
	if (lchown(path, (uid_t)-1, gid) < 0 || chmod(path, 0660) < 0)
		return -errno;
	return 0;
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
	if (!r && d->options->group)
		r = let_group(socket_path, d->options->gid);
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
