/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe of `policyctl explain` and `policyctl test`: a process that tries what a guest would do,
 * while an instance of these programs is attached beside the engine, for it alone. In it the hooks of
 * files.bpf.c and mutate.bpf.c decide as they do for guests, by the same code and the same maps, and
 * report into a ring of their own; nobody but the probe is a guest to them (POL_UNLABELLED_PROBE). The
 * programs below are in no other instance.
 *
 * Invariants:
 * 1. Nothing that the probe does takes place: what a hook allows, the wall behind it refuses.
 * 2. Walls and looks know the probe by its number, not by what could be taken from it.
 * 3. The walls are attached before the hooks, the looks after: the kernel calls the last one first.
 *    user/lib/probe.c tries each of them on files of its own before it touches others.
 */
#include "verdict.bpf.h"

/* The probe's wishes if the current task is it, else NULL. */
static __always_inline const struct pol_probe *probe_current(void)
{
	u32 zero = 0, tgid = bpf_get_current_pid_tgid() >> 32;
	const struct pol_probe *at = bpf_map_lookup_elem(&probe, &zero);

	return at && at->tgid == tgid ? at : NULL;
}

static __always_inline int wall(u64 dentry, const struct vfsmount *mnt, u32 op_hook)
{
	struct pol_actor actor;

	if (!probe_current())
		return 0;
	if (!pol_actor_current(&actor))
		return -POL_PROBE_ERR;
	return pol_return(pol_probe_allowed(&actor, dentry, pol_mount_of(mnt), 0, op_hook));
}

SEC("?lsm/file_open")
int BPF_PROG(pol_wall_open, struct file *file)
{
	return wall(pol_address(file->f_path.dentry), file->f_path.mnt,
		    POL_OP_HOOK(OPEN, FILE_OPEN));
}

SEC("?lsm/path_mknod")
int BPF_PROG(pol_wall_mknod, struct path *dir, struct dentry *dentry)
{
	return wall(pol_address(dentry), dir->mnt, POL_OP_HOOK(CREATE, PATH_MKNOD));
}

SEC("?lsm/path_mkdir")
int BPF_PROG(pol_wall_mkdir, struct path *dir, struct dentry *dentry)
{
	return wall(pol_address(dentry), dir->mnt, POL_OP_HOOK(MKDIR, PATH_MKDIR));
}

SEC("?lsm/path_unlink")
int BPF_PROG(pol_wall_unlink, struct path *dir, struct dentry *dentry)
{
	return wall(pol_address(dentry), dir->mnt, POL_OP_HOOK(UNLINK, PATH_UNLINK));
}

SEC("?lsm/path_rmdir")
int BPF_PROG(pol_wall_rmdir, struct path *dir, struct dentry *dentry)
{
	return wall(pol_address(dentry), dir->mnt, POL_OP_HOOK(RMDIR, PATH_RMDIR));
}

SEC("?lsm/path_rename")
int BPF_PROG(pol_wall_rename, struct path *old_dir, struct dentry *old_dentry)
{
	return wall(pol_address(old_dentry), old_dir->mnt, POL_OP_HOOK(RENAME, PATH_RENAME));
}

/* What the probe looks at, or the name for a directory that it asks for: has it these rights there? */
static __always_inline int look_at(struct dentry *dentry, const struct vfsmount *mnt)
{
	const struct pol_probe *at = probe_current();
	u64 object = pol_address(dentry), mount;
	struct pol_actor actor;
	int r;

	if (!at || !at->look)
		return 0;
	if (!pol_actor_current(&actor))
		return -POL_PROBE_ERR;
	mount = pol_mount_of(mnt);
	if (at->device)
		r = pol_check_device(&actor, object, mount, at->look, at->op_hook);
	else
		r = pol_check(&actor, object, mount, at->look, at->op_hook);
	if (!r || r == POL_AUDITED)
		r = pol_probe_allowed(&actor, object, mount, at->look, at->op_hook);
	return pol_return(r);
}

/**
 * pol_look_at - the rights on an object that is there: asked by statx(2).
 *
 * Context: lsm/inode_getattr. Return: 0: not the probe, or it looks for itself; the policy's errno;
 * POL_PROBE_ERR.
 */
SEC("?lsm/inode_getattr")
int BPF_PROG(pol_look_at, struct path *path)
{
	return look_at(path->dentry, path->mnt);
}

/* pol_look_for - on a name at which nothing is: asked by mkdir(2). Likewise. */
SEC("?lsm/path_mkdir")
int BPF_PROG(pol_look_for, struct path *dir, struct dentry *dentry)
{
	return look_at(dentry, dir->mnt);
}
