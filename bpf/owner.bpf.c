/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals that a file sends to its owner (SIGIO, SIGURG, what F_SETSIG names): sent by the kernel,
 * maybe in an interrupt, by whatever task runs. So who has set the owner, or the signal, is
 * remembered when it is set, and asked when one is sent: from a guest to its own tasks only.
 */
#include "verdict.bpf.h"

/* include/uapi/asm-generic/fcntl.h */
#define F_SETFL	    4
#define F_SETOWN    8
#define F_SETSIG    10
#define F_SETOWN_EX 15
#define O_ASYNC	    020000ul

__attribute__((noinline)) int pol_owner_room(u64 file, u32 hook)
{
	const struct pol_file_owner nobody = {};
	struct pol_actor actor;

	if (!pol_actor_current(&actor) || bpf_map_lookup_elem(&owners, &file))
		return 0;
	bpf_map_update_elem(&owners, &file, &nobody, BPF_NOEXIST);
	if (bpf_map_lookup_elem(&owners, &file))
		return 0;
	pol_fail_count(POL_FAIL_OWNERS_FULL);
	return pol_escape(&actor, (u32)POL_OP_SIGNAL << 16 | hook, 1);
}

/* Until 6.11 a struct file holds its owner, later it has a pointer to it, and that one back. */
struct fown_struct___apart {
	struct file *file;
} __attribute__((preserve_access_index));

struct file___holds {
	struct fown_struct f_owner;
} __attribute__((preserve_access_index));

struct file___points {
	struct fown_struct *f_owner;
} __attribute__((preserve_access_index));

static __always_inline bool is_apart(void)
{
	return bpf_core_field_exists(struct fown_struct___apart, file);
}

static __always_inline u64 file_of(u64 fown)
{
	const struct fown_struct___apart *apart = (const void *)fown;

	if (is_apart())
		return (u64)BPF_CORE_READ(apart, file);
	return fown - bpf_core_field_offset(struct file___holds, f_owner);
}

static __always_inline u64 owner_of(u64 file)
{
	const struct file___points *points = (const void *)file;

	if (is_apart())
		return (u64)BPF_CORE_READ(points, f_owner);
	return file + bpf_core_field_offset(struct file___holds, f_owner);
}

/*
 * Is the current process, or thread, the file's owner itself, and no group that it leads? There is
 * nobody to protect then: not from a guest, nor from what was one when it is detached.
 */
static __always_inline bool owns_itself(u64 file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct fown_struct *fown = (const void *)owner_of(file);
	const struct pid *pid = BPF_CORE_READ(fown, pid);

	if (!pid || BPF_CORE_READ(fown, pid_type) > PIDTYPE_TGID)
		return false;
	return pid == BPF_CORE_READ(task, group_leader, thread_pid) ||
	       pid == BPF_CORE_READ(task, thread_pid);
}

/* A file's signal is chosen by anybody who has the file, its owner or not. */
static __always_inline int note_signal(u64 file, bool chosen)
{
	int r = pol_owner_room(file, POL_HOOK_FILE_FCNTL);
	struct pol_file_owner *owner;
	u64 generation = 0;

	if (r)
		return r;
	owner = bpf_map_lookup_elem(&owners, &file);
	if (owner)
		owner->signal_by =
			chosen && !owns_itself(file) ? pol_guest_current(&generation) : 0;
	return 0;
}

/**
 * pol_file_fcntl - fcntl(2) that sets an owner or its signal; O_ASYNC makes a terminal's foreground
 * group the owner. Everything else passes at the first comparison.
 *
 * Context: lsm/file_fcntl, never sleepable. Return: 0; EPERM: the table of owners is full.
 */
SEC("lsm/file_fcntl")
int BPF_PROG(pol_file_fcntl, struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_SETFL:
		if (!(arg & O_ASYNC))
			return 0;
		break;
	case F_SETOWN:
	case F_SETOWN_EX:
		break;
	case F_SETSIG:
		return pol_return(note_signal(pol_address(file), arg));
	default:
		return 0;
	}
	return pol_return(pol_owner_room(pol_address(file), POL_HOOK_FILE_FCNTL));
}

/**
 * pol_set_owner - the kernel sets a file's owner: remember who does.
 *
 * Context: lsm/file_set_fowner, under the owner's lock, interrupts are off; decides nothing. A
 * guest's entry is there, by the hooks before; without one (leases, F_NOTIFY) it names itself.
 */
SEC("lsm/file_set_fowner")
int BPF_PROG(pol_set_owner, struct file *file)
{
	u64 address = pol_address(file), generation = 0;
	struct pol_file_owner *owner = bpf_map_lookup_elem(&owners, &address);
	u32 guest;

	if (!owner)
		return 0;
	guest = pol_guest_current(&generation);
	if (owns_itself(address)) {
		owner->set_by = 0;
		if (owner->signal_by == guest)
			owner->signal_by = 0;
	} else {
		owner->set_by = guest;
	}
	return 0;
}

/* Is @other a stranger to @guest? Then the signal is not sent; there is nobody to give an errno. */
static __always_inline bool refuse_from(u32 guest, struct task_struct *other)
{
	struct pol_actor actor = { .guest = guest };

	if (!guest)
		return false;
	if (pol_guest_of(other, &actor.generation) == guest && !pol_is_starting(other))
		return false;
	if (!actor.generation)
		return false; /* nothing is confined */
	pol_escape(&actor, POL_OP_HOOK(SIGNAL, FILE_SEND_SIGIOTASK), 1);
	return true;
}

/**
 * pol_send_sigio - a file's signal to one task of its owner.
 *
 * Context: lsm/file_send_sigiotask, any context; current is anybody.
 * Return: 0; EPERM: it is not sent.
 */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(pol_send_sigio, struct task_struct *other, struct fown_struct *fown, int sig)
{
	u64 file = file_of(pol_address(fown));
	const struct pol_file_owner *owner = bpf_map_lookup_elem(&owners, &file);
	bool chosen = sig && sig != SIGIO && sig != SIGURG;

	if (!owner)
		return 0;
	if (refuse_from(owner->set_by, other) || (chosen && refuse_from(owner->signal_by, other)))
		return -EPERM;
	return 0;
}
