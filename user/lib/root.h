/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process's root and mounts, below which its guest's rules with in = "guest" are resolved. */
#pragma once

#include <sys/types.h>

#include "err.h"
#include "meta.h"
#include "resolve.h"

/**
 * struct pol_home - an open root. @root: for pol_resolve_in(). @id: which one.
 * @pid: whose; 0: the caller's own. @mountinfo: storage of @root.mountinfo.
 */
struct pol_home {
	struct pol_root root;
	struct pol_root_id id;
	pid_t pid;
	char mountinfo[32];
};

/**
 * pol_home_open() - of a process or thread that runs already, or (@pid 0) of the caller, who starts one.
 *
 * Return: 0; -ESRCH: no such process; -EXDEV: its root is no mount (chroot(2)), so nobody can say
 * where that is; else what /proc gave.
 */
int pol_home_open(pid_t pid, struct pol_home *ret, struct pol_err *err);
void pol_home_close(struct pol_home *home);

/* pol_home_check() - is it still what it was when it was opened? Return: 0; -ESTALE. */
int pol_home_check(const struct pol_home *home, struct pol_err *err);

/* pol_mounts_of() - inode number of a process's or thread's mount namespace; 0: it is gone. */
uint64_t pol_mounts_of(pid_t pid);

bool pol_root_same(const struct pol_root_id *a, const struct pol_root_id *b);
