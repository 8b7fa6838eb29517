/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each step, forced by seccomp(2). What is open after it is asked of the numbers themselves
 * (fcntl(2)), not of /proc. In a forked process: the table of the test itself is needed.
 */
#include "descriptors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls.h"

#define HIGH 1000 /* above the lowered limit */
#define MANY 700  /* more than one getdents64(2) lists: 24 bytes an entry, 4096 a call */

/* What a child found; 0: all is well. */
enum {
	WELL,
	LEFT_OPEN = 1,	 /* a descriptor that nobody asked for */
	CLOSED_KEPT = 2, /* 0 to 2, or one that was asked for */
	OTHER_RESULT = 3,
};

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Descriptors, low, many and high, some of them CLOEXEC; the limit below most of them. */
static void fill_table(void)
{
	struct rlimit limit = { .rlim_cur = HIGH + 1, .rlim_max = HIGH + 1 };
	int fd = open("/dev/null", O_RDONLY);

	(void)setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 3; i < MANY; i++)
		if (i != fd)
			dup3(fd, i, i % 2 ? O_CLOEXEC : 0);
	dup2(fd, HIGH);
	limit.rlim_cur = limit.rlim_max = 16;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int look_at_table(const int *keep, size_t keep_cnt)
{
	for (int fd = 0; fd <= HIGH + 100; fd++) {
		bool wanted = fd < 3;

		for (size_t i = 0; i < keep_cnt; i++)
			wanted = wanted || keep[i] == fd;
		if (is_open(fd) != wanted)
			return wanted ? CLOSED_KEPT : LEFT_OPEN;
	}
	return WELL;
}

static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		fill_table();
		_exit(fn());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int close_and_look(const int *keep, size_t keep_cnt)
{
	return pol_close_others(keep, keep_cnt) ? OTHER_RESULT : look_at_table(keep, keep_cnt);
}

static int close_all_kinds(void)
{
	static const int keep[] = { 0, 3, 5, 5, 6, 300, HIGH };

	return close_and_look(keep, 7);
}

static int close_all(void)
{
	return close_and_look(NULL, 0);
}

static int expect_result(int expected)
{
	return pol_close_others(NULL, 0) == expected ? WELL : OTHER_RESULT;
}

/* ---- close_range(2) ---- */

Test(descriptors, by_close_range)
{
	cr_assert_eq(in_child(close_all), WELL);
	cr_assert_eq(in_child(close_all_kinds), WELL);
}

/* ---- else /proc/self/fd, for which the full table has no number at first ---- */

static int no_close_range(void)
{
	test_refuse(SYS_close_range, ENOSYS);
	return close_all_kinds();
}

static int no_close_range_keep_none(void)
{
	test_refuse(SYS_close_range, EPERM);
	return close_all();
}

Test(descriptors, by_proc)
{
	cr_assert_eq(in_child(no_close_range), WELL);
	cr_assert_eq(in_child(no_close_range_keep_none), WELL);
}

static int interrupted(void)
{
	static const int results[] = { EINTR, EINTR, 0, EINTR, 0, EINTR };

	test_refuse(SYS_close_range, ENOSYS);
	test_script(SYS_getdents64, results, 6);
	return close_all_kinds();
}

Test(descriptors, a_reading_that_is_interrupted_goes_on)
{
	cr_assert_eq(in_child(interrupted), WELL);
}

/* Fails in the middle: what it said so far is closed, and the rest is not called done. */
static int fails_midway(void)
{
	static const int results[] = { 0, 0, EIO };

	test_refuse(SYS_close_range, ENOSYS);
	test_script(SYS_getdents64, results, 3);
	return expect_result(-EIO);
}

Test(descriptors, an_error_is_not_an_end)
{
	cr_assert_eq(in_child(fails_midway), WELL);
}

/* ---- else an error ---- */

static int no_proc(void)
{
	test_refuse(SYS_close_range, ENOSYS);
	test_refuse(SYS_openat, ENOENT);
	return expect_result(-ENOENT);
}

/* All numbers below the limit are asked for: the list finds none. */
static int no_number_left(void)
{
	static const int keep[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	test_refuse(SYS_close_range, ENOSYS);
	return pol_close_others(keep, 13) == -EMFILE ? WELL : OTHER_RESULT;
}

static int other_filesystem(void)
{
	test_refuse(SYS_close_range, ENOSYS);
	test_refuse(SYS_fstatfs, ENOSYS);
	return expect_result(-EBADF);
}

static int cannot_close(void)
{
	close(4); /* for the list */
	test_refuse(SYS_close_range, ENOSYS);
	test_refuse(SYS_close, EPERM);
	return expect_result(-EBUSY);
}

Test(descriptors, no_way_is_an_error, .timeout = 30)
{
	cr_assert_eq(in_child(no_proc), WELL);
	cr_assert_eq(in_child(no_number_left), WELL);
	cr_assert_eq(in_child(other_filesystem), WELL);
	cr_assert_eq(in_child(cannot_close), WELL);
}

/* ---- over an exec ---- */

static int keep_over_exec(void)
{
	static const int keep[] = { 4, 5 }; /* 5 is CLOEXEC */

	(void)fcntl(5, F_SETFL, O_NONBLOCK);
	if (pol_keep_over_exec(keep, 2))
		return OTHER_RESULT;
	if (fcntl(4, F_GETFD) || fcntl(5, F_GETFD))
		return CLOSED_KEPT;
	if (!(fcntl(5, F_GETFL) & O_NONBLOCK)) /* its own flags are not touched */
		return OTHER_RESULT;
	return fcntl(7, F_GETFD) == FD_CLOEXEC ? WELL : LEFT_OPEN;
}

static int keep_what_is_closed(void)
{
	static const int keep[] = { 4, HIGH + 1 };

	return pol_keep_over_exec(keep, 2) == -EBADF ? WELL : OTHER_RESULT;
}

Test(descriptors, kept_over_exec)
{
	cr_assert_eq(in_child(keep_over_exec), WELL);
	cr_assert_eq(in_child(keep_what_is_closed), WELL);
}
