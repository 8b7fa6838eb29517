/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of one process or thread: proc(5), /proc/PID/stat and /proc/PID/status. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct pol_proc - fields of /proc/PID/stat. Times in ns, of whole clock ticks (10 ms).
 * @comm: as the kernel has it, any bytes. @state: 'R', 'S', ... 'Z', 'X'. @flags: PF_* of
 * include/linux/sched.h.
 * @threads: that the process still has; a zombie itself counts, 0: it is being reaped.
 * @start_ns: CLOCK_BOOTTIME.
 * @wait_status: as wait(2) has it; 0 as well for who may not see it (ptrace(2), PTRACE_MODE_READ).
 */
struct pol_proc {
	char comm[16];
	char state;
	pid_t parent;
	unsigned int flags;
	uint64_t minflt;
	uint64_t majflt;
	uint64_t utime_ns;
	uint64_t stime_ns;
	uint32_t threads;
	uint64_t start_ns;
	uint32_t wait_status;
};

/* The process of a thread, and its real ids. */
struct pol_proc_ids {
	pid_t tgid;
	uid_t uid;
	gid_t gid;
};

/**
 * pol_proc_read() - read /proc/PID/stat.
 * @pid: a process, or a thread of one.
 *
 * Return: 0; -ESRCH: there is none, or it is hidden (hidepid=), or there is no /proc; -EBADMSG: not
 * the form that proc(5) has; other negative errno of open(2) and read(2): nothing is known.
 */
int pol_proc_read(pid_t pid, struct pol_proc *ret);

/* pol_proc_parse() - the text of such a file. Return: 0; -EBADMSG. @ret is untouched on failure. */
int pol_proc_parse(const char *text, struct pol_proc *ret);

/* pol_proc_ids() - read /proc/PID/status. Return: as pol_proc_read(). */
int pol_proc_ids(pid_t pid, struct pol_proc_ids *ret);

/* pol_proc_tick_ns() - what times are counted in. */
uint64_t pol_proc_tick_ns(void);

/* pol_pidfd_is_reaped() - nothing of the process is left, not even a zombie. */
bool pol_pidfd_is_reaped(int pidfd);

/* pol_proc_ended() - no thread of the process runs any more. A leader alone can end before. */
bool pol_proc_ended(const struct pol_proc *proc);

/* pol_proc_is_kernel() - it is a thread of the kernel's. */
bool pol_proc_is_kernel(const struct pol_proc *proc);
