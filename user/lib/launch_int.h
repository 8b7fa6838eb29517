/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What starting a program (launch.c) and becoming one (launch_in_place.c) share. */
#pragma once

#include "launch.h"

#define POL_KEEP_MAX 64 /* descriptors that a program is given as they are */
#define POL_OWN_MAX  5	/* those that a process uses until it becomes the program */

/* pol_launch_become() - the launch's user, and no_new_privs; async-signal-safe. */
int pol_launch_become(const struct pol_launch *launch);

/* pol_launch_check() - are the launch's descriptors there? Return: 0; -E2BIG; -EBADF; -EEXIST: one number twice. */
int pol_launch_check(const struct pol_launch *launch);

/**
 * pol_launch_keep() - what was inherited goes, but for @launch's descriptors and 0 to 2.
 * @own: the caller's, which stay until execve(2); one whose number the program is to have is moved.
 *
 * Async-signal-safe; after pol_launch_check().
 * Return: 0; as pol_close_others(); -EINVAL, -EMFILE: a number is above RLIMIT_NOFILE.
 */
int pol_launch_keep(const struct pol_launch *launch, int *const *own, size_t own_cnt);
