/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `top` shows: the guests of two looks at the engine, with rates, sorted. Pure. */
#pragma once

#include "status.h"
#include "status_table.h"

/* A line of top: one of status, and two rates. */
#define TOP_LINE_SIZE (STATUS_LINE_SIZE + 32)

enum top_sort { TOP_SORT_NAME, TOP_SORT_REFUSED, TOP_SORT_TASKS, TOP_SORT_MEMORY, TOP_SORTS };

/* By enum top_sort: the words of --sort. */
extern const char *const top_sort_words[TOP_SORTS];

/**
 * struct top_row - @refused, @events: per second, since the look before; 0 at the first, and for a
 * guest that was not there then.
 */
struct top_row {
	const struct pol_guest_status *guest;
	double refused;
	double events;
};

/**
 * top_rows() - one for each guest of @now.
 * @before: the look before, NULL: none. @elapsed_us: since then.
 * @ret: room for @now->guests_cnt; borrows from @now.
 *
 * By name ascending, else the most first, and what is equal by name.
 */
void top_rows(const struct pol_status *now, const struct pol_status *before, uint64_t elapsed_us,
	      enum top_sort sort, struct top_row *ret);

void top_line_head(char line[static TOP_LINE_SIZE]);
void top_line(const struct top_row *row, char line[static TOP_LINE_SIZE]);
