/* SPDX-License-Identifier: GPL-2.0-only */
/* Windows of equal refusals, and the timer that ends them. */
#include "fold.bpf.h"

#define CLOCK_BOOTTIME 7	  /* include/uapi/linux/time.h */
#define SLACK_NS       1000000ull /* the two clocks are read at different times */
#define AGAIN_NS       50000000ull

typedef u64 __attribute__((may_alias)) word;
_Static_assert(sizeof(struct pol_report) == POL_FOLD_WORDS * sizeof(word), "pol_report");

static __always_inline u32 place_of(const struct pol_report *report)
{
	const word *words = (const word *)report;
	u64 hash = POL_NAME_HASH_START;

#pragma unroll
	for (u32 i = 0; i < POL_FOLD_WORDS; i++)
		hash = POL_NAME_HASH(hash, words[i]);
	return (hash ^ hash >> 32) & (POL_FOLDS - 1);
}

/* No calls from here to the unlock. */
static __always_inline bool is_same(const struct pol_fold *fold, const struct pol_report *report)
{
	const word *words = (const word *)report;
	u64 differ = 0;

#pragma unroll
	for (u32 i = 0; i < POL_FOLD_WORDS; i++)
		differ |= fold->key[i] ^ words[i];
	return !differ;
}

static __always_inline void begin(struct pol_fold *fold, const struct pol_report *report, u64 now)
{
	const word *words = (const word *)report;

	fold->state = POL_FOLD_FILLING;
	fold->until_ns = now + POL_FOLD_NS;
	fold->repeats = 0;
	fold->guest = report->head.guest;
#pragma unroll
	for (u32 i = 0; i < POL_FOLD_WORDS; i++)
		fold->key[i] = words[i];
}

enum how {
	HOW_OTHER,   /* another kind's */
	HOW_BEGUN,   /* a new window */
	HOW_FIRST,   /* the first repeat */
	HOW_COUNTED, /* one of many */
	HOW_LATE,    /* another's, which should have been told of long ago */
};

static __always_inline enum how enter(struct pol_fold *fold, const struct pol_report *report,
				      u64 now)
{
	bool over = now >= fold->until_ns;

	if (fold->state == POL_FOLD_IDLE ||
	    (fold->state == POL_FOLD_OPEN && over && !fold->repeats)) {
		begin(fold, report, now);
		return HOW_BEGUN;
	}
	if (fold->state != POL_FOLD_OPEN && fold->state != POL_FOLD_FILLING)
		return HOW_OTHER;
	if (over)
		return fold->state == POL_FOLD_OPEN && now > fold->until_ns + POL_FOLD_NS
			       ? HOW_LATE
			       : HOW_OTHER;
	if (!is_same(fold, report))
		return HOW_OTHER;
	return fold->repeats++ ? HOW_COUNTED : HOW_FIRST;
}

static __always_inline void count_folded(const struct pol_report *report)
{
	struct pol_guest_state *state = pol_state_of(report->head.guest);

	if (!state)
		return;
	if (report->head.verdict == POL_VERDICT_WOULD_DENY)
		__sync_fetch_and_add(&state->folded_would, 1);
	else
		__sync_fetch_and_add(&state->folded, 1);
}

__attribute__((noinline)) int pol_fold(struct pol_report *report)
{
	u64 now = bpf_ktime_get_boot_ns(), until;
	struct pol_fold *fold;
	enum how how;
	u32 at;

	if (!report || report->head.guest == POL_GUEST_PROBE)
		return 0;
	at = place_of(report);
	fold = bpf_map_lookup_elem(&folds, &at);
	if (!fold)
		return 0;
	bpf_spin_lock(&fold->lock);
	how = enter(fold, report, now);
	until = fold->until_ns;
	bpf_spin_unlock(&fold->lock);
	if (how == HOW_BEGUN)
		report->fold = at + 1;
	if (how == HOW_FIRST)
		bpf_timer_start(&fold->timer, until - now + SLACK_NS, 0);
	/* A timer that could not be started: whoever comes by starts it anew. */
	if (how == HOW_LATE)
		bpf_timer_start(&fold->timer, 0, 0);
	if (how != HOW_FIRST && how != HOW_COUNTED)
		return 0;
	count_folded(report);
	return 1;
}

/* Of a longer path the first POL_PATH_SMALL bytes: the object's own name and some above it. */
static __always_inline void copy_record(struct pol_fold *fold, const struct pol_event *event)
{
	struct pol_event *to = (struct pol_event *)fold->record;

	bpf_probe_read_kernel(fold->record, sizeof(fold->record), event);
	to->size = POL_FOLD_SIZE;
	to->path_room = POL_PATH_SMALL;
	if (to->path_len > POL_PATH_SMALL) {
		to->path_len = POL_PATH_SMALL;
		to->flags |= POL_EVENT_PATH_TRUNCATED;
	}
}

__attribute__((noinline)) int pol_fold_keep(u32 window, const struct pol_event *event)
{
	u32 at = window - 1;
	struct pol_fold *fold = bpf_map_lookup_elem(&folds, &at);

	if (!window || !fold)
		return 0;
	if (event)
		copy_record(fold, event);
	bpf_spin_lock(&fold->lock);
	fold->has_record = !!event;
	if (!event)
		fold->until_ns = 0;
	fold->state = POL_FOLD_OPEN;
	bpf_spin_unlock(&fold->lock);
	return 0;
}

/* ------------------------------------------------------------------ the end of a window */

static __always_inline void tell(struct pol_fold *fold, u32 repeats, u64 now)
{
	struct pol_event *event = (struct pol_event *)fold->record;
	struct pol_guest_state *state = pol_state_of(fold->guest);
	u64 seq;

	if (!state)
		return;
	seq = pol_event_number(state);
	event->seq = seq;
	event->boot_ns = now;
	event->access.repeats = repeats;
	if (!fold->has_record || !pol_ring_admits(POL_TYPE_VIOLATION, fold->guest) ||
	    bpf_ringbuf_output(&ring, fold->record, sizeof(fold->record), 0)) {
		__sync_fetch_and_add(&state->lost_repeats, 1);
		__sync_fetch_and_add(&state->folded_lost, repeats);
		pol_event_lost(state, POL_TYPE_VIOLATION, seq);
	}
}

/*
 * Looked up by number, as 6.1 takes no lock of the entry that a callback is given.
 * @now: before the window's end nothing happens.
 */
static __always_inline void end_window(u32 at, u64 now)
{
	struct pol_fold *fold = bpf_map_lookup_elem(&folds, &at);
	u32 state, repeats;
	u64 until;

	if (!fold)
		return;
	bpf_spin_lock(&fold->lock);
	state = fold->state;
	repeats = fold->repeats;
	until = fold->until_ns;
	if (state == POL_FOLD_OPEN && now >= until)
		fold->state = repeats ? POL_FOLD_TELLING : POL_FOLD_IDLE;
	else if (state != POL_FOLD_FILLING && state != POL_FOLD_OPEN)
		repeats = 0;
	bpf_spin_unlock(&fold->lock);
	if (!repeats)
		return;
	if (state == POL_FOLD_FILLING) { /* whoever makes the record was put to sleep in it */
		bpf_timer_start(&fold->timer, AGAIN_NS, 0);
		return;
	}
	if (now < until) { /* set off for the window before: a late starter, outside the lock */
		bpf_timer_start(&fold->timer, until - now + SLACK_NS, 0);
		return;
	}
	tell(fold, repeats, bpf_ktime_get_boot_ns());
	bpf_spin_lock(&fold->lock);
	fold->state = POL_FOLD_IDLE;
	bpf_spin_unlock(&fold->lock);
}

static int on_time(void *map, u32 *at, struct pol_fold *fold)
{
	end_window(*at, bpf_ktime_get_boot_ns());
	return 0;
}

static int arm_window(struct bpf_map *map, u32 *key, struct pol_fold *value, u32 *action)
{
	u32 at = *key;
	struct pol_fold *fold = bpf_map_lookup_elem(&folds, &at);

	if (!fold || fold->state != POL_FOLD_UNMADE)
		return 0;
	if (bpf_timer_init(&fold->timer, &folds, CLOCK_BOOTTIME) ||
	    bpf_timer_set_callback(&fold->timer, on_time))
		return 0;
	fold->state = POL_FOLD_IDLE;
	return 0;
}

static int flush_window(struct bpf_map *map, u32 *key, struct pol_fold *value, u32 *action)
{
	end_window(*key, ~0ull);
	return 0;
}

/**
 * pol_folds - make the windows' timers, or end all windows.
 *
 * One program for it, and not each that refuses: a timer's callback is verified with whoever sets it.
 * An iterator because programs of type syscall take no map with a lock in it before 6.4; it does its
 * work at the first task, and writes nothing.
 */
SEC("iter/task")
int pol_folds(struct bpf_iter__task *ctx)
{
	u32 zero = 0;
	struct pol_iter_command *command = bpf_map_lookup_elem(&iter, &zero);

	if (!ctx->task || ctx->meta->seq_num || !command)
		return 0;
	if (command->action == POL_ITER_ARM)
		bpf_for_each_map_elem(&folds, arm_window, &zero, 0);
	if (command->action == POL_ITER_FLUSH)
		bpf_for_each_map_elem(&folds, flush_window, &zero, 0);
	return 0;
}
