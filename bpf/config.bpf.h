/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space fixes before it loads the programs (rodata). Layer 0. */
#pragma once

#include "core.bpf.h"

/*
 * Address of rename_lock, a seqlock_t in fs/dcache.c whose first word is the sequence: it moves by
 * 2 with every rename and is odd during one. From /proc/kallsyms (no ksym: bpftool 7.1 cannot link
 * one of type void). At 0 every read fails, and so every walk; the loader refuses first
 * (kptr_restrict=2).
 */
extern const volatile __u64 pol_rename_lock;

/*
 * Where a task without a label is looked up, besides its cgroup.
 * TASKS: before 6.2 a look-up in task storage gives NULL, too, where another task was preempted in one
 * on the same CPU (bpf_task_storage_busy): the table "tasks" is asked then.
 * PROBE: these programs are there for a probe alone (probe.bpf.c): it is a guest, and nobody else.
 */
extern const volatile __u32 pol_unlabelled;

/*
 * From 6.19 on, no program of LSM type can be attached where files are allocated: the one that is
 * (fmod_ret) can be skipped (kernel-notes.md), so later hooks charge and refuse again.
 */
extern const volatile bool pol_alloc_skippable;

/* Zeros, to make an entry of "ends" of: a program's stack has no room for one. Nobody sets them. */
extern const volatile __u64 pol_no_ends[sizeof(struct pol_guest_ends) / sizeof(__u64)];
