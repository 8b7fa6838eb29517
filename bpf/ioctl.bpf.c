/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl(2): of device nodes the right ioctl; of the calls that change a file's attributes (chattr,
 * project ids, versions, verity, encryption) the right metadata. Those that change a filesystem's
 * tree past every other hook are refused, and what types into a terminal, whatever a rule says. Others
 * act on what the descriptor may do anyway.
 */
#include "stacked.bpf.h"
#include "verdict.bpf.h"

/* include/uapi/asm-generic/ioctls.h: done by the VFS, no driver sees them. */
#define FIONBIO 0x5421u
#define FIONCLEX 0x5450u
#define FIOCLEX 0x5451u
#define FIOASYNC 0x5452u
#define FIOQSIZE 0x5460u

/* The same: input for whoever reads the terminal; its console's text, and the console itself. */
#define TIOCSTI 0x5412u
#define TIOCLINUX 0x541cu
#define TIOCCONS 0x541du

/* include/uapi/asm-generic/sockios.h; FIOASYNC on a terminal sets an owner, too */
#define FIOSETOWN 0x8901u
#define SIOCSPGRP 0x8902u

/* include/uapi/linux/fs.h, fsverity.h, fscrypt.h; fs/ext4/ext4.h */
#define FS_IOC_SETFLAGS 0x40086602u
#define FS_IOC32_SETFLAGS 0x40046602u
#define FS_IOC_FSSETXATTR 0x401c5820u
#define FS_IOC_SETVERSION 0x40087602u
#define FS_IOC32_SETVERSION 0x40047602u
#define EXT4_IOC_SETVERSION 0x40086604u
#define EXT4_IOC32_SETVERSION 0x40046604u
#define FS_IOC_ENABLE_VERITY 0x40806685u
#define FS_IOC_SET_ENCRYPTION_POLICY 0x800c6613u

/* include/uapi/linux/btrfs.h: its own calls; include/uapi/linux/fs.h: the files' among them */
#define BTRFS_IOCTL_MAGIC 0x94u
#define FICLONE 0x40049409u
#define FICLONERANGE 0x4020940du
#define FIDEDUPERANGE 0xc0189436u

#define IOC_TYPE(cmd) ((cmd) >> 8 & 0xff) /* include/uapi/asm-generic/ioctl.h */

/*
 * Subvolumes made, copied, sent, deleted by a descriptor of any directory; trees read block by block.
 * A guest's own snapshot would be a tree without the rules of what it was made from.
 */
static __always_inline bool is_past_hooks(const struct file *file, u32 cmd)
{
	if (IOC_TYPE(cmd) != BTRFS_IOCTL_MAGIC || cmd == FICLONE || cmd == FICLONERANGE ||
	    cmd == FIDEDUPERANGE)
		return false;
	return (u32)file->f_path.dentry->d_sb->s_magic == BTRFS_SUPER_MAGIC;
}

static __always_inline bool is_vfs(u32 cmd)
{
	return cmd == FIONBIO || cmd == FIONCLEX || cmd == FIOCLEX || cmd == FIOASYNC ||
	       cmd == FIOQSIZE;
}

/* On the terminal that a guest came with, the host's shell reads: CVE-2016-2568 and its kin. */
static __always_inline bool is_injection(u32 cmd)
{
	return cmd == TIOCSTI || cmd == TIOCLINUX || cmd == TIOCCONS;
}

static __always_inline bool sets_owner(u32 cmd)
{
	return cmd == FIOASYNC || cmd == FIOSETOWN || cmd == SIOCSPGRP;
}

static __always_inline bool is_chattr(u32 cmd)
{
	switch (cmd) {
	case FS_IOC_SETFLAGS:
	case FS_IOC32_SETFLAGS:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_SETVERSION:
	case FS_IOC32_SETVERSION:
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC32_SETVERSION:
	case FS_IOC_ENABLE_VERITY:
	case FS_IOC_SET_ENCRYPTION_POLICY:
		return true;
	}
	return false;
}

/* Few are asked for more than the kind of file and of call. */
static __always_inline int check_ioctl(struct file *file, u32 cmd, u32 hook)
{
	bool device = pol_is_device(file->f_inode->i_mode);
	bool past_hooks = !device && is_past_hooks(file, cmd);
	struct pol_actor actor;
	u64 object, mount;
	int r;

	if (sets_owner(cmd)) {
		r = pol_owner_room(pol_address(file), hook);
		if (r)
			return r;
	}
	if (device ? is_vfs(cmd) : !past_hooks && !is_chattr(cmd))
		return 0;
	if (!pol_actor_current(&actor) || (!device && pol_is_inner_file(file)))
		return 0;
	if (device && is_injection(cmd))
		return pol_escape(&actor, (u32)POL_OP_DEVICE << 16 | hook, 1);
	object = pol_address(file->f_path.dentry);
	mount = pol_mount_of(file->f_path.mnt);
	if (device)
		return pol_check_named(&actor, object, mount, POL_RIGHT_IOCTL,
				       (u32)POL_OP_IOCTL << 16 | hook);
	if (past_hooks)
		return pol_refuse_for(&actor, object, mount, (u32)POL_OP_IOCTL << 16 | hook,
				      POL_REASON_ERR(BUILTIN, actor.err));
	r = pol_check(&actor, object, mount, POL_RIGHT_METADATA, (u32)POL_OP_CHATTR << 16 | hook);
	if (r == POL_AUDITED)
		pol_note_audited(object);
	return r;
}

/**
 * pol_file_ioctl - ioctl(2).
 *
 * Context: lsm/file_ioctl, not sleepable. Return: 0; the policy's errno.
 */
SEC("lsm/file_ioctl")
int BPF_PROG(pol_file_ioctl, struct file *file, unsigned int cmd)
{
	return pol_return(check_ioctl(file, cmd, POL_HOOK_FILE_IOCTL));
}

/* pol_ioctl_compat - a 32-bit process's, where the kernel has a hook of its own for it. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(pol_ioctl_compat, struct file *file, unsigned int cmd)
{
	return pol_return(check_ioctl(file, cmd, POL_HOOK_FILE_IOCTL_COMPAT));
}

/* pol_uring_cmd - io_uring's own way to a driver (IORING_OP_URING_CMD): as ioctl(2). */
SEC("lsm/uring_cmd")
int BPF_PROG(pol_uring_cmd, struct io_uring_cmd *cmd)
{
	return pol_return(check_ioctl(cmd->file, 0, POL_HOOK_URING_CMD));
}

/* pol_setfattr - file_setattr(2), from 6.17 on; the ioctls come here, too, after the hook above. */
SEC("lsm/inode_file_setattr")
int BPF_PROG(pol_setfattr, struct dentry *dentry)
{
	struct pol_actor actor;
	u64 object;

	if (!pol_actor_current(&actor) || pol_is_inner_change())
		return 0;
	object = pol_address(dentry);
	if (actor.mode == POL_MODE_AUDIT && pol_was_audited(object))
		return 0;
	return pol_return(pol_check(&actor, object, 0, POL_RIGHT_METADATA,
				    POL_OP_HOOK(CHATTR, INODE_FILE_SETATTR)));
}
