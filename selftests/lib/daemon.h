/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd under test: starts, ends and asks it. Included by its suites behind harness.h; static, and
 * unused where a suite needs only some.
 */
#pragma once

#include <jansson.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "guest.h"

#define DAEMON_FN __attribute__((unused)) static

#define POLICYD "/usr/sbin/policyd"

#define SOCK "/run/policyd/policyd.sock" /* where policyctl looks for it */

static const char *root, *bad, *errors;
static const char *more_args[8]; /* of the next start() */

DAEMON_FN void load_one(void)
{
	root = scratch();
	make_dir(text("%s/ok", root));
	bad = make_file(text("%s/f", root), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/ok", "rw") END, root);
}

/* A VM has no network but this. */
DAEMON_FN void lo_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ASSERT_EQ(0, ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

/* ---- the daemon ---- */

struct daemon {
	pid_t pid;
	int notify;
	FILE *out;
};

DAEMON_FN struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Where sd_notify(3) writes to. */
DAEMON_FN int listen_notify(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(path);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Reads notifications until one has @word in it. */
DAEMON_FN const char *notified(const struct daemon *d, const char *word)
{
	static char buf[1024];
	ssize_t n;

	do {
		n = recv(d->notify, buf, sizeof(buf) - 1, 0);
		buf[n > 0 ? n : 0] = 0;
	} while (n > 0 && !strstr(buf, word));
	return buf;
}

DAEMON_FN void exec_policyd(int out, const char *notify)
{
	int err = open(errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	setenv("NOTIFY_SOCKET", notify, 1);
	setenv("WATCHDOG_USEC", "60000000", 1);
	char *argv[10] = { (char *)"policyd" };

	memcpy(argv + 1, more_args, sizeof(more_args));
	execv(POLICYD, argv);
	_exit(127);
}

DAEMON_FN void start(struct daemon *d)
{
	const char *dir = scratch(), *notify = text("%s/notify", dir);
	int fds[2];

	errors = text("%s/errors", dir);
	d->notify = listen_notify(notify);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	fflush(stdout);
	d->pid = fork();
	if (!d->pid)
		exec_policyd(fds[1], notify);
	close(fds[1]);
	d->out = fdopen(fds[0], "re");
	/* The first sign of life comes when the loop is set up. */
	EXPECT_STRSTR("WATCHDOG=1", notified(d, "WATCHDOG=1"));
	EXPECT_STRSTR("READY=1", notified(d, "READY=1"));
}

/* Return: its exit status, 128 + signal. */
DAEMON_FN int end(struct daemon *d, int sig)
{
	int status = 0;

	kill(d->pid, sig);
	waitpid(d->pid, &status, 0);
	fclose(d->out);
	close(d->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The next line with @part in it; "" at the end. */
DAEMON_FN const char *line_with(FILE *f, const char *part)
{
	static char line[16384];

	while (fgets(line, sizeof(line), f))
		if (strstr(line, part))
			return line;
	return "";
}

DAEMON_FN const char *violation(const char *path)
{
	return text("\"path\":\"%s\"", path);
}

DAEMON_FN FILE *subscribe(const char *request)
{
	struct sockaddr_un address = address_of(SOCK);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN); /* one that is refused may be closed before it is sent whole */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		FAIL("connect: %s", strerror(errno));
	dprintf(fd, "%s\n", request);
	return fdopen(fd, "re");
}

DAEMON_FN const char *said(void)
{
	static char buf[8192];

	if (read_file(errors, buf, sizeof(buf)) < 0)
		return "";
	return buf;
}

/* ---- what is counted ---- */

DAEMON_FN long count_of(FILE *f, long want)
{
	static char line[16384];
	long cnt = 0;

	while (cnt < want && fgets(line, sizeof(line), f)) {
		json_t *event = json_loads(line, 0, NULL);

		if (!event)
			FAIL("no JSON: %.200s", line);
		if (!strcmp("violation", json_at(event, "type")))
			cnt++;
		else if (!strcmp("lost", json_at(event, "type")) &&
			 !strcmp("violation", json_at(event, "of")))
			cnt += strtol(json_at(event, "count"), NULL, 10);
		json_decref(event);
	}
	return cnt;
}

/* Refusals for which the subscriber @f is waited: what went before has been written by then. */
DAEMON_FN void refuse_each(FILE *f, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
		EXPECT_EQ(1, count_of(f, 1));
	}
}

DAEMON_FN void refuse_many(FILE *f, long cnt)
{
	EXPECT_EQ(EACCES, PROBE("g", "names", text("%ld", cnt), bad));
	EXPECT_EQ(cnt, count_of(f, cnt));
}

DAEMON_FN FILE *subscribe_violations(void)
{
	FILE *f = subscribe("{\"type\":\"violation\"}");

	EXPECT_STRSTR("\"ok\":true", line_with(f, ""));
	return f;
}
