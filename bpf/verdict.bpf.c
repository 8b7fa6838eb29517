/* SPDX-License-Identifier: GPL-2.0-only */
/* Where refusals are made, counted and reported; what is allowed is told, where that is asked. */
#include "fold.bpf.h"
#include "verdict.bpf.h"

static __always_inline void count_refusal(u32 guest, u32 type, u32 verdict)
{
	struct pol_guest_state *state = pol_state_of(guest);

	if (!state)
		return;
	if (verdict == POL_VERDICT_WOULD_DENY)
		__sync_fetch_and_add(&state->would_deny, 1);
	else if (type == POL_TYPE_ESCAPE)
		__sync_fetch_and_add(&state->escapes, 1);
	else
		__sync_fetch_and_add(&state->denials, 1);
}

/* Refuse with @err, or in audit report that it would be refused. */
static __always_inline int refuse(const struct pol_actor *actor, struct pol_report *report,
				  u64 dentry, u32 err, bool always)
{
	bool audit = actor->mode == POL_MODE_AUDIT && !always;

	report->head.guest = actor->guest;
	report->head.generation = actor->generation;
	report->access.err = err;
	report->head.verdict = audit ? POL_VERDICT_WOULD_DENY : POL_VERDICT_DENIED;
	count_refusal(report->head.guest, report->head.type, report->head.verdict);
	if (dentry && !pol_fold(report))
		pol_event_send_access(report, dentry);
	if (!dentry)
		pol_event_send_escape(report);
	return audit ? POL_AUDITED : err;
}

/* A frame of its own for the many small reads. */
POL_SUBPROG int describe_object(struct pol_report *report, u64 dentry)
{
	const struct dentry *object = (const void *)dentry;
	const struct inode *inode;

	report->name = BPF_CORE_READ(object, d_name.hash);
	inode = BPF_CORE_READ(object, d_inode);
	if (!inode) /* a name about to be created: its directory */
		inode = BPF_CORE_READ(object, d_parent, d_inode);
	else if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		report->head.flags |= POL_EVENT_IS_DIR;
	pol_read_inode_key(inode, &report->access.inode);
	report->access.magic = BPF_CORE_READ(inode, i_sb, s_magic);
	return 0;
}

static __always_inline void describe(struct pol_report *report, u32 type, u64 dentry, u64 mount,
				     u32 op_hook)
{
	report->head.type = type;
	report->mount = mount;
	if (dentry && !mount)
		report->head.flags |= POL_EVENT_NO_MOUNT;
	report->access.op = op_hook >> 16;
	report->access.hook = op_hook & 0xffff;
	if (dentry)
		describe_object(report, dentry);
}

static __always_inline void report_rule(struct pol_report *report, const struct pol_found *found)
{
	if (found->reason != POL_REASON_RULE && found->reason != POL_REASON_STALE)
		return;
	report->access.rule = found->rule;
	report->access.rule_access = found->access;
	report->head.flags |= POL_EVENT_HAS_RULE;
}

static __always_inline u32 missing(const struct pol_found *found, const struct pol_request *request)
{
	u32 need = request->need;

	return found->reason == POL_REASON_RULE ? (need & ~found->access) | request->never : need;
}

/* The nearest rule. Return: the rights that @request lacks. */
static __always_inline u32 look(const struct pol_actor *actor, struct pol_request *request,
				struct pol_found *found)
{
	pol_walk(request->dentry, actor->ruleset, actor->generation, found);
	request->never = request->need & pol_never(actor->guest, request->dentry, found->flags);
	return missing(found, request);
}

/* Opening a block device is refused in audit, too: it is other people's files. */
static __always_inline bool opens_block_device(const struct pol_request *request)
{
	const struct dentry *dentry = (const void *)request->dentry;
	u32 op = request->op_hook >> 16;

	return (op == POL_OP_OPEN || op == POL_OP_RECEIVE) &&
	       (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFBLK;
}

/* Refuses what @found lacks. A frame of its own: none while walking, the stack is 512 bytes. */
POL_SUBPROG int refuse_missing(const struct pol_actor *actor, const struct pol_found *found,
			       const struct pol_request *request)
{
	u64 dentry = request->dentry;
	struct pol_report report = {};

	describe(&report, POL_TYPE_VIOLATION, dentry, request->mount, request->op_hook);
	report.access.access = request->need;
	report.access.missing = missing(found, request);
	report.access.reason = request->never ? POL_REASON_BUILTIN : found->reason;
	if (!request->never)
		report_rule(&report, found);
	return refuse(actor, &report, dentry, actor->err,
		      request->never || opens_block_device(request));
}

__attribute__((noinline)) int pol_tell_allowed(const struct pol_actor *actor,
					       const struct pol_found *found,
					       const struct pol_request *request)
{
	struct pol_report report = {};

	if (!actor || !found || !request)
		return 0;
	describe(&report, POL_TYPE_ALLOW, request->dentry, request->mount, request->op_hook);
	report.head.guest = actor->guest;
	report.head.generation = actor->generation;
	report.head.verdict = POL_VERDICT_ALLOWED;
	report.access.access = request->need;
	report.access.reason = found->reason;
	report_rule(&report, found);
	return pol_event_send_access(&report, request->dentry);
}

static __always_inline int allow(const struct pol_actor *actor, const struct pol_found *found,
				 const struct pol_request *request)
{
	return pol_is_told(actor, found) ? pol_tell_allowed(actor, found, request) : 0;
}

__attribute__((noinline)) int pol_probe_allowed(const struct pol_actor *actor, u64 dentry,
						u64 mount, u32 need, u32 op_hook)
{
	struct pol_request request = { dentry, mount, need, op_hook, 0 };
	struct pol_found found = {};

	if (!actor)
		return POL_PROBE_ERR;
	look(actor, &request, &found);
	pol_tell_allowed(actor, &found, &request);
	return POL_PROBE_ERR;
}

__attribute__((noinline)) int pol_check(const struct pol_actor *actor, u64 dentry, u64 mount,
					u32 need, u32 op_hook)
{
	struct pol_request request = { dentry, mount, need, op_hook, 0 };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	if (look(actor, &request, &found))
		return refuse_missing(actor, &found, &request);
	return allow(actor, &found, &request);
}

__attribute__((noinline)) int pol_check_device(const struct pol_actor *actor, u64 dentry,
					       u64 mount, u32 need, u32 op_hook)
{
	struct pol_request request = { dentry, mount, need, op_hook, 0 };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	if (look(actor, &request, &found))
		return refuse_missing(actor, &found, &request);
	if (found.named)
		return allow(actor, &found, &request);
	return pol_refuse_for(actor, dentry, mount, op_hook, POL_REASON_ERR(DEVICE, actor->err));
}

__attribute__((noinline)) int pol_check_named(const struct pol_actor *actor, u64 dentry, u64 mount,
					      u32 need, u32 op_hook)
{
	struct pol_request request = { dentry, mount, need, op_hook, 0 };
	struct pol_found found = {};
	u32 lacks;

	if (!actor)
		return EACCES;
	lacks = look(actor, &request, &found);
	if (!found.named)
		return 0;
	return lacks ? refuse_missing(actor, &found, &request) : allow(actor, &found, &request);
}

/* All of a directory's key but the rule set. */
static __always_inline void dir_key(u64 directory, struct pol_dir_key *key)
{
	const struct inode *inode = (const void *)directory;

	pol_read_inode_key(inode, &key->inode);
	pol_tree_key(directory, BPF_CORE_READ(inode, i_sb, s_magic), key);
}

/* A directory above what a rule of the guest's gives something on. */
POL_SUBPROG bool is_way(const struct pol_actor *actor, u64 dentry)
{
	const struct inode *inode = BPF_CORE_READ((const struct dentry *)dentry, d_inode);
	u32 slot = actor->generation & (POL_SLOTS - 1);
	struct pol_dir_key key = { .ruleset = actor->ruleset };
	void *inner = bpf_map_lookup_elem(&dirs, &slot);
	const struct pol_rule_value *value;

	if (!inner)
		return false;
	dir_key((u64)inode, &key);
	value = bpf_map_lookup_elem(inner, &key);
	return value && value->flags & POL_DIR_WAY;
}

struct held {
	u64 dentry;
	u64 table;
	u32 cnt;
	u32 found;
};

static int look_at_descriptor(u32 i, struct held *held)
{
	const struct file *file = NULL;

	if (i >= held->cnt)
		return 1;
	if (bpf_probe_read_kernel(&file, sizeof(file), (void *)(held->table + i * 8ull)) || !file)
		return 0;
	held->found = (u64)BPF_CORE_READ(file, f_path.dentry) == held->dentry &&
		      !(BPF_CORE_READ(file, f_mode) & FMODE_PATH);
	return !!held->found;
}

/* Global: only a look that is about to be refused comes here. Return: 1: the task has it open. */
int pol_is_held(u64 dentry);

__attribute__((noinline)) int pol_is_held(u64 dentry)
{
	const struct fdtable *table = BPF_CORE_READ(bpf_get_current_task_btf(), files, fdt);
	struct held held = {
		.dentry = dentry,
		.table = (u64)BPF_CORE_READ(table, fd),
		.cnt = BPF_CORE_READ(table, max_fds),
	};

	bpf_loop(POL_HELD_MAX, look_at_descriptor, &held, 0);
	return held.found;
}

__attribute__((noinline)) int pol_check_any(const struct pol_actor *actor, u64 dentry, u64 mount,
					    u32 op_hook)
{
	struct pol_request request = { dentry, mount, 0, op_hook, 0 };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	pol_walk(dentry, actor->ruleset, actor->generation, &found);
	if (found.reason == POL_REASON_RULE &&
	    found.access & ~pol_never(actor->guest, dentry, found.flags))
		return 0;
	if (is_way(actor, dentry) || pol_is_held(dentry))
		return 0;
	return refuse_missing(actor, &found, &request);
}

__attribute__((noinline)) int pol_refuse_for(const struct pol_actor *actor, u64 dentry, u64 mount,
					     u32 op_hook, u32 reason_err)
{
	u32 reason = reason_err >> 16, err = reason_err & 0xffff;
	struct pol_report report = {};

	if (!actor)
		return EACCES;
	describe(&report, POL_TYPE_VIOLATION, dentry, mount, op_hook);
	report.access.reason = reason;
	return refuse(actor, &report, dentry, err,
		      reason == POL_REASON_DEVICE || reason == POL_REASON_BUILTIN ||
			      reason == POL_REASON_ANCHOR);
}

__attribute__((noinline)) int pol_refuse_held(const struct pol_actor *actor, u64 address, u32 held,
					      const struct pol_found *found, u32 op_hook)
{
	const struct file *file = (const void *)address;
	bool inherited = op_hook >> 16 == POL_OP_INHERIT;
	u64 dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	struct pol_report report = {};

	if (!actor || !found)
		return EACCES;
	describe(&report, POL_TYPE_VIOLATION, dentry,
		 pol_mount_of(BPF_CORE_READ(file, f_path.mnt)), op_hook);
	report.access.missing = held & POL_RIGHTS_ALL;
	report.access.access = pol_held_needs(address);
	report.access.reason = inherited ? POL_REASON_INHERITED : found->reason;
	if (!inherited)
		report_rule(&report, found);
	return refuse(actor, &report, dentry, actor->err, held & POL_HELD_ALWAYS && !inherited);
}

/*
 * Rule set 0 has an entry for every directory that is, or lies above, some rule's anchor. Without
 * rules at all: any directory may be one. A frame of its own: none while refusing.
 */
POL_SUBPROG bool is_anchor(u64 directory, u32 slot)
{
	void *inner = bpf_map_lookup_elem(&dirs, &slot);
	struct pol_dir_key key = {};

	dir_key(directory, &key);
	return !inner || bpf_map_lookup_elem(inner, &key);
}

__attribute__((noinline)) int pol_refuse_anchor(const struct pol_actor *actor, u64 dentry,
						u64 mount, u32 op_hook)
{
	const struct dentry *object = (const void *)dentry;
	const struct inode *inode = BPF_CORE_READ(object, d_inode);

	if (!actor)
		return EBUSY;
	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFDIR)
		return 0;
	if (!is_anchor((u64)inode, actor->generation & (POL_SLOTS - 1)))
		return 0;
	return pol_refuse_for(actor, dentry, mount, op_hook, POL_REASON_ERR(ANCHOR, EBUSY));
}

POL_SUBPROG int refuse_gain(const struct pol_actor *actor, const struct pol_found *before,
			    const struct pol_found *after, const struct pol_request *request)
{
	u64 dentry = request->dentry;
	struct pol_report report = {};

	describe(&report, POL_TYPE_VIOLATION, dentry, request->mount, request->op_hook);
	report.access.access = after->access;
	report.access.missing = after->access & ~before->access;
	report.access.reason =
		after->reason == POL_REASON_RULE ? POL_REASON_WIDENS : after->reason;
	report_rule(&report, before);
	return refuse(actor, &report, dentry, EXDEV, false);
}

__attribute__((noinline)) int pol_refuse_widening(const struct pol_actor *actor, u64 from, u64 to,
						  u64 mount, u32 op_hook)
{
	struct pol_request request = { from, mount, 0, op_hook, 0 };
	struct pol_found before = {}, after = {};

	if (!actor)
		return EXDEV;
	pol_walk(from, actor->ruleset, actor->generation, &before);
	pol_walk(to, actor->ruleset, actor->generation, &after);
	if (after.reason == POL_REASON_RULE && !(after.access & ~before.access))
		return 0;
	if (after.reason == POL_REASON_NO_RULE || after.reason == POL_REASON_DISCONNECTED)
		return 0; /* no right there at all; only audit comes here */
	return refuse_gain(actor, &before, &after, &request);
}

__attribute__((noinline)) int pol_escape(const struct pol_actor *actor, u32 op_hook, u32 always)
{
	struct pol_report report = {};

	if (!actor)
		return EPERM;
	describe(&report, POL_TYPE_ESCAPE, 0, 0, op_hook);
	return refuse(actor, &report, 0, EPERM, always);
}
