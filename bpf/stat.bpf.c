/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking without opening, where a guest's policy says stat = "deny": what an object is like is shown
 * only where the guest has some right, on the way there, and of what it holds open. Attached only
 * while some guest of the policy says so: user/lib/load.c.
 */
#include "stacked.bpf.h"
#include "verdict.bpf.h"

/*
 * What no path leads to (SB_NOUSER: pipes, sockets, memfds, anonymous inodes) is reached by a
 * descriptor, which is enough; but a namespace, whose links in procfs can be looked at without one,
 * is judged.
 */
static __always_inline bool is_judged(const struct pol_actor *actor, const struct dentry *dentry)
{
	const struct super_block *sb = dentry->d_sb;

	if (!(actor->flags & POL_GUEST_STAT) || pol_is_inner_change())
		return false;
	return !(sb->s_flags & SB_NOUSER) || sb->s_magic == NSFS_MAGIC;
}

static __always_inline int check(struct dentry *dentry, u32 op_hook)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor) || !is_judged(&actor, dentry))
		return 0;
	return pol_return(pol_check_any(&actor, pol_address(dentry), 0, op_hook));
}

/**
 * pol_stat_attr - stat(2), statx(2), fstat(2), and io_uring's.
 *
 * Context: lsm/inode_getattr, not sleepable. Return: 0; the policy's errno.
 */
SEC("lsm/inode_getattr")
int BPF_PROG(pol_stat_attr, struct path *path)
{
	struct dentry *dentry = path->dentry;
	struct pol_actor actor;
	bool is_dir;

	if (!pol_actor_current(&actor) || !is_judged(&actor, dentry))
		return 0;
	/* Most rules give read and list: the fast half of the walk answers for them. */
	is_dir = (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR;
	if (pol_walk_allows(dentry, is_dir, actor.ruleset, actor.generation,
			    is_dir ? POL_RIGHT_LIST : POL_RIGHT_READ))
		return 0;
	return pol_return(pol_check_any(&actor, pol_address(dentry), pol_mount_of(path->mnt),
					POL_OP_HOOK(STAT, INODE_GETATTR)));
}

/* pol_stat_link - readlink(2); following a symlink never comes here. Likewise. */
SEC("lsm/inode_readlink")
int BPF_PROG(pol_stat_link, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(READLINK, INODE_READLINK));
}

/* pol_stat_fs - statfs(2), fstatfs(2), ustat(2), statmount(2), listmount(2). Likewise. */
SEC("lsm/sb_statfs")
int BPF_PROG(pol_stat_fs, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(STATFS, SB_STATFS));
}

SEC("lsm/inode_getxattr")
int BPF_PROG(pol_stat_xattr, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(GETXATTR, INODE_GETXATTR));
}

SEC("lsm/inode_listxattr")
int BPF_PROG(pol_stat_xattrs, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(LISTXATTR, INODE_LISTXATTR));
}

/* pol_stat_acl - getxattr(2) of an ACL, from 6.2 on; before, ACLs are xattrs. */
SEC("lsm/inode_get_acl")
int BPF_PROG(pol_stat_acl, void *idmap, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(GETXATTR, INODE_GET_ACL));
}

/* pol_stat_flags - file_getattr(2) and the ioctls that read chattr's flags, from 6.17 on. */
SEC("lsm/inode_file_getattr")
int BPF_PROG(pol_stat_flags, struct dentry *dentry)
{
	return check(dentry, POL_OP_HOOK(STAT, INODE_FILE_GETATTR));
}
