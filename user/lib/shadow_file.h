/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of which a guest may be given snapshots: found beneath the paths of its policy. */
#pragma once

#include "err.h"
#include "policy.h"

/**
 * pol_shadow_file_open() - open one for reading.
 * @path: clean (pol_path_clean()). By its text it lies in one of the policy's paths; from there on the
 *	kernel resolves it, and no symlink leads out.
 *
 * Nothing but a regular file is opened: to open a FIFO would block, to open a device may do something.
 * Return: descriptor; -EACCES: it lies in none of them, or leads out; -ENODEV: no regular file, or one
 * of the kernel's own (procfs and its like); -EOPNOTSUPP: of a filesystem whose files have no lasting
 * identity (resolve.h), so that nobody could say when it changes; -EBUSY: a lease; else what openat2(2)
 * gave.
 */
int pol_shadow_file_open(const struct pol_shadow_policy *policy, const char *path, struct pol_err *err);
