/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest a task is. Layer 2.
 *
 * Two identities: the label in task storage, inherited in task_alloc, and ancestry in the cgroup2
 * tree. The label wins; without one (an in-place member; a look-up that 6.1 gives up because its
 * per-CPU lock is taken, for which there is the table "tasks") the cgroup decides.
 */
#pragma once

#include "config.bpf.h"
#include "maps.bpf.h"

/*
 * pol_guest_of_cgroup_id() - the guest registered for one cgroup, 0: none. An open-addressing
 * probe, no helper: what a non-guest pays for.
 * pol_guest_of_ancestors() - for a cgroup at @level, the guest of one of its ancestors at the
 * levels in @level_mask.
 */
int pol_guest_of_cgroup_id(u64 id);
int pol_guest_of_ancestors(u64 cgroup, u32 level, u64 level_mask);

/**
 * pol_guest_by_cgroup() - the guest in whose cgroup, or beneath it, a task lies.
 *
 * Context: any program; the cgroup of a task that has exited (task_free) cannot be had.
 * Return: guest id, 0: none.
 */
static __always_inline u32 pol_guest_by_cgroup(struct task_struct *task, u64 level_mask)
{
	struct cgroup *cgrp = task->cgroups->dfl_cgrp;
	u32 level = cgrp->level, guest;

	if (level >= POL_CGROUP_LEVELS)
		return pol_guest_of_ancestors(pol_address(cgrp), level, level_mask);
	if (level_mask & (1ull << level)) {
		guest = pol_guest_of_cgroup_id(cgrp->kn->id);
		if (guest)
			return guest;
	}
	/* Only levels at which some guest's cgroup lies: mostly one, mostly not above us. */
	if (level_mask & ((1ull << level) - 1))
		return pol_guest_of_ancestors(pol_address(cgrp), level, level_mask);
	return 0;
}

static __always_inline struct pol_control *pol_control_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* pol_guest_of_cgroup() - the guest whose cgroup this is or lies beneath. @address: of it. */
static __always_inline u32 pol_guest_of_cgroup(u64 address)
{
	const struct cgroup *cgroup = (const void *)address;
	const struct pol_control *ctl = pol_control_get();
	u32 guest = pol_guest_of_cgroup_id(BPF_CORE_READ(cgroup, kn, id));

	if (guest || !ctl)
		return guest;
	return pol_guest_of_ancestors(address, BPF_CORE_READ(cgroup, level), ctl->level_mask);
}

/* Nobody is a guest but the probe, and that by no label: a look-up that fails must not free it. */
static __always_inline u32 pol_guest_probed(u32 tgid)
{
	u32 zero = 0;
	const struct pol_probe *at = bpf_map_lookup_elem(&probe, &zero);

	return at && at->tgid == tgid ? at->guest : 0;
}

/**
 * pol_guest_at() - the guest that the task at an address is, where there is no more than that: the
 * table of tasks says it, or the cgroup. A launcher is taken for its guest.
 */
static __always_inline u32 pol_guest_at(u64 address)
{
	const struct pol_task_charge *charge = bpf_map_lookup_elem(&tasks, &address);
	const struct task_struct *task = (const void *)address;
	u32 guest = 0;

	if (charge)
		return charge->guest;
	if (pol_unlabelled == POL_UNLABELLED_PROBE)
		guest = pol_guest_probed(BPF_CORE_READ(task, tgid));
	if (guest)
		return guest;
	return pol_guest_of_cgroup((u64)BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* The guest that a task is charged to; 0: none. A frame of its own: hooks have no room for it. */
POL_SUBPROG u32 pol_guest_charged(struct task_struct *task)
{
	u64 address = pol_address(task);
	const struct pol_task_charge *charge = bpf_map_lookup_elem(&tasks, &address);

	return charge ? charge->guest : 0;
}

/* The guest of a task whose label was not to be had: NULL from the look-up never means none. */
static __always_inline u32 pol_guest_unlabelled(struct task_struct *task, u64 level_mask)
{
	u32 how = pol_unlabelled, guest = 0;

	if (how == POL_UNLABELLED_PROBE)
		return pol_guest_probed(task->tgid);
	if (how == POL_UNLABELLED_TASKS)
		guest = pol_guest_charged(task);
	return guest ? guest : pol_guest_by_cgroup(task, level_mask);
}

/* The current task's label; NULL: it has none, or it was not to be had (before 6.2). */
static __always_inline struct pol_label *pol_label_current(void)
{
	return bpf_task_storage_get(&labels, bpf_get_current_task_btf(), NULL, 0);
}

/* A label that is being made has no guest yet; that is written last. */
static __always_inline bool pol_label_is_given(const struct pol_label *label)
{
	return label && *(volatile const u32 *)&label->guest;
}

static __always_inline void pol_label_give(struct pol_label *label, u32 guest)
{
	*(volatile u32 *)&label->guest = guest;
}

/**
 * pol_guest_of() - the guest that a task is, while some generation is active.
 * @generation: gets the active generation, read once for the whole decision.
 *
 * Return: guest id; 0: no guest, or nothing loaded, or a launcher (its children are guests).
 */
static __always_inline u32 pol_guest_of(struct task_struct *task, u64 *generation)
{
	const struct pol_control *ctl = pol_control_get();
	const struct pol_label *label;
	u32 guest;

	if (!ctl)
		return 0;
	*generation = *(volatile const u64 *)&ctl->active;
	if (!*generation)
		return 0;
	label = bpf_task_storage_get(&labels, task, NULL, 0);
	guest = label ? *(volatile const u32 *)&label->guest : 0;
	if (guest)
		return label->flags & POL_LABEL_LAUNCHER ? 0 : guest;
	return pol_guest_unlabelled(task, ctl->level_mask);
}

/* Born of a launcher, not yet its program: what it holds and maps is policyctl's. */
static __always_inline bool pol_is_starting(struct task_struct *task)
{
	const struct pol_label *label = bpf_task_storage_get(&labels, task, NULL, 0);

	return label && label->flags & POL_LABEL_STARTING && task != bpf_get_current_task_btf();
}

static __always_inline u32 pol_guest_current(u64 *generation)
{
	return pol_guest_of(bpf_get_current_task_btf(), generation);
}

/* What @generation says of @guest; NULL: nothing (identity kept, nothing allowed). */
static __always_inline const struct pol_guest_config *pol_guest_config(u32 guest, u64 generation)
{
	u32 slot = generation & (POL_SLOTS - 1);
	const struct pol_guest_config *config;
	void *inner = bpf_map_lookup_elem(&guests, &slot);

	if (!inner)
		return NULL;
	config = bpf_map_lookup_elem(inner, &guest);
	return config && config->flags & POL_GUEST_KNOWN ? config : NULL;
}
