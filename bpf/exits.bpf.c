/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a guest's process: one record a thread group, with its wait status and usage.
 *
 * pol_exit makes it when the last thread ends. The kernel can skip that program; what it has missed
 * pol_task_free, which is never skipped, finds in the leader's entry of the table "tasks" and makes
 * up for. A flag there says that somebody makes the record; who sets it does.
 *
 * Each record is also kept, in "exits" and "ends": for who comes later than the ring's reader.
 */
#include "charge.bpf.h"

/* The thread group's wait status, as the parent will see it. */
static __always_inline u32 wait_status(struct task_struct *leader)
{
	struct signal_struct *signal = leader->signal;

	if (signal->flags & SIGNAL_GROUP_EXIT)
		return signal->group_exit_code;
	return leader->exit_code;
}

static __always_inline void add_usage(struct pol_event_exit *ret, struct task_struct *task)
{
	ret->utime_ns += task->utime;
	ret->stime_ns += task->stime;
	ret->minflt += task->min_flt;
	ret->majflt += task->maj_flt;
	ret->read_bytes += task->ioac.read_bytes;
	ret->write_bytes += task->ioac.write_bytes;
}

/*
 * Usage of the whole group: what its reaped threads left in signal_struct, and those that are not
 * reaped: its leader, and the last thread where that is another. @late: all are.
 */
static __always_inline void fill_usage(struct pol_event_exit *ret, struct task_struct *task,
				       bool late)
{
	struct task_struct *leader = task->group_leader;
	struct signal_struct *signal = task->signal;

	ret->utime_ns = signal->utime;
	ret->stime_ns = signal->stime;
	ret->minflt = signal->min_flt;
	ret->majflt = signal->maj_flt;
	ret->read_bytes = signal->ioac.read_bytes;
	ret->write_bytes = signal->ioac.write_bytes;
	ret->maxrss_bytes = signal->maxrss * PAGE_SIZE;
	if (late)
		return;
	add_usage(ret, leader);
	if (task->pid != leader->pid)
		add_usage(ret, task);
}

/*
 * Of one that is freed the task_struct is left, with signal_struct and credentials: its cgroup is
 * gone, its parent may be, and current is anybody.
 */
static __always_inline void fill_late_process(struct pol_event_process *process,
					      struct task_struct *task)
{
	__builtin_memset(process, 0, sizeof(*process));
	pol_event_task(process, task);
	process->uid = BPF_CORE_READ(task, cred, uid.val);
	process->gid = BPF_CORE_READ(task, cred, gid.val);
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

/* Who has sent the signal that ended it, if its leader's entry says so. */
static __always_inline bool fill_sender(struct pol_event_exit *ret, struct task_struct *task)
{
	u64 leader = pol_address(task->group_leader);
	const struct pol_task_charge *entry = bpf_map_lookup_elem(&tasks, &leader);

	if (!entry || *(volatile const u32 *)&entry->signal != (ret->code & 0x7f))
		return false;
	ret->sender = entry->sender;
	return true;
}

/* Some 20 ms: longer than a preempted virtual CPU that holds a lock is away, most of the time. */
#define LOOKS_AT_LOCK (1u << 20)

static int look_at_lock(u32 i, u64 *task)
{
	return !BPF_CORE_READ((struct task_struct *)*task, alloc_lock.rlock.raw_lock.val.counter);
}

/* PREEMPT_RT's lock is another: no waiting there. */
static __always_inline void wait_for_lock(const struct task_struct *task)
{
	u64 address = pol_address(task);

	if (bpf_core_field_exists(struct spinlock, rlock))
		bpf_loop(LOOKS_AT_LOCK, look_at_lock, &address, 0);
}

/*
 * The killer holds the lock of the group's first thread that has memory while it sends SIGKILL and
 * only then marks the group (mm/oom_kill.c: __oom_kill_process): one that is quick to die gets here
 * in between. That thread is the leader, or this one where the leader ended before.
 */
POL_SUBPROG bool is_oom_victim(struct task_struct *task)
{
	if (task->signal->oom_mm)
		return true;
	wait_for_lock(task->group_leader);
	if (task != task->group_leader)
		wait_for_lock(task);
	return *(struct mm_struct *volatile *)&task->signal->oom_mm;
}

/*
 * The OOM killer marks the processes that it ends, and also some that end already: so what has a
 * sender is the sender's.
 */
static __always_inline void fill_cause(struct pol_event_exit *ret, struct task_struct *task,
				       const struct pol_guest_state *state)
{
	u32 sig = ret->code & 0x7f;

	ret->cause = POL_CAUSE_EXIT;
	if (!sig)
		return;
	ret->cause = POL_CAUSE_SIGNAL;
	if (sig == SIGKILL && state->killed)
		ret->cause = POL_CAUSE_CEILING;
	else if (!fill_sender(ret, task) && sig == SIGKILL && is_oom_victim(task))
		ret->cause = POL_CAUSE_OOM;
}

/* @record has its guest and generation. */
POL_SUBPROG int fill_record(struct pol_exit_record *record, struct task_struct *task,
			    const struct pol_guest_state *state, bool late)
{
	const struct pol_guest_config *config = pol_guest_config(record->guest, record->generation);

	record->boot_ns = bpf_ktime_get_boot_ns();
	if (late)
		fill_late_process(&record->process, task);
	else
		pol_event_process(&record->process, task);
	fill_usage(&record->exit, task, late);
	record->exit.code = wait_status(task->group_leader);
	fill_cause(&record->exit, task, state);
	record->exit.backstop = late;
	record->exit.duration_ns = record->boot_ns - record->process.start_ns;
	record->exit.fds_peak = POL_NO_CEILING;
	if (config && config->fds != POL_NO_CEILING)
		record->exit.fds_peak = state->fds_peak;
	return 0;
}

/* Only who was overtaken by all other slots' writers, in the middle of it, still holds one. */
POL_SUBPROG int keep_recent(const struct pol_exit_record *record)
{
	u32 at = record->guest & (POL_EXIT_SETS - 1);
	struct pol_exit_set *set = bpf_map_lookup_elem(&exits, &at);
	struct pol_exit_slot *slot;
	u64 turn, was;

	if (!set)
		return 0;
	turn = __sync_fetch_and_add(&set->next, 1);
	slot = &set->slots[turn & (POL_EXIT_SLOTS - 1)];
	was = *(volatile u64 *)&slot->turn;
	if (was == POL_EXIT_WRITING ||
	    __sync_val_compare_and_swap(&slot->turn, was, POL_EXIT_WRITING) != was) {
		pol_fail_count(POL_FAIL_EXITS_NOT_KEPT);
		return 0;
	}
	slot->record = *record;
	__sync_lock_test_and_set(&slot->turn, turn + 1);
	return 0;
}

static __always_inline struct pol_guest_ends *ends_of(u32 guest)
{
	struct pol_guest_ends *found = bpf_map_lookup_elem(&ends, &guest);

	if (found)
		return found;
	bpf_map_update_elem(&ends, &guest, (const void *)&pol_no_ends, BPF_NOEXIST);
	return bpf_map_lookup_elem(&ends, &guest);
}

/* Parents start before their children: what started first is the process the instance began with. */
POL_SUBPROG int keep_ends(const struct pol_exit_record *record, u32 instance)
{
	struct pol_guest_ends *found = ends_of(record->guest);
	struct pol_exit_ends *of;

	if (!found) {
		pol_fail_count(POL_FAIL_EXITS_NOT_KEPT);
		return 0;
	}
	of = &found->of[instance & 1];
	bpf_spin_lock(&found->lock);
	if (!of->cnt || POL_INSTANCE_IS_NEWER(instance, of->instance)) {
		of->cnt = 0;
		of->instance = instance;
	}
	if (of->instance == instance) {
		if (!of->cnt || record->process.start_ns < of->first.process.start_ns)
			of->first = *record;
		if (!of->cnt || record->seq > of->last.seq)
			of->last = *record;
		of->cnt++;
	}
	bpf_spin_unlock(&found->lock);
	return 0;
}

/* The instance of the guest that a process is of. */
static __always_inline u32 instance_of(struct task_struct *task,
				       const struct pol_guest_state *state)
{
	u64 leader = pol_address(task->group_leader);
	const struct pol_task_charge *entry = bpf_map_lookup_elem(&tasks, &leader);

	return entry ? entry->instance
		     : POL_COUNT_INSTANCE(*(volatile const u64 *)&state->counts);
}

/* No frame of its own: the texts of executables need the rest of the stack's 512 bytes. */
static __always_inline void tell_exit(const struct pol_exit_record *record,
				      struct task_struct *task, struct pol_guest_state *state)
{
	const struct pol_report_head head = {
		.guest = record->guest, .generation = record->generation, .type = POL_TYPE_EXIT
	};
	struct pol_event *event = pol_event_reserve_as(&head, state, record->seq);

	if (!event)
		return;
	event->boot_ns = record->boot_ns;
	event->process = record->process;
	event->exit = record->exit;
	if (!record->exit.backstop)
		pol_event_exes(event);
	remembered_exe(event, task);
	bpf_ringbuf_submit(event, 0);
}

/*
 * Kept before it is told: what the ring has no room for is kept, too.
 * @late: @task, a leader, is being freed. Return: POL_CAUSE_*; 0: there is no record.
 */
POL_SUBPROG u32 send_exit(struct task_struct *task, u32 guest, u64 generation, bool late)
{
	struct pol_exit_record record = { .guest = guest, .generation = generation };
	struct pol_guest_state *state = pol_state_of(guest);

	if (!state || guest == POL_GUEST_PROBE)
		return 0;
	record.seq = pol_event_number(state);
	fill_record(&record, task, state, late);
	keep_recent(&record);
	keep_ends(&record, instance_of(task, state));
	tell_exit(&record, task, state);
	return record.exit.cause;
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

/* Return: whether nobody did before. */
static __always_inline bool take_report(struct pol_task_charge *entry)
{
	return !(__sync_fetch_and_or(&entry->flags, POL_END_REPORTED) & POL_END_REPORTED);
}

/* The entry of @leader; made here for a guest by its cgroup alone. NULL: there is no room. */
static __always_inline struct pol_task_charge *entry_of(u64 leader, u32 guest)
{
	struct pol_task_charge *entry = bpf_map_lookup_elem(&tasks, &leader);

	if (!entry && !pol_task_know(leader, guest))
		entry = bpf_map_lookup_elem(&tasks, &leader);
	return entry;
}

/*
 * Is the record this task's to make? Nobody is left alive; several threads that end at once can all
 * see that. The status is there by then: the last one to end fixes it before (synchronize_group_exit).
 */
POL_SUBPROG bool is_to_report(struct task_struct *task, u32 guest)
{
	struct pol_task_charge *entry;

	if (task->signal->live.counter || is_lone_thread(task, guest))
		return false;
	entry = entry_of(pol_address(task->group_leader), guest);
	return !entry || take_report(entry);
}

/**
 * pol_exit - a task ends: the last one of its thread group makes the record; it is charged no
 * longer. In this order: whoever finds a guest empty finds its records.
 *
 * Context: tp_btf/sched_process_exit; can be skipped under preemption (kernel-notes.md).
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(pol_exit, struct task_struct *task)
{
	u64 generation = 0;
	u32 guest = pol_guest_of(task, &generation);

	if (guest && is_to_report(task, guest) &&
	    send_exit(task, guest, generation, false) == POL_CAUSE_OOM)
		pol_tell_oom(guest, generation);
	if (pol_task_end(pol_address(task)) == POL_TAKEN_LAST && guest)
		pol_tell_empty(guest);
	return 0;
}

/**
 * pol_task_free - a task_struct goes: the charge of one that never ran, its fork failed; and what
 * pol_exit missed, late by the reaping and a grace period of RCU: the record, and the charge, if no
 * ceiling asked before.
 *
 * A thread that took its leader's place by execve(2) is the leader since.
 *
 * Context: lsm/task_free; never skipped; current is anybody.
 */
SEC("lsm/task_free")
int BPF_PROG(pol_task_free, struct task_struct *task)
{
	const struct pol_control *ctl = pol_control_get();
	u64 address = pol_address(task);
	struct pol_task_charge *entry = bpf_map_lookup_elem(&tasks, &address);
	bool ran = task->flags & PF_EXITING;
	u32 guest, taken;

	if (!entry)
		return 0;
	guest = entry->guest;
	if (ctl && ctl->active && ran && pol_address(task->group_leader) == address &&
	    take_report(entry))
		send_exit(task, guest, ctl->active, true);
	taken = pol_task_release(address);
	if (taken == POL_TAKEN_NONE || !ran)
		return 0;
	pol_fail_count(POL_FAIL_EXITS_MISSED);
	if (taken == POL_TAKEN_LAST)
		pol_tell_empty(guest);
	return 0;
}
