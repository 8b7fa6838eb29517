/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest holds, or is about to, without having opened it: a descriptor that is received,
 * brought along over exec (inherit.bpf.c), or held at attach (pol_fds in iters.bpf.c). One decision
 * for the three: what opening it now, in its mode, would need.
 */
#include "held.bpf.h"

/* The rights that opening a file of this type so takes. */
static __always_inline u32 needs(u32 type, u32 mode)
{
	u32 need = (mode & FMODE_READ ? POL_RIGHT_READ : 0) |
		   (mode & FMODE_WRITE ? POL_RIGHT_WRITE : 0);

	if (type == S_IFDIR)
		return POL_RIGHT_LIST;
	/* Access mode 3: for ioctls alone; the kernel asks for both. */
	return need ? need : POL_RIGHT_READ | POL_RIGHT_WRITE;
}

/*
 * The functions that read a file's parts have frames of their own, which are gone when the walk
 * begins.
 */
POL_SUBPROG u64 dentry_of(u64 address)
{
	const struct file *file = (const void *)address;

	return (u64)BPF_CORE_READ(file, f_path.dentry);
}

/* Its type, S_IFMT. */
POL_SUBPROG u32 type_of(u64 address)
{
	const struct file *file = (const void *)address;

	return BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
}

__attribute__((noinline)) int pol_held_needs(u64 address)
{
	const struct file *file = (const void *)address;
	u32 mode = BPF_CORE_READ(file, f_mode);

	return mode & FMODE_PATH ? 0 : needs(type_of(address), mode);
}

/* An io_uring: a guest that may make none has another's, whose thread may be at work for it. */
static __always_inline bool is_io_uring(const struct dentry *dentry)
{
	static const char io_uring[] = "[io_uring]";
	char name[sizeof(io_uring)] = {};

	bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
	for (u32 i = 0; i < sizeof(io_uring); i++)
		if (name[i] != io_uring[i])
			return false;
	return true;
}

#define ANONYMOUS_NONE 0     /* a path leads to it */
#define ANONYMOUS_OWN 1	     /* the guest's own, whoever has made it */
#define ANONYMOUS_IO_URING 2
#define ANONYMOUS_UNKNOWN 3

/* What kind of object that no path leads to (SB_NOUSER). */
POL_SUBPROG u32 kind_of(u64 address)
{
	const struct dentry *dentry = (const void *)address;

	if (!(BPF_CORE_READ(dentry, d_sb, s_flags) & SB_NOUSER))
		return ANONYMOUS_NONE;
	switch ((u32)BPF_CORE_READ(dentry, d_sb, s_magic)) {
	case TMPFS_MAGIC:
	case POL_OWN_MAGICS:
		return is_io_uring(dentry) ? ANONYMOUS_IO_URING : ANONYMOUS_OWN;
	}
	return ANONYMOUS_UNKNOWN;
}

static __always_inline u32 look_at_anonymous(const struct pol_actor *actor, u32 kind, u32 need,
					     struct pol_found *found)
{
	found->reason = POL_REASON_BUILTIN;
	if (kind == ANONYMOUS_UNKNOWN)
		return need | POL_HELD_OUTSIDE | POL_HELD_ALWAYS;
	if (kind == ANONYMOUS_IO_URING && !(actor->flags & POL_GUEST_IO_URING))
		return need | POL_HELD_OUTSIDE;
	return 0;
}

/* A device node needs a rule that names it. A block device is all its files. */
static __always_inline u32 look_at_object(const struct pol_actor *actor, u64 dentry, u32 need,
					  u32 type, struct pol_found *found)
{
	u32 never, missing = need;

	pol_walk(dentry, actor->ruleset, actor->generation, found);
	never = need & pol_never(actor->guest, dentry, found->flags);
	if (found->reason == POL_REASON_RULE)
		missing = (need & ~found->access) | never;
	if (never) {
		found->reason = POL_REASON_BUILTIN;
		return missing | POL_HELD_OUTSIDE | POL_HELD_ALWAYS;
	}
	if (missing)
		return missing | POL_HELD_OUTSIDE | (type == S_IFBLK ? POL_HELD_ALWAYS : 0);
	if (!pol_is_device(type) || found->named)
		return 0;
	found->reason = POL_REASON_DEVICE;
	return need | POL_HELD_OUTSIDE | POL_HELD_ALWAYS;
}

__attribute__((noinline)) int pol_look_held(const struct pol_actor *actor, u64 file,
					    struct pol_found *found)
{
	u32 need, kind;
	u64 dentry;

	if (!actor || !found)
		return POL_HELD_OUTSIDE;
	__builtin_memset(found, 0, sizeof(*found));
	need = pol_held_needs(file);
	if (!need)
		return 0;
	dentry = dentry_of(file);
	kind = kind_of(dentry);
	if (kind != ANONYMOUS_NONE)
		return look_at_anonymous(actor, kind, need, found);
	return look_at_object(actor, dentry, need, type_of(file), found);
}

/* What no path leads to was given by no rule, and is not told. */
POL_SUBPROG int tell_received(const struct pol_actor *actor, u64 address,
			      const struct pol_found *found)
{
	const struct file *file = (const void *)address;
	const struct pol_request request = {
		.dentry = dentry_of(address),
		.mount = pol_mount_of(BPF_CORE_READ(file, f_path.mnt)),
		.need = pol_held_needs(address),
		.op_hook = POL_OP_HOOK(RECEIVE, FILE_RECEIVE),
	};

	if (found->reason == POL_REASON_RULE)
		pol_tell_allowed(actor, found, &request);
	return 0;
}

/**
 * pol_file_handed - SCM_RIGHTS, pidfd_getfd(2), seccomp's ADDFD.
 *
 * Context: lsm/file_receive, before the descriptor is there. Return: 0; the policy's errno.
 */
SEC("lsm/file_receive")
int BPF_PROG(pol_file_handed, struct file *file)
{
	u64 address = pol_address(file);
	struct pol_found found = {};
	struct pol_actor actor;
	u32 held;

	if (!pol_actor_current(&actor))
		return 0;
	held = pol_look_held(&actor, address, &found);
	if (!held) {
		if (pol_is_told(&actor, &found))
			tell_received(&actor, address, &found);
		return 0;
	}
	return pol_return(pol_refuse_held(&actor, address, held, &found,
					  POL_OP_HOOK(RECEIVE, FILE_RECEIVE)));
}
