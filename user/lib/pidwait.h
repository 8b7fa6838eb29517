/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of any process, child or not: of a guest's, the record that the engine keeps; else by a
 * pidfd and what the kernel tells through it, else by looking at /proc. The result is an exit event,
 * as the engine's own are.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "event.h"

/* Which step gave the answer, the best first. */
enum pol_pidwait_step {
	POL_PIDWAIT_NOBODY = 0, /* there is no such process */
	POL_PIDWAIT_ENGINE,	/* the engine's record: it was a guest's */
	POL_PIDWAIT_CHILD,	/* waitid(2): it is the caller's child */
	POL_PIDWAIT_INFO,	/* PIDFD_GET_INFO, from 6.15: whosever child it was */
	POL_PIDWAIT_PIDFD, /* pidfd and poll(2); the code from its zombie in /proc, or unknown */
	POL_PIDWAIT_PROC,  /* /proc/PID/stat every 100 ms: no pidfd_open(2) here; likewise */
};

/**
 * pol_pidwait() - block until a process has ended; a zombie has.
 * @start_ns: CLOCK_BOOTTIME of the start of the process that is meant, as events have it; if who
 *	has the number now started in another clock tick (10 ms), it is gone. 0: whoever has it now.
 * @ret: of type exit; the engine's record, that of one that ended before included, if it is among
 *	the newest (exits.h) and the caller may look, with executables as they were when the wait
 *	began; else @outside. Status and cause unknown where the kernel cannot say: not the
 *	caller's child, gone before it was looked at, and before 6.15; and for NOBODY, at once.
 *	Numbers that are not known: POL_EXIT_UNKNOWN; start_ns: 0; uid, gid: -1. Executable, parent,
 *	cgroup, uid and gid are those of when the wait began. start_ns is cut to a clock tick.
 *
 * A child of the caller is not reaped. From 6.15 on, a process whose first thread ended before the
 * others, and that is reaped at once, has that thread's code: the kernel keeps no other.
 *
 * Context: any thread; blocks; a signal does not end it. Opens descriptors, closed again.
 * Return: 0; -EINVAL: @pid is not positive, or a thread's number and no process's; -EACCES: there is
 * such a process, but neither a pidfd nor /proc/PID/stat is to be had; other negative errno of
 * pidfd_open(2), poll(2), or reading /proc. @ret and @ret_step are untouched then.
 */
int pol_pidwait(pid_t pid, uint64_t start_ns, struct pol_event_view *ret,
		enum pol_pidwait_step *ret_step);

/**
 * pol_pidwait_begin(), pol_pidwait_end() - the same in two steps: once it has begun, whatever happens
 * to the process is seen.
 * @ret: to be freed, whatever pol_pidwait_end() said, which is called once.
 *
 * Return: as pol_pidwait(), -ENOMEM; of end, 0 or a negative errno of poll(2) or reading /proc.
 */
struct pol_pidwait;
int pol_pidwait_begin(pid_t pid, uint64_t start_ns, struct pol_pidwait **ret);
int pol_pidwait_end(struct pol_pidwait *wait, struct pol_event_view *ret,
		    enum pol_pidwait_step *ret_step);
void pol_pidwait_freep(struct pol_pidwait **wait);
