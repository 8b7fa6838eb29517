/* SPDX-License-Identifier: GPL-2.0-only */
/* Where refusals are made, counted and reported. */
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
	if (dentry)
		pol_event_send_access(report, dentry);
	else
		pol_event_send_escape(report);
	return audit ? POL_AUDITED : err;
}

/* A frame of its own for the many small reads. */
POL_SUBPROG int describe_object(struct pol_report *report, u64 dentry)
{
	const struct dentry *object = (const void *)dentry;
	const struct inode *inode;

	inode = BPF_CORE_READ(object, d_inode);
	if (!inode) /* a name about to be created: its directory */
		inode = BPF_CORE_READ(object, d_parent, d_inode);
	else if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		report->head.flags |= POL_EVENT_IS_DIR;
	report->access.inode.ino = BPF_CORE_READ(inode, i_ino);
	report->access.inode.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	report->access.inode.generation = BPF_CORE_READ(inode, i_generation);
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

/* What is asked of an object. */
struct request {
	u64 dentry;
	u64 mount;
	u32 need;
	u32 op_hook;
	bool always; /* audit refuses, too */
};

static __always_inline u32 missing(const struct pol_found *found, u32 need)
{
	return found->reason == POL_REASON_RULE ? need & ~found->access : need;
}

/* Refuses what @found lacks. A frame of its own: none while walking, the stack is 512 bytes. */
POL_SUBPROG int refuse_missing(const struct pol_actor *actor, const struct pol_found *found,
			       const struct request *request)
{
	u64 dentry = request->dentry;
	struct pol_report report = {};

	describe(&report, POL_TYPE_VIOLATION, dentry, request->mount, request->op_hook);
	report.access.access = request->need;
	report.access.missing = missing(found, request->need);
	report.access.reason = found->reason;
	report_rule(&report, found);
	return refuse(actor, &report, dentry, actor->err,
		      request->always ||
			      report.access.missing & pol_guarded(report.access.magic));
}

__attribute__((noinline)) int pol_check(const struct pol_actor *actor, u64 dentry, u64 mount,
					u32 need, u32 op_hook)
{
	struct request request = { dentry, mount, need, op_hook, false };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	pol_walk(dentry, actor->ruleset, actor->generation, &found);
	if (!missing(&found, need))
		return 0;
	return refuse_missing(actor, &found, &request);
}

__attribute__((noinline)) int pol_check_device(const struct pol_actor *actor, u64 dentry,
					       u64 mount, u32 need, u32 op_hook)
{
	const struct dentry *object = (const void *)dentry;
	u32 type = BPF_CORE_READ(object, d_inode, i_mode) & S_IFMT;
	struct request request = { dentry, mount, need, op_hook, type == S_IFBLK };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	pol_walk(dentry, actor->ruleset, actor->generation, &found);
	if (missing(&found, need))
		return refuse_missing(actor, &found, &request);
	if (found.named)
		return 0;
	return pol_refuse_for(actor, dentry, mount, op_hook, POL_REASON_ERR(DEVICE, actor->err));
}

__attribute__((noinline)) int pol_check_named(const struct pol_actor *actor, u64 dentry, u64 mount,
					      u32 need, u32 op_hook)
{
	struct request request = { dentry, mount, need, op_hook, false };
	struct pol_found found = {};

	if (!actor)
		return EACCES;
	pol_walk(dentry, actor->ruleset, actor->generation, &found);
	if (!found.named || !missing(&found, need))
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

/* Rule set 0 has an entry for every directory that is, or lies above, some rule's anchor. */
__attribute__((noinline)) int pol_refuse_anchor(const struct pol_actor *actor, u64 dentry,
						u64 mount, u32 op_hook)
{
	const struct dentry *object = (const void *)dentry;
	const struct inode *inode = BPF_CORE_READ(object, d_inode);
	struct pol_dir_key key = {};
	void *inner;
	u32 slot;

	if (!actor)
		return EBUSY;
	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFDIR)
		return 0;
	slot = actor->generation & (POL_SLOTS - 1);
	key.inode.ino = BPF_CORE_READ(inode, i_ino);
	key.inode.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key.inode.generation = BPF_CORE_READ(inode, i_generation);
	inner = bpf_map_lookup_elem(&dirs, &slot);
	if (inner && !bpf_map_lookup_elem(inner, &key))
		return 0;
	return pol_refuse_for(actor, dentry, mount, op_hook, POL_REASON_ERR(ANCHOR, EBUSY));
}

POL_SUBPROG int refuse_gain(const struct pol_actor *actor, const struct pol_found *before,
			    const struct pol_found *after, const struct request *request)
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
	struct request request = { from, mount, 0, op_hook, false };
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
