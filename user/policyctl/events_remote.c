/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events_remote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base.h"
#include "ctl.h"
#include "request.h"
#include "socket_path.h"
#include "stop_signals.h"

/* Larger than an answer and than any line. */
#define CHUNK 65536

struct remote {
	int fd;
	bool answered;
	bool torn; /* what was printed last ends within a line */
	size_t len;
	char buf[CHUNK];
};

int pol_remote_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = POL_SOCKET };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int ask(int fd, const struct pol_stream_options *options, const char *guest,
	       struct pol_err *err)
{
	const struct pol_request request = {
		.format = options->format,
		.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.kept = true,
		.follow = options->follow,
		.guest = (char *)(uintptr_t)guest,
		.filter = options->filter,
	};
	char line[POL_REQUEST_SIZE];
	int len = pol_request_write(&request, line, sizeof(line), err);

	if (len < 0)
		return len;
	/* It fits into the socket's buffer whole. */
	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) == len)
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot ask policyd");
}

static int fail(const struct pol_err *err)
{
	(void)ctl_fail("events", err);
	return (int)err->kind;
}

/* The first line is the answer. Return: 0: more is needed, or granted; else the exit status. */
static int take_answer(struct remote *remote)
{
	const char *newline = memchr(remote->buf, '\n', remote->len);
	struct pol_err err = { 0 };
	size_t len;

	if (!newline && remote->len < sizeof(remote->buf))
		return 0;
	len = newline ? (size_t)(newline - remote->buf) : remote->len;
	if (pol_request_granted(remote->buf, len, NULL, &err) < 0)
		return fail(&err);
	remote->answered = true;
	remote->len -= len + 1;
	memmove(remote->buf, newline + 1, remote->len);
	return 0;
}

/* Return: 0; -EPIPE: nobody reads on; else what printing failed with. */
static int print(struct remote *remote)
{
	if (!remote->answered || !remote->len)
		return 0;
	errno = 0;
	if (fwrite(remote->buf, 1, remote->len, stdout) != remote->len || fflush(stdout) != 0)
		return errno ? -errno : -EIO;
	remote->torn = remote->buf[remote->len - 1] != '\n';
	remote->len = 0;
	return 0;
}

static int end_of_output(int r)
{
	if (r == -EPIPE)
		return 0;
	(void)fprintf(stderr, "policyctl events: cannot write events: %s\n", strerror(-r));
	return POL_ERR_FAILED;
}

/* policyd has closed: the end of what it keeps, or of itself. */
static int end_of_stream(const struct remote *remote, bool follow, int r)
{
	if (!r && remote->answered && !remote->torn && !follow)
		return 0;
	(void)fprintf(stderr, "policyctl events: policyd has ended%s%s\n", r ? ": " : "",
		      r ? strerror(-r) : "");
	return POL_ERR_FAILED;
}

static int relay(struct remote *remote, bool follow, const sigset_t *asleep)
{
	while (!pol_stopped()) {
		struct pollfd poll = { .fd = remote->fd, .events = POLLIN };
		ssize_t n;
		int r;

		if (ppoll(&poll, 1, NULL, asleep) < 0)
			continue;
		n = recv(remote->fd, remote->buf + remote->len, sizeof(remote->buf) - remote->len,
			 0);
		if (n <= 0)
			return end_of_stream(remote, follow, n < 0 ? -errno : 0);
		remote->len += (size_t)n;
		r = remote->answered ? 0 : take_answer(remote);
		if (r)
			return r;
		r = print(remote);
		if (r < 0)
			return end_of_output(r);
	}
	return 0;
}

int pol_remote_run(int fd, const struct pol_stream_options *options, const char *guest)
{
	struct remote remote = { .fd = fd };
	struct pol_err err = { 0 };
	sigset_t asleep;

	if (ask(fd, options, guest, &err) < 0)
		return fail(&err);
	(void)signal(SIGPIPE, SIG_IGN);
	if (options->follow)
		pol_stop_catch(&asleep);
	return relay(&remote, options->follow, options->follow ? &asleep : NULL);
}
