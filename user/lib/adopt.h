/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making running processes a guest's, with all their threads and children, and the reverse. */
#pragma once

#include <sys/types.h>

#include "engine.h"
#include "meta.h"

/* pol_attach_target() - can it be a guest? Return: 0; -ESRCH; -EPERM: pid 1, a kernel thread, ourselves. */
int pol_attach_target(pid_t pid, struct pol_err *err);

/**
 * pol_attach() - adopt a process, its threads and its descendants.
 * @cgroup: of the guest (pol_enter()). @ret_cnt: processes that were moved.
 *
 * Moves and labels until a whole pass over /proc finds nobody left, so that a fork that races is
 * caught; a task forked by one that is in already is the guest by birth.
 *
 * Return: 0; -ESRCH: no such process; -EPERM: pid 1, a kernel thread or ourselves; -EALREADY: it is
 * another guest's; -EAGAIN, -EMFILE: the guest's ceiling of tasks, of descriptors would be passed
 * (nothing was moved).
 */
int pol_attach(struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup, pid_t pid,
	       size_t *ret_cnt, struct pol_err *err);

/* pol_attach_check() - could it be adopted? Changes nothing. Return: as pol_attach(). */
int pol_attach_check(const struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid,
		     struct pol_err *err);

/**
 * pol_attach_thread() - label one thread: the other threads of its process stay what they are, its
 * children from now on are the guest. It has no cgroup and no RLIMIT_NOFILE of its own.
 *
 * Return: 0; -ESRCH; -EPERM; -EALREADY: it is a guest's; -EAGAIN: the guest's ceiling of tasks;
 * -EINVAL: the guest has a ceiling that only a cgroup can hold, or fds_baseline = "none".
 */
int pol_attach_thread(struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t tid,
		      struct pol_err *err);

/**
 * pol_detach() - the reverse: to the cgroup it came from, else the root, RLIMIT_NOFILE as it was,
 * and without a label. @pid may be a thread that was attached as one.
 * @ret_guest: id of the guest it was.
 *
 * Return: 0; -ESRCH; -ENOENT: it is no guest.
 */
int pol_detach(struct pol_engine *engine, pid_t pid, size_t *ret_cnt, uint32_t *ret_guest,
	       struct pol_err *err);

/**
 * pol_held_outside() - what a process and its descendants hold open that the guest could not open now,
 * by the decision that exec and received descriptors come to.
 * @thread: @pid is a thread: its process's alone. @fn: as pol_iterate(), gets struct pol_fd_record.
 */
int pol_held_outside(const struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid,
		     bool thread, int (*fn)(const void *, void *), void *arg);
