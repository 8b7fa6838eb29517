/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steps that make descriptors of every kind, by number, and hold them. The more lively ones are in
 * probe_storm.h.
 */
#pragma once

#include <linux/fs.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "probe.h"

#define HELD_MAX 8192
#define QUEUED	 200 /* connections that wait to be accepted: more than any test asks for */

static struct {
	int fds[HELD_MAX];
	int cnt;
	int listener; /* 0: none */
} held;

/* ---- one of each kind: @fds gets the descriptors. Return: how many, -1: errno says why ---- */

static int one(int fd, int *fds)
{
	fds[0] = fd;
	return fd < 0 ? -1 : 1;
}

static int two(int r, const int *pair, int *fds)
{
	fds[0] = pair[0];
	fds[1] = pair[1];
	return r < 0 ? -1 : 2;
}

static const char *in_dir(const char *dir, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_open(const char *dir, int *fds)
{
	return one(open(in_dir(dir, "f"), O_RDONLY | O_CLOEXEC), fds);
}

static int make_openat2(const char *dir, int *fds)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };

	return one((int)syscall(SYS_openat2, AT_FDCWD, in_dir(dir, "f"), &how, sizeof(how)), fds);
}

static int make_creat(const char *dir, int *fds)
{
	return one(creat(in_dir(dir, "created"), 0600), fds);
}

static int make_tmpfile(const char *dir, int *fds)
{
	return one(open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), fds);
}

static int make_directory(const char *dir, int *fds)
{
	return one(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds);
}

static int make_opath(const char *dir, int *fds)
{
	return one(open(dir, O_PATH | O_CLOEXEC), fds);
}

static int make_pipe(const char *dir, int *fds)
{
	int pair[2];

	(void)dir;
	return two(pipe2(pair, O_CLOEXEC), pair, fds);
}

static int make_socket(const char *dir, int *fds)
{
	(void)dir;
	return one(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fds);
}

static int make_inet(const char *dir, int *fds)
{
	(void)dir;
	return one(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fds);
}

static int make_socketpair(const char *dir, int *fds)
{
	int pair[2];

	(void)dir;
	return two(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), pair, fds);
}

/* Connected and closed again: it waits at the listener all the same. */
static int queue_one(const struct sockaddr_un *addr, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr, len);

	if (fd >= 0)
		close(fd);
	return r;
}

static int make_listener(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	int r;

	held.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = bind(held.listener, (struct sockaddr *)&addr, sizeof(sa_family_t));
	if (!r)
		r = listen(held.listener, QUEUED);
	if (!r)
		r = getsockname(held.listener, (struct sockaddr *)&addr, &len);
	for (int i = 0; i < QUEUED && !r; i++)
		r = queue_one(&addr, len);
	return r;
}

static int make_accepted(const char *dir, int *fds)
{
	(void)dir;
	if (!held.listener && make_listener())
		return -1;
	return one(accept4(held.listener, NULL, NULL, SOCK_CLOEXEC), fds);
}

static int make_epoll(const char *dir, int *fds)
{
	(void)dir;
	return one(epoll_create1(EPOLL_CLOEXEC), fds);
}

static int make_eventfd(const char *dir, int *fds)
{
	(void)dir;
	return one(eventfd(0, EFD_CLOEXEC), fds);
}

static int make_timerfd(const char *dir, int *fds)
{
	(void)dir;
	return one(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), fds);
}

static int make_signalfd(const char *dir, int *fds)
{
	sigset_t mask;

	(void)dir;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	return one(signalfd(-1, &mask, SFD_CLOEXEC), fds);
}

static int make_inotify(const char *dir, int *fds)
{
	(void)dir;
	return one(inotify_init1(IN_CLOEXEC), fds);
}

static int make_fanotify(const char *dir, int *fds)
{
	(void)dir;
	return one(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY), fds);
}

static int make_memfd(const char *dir, int *fds)
{
	(void)dir;
	return one(memfd_create("probe", MFD_CLOEXEC), fds);
}

static int make_pidfd(const char *dir, int *fds)
{
	(void)dir;
	return one((int)syscall(SYS_pidfd_open, getpid(), 0), fds);
}

static int make_userfaultfd(const char *dir, int *fds)
{
	(void)dir;
	return one((int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY), fds);
}

static int make_landlock(const char *dir, int *fds)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE };

	(void)dir;
	return one((int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), fds);
}

static const struct kind {
	const char *word;
	int (*make)(const char *dir, int *fds);
} kinds[] = {
	{ "open", make_open },		 { "openat2", make_openat2 },
	{ "creat", make_creat },	 { "tmpfile", make_tmpfile },
	{ "directory", make_directory }, { "opath", make_opath },
	{ "pipe", make_pipe },		 { "socket", make_socket },
	{ "inet", make_inet },		 { "socketpair", make_socketpair },
	{ "accept", make_accepted },	 { "epoll", make_epoll },
	{ "eventfd", make_eventfd },	 { "timerfd", make_timerfd },
	{ "signalfd", make_signalfd },	 { "inotify", make_inotify },
	{ "fanotify", make_fanotify },	 { "memfd", make_memfd },
	{ "pidfd", make_pidfd },	 { "userfaultfd", make_userfaultfd },
	{ "landlock", make_landlock },
};

static const struct kind *find_kind(const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].word, word))
			return &kinds[i];
	_exit(2);
}

/* ---- taking and holding ---- */

static long to_long(const char *word)
{
	return strtol(word, NULL, 10);
}

/* Up to @n descriptors of @kind are held. Return: errno that ended it. */
static int take(const struct kind *kind, const char *dir, long n)
{
	int r;

	for (long got = 0; got < n; got += r) {
		if (held.cnt + 2 > HELD_MAX)
			return ENOSPC;
		r = kind->make(dir, &held.fds[held.cnt]);
		if (r < 0)
			return errno;
		held.cnt += r;
	}
	return 0;
}

/* take KIND DIR N: says how many are held now */
static int do_take(char **a)
{
	int err = take(find_kind(a[0]), a[1], to_long(a[2]));
	char more[32];

	snprintf(more, sizeof(more), "%s %d", a[0], held.cnt);
	probe_say("taken", err, more);
	return err;
}

static void drop_to(int cnt)
{
	while (held.cnt > cnt)
		close(held.fds[--held.cnt]);
	if (!held.cnt && held.listener) {
		close(held.listener);
		held.listener = 0;
	}
}

/* drop N: the last N taken; 0: all */
static int do_drop(char **a)
{
	int n = (int)to_long(a[0]);

	drop_to(n ? held.cnt - n : 0);
	return 0;
}

/* dup N: numbers for the first one held; they are held, too */
static int do_dup(char **a)
{
	for (long n = to_long(a[0]); n > 0 && held.cnt < HELD_MAX; n--) {
		int fd = fcntl(held.fds[0], F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return errno;
		held.fds[held.cnt++] = fd;
	}
	return 0;
}

/* close-never N: of numbers that were never open. Return: what the first one met otherwise. */
static int do_close_never(char **a)
{
	for (int i = 0; i < (int)to_long(a[0]); i++)
		if (close(1000000 + i) != -1 || errno != EBADF)
			return errno ?: -1;
	return 0;
}

static int do_mmap_shared(char **a)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)a;
	return p == MAP_FAILED ? errno : probe_result(munmap(p, 4096));
}

/* mmap-drop: the last one taken goes, a mapping of it stays */
static int do_mmap_drop(char **a)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, held.fds[held.cnt - 1], 0);

	(void)a;
	drop_to(held.cnt - 1);
	return p == MAP_FAILED ? errno : 0;
}

/* ---- limits ---- */

/* limit: soft and hard RLIMIT_NOFILE of PID; 0: one's own */
static int do_limit(char **a)
{
	struct rlimit rlim = { 0 };
	int err = probe_result(prlimit((pid_t)to_long(a[0]), RLIMIT_NOFILE, NULL, &rlim));
	char more[64];

	snprintf(more, sizeof(more), "%llu %llu", (unsigned long long)rlim.rlim_cur,
		 (unsigned long long)rlim.rlim_max);
	probe_say("limited", err, more);
	return err;
}

/* set-limit PID SOFT HARD; PID 0: one's own */
static int do_set_limit(char **a)
{
	const struct rlimit rlim = { .rlim_cur = (rlim_t)to_long(a[1]),
				     .rlim_max = (rlim_t)to_long(a[2]) };

	return probe_result(prlimit((pid_t)to_long(a[0]), RLIMIT_NOFILE, &rlim, NULL));
}

/* ---- descriptors in messages ---- */

union rights {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_fd(int sock, int fd)
{
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	union rights rights = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS } };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };

	memcpy(CMSG_DATA(&rights.head), &fd, sizeof(fd));
	return probe_result(sendmsg(sock, &msg, 0));
}

/* Return: 0; errno; -1: it was cut (MSG_CTRUNC). @ret_fd: -1: none came. */
static int receive_fd(int sock, int *ret_fd)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union rights rights = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

	*ret_fd = -1;
	if (n <= 0)
		return n < 0 ? errno : EPIPE;
	if (CMSG_FIRSTHDR(&msg) && rights.head.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(&rights.head), sizeof(int));
	return msg.msg_flags & MSG_CTRUNC ? -1 : 0;
}

/* receive N: from stdin; what comes is held. Says how many came, and how many were cut. */
static int do_receive(char **a)
{
	int came = 0, cut = 0, err = 0;
	char more[32];

	for (long n = to_long(a[0]); n > 0 && err <= 0; n--) {
		int fd;

		err = receive_fd(STDIN_FILENO, &fd);
		came += fd >= 0;
		cut += err < 0;
		if (fd >= 0 && held.cnt < HELD_MAX)
			held.fds[held.cnt++] = fd;
	}
	snprintf(more, sizeof(more), "%d %d", came, cut);
	probe_say("received", err > 0 ? err : 0, more);
	return err > 0 ? err : 0;
}

/* send: the last one held, to stdin; it stays */
static int do_send(char **a)
{
	(void)a;
	return send_fd(STDIN_FILENO, held.fds[held.cnt - 1]);
}

/* in-flight N: eventfds that only a message has; the two ends of its socket are held */
static int do_in_flight(char **a)
{
	int *pair = &held.fds[held.cnt], err = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	held.cnt += 2;
	for (long n = to_long(a[0]); n > 0 && !err; n--) {
		int fd = eventfd(0, EFD_CLOEXEC);

		err = fd < 0 ? errno : send_fd(pair[0], fd);
		close(fd);
	}
	return err;
}

/* pidfd PID: held; 0: one's own */
static int do_pidfd(char **a)
{
	int fd = (int)syscall(SYS_pidfd_open, to_long(a[0]) ?: getpid(), 0);

	if (fd >= 0)
		held.fds[held.cnt++] = fd;
	return probe_result(fd);
}

/* getfd FD: of the process whose pidfd is the first one held; what comes is held */
static int do_getfd(char **a)
{
	int fd = (int)syscall(SYS_pidfd_getfd, held.fds[0], to_long(a[0]), 0);

	if (fd >= 0)
		held.fds[held.cnt++] = fd;
	return probe_result(fd);
}
