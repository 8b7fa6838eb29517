/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the tree and its metadata. Each operation needs the rights that policy-language.md
 * lists, by the object's own nearest rule; renames and links may not raise any right (EXDEV); a
 * rule's anchor and what lies above one does not move (EBUSY).
 */
#include "shadow.bpf.h"
#include "stacked.bpf.h"
#include "verdict.bpf.h"

static __always_inline int check_child(struct path *dir, struct dentry *dentry, u32 need, u32 op)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(
		pol_check(&actor, pol_address(dentry), pol_mount_of(dir->mnt), need, op));
}

SEC("lsm/path_mkdir")
int BPF_PROG(pol_path_mkdir, struct path *dir, struct dentry *dentry)
{
	return check_child(dir, dentry, POL_RIGHT_CREATE, POL_OP_HOOK(MKDIR, PATH_MKDIR));
}

SEC("lsm/path_symlink")
int BPF_PROG(pol_path_symlink, struct path *dir, struct dentry *dentry)
{
	return check_child(dir, dentry, POL_RIGHT_CREATE, POL_OP_HOOK(SYMLINK, PATH_SYMLINK));
}

SEC("lsm/path_unlink")
int BPF_PROG(pol_path_unlink, struct path *dir, struct dentry *dentry)
{
	return check_child(dir, dentry, POL_RIGHT_DELETE, POL_OP_HOOK(UNLINK, PATH_UNLINK));
}

SEC("lsm/path_rmdir")
int BPF_PROG(pol_path_rmdir, struct path *dir, struct dentry *dentry)
{
	const u32 op = POL_OP_HOOK(RMDIR, PATH_RMDIR);
	u64 object = pol_address(dentry), mount;
	struct pol_actor actor;
	int r;

	if (!pol_actor_current(&actor))
		return 0;
	mount = pol_mount_of(dir->mnt);
	r = pol_refuse_anchor(&actor, object, mount, op);
	if (!r)
		r = pol_check(&actor, object, mount, POL_RIGHT_DELETE, op);
	return pol_return(r);
}

/* A rename: @from gets the name @to. */
static __always_inline int check_move(const struct pol_actor *actor, u64 from, u64 to, u64 mount)
{
	const u32 op = POL_OP_HOOK(RENAME, PATH_RENAME);
	int r;

	r = pol_check(actor, from, mount, POL_RIGHT_RENAME, op);
	if (!r)
		r = pol_check(actor, to, mount, POL_RIGHT_RENAME, op);
	if (!r)
		r = pol_refuse_widening(actor, from, to, mount, op);
	return r;
}

/**
 * pol_path_rename - rename(2), renameat2(2) with each of its flags.
 *
 * RENAME_EXCHANGE is two moves, of the same two names; RENAME_WHITEOUT leaves a new object under the
 * old name.
 */
SEC("lsm/path_rename")
int BPF_PROG(pol_path_rename, struct path *old_dir, struct dentry *old_dentry,
	     struct path *new_dir, struct dentry *new_dentry, u32 flags)
{
	const u32 op = POL_OP_HOOK(RENAME, PATH_RENAME);
	u64 from = pol_address(old_dentry), to = pol_address(new_dentry), mount;
	struct pol_actor actor;
	int r;

	if (!pol_actor_current(&actor))
		return 0;
	mount = pol_mount_of(new_dir->mnt);
	r = pol_refuse_anchor(&actor, from, mount, op);
	if (!r)
		r = pol_refuse_anchor(&actor, to, mount, op);
	if (!r)
		r = check_move(&actor, from, to, mount);
	if (!r && flags & RENAME_EXCHANGE)
		r = pol_refuse_widening(&actor, to, from, mount, op);
	/* A probe read: 6.12's verifier believes that a trusted dentry's inode is never NULL. */
	else if (!r && BPF_CORE_READ((const struct dentry *)to, d_inode))
		r = pol_check(&actor, to, mount, POL_RIGHT_DELETE, op);
	if (!r && flags & RENAME_WHITEOUT)
		r = pol_check(&actor, from, mount, POL_RIGHT_CREATE | POL_RIGHT_WRITE, op);
	return pol_return(r);
}

/**
 * pol_path_link - link(2), linkat(2); of an O_TMPFILE it is a creation.
 */
SEC("lsm/path_link")
int BPF_PROG(pol_path_link, struct dentry *old_dentry, struct path *new_dir,
	     struct dentry *new_dentry)
{
	const u32 op = POL_OP_HOOK(LINK, PATH_LINK);
	u64 from = pol_address(old_dentry), to = pol_address(new_dentry), mount;
	struct pol_actor actor;
	int r;

	if (!pol_actor_current(&actor))
		return 0;
	mount = pol_mount_of(new_dir->mnt);
	if (!BPF_CORE_READ(old_dentry, d_inode, i_nlink)) {
		r = pol_check(&actor, to, mount, POL_RIGHT_CREATE | POL_RIGHT_WRITE, op);
	} else {
		r = pol_check(&actor, from, mount, POL_RIGHT_LINK, op);
		if (!r)
			r = pol_check(&actor, to, mount, POL_RIGHT_LINK, op);
	}
	if (!r)
		r = pol_refuse_widening(&actor, from, to, mount, op);
	return pol_return(r);
}

/* Of the anonymous ones a snapshot: others have it, too, to whom its mode and owner matter. */
static __always_inline int check_anonymous(const struct pol_actor *actor, const struct dentry *dentry,
					   u64 mount, u32 op)
{
	u64 object = pol_address(dentry);

	if ((u32)dentry->d_sb->s_magic != TMPFS_MAGIC || !pol_is_snapshot(object))
		return 0;
	return pol_return(
		pol_refuse_for(actor, object, mount, op, POL_REASON_ERR(MEMFD, actor->err)));
}

/* An object that is there already. */
static __always_inline int check_object(struct dentry *dentry, u64 mount, u32 need, u32 op)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (dentry->d_sb->s_flags & SB_NOUSER)
		return check_anonymous(&actor, dentry, mount, op);
	return pol_return(pol_check(&actor, pol_address(dentry), mount, need, op));
}

/*
 * The same where the hook has no path: of a change that overlayfs makes on a layer, too, which follows
 * from one that was decided.
 */
static __always_inline int check_attributes(struct dentry *dentry, u32 op)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor) || pol_is_inner_change())
		return 0;
	if (dentry->d_sb->s_flags & SB_NOUSER)
		return check_anonymous(&actor, dentry, 0, op);
	return pol_return(
		pol_check(&actor, pol_address(dentry), 0, POL_RIGHT_METADATA, op));
}

static __always_inline int check_truncate(struct dentry *dentry, u64 mount, u32 op)
{
	struct pol_actor actor;
	u64 object;

	if (!pol_actor_current(&actor) || dentry->d_sb->s_flags & SB_NOUSER)
		return 0;
	object = pol_address(dentry);
	if (actor.mode == POL_MODE_AUDIT && pol_was_audited(object))
		return 0;
	return pol_return(pol_check(&actor, object, mount, POL_RIGHT_TRUNCATE, op));
}

/* truncate(2), and ftruncate(2) before 6.2. */
SEC("lsm/path_truncate")
int BPF_PROG(pol_path_truncate, struct path *path)
{
	return check_truncate(path->dentry, pol_mount_of(path->mnt),
			      POL_OP_HOOK(TRUNCATE, PATH_TRUNCATE));
}

/*
 * ftruncate(2) from 6.2 on. An open with O_TRUNC was decided in file_open and comes here as well,
 * with the same answer.
 */
SEC("lsm/file_truncate")
int BPF_PROG(pol_file_truncate, struct file *file)
{
	return check_truncate(file->f_path.dentry, pol_mount_of(file->f_path.mnt),
			      POL_OP_HOOK(TRUNCATE, FILE_TRUNCATE));
}

SEC("lsm/path_chmod")
int BPF_PROG(pol_path_chmod, struct path *path)
{
	return check_object(path->dentry, pol_mount_of(path->mnt), POL_RIGHT_METADATA,
			    POL_OP_HOOK(CHMOD, PATH_CHMOD));
}

SEC("lsm/path_chown")
int BPF_PROG(pol_path_chown, struct path *path)
{
	return check_object(path->dentry, pol_mount_of(path->mnt), POL_RIGHT_METADATA,
			    POL_OP_HOOK(CHOWN, PATH_CHOWN));
}

/*
 * utimensat(2) alone: chmod, chown and truncate have hooks of their own, and the kernel's own
 * changes (setuid bits stripped by a write) set no times.
 */
static __always_inline int setattr(struct dentry *dentry, struct iattr *attr)
{
	u32 valid = attr->ia_valid;

	if (!(valid & (ATTR_ATIME | ATTR_MTIME)))
		return 0;
	if (valid & (ATTR_SIZE | ATTR_MODE | ATTR_UID | ATTR_GID))
		return 0;
	return check_attributes(dentry, POL_OP_HOOK(UTIME, INODE_SETATTR));
}

/* Before 6.3 the hook has no idmap argument; user space loads the one that fits. */
SEC("?lsm/inode_setattr")
int BPF_PROG(pol_setattr_61, struct dentry *dentry, struct iattr *attr)
{
	return setattr(dentry, attr);
}

SEC("?lsm/inode_setattr")
int BPF_PROG(pol_setattr, void *idmap, struct dentry *dentry, struct iattr *attr)
{
	return setattr(dentry, attr);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(pol_setxattr, void *idmap, struct dentry *dentry)
{
	return check_attributes(dentry, POL_OP_HOOK(XATTR, INODE_SETXATTR));
}

SEC("lsm/inode_removexattr")
int BPF_PROG(pol_removexattr, void *idmap, struct dentry *dentry)
{
	return check_attributes(dentry, POL_OP_HOOK(XATTR, INODE_REMOVEXATTR));
}

/* From 6.2 on; before, ACLs are xattrs. */
SEC("lsm/inode_set_acl")
int BPF_PROG(pol_set_acl, void *idmap, struct dentry *dentry)
{
	return check_attributes(dentry, POL_OP_HOOK(ACL, INODE_SET_ACL));
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(pol_remove_acl, void *idmap, struct dentry *dentry)
{
	return check_attributes(dentry, POL_OP_HOOK(ACL, INODE_REMOVE_ACL));
}
