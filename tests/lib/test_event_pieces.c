/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line is the same with pieces that were kept as without, whatever was kept. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_pieces.h"
#include "evil.h"
#include "records.h"
#include "samples.h"

#define VIEWS_MAX 256

static struct pol_event_view *views;
static size_t views_cnt;
static struct pol_pieces pieces;
static char with[POL_EVENT_LINE_SIZE], without[POL_EVENT_LINE_SIZE];

/* Texts point into their own view. */
static void copy_view(struct pol_event_view *to, const struct pol_event_view *from)
{
	*to = *from;
	for (int i = 0; i < 3; i++) {
		struct pol_event_text *text = i == 0 ? &to->path : i == 1 ? &to->exe : &to->parent_exe;

		if (text->data >= (const char *)from && text->data < (const char *)(from + 1))
			text->data = (const char *)to + (text->data - (const char *)from);
	}
}

static void make_views(void)
{
	static struct pol_event_view view;

	views = calloc(VIEWS_MAX, sizeof(*views));
	cr_assert_not_null(views);
	for (views_cnt = 0; test_sample(views_cnt, &view); views_cnt++) {
		cr_assert_lt(views_cnt, VIEWS_MAX);
		copy_view(&views[views_cnt], &view);
	}
	memset(&pieces, 0, sizeof(pieces));
}

static void free_views(void)
{
	free(views);
}

static void assert_same(const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	struct pol_event_ctx keeping = *ctx;
	int len = pol_event_json(view, ctx, without, sizeof(without));

	keeping.pieces = &pieces;
	cr_assert_eq(pol_event_json(view, &keeping, with, sizeof(with)), len);
	cr_assert_str_eq(with, without);
}

TestSuite(event_pieces, .init = make_views, .fini = free_views);

Test(event_pieces, lines_are_the_same)
{
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < views_cnt; i++)
			assert_same(&views[i], &test_record_ctx);
}

/* Numbers near each other share places: each field changed by a little, in any order. */
Test(event_pieces, lines_are_the_same_in_any_order)
{
	uint64_t seed = test_seed("event_pieces");

	for (int i = 0; i < 30000; i++) {
		struct pol_event_view *view = &views[test_random(&seed) % views_cnt];
		uint64_t what = test_random(&seed), by = test_random(&seed) % 3;

		switch (what % 11) {
		case 0: view->generation = 2 + by; break;
		case 1: view->guest = (uint32_t)(2 + by); break;
		case 2: view->process.tid = (uint32_t)(70 + 16 * by); break;
		case 3: view->process.uid = (uint32_t)by; break;
		case 4: view->process.comm[0] = (char)('a' + by); break;
		case 5: view->process.cgroup = 76 + by; break;
		case 6: view->exe.truncated = by; break;
		case 7: view->process.parent_tgid = (uint32_t)by; break;
		case 8:
			if (pol_event_has_access(view->type)) {
				view->access.rule = (uint32_t)(6 + by);
				view->access.rule_access = (uint32_t)by;
			}
			break;
		case 9:
			if (view->parent_exe.len > 3)
				view->parent_exe_buf[2] = (char)('a' + by);
			break;
		default:
			if (view->exe.len > 3)
				view->exe_buf[2] = (char)('a' + by);
		}
		assert_same(view, &test_record_ctx);
	}
}

Test(event_pieces, evil_texts_are_the_same)
{
	static struct pol_event_view view;
	struct pol_event_ctx ctx;

	for (size_t i = 0; i < sizeof(test_evil) / sizeof(*test_evil); i++)
		for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++) {
			/* Of this text's own context. */
			memset(&pieces, 0, sizeof(pieces));
			test_sample_evil(text, test_evil[i].data, test_evil[i].len, &view, &ctx);
			assert_same(&view, &ctx);
			assert_same(&view, &ctx);
		}
}

static const char *name_of_now;

static const char *now_known(void *arg, uint64_t generation, uint32_t guest)
{
	(void)arg;
	(void)generation;
	(void)guest;
	return name_of_now;
}

static const char *sha_of_now(void *arg, uint64_t generation)
{
	(void)arg;
	(void)generation;
	return name_of_now;
}

/* What could not be said once may be said later. */
Test(event_pieces, what_is_not_known_is_not_kept)
{
	struct pol_event_ctx ctx = test_record_ctx;

	ctx.guest_name = now_known;
	ctx.sha256 = sha_of_now;
	ctx.rule = NULL;
	name_of_now = NULL;
	assert_same(&views[0], &ctx);
	name_of_now = "later";
	ctx.rule = test_record_ctx.rule;
	assert_same(&views[0], &ctx);
}

Test(event_pieces, a_line_that_does_not_fit_keeps_nothing)
{
	struct pol_event_ctx ctx = test_record_ctx;

	ctx.pieces = &pieces;
	for (size_t size = 0; size < 900; size++)
		(void)pol_event_json(&views[0], &ctx, with, size);
	assert_same(&views[0], &test_record_ctx);
}
