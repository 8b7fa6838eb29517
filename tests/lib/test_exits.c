/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a kept exit, over memory as the map is. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "exits.h"

#define TICK UINT64_C(10000000)

static struct pol_exit_set *sets;

static void make_sets(void)
{
	sets = calloc(POL_EXIT_SETS, sizeof(*sets));
	cr_assert_not_null(sets);
}

static void free_sets(void)
{
	free(sets);
}

TestSuite(exits, .init = make_sets, .fini = free_sets);

static struct pol_exit_slot *put(uint32_t set, uint32_t at, uint32_t pid, uint64_t start_ns,
				 uint64_t boot_ns)
{
	struct pol_exit_slot *slot = &sets[set].slots[at];

	*slot = (struct pol_exit_slot){
		.turn = at + 1,
		.record = {
			.boot_ns = boot_ns,
			.guest = set,
			.process = { .tgid = pid, .start_ns = start_ns },
			.exit = { .code = 7 << 8, .cause = POL_CAUSE_EXIT },
		},
	};
	return slot;
}

static int find(pid_t pid, uint64_t start_ns, struct pol_exit_record *ret)
{
	struct pol_exits exits = POL_EXITS_INIT;

	exits.sets = sets;
	return pol_exits_find(&exits, pid, start_ns, ret);
}

Test(exits, none)
{
	struct pol_exit_record record;

	cr_assert_eq(find(1, 0, &record), -ENOENT);
	/* A free slot is nobody's, not process 0's. */
	cr_assert_eq(find(0, 0, &record), -ENOENT);
}

Test(exits, in_any_set_and_slot)
{
	struct pol_exit_record record;

	put(0, 0, 71, TICK, 2 * TICK);
	put(POL_EXIT_SETS - 1, POL_EXIT_SLOTS - 1, 72, TICK, 2 * TICK);
	cr_assert_eq(find(71, 0, &record), 0);
	cr_assert_eq(record.guest, 0);
	cr_assert_eq(find(72, 0, &record), 0);
	cr_assert_eq(record.guest, POL_EXIT_SETS - 1);
	cr_assert_eq(find(73, 0, &record), -ENOENT);
}

Test(exits, of_a_number_that_was_used_again)
{
	struct pol_exit_record record;

	put(3, 5, 71, 9 * TICK + 1, 12 * TICK);
	put(3, 6, 71, 4 * TICK + 1, 7 * TICK);
	cr_assert_eq(find(71, 0, &record), 0);
	cr_assert_eq(record.boot_ns, 12 * TICK);
	/* As /proc has it, cut to a tick; and as events have it. */
	cr_assert_eq(find(71, 4 * TICK, &record), 0);
	cr_assert_eq(record.boot_ns, 7 * TICK);
	cr_assert_eq(find(71, 4 * TICK + 1, &record), 0);
	cr_assert_eq(record.boot_ns, 7 * TICK);
	cr_assert_eq(find(71, 5 * TICK, &record), -ENOENT);
	cr_assert_eq(find(71, 3 * TICK, &record), -ENOENT);
}

Test(exits, half_written)
{
	struct pol_exit_record record;

	put(3, 5, 71, TICK, 2 * TICK)->turn = POL_EXIT_WRITING;
	cr_assert_eq(find(71, 0, &record), -ENOENT);
}

Test(exits, as_an_event)
{
	static struct pol_event_view view;
	int code, sig;

	pol_exits_view(&put(3, 5, 71, TICK, 2 * TICK)->record, &view);
	cr_assert_eq(view.type, POL_TYPE_EXIT);
	cr_assert_eq(view.guest, 3);
	cr_assert(view.has_process && !view.outside);
	cr_assert_eq(view.process.tgid, 71);
	cr_assert_null(view.exe.data);
	cr_assert_eq(pol_event_status(&view.exit, &code, &sig), 7);
}

/* Where nothing is loaded, or the caller may not look. */
Test(exits, without_an_engine)
{
	struct pol_exits exits = POL_EXITS_INIT;
	struct pol_exit_record record;

	cr_assert_lt(pol_exits_open(&exits), 0);
	cr_assert_lt(pol_exits_ask(1, 0, -EBADF, &record), 0);
	cr_assert_not(pol_exits_guest_by_pidfd(-EBADF));
}
