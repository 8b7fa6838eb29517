/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "top_rows.h"

#include <stdio.h>

#include "base.h"

const char *const top_sort_words[TOP_SORTS] = {
	[TOP_SORT_NAME] = "name",
	[TOP_SORT_REFUSED] = "refused",
	[TOP_SORT_TASKS] = "tasks",
	[TOP_SORT_MEMORY] = "memory",
};

static const struct pol_guest_status *find(const struct pol_status *status,
					   const struct pol_guest_status *guest)
{
	for (size_t i = 0; status && i < status->guests_cnt; i++)
		if (status->guests[i].guest->id == guest->guest->id &&
		    !strcmp(status->guests[i].guest->name, guest->guest->name))
			return &status->guests[i];
	return NULL;
}

/* Counters begin anew with an engine that was loaded anew. */
static double rate(uint64_t now, uint64_t before, uint64_t elapsed_us)
{
	return now > before && elapsed_us ? (double)(now - before) * 1e6 / (double)elapsed_us : 0;
}

static uint64_t memory(const struct pol_guest_status *guest)
{
	return guest->memory_now == POL_STATUS_NONE ? 0 : guest->memory_now;
}

static int most_first(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	int r = 0;

	switch (*(const enum top_sort *)arg) {
	case TOP_SORT_REFUSED:
		r = most_first(x->refused, y->refused);
		if (!r)
			r = most_first((double)status_refused(x->guest),
				       (double)status_refused(y->guest));
		break;
	case TOP_SORT_TASKS:
		r = most_first((double)x->guest->tasks, (double)y->guest->tasks);
		break;
	case TOP_SORT_MEMORY:
		r = most_first((double)memory(x->guest), (double)memory(y->guest));
		break;
	default:
		break;
	}
	return r ? r : strcmp(x->guest->guest->name, y->guest->guest->name);
}

void top_rows(const struct pol_status *now, const struct pol_status *before, uint64_t elapsed_us,
	      enum top_sort sort, struct top_row *ret)
{
	for (size_t i = 0; i < now->guests_cnt; i++) {
		const struct pol_guest_status *guest = &now->guests[i], *old = find(before, guest);

		ret[i] = (struct top_row){ .guest = guest };
		if (!old)
			continue;
		ret[i].refused = rate(status_refused(guest), status_refused(old), elapsed_us);
		ret[i].events = rate(guest->emitted, old->emitted, elapsed_us);
	}
	qsort_r(ret, now->guests_cnt, sizeof(*ret), compare, &sort);
}

void top_line_head(char line[static TOP_LINE_SIZE])
{
	size_t len;

	status_table_head(line);
	len = strlen(line);
	(void)snprintf(line + len, TOP_LINE_SIZE - len, " %10s %10s", "REFUSED/S", "EVENTS/S");
}

void top_line(const struct top_row *row, char line[static TOP_LINE_SIZE])
{
	size_t len;

	status_table_row(row->guest, line);
	len = strlen(line);
	(void)snprintf(line + len, TOP_LINE_SIZE - len, " %10.1f %10.1f", row->refused, row->events);
}
