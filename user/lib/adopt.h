/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making running processes a guest's, with all their threads and children, and the reverse. */
#pragma once

#include <sys/types.h>

#include "engine.h"
#include "meta.h"

/**
 * pol_attach() - adopt a process, its threads and its descendants.
 * @ret_cnt: processes that were moved.
 *
 * Moves and labels until a whole pass over /proc finds nobody left, so that a fork that races is
 * caught; a task forked by one that is in already is the guest by birth.
 *
 * Return: 0; -ESRCH: no such process; -EPERM: pid 1, a kernel thread or ourselves; -EALREADY: it is
 * another guest's; -EAGAIN: the guest's task ceiling would be passed (nothing was moved).
 */
int pol_attach(struct pol_engine *engine, const struct pol_meta *meta,
	       const struct pol_meta_guest *guest, pid_t pid, size_t *ret_cnt, struct pol_err *err);

/**
 * pol_detach() - the reverse: to the cgroup it came from, else the root, and without a label.
 * @ret_guest: id of the guest it was.
 *
 * Return: 0; -ESRCH; -ENOENT: it is no guest.
 */
int pol_detach(struct pol_engine *engine, pid_t pid, size_t *ret_cnt, uint32_t *ret_guest,
	       struct pol_err *err);

/* pol_held() - descriptors of a process that its guest could not open now. @fn as pol_iterate(). */
int pol_held(const struct pol_engine *engine, pid_t pid, int (*fn)(const void *, void *),
	     void *arg);
