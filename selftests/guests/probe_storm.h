/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steps that make and lose descriptors in great numbers and in every order, and end with what they
 * began with.
 */
#pragma once

#include "probe_count.h"

#define AT_ONCE 8

static int reap_all(void)
{
	int status, bad = 0;

	while (wait(&status) > 0)
		bad |= status;
	return bad ? ECHILD : 0;
}

static int kill_and_reap(pid_t pid)
{
	int status = 0;

	if (kill(pid, SIGKILL))
		return errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* storm KIND DIR N: one at a time, made and closed */
static int do_storm(char **a)
{
	const struct kind *kind = find_kind(a[0]);
	int err = 0;

	for (long n = to_long(a[2]); n > 0 && !err; n--) {
		int before = held.cnt;

		err = take(kind, a[1], 1);
		drop_to(before);
	}
	return err;
}

/* refused KIND DIR N: N calls, each of which is refused for EMFILE. Return: what one met instead. */
static int do_refused(char **a)
{
	const struct kind *kind = find_kind(a[0]);

	for (long n = to_long(a[2]); n > 0; n--) {
		int err = take(kind, a[1], 1);

		if (err != EMFILE)
			return err ?: -1;
	}
	return 0;
}

/* forks N: children that inherit everything, and end, AT_ONCE at a time */
static int do_forks(char **a)
{
	int err = 0;

	for (long n = to_long(a[0]); n > 0 && !err; n -= AT_ONCE) {
		for (int i = 0; i < AT_ONCE; i++) {
			pid_t pid = fork();

			if (!pid) {
				drop_to(held.cnt / 2);
				_exit(0);
			}
			err = pid < 0 ? errno : err;
		}
		err = reap_all() ?: err;
	}
	return err;
}

/* execs N: children that become this program again */
static int do_execs(char **a)
{
	static char name[] = "probe", word[] = "exit", zero[] = "0";
	static char *argv[] = { name, word, zero, NULL };
	int err = 0;

	for (long n = to_long(a[0]); n > 0 && !err; n--) {
		pid_t pid = fork();

		if (!pid) {
			execv("/proc/self/exe", argv);
			_exit(1);
		}
		err = pid < 0 ? errno : reap_all();
	}
	return err;
}

/* A child that takes @cnt pipes and files, says so and waits for its end. */
static void hold_and_wait(int say, const char *dir, long cnt)
{
	int err = take(find_kind("pipe"), dir, cnt) ?: take(find_kind("open"), dir, cnt);

	if (write(say, &err, sizeof(err)) != sizeof(err))
		_exit(1);
	for (;;)
		pause();
}

/* kills DIR N HELD: N children that each hold 2 HELD and more, killed by SIGKILL */
static int do_kills(char **a)
{
	int fds[2], err = 0;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	for (long n = to_long(a[1]); n > 0 && !err; n--) {
		pid_t pid = fork();

		if (!pid)
			hold_and_wait(fds[1], a[0], to_long(a[2]));
		if (pid < 0 || read(fds[0], &err, sizeof(err)) != sizeof(err))
			err = errno;
		err = kill_and_reap(pid) ?: err;
	}
	close(fds[0]);
	close(fds[1]);
	return err;
}

static void send_many(int sock, long n)
{
	for (; n > 0; n--) {
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0 || send_fd(sock, fd))
			_exit(1);
		close(fd);
	}
	_exit(0);
}

/* passes N DROPPED: a child sends descriptors that it closes; the last DROPPED are never received */
static int do_passes(char **a)
{
	int pair[2], err = 0, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	pid = fork();
	if (!pid)
		send_many(pair[1], to_long(a[0]) + to_long(a[1]));
	for (long n = to_long(a[0]); n > 0 && !err; n--) {
		err = receive_fd(pair[0], &fd);
		if (fd >= 0)
			close(fd);
	}
	err = err ?: reap_all();
	close(pair[0]);
	close(pair[1]);
	return err;
}

/* cycles N: a socket on its way to itself, closed; N times, and a plain pair last */
static int do_cycles(char **a)
{
	int pair[2], err = 0;

	for (long n = to_long(a[0]); n >= 0 && !err; n--) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			return errno;
		if (n)
			err = send_fd(pair[0], pair[1]);
		close(pair[0]);
		close(pair[1]);
	}
	return err;
}

/* receive-drop N: from stdin, and closed */
static int do_receive_drop(char **a)
{
	int err = 0, fd;

	for (long n = to_long(a[0]); n > 0 && !err; n--) {
		err = receive_fd(STDIN_FILENO, &fd);
		if (fd >= 0)
			close(fd);
	}
	return err;
}

/* shared-tables KIND DIR ROUNDS N: a child with the same table takes N, and ends; we close them */
static int do_shared_tables(char **a)
{
	const struct kind *kind = find_kind(a[0]);
	long n = to_long(a[3]);
	int err = 0;

	for (long round = to_long(a[2]); round > 0 && !err; round--) {
		int first = dup(STDIN_FILENO);
		long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

		if (!pid)
			_exit(take(kind, a[1], n) ? 1 : 0);
		err = pid < 0 ? errno : reap_all();
		if (close_range((unsigned int)first, ~0u, 0))
			err = errno;
	}
	return err;
}

/* dups N: numbers made and closed; descriptions are none */
static int do_dups(char **a)
{
	for (long n = to_long(a[0]); n > 0; n--) {
		int fd = dup(STDIN_FILENO);

		if (fd < 0 || dup2(STDIN_FILENO, fd) != fd || close(fd))
			return errno;
	}
	return 0;
}

static void open_and_pipe(const char *dir, long n)
{
	for (; n > 0; n--) {
		int fd = open(in_dir(dir, "f"), O_RDONLY | O_CLOEXEC), pair[2];

		if (fd < 0 || pipe2(pair, O_CLOEXEC))
			_exit(1);
		close(fd);
		close(pair[0]);
		close(pair[1]);
	}
	_exit(0);
}

/* pinned DIR N: AT_ONCE processes on one CPU, where they preempt each other anywhere */
static int do_pinned(char **a)
{
	cpu_set_t cpus;
	int err = 0;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	for (int i = 0; i < AT_ONCE; i++) {
		pid_t pid = fork();

		if (!pid) {
			if (sched_setaffinity(0, sizeof(cpus), &cpus))
				_exit(1);
			open_and_pipe(a[0], to_long(a[1]));
		}
		err = pid < 0 ? errno : err;
	}
	return reap_all() ?: err;
}

/* A file, a pipe, a memfd, one sent and received, a child that holds them all and ends. */
static int churn_once(const char *dir, int pair[2])
{
	static const char *const words[] = { "open", "pipe", "memfd", "eventfd" };
	int err = 0, fd = -1;
	pid_t pid;

	for (int i = 0; i < 4 && !err; i++)
		err = take(find_kind(words[i]), dir, 1);
	if (err || send_fd(pair[0], held.fds[held.cnt - 1]))
		return err ?: errno;
	pid = fork();
	if (!pid)
		_exit(take(find_kind("open"), dir, 10));
	drop_to(0);
	err = receive_fd(pair[1], &fd);
	if (fd >= 0)
		close(fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* churn DIR: in two processes, until a line comes on stdin */
static int do_churn(char **a)
{
	int pair[2], err = 0;
	pid_t other;

	probe_say("hammering", 0, "");
	other = fork();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	do
		err = churn_once(a[0], pair);
	while (!err && (!other || !probe_line_waits()));
	if (!other)
		_exit(1);
	probe_wait_line();
	close(pair[0]);
	close(pair[1]);
	return kill_and_reap(other) ?: err;
}
