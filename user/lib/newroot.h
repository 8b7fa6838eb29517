/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a root: a tmpfs in a mount namespace of its own, in it what a struct pol_view says, and
 * nothing else. A process that is no guest makes it and then waits, so that it can be looked at and
 * joined; with its end, and nobody in it, all of it is gone.
 */
#pragma once

#include <sys/types.h>

#include "err.h"
#include "view.h"

/* struct pol_newroot - @pid: in it, waiting; a child of the caller's. @hold: it waits for its end. */
struct pol_newroot {
	pid_t pid;
	int hold;
};

#define POL_NEWROOT_NONE (struct pol_newroot){ .hold = -EBADF }

/**
 * pol_newroot_make() - make it.
 * @uid, @gid: whose a file is that has to be made.
 *
 * Between fork and its end the child makes only async-signal-safe calls: the caller may have threads.
 * Return: 0; -ENOENT, -ESTALE, -ELOOP: something that is to be seen is not there, is not what the rule
 * was made on, or is a symlink now; -EINVAL: the caller's root is no mount that can be left
 * (pivot_root(2)); else what a call gave. @err names what was mapped where.
 */
int pol_newroot_make(const struct pol_view *view, uid_t uid, gid_t gid, struct pol_newroot *ret,
		     struct pol_err *err);

/* pol_newroot_release() - let it go, and wait for it. */
void pol_newroot_release(struct pol_newroot *root);
