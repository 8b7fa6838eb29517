/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "loss.h"

static struct pol_loss loss;

static void done(void)
{
	pol_loss_done(&loss);
}

TestSuite(loss, .fini = done);

static void add(uint32_t guest, uint32_t type, uint64_t seq)
{
	struct pol_event_view view = { .guest = guest, .type = type, .seq = seq };

	if (type == POL_TYPE_LOST) {
		view.lost.of = type;
		view.lost.count = 1;
	}
	cr_assert_eq(pol_loss_view(&loss, &view), 0);
}

Test(loss, starts_with_none)
{
	cr_assert_null(pol_loss_first(&loss));
	pol_loss_told(&loss);
	cr_assert_null(pol_loss_first(&loss));
}

Test(loss, counts_by_guest_and_type)
{
	const struct pol_lost *lost;

	add(3, POL_TYPE_EXIT, 7);
	add(3, POL_TYPE_EXIT, 5);
	add(3, POL_TYPE_EXIT, 9);
	lost = pol_loss_first(&loss);
	cr_assert_eq(lost->guest, 3);
	cr_assert_eq(lost->of, POL_TYPE_EXIT);
	cr_assert_eq(lost->count, 3);
	cr_assert_eq(lost->first, 5);
	cr_assert_eq(lost->last, 9);
	pol_loss_told(&loss);
	cr_assert_null(pol_loss_first(&loss));
	cr_assert_null(loss.slots, "keeps memory for nothing");
}

Test(loss, takes_over_what_a_lost_record_tells)
{
	struct pol_event_view view = { .guest = 3, .type = POL_TYPE_LOST };

	view.lost.of = POL_TYPE_EXIT;
	view.lost.count = 12;
	view.lost.first = 2;
	view.lost.last = 20;
	add(3, POL_TYPE_EXIT, 25);
	cr_assert_eq(pol_loss_view(&loss, &view), 0);
	cr_assert_eq(loss.open, 1);
	cr_assert_eq(pol_loss_first(&loss)->count, 13);
	cr_assert_eq(pol_loss_first(&loss)->first, 2);
	cr_assert_eq(pol_loss_first(&loss)->last, 25);
}

/* Every guest and type of thousands, in any order, each once told. */
Test(loss, tells_apart_as_many_as_there_are)
{
	static uint64_t told[3000][POL_TYPES_CNT];
	const struct pol_lost *lost;

	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t guest = 0; guest < 3000; guest++)
			for (uint32_t type = 1; type < POL_TYPES_CNT; type++)
				add(guest, type, guest + round);
	cr_assert_eq(loss.open, 3000 * (POL_TYPES_CNT - 1));
	for (size_t i = 0; i < loss.cnt; i++)
		if (loss.slots[i].count)
			told[loss.slots[i].guest][loss.slots[i].of] += loss.slots[i].count;
	for (uint32_t guest = 0; guest < 3000; guest++)
		for (uint32_t type = 1; type < POL_TYPES_CNT; type++)
			cr_assert_eq(told[guest][type], 2);
	/* One that is told while others are open counts anew. */
	lost = pol_loss_first(&loss);
	add(lost->guest, lost->of, 100);
	cr_assert_eq(pol_loss_first(&loss)->count, 3);
	pol_loss_told(&loss);
	cr_assert_eq(loss.open, 3000 * (POL_TYPES_CNT - 1) - 1);
}

Test(loss, makes_an_event)
{
	static struct pol_event_view view;
	const struct pol_lost lost = { 3, POL_TYPE_EXIT, 12, 2, 20 };

	pol_loss_event(&lost, 99, 4, &view);
	cr_assert_eq(view.type, POL_TYPE_LOST);
	cr_assert_eq(view.boot_ns, 99);
	cr_assert_eq(view.generation, 4);
	cr_assert_eq(view.guest, 3);
	cr_assert_eq(view.seq, 20);
	cr_assert_eq(view.lost.of, POL_TYPE_EXIT);
	cr_assert_eq(view.lost.count, 12);
}
