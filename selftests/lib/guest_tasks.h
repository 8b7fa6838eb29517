/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of tasks and their ceiling share. */
#pragma once

#include <sys/types.h>

#include "guest_fds.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* A new tree: @good, below it what guests of tasks_guest() may open; @bad they may not. */
struct tasks_tree {
	const char *root, *good, *bad;
};

extern struct tasks_tree tree;
void tasks_make_tree(void);

/* The text of a guest with a ceiling of tasks. @more: further lines of its limits. */
const char *tasks_guest(const char *name, int pids, const char *more);

/*
 * pids.now once it is @want, or after some seconds: an exit that the program at sched_process_exit
 * missed is seen when the kernel frees the task.
 */
#define tasks_settle(guest, want) guest_settles(guest, "pids.now", want)

/* Path of a file of the guest's cgroup. */
const char *tasks_cgroup(const char *guest, const char *file);

/* As the operator: @pid to another cgroup. Return: 0 or -errno. */
int tasks_move(pid_t pid, const char *cgroup);

/* Of /proc/PID/cgroup, the path in the cgroup2 tree; "" if it is gone. */
const char *tasks_cgroup_of(pid_t pid);

/* A step for member @nr of a payload that runs "members"; 0 is the one that reads. */
__attribute__((format(printf, 3, 4))) void tasks_order(struct probe *p, int nr, const char *fmt,
						       ...);

/* The numbers in a line after its word; -1 for what is not there. */
struct numbers {
	long n[8];
};
struct numbers tasks_numbers(const char *line);

#define CEILING(guest, ...) EVENTS("type=ceiling", text("guest.name=%s", guest), ##__VA_ARGS__)
