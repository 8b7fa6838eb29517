/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlayfs: what it does to its layers while a guest's call is under way. The call itself was
 * decided, on the object of the overlay; what comes of it on the layers comes to the same hooks and
 * is neither judged nor refused. A guest cannot mount, so only the host lays files over others.
 * Layer 2.
 *
 * Each of these must be out of reach for a guest that calls for a layer's file by itself:
 * 1. A file that the kernel allocates for itself (FMODE_NOACCOUNT): no system call makes one.
 * 2. A path on a mount of the kernel's own, with credentials that are not the task's: overlayfs'
 *    clones of its layers. What a guest has of such mounts (its message queues, its huge pages) it
 *    opens with its own credentials.
 * 3. Where a hook has no path: credentials that are not the task's. access(2) and core dumps borrow
 *    some as well, and come to none of these hooks; io_uring does, with whatever the ring holds, so
 *    a task that has ever used it (before it was adopted) is refused.
 */
#pragma once

#include "path.bpf.h"

/* Is the task working with credentials that were lent to it? */
static __always_inline bool pol_creds_are_lent(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();

	return task->cred != task->real_cred;
}

/* By the kernel's own mount; as an address: mnt_ns of such a mount is no pointer. */
static __always_inline bool pol_on_layer(const struct vfsmount *mnt)
{
	const struct mount *mount = (const void *)pol_mount_of(mnt);

	return pol_creds_are_lent() && (u64)BPF_CORE_READ(mount, mnt_ns) == MNT_NS_INTERNAL;
}

/* Does overlayfs open, or change, a file of a layer by this? */
static __always_inline bool pol_is_inner_file(const struct file *file)
{
	return file->f_mode & FMODE_NOACCOUNT || pol_on_layer(file->f_path.mnt);
}

/* The same for a hook that knows neither file nor mount. */
static __always_inline bool pol_is_inner_change(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();

	if (!pol_creds_are_lent() || BPF_CORE_READ(task, flags) & PF_IO_WORKER)
		return false;
	return !bpf_core_field_exists(task->io_uring) || !BPF_CORE_READ(task, io_uring);
}

/* From 6.5 on: what the kernel opens for a stacked filesystem knows what the user has opened. */
struct backing_file___65 {
	struct file file;
	struct path user_path;
} __attribute__((preserve_access_index));

/*
 * What the user has mapped: on overlayfs a mapping holds the layer's file (before 6.5 with the
 * user's path). Return: address of the dentry; *@mount that of its struct mount.
 */
static __always_inline u64 pol_mapped_dentry(const struct file *file, u64 *mount)
{
	const struct backing_file___65 *backing = (const void *)file;

	if (file->f_mode & FMODE_NOACCOUNT && bpf_core_field_exists(backing->user_path)) {
		*mount = pol_mount_of(BPF_CORE_READ(backing, user_path.mnt));
		return (u64)BPF_CORE_READ(backing, user_path.dentry);
	}
	*mount = pol_mount_of(file->f_path.mnt);
	return pol_address(file->f_path.dentry);
}
