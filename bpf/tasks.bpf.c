/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identity of new tasks: a guest's child is the guest, whatever it does to its cgroup, credentials
 * or namespaces. It has its label before it can run.
 */
#include "verdict.bpf.h"

/* What @parent's children are; 0: no guest. @ret_label: its label, or NULL. */
static __always_inline u32 inherited_guest(struct task_struct *parent,
					   const struct pol_label **ret_label)
{
	const struct pol_control *ctl = pol_control_get();
	const struct pol_label *label = bpf_task_storage_get(&labels, parent, NULL, 0);

	*ret_label = label;
	if (label)
		return label->guest;
	return ctl && ctl->active ? pol_guest_by_cgroup(parent, ctl->level_mask) : 0;
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
	struct task_struct *parent = bpf_get_current_task_btf();
	const struct pol_label *inherited;
	struct pol_label *label;
	struct pol_actor actor;
	u32 guest;

	guest = inherited_guest(parent, &inherited);
	if (!guest)
		return 0;
	if (!(inherited && inherited->flags & POL_LABEL_LAUNCHER) &&
	    clone_flags & CLONE_INTO_CGROUP && pol_actor_current(&actor))
		return pol_return(
			pol_escape(&actor, POL_OP_HOOK(CLONE_INTO_CGROUP, TASK_ALLOC), 1));
	label = bpf_task_storage_get(&labels, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label) {
		pol_fail_count(POL_FAIL_NO_STORAGE);
		return -EAGAIN;
	}
	if (inherited) {
		label->origin = inherited->origin;
		label->exe_len = inherited->exe_len;
		label->exe_flags = inherited->exe_flags;
		__builtin_memcpy(label->exe, inherited->exe, POL_EXE_SIZE);
	}
	label->guest = guest;
	return 0;
}
