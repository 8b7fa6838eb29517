/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity of new tasks: a guest's child is the guest, whatever it does to its cgroup, credentials
 * or namespaces. It has its label before it can run.
 */
#include "charge.bpf.h"

/* What @parent's children are; 0: no guest. @ret_label: its label, or NULL. */
static __always_inline u32 inherited_guest(struct task_struct *parent,
					   const struct pol_control *ctl,
					   const struct pol_label **ret_label)
{
	const struct pol_label *label = bpf_task_storage_get(&labels, parent, NULL, 0);

	*ret_label = pol_label_is_given(label) ? label : NULL;
	if (*ret_label)
		return label->guest;
	return ctl && ctl->active ? pol_guest_unlabelled(parent, ctl->level_mask) : 0;
}

/* The child's label, from its parent's, if that has one. Return: 0; -1: there is no room. */
POL_SUBPROG int inherit_label(struct task_struct *task, const struct pol_label *from, u32 guest)
{
	struct pol_label *label =
		bpf_task_storage_get(&labels, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!label) {
		pol_fail_count(POL_FAIL_NO_STORAGE);
		return -1;
	}
	if (from) {
		label->origin = from->origin;
		label->nofile_soft = from->nofile_soft;
		label->nofile_hard = from->nofile_hard;
		label->nofile_base = from->nofile_base;
		label->judged = from->judged;
		label->exe_len = from->exe_len;
		label->exe_flags = from->exe_flags;
		label->flags = from->flags &
			       (POL_LABEL_LOOSE | POL_LABEL_STARTING | POL_LABEL_ADOPTING);
		if (from->flags & POL_LABEL_THREAD)
			label->flags |= POL_LABEL_LOOSE;
		if (from->flags & POL_LABEL_LAUNCHER)
			label->flags |= POL_LABEL_STARTING;
		__builtin_memcpy(label->exe, from->exe, POL_EXE_SIZE);
	}
	pol_label_give(label, guest);
	return 0;
}

/*
 * A task that is a guest by its cgroup alone - somebody has moved it there - is one by its label from
 * its first fork on: were it not counted, the end of its child would be the end of the instance.
 */
POL_SUBPROG int settle_parent(struct task_struct *parent, u32 guest)
{
	if (pol_unlabelled == POL_UNLABELLED_TASKS && pol_guest_charged(parent))
		return 0; /* it has a label, which was not to be had */
	return pol_label_adopt(parent, guest, 0, NULL) < 0;
}

/* A guest's child in another cgroup than its own: refused. */
POL_SUBPROG int refuse_into_cgroup(void)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_escape(&actor, POL_OP_HOOK(CLONE_INTO_CGROUP, TASK_ALLOC), 1);
}

/**
 * pol_task_alloc - fork(2), clone(2), clone3(2); io_uring workers too.
 *
 * Context: lsm/task_alloc, before the child is in any cgroup. On an error the kernel calls
 * task_free for it.
 * Return: 0; EPERM: a guest asked for another cgroup (CLONE_INTO_CGROUP); EAGAIN: the guest's
 * ceiling of tasks, or the child's identity cannot be stored: there is no child.
 */
SEC("lsm/task_alloc")
int BPF_PROG(pol_task_alloc, struct task_struct *task, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	const struct pol_control *ctl = pol_control_get();
	const struct pol_label *inherited;
	u32 guest, flags;
	u64 address;
	int r;

	guest = inherited_guest(parent, ctl, &inherited);
	if (!guest)
		return 0;
	/* After an unload: who is whose is kept, nothing is counted, nobody refused. */
	if (!ctl || !ctl->active)
		return inherit_label(task, inherited, guest) ? -EAGAIN : 0;
	if (!inherited && settle_parent(parent, guest))
		return -EAGAIN;
	flags = inherited ? inherited->flags : 0;
	address = pol_address(task);
	r = 0;
	if (!(flags & POL_LABEL_LAUNCHER) && clone_flags & CLONE_INTO_CGROUP)
		r = refuse_into_cgroup();
	if (!r)
		r = pol_task_charge(address, guest, ctl->active, flags);
	if (r)
		return pol_return(r);
	if (!inherit_label(task, inherited, guest))
		return 0;
	pol_task_release(address);
	return -EAGAIN;
}
