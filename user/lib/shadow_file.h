/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of which a guest may be given snapshots: found beneath the paths of its policy. */
#pragma once

#include "err.h"
#include "policy.h"

/**
 * pol_shadow_file_open() - open one for reading.
 * @path: clean (pol_path_clean()). What it leads to has to lie in one of the policy's paths, which have
 *	no symlink on them: a guest that may make names there chooses among what they have, and nothing else.
 *
 * Nothing but a regular file is opened: to open a FIFO would block, to open a device may do something.
 * Return: descriptor; -EACCES: it leads to none of them, or may not be looked up; -ENODEV: no regular file, or one
 * of the kernel's own (procfs and its like); -EOPNOTSUPP: of a filesystem whose files have no lasting
 * identity (resolve.h), so that nobody could say when it changes; -EBUSY: a lease; else what openat2(2)
 * gave.
 */
int pol_shadow_file_open(const struct pol_shadow_policy *policy, const char *path, struct pol_err *err);
