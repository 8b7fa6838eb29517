/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records: number, reserve, fill, submit; what finds no room is counted. Verdict first, event
 * second: nothing here can change what a hook returns. Layer 2.
 *
 * Records are built in the ring's own reservation: per-CPU scratch is overwritten by other tasks
 * from 6.18 on, where LSM programs are preemptible.
 */
#pragma once

#include "fail.bpf.h"
#include "guest.bpf.h"
#include "path.bpf.h"

/* What every record says. @flags: POL_EVENT_*. */
struct pol_report_head {
	u64 generation;
	u32 guest;
	u32 type;
	u32 verdict;
	u32 flags;
};

/*
 * What a hook has to say of a refusal. @name: the hash the kernel knows the object's name by.
 * @fold: 1 and the window that it begins (fold.bpf.h); 0: none.
 */
struct pol_report {
	struct pol_report_head head;
	struct pol_event_access access;
	u64 mount;
	u32 name;
	u32 fold;
};

static __always_inline struct pol_guest_state *pol_state_of(u32 guest)
{
	struct pol_guest_state *state = bpf_map_lookup_elem(&states, &guest);

	if (!state)
		pol_fail_count(POL_FAIL_NO_STATE);
	return state;
}

static __always_inline void pol_event_lost(struct pol_guest_state *state, u32 type, u64 seq)
{
	pol_fail_count(POL_FAIL_RING_FULL);
	if (type >= POL_TYPES_CNT)
		return;
	__sync_fetch_and_add(&state->lost[type], 1);
	state->lost_last[type] = seq;
}

/* What is in the task itself, also when the kernel frees it. */
static __always_inline void pol_event_task(struct pol_event_process *process,
					   struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	process->start_ns = leader->start_boottime;
	process->tgid = task->tgid;
	process->tid = task->pid;
	process->pad = 0;
	bpf_probe_read_kernel(process->comm, sizeof(process->comm), leader->comm);
}

static __always_inline void pol_event_process(struct pol_event_process *process,
					      struct task_struct *task)
{
	struct task_struct *parent = task->real_parent;
	u64 id = bpf_get_current_uid_gid();

	pol_event_task(process, task);
	process->uid = (u32)id;
	process->gid = id >> 32;
	process->cgroup = task->cgroups->dfl_cgrp->kn->id;
	process->parent_tgid = parent->tgid;
	bpf_probe_read_kernel(process->parent_comm, sizeof(process->parent_comm), parent->comm);
}

/* The text of an executable's path, and behind it room for one more name. */
struct pol_exe_room {
	char text[2 * POL_EXE_SIZE];
};

/**
 * pol_exe_text() - the path of an executable.
 * @dentry: 0: none. @mount: its struct mount.
 *
 * Verified once. Return: length << 16 | POL_EVENT_PATH_*.
 */
int pol_exe_text(struct pol_exe_room *room, u64 dentry, u64 mount);

/**
 * pol_event_exes_of() - the executables of a task and of its parent: texts and lengths.
 * @task: its address.
 *
 * Verified once. Return: 0.
 */
int pol_event_exes_of(struct pol_event *event, u64 task);

/* pol_event_exes() - of the current task. */
static __always_inline void pol_event_exes(struct pol_event *event)
{
	pol_event_exes_of(event, bpf_get_current_task());
}

/* The label remembers the executable: pol_event_exes() finds none in a task that exits. */
static __always_inline void pol_label_exe(struct pol_label *label, u64 dentry, u64 mount)
{
	u32 exe = pol_exe_text((struct pol_exe_room *)label->exe, dentry, mount);

	label->exe_len = exe >> 16;
	label->exe_flags = exe & POL_EVENT_PATH_TRUNCATED ? POL_EVENT_EXE_TRUNCATED : 0;
}

static __always_inline void pol_event_head(struct pol_event *event,
					   const struct pol_report_head *head, u64 seq, u32 room)
{
	__builtin_memset(event, 0, __builtin_offsetof(struct pol_event, exe));
	__builtin_memset(event->body, 0, sizeof(event->body));
	event->size = sizeof(*event) + room;
	event->abi = POL_ABI_VERSION;
	event->type = head->type;
	event->verdict = head->verdict;
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->seq = seq;
	event->generation = head->generation;
	event->guest = head->guest;
	event->flags = POL_EVENT_HAS_PROCESS | head->flags;
	event->path_room = room;
}

/* A guest's next sequence number: taken before the reservation, so that a lost record leaves a gap. */
static __always_inline u64 pol_event_number(struct pol_guest_state *state)
{
	return __sync_fetch_and_add(&state->seq, 1) + 1;
}

/* Which of the two rings a record goes to: by its type, here and nowhere else. */
static __always_inline bool pol_ring_is_chat(u32 type)
{
	return type == POL_TYPE_ALLOW || type == POL_TYPE_EXEC || type == POL_TYPE_FORK;
}

/* Room for a record of @type, of which pol_ring_admits() says yes. @size: a constant. */
static __always_inline struct pol_event *pol_ring_reserve(u32 type, u64 size)
{
	/* The verifier wants one ring by name at each call. */
	return pol_ring_is_chat(type) ? bpf_ringbuf_reserve(&chat, size, 0)
				      : bpf_ringbuf_reserve(&ring, size, 0);
}

/**
 * pol_ring_admits() - may a guest write a record of @type now, as far as others are concerned?
 *
 * Past a quarter of the ring, what a guest provokes (violations, escapes, ceilings) is held to a rate
 * of its own; past three quarters only exits are written. The other ring is first come, first served.
 * Verified once. Return: 0: no, it is to be counted as lost.
 */
int pol_ring_admits(u32 type, u32 guest);

/* pol_event_reserve_as() - pol_event_reserve() for who has taken the number @seq already. */
static __always_inline struct pol_event *
pol_event_reserve_as(const struct pol_report_head *head, struct pol_guest_state *state, u64 seq)
{
	struct pol_event *event = NULL;

	if (pol_ring_admits(head->type, head->guest))
		event = pol_ring_reserve(head->type, sizeof(*event) + POL_PATH_SMALL);
	if (event)
		pol_event_head(event, head, seq, POL_PATH_SMALL);
	else
		pol_event_lost(state, head->type, seq);
	return event;
}

/**
 * pol_event_reserve() - number a record without a path, reserve it, fill its head.
 *
 * Return: to be submitted; NULL: there is no room (counted as lost), or the guest makes no records.
 */
static __always_inline struct pol_event *pol_event_reserve(const struct pol_report_head *head)
{
	struct pol_guest_state *state = pol_state_of(head->guest);

	if (!state || head->guest == POL_GUEST_PROBE)
		return NULL;
	return pol_event_reserve_as(head, state, pol_event_number(state));
}

/* pol_event_begin() - the same, with the process. */
static __always_inline struct pol_event *pol_event_begin(const struct pol_report_head *head,
							 struct task_struct *task)
{
	struct pol_event *event = pol_event_reserve(head);

	if (event)
		pol_event_process(&event->process, task);
	return event;
}

/**
 * pol_event_send_access() - send a violation or escape record.
 * @report: all of it. @dentry: address of the object's dentry; 0: none, the path is empty.
 *
 * Verified once. Return: 0.
 */
int pol_event_send_access(const struct pol_report *report, u64 dentry);

/* pol_event_send_escape() - the same for what has no object; without the cost of paths. */
int pol_event_send_escape(const struct pol_report *report);

/* pol_event_send_ceiling() - a ceiling record. */
int pol_event_send_ceiling(const struct pol_report_head *head,
			   const struct pol_event_ceiling *body);
