/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity of new tasks: a guest's child is the guest, whatever it does to its cgroup, credentials
 * or namespaces. It has its label before it can run.
 */
#include "verdict.bpf.h"

/* The label that @parent's children get; 0 guest: none. */
static __always_inline void inherited_label(struct task_struct *parent, struct pol_label *ret)
{
	const struct pol_control *ctl = pol_control_get();
	const struct pol_label *label = bpf_task_storage_get(&labels, parent, NULL, 0);

	if (label) {
		ret->guest = label->guest;
		ret->flags = label->flags & POL_LABEL_LAUNCHER;
		ret->origin = label->origin;
	} else if (ctl && ctl->active) {
		ret->guest = pol_guest_by_cgroup(parent, ctl->level_mask);
	}
}

/**
 * pol_task_alloc - fork(2), clone(2), clone3(2); io_uring workers too.
 *
 * Context: lsm/task_alloc, before the child is in any cgroup.
 * Return: 0; EPERM: a guest asked for another cgroup (CLONE_INTO_CGROUP); EAGAIN: the child's
 * identity cannot be stored, so there is no child.
 */
SEC("lsm/task_alloc")
int BPF_PROG(pol_task_alloc, struct task_struct *task, u64 clone_flags)
{
	struct pol_label inherited = {}, *label;
	struct pol_actor actor;

	inherited_label(bpf_get_current_task_btf(), &inherited);
	if (!inherited.guest)
		return 0;
	if (!(inherited.flags & POL_LABEL_LAUNCHER) && clone_flags & CLONE_INTO_CGROUP &&
	    pol_actor_current(&actor))
		return pol_return(
			pol_escape(&actor, POL_OP_HOOK(CLONE_INTO_CGROUP, TASK_ALLOC), 1));
	inherited.flags = 0;
	label = bpf_task_storage_get(&labels, task, &inherited, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label) {
		pol_fail_count(POL_FAIL_NO_STORAGE);
		return -EAGAIN;
	}
	return 0;
}
