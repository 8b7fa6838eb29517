/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader against a model of the kernel's side: CPUs that take numbers, reserve, lose and
 * submit in any interleaving, over rings of memory; readers that come, go and are killed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "reader.h"
#include "records.h"
#include "ring.h"

#define GUESTS	3
#define RINGS	2
#define CPUS	4
#define NUMBERS 4096 /* most numbers of one guest in one run */

struct cpu {
	int step; /* 0 idle, 1 has a number, 2 has a reservation, 3 has to count a loss */
	uint32_t guest;
	uint32_t type;
	uint64_t seq;
	uint64_t ticket;
	int ring;
};

struct world {
	struct test_ring memory[RINGS];
	struct pol_ring rings[RINGS];
	struct cpu cpus[CPUS];
	struct pol_guest_state states[GUESTS];
	struct pol_cursor cursors[GUESTS];
	unsigned char seen[GUESTS][NUMBERS];
	uint64_t delivered[GUESTS];
	uint64_t last[GUESTS]; /* number last delivered */
	uint64_t lost[GUESTS][POL_TYPES_CNT];
	uint64_t backwards;
	struct pol_reader *reader;
	unsigned int ring;
	uint64_t now;
	uint64_t random;
	uint64_t torn;	/* by how much the next copy's number is behind */
	int fail_after; /* deliveries until the output fails; < 0: never */
};

static uint64_t any(struct world *w, uint64_t below)
{
	return test_random(&w->random) % below;
}

static int on_state(void *arg, uint32_t guest, struct pol_guest_state *ret)
{
	struct world *w = arg;

	*ret = w->states[guest];
	/* A copy of a live value: its number may be older than its losses. */
	ret->seq -= w->torn;
	w->torn = 0;
	return 0;
}

static int on_load(void *arg, uint32_t guest, struct pol_cursor *ret)
{
	*ret = ((struct world *)arg)->cursors[guest];
	return 0;
}

static int on_save(void *arg, uint32_t guest, const struct pol_cursor *cursor)
{
	cr_assert(pol_cursor_sane(cursor), "the cursor of guest %u does not add up", guest);
	cr_assert_eq(cursor->ahead, 0);
	((struct world *)arg)->cursors[guest] = *cursor;
	return 0;
}

static int fails(struct world *w)
{
	if (w->fail_after < 0)
		return 0;
	return w->fail_after-- == 0 ? -EPIPE : 0;
}

static int on_record(void *arg, const void *data, size_t len)
{
	const struct pol_event *event = data;
	struct world *w = arg;

	(void)len;
	if (fails(w))
		return -EPIPE;
	w->seen[event->guest][event->seq]++;
	w->delivered[event->guest]++;
	w->backwards += event->seq < w->last[event->guest];
	w->last[event->guest] = event->seq;
	return 0;
}

static int on_lost(void *arg, const struct pol_lost *lost)
{
	struct world *w = arg;

	if (fails(w))
		return -EPIPE;
	cr_assert_geq(lost->first, 1);
	cr_assert_leq(lost->count, lost->last - lost->first + 1, "%llu lost in %llu..%llu",
		      (unsigned long long)lost->count, (unsigned long long)lost->first,
		      (unsigned long long)lost->last);
	w->lost[lost->guest][lost->of] += lost->count;
	return 0;
}

static const struct pol_reader_ops ops = {
	.state = on_state,
	.load = on_load,
	.save = on_save,
	.record = on_record,
	.lost = on_lost,
};

static void open_reader(struct world *w, size_t window)
{
	cr_assert_eq(pol_reader_new(&ops, w, RINGS, window, &w->reader), 0);
	for (uint32_t i = 0; i < GUESTS; i++)
		cr_assert_eq(pol_reader_watch(w->reader, i), 0);
	for (int i = 0; i < RINGS; i++)
		pol_ring_image(&w->memory[i].consumer, &w->memory[i].producer, w->memory[i].data,
			       w->memory[i].size, &w->rings[i]);
}

static void close_reader(struct world *w)
{
	pol_reader_free(w->reader);
	w->reader = NULL;
}

static void init_world(struct world *w, uint64_t seed, size_t ring_size, size_t window)
{
	memset(w, 0, sizeof(*w));
	w->random = seed;
	w->fail_after = -1;
	for (int i = 0; i < RINGS; i++)
		test_ring_init(&w->memory[i], ring_size);
	open_reader(w, window);
}

static void done_world(struct world *w)
{
	close_reader(w);
	for (int i = 0; i < RINGS; i++)
		test_ring_done(&w->memory[i]);
}

/* One step of one CPU, as bpf/event.bpf.h does it. */
static void cpu_step(struct world *w, struct cpu *cpu)
{
	struct pol_guest_state *state = &w->states[cpu->guest];
	union test_record record;

	switch (cpu->step) {
	case 0:
		cpu->guest = (uint32_t)any(w, GUESTS);
		cpu->type = any(w, 2) ? POL_TYPE_VIOLATION : POL_TYPE_FORK;
		cpu->ring = cpu->type == POL_TYPE_FORK;
		if (w->states[cpu->guest].seq + 1 >= NUMBERS)
			return;
		cpu->seq = ++w->states[cpu->guest].seq;
		cpu->step = 1;
		return;
	case 1:
		cpu->ticket = test_ring_reserve(&w->memory[cpu->ring], sizeof(struct pol_event));
		cpu->step = cpu->ticket ? 2 : 3;
		return;
	case 2:
		test_record_plain(&record, cpu->type);
		record.event.guest = cpu->guest;
		record.event.seq = cpu->seq;
		record.event.boot_ns = w->now + any(w, 3);
		test_ring_write(&w->memory[cpu->ring], cpu->ticket, &record,
				sizeof(struct pol_event));
		test_ring_submit(&w->memory[cpu->ring], cpu->ticket, false);
		cpu->step = 0;
		return;
	default:
		state->lost[cpu->type]++;
		state->lost_last[cpu->type] = cpu->seq;
		cpu->step = 0;
	}
}

static int on_ring(void *arg, uint64_t start, uint64_t end, const void *data, size_t len)
{
	struct world *w = arg;

	return pol_reader_add(w->reader, w->ring, start, end, data, len);
}

static void take_up(struct world *w)
{
	for (w->ring = 0; w->ring < RINGS; w->ring++)
		(void)pol_ring_read(&w->rings[w->ring], POL_RING_PEEK, on_ring, w);
}

static void release(struct world *w)
{
	for (unsigned int i = 0; i < RINGS; i++)
		pol_ring_release(&w->rings[i], pol_reader_position(w->reader, i, w->rings[i].pos));
}

/* A whole round, as policyctl events does it. */
static int reader_round(struct world *w, unsigned int flags)
{
	int r;

	take_up(w);
	r = pol_reader_run(w->reader, w->now, flags);
	if (r < 0)
		return r;
	cr_assert_eq(pol_reader_commit(w->reader), 0);
	release(w);
	return r;
}

static void quiesce(struct world *w)
{
	for (int i = 0; i < CPUS; i++)
		while (w->cpus[i].step)
			cpu_step(w, &w->cpus[i]);
	for (int i = 0; i < 40; i++)
		(void)reader_round(w, POL_READER_SWEEP);
}

static void check_exact(struct world *w, bool once)
{
	for (uint32_t g = 0; g < GUESTS; g++) {
		uint64_t lost = 0, distinct = 0;

		for (int t = 0; t < POL_TYPES_CNT; t++) {
			cr_assert_eq(w->lost[g][t], w->states[g].lost[t],
				     "guest %u type %d: %llu reported, %llu lost", g, t,
				     (unsigned long long)w->lost[g][t],
				     (unsigned long long)w->states[g].lost[t]);
			lost += w->lost[g][t];
		}
		for (uint64_t n = 0; n < NUMBERS; n++) {
			distinct += w->seen[g][n] != 0;
			if (once)
				cr_assert_leq(w->seen[g][n], 1, "guest %u number %llu twice", g,
					      (unsigned long long)n);
		}
		cr_assert_eq(distinct + lost, w->states[g].seq,
			     "guest %u: %llu delivered + %llu lost != %llu emitted", g,
			     (unsigned long long)distinct, (unsigned long long)lost,
			     (unsigned long long)w->states[g].seq);
		cr_assert_eq(w->cursors[g].next, w->states[g].seq + 1);
		cr_assert_eq(pol_cursor_holes(&w->cursors[g]), 0);
	}
}

/*
 * A reader that is gone before it saved: what it reported since is told again. Records are counted
 * by number, so that being told twice shows; losses are put back to what was saved.
 */
static void restart_unsaved(struct world *w, size_t window)
{
	for (int g = 0; g < GUESTS; g++)
		for (int t = 0; t < POL_TYPES_CNT; t++)
			w->lost[g][t] = w->cursors[g].lost[t];
	close_reader(w);
	open_reader(w, window);
}

/* Random steps of everyone. */
static void play(struct world *w, int steps, size_t window)
{
	for (int i = 0; i < steps; i++) {
		uint64_t what = any(w, 100);

		w->now += 1000;
		if (what < 90)
			cpu_step(w, &w->cpus[any(w, CPUS)]);
		else if (what == 99)
			w->now += POL_READER_WAIT_NS;
		else if (reader_round(w, any(w, 4) ? 0 : POL_READER_SWEEP) < 0)
			restart_unsaved(w, window);
	}
}

static void random_runs(const char *name, size_t ring_size, size_t window, int runs)
{
	uint64_t seed = test_seed(name);
	struct world *w = malloc(sizeof(*w));

	cr_assert_not_null(w);
	for (int i = 0; i < runs; i++) {
		uint64_t run = test_random(&seed) | 1;

		init_world(w, run, ring_size, window);
		play(w, 2500, window);
		quiesce(w);
		check_exact(w, true);
		done_world(w);
	}
	free(w);
}

Test(reader, accounts_for_every_number_with_room, .timeout = 600)
{
	random_runs("room", 1 << 20, 4096, 60);
}

Test(reader, accounts_for_every_number_with_full_rings, .timeout = 600)
{
	random_runs("full", 1 << 13, 4096, 60);
}

Test(reader, accounts_for_every_number_with_a_tiny_window, .timeout = 600)
{
	random_runs("tiny", 1 << 14, 3, 60);
}

/* Killed only after saving its cursors: nothing is missing and nothing comes twice. */
Test(reader, survives_being_killed_between_save_and_release, .timeout = 600)
{
	uint64_t seed = test_seed("killed");
	struct world *w = malloc(sizeof(*w));

	cr_assert_not_null(w);
	for (int i = 0; i < 60; i++) {
		init_world(w, test_random(&seed) | 1, 1 << 14, 4096);
		for (int part = 0; part < 10; part++) {
			play(w, 200, 4096);
			take_up(w);
			cr_assert_geq(pol_reader_run(w->reader, w->now, 0), 0);
			cr_assert_eq(pol_reader_commit(w->reader), 0);
			close_reader(w);
			open_reader(w, 4096);
		}
		quiesce(w);
		check_exact(w, true);
		done_world(w);
	}
	free(w);
}

/* Killed before saving: what it had printed comes again, nothing is missing. */
Test(reader, repeats_rather_than_misses_when_killed_before_saving, .timeout = 600)
{
	uint64_t seed = test_seed("unsaved");
	struct world *w = malloc(sizeof(*w));

	cr_assert_not_null(w);
	for (int i = 0; i < 30; i++) {
		init_world(w, test_random(&seed) | 1, 1 << 14, 4096);
		play(w, 300, 4096);
		take_up(w);
		cr_assert_geq(pol_reader_run(w->reader, w->now, 0), 0);
		restart_unsaved(w, 4096);
		quiesce(w);
		check_exact(w, false);
		done_world(w);
	}
	free(w);
}

/* The output fails at some record: the next reader delivers that batch again, and the rest. */
Test(reader, misses_nothing_when_the_output_fails, .timeout = 600)
{
	uint64_t seed = test_seed("output");
	struct world *w = malloc(sizeof(*w));

	cr_assert_not_null(w);
	for (int i = 0; i < 60; i++) {
		init_world(w, test_random(&seed) | 1, 1 << 13, 4096);
		for (int part = 0; part < 20; part++) {
			w->fail_after = (int)any(w, 30);
			play(w, 100, 4096);
		}
		w->fail_after = -1;
		quiesce(w);
		check_exact(w, false);
		done_world(w);
	}
	free(w);
}

/* ------------------------------------------------------------------------------------------- */
/* Single situations, one ring record at a time                                                */

static void send(struct world *w, int ring, uint32_t guest, uint64_t seq, enum pol_type type)
{
	union test_record record;
	uint64_t ticket = test_ring_reserve(&w->memory[ring], sizeof(struct pol_event));

	test_record_plain(&record, type);
	record.event.guest = guest;
	record.event.seq = seq;
	record.event.boot_ns = seq * 1000;
	test_ring_write(&w->memory[ring], ticket, &record, sizeof(struct pol_event));
	test_ring_submit(&w->memory[ring], ticket, false);
	if (w->states[guest].seq < seq)
		w->states[guest].seq = seq;
}

static struct world world;

static void init(void)
{
	init_world(&world, 1, 1 << 16, 64);
}

static void done(void)
{
	done_world(&world);
}

Test(reader, delivers_in_the_guests_order_over_both_rings, .init = init, .fini = done)
{
	send(&world, 0, 1, 2, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 4, POL_TYPE_VIOLATION);
	send(&world, 1, 1, 1, POL_TYPE_FORK);
	send(&world, 1, 1, 3, POL_TYPE_FORK);
	cr_assert_eq(reader_round(&world, 0), 4);
	cr_assert_eq(world.last[1], 4);
	cr_assert_eq(world.backwards, 0);
}

Test(reader, holds_back_what_follows_a_gap_that_is_not_final, .init = init, .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 3, POL_TYPE_VIOLATION);
	cr_assert_eq(reader_round(&world, 0), 1);
	cr_assert_eq(pol_reader_held(world.reader), 1);
	cr_assert_gt(pol_ring_fill(&world.rings[0]), 0, "what is held stays in the ring");
	send(&world, 1, 1, 2, POL_TYPE_FORK);
	cr_assert_eq(reader_round(&world, 0), 2);
	cr_assert_eq(pol_ring_fill(&world.rings[0]), 0);
	cr_assert_eq(world.backwards, 0);
}

Test(reader, reports_a_loss_before_what_follows_it, .init = init, .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 5, POL_TYPE_VIOLATION);
	world.states[1].lost[POL_TYPE_EXIT] = 3;
	world.states[1].lost_last[POL_TYPE_EXIT] = 4;
	cr_assert_eq(reader_round(&world, 0), 3);
	cr_assert_eq(world.lost[1][POL_TYPE_EXIT], 3);
}

Test(reader, finds_a_loss_with_no_record_behind_it, .init = init, .fini = done)
{
	world.states[2].seq = 7;
	world.states[2].lost[POL_TYPE_VIOLATION] = 7;
	cr_assert_eq(reader_round(&world, 0), 0);
	cr_assert_eq(reader_round(&world, POL_READER_SWEEP), 1);
	cr_assert_eq(world.cursors[2].next, 8);
}

Test(reader, never_reports_a_loss_twice, .init = init, .fini = done)
{
	world.states[1].seq = 2;
	world.states[1].lost[POL_TYPE_VIOLATION] = 2;
	cr_assert_eq(reader_round(&world, POL_READER_SWEEP), 1);
	close_reader(&world);
	open_reader(&world, 64);
	cr_assert_eq(reader_round(&world, POL_READER_SWEEP), 0);
}

Test(reader, passes_an_undecided_gap_after_its_time_and_takes_the_late_record, .init = init,
     .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 3, POL_TYPE_VIOLATION);
	cr_assert_eq(reader_round(&world, 0), 1);
	world.now += POL_READER_WAIT_NS;
	cr_assert_eq(reader_round(&world, 0), 1);
	cr_assert_eq(pol_cursor_holes(&world.cursors[1]), 1);
	close_reader(&world);
	open_reader(&world, 64);
	send(&world, 1, 1, 2, POL_TYPE_FORK);
	cr_assert_eq(reader_round(&world, 0), 1);
	cr_assert_eq(pol_cursor_holes(&world.cursors[1]), 0);
	cr_assert_eq(world.backwards, 1);
}

Test(reader, reports_a_passed_number_that_was_lost_after_all, .init = init, .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 3, POL_TYPE_VIOLATION);
	cr_assert_eq(reader_round(&world, POL_READER_FORCE), 2);
	world.states[1].lost[POL_TYPE_FORK] = 1;
	world.states[1].lost_last[POL_TYPE_FORK] = 2;
	cr_assert_eq(reader_round(&world, 0), 1);
	cr_assert_eq(world.lost[1][POL_TYPE_FORK], 1);
	cr_assert_eq(pol_cursor_holes(&world.cursors[1]), 0);
}

Test(reader, settles_by_the_counters_of_the_run_before, .init = init, .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	send(&world, 0, 1, 4, POL_TYPE_VIOLATION);
	world.states[1].lost[POL_TYPE_FORK] = 2;
	world.states[1].seq = 5; /* 5 is in flight */
	cr_assert_eq(reader_round(&world, 0), 1);
	send(&world, 0, 1, 5, POL_TYPE_VIOLATION);
	world.states[1].seq = 6; /* and now 6 is */
	cr_assert_eq(reader_round(&world, 0), 3, "the gap before 4, then 4 and 5");
}

Test(reader, does_not_take_a_torn_copy_of_the_counters_for_final, .init = init, .fini = done)
{
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	world.states[1].seq = 3; /* 2 is in flight, 3 was lost while the counters were copied */
	world.states[1].lost[POL_TYPE_VIOLATION] = 1;
	world.states[1].lost_last[POL_TYPE_VIOLATION] = 3;
	world.torn = 1;
	cr_assert_eq(reader_round(&world, POL_READER_SWEEP), 1);
	send(&world, 0, 1, 2, POL_TYPE_VIOLATION);
	cr_assert_eq(reader_round(&world, POL_READER_SWEEP), 2);
	cr_assert_eq(world.seen[1][2], 1);
	cr_assert_eq(world.lost[1][POL_TYPE_VIOLATION], 1);
}

Test(reader, drops_what_an_earlier_reader_delivered, .init = init, .fini = done)
{
	struct pol_reader_stats stats;

	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	take_up(&world);
	cr_assert_eq(pol_reader_run(world.reader, 0, 0), 1);
	cr_assert_eq(pol_reader_commit(world.reader), 0);
	close_reader(&world);
	open_reader(&world, 64);
	cr_assert_eq(reader_round(&world, 0), 0);
	pol_reader_stats(world.reader, &stats);
	cr_assert_eq(stats.again, 1);
}

Test(reader, counts_a_bad_record_and_goes_on, .init = init, .fini = done)
{
	struct pol_reader_stats stats;
	uint64_t ticket = test_ring_reserve(&world.memory[0], 24);

	test_ring_submit(&world.memory[0], ticket, false);
	send(&world, 0, 1, 1, POL_TYPE_VIOLATION);
	cr_assert_eq(reader_round(&world, 0), 1);
	pol_reader_stats(world.reader, &stats);
	cr_assert_eq(stats.bad, 1);
	cr_assert_eq(pol_ring_fill(&world.rings[0]), 0);
}

Test(reader, refuses_a_record_when_its_window_is_full, .init = init, .fini = done)
{
	union test_record record;
	struct pol_reader *small = NULL;

	cr_assert_eq(pol_reader_new(&ops, &world, 1, 1, &small), 0);
	test_record_plain(&record, POL_TYPE_FORK);
	record.event.guest = 1;
	cr_assert_eq(pol_reader_add(small, 0, 0, 8, &record, sizeof(struct pol_event)), 0);
	cr_assert_eq(pol_reader_add(small, 0, 8, 16, &record, sizeof(struct pol_event)), -ENOBUFS);
	pol_reader_free(small);
}

Test(reader, wants_a_ring_and_a_window)
{
	struct pol_reader *reader = NULL;

	cr_assert_eq(pol_reader_new(&ops, NULL, 0, 1, &reader), -EINVAL);
	cr_assert_eq(pol_reader_new(&ops, NULL, 1, 0, &reader), -EINVAL);
	cr_assert_null(reader);
	pol_reader_free(NULL);
}

Test(cursor, merges_the_oldest_holes_when_there_are_too_many)
{
	struct pol_cursor cursor = { 0 };

	for (uint64_t seq = 2; seq <= 40; seq += 2)
		cr_assert_eq(pol_cursor_deliver(&cursor, seq), 0);
	cr_assert_eq(pol_cursor_holes(&cursor), 20);
	cr_assert(pol_cursor_sane(&cursor));
	for (uint64_t seq = 1; seq <= 39; seq += 2)
		cr_assert_eq(pol_cursor_deliver(&cursor, seq), 1, "%llu", (unsigned long long)seq);
	cr_assert_eq(pol_cursor_holes(&cursor), 0);
	cr_assert(pol_cursor_sane(&cursor));
	cr_assert_eq(cursor.delivered, 40);
}

/* The hole 1..3 lacks one number, no one knows which: the record's place in the ring tells. */
Test(cursor, knows_a_delivered_record_inside_a_hole_that_is_not_exact)
{
	struct pol_cursor cursor = {
		.next = 4,
		.delivered = 2,
		.scanned = { 700 },
		.holes = { { 1, 3, 1 } },
	};

	cr_assert(pol_cursor_known(&cursor, 2, 0, 0));
	cr_assert_not(pol_cursor_known(&cursor, 2, 0, 700));
	cr_assert(pol_cursor_known(&cursor, 2, 0, 699));
	cr_assert_not(pol_cursor_known(&cursor, 4, 0, 0));
}

Test(cursor, splits_an_exact_hole)
{
	struct pol_cursor cursor = { 0 };

	cr_assert_eq(pol_cursor_deliver(&cursor, 10), 0);
	cr_assert_eq(pol_cursor_deliver(&cursor, 5), 1);
	cr_assert_eq(pol_cursor_deliver(&cursor, 5), -EALREADY);
	cr_assert_eq(pol_cursor_deliver(&cursor, 4), 1);
	cr_assert_eq(pol_cursor_deliver(&cursor, 6), 1);
	cr_assert_eq(pol_cursor_holes(&cursor), 6);
	cr_assert(pol_cursor_sane(&cursor));
}
