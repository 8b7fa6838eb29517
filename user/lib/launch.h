/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a program as a guest: born in the guest's cgroup with the guest's label, so that it is
 * confined before its first instruction, and with no descriptor that was not asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine.h"
#include "meta.h"

/* struct pol_launch_root - @mounts: of a mount namespace. @root: of the root in it, O_PATH. */
struct pol_launch_root {
	int mounts;
	int root;
};

#define POL_PLACED_MAX 64

/* struct pol_placed_fd - the program gets descriptor @fd as its @as. */
struct pol_placed_fd {
	int fd;
	int as;
};

/**
 * struct pol_launch - @path: program, absolute. @argv, @envp: as for execve(2).
 * @keep_fds: descriptors above 2 that the program gets, FD_CLOEXEC or not. @placed: others, under other
 * numbers, none twice; 0 to 2 can be among them; at most POL_PLACED_MAX. @uid, @gid: with
 * @set_user, and no supplementary groups but @groups. @tmp: a directory, absolute, that is /tmp and
 * /var/tmp for the program, in a mount namespace of its own; or NULL. @root: the program begins in it,
 * at "/", and @path is one in it; or NULL. Not both; neither with pol_launch_placed().
 */
struct pol_launch {
	const char *path;
	char *const *argv;
	char *const *envp;
	const int *keep_fds;
	size_t keep_fds_cnt;
	const struct pol_placed_fd *placed;
	size_t placed_cnt;
	bool set_user;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t groups_cnt;
	bool no_new_privs;
	const char *tmp;
	const struct pol_launch_root *root;
};

/* Where a launch failed; the errno is the return value. */
enum pol_launch_step {
	POL_LAUNCH_SETUP = 0,
	POL_LAUNCH_DESCRIPTORS, /* no way to close what was inherited: not started */
	POL_LAUNCH_CLONE,	/* EAGAIN: the guest's task ceiling */
	POL_LAUNCH_LABEL,	/* EAGAIN: the kernel gave the child none (before 6.2), each time */
	POL_LAUNCH_PLACE,	/* place() of pol_launch_placed() said so */
	POL_LAUNCH_TMP, /* its /tmp cannot be made */
	POL_LAUNCH_ROOT, /* its root cannot be entered */
	POL_LAUNCH_USER,
	POL_LAUNCH_EXEC,
};

/**
 * pol_launch() - start it; the new process is the caller's child.
 * @cgroup_fd: of the guest's cgroup. @ret_pid: to be waited for.
 *
 * Between fork and exec only async-signal-safe calls are made: the caller may have threads.
 * Return: 0; negative errno with @ret_step; nothing is left running then.
 */
int pol_launch(const struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup_fd,
	       const struct pol_launch *launch, pid_t *ret_pid, enum pol_launch_step *ret_step);

/**
 * pol_launch_placed() - start it without the engine, for a guest with ceilings only.
 * @limits: RLIMIT_NOFILE is set under its ceiling of descriptors.
 * @place: called with the process's id before its execve(2), while it stands still; not 0: it is not
 *	   started.
 *
 * Return: as pol_launch(); what @place returned, with POL_LAUNCH_PLACE.
 */
int pol_launch_placed(const struct pol_limits *limits, const struct pol_launch *launch,
		      int (*place)(pid_t pid, void *arg), void *arg, pid_t *ret_pid,
		      enum pol_launch_step *ret_step);

/**
 * pol_launch_in_place() - this process becomes the program: same pid, same cgroup, no child.
 * @launch: without tmp and root.
 * @adopt: makes @pid, which stands still, the guest; called in another process, which lies in the root
 *	   cgroup and is no child of this one. Not 0: the program is not started.
 *
 * Closes descriptors, so that a caller which goes on after a failure has 0 to 2 and those it keeps.
 * Return: does not; negative errno with @ret_step: as pol_launch(); what @adopt returned, or -ECHILD:
 * it died, with POL_LAUNCH_PLACE.
 */
int pol_launch_in_place(const struct pol_launch *launch, int (*adopt)(pid_t pid, void *arg),
			void *arg, enum pol_launch_step *ret_step);
