/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a guest's process: one record a thread group, with its wait status and usage. */
#include "charge.bpf.h"

/* The thread group's wait status, as the parent will see it. */
static __always_inline u32 wait_status(struct task_struct *leader)
{
	struct signal_struct *signal = leader->signal;

	if (signal->flags & SIGNAL_GROUP_EXIT)
		return signal->group_exit_code;
	return leader->exit_code;
}

/*
 * Usage of the whole group: what its reaped threads left in signal_struct, its leader, and the
 * last thread where that is another. Bytes and faults likewise.
 */
static __always_inline void fill_usage(struct pol_event_exit *ret, struct task_struct *task,
				       struct task_struct *leader)
{
	struct signal_struct *signal = leader->signal;

	ret->utime_ns = signal->utime + leader->utime;
	ret->stime_ns = signal->stime + leader->stime;
	ret->minflt = signal->min_flt + leader->min_flt;
	ret->majflt = signal->maj_flt + leader->maj_flt;
	ret->read_bytes = signal->ioac.read_bytes + leader->ioac.read_bytes;
	ret->write_bytes = signal->ioac.write_bytes + leader->ioac.write_bytes;
	ret->maxrss_bytes = signal->maxrss * PAGE_SIZE;
	if (task->pid == leader->pid)
		return;
	ret->utime_ns += task->utime;
	ret->stime_ns += task->stime;
	ret->minflt += task->min_flt;
	ret->majflt += task->maj_flt;
	ret->read_bytes += task->ioac.read_bytes;
	ret->write_bytes += task->ioac.write_bytes;
}

/* Before 6.16 a task that exits has given its memory, and with it its executable, back. */
POL_SUBPROG int remembered_exe(struct pol_event *event, struct task_struct *task)
{
	const struct pol_label *label = bpf_task_storage_get(&labels, task, NULL, 0);

	if (event->exe_len || !label)
		return 0;
	__builtin_memcpy(event->exe, label->exe, POL_EXE_SIZE);
	event->exe_len = label->exe_len;
	event->flags |= label->exe_flags;
	return 0;
}

POL_SUBPROG int send_exit(struct task_struct *task, u32 guest, u64 generation)
{
	const struct pol_guest_config *config = pol_guest_config(guest, generation);
	struct pol_guest_state *state = pol_state_of(guest);
	const struct pol_report_head head = {
		.guest = guest, .generation = generation, .type = POL_TYPE_EXIT
	};
	struct task_struct *leader = task->group_leader;
	struct pol_event *event;

	event = state ? pol_event_begin(&head, task) : NULL;
	if (!event)
		return 0;
	fill_usage(&event->exit, task, leader);
	event->exit.code = wait_status(leader);
	event->exit.cause = event->exit.code & 0x7f ? POL_CAUSE_SIGNAL : POL_CAUSE_EXIT;
	if (state->killed && (event->exit.code & 0x7f) == SIGKILL)
		event->exit.cause = POL_CAUSE_CEILING;
	event->exit.duration_ns = event->boot_ns - event->process.start_ns;
	event->exit.fds_peak = POL_NO_CEILING;
	if (config && config->fds != POL_NO_CEILING)
		event->exit.fds_peak = state->fds_peak;
	pol_event_exes(event);
	remembered_exe(event, task);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* A thread that is a guest does not make its process one. */
static __always_inline bool is_lone_thread(struct task_struct *task, u32 guest)
{
	const struct pol_label *own = bpf_task_storage_get(&labels, task, NULL, 0), *leader;

	if (!own || !(own->flags & (POL_LABEL_THREAD | POL_LABEL_LOOSE)))
		return false;
	leader = bpf_task_storage_get(&labels, task->group_leader, NULL, 0);
	return !leader || leader->guest != guest;
}

/**
 * pol_exit - a task ends: it is charged no longer; the last one of its thread group makes the
 * record.
 *
 * Two threads that end at once both see nobody left alive: the label of the leader says who was
 * first. Context: tp_btf/sched_process_exit; can be skipped under preemption (kernel-notes.md):
 * pol_task_free takes the charge back then.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(pol_exit, struct task_struct *task)
{
	struct pol_label *label;
	u64 generation = 0;
	u32 guest;

	guest = pol_guest_of(task, &generation); /* before 6.2 it may need the charge */
	pol_task_release(pol_address(task));
	if (!guest || task->signal->live.counter || is_lone_thread(task, guest))
		return 0;
	label = bpf_task_storage_get(&labels, task->group_leader, NULL, 0);
	if (label && __sync_fetch_and_or(&label->flags, POL_LABEL_EXITED) & POL_LABEL_EXITED)
		return 0;
	send_exit(task, guest, generation);
	return 0;
}
