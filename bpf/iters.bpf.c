/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space asks the kernel: the keys of the directories it holds open (pol_anchor), which
 * tasks are whose (pol_tasks), which descriptors a guest could not open (pol_fds); and the one way
 * for user space to put a record into the ring (pol_note).
 */
#include "charge.bpf.h"
#include "held.bpf.h"

static __always_inline struct pol_iter_command *iter_command(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&iter, &zero);
}

/* What the callback below works on. */
struct above {
	struct seq_file *seq;
	struct pol_anchor_record *record;
	u64 dentry;
};

static int tell_above(u32 i, struct above *at)
{
	const struct dentry *dentry = (const void *)at->dentry;
	u64 parent = (u64)BPF_CORE_READ(dentry, d_parent);
	const struct inode *inode;

	if (parent == at->dentry)
		return 1;
	at->dentry = parent;
	dentry = (const void *)parent;
	inode = BPF_CORE_READ(dentry, d_inode);
	pol_read_inode_key(inode, &at->record->self.inode);
	pol_tree_key((u64)inode, at->record->magic, &at->record->self);
	bpf_seq_write(at->seq, at->record, sizeof(*at->record));
	return 0;
}

/* The whole key, and the layer's magic where there are layers. */
static __always_inline u32 tell_key(const struct inode *inode, struct pol_dir_key *key)
{
	pol_inode_key_of(inode, &key->inode);
	return pol_tree_key(pol_address(inode), inode->i_sb->s_magic, key);
}

/*
 * A mount that shows a part of its filesystem only: what lies above that part is on no path by it. Of
 * other mounts every directory above is on the path, and has a descriptor of its own.
 */
static __always_inline bool is_part(const struct file *file)
{
	return file->f_path.mnt->mnt_root != file->f_path.dentry->d_sb->s_root;
}

/**
 * pol_anchor - one struct pol_anchor_record for each descriptor of the calling process, and for the
 * directories above it that its path does not name.
 *
 * The same loads as the walk's, so the keys match at enforcement, on any filesystem. O_PATH
 * descriptors do: nothing is opened, no device is touched.
 */
SEC("iter/task_file")
int pol_anchor(struct bpf_iter__task_file *ctx)
{
	struct pol_iter_command *command = iter_command();
	struct task_struct *task = ctx->task;
	struct pol_anchor_record record = {};
	struct file *file = ctx->file;
	struct above above = {};
	struct dentry *dentry;
	struct inode *inode;
	u32 parent_magic = 0;

	if (!task || !file || !command || (u32)task->pid != command->tgid)
		return 0;
	dentry = file->f_path.dentry;
	inode = dentry->d_inode;
	if (!inode)
		return 0;
	record.fd = ctx->fd;
	record.layer_magic = record.self_layer = tell_key(inode, &record.self);
	if (dentry->d_parent->d_inode)
		parent_magic = tell_key(dentry->d_parent->d_inode, &record.parent);
	if (!pol_is_dir(inode))
		record.layer_magic = parent_magic;
	record.sb_flags = inode->i_sb->s_flags;
	record.magic = inode->i_sb->s_magic;
	record.mode = inode->i_mode;
	record.nlink = inode->i_nlink;
	record.writers = inode->i_writecount.counter > 0;
	record.is_root = dentry == dentry->d_parent;
	record.name_len = dentry->d_name.len;
	if (record.name_len < POL_NAME_SIZE)
		bpf_probe_read_kernel(record.name, record.name_len & 0xff, dentry->d_name.name);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	if (!is_part(file))
		return 0;
	record.above = 1;
	above.seq = ctx->meta->seq;
	above.record = &record;
	above.dentry = pol_address(dentry);
	bpf_loop(POL_WALK_MAX, tell_above, &above, 0);
	return 0;
}

struct ancestry {
	u64 task;
	u32 tgid;
	u32 found;
};

static int look_at_ancestor(u32 i, struct ancestry *at)
{
	const struct task_struct *task = (const void *)at->task;
	u32 tgid = BPF_CORE_READ(task, tgid);

	at->found = tgid == at->tgid;
	at->task = (u64)BPF_CORE_READ(task, real_parent);
	return at->found || tgid <= 1 || !at->task;
}

/* Is the task of the process @tgid, or of one of its descendants? */
POL_SUBPROG bool is_of_tree(struct task_struct *task, u32 tgid)
{
	struct ancestry at = { .task = pol_address(task), .tgid = tgid };

	bpf_loop(POL_TREE_DEPTH, look_at_ancestor, &at, 0);
	return at.found;
}

static __always_inline bool is_meant(struct task_struct *task,
				     const struct pol_iter_command *command)
{
	if (command->action == POL_ITER_TREE || command->action == POL_ITER_ADOPT)
		return command->tid != (u32)task->tgid && is_of_tree(task, command->tgid);
	if (command->tid && command->tid != (u32)task->pid)
		return false;
	return !command->tgid || command->tgid == (u32)task->tgid;
}

/* What a label that is there says; and what NOFILE writes into it. */
static __always_inline void tell_label(struct pol_label *label,
				       const struct pol_iter_command *command,
				       struct pol_task_record *record)
{
	record->guest = label->guest;
	record->flags = label->flags;
	record->origin = label->origin;
	if (label->guest != command->guest)
		return;
	if (command->action == POL_ITER_SETTLED)
		__sync_fetch_and_and(&label->flags, ~POL_LABEL_ADOPTING);
	if (command->action != POL_ITER_NOFILE)
		return;
	label->nofile_soft = command->nofile_soft;
	label->nofile_hard = command->nofile_hard;
	label->nofile_base = command->nofile_base;
}

/* What it lay in before: where it goes back to. Not the guest's own cgroup. */
POL_SUBPROG int tell_new_label(struct task_struct *task, const struct pol_iter_command *command,
			       struct pol_task_record *record, u64 level_mask)
{
	struct pol_label *label;
	int r;

	if (command->action == POL_ITER_ADOPT &&
	    pol_guest_by_cgroup(task, level_mask) != command->guest)
		record->origin = record->cgroup;
	record->guest = command->guest;
	record->flags = command->label_flags | POL_TASK_NEW;
	r = pol_label_adopt(task, command->guest, record->origin, command);
	if (r < 0)
		record->flags = command->label_flags | POL_TASK_FULL;
	if (r <= 0)
		return 0;
	label = bpf_task_storage_get(&labels, task, NULL, 0);
	if (label)
		tell_label(label, command, record);
	else
		record->flags = POL_TASK_FULL; /* again not to be had */
	return 0;
}

/**
 * pol_tasks - one struct pol_task_record for each task that is a guest's; by command it also
 * gives labels to a thread or a whole tree, takes them away, or notes their RLIMIT_NOFILE.
 *
 * Tasks come in the order of their numbers. A child has a higher one than its parent, so a tree that
 * forks while it is adopted is overtaken; what had its number from below, after a wrap, is found by
 * the next pass: the caller makes them until one finds nobody without a label.
 */
SEC("iter/task")
int pol_tasks(struct bpf_iter__task *ctx)
{
	struct pol_iter_command *command = iter_command();
	const struct pol_control *ctl = pol_control_get();
	struct pol_task_record record = {};
	struct task_struct *task = ctx->task;
	struct pol_label *label;
	bool tree;

	if (!task || !command || !ctl || !is_meant(task, command))
		return 0;
	tree = command->action == POL_ITER_TREE || command->action == POL_ITER_ADOPT;
	record.cgroup = task->cgroups->dfl_cgrp->kn->id;
	label = bpf_task_storage_get(&labels, task, NULL, 0);
	if (pol_label_is_given(label)) {
		tell_label(label, command, &record);
	} else if (command->action == POL_ITER_LABEL || command->action == POL_ITER_ADOPT) {
		tell_new_label(task, command, &record, ctl->level_mask);
	} else {
		record.guest = 0;
		if (pol_unlabelled == POL_UNLABELLED_TASKS)
			record.guest = pol_guest_charged(task);
		record.flags = record.guest ? 0 : POL_TASK_BY_CGROUP;
		if (!record.guest)
			record.guest = pol_guest_by_cgroup(task, ctl->level_mask);
	}
	if (!tree && (!record.guest || (command->guest && command->guest != record.guest)))
		return 0;
	if (label && command->action == POL_ITER_UNLABEL) {
		if (bpf_task_storage_delete(&labels, task))
			record.flags |= POL_TASK_FULL; /* before 6.2: busy */
		else if (pol_task_release(pol_address(task)) == POL_TAKEN_LAST)
			pol_tell_empty(record.guest);
	}
	if (task->flags & PF_EXITING)
		record.flags |= POL_TASK_EXITING;
	record.tgid = task->tgid;
	record.tid = task->pid;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* What the table "files" says of a file. */
static __always_inline u32 charge_of(u64 file)
{
	const struct pol_file_charge *charge = bpf_map_lookup_elem(&files, &file);
	const struct pol_guest_state *state = charge ? pol_state_of(charge->guest) : NULL;

	if (!state || POL_COUNT_INSTANCE(state->counts) != charge->instance)
		return POL_CHARGE_NONE;
	return charge->flags & POL_FILE_BASELINE ? POL_CHARGE_BASELINE : POL_CHARGE_COUNTED;
}

/* Whose descriptor this is, for POL_ITER_RECONCILE; 0: it is not counted. */
POL_SUBPROG u32 counted_guest(struct task_struct *task)
{
	const struct pol_label *label = bpf_task_storage_get(&labels, task, NULL, 0);
	const struct pol_guest_config *config;
	u64 generation = 0;
	u32 guest;

	/*
	 * What its launcher has not closed yet; what was there before it was adopted; what the other
	 * threads of its process have opened.
	 */
	if (label && label->flags & (POL_LABEL_STARTING | POL_LABEL_ADOPTING | POL_LABEL_THREAD |
				     POL_LABEL_LOOSE))
		return 0;
	guest = pol_guest_of(task, &generation);
	config = guest ? pol_guest_config(guest, generation) : NULL;
	return config && config->fds != POL_NO_CEILING ? guest : 0;
}

/* By command a file that is nobody's becomes baseline or charged. */
POL_SUBPROG u32 take_file(u64 file, u32 guest, u32 action)
{
	u32 charge = charge_of(file);

	if (action == POL_ITER_LIST || charge != POL_CHARGE_NONE)
		return charge;
	if (!pol_fd_adopt(file, guest, action == POL_ITER_BASELINE) && action == POL_ITER_RECONCILE)
		pol_fail_count(POL_FAIL_FDS_RECONCILED);
	return charge;
}

/**
 * pol_files - one struct pol_file_record for each descriptor of the commanded process, or of every
 * guest; by command what nobody is charged for becomes baseline or is charged.
 *
 * The kernel holds the file while the program runs, so it is not freed between look and charge.
 */
SEC("iter/task_file")
int pol_files(struct bpf_iter__task_file *ctx)
{
	struct pol_iter_command *command = iter_command();
	struct task_struct *task = ctx->task;
	struct pol_file_record record = {};
	struct file *file = ctx->file;

	if (!task || !file || !command)
		return 0;
	if (command->tgid && command->tgid != (u32)task->tgid)
		return 0;
	record.guest = command->guest;
	if (command->action == POL_ITER_RECONCILE)
		record.guest = counted_guest(task);
	if (!record.guest)
		return 0;
	record.charge = take_file(pol_address(file), record.guest, command->action);
	record.tgid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* The guest that is asked about; no task of it acts. Return: whether the active policy has it. */
static __always_inline bool guest_actor(u32 guest, struct pol_actor *actor)
{
	const struct pol_control *ctl = pol_control_get();
	const struct pol_guest_config *config = ctl ? pol_guest_config(guest, ctl->active) : NULL;

	if (!config)
		return false;
	actor->generation = ctl->active;
	actor->guest = guest;
	actor->ruleset = config->ruleset;
	actor->flags = config->flags;
	return true;
}

/**
 * pol_fds - one struct pol_fd_record for each descriptor of the commanded process, or of its whole
 * tree, that the commanded guest could not open now in its mode.
 */
SEC("iter/task_file")
int pol_fds(struct bpf_iter__task_file *ctx)
{
	struct pol_iter_command *command = iter_command();
	struct task_struct *task = ctx->task;
	struct pol_fd_record record = {};
	struct file *file = ctx->file;
	struct pol_found found = {};
	struct pol_actor actor = {};
	u32 held;

	if (!task || !file || !command || !is_meant(task, command) ||
	    !guest_actor(command->guest, &actor))
		return 0;
	held = pol_look_held(&actor, pol_address(file), &found);
	if (!held)
		return 0;
	record.guest = command->guest;
	record.tgid = task->tgid;
	record.fd = ctx->fd;
	record.missing = held & POL_RIGHTS_ALL;
	record.reason = found.reason;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/**
 * pol_note - put a record of user space (guest and policy events) into the ring.
 *
 * Context: syscall program, run by BPF_PROG_TEST_RUN; root alone can.
 * Return: 0; 1: the ring is full, the loss is counted.
 */
SEC("syscall")
int pol_note(struct pol_event_note *note)
{
	struct pol_report_head head = { .generation = note->generation, .guest = note->guest };
	struct pol_event *event;

	head.type = note->action >= POL_ACTION_LOADED ? POL_TYPE_POLICY : POL_TYPE_GUEST;
	event = pol_event_begin(&head, bpf_get_current_task_btf());
	if (!event)
		return 1;
	event->note = *note;
	pol_event_exes(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}
