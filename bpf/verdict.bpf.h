/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From rights to what a hook returns. Refusals are made, counted and reported in verdict.bpf.c and
 * nowhere else; its functions return a positive errno or 0, and take kernel objects as addresses,
 * so that each is verified once. Layer 2.
 */
#pragma once

#include "event.bpf.h"
#include "walk.bpf.h"

/* Who acts, and under which words; filled once at a hook's start. */
struct pol_actor {
	u64 generation;
	u32 guest;
	u32 ruleset;
	u16 mode;
	u16 err;
	u32 flags; /* POL_GUEST_* */
};

/*
 * What the functions below return where audit has reported a refusal: an operation that needs
 * several things is reported once, for the first that lacks, as enforce would refuse it once. No
 * errno; pol_return() makes 0 of it.
 */
#define POL_AUDITED 0x10000

#define POL_REASON_ERR(reason, err) (((u32)POL_REASON_##reason << 16) | (err))

/**
 * pol_check() - does the nearest rule of an object give all of @need? If the guest's policy asks
 * for it, or the rule does, what is allowed is told as well.
 * @dentry: address of the object's dentry. @mount: of a struct mount it is seen by, for the
 *	    report; 0: unknown. @need: mask of rights. @op_hook: POL_OP_HOOK().
 *
 * Return: 0, POL_AUDITED, or the policy's errno.
 */
int pol_check(const struct pol_actor *actor, u64 dentry, u64 mount, u32 need, u32 op_hook);

/**
 * pol_allows_at_once() - the fast half of pol_check(): pol_walk_allows(), but where the guest's
 * policy asks to be told of what is allowed.
 */
static __always_inline bool pol_allows_at_once(const struct pol_actor *actor, struct dentry *dentry,
					       bool is_dir, u32 need)
{
	return !(actor->flags & POL_GUEST_EVENT_ALLOW) &&
	       pol_walk_allows(dentry, is_dir, actor->ruleset, actor->generation, need);
}

/**
 * pol_check_device() - the same for a device node, which only a rule that names it opens. A block
 * device is all its files: audit refuses it, too, whatever lacks.
 */
int pol_check_device(const struct pol_actor *actor, u64 dentry, u64 mount, u32 need, u32 op_hook);

/**
 * pol_check_named() - does a rule that names the object lack one of @need?
 *
 * For ioctls of device nodes: without a rule that names it a guest has not opened the node itself,
 * it came with it (a terminal), and is left alone. Return: as pol_check().
 */
int pol_check_named(const struct pol_actor *actor, u64 dentry, u64 mount, u32 need, u32 op_hook);

/**
 * pol_check_any() - may the guest know of the object at all (stat = "deny")?
 *
 * It may if the nearest rule gives it anything there, if it is a directory on the way to such a
 * place, or if the guest holds it open, not by O_PATH. Return: as pol_check().
 */
int pol_check_any(const struct pol_actor *actor, u64 dentry, u64 mount, u32 op_hook);

/**
 * pol_refuse_for() - refuse for a reason other than rights.
 * @reason_err: POL_REASON_ERR(). device, builtin and anchor hold in audit, too (semantics 11).
 */
int pol_refuse_for(const struct pol_actor *actor, u64 dentry, u64 mount, u32 op_hook,
		   u32 reason_err);

/*
 * What pol_look_held() (held.bpf.h) answers of a file that a guest may not hold: this, the rights that
 * lack, and maybe that audit refuses it, too.
 */
#define POL_HELD_OUTSIDE (1u << 30)
#define POL_HELD_ALWAYS (1u << 29)

/* pol_held_needs() - the rights that opening a file now, in its mode, takes; 0: none, by O_PATH. */
int pol_held_needs(u64 file);

/**
 * pol_refuse_held() - refuse a file that pol_look_held() says no of.
 * @file: its address. @held: the answer. @found: what came with it. @op_hook: receive, or inherit: then
 *	  the reason is that, and audit only tells.
 */
int pol_refuse_held(const struct pol_actor *actor, u64 file, u32 held,
		    const struct pol_found *found, u32 op_hook);

/* What is asked of an object. @never: of @need, what no rule gives. */
struct pol_request {
	u64 dentry;
	u64 mount;
	u32 need;
	u32 op_hook;
	u32 never;
};

/* Does the guest's policy, or the rule, ask to be told of what is allowed? */
static __always_inline bool pol_is_told(const struct pol_actor *actor,
					const struct pol_found *found)
{
	return actor->flags & POL_GUEST_EVENT_ALLOW || found->flags & POL_RULE_LOG;
}

/* pol_tell_allowed() - send an allow record: what the rule @found has given. Return: 0. */
int pol_tell_allowed(const struct pol_actor *actor, const struct pol_found *found,
		     const struct pol_request *request);

/**
 * pol_refuse_anchor() - EBUSY if the object is a directory that is, or lies above, an anchor.
 */
int pol_refuse_anchor(const struct pol_actor *actor, u64 dentry, u64 mount, u32 op_hook);

/**
 * pol_refuse_widening() - EXDEV if the object at @from would have a right at @to that it lacks.
 */
int pol_refuse_widening(const struct pol_actor *actor, u64 from, u64 to, u64 mount, u32 op_hook);

/**
 * pol_escape() - EPERM for an attempt on the guest's border.
 * @always: 1: built in, in every mode; 0: a knob, which audit reports and lets pass.
 */
int pol_escape(const struct pol_actor *actor, u32 op_hook, u32 always);

/**
 * pol_owner_room() - room to remember who sets the owner or the signal of the struct file at @file
 * (owner.bpf.c). For hooks that come before the kernel does it.
 *
 * Return: 0; EPERM: the caller is a guest, and there is none.
 */
int pol_owner_room(u64 file, u32 hook);

/**
 * pol_probe_allowed() - an instance of the programs that is there for a probe (probe.bpf.c) has found
 * that it may: the record says so, with the nearest rule; and it may not.
 * @need: 0: not known here.
 *
 * Return: POL_PROBE_ERR.
 */
int pol_probe_allowed(const struct pol_actor *actor, u64 dentry, u64 mount, u32 need, u32 op_hook);

/**
 * pol_guarded() - what audit refuses as enforce does on a filesystem with this s_magic.
 *
 * Semantics 11: the guard and the built-in refusals hold in every mode. Through these a guest that
 * is root reaches the pins, the cgroups of others and the kernel itself. On bpffs reading counts,
 * too: it is how editing a map starts. Of those that rules can be made on pol_never() says more
 * exactly what.
 *
 * Return: mask of rights; 0: nothing.
 */
static __always_inline u32 pol_guarded(u32 magic)
{
	switch (magic) {
	case BPF_FS_MAGIC:
	case NSFS_MAGIC: /* on 7.2 no longer SB_NOUSER, so files.bpf.c's table does not see it */
		return POL_RIGHTS_ALL;
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case CONFIGFS_MAGIC:
	case EFIVARFS_MAGIC:
	case BINFMTFS_MAGIC:
	case SELINUX_MAGIC:
		return POL_RIGHTS_ALL & ~(POL_RIGHT_READ | POL_RIGHT_EXECUTE | POL_RIGHT_LIST);
	}
	return 0;
}

/*
 * After "case": of objects that no path leads to (SB_NOUSER), those that are the guest's own, whoever
 * made them: pipes, sockets, anonymous inodes, pidfds, secret memory; and memfds (TMPFS_MAGIC), but
 * for execution. What is not in this table (nsfs, dma-buf, ...) is refused.
 */
#define POL_OWN_MAGICS                                                                             \
	PIPEFS_MAGIC:                                                                              \
	case SOCKFS_MAGIC:                                                                         \
	case ANON_INODE_FS_MAGIC:                                                                  \
	case PID_FS_MAGIC:                                                                         \
	case SECRETMEM_MAGIC

/**
 * pol_never() - the rights that no rule gives on an object: refused in every mode.
 * @flags: POL_RULE_* of the nearest rule.
 *
 * Verified once (pseudo.bpf.c). Return: mask of rights, 0 on most filesystems.
 */
int pol_never(u32 guest, u64 dentry, u32 flags);

/**
 * pol_return() - what a program returns for a positive errno, 0 or POL_AUDITED.
 *
 * The verifier wants [-4095, 0] from 6.12 on, and clang turns branches into arithmetic whose range
 * it cannot see: hence the barriers and the tests. 6.1 lets a positive value through, which
 * callers of the hook misread.
 */
static __always_inline int pol_return(int err)
{
	long r = -(long)err;

	if (err == POL_AUDITED)
		return 0;
	barrier_var(r);
	if (r > 0)
		return -EACCES;
	barrier_var(r); /* or clang makes one unsigned comparison of the two */
	if (r < -4095)
		return -EACCES;
	return r;
}

/* True if the current task is a guest; then @actor is filled. */
static __always_inline bool pol_actor_current(struct pol_actor *actor)
{
	const struct pol_guest_config *config;

	__builtin_memset(actor, 0, sizeof(*actor));
	actor->guest = pol_guest_current(&actor->generation);
	if (!actor->guest)
		return false;
	config = pol_guest_config(actor->guest, actor->generation);
	actor->ruleset = config ? config->ruleset : 0;
	actor->mode = config ? config->mode : POL_MODE_ENFORCE;
	actor->err = config ? config->err : EACCES;
	actor->flags = config ? config->flags : POL_GUEST_STAT; /* may look at nothing */
	if (!config && actor->guest != POL_GUEST_PROBE)
		pol_fail_count(POL_FAIL_NO_GUEST_MAP);
	return true;
}

/*
 * Remember a refusal that audit has reported: one system call comes to several hooks (O_CREAT to
 * path_mknod and file_open, O_TRUNC to file_open and the truncate hooks), and enforce would have
 * ended it at the first.
 */
static __always_inline void pol_note_audited(u64 dentry)
{
	struct pol_label *label = pol_label_current();

	if (label)
		label->audited = dentry;
}

/* Was this object's refusal reported by the hook before? Forgets it. */
POL_SUBPROG bool pol_was_audited(u64 dentry)
{
	struct pol_label *label = pol_label_current();
	bool same = label && label->audited == dentry;

	if (same)
		label->audited = 0;
	return same;
}
