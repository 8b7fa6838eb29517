/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "exits.h"
#include "here.h"
#include "pidwait_int.h"

void pol_pidwait_init(struct pol_pidwait *wait, pid_t pid)
{
	*wait = (struct pol_pidwait){
		.pid = pid,
		.pidfd = -EBADF,
		.process = {
			.tgid = (uint32_t)pid,
			.tid = (uint32_t)pid,
			.uid = (uint32_t)-1,
			.gid = (uint32_t)-1,
		},
		.exit = {
			.duration_ns = POL_EXIT_UNKNOWN,
			.utime_ns = POL_EXIT_UNKNOWN,
			.stime_ns = POL_EXIT_UNKNOWN,
			.maxrss_bytes = POL_EXIT_UNKNOWN,
			.minflt = POL_EXIT_UNKNOWN,
			.majflt = POL_EXIT_UNKNOWN,
			.read_bytes = POL_EXIT_UNKNOWN,
			.write_bytes = POL_EXIT_UNKNOWN,
			.cause = POL_CAUSE_UNKNOWN,
			.fds_peak = POL_NO_CEILING,
		},
	};
}

static void fill_numbers(struct pol_pidwait *wait, uint64_t now_ns)
{
	const struct pol_proc *proc = &wait->proc;

	if (!wait->seen)
		return;
	wait->process.start_ns = proc->start_ns;
	memcpy(wait->process.comm, proc->comm, sizeof(wait->process.comm));
	if (!wait->was_over)
		wait->exit.duration_ns = now_ns - proc->start_ns;
	if (!pol_proc_ended(proc))
		return; /* what is known is of a moment before its end */
	wait->exit.utime_ns = proc->utime_ns;
	wait->exit.stime_ns = proc->stime_ns;
	wait->exit.minflt = proc->minflt;
	wait->exit.majflt = proc->majflt;
}

static struct pol_event_text put_exe(char *to, size_t size, const char *exe)
{
	int len = snprintf(to, size, "%s", exe);

	return (struct pol_event_text){ .data = len ? to : NULL, .len = (size_t)len };
}

void pol_pidwait_view(struct pol_pidwait *wait, struct pol_event_view *ret)
{
	uint64_t now_ns = wait->end_ns ? wait->end_ns : pol_boot_ns();

	fill_numbers(wait, now_ns);
	if (wait->step == POL_PIDWAIT_ENGINE)
		pol_exits_view(&wait->record, ret);
	else
		*ret = (struct pol_event_view){
			.type = POL_TYPE_EXIT,
			.boot_ns = now_ns,
			.outside = true,
			.has_process = true,
			.process = wait->process,
			.exit = wait->exit,
		};
	ret->exe = put_exe(ret->exe_buf, sizeof(ret->exe_buf), wait->exe);
	ret->parent_exe =
		put_exe(ret->parent_exe_buf, sizeof(ret->parent_exe_buf), wait->parent_exe);
}
