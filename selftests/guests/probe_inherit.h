/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of the payload: descriptors over exec. */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include "probe.h"

#define INHERIT_STEPS STEP("keep", 1, keep), STEP("has-fd", 1, has_fd), STEP("bring-race", 2, bring_race)

/* keep SLOT: it goes along over exec from now on */
static int do_keep(char **a)
{
	return probe_result(fcntl(*probe_slot(a[0]), F_SETFD, 0));
}

#define HAS_FD 8
#define HAS_NONE 9

/* has-fd FD: ends with a status that says whether it is open */
static int do_has_fd(char **a)
{
	_exit(fcntl((int)strtol(a[0], NULL, 10), F_GETFD) < 0 ? HAS_NONE : HAS_FD);
}

/* A process that shares our table, and executes itself. */
static pid_t start_sharer(char *fd)
{
	char *const argv[] = { (char[]){ "probe" }, (char[]){ "has-fd" }, fd, NULL };
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid)
		return pid;
	execv("/proc/self/exe", argv);
	_exit(errno);
}

/*
 * bring-race FD N: N times, a process that shares our descriptors executes itself, while we make FD
 * close-on-exec and take that back. Says how often it came through without, was refused, was killed;
 * EBADE: it had FD once.
 */
static int do_bring_race(char **a)
{
	int fd = (int)strtol(a[0], NULL, 10), cnt[4] = { 0 }, status;
	long n = strtol(a[1], NULL, 10);
	char more[64];

	while (n--) {
		pid_t pid = start_sharer(a[0]);

		if (pid < 0)
			return errno;
		for (unsigned int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++)
			fcntl(fd, F_SETFD, i & 1 ? FD_CLOEXEC : 0);
		cnt[WIFSIGNALED(status)		       ? 2
		    : WEXITSTATUS(status) == HAS_NONE  ? 0
		    : WEXITSTATUS(status) == HAS_FD    ? 3
						       : 1]++;
	}
	snprintf(more, sizeof(more), "%d %d %d", cnt[0], cnt[1], cnt[2]);
	probe_say("brought", cnt[3], more);
	return cnt[3] ? EBADE : 0;
}
