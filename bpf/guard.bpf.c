/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's border: mounts, user namespaces and io_uring (knobs of the policy); and,
 * built in, in every mode: the bpf system call, other tasks, and what reaches into the kernel itself.
 * So nothing of the engine can be read, changed or stopped from inside, root or not; a knob that
 * would let audit do so is refused there, too.
 */
#include "sender.bpf.h"
#include "verdict.bpf.h"

/* In audit, too. */
static __always_inline int refuse_always(u32 op_hook)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_escape(&actor, op_hook, 1));
}

/* The mount namespace of the host's init, or the loader's: there, mounts are the host's. */
static __always_inline bool in_hosts_mounts(void)
{
	struct task_struct *task = bpf_get_current_task_btf(), *init;
	const struct mnt_namespace *mounts = BPF_CORE_READ(task, nsproxy, mnt_ns);
	const struct pol_control *ctl = pol_control_get();

	init = BPF_CORE_READ(task, thread_pid, numbers[0].ns, child_reaper);
	return mounts == BPF_CORE_READ(init, nsproxy, mnt_ns) || !ctl ||
	       BPF_CORE_READ(mounts, ns.inum) == ctl->mounts;
}

/* By its peer group; the flag for it has moved in 6.17. */
static __always_inline bool is_shared(u64 mount)
{
	const struct mount *at = (const void *)mount;

	return BPF_CORE_READ(at, mnt_group_id);
}

/*
 * mounts = "allow": in a mount namespace of the guest's own; and where a mount is shared nothing is
 * mounted or unmounted, it would come out in the host's. @mount: address of a struct mount, 0: none.
 */
static __always_inline bool may_mount(const struct pol_actor *actor, u64 mount)
{
	return actor->flags & POL_GUEST_MOUNTS && !in_hosts_mounts() &&
	       !(mount && is_shared(mount));
}

/* @always: in audit, too, whatever the knob says. */
static __always_inline int check_mount(const struct pol_actor *actor, u32 op_hook, u64 mount,
				       bool always)
{
	if (!always && may_mount(actor, mount))
		return 0;
	return pol_return(pol_escape(actor, op_hook, always));
}

/*
 * Mounts are a knob, unless at what the engine needs: that is refused in audit, too. A detached or
 * moved bpffs takes every pin with it, and the confinement of all guests.
 */
static __always_inline bool on_guarded(const struct path *path)
{
	return pol_guarded(path->dentry->d_sb->s_magic);
}

/* Makes a mount less shared than it is: what comes first in a namespace of one's own. */
static __always_inline bool is_unsharing(unsigned long flags)
{
	return flags & (MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
}

/*
 * Over a guarded filesystem, or on one: remounts and propagation come here with its path. What
 * mount(2) moves is not seen by any hook, only a name that the caller may change: cannot be decided.
 */
SEC("lsm/sb_mount")
int BPF_PROG(pol_sb_mount, const char *dev, const struct path *path, const char *type,
	     unsigned long flags)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return check_mount(&actor, POL_OP_HOOK(MOUNT, SB_MOUNT),
			   is_unsharing(flags) ? 0 : pol_mount_of(path->mnt),
			   flags & MS_MOVE || on_guarded(path));
}

/*
 * MNT_DETACH takes all that is mounted below along; without, the kernel says EBUSY then. What lies
 * below is not looked at: below "/" or /sys it is the engine's, unless in a namespace of its own.
 */
static __always_inline bool detaches_others(const struct mount *at, int flags)
{
	return flags & MNT_DETACH &&
	       (u64)BPF_CORE_READ(at, mnt_mounts.next) !=
		       (u64)at + bpf_core_field_offset(struct mount, mnt_mounts) &&
	       in_hosts_mounts();
}

/* The mount that a mount hangs on: an unmount goes to all that it is shared with. */
static __always_inline u64 parent_mount(const struct mount *at)
{
	return (u64)BPF_CORE_READ(at, mnt_parent);
}

SEC("lsm/sb_umount")
int BPF_PROG(pol_sb_umount, const struct vfsmount *mnt, int flags)
{
	const struct mount *at;
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	at = (const void *)pol_mount_of(mnt);
	return check_mount(&actor, POL_OP_HOOK(UMOUNT, SB_UMOUNT), parent_mount(at),
			   pol_guarded(mnt->mnt_sb->s_magic) || detaches_others(at, flags));
}

/* Of a superblock that a user namespace does not own: its options are the host's. */
SEC("lsm/sb_remount")
int BPF_PROG(pol_sb_remount, const struct super_block *sb)
{
	struct pol_actor actor;
	bool guarded;

	if (!pol_actor_current(&actor))
		return 0;
	guarded = pol_guarded(sb->s_magic);
	if (!guarded && BPF_CORE_READ(sb, s_user_ns, level) && may_mount(&actor, 0))
		return 0;
	return pol_return(pol_escape(&actor, POL_OP_HOOK(MOUNT, SB_REMOUNT), guarded));
}

/*
 * In the mount namespace of the host's init pivot_root(2) moves every process to another root, away
 * from the pins. What is shared the kernel itself refuses.
 */
SEC("lsm/sb_pivotroot")
int BPF_PROG(pol_pivotroot)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return check_mount(&actor, POL_OP_HOOK(PIVOT_ROOT, SB_PIVOTROOT), 0, in_hosts_mounts());
}

/* A mount that hangs nowhere yet (fsmount(2), open_tree(2)) is attached, not moved. */
static __always_inline bool is_attached(const struct path *path)
{
	const struct mount *at = (const void *)pol_mount_of(path->mnt);

	return BPF_CORE_READ(at, mnt_parent) != at;
}

SEC("lsm/move_mount")
int BPF_PROG(pol_move_mount, const struct path *from, const struct path *to)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return check_mount(&actor, POL_OP_HOOK(MOUNT, MOVE_MOUNT), pol_mount_of(to->mnt),
			   on_guarded(to) || (on_guarded(from) && is_attached(from)));
}

/**
 * pol_sb_kern_mount - a superblock was made, by mount(2) or fsconfig(2).
 *
 * The second wall in enforce. A stacked filesystem (overlayfs) changes what lies below it by the
 * kernel's own hand, which comes to no hook of ours on paths: audit refuses it, too, and so does
 * mounts = "allow"; there, also one on a block device, which no rule has named. procfs calls itself
 * stacked, so that nothing is stacked on it.
 *
 * Context: not called for what the kernel mounts by itself.
 */
SEC("lsm/sb_kern_mount")
int BPF_PROG(pol_sb_kern_mount, const struct super_block *sb)
{
	struct pol_actor actor;
	bool stacked;

	if (!pol_actor_current(&actor))
		return 0;
	stacked = sb->s_stack_depth > 0 && !pol_guarded(sb->s_magic);
	if (actor.mode == POL_MODE_AUDIT && !stacked)
		return 0; /* reported: pol_sb_mount, pol_capable */
	if (!stacked && !BPF_CORE_READ(sb, s_bdev) && may_mount(&actor, 0))
		return 0;
	return pol_return(pol_escape(&actor, POL_OP_HOOK(MOUNT, SB_KERN_MOUNT), stacked));
}

static __always_inline const struct pt_regs *syscall_regs(void)
{
	return (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline long syscall_nr(const struct pt_regs *regs)
{
	return (long)regs->orig_ax & ~NR_X32_BIT;
}

/*
 * The system calls that change mounts and come to no hook (6.1 to 7.2): only to the question whether
 * the caller has CAP_SYS_ADMIN, asked before they look at anything else.
 */
static __always_inline bool mounts_without_hook(long nr)
{
	switch (nr) {
	case NR_OPEN_TREE: /* with OPEN_TREE_CLONE; else nothing is asked */
	case NR_FSOPEN:
	case NR_FSCONFIG:
	case NR_FSMOUNT:
	case NR_FSPICK:
	case NR_MOUNT_SETATTR:
	case NR_OPEN_TREE_ATTR:
		return true;
	}
	return false;
}

/**
 * pol_capable - open_tree(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2), mount_setattr(2).
 *
 * Before a device is opened and its superblock read. By the number of the system call: no argument
 * of the hook says what the capability is for. Other capabilities pass at the first comparison.
 *
 * Nor does anything say which mount mount_setattr(2) is about to change, but one of the caller's own
 * namespace: among the host's mounts audit refuses it, too, for it could be that of the pins.
 */
SEC("lsm/capable")
int BPF_PROG(pol_capable, const void *cred, const void *ns, int cap)
{
	struct pol_actor actor;
	long nr;

	if (cap != CAP_SYS_ADMIN)
		return 0;
	nr = syscall_nr(syscall_regs());
	if (!mounts_without_hook(nr) || !pol_actor_current(&actor))
		return 0;
	return check_mount(&actor, POL_OP_HOOK(MOUNT, CAPABLE), 0,
			   (nr == NR_MOUNT_SETATTR || nr == NR_OPEN_TREE_ATTR) &&
				   in_hosts_mounts());
}

SEC("lsm/userns_create")
int BPF_PROG(pol_userns)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor) || actor.flags & POL_GUEST_USERNS)
		return 0;
	return pol_return(pol_escape(&actor, POL_OP_HOOK(USERNS, USERNS_CREATE), 0));
}

/* Of an anonymous inode: as much as tells those apart that are asked for. */
#define NAME_SIZE 8
union name {
	char text[NAME_SIZE];
	u64 word;
};

/*
 * io_uring_setup(2) has no hook before 6.15, but its anonymous inode has one on every kernel, by name.
 * So has userfaultfd(2)'s, which fills in pages that nobody may write, executable ones of tmpfs and
 * memfds as well: not with wx = "deny". memfd_secret(2)'s passes.
 */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(pol_anon_inode, struct inode *inode, const struct qstr *name)
{
	const u32 io_uring_op = POL_OP_HOOK(IO_URING, INODE_INIT_SECURITY_ANON);
	const u32 fill_op = POL_OP_HOOK(MMAP, INODE_INIT_SECURITY_ANON);
	const union name io_uring = { "[io_uri" }, userfaultfd = { "[userfa" };
	union name is = {};
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (bpf_probe_read_kernel_str(is.text, sizeof(is.text), name->name) < 0)
		return pol_return(actor.err); /* cannot be decided */
	if (!(actor.flags & POL_GUEST_IO_URING) && is.word == io_uring.word)
		return pol_return(pol_escape(&actor, io_uring_op, 0));
	if (actor.flags & POL_GUEST_NO_WX && is.word == userfaultfd.word)
		return pol_return(pol_refuse_for(&actor, 0, 0, fill_op,
						 POL_REASON_ERR(WX, actor.err)));
	return 0;
}

/* Every command: reading a pinned map is how editing one starts (threats.md, 1.9). */
SEC("lsm/bpf")
int BPF_PROG(pol_bpf, int cmd)
{
	return refuse_always(POL_OP_HOOK(BPF, BPF));
}

/*
 * The second wall: a descriptor for a map or a program is made, by whatever way. There is no hook
 * for links; the system call is the only way to one.
 */
SEC("lsm/bpf_map")
int BPF_PROG(pol_bpf_map)
{
	return refuse_always(POL_OP_HOOK(BPF, BPF_MAP));
}

SEC("lsm/bpf_prog")
int BPF_PROG(pol_bpf_prog)
{
	return refuse_always(POL_OP_HOOK(BPF, BPF_PROG));
}

/* perf_event_open(2): kernel memory, other tasks' registers, kprobes. */
SEC("lsm/perf_event_open")
int BPF_PROG(pol_perf)
{
	return refuse_always(POL_OP_HOOK(PERF, PERF_EVENT_OPEN));
}

/*
 * init_module(2), finit_module(2), kexec_load(2), kexec_file_load(2). Firmware that a driver asks
 * for while a guest uses its device is the kernel's own business.
 */
static __always_inline int refuse_image(int id, int module, int kexec, int initramfs, u32 hook)
{
	if (id == module)
		return refuse_always((u32)POL_OP_MODULE << 16 | hook);
	if (id == kexec || id == initramfs)
		return refuse_always((u32)POL_OP_KEXEC << 16 | hook);
	return 0;
}

SEC("lsm/kernel_read_file")
int BPF_PROG(pol_read_file, struct file *file, int id)
{
	int module = bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE);

	/* From 6.19 on a compressed module is one of its own. */
	if (bpf_core_enum_value_exists(enum kernel_read_file_id, READING_MODULE_COMPRESSED) &&
	    id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE_COMPRESSED))
		id = module;
	return refuse_image(id, module,
			    bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE),
			    bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_INITRAMFS),
			    POL_HOOK_KERNEL_READ_FILE);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(pol_load_data, int id)
{
	return refuse_image(id, bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE),
			    bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE),
			    bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_INITRAMFS),
			    POL_HOOK_KERNEL_LOAD_DATA);
}

/*
 * What lockdown would refuse: I/O ports, MSRs, /dev/mem, ACPI tables, hibernation, ... A guest lives
 * in a locked down kernel, whatever the host's is.
 */
SEC("lsm/locked_down")
int BPF_PROG(pol_locked_down)
{
	return refuse_always(POL_OP_HOOK(DEVICE, LOCKED_DOWN));
}

/* @own: the guest's own tasks, too. */
static __always_inline int refuse_task(struct task_struct *other, u32 op_hook, u32 own)
{
	struct pol_actor actor;
	u64 generation = 0;

	if (!pol_actor_current(&actor))
		return 0;
	if (pol_guest_of(other, &generation) != actor.guest || pol_is_starting(other))
		return pol_return(pol_escape(&actor, op_hook, 1));
	if (actor.flags & own)
		return pol_return(pol_escape(&actor, op_hook, 0));
	return 0;
}

static __always_inline int refuse_stranger(struct task_struct *other, u32 op_hook)
{
	return refuse_task(other, op_hook, 0);
}

/*
 * ptrace(2), process_vm_*, /proc/PID/{mem,root,fd,...}, pidfd_getfd(2), kcmp(2). A tracer writes where
 * nothing is writable: wx = "deny" leaves looking only.
 */
SEC("lsm/ptrace_access_check")
int BPF_PROG(pol_ptrace, struct task_struct *child, unsigned int mode)
{
	return refuse_task(child, POL_OP_HOOK(PTRACE, PTRACE_ACCESS_CHECK),
			   mode & PTRACE_MODE_ATTACH ? POL_GUEST_NO_WX : 0);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(pol_traceme, struct task_struct *parent)
{
	return refuse_task(parent, POL_OP_HOOK(PTRACE, PTRACE_TRACEME), POL_GUEST_NO_WX);
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

/*
 * pol_kill - kill(2), tgkill(2), pidfd_send_signal(2): to the guest's own tasks only, signal 0
 * included. What the kernel itself sends, SIGCHLD say, does not come here, and SIGIO to owner.bpf.c.
 *
 * A signal that will end a guest's process is remembered for its exit record, whoever sends it.
 *
 * With @cred a USB device answers who has asked it, maybe in an interrupt: current says nothing then.
 */
SEC("lsm/task_kill")
int BPF_PROG(pol_kill, struct task_struct *other, struct kernel_siginfo *info, int sig,
	     const struct cred *cred)
{
	struct task_struct *leader = other->group_leader;
	int r;

	/* By address: to the verifier an argument is never NULL, and the test is deleted. */
	if (pol_address(cred))
		return 0;
	r = refuse_stranger(other, POL_OP_HOOK(SIGNAL, TASK_KILL));
	/* What no storage of BPF was ever made for is no guest. */
	if (!r && leader->bpf_storage)
		pol_note_sender(pol_address(leader), sig);
	return r;
}

/* keyctl(KEYCTL_SESSION_TO_PARENT): 64-bit, x32; by the registers of a 32-bit process. */
static __always_inline bool gives_parent_a_keyring(void)
{
	const struct pt_regs *regs = syscall_regs();
	long nr = syscall_nr(regs);

	return (nr == NR_KEYCTL && (u32)regs->di == KEYCTL_SESSION_TO_PARENT) ||
	       (nr == NR_IA32_KEYCTL && (u32)regs->bx == KEYCTL_SESSION_TO_PARENT);
}

/**
 * pol_key_permission - KEYCTL_SESSION_TO_PARENT, which puts the caller's keyring into its parent's
 * credentials: into a parent outside, where what others trust would be looked for in it.
 *
 * Context: lsm/key_permission, asked of the keyring on its way. Other uses of keys pass.
 */
SEC("lsm/key_permission")
int BPF_PROG(pol_key_permission)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!gives_parent_a_keyring())
		return 0;
	return refuse_stranger(task->real_parent, POL_OP_HOOK(KEYCTL, KEY_PERMISSION));
}

/* Scheduling and memory placement of others: to starve the agent is to blind it. */
SEC("lsm/task_setscheduler")
int BPF_PROG(pol_setscheduler, struct task_struct *other)
{
	return refuse_stranger(other, POL_OP_HOOK(SCHED, TASK_SETSCHEDULER));
}

SEC("lsm/task_setnice")
int BPF_PROG(pol_setnice, struct task_struct *other)
{
	return refuse_stranger(other, POL_OP_HOOK(SCHED, TASK_SETNICE));
}

SEC("lsm/task_setioprio")
int BPF_PROG(pol_setioprio, struct task_struct *other)
{
	return refuse_stranger(other, POL_OP_HOOK(SCHED, TASK_SETIOPRIO));
}

SEC("lsm/task_movememory")
int BPF_PROG(pol_movememory, struct task_struct *other)
{
	return refuse_stranger(other, POL_OP_HOOK(SCHED, TASK_MOVEMEMORY));
}
