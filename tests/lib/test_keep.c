/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "format.h"
#include "keep.h"
#include "records.h"

static struct pol_keep *keep;
static struct pol_event_view view;
static uint64_t gone[64];
static size_t gone_cnt;

static void on_gone(void *arg, uint64_t serial, const struct pol_event_view *old,
		    const struct pol_event_ctx *ctx)
{
	cr_assert_eq(arg, &keep);
	cr_assert_not_null(ctx->guest_name);
	cr_assert_eq(old->seq, serial + 1);
	gone[gone_cnt++] = serial;
}

static void make(size_t max)
{
	cr_assert_eq(pol_keep_new(max, test_record_ctx.host, test_record_ctx.boot_id, on_gone,
				  &keep, &keep),
		     0);
}

static void done(void)
{
	pol_keep_free(keep);
}

TestSuite(keep, .fini = done);

static void decode(void (*fill)(union test_record *record))
{
	union test_record record;

	fill(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
}

static void check_same(void)
{
	static char want[POL_EVENT_LINE_SIZE], got[POL_EVENT_LINE_SIZE];
	const struct pol_event_view *kept;
	const struct pol_event_ctx *ctx;
	const struct pol_format *format;

	cr_assert_eq(pol_keep_add(keep, &view, &test_record_ctx), 0);
	for (size_t i = 0; (format = pol_format_at(i)); i++) {
		cr_assert_eq(pol_keep_get(keep, pol_keep_next(keep) - 1, &kept, &ctx), 0);
		cr_assert_gt(format->write(&view, &test_record_ctx, 0, want, sizeof(want)), 0);
		cr_assert_gt(format->write(kept, ctx, 0, got, sizeof(got)), 0);
		cr_assert_str_eq(got, want);
	}
}

/* Every format has to find all that it asks for: names, texts, times. */
Test(keep, gives_back_what_it_got)
{
	make(1 << 20);
	decode(test_record_violation);
	check_same();
	decode(test_record_exit);
	check_same();
	view.exit.sender.guest = 3;
	view.guest = 4;
	check_same();
	decode(test_record_ceiling);
	check_same();
	decode(test_record_shadow);
	check_same();
	view = (struct pol_event_view){ .type = POL_TYPE_LOST, .guest = 3, .generation = 3 };
	view.lost.of = POL_TYPE_EXIT;
	view.lost.count = 7;
	check_same();
}

Test(keep, forgets_the_oldest_first)
{
	const struct pol_event_view *kept;
	const struct pol_event_ctx *ctx;

	make(20000);
	decode(test_record_violation);
	for (view.seq = 1; view.seq <= 40; view.seq++)
		cr_assert_eq(pol_keep_add(keep, &view, &test_record_ctx), 0);
	cr_assert_eq(pol_keep_next(keep), 40);
	cr_assert_gt(gone_cnt, 0);
	cr_assert_lt(gone_cnt, 40);
	cr_assert_eq(pol_keep_first(keep), gone_cnt);
	for (size_t i = 0; i < gone_cnt; i++)
		cr_assert_eq(gone[i], i);
	cr_assert_eq(pol_keep_get(keep, pol_keep_first(keep) - 1, &kept, &ctx), -ENOENT);
	cr_assert_eq(pol_keep_get(keep, 40, &kept, &ctx), -ENOENT);
	for (uint64_t n = pol_keep_first(keep); n < 40; n++) {
		cr_assert_eq(pol_keep_get(keep, n, &kept, &ctx), 0);
		cr_assert_eq(kept->seq, n + 1);
	}
}

Test(keep, does_without_room)
{
	make(10);
	decode(test_record_violation);
	view.seq = 1;
	cr_assert_eq(pol_keep_add(keep, &view, &test_record_ctx), 0);
	cr_assert_eq(gone_cnt, 1);
	cr_assert_eq(pol_keep_first(keep), pol_keep_next(keep));
}

/* The circle grows while it is in use. */
Test(keep, holds_many)
{
	const struct pol_event_view *kept;
	const struct pol_event_ctx *ctx;

	make(8 << 20);
	decode(test_record_violation);
	for (view.seq = 1; view.seq <= 1000; view.seq++)
		cr_assert_eq(pol_keep_add(keep, &view, &test_record_ctx), 0);
	cr_assert_eq(gone_cnt, 0);
	for (uint64_t n = 0; n < 1000; n++) {
		cr_assert_eq(pol_keep_get(keep, n, &kept, &ctx), 0);
		cr_assert_eq(kept->seq, n + 1);
	}
}
