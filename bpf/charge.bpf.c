/* SPDX-License-Identifier: GPL-2.0-only */
/* The counts behind ceilings, and what is said when they come near them. */
#include "charge.bpf.h"

/*
 * A compare-and-swap that others were faster at is tried again this often, by bpf_loop, which the
 * verifier goes through once: one try of each round of any number of CPUs succeeds.
 */
#define COUNT_TRIES 4096
#define PEAK_TRIES 4

/* What a charge is on, and what passing its ceiling means. */
struct ceiling {
	u64 generation;
	u32 guest;
	u32 resource;
	u32 max;
	u32 err;
	u32 flags; /* POL_GUEST_* */
};

/* ------------------------------------------------------------------ the word */

static __always_inline u64 read_word(const u64 *word)
{
	return *(volatile const u64 *)word;
}

static __always_inline bool swap_word(u64 *word, u64 old, u64 new)
{
	return __sync_val_compare_and_swap(word, old, new) == old;
}

static __always_inline u32 field_of(u64 word, u64 one)
{
	return one == POL_COUNT_ONE_FD ? POL_COUNT_FDS(word) : POL_COUNT_TASKS(word);
}

/* A change of a guest's counts. @one: POL_COUNT_ONE_*. @after: the word then; 0: not done. */
struct move {
	struct pol_guest_state *state;
	u64 one;
	u64 after;
	u32 max;      /* up: not beyond */
	u32 instance; /* of descriptions that go down: only if it still is this one */
};

/* The functions of one try return 1 once there is nothing more to try, as bpf_loop takes it. */
static __always_inline int try_up(struct move *move)
{
	u64 old = read_word(&move->state->counts);

	if (field_of(old, move->one) >= move->max)
		return 1;
	if (!swap_word(&move->state->counts, old, old + move->one))
		return 0;
	move->after = old + move->one;
	return 1;
}

static __always_inline int try_fd_down(struct move *move)
{
	u64 old = read_word(&move->state->counts);

	move->after = POL_COUNT_INSTANCE(old) == move->instance && POL_COUNT_FDS(old);
	return !move->after || swap_word(&move->state->counts, old, old - POL_COUNT_ONE_FD);
}

/* With the last task the instance is over. */
static __always_inline int try_task_down(struct move *move)
{
	u64 old = read_word(&move->state->counts), new = old - POL_COUNT_ONE_TASK;

	move->after = 0;
	if (!POL_COUNT_TASKS(old))
		return 1;
	if (!POL_COUNT_TASKS(new))
		new = (u64)(POL_COUNT_INSTANCE(old) + 1) << (2 * POL_COUNT_BITS);
	move->after = new;
	if (!swap_word(&move->state->counts, old, new))
		return 0;
	if (!POL_COUNT_TASKS(new) && POL_COUNT_FDS(old))
		__sync_fetch_and_add(&move->state->orphaned, POL_COUNT_FDS(old));
	return 1;
}

static int up_again(u32 i, struct move *move)
{
	return try_up(move);
}

static int fd_down_again(u32 i, struct move *move)
{
	return try_fd_down(move);
}

static int task_down_again(u32 i, struct move *move)
{
	return try_task_down(move);
}

#define TRY(once, again, move)                                                                     \
	do {                                                                                       \
		if (!once(move) && bpf_loop(COUNT_TRIES, again, move, 0) == COUNT_TRIES)           \
			pol_fail_count(POL_FAIL_COUNT_RACE);                                       \
	} while (0)

/* One more of @one, unless there are @max. Return: the word then; 0: not done. */
POL_SUBPROG u64 count_up(struct pol_guest_state *state, u64 one, u32 max)
{
	struct move move = { .state = state, .one = one, .max = max };

	TRY(try_up, up_again, &move);
	return move.after;
}

/* One description less of this instance. Return: whether it still was this one. */
POL_SUBPROG int fds_down(struct pol_guest_state *state, u32 instance)
{
	struct move move = { .state = state, .instance = instance };

	TRY(try_fd_down, fd_down_again, &move);
	return !!move.after;
}

/* One task less. Return: how many are left. */
POL_SUBPROG u32 tasks_down(struct pol_guest_state *state)
{
	struct move move = { .state = state };

	TRY(try_task_down, task_down_again, &move);
	return POL_COUNT_TASKS(move.after);
}

/* A peak that others raise at once may be a little too low: a figure, no account. */
static __always_inline void raise_peak(u64 *peak, u64 now)
{
	for (u32 i = 0; i < PEAK_TRIES; i++) {
		u64 old = read_word(peak);

		if (now <= old || swap_word(peak, old, now))
			return;
	}
}

/* ------------------------------------------------------------------ what is said */

static __always_inline bool reaches(u32 now, u32 max, u32 percent)
{
	return (u64)now * 100 >= (u64)max * percent;
}

POL_SUBPROG int tell(const struct ceiling *ceiling, u32 now, u32 verdict)
{
	struct pol_event_ceiling body = {
		.now = now,
		.ceiling = ceiling->max,
		.resource = ceiling->resource,
		.err = verdict == POL_VERDICT_PRESSURE ? 0 : ceiling->err,
		.percent = 100,
	};
	const struct pol_report_head head = {
		.guest = ceiling->guest,
		.generation = ceiling->generation,
		.type = POL_TYPE_CEILING,
		.verdict = verdict,
	};

	if (ceiling->max)
		body.percent = (u64)now * 100 / ceiling->max;
	pol_event_send_ceiling(&head, &body);
	return 0;
}

static __always_inline void tell_pressure(struct pol_guest_state *state,
					  const struct ceiling *ceiling, u32 now)
{
	u32 bits = POL_PRESSURE(ceiling->resource, 0);
	u32 bit = bits;

	if (!reaches(now, ceiling->max, POL_PRESSURE_LOW))
		return;
	if (reaches(now, ceiling->max, POL_PRESSURE_HIGH)) {
		bit = POL_PRESSURE(ceiling->resource, 1);
		bits |= bit;
	}
	if (state->pressure & bit)
		return;
	if (!(__sync_fetch_and_or(&state->pressure, bits) & bit))
		tell(ceiling, now, POL_VERDICT_PRESSURE);
}

/* Only while some pressure is on: then the ceiling is looked up. */
POL_SUBPROG int rearm(struct pol_guest_state *state, u32 guest, u32 resource, u32 now)
{
	const struct pol_control *ctl = pol_control_get();
	const struct pol_guest_config *config = ctl ? pol_guest_config(guest, ctl->active) : NULL;
	u32 gone = 0, max;

	if (!config)
		return 0;
	max = resource == POL_RESOURCE_FDS ? config->fds : config->pids;
	if (!reaches(now, max, POL_PRESSURE_LOW - POL_PRESSURE_REARM))
		gone |= POL_PRESSURE(resource, 0);
	if (!reaches(now, max, POL_PRESSURE_HIGH - POL_PRESSURE_REARM))
		gone |= POL_PRESSURE(resource, 1);
	if (state->pressure & gone)
		__sync_fetch_and_and(&state->pressure, ~gone);
	return 0;
}

/*
 * Refused at a ceiling. With on_exceed = "kill" the process that came to it dies now, the guest's
 * others when they next come to a charge, and all of them by SIGKILL once user space, which is
 * woken, gets to it: no helper before 6.13 signals another task.
 */
static __always_inline int exceeded(struct pol_guest_state *state, const struct ceiling *ceiling,
				    u32 now)
{
	u32 verdict = POL_VERDICT_DENIED;

	if (ceiling->resource < POL_RESOURCES_CNT)
		__sync_fetch_and_add(&state->refused[ceiling->resource], 1);
	if (ceiling->flags & POL_GUEST_KILL) {
		bpf_send_signal(SIGKILL);
		if (__sync_val_compare_and_swap(&state->killed, 0, 1))
			return ceiling->err;
		verdict = POL_VERDICT_KILLED;
	}
	tell(ceiling, now, verdict);
	return ceiling->err;
}

/* ------------------------------------------------------------------ descriptors */

/* The guest's ceiling of descriptions. Return: whether it has one. */
static __always_inline bool fd_ceiling(const struct pol_actor *actor, struct ceiling *ret)
{
	const struct pol_guest_config *config = pol_guest_config(actor->guest, actor->generation);

	if (!config || config->fds == POL_NO_CEILING)
		return false;
	ret->guest = actor->guest;
	ret->generation = actor->generation;
	ret->resource = POL_RESOURCE_FDS;
	ret->max = config->fds;
	ret->err = EMFILE;
	ret->flags = config->flags;
	return true;
}

/* An entry of an instance that is over is nobody's any more. */
static __always_inline bool is_charged(const struct pol_file_charge *charge)
{
	const struct pol_guest_state *state = charge ? pol_state_of(charge->guest) : NULL;

	return state && POL_COUNT_INSTANCE(read_word(&state->counts)) == charge->instance;
}

static __always_inline void uncharge_file(const struct pol_file_charge *charge)
{
	struct pol_guest_state *state = pol_state_of(charge->guest);

	if (!state)
		return;
	if (!fds_down(state, charge->instance))
		__sync_fetch_and_sub(&state->orphaned, 1);
	else if (state->pressure)
		rearm(state, charge->guest, POL_RESOURCE_FDS,
		      POL_COUNT_FDS(read_word(&state->counts)));
}

__attribute__((noinline)) int pol_fd_release(u64 file)
{
	struct pol_file_charge *found = bpf_map_lookup_elem(&files, &file);
	struct pol_file_charge charge;

	if (!found)
		return 0;
	charge = *found;
	/* Who sets the flag first, here or in pol_rebase, moves the count; the other finds it set. */
	charge.flags = __sync_fetch_and_or(&found->flags, POL_FILE_FREED);
	if (bpf_map_delete_elem(&files, &file))
		pol_fail_count(POL_FAIL_COUNT_RACE);
	if (!(charge.flags & (POL_FILE_FREED | POL_FILE_BASELINE)))
		uncharge_file(&charge);
	return 0;
}

static long rebase_file(struct bpf_map *map, const u64 *file, struct pol_file_charge *charge,
			const struct pol_rebase *rebase)
{
	u32 flags;

	if (charge->guest != rebase->guest || !is_charged(charge))
		return 0;
	flags = __sync_fetch_and_or(&charge->flags, POL_FILE_BASELINE);
	if (!(flags & (POL_FILE_FREED | POL_FILE_BASELINE)))
		uncharge_file(charge);
	return 0;
}

/**
 * pol_rebase - what a guest is charged for becomes its baseline: its ceiling is new.
 *
 * Also what no descriptor shows: mappings, messages in flight.
 * Context: syscall program, run by BPF_PROG_TEST_RUN; root alone can. Return: 0.
 */
SEC("syscall")
int pol_rebase(struct pol_rebase *rebase)
{
	struct pol_rebase what = *rebase;

	bpf_for_each_map_elem(&files, rebase_file, &what, 0);
	return 0;
}

/*
 * Enters a count that was moved up, or moves it down again. (Before 6.4 the call is inlined to a
 * function that returns int: the upper half of a long would be anything.) @fresh: an entry that is there is of a
 * file of this address that is gone.
 */
POL_SUBPROG int enter_file(u64 file, u32 guest, u32 instance, bool fresh)
{
	struct pol_file_charge charge = { .guest = guest, .instance = instance };
	int r = bpf_map_update_elem(&files, &file, &charge, BPF_NOEXIST);

	if (r == -EEXIST && fresh) {
		pol_fd_release(file);
		r = bpf_map_update_elem(&files, &file, &charge, BPF_NOEXIST);
	}
	if (!r)
		return 0;
	uncharge_file(&charge);
	if (r == -EEXIST)
		return 0; /* somebody else was first */
	pol_fail_count(POL_FAIL_FILES_FULL);
	return ENFILE;
}

__attribute__((noinline)) int pol_fd_charge(const struct pol_actor *actor, u64 file, u32 fresh)
{
	struct ceiling ceiling = {};
	struct pol_guest_state *state;
	u64 word;

	if (!actor || !fd_ceiling(actor, &ceiling))
		return 0;
	state = pol_state_of(actor->guest);
	if (!state)
		return ENFILE;
	if (!fresh && is_charged(bpf_map_lookup_elem(&files, &file)))
		return 0;
	word = state->killed ? 0 : count_up(state, POL_COUNT_ONE_FD, ceiling.max);
	if (!word)
		return exceeded(state, &ceiling, POL_COUNT_FDS(read_word(&state->counts)));
	raise_peak(&state->fds_peak, POL_COUNT_FDS(word));
	tell_pressure(state, &ceiling, POL_COUNT_FDS(word));
	/* Not charged and yet there: of an instance that is over, so as good as fresh. */
	return enter_file(file, actor->guest, POL_COUNT_INSTANCE(word), true);
}

__attribute__((noinline)) int pol_fd_full(const struct pol_actor *actor)
{
	struct ceiling ceiling = {};
	struct pol_guest_state *state;
	u32 now;

	if (!actor || !fd_ceiling(actor, &ceiling))
		return 0;
	state = pol_state_of(actor->guest);
	if (!state)
		return ENFILE;
	now = POL_COUNT_FDS(read_word(&state->counts));
	return now < ceiling.max ? 0 : exceeded(state, &ceiling, now);
}

__attribute__((noinline)) int pol_fd_adopt(u64 file, u32 guest, u32 baseline)
{
	struct pol_guest_state *state = pol_state_of(guest);
	struct pol_file_charge charge = { .guest = guest, .flags = POL_FILE_BASELINE };
	u64 word;

	if (!state)
		return ENFILE;
	pol_fd_release(file);
	if (baseline) {
		charge.instance = POL_COUNT_INSTANCE(read_word(&state->counts));
		return bpf_map_update_elem(&files, &file, &charge, BPF_NOEXIST) ? ENFILE : 0;
	}
	word = count_up(state, POL_COUNT_ONE_FD, POL_COUNT_MASK);
	if (!word)
		return ENFILE;
	raise_peak(&state->fds_peak, POL_COUNT_FDS(word));
	return enter_file(file, guest, POL_COUNT_INSTANCE(word), false);
}

/* ------------------------------------------------------------------ tasks */

POL_SUBPROG int enter_task(struct pol_guest_state *state, u64 task, u32 guest)
{
	struct pol_task_charge charge = { .guest = guest };
	int r;

	charge.instance = POL_COUNT_INSTANCE(read_word(&state->counts));
	charge.serial = (u64)guest << 32 | (u32)__sync_fetch_and_add(&state->charges, 1);
	r = bpf_map_update_elem(&tasks, &task, &charge, BPF_NOEXIST);
	if (r == -EEXIST) { /* of a task of this address that is gone */
		pol_task_release(task);
		r = bpf_map_update_elem(&tasks, &task, &charge, BPF_NOEXIST);
	}
	if (!r)
		return 0;
	pol_fail_count(POL_FAIL_TASKS_FULL);
	return EAGAIN;
}

static __always_inline u64 serial_of(const struct pol_task_charge *charge)
{
	return *(volatile const u64 *)&charge->serial;
}

/* The count moves down, if the charge still is the one of this serial. Return: POL_TAKEN_*. */
static __always_inline u32 take_back(struct pol_task_charge *charge, u64 serial)
{
	struct pol_guest_state *state;
	u32 guest = serial >> 32, left;

	if (!serial || __sync_val_compare_and_swap(&charge->serial, serial, 0) != serial)
		return POL_TAKEN_NONE;
	state = pol_state_of(guest);
	if (!state)
		return POL_TAKEN_ONE;
	left = tasks_down(state);
	if (state->pressure)
		rearm(state, guest, POL_RESOURCE_PIDS, left);
	return left ? POL_TAKEN_ONE : POL_TAKEN_LAST;
}

__attribute__((noinline)) int pol_tell_empty(u32 guest)
{
	const struct pol_control *ctl = pol_control_get();
	struct pol_report_head head = { .guest = guest, .type = POL_TYPE_GUEST };
	struct pol_event *event;

	if (!ctl)
		return 0;
	head.generation = ctl->active;
	event = pol_event_reserve(&head);
	if (!event)
		return 0;
	event->flags = 0; /* by nobody */
	event->note.action = POL_ACTION_EMPTY;
	event->note.guest = guest;
	event->note.generation = ctl->active;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/*
 * Of a task that has exited the entry stays until the task is freed. That may happen now, and then
 * the address, or the entry, be another's: so the serial is read before the address and the state,
 * and only the charge that has it is taken back.
 */
static long take_back_if_gone(struct bpf_map *map, const u64 *task, struct pol_task_charge *charge,
			      u32 *ret_taken)
{
	u64 serial = serial_of(charge);
	const struct task_struct *gone = (const void *)*(volatile const u64 *)task;
	u32 taken;

	if (!serial || !BPF_CORE_READ(gone, exit_state))
		return 0;
	taken = take_back(charge, serial);
	if (taken == POL_TAKEN_NONE)
		return 0;
	pol_fail_count(POL_FAIL_EXITS_MISSED);
	*ret_taken += 1;
	if (taken == POL_TAKEN_LAST)
		pol_tell_empty(serial >> 32);
	return 0;
}

/*
 * The exits that pol_exit missed, before RCU gets to them. Return: how many there were.
 *
 * At a ceiling only, and not where the guest's own pids controller, of the same number, is full: it
 * would refuse anyway, with zombies or without, and a fork bomb does not pay for a walk each time.
 */
POL_SUBPROG u32 take_back_missed(u32 guest, u32 max)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 nr = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	const struct cgroup_subsys_state *css = NULL;
	const struct pids_cgroup *pids;
	u32 taken = 0;

	bpf_core_read(&css, sizeof(css), &task->cgroups->subsys[nr & 15]);
	if (css && pol_guest_of_cgroup_id(BPF_CORE_READ(css, cgroup, kn, id)) == (int)guest) {
		pids = (const void *)css - bpf_core_field_offset(struct pids_cgroup, css);
		if (BPF_CORE_READ(pids, counter.counter) >= max)
			return 0;
	}
	bpf_for_each_map_elem(&tasks, take_back_if_gone, &taken, 0);
	return taken;
}

static __always_inline bool task_ceiling(u32 guest, u64 generation, struct ceiling *ret)
{
	const struct pol_guest_config *config = pol_guest_config(guest, generation);

	ret->guest = guest;
	ret->generation = generation;
	ret->resource = POL_RESOURCE_PIDS;
	ret->max = config ? config->pids : POL_NO_CEILING;
	ret->err = EAGAIN;
	ret->flags = config ? config->flags : 0;
	return ret->max != POL_NO_CEILING;
}

/* They are all gone: a new instance. */
static __always_inline void forget_killed(struct pol_guest_state *state)
{
	if (state->killed && !POL_COUNT_TASKS(read_word(&state->counts)))
		state->killed = 0;
}

__attribute__((noinline)) int pol_task_charge(u64 task, u32 guest, u64 generation, u32 flags)
{
	struct pol_guest_state *state = pol_state_of(guest);
	struct ceiling ceiling = {};
	u64 word;

	if (!state)
		return EAGAIN;
	forget_killed(state);
	if (state->killed) {
		if (!(flags & POL_LABEL_LAUNCHER))
			bpf_send_signal(SIGKILL);
		return EAGAIN;
	}
	if (!task_ceiling(guest, generation, &ceiling))
		ceiling.max = POL_COUNT_MASK;
	word = count_up(state, POL_COUNT_ONE_TASK, ceiling.max);
	if (!word && take_back_missed(guest, ceiling.max))
		word = count_up(state, POL_COUNT_ONE_TASK, ceiling.max);
	if (!word) {
		if (flags & POL_LABEL_LAUNCHER)
			ceiling.flags = 0;
		return exceeded(state, &ceiling, POL_COUNT_TASKS(read_word(&state->counts)));
	}
	raise_peak(&state->tasks_peak, POL_COUNT_TASKS(word));
	if (ceiling.max != POL_COUNT_MASK)
		tell_pressure(state, &ceiling, POL_COUNT_TASKS(word));
	if (!enter_task(state, task, guest))
		return 0;
	tasks_down(state);
	return EAGAIN;
}

__attribute__((noinline)) int pol_task_adopt(u64 task, u32 guest)
{
	struct pol_guest_state *state = pol_state_of(guest);
	u64 word;

	if (!state)
		return EAGAIN;
	forget_killed(state);
	word = count_up(state, POL_COUNT_ONE_TASK, POL_COUNT_MASK);
	if (!word)
		return EAGAIN;
	raise_peak(&state->tasks_peak, POL_COUNT_TASKS(word));
	if (!enter_task(state, task, guest))
		return 0;
	tasks_down(state);
	return EAGAIN;
}

__attribute__((noinline)) int pol_task_know(u64 task, u32 guest)
{
	struct pol_task_charge charge = { .guest = guest };
	struct pol_guest_state *state = pol_state_of(guest);
	int r;

	if (state)
		charge.instance = POL_COUNT_INSTANCE(read_word(&state->counts));
	r = bpf_map_update_elem(&tasks, &task, &charge, BPF_NOEXIST);
	if (!r || r == -EEXIST)
		return 0;
	pol_fail_count(POL_FAIL_TASKS_FULL);
	return EAGAIN;
}

__attribute__((noinline)) int pol_task_end(u64 task)
{
	struct pol_task_charge *found = bpf_map_lookup_elem(&tasks, &task);

	return found ? take_back(found, serial_of(found)) : POL_TAKEN_NONE;
}

__attribute__((noinline)) int pol_task_release(u64 task)
{
	struct pol_task_charge *found = bpf_map_lookup_elem(&tasks, &task);
	u32 taken;

	if (!found)
		return POL_TAKEN_NONE;
	taken = take_back(found, serial_of(found));
	if (bpf_map_delete_elem(&tasks, &task))
		pol_fail_count(POL_FAIL_COUNT_RACE);
	return taken;
}
