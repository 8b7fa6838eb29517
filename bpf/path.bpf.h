/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of a path, for reports only: names from the object upwards, each followed by '/', over
 * mount points to the root of the mount tree. Never a basis for a verdict: a mount namespace or a
 * racing rename can make it say anything. Layer 2.
 */
#pragma once

#include "maps.bpf.h"

#define POL_TEXT_STEPS 2200 /* the largest room holds 2048 names of one byte; and mounts */

/* Where a path text has come to; scalars and one pointer, for the bpf_loop callbacks. */
struct pol_text {
	u64 dentry;
	u64 mount; /* struct mount; 0: unknown, the text ends at the filesystem's root */
	char *to;  /* the room, in memory that goes on for POL_NAME_SIZE bytes past it */
	u32 room;
	u32 len;
	u32 flags; /* POL_EVENT_PATH_TRUNCATED, POL_EVENT_DETACHED */
	u32 ended;
};

/* The address of the struct mount around @mnt; 0: none. */
static __always_inline u64 pol_mount_of(const struct vfsmount *mnt)
{
	u64 address = pol_address(mnt);

	return address ? address - bpf_core_field_offset(struct mount, mnt) : 0;
}

#define POL_TEXT_END 1	/* the text is complete */
#define POL_TEXT_NAME 2 /* at a dentry with a name */
#define POL_TEXT_ON 3	/* stepped over the root of a mount: look again */

static __always_inline int pol_text_settle(struct pol_text *text)
{
	const struct dentry *dentry = (const void *)text->dentry;
	const struct mount *mount = (const void *)text->mount;
	const struct mount *parent;

	if (mount && dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		parent = BPF_CORE_READ(mount, mnt_parent);
		if (parent == mount)
			return POL_TEXT_END;
		text->dentry = (u64)BPF_CORE_READ(mount, mnt_mountpoint);
		text->mount = (u64)parent;
		return POL_TEXT_ON;
	}
	if (dentry != BPF_CORE_READ(dentry, d_parent))
		return POL_TEXT_NAME;
	if (!mount)
		return POL_TEXT_END;
	/* A root that is no mount's: memfd:, pipes, a moved-away directory. */
	text->flags |= POL_EVENT_DETACHED;
	return POL_TEXT_NAME;
}

/* @cap: a constant at most @text->room, so that the verifier sees the bound. */
static __always_inline int pol_text_name(struct pol_text *text, u32 cap)
{
	const struct dentry *dentry;
	u32 len, off = text->len;
	const void *name;
	int where;

	where = pol_text_settle(text);
	if (where == POL_TEXT_ON)
		return 0;
	if (where == POL_TEXT_END)
		goto end;
	dentry = (const void *)text->dentry;
	len = BPF_CORE_READ(dentry, d_name.len) & 0xff;
	if (off + len + 1 > text->room)
		goto cut;
	name = BPF_CORE_READ(dentry, d_name.name);
	barrier_var(off); /* the bound must be known in the register that is used */
	if (off >= cap)
		goto cut;
	if (bpf_probe_read_kernel(text->to + off, len, name))
		goto cut;
	text->to[off + len] = '/';
	text->len = off + len + 1;
	if (text->flags & POL_EVENT_DETACHED)
		goto end;
	text->dentry = (u64)BPF_CORE_READ(dentry, d_parent);
	return 0;
cut:
	text->flags |= POL_EVENT_PATH_TRUNCATED;
end:
	text->ended = 1;
	return 1;
}

#define POL_TEXT_STEP(name, cap)                                                                   \
	static __attribute__((unused)) int pol_text_step_##name(u32 i, struct pol_text *text)                              \
	{                                                                                          \
		return pol_text_name(text, cap);                                                   \
	}

/* pol_text_write() - run a step to the end; afterwards len and flags of @text are the result. */
#define pol_text_write(step, text)                                                                 \
	do {                                                                                       \
		bpf_loop(POL_TEXT_STEPS, step, text, 0);                                           \
		if (!(text)->ended)                                                                \
			(text)->flags |= POL_EVENT_PATH_TRUNCATED;                                 \
	} while (0)
