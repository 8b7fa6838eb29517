/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's border: mounts, user namespaces and io_uring (knobs of the policy, all "deny"), the
 * bpf system call and other tasks (built in, in every mode).
 */
#include "verdict.bpf.h"

static __always_inline int refuse_knob(u32 op_hook)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_escape(&actor, op_hook, 0));
}

SEC("lsm/sb_mount")
int BPF_PROG(pol_sb_mount)
{
	return refuse_knob(POL_OP_HOOK(MOUNT, SB_MOUNT));
}

SEC("lsm/sb_umount")
int BPF_PROG(pol_sb_umount)
{
	return refuse_knob(POL_OP_HOOK(UMOUNT, SB_UMOUNT));
}

SEC("lsm/sb_remount")
int BPF_PROG(pol_sb_remount)
{
	return refuse_knob(POL_OP_HOOK(MOUNT, SB_REMOUNT));
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pol_pivotroot)
{
	return refuse_knob(POL_OP_HOOK(PIVOT_ROOT, SB_PIVOTROOT));
}

SEC("lsm/move_mount")
int BPF_PROG(pol_move_mount)
{
	return refuse_knob(POL_OP_HOOK(MOUNT, MOVE_MOUNT));
}

SEC("lsm/userns_create")
int BPF_PROG(pol_userns)
{
	return refuse_knob(POL_OP_HOOK(USERNS, USERNS_CREATE));
}

/*
 * io_uring_setup(2) has no hook before 6.15, but its anonymous inode has one on every kernel, by
 * name. Other anonymous inodes (userfaultfd, memfd_secret) pass.
 */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(pol_anon_inode, struct inode *inode, const struct qstr *name)
{
	static const char io_uring[] = "[io_uring]";
	char text[sizeof(io_uring)] = {};
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (bpf_probe_read_kernel(text, sizeof(text), name->name))
		return pol_return(actor.err); /* cannot be decided */
	for (u32 i = 0; i < sizeof(io_uring); i++)
		if (text[i] != io_uring[i])
			return 0;
	return pol_return(
		pol_escape(&actor, POL_OP_HOOK(IO_URING, INODE_INIT_SECURITY_ANON), 0));
}

/* Every command: reading a pinned map is how editing one starts (threats.md, 1.9). */
SEC("lsm/bpf")
int BPF_PROG(pol_bpf, int cmd)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_escape(&actor, POL_OP_HOOK(BPF, BPF), 1));
}

static __always_inline int refuse_stranger(struct task_struct *other, u32 op_hook)
{
	struct pol_actor actor;
	u64 generation = 0;

	if (!pol_actor_current(&actor))
		return 0;
	if (pol_guest_of(other, &generation) == actor.guest)
		return 0;
	return pol_return(pol_escape(&actor, op_hook, 1));
}

/* ptrace(2), process_vm_*, /proc/PID/{mem,root,fd,...}, pidfd_getfd(2), kcmp(2). */
SEC("lsm/ptrace_access_check")
int BPF_PROG(pol_ptrace, struct task_struct *child)
{
	return refuse_stranger(child, POL_OP_HOOK(PTRACE, PTRACE_ACCESS_CHECK));
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(pol_traceme, struct task_struct *parent)
{
	return refuse_stranger(parent, POL_OP_HOOK(PTRACE, PTRACE_TRACEME));
}

/**
 * pol_setrlimit - setrlimit(2), and prlimit(2) that sets: a stranger's limits, and raising
 * RLIMIT_NOFILE, the floor under a ceiling of descriptors.
 *
 * Context: lsm/task_setrlimit, never sleepable. What prlimit(2) reads it may read.
 * Return: 0; EPERM.
 */
SEC("lsm/task_setrlimit")
int BPF_PROG(pol_setrlimit, struct task_struct *other, unsigned int resource,
	     struct rlimit *new_rlim)
{
	const struct pol_guest_config *config;
	struct pol_actor actor;
	u64 generation = 0;

	if (!pol_actor_current(&actor))
		return 0;
	if (pol_guest_of(other, &generation) != actor.guest)
		return pol_return(pol_escape(&actor, POL_OP_HOOK(PRLIMIT, TASK_SETRLIMIT), 1));
	config = pol_guest_config(actor.guest, actor.generation);
	if (resource != RLIMIT_NOFILE || !config || config->fds == POL_NO_CEILING)
		return 0;
	if (BPF_CORE_READ(new_rlim, rlim_max) <=
	    BPF_CORE_READ(other, signal, rlim[RLIMIT_NOFILE].rlim_max))
		return 0;
	return pol_return(pol_escape(&actor, POL_OP_HOOK(PRLIMIT, TASK_SETRLIMIT), 1));
}
