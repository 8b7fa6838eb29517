/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening: file_open, and path_mknod where creation is decided (refused there, nothing is left
 * behind; refused in file_open, an empty file would be).
 */
#include "shadow.bpf.h"
#include "stacked.bpf.h"
#include "verdict.bpf.h"

static __always_inline u32 mode_rights(u32 mode)
{
	return (mode & FMODE_READ ? POL_RIGHT_READ : 0) |
	       (mode & FMODE_WRITE ? POL_RIGHT_WRITE : 0);
}

/* The rights that opening it needs. */
static __always_inline u32 open_needs(const struct file *file)
{
	u32 flags = file->f_flags, mode = file->f_mode, need = mode_rights(mode);

	if (flags & FMODE_EXEC_FLAG)
		return POL_RIGHT_EXECUTE;
	if (pol_is_dir(file->f_inode) && !(flags & O_TMPFILE_BIT))
		return POL_RIGHT_LIST;
	if (!(mode & (FMODE_READ | FMODE_WRITE))) /* access mode 3: the kernel asks for both */
		need |= POL_RIGHT_READ | POL_RIGHT_WRITE;
	if (flags & O_TMPFILE_BIT)
		need |= POL_RIGHT_CREATE | POL_RIGHT_WRITE;
	else if (flags & O_TRUNC && !(mode & FMODE_CREATED))
		need |= POL_RIGHT_TRUNCATE;
	return need;
}

/*
 * Objects of mounts that no path leads to (SB_NOUSER), reopened through /proc/self/fd: a table. A
 * memfd is executed where the policy says so, a snapshot that the guest was given where that does; and
 * no snapshot is opened for writing (@mode).
 */
POL_SUBPROG int check_anonymous(const struct pol_actor *actor, const struct path *path,
				u32 op_hook, u32 mode)
{
	u32 exec = op_hook >> 16 == POL_OP_EXEC, reason_err, shadow;

	switch ((u32)path->dentry->d_sb->s_magic) {
	case TMPFS_MAGIC:
		if (!exec && !(mode & FMODE_WRITE && pol_is_snapshot(pol_address(path->dentry))))
			return 0;
		reason_err = POL_REASON_ERR(MEMFD, actor->err);
		if (!exec)
			break;
		shadow = pol_shadow_of(actor->guest, pol_address(path->dentry));
		if (actor->flags & (shadow == 2 ? POL_GUEST_SHADOW_EXEC :
				    shadow ? 0 : POL_GUEST_MEMFD_EXEC))
			return 0;
		break;
	case POL_OWN_MAGICS:
		return 0;
	default:
		reason_err = POL_REASON_ERR(BUILTIN, actor->err);
	}
	return pol_refuse_for(actor, pol_address(path->dentry), pol_mount_of(path->mnt), op_hook,
			      reason_err);
}

/*
 * O_CREAT of a name that is not cached: lookup_open() asks path_mknod first, looks the name up, and
 * drops a refusal if it is there. ESTALE makes do_filp_open() walk the path once more if it is not;
 * by then the name is cached, or asked for the second time (filesystems that cache no absence), and
 * what is decided and reported is what happens. Return: true: tell the caller to ask again.
 */
static __always_inline bool ask_again(const struct dentry *dir, const struct dentry *dentry)
{
	u64 name = pol_address(dir) ^ BPF_CORE_READ(dentry, d_name.hash_len);
	struct pol_label *label;
	bool again;

	if (!pol_in_lookup(dentry))
		return false;
	label = pol_label_current();
	if (!label)
		return false;
	again = label->asked != name;
	label->asked = again ? name : 0;
	return again;
}

/* The name was there. */
static __always_inline void forget_asked(void)
{
	struct pol_label *label = pol_label_current();

	if (label)
		label->asked = 0;
}

/**
 * pol_file_open - open(2) and all its kin, execve's opening of the program and its interpreter.
 *
 * Context: lsm/file_open, not sleepable. O_PATH never comes here; opening through it does.
 * Return: 0; the policy's errno.
 */
SEC("lsm/file_open")
int BPF_PROG(pol_file_open, struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;
	struct pol_actor actor;
	u64 object, mount;
	u32 need, op;
	bool device;
	int r;

	if (!pol_actor_current(&actor) || file->f_mode & FMODE_NOACCOUNT)
		return 0;
	if (file->f_flags & O_CREAT)
		forget_asked();
	op = file->f_flags & FMODE_EXEC_FLAG ? POL_OP_HOOK(EXEC, FILE_OPEN) :
					       POL_OP_HOOK(OPEN, FILE_OPEN);
	if (dentry->d_sb->s_flags & SB_NOUSER)
		return pol_return(check_anonymous(&actor, &file->f_path, op, file->f_mode));
	device = pol_is_device(file->f_inode->i_mode);
	need = open_needs(file);
	if (!device && pol_allows_at_once(&actor, dentry, pol_is_dir(file->f_inode), need))
		return 0;
	if (pol_on_layer(file->f_path.mnt))
		return 0;
	object = pol_address(dentry);
	if (actor.mode == POL_MODE_AUDIT && file->f_mode & FMODE_CREATED &&
	    pol_was_audited(object))
		return 0;
	mount = pol_mount_of(file->f_path.mnt);
	if (device)
		return pol_return(pol_check_device(&actor, object, mount, need, op));
	r = pol_check(&actor, object, mount, need, op);
	if (r == POL_AUDITED && file->f_flags & O_TRUNC)
		pol_note_audited(object);
	return pol_return(r);
}

/* include/linux/fsnotify_backend.h; include/uapi/linux/fanotify.h: what waits for an answer */
#define FSNOTIFY_OBJ_TYPE_INODE 0
#define FAN_PERM_EVENTS 0x170000u

/**
 * pol_path_notify - inotify_add_watch(2), fanotify_mark(2), fcntl(F_NOTIFY): watching an object
 * needs what reading it would. A mark on a whole mount, filesystem or mount namespace watches what
 * no rule is asked for, and a permission event holds up whoever opens the object: escapes.
 *
 * Context: lsm/path_notify, not sleepable. Return: 0; the policy's errno; EPERM.
 */
SEC("lsm/path_notify")
int BPF_PROG(pol_path_notify, const struct path *path, u64 mask, unsigned int type)
{
	u32 op = POL_OP_HOOK(NOTIFY, PATH_NOTIFY), need = POL_RIGHT_READ;
	struct dentry *dentry = path->dentry;
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (type != FSNOTIFY_OBJ_TYPE_INODE || mask & FAN_PERM_EVENTS)
		return pol_return(pol_escape(&actor, POL_OP_HOOK(FANOTIFY, PATH_NOTIFY),
					     !!pol_guarded(dentry->d_sb->s_magic)));
	if (dentry->d_sb->s_flags & SB_NOUSER)
		return pol_return(check_anonymous(&actor, path, op, 0));
	if ((BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR)
		need = POL_RIGHT_LIST;
	return pol_return(
		pol_check(&actor, pol_address(dentry), pol_mount_of(path->mnt), need, op));
}

/**
 * pol_quota_on - quotactl(2), Q_QUOTAON: from then on the kernel reads and writes the file named.
 *
 * Context: lsm/quota_on, not sleepable. Return: 0; the policy's errno.
 */
SEC("lsm/quota_on")
int BPF_PROG(pol_quota_on, struct dentry *dentry)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_check(&actor, pol_address(dentry), 0,
				    POL_RIGHT_READ | POL_RIGHT_WRITE, POL_OP_HOOK(OPEN, QUOTA_ON)));
}

/**
 * pol_path_mknod - O_CREAT of a new file, mknod(2), mkfifo(3), bind(2) of a unix socket.
 *
 * Context: lsm/path_mknod, never sleepable.
 * Return: 0; the policy's errno; EPERM for device nodes (a whiteout, 0:0, is a regular file); ESTALE,
 * which no caller of open(2) sees (ask_again()).
 */
SEC("lsm/path_mknod")
int BPF_PROG(pol_path_mknod, struct path *dir, struct dentry *dentry, umode_t mode, u32 dev)
{
	u32 type = mode & S_IFMT, need = POL_RIGHT_CREATE, op = POL_OP_HOOK(MKNOD, PATH_MKNOD);
	struct pol_actor actor;
	u64 object;
	int r;

	if (!pol_actor_current(&actor))
		return 0;
	/*
	 * Nobody makes a name on procfs. It is asked of one that is there (/dev/stdout's, for tee(1)),
	 * before its dentry is made; then it is opened.
	 */
	if (dir->dentry->d_sb->s_magic == PROC_SUPER_MAGIC)
		return 0;
	object = pol_address(dentry);
	if (type == S_IFBLK || (type == S_IFCHR && dev))
		return pol_return(pol_refuse_for(&actor, object, pol_mount_of(dir->mnt), op,
						 POL_REASON_ERR(DEVICE, EPERM)));
	if (type == S_IFREG || type == 0 || type == S_IFCHR) {
		need |= POL_RIGHT_WRITE;
		op = POL_OP_HOOK(CREATE, PATH_MKNOD);
	} else if (type == S_IFSOCK) {
		op = POL_OP_HOOK(BIND, PATH_MKNOD);
	}
	if (pol_allows_at_once(&actor, dentry, false, need))
		return 0;
	if (ask_again(dir->dentry, dentry))
		return -ESTALE;
	r = pol_check(&actor, object, pol_mount_of(dir->mnt), need, op);
	if (r == POL_AUDITED)
		pol_note_audited(object);
	return pol_return(r);
}
