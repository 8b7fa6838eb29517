/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon's pid file, believed only where nobody but root can have written it. */
#pragma once

#include <sys/types.h>

#include "err.h"

/**
 * pol_pid_file_read() - the process id in a file.
 * @path: absolute, clean. Opened component by component: no symlink, and each directory and the file
 *	  belong to root and are written by nobody else (a sticky directory is).
 * @err: what is wrong with it, as a clause.
 *
 * The file holds one number and white space. A fifo or a device is not waited for.
 * Return: 0; -ENOENT: not there; -ELOOP: a symlink; -EPERM: others could write it; -EINVAL: not a
 * regular file, or no process id in it; else what opening gave.
 */
int pol_pid_file_read(const char *path, pid_t *ret, struct pol_err *err);
