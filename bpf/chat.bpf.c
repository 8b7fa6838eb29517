/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exec and fork records, where a guest's policy asks for them (events). Attached only while some
 * guest of the policy does: user/lib/load.c. What is allowed is told in verdict.bpf.c.
 */
#include "event.bpf.h"

/* A record about @task, if it is a guest whose policy asks for this: @flag, POL_GUEST_EVENT_*. */
static __always_inline int tell(struct task_struct *task, u32 type, u32 flag)
{
	struct pol_report_head head = { .type = type };
	const struct pol_guest_config *config;
	struct pol_event *event;

	head.guest = pol_guest_of(task, &head.generation);
	if (!head.guest)
		return 0;
	config = pol_guest_config(head.guest, head.generation);
	if (!config || !(config->flags & flag))
		return 0;
	event = pol_event_reserve(&head);
	if (!event)
		return 0;
	pol_event_process(&event->process, task);
	pol_event_exes_of(event, pol_address(task));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/**
 * pol_told_fork - fork(2), vfork(2), clone(2): the record is about the child, which has not run yet;
 * a thread is none.
 *
 * Context: tp_btf/sched_process_fork, in the parent: its credentials are the child's as well. Skipped
 * where another task was preempted in it, and then only the kernel's recursion_misses tells: no LSM hook
 * comes once the child has its number.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(pol_told_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0;
	return tell(child, POL_TYPE_FORK, POL_GUEST_EVENT_FORK);
}

/**
 * pol_told_exec - execve(2) cannot go back any more: the record is about the process as it is now. Of
 * a script the executable is its interpreter, and the name the script's.
 *
 * Context: lsm/bprm_committed_creds, in the task, which is its process's only one. Not the tracepoint
 * sched_process_exec: a program there is skipped where another task was preempted in it.
 */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(pol_told_exec, struct linux_binprm *bprm)
{
	return tell(bpf_get_current_task_btf(), POL_TYPE_EXEC, POL_GUEST_EVENT_EXEC);
}
