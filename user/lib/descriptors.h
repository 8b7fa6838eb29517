/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptor table: what a program begins with, and what a new one inherits. Async-signal-safe. */
#pragma once

#include <stddef.h>

/**
 * pol_open_standard() - what is closed of descriptors 0 to 2 becomes /dev/null, over no execve(2):
 * else a file of ours would get that number, and be written to.
 * Return: 0; negative errno.
 */
int pol_open_standard(void);

/**
 * pol_close_others() - close every descriptor but 0, 1, 2 and the sorted @keep, also those above a
 * lowered RLIMIT_NOFILE.
 *
 * close_range(2), else what /proc/self/fd lists (getdents64(2)).
 * Return: 0; negative errno: some could still be open. -ENOENT, -EACCES: close_range(2) is not to be
 * had, nor /proc; -EBADF: what is there is no procfs; -EBUSY: close(2) leaves one open; others of
 * getdents64(2).
 */
int pol_close_others(const int *keep, size_t keep_cnt);

/* pol_keep_over_exec() - clear FD_CLOEXEC. Return: 0; -EBADF: one of @keep is not open. */
int pol_keep_over_exec(const int *keep, size_t keep_cnt);
