/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "counts.h"

#include "base.h"

void pol_counts_forget(struct pol_counts *counts)
{
	for (size_t i = 0; i < counts->cnt; i++)
		free(counts->guests[i]);
	free(counts->guests);
	counts->guests = NULL;
	counts->cnt = 0;
}

void pol_counts_done(struct pol_counts *counts)
{
	pol_counts_forget(counts);
	memset(counts, 0, sizeof(*counts));
}

const struct pol_counts_guest *pol_counts_find(const struct pol_counts *counts, uint32_t guest)
{
	return guest < counts->cnt ? counts->guests[guest] : NULL;
}

static int grow(struct pol_counts *counts, uint32_t guest)
{
	size_t cnt = counts->cnt ? counts->cnt : 16;
	struct pol_counts_guest **more;

	while (cnt <= guest)
		cnt *= 2;
	if (cnt == counts->cnt)
		return 0;
	more = reallocarray(counts->guests, cnt, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + counts->cnt, 0, (cnt - counts->cnt) * sizeof(*more));
	counts->guests = more;
	counts->cnt = cnt;
	return 0;
}

/* Return: NULL: out of memory. */
static struct pol_counts_guest *guest_of(struct pol_counts *counts, uint32_t guest)
{
	if (grow(counts, guest) < 0)
		return NULL;
	if (!counts->guests[guest])
		counts->guests[guest] = calloc(1, sizeof(*counts->guests[guest]));
	return counts->guests[guest];
}

static void add(uint64_t *counts, size_t cnt, uint32_t nr, uint64_t times)
{
	if (nr < cnt)
		counts[nr] += times;
}

static void count_refusal(struct pol_counts_guest *guest, const struct pol_event_view *view)
{
	bool escape = view->type == POL_TYPE_ESCAPE;
	enum pol_counts_verdict verdict =
		view->verdict == POL_VERDICT_WOULD_DENY ? POL_COUNTS_WOULD_DENY : POL_COUNTS_DENIED;
	/* A record of repeats stands for them, not for the first one. */
	uint64_t times = view->access.repeats ? view->access.repeats : 1;

	add(guest->hooks[escape ? POL_COUNTS_ESCAPE : POL_COUNTS_VIOLATION][verdict],
	    POL_COUNTS_HOOKS, view->access.hook, times);
	if (escape)
		return;
	add(guest->reasons[verdict], POL_COUNTS_REASONS, view->access.reason, times);
	for (unsigned int right = 0; right < POL_RIGHTS_CNT; right++)
		if (view->access.missing & (1u << right))
			guest->rights[verdict][right] += times;
}

static bool counts_for_guest(const struct pol_event_view *view)
{
	return view->guest != POL_GUEST_ENGINE && view->guest < POL_GUESTS_MAX &&
	       (view->type == POL_TYPE_VIOLATION || view->type == POL_TYPE_ESCAPE ||
		view->type == POL_TYPE_EXIT);
}

int pol_counts_view(struct pol_counts *counts, const struct pol_event_view *view)
{
	struct pol_counts_guest *guest;

	add(counts->types, POL_TYPES_CNT, view->type, 1);
	if (!counts_for_guest(view))
		return 0;
	guest = guest_of(counts, view->guest);
	if (!guest)
		return -ENOMEM;
	if (view->type == POL_TYPE_EXIT)
		add(guest->exits, POL_COUNTS_CAUSES, view->exit.cause, 1);
	else
		count_refusal(guest, view);
	return 0;
}
