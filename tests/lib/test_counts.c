/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "counts.h"

static struct pol_counts counts;

static void done(void)
{
	pol_counts_done(&counts);
}

TestSuite(counts, .fini = done);

static void add(uint32_t type, uint32_t verdict, uint32_t guest, struct pol_event_access access)
{
	struct pol_event_view view = {
		.type = type, .verdict = verdict, .guest = guest, .access = access
	};

	cr_assert_eq(pol_counts_view(&counts, &view), 0);
}

static const struct pol_event_access no_write = {
	.missing = POL_RIGHT_WRITE | POL_RIGHT_CREATE,
	.hook = POL_HOOK_FILE_OPEN,
	.reason = POL_REASON_NO_RULE,
};

Test(counts, counts_a_refusal_by_hook_reason_and_each_right)
{
	const struct pol_counts_guest *guest;

	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 7, no_write);
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 7, no_write);
	add(POL_TYPE_VIOLATION, POL_VERDICT_WOULD_DENY, 7, no_write);
	guest = pol_counts_find(&counts, 7);
	cr_assert_eq(guest->hooks[POL_COUNTS_VIOLATION][POL_COUNTS_DENIED][POL_HOOK_FILE_OPEN], 2);
	cr_assert_eq(guest->hooks[POL_COUNTS_VIOLATION][POL_COUNTS_WOULD_DENY][POL_HOOK_FILE_OPEN],
		     1);
	cr_assert_eq(guest->reasons[POL_COUNTS_DENIED][POL_REASON_NO_RULE], 2);
	cr_assert_eq(guest->rights[POL_COUNTS_DENIED][1], 2, "write");
	cr_assert_eq(guest->rights[POL_COUNTS_DENIED][4], 2, "create");
	cr_assert_eq(guest->rights[POL_COUNTS_DENIED][0], 0, "read");
	cr_assert_eq(guest->rights[POL_COUNTS_WOULD_DENY][4], 1, "create, in audit");
	cr_assert_eq(counts.types[POL_TYPE_VIOLATION], 3);
}

Test(counts, a_record_of_repeats_stands_for_them)
{
	struct pol_event_access repeats = no_write;

	repeats.repeats = 40;
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 2, no_write);
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 2, repeats);
	cr_assert_eq(pol_counts_find(&counts, 2)->reasons[POL_COUNTS_DENIED][POL_REASON_NO_RULE],
		     41);
	cr_assert_eq(counts.types[POL_TYPE_VIOLATION], 2, "events");
}

Test(counts, an_escape_has_a_hook_alone)
{
	const struct pol_event_access ptrace = { .hook = POL_HOOK_PTRACE_ACCESS_CHECK,
						 .reason = POL_REASON_RULE,
						 .missing = 1 };
	const struct pol_counts_guest *guest;

	add(POL_TYPE_ESCAPE, POL_VERDICT_DENIED, 2, ptrace);
	guest = pol_counts_find(&counts, 2);
	cr_assert_eq(
		guest->hooks[POL_COUNTS_ESCAPE][POL_COUNTS_DENIED][POL_HOOK_PTRACE_ACCESS_CHECK],
		1);
	cr_assert_eq(guest->reasons[POL_COUNTS_DENIED][POL_REASON_RULE], 0);
	cr_assert_eq(guest->rights[POL_COUNTS_DENIED][0], 0);
}

Test(counts, counts_exits_by_cause)
{
	struct pol_event_view view = { .type = POL_TYPE_EXIT,
				       .guest = 3,
				       .exit.cause = POL_CAUSE_OOM };

	cr_assert_eq(pol_counts_view(&counts, &view), 0);
	view.exit.cause = POL_CAUSE_UNKNOWN + 1;
	cr_assert_eq(pol_counts_view(&counts, &view), 0);
	cr_assert_eq(pol_counts_find(&counts, 3)->exits[POL_CAUSE_OOM], 1);
	cr_assert_eq(counts.types[POL_TYPE_EXIT], 2);
}

Test(counts, a_shadow_is_of_a_type_and_no_refusal)
{
	struct pol_event_view view = { .type = POL_TYPE_SHADOW,
				       .guest = 3,
				       .shadow.action = POL_SHADOW_REFUSED };

	cr_assert_eq(pol_counts_view(&counts, &view), 0);
	cr_assert_eq(counts.types[POL_TYPE_SHADOW], 1);
	cr_assert_null(pol_counts_find(&counts, 3));
}

/* The engine's own events, what has no number here, and numbers that are in no list. */
Test(counts, keeps_nothing_of_who_is_no_guest)
{
	struct pol_event_access odd = no_write;

	odd.hook = odd.reason = 0xffffffff;
	odd.missing = 0xffffffff;
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, POL_GUESTS_MAX, no_write);
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, POL_GUEST_ENGINE, no_write);
	add(POL_TYPE_GUEST, 0, 9, no_write);
	add(1000, 0, 9, no_write);
	cr_assert_eq(counts.cnt, 0);
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, POL_GUESTS_MAX - 1, odd);
	cr_assert_eq(pol_counts_find(&counts, POL_GUESTS_MAX - 1)->rights[0][POL_RIGHTS_CNT - 1],
		     1);
	cr_assert_null(pol_counts_find(&counts, POL_GUESTS_MAX - 2));
	cr_assert_null(pol_counts_find(&counts, 0xffffffff));
}

Test(counts, forgets_guests_and_not_what_was_read)
{
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 2, no_write);
	pol_counts_forget(&counts);
	cr_assert_null(pol_counts_find(&counts, 2));
	cr_assert_eq(counts.types[POL_TYPE_VIOLATION], 1);
	add(POL_TYPE_VIOLATION, POL_VERDICT_DENIED, 2, no_write);
	cr_assert_eq(pol_counts_find(&counts, 2)->reasons[POL_COUNTS_DENIED][POL_REASON_NO_RULE],
		     1);
}
