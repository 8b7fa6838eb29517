/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ceilings: charging open file descriptions and tasks to guests, and taking charges back. Layer 2.
 *
 * A charge is an entry in "files" or "tasks", made by whoever moved the guest's count up and taken
 * by whoever moves it down: deleting the entry succeeds once, so a count moves back exactly once,
 * and only on a hit. All functions are verified once, take kernel objects as addresses and return a
 * positive errno or 0.
 */
#pragma once

#include "verdict.bpf.h"

/**
 * pol_fd_charge() - charge the struct file at @file to the actor's guest.
 * @fresh: 1: it was allocated this moment, so an entry of its address is a dead one's; 0: it may
 *	   have been charged before (then nothing is done).
 *
 * Return: 0, also where the guest has no ceiling; EMFILE: its ceiling; ENFILE: the engine's own.
 */
int pol_fd_charge(const struct pol_actor *actor, u64 file, u32 fresh);

/* pol_fd_full() - EMFILE where one more would be refused, for hooks that come before the file. */
int pol_fd_full(const struct pol_actor *actor);

/* pol_fd_release() - the kernel frees the file, or it turned out to be no guest's. */
int pol_fd_release(u64 file);

/* pol_fd_adopt() - what the iterator finds: @baseline 1: known from now on, 0: charged, at any count. */
int pol_fd_adopt(u64 file, u32 guest, u32 baseline);

/**
 * pol_task_charge() - charge the new task at @task.
 * @flags: POL_LABEL_* of the parent. POL_LABEL_LAUNCHER: the caller is no guest itself.
 *
 * Return: 0; EAGAIN: the guest's ceiling, the engine's own, or the guest is being killed.
 */
int pol_task_charge(u64 task, u32 guest, u64 generation, u32 flags);

/* pol_task_adopt() - the same for a task that was there before: at any count. */
int pol_task_adopt(u64 task, u32 guest);

/* Whether a task was charged until now, and whether it was the last one of its guest. */
#define POL_TAKEN_NONE 0u
#define POL_TAKEN_ONE 1u
#define POL_TAKEN_LAST 2u

/* pol_task_end() - it ends: its charge is taken back. Return: POL_TAKEN_*. */
int pol_task_end(u64 task);

/* pol_task_release() - the same, and its entry goes: it is freed, or no guest any more. */
int pol_task_release(u64 task);

/* pol_tell_empty() - the guest's last task is gone: its record. Return: 0. */
int pol_tell_empty(u32 guest);

/**
 * pol_tell_oom() - the current task, a guest's, was ended by the OOM killer: the record of the ceiling
 * on memory, if that was it, once an instance.
 *
 * Not where memory was short on the whole host, and not for a task in another cgroup than its guest's.
 * Return: 0.
 */
int pol_tell_oom(u32 guest, u64 generation);

/**
 * pol_task_know() - an entry without a charge, for a process that lives on without its leader.
 * @task: the leader.
 *
 * Return: 0, also where it has one; EAGAIN: no room.
 */
int pol_task_know(u64 task, u32 guest);

/* Its leader has ended, or is about to; others have not. */
static __always_inline bool pol_is_leaderless(const struct task_struct *leader)
{
	return leader->pid == leader->tgid && leader->signal->live.counter > 0;
}

/**
 * pol_label_adopt() - a label for a task that is there already, and its charge; none if it is ending.
 * @command: label_flags and nofile_* of the label; NULL: none.
 *
 * Return: 0; 1: it has a label, which a look-up before 6.2 can miss; -1: no memory, or no room.
 */
POL_SUBPROG int pol_label_adopt(struct task_struct *task, u32 guest, u64 origin,
				const struct pol_iter_command *command)
{
	const struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct pol_label *label;
	int r = 0;

	label = bpf_task_storage_get(&labels, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label) {
		pol_fail_count(POL_FAIL_NO_STORAGE);
		return -1;
	}
	if (pol_label_is_given(label))
		return 1;
	/* Of one that is ending, pol_exit may have been there already. */
	if (!(task->flags & PF_EXITING))
		r = pol_task_adopt(pol_address(task), guest);
	else if (pol_is_leaderless(task))
		r = pol_task_know(pol_address(task), guest);
	if (r) {
		bpf_task_storage_delete(&labels, task);
		return -1;
	}
	if (exe)
		pol_label_exe(label, (u64)BPF_CORE_READ(exe, f_path.dentry),
			      pol_mount_of(BPF_CORE_READ(exe, f_path.mnt)));
	label->origin = origin;
	if (command) {
		label->nofile_soft = command->nofile_soft;
		label->nofile_hard = command->nofile_hard;
		label->nofile_base = command->nofile_base;
		label->flags = command->label_flags;
	}
	pol_label_give(label, guest);
	return 0;
}
