/* SPDX-License-Identifier: GPL-2.0-only */
/* Violation records, in two sizes by the length of the path, and escape records, without one. */
#include "fold.bpf.h"

#define SHARE_NS 10000000ull /* a guest's share: so many nanoseconds a record, 100 a second ... */
#define SHARE_BURST 100ull   /* ... and so many at once */
#define SHARE_TRIES 4

/*
 * @share is the time up to which the guest has used its rate up. Who loses that many races for it is
 * one of a flood.
 */
static __always_inline int take_share(struct pol_guest_state *state)
{
	u64 now = bpf_ktime_get_boot_ns();

	for (int i = 0; i < SHARE_TRIES; i++) {
		u64 was = *(volatile u64 *)&state->share;
		u64 used = (was > now ? was : now) + SHARE_NS;

		if (used > now + SHARE_BURST * SHARE_NS)
			return 0;
		if (__sync_val_compare_and_swap(&state->share, was, used) == was)
			return 1;
	}
	return 0;
}

__attribute__((noinline)) int pol_ring_admits(u32 type, u32 guest)
{
	struct pol_guest_state *state;
	u64 fill;

	if (type == POL_TYPE_EXIT || pol_ring_is_chat(type))
		return 1;
	fill = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	if (fill <= POL_RING_SIZE / 4)
		return 1;
	if (fill > POL_RING_SIZE / 4 * 3)
		return 0;
	if (type != POL_TYPE_VIOLATION && type != POL_TYPE_ESCAPE && type != POL_TYPE_CEILING)
		return 1;
	state = pol_state_of(guest);
	return state ? take_share(state) : 0;
}

POL_TEXT_STEP(exe, POL_EXE_SIZE)
POL_TEXT_STEP(small, POL_PATH_SMALL - POL_NAME_SIZE)
POL_TEXT_STEP(large, POL_PATH_LARGE - POL_NAME_SIZE)

__attribute__((noinline)) int pol_exe_text(struct pol_exe_room *room, u64 dentry, u64 mount)
{
	struct pol_text text = { .dentry = dentry, .mount = mount, .room = POL_EXE_SIZE };

	if (!room || !dentry)
		return 0;
	text.to = room->text;
	pol_text_write(pol_text_step_exe, &text);
	return text.len << 16 | text.flags;
}

/* The executable of @task: its text into @room; returns as pol_exe_text(). */
static __always_inline u32 exe_of(const struct task_struct *task, char *room)
{
	const struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	return pol_exe_text((struct pol_exe_room *)room, (u64)BPF_CORE_READ(exe, f_path.dentry),
			    pol_mount_of(BPF_CORE_READ(exe, f_path.mnt)));
}

__attribute__((noinline)) int pol_event_exes_of(struct pol_event *event, u64 address)
{
	const struct task_struct *task = (const void *)address;
	u32 exe, parent;

	if (!event)
		return 0;
	exe = exe_of(task, event->exe);
	parent = exe_of(BPF_CORE_READ(task, real_parent), event->parent_exe);
	event->exe_len = exe >> 16;
	event->parent_exe_len = parent >> 16;
	if (exe & POL_EVENT_PATH_TRUNCATED)
		event->flags |= POL_EVENT_EXE_TRUNCATED;
	if (parent & POL_EVENT_PATH_TRUNCATED)
		event->flags |= POL_EVENT_PARENT_EXE_TRUNCATED;
	return 0;
}

/* Counts what the text will take, to choose the room. */
static int pol_text_measure(u32 i, struct pol_text *text)
{
	const struct dentry *dentry;
	int where;

	where = pol_text_settle(text);
	if (where == POL_TEXT_ON)
		return 0;
	if (where == POL_TEXT_END || text->len > POL_PATH_LARGE)
		return 1;
	dentry = (const void *)text->dentry;
	text->len += (BPF_CORE_READ(dentry, d_name.len) & 0xff) + 1;
	if (text->flags & POL_EVENT_DETACHED)
		return 1;
	text->dentry = (u64)BPF_CORE_READ(dentry, d_parent);
	return 0;
}

/*
 * One size of record: reserve, fill, submit. A macro because the reservation's size must be a
 * constant. The bytes of the three texts past their lengths stay as the ring had them: root's own.
 */
#define POL_EVENT_ACCESS(name, ROOM)                                                               \
	POL_SUBPROG int pol_event_access_##name(const struct pol_report *report,             \
						      struct pol_text *text, u64 seq)              \
	{                                                                                          \
		struct task_struct *task = bpf_get_current_task_btf();                             \
		struct pol_event *event;                                                           \
                                                                                                   \
		event = pol_ring_reserve(report->head.type, sizeof(*event) + (ROOM));              \
		if (!event)                                                                        \
			return -1;                                                                 \
		pol_event_head(event, &report->head, seq, ROOM);                                     \
		pol_event_process(&event->process, task);                                          \
		event->access = report->access;                                                    \
		text->to = event->path;                                                            \
		pol_text_write(pol_text_step_##name, text);                                        \
		event->path_len = text->len;                                                       \
		event->flags |= text->flags;                                                       \
		pol_event_exes(event);                                                             \
		pol_fold_keep(report->fold, event);                                                \
		bpf_ringbuf_submit(event, 0);                                                      \
		return 0;                                                                          \
	}
POL_EVENT_ACCESS(small, POL_PATH_SMALL)
POL_EVENT_ACCESS(large, POL_PATH_LARGE)

POL_SUBPROG u32 measure(u64 dentry, u64 mount)
{
	struct pol_text text = { .dentry = dentry, .mount = mount };

	bpf_loop(POL_TEXT_STEPS, pol_text_measure, &text, 0);
	return text.len;
}

/* In the smaller size, if the text fits. No frame: eight is the most. Return: 0; -1: no room. */
static __always_inline int write_access(const struct pol_report *report, u64 dentry, u64 seq)
{
	struct pol_text text = { .dentry = dentry, .mount = report->mount };

	if (measure(dentry, report->mount) <= POL_PATH_SMALL - POL_NAME_SIZE) {
		text.room = POL_PATH_SMALL;
		return pol_event_access_small(report, &text, seq);
	}
	text.room = POL_PATH_LARGE - POL_NAME_SIZE;
	return pol_event_access_large(report, &text, seq);
}

/* The sequence number is taken before the reservation, so that a lost record leaves a gap. */
__attribute__((noinline)) int pol_event_send_access(const struct pol_report *report, u64 dentry)
{
	struct pol_guest_state *state;
	u64 seq;

	if (!report)
		return 0;
	state = pol_state_of(report->head.guest);
	if (!state || report->head.guest == POL_GUEST_PROBE) {
		pol_fold_keep(report->fold, NULL);
		return 0;
	}
	seq = pol_event_number(state);
	if (pol_ring_admits(report->head.type, report->head.guest) &&
	    !write_access(report, dentry, seq))
		return 0;
	pol_event_lost(state, report->head.type, seq);
	pol_fold_keep(report->fold, NULL);
	return 0;
}

__attribute__((noinline)) int pol_event_send_escape(const struct pol_report *report)
{
	struct pol_event *event;
	u64 generation = 0;

	if (!report)
		return 0;
	event = pol_event_begin(&report->head, bpf_get_current_task_btf());
	if (!event)
		return 0;
	event->access = report->access;
	/* A signal that an interrupt sends in a guest's name: whoever runs has nothing to do with it. */
	if (pol_guest_current(&generation) != report->head.guest)
		event->flags &= ~POL_EVENT_HAS_PROCESS;
	pol_event_exes(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

__attribute__((noinline)) int pol_event_send_ceiling(const struct pol_report_head *head,
						     const struct pol_event_ceiling *body)
{
	struct pol_event *event;

	if (!head || !body)
		return 0;
	event = pol_event_begin(head, bpf_get_current_task_btf());
	if (!event)
		return 0;
	event->ceiling = *body;
	pol_event_exes(event);
	/* Who waits for a guest to be killed is woken at once, whatever else is unread. */
	bpf_ringbuf_submit(event, head->verdict == POL_VERDICT_KILLED ? BPF_RB_FORCE_WAKEUP : 0);
	return 0;
}
