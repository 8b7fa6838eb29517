/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "event_filter.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;

static void init(void)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
}

TestSuite(event_filter, .init = init);

static bool match(struct pol_event_filter filter)
{
	cr_assert_not(pol_event_filter_any(&filter));
	return pol_event_filter_match(&filter, &view, 1000);
}

static bool beneath(const char *path)
{
	return match((struct pol_event_filter){ .path = path });
}

static void set_path(const char *path, size_t len)
{
	test_record_path(&record, path, len);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
}

Test(event_filter, without_a_word_takes_all)
{
	static const struct pol_event_filter any;

	cr_assert(pol_event_filter_any(&any));
	cr_assert(pol_event_filter_match(&any, &view, 0));
}

Test(event_filter, takes_by_guest_type_verdict_and_time)
{
	cr_assert(match((struct pol_event_filter){ .has_guest = true, .guest = 3 }));
	cr_assert_not(match((struct pol_event_filter){ .has_guest = true, .guest = 4 }));
	cr_assert(match((struct pol_event_filter){ .type = POL_TYPE_VIOLATION }));
	cr_assert_not(match((struct pol_event_filter){ .type = POL_TYPE_EXIT }));
	cr_assert(match((struct pol_event_filter){ .verdict = POL_VERDICT_DENIED }));
	cr_assert_not(match((struct pol_event_filter){ .verdict = POL_VERDICT_WOULD_DENY }));
	cr_assert(match((struct pol_event_filter){ .has_since = true, .since_ns = 123457789 }));
	cr_assert_not(match((struct pol_event_filter){ .has_since = true, .since_ns = 123457790 }));
}

Test(event_filter, takes_shadows_by_type_and_path)
{
	cr_assert_not(match((struct pol_event_filter){ .type = POL_TYPE_SHADOW }));
	test_record_shadow(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert(match((struct pol_event_filter){ .type = POL_TYPE_SHADOW }));
	cr_assert_not(match((struct pol_event_filter){ .type = POL_TYPE_VIOLATION }));
	cr_assert(beneath("/srv/web/lib"));
	cr_assert_not(beneath("/srv/web/secrets"));
	cr_assert_not(match((struct pol_event_filter){ .verdict = POL_VERDICT_DENIED }));
}

Test(event_filter, wants_all_that_was_asked_for)
{
	struct pol_event_filter filter = { .type = POL_TYPE_VIOLATION, .path = "/srv" };

	cr_assert(match(filter));
	filter.verdict = POL_VERDICT_WOULD_DENY;
	cr_assert_not(match(filter));
}

Test(event_filter, guest_0_is_the_engine_and_not_no_guest)
{
	struct pol_event_filter filter = { .has_guest = true, .guest = POL_GUEST_ENGINE };

	view.guest = POL_GUEST_ENGINE;
	cr_assert(match(filter));
	view.outside = true;
	cr_assert_not(match(filter));
}

Test(event_filter, compares_paths_name_by_name)
{
	cr_assert(beneath("/"));
	cr_assert(beneath("/srv"));
	cr_assert(beneath("/srv/web/secrets"));
	cr_assert(beneath("/srv/web/secrets/key"));
	cr_assert_not(beneath("/srv/web/secrets/key/a"));
	cr_assert_not(beneath("/srv/web/sec"));
	cr_assert_not(beneath("/srv/web2"));
	cr_assert_not(beneath("/etc"));
}

Test(event_filter, takes_paths_as_bytes)
{
	set_path("/srv/caf\xe9/a", 11);
	cr_assert(beneath("/srv/caf\xe9"));
	cr_assert_not(beneath("/srv/caf\xc3\xa9"));
}

Test(event_filter, does_not_lose_what_has_lost_its_beginning)
{
	record.event.flags |= POL_EVENT_PATH_TRUNCATED;
	set_path("web/key", 7);
	cr_assert(beneath("/srv"));
}

Test(event_filter, an_object_outside_the_tree_is_beneath_nothing)
{
	record.event.flags |= POL_EVENT_DETACHED;
	set_path("memfd:x", 7);
	cr_assert_not(beneath("/"));
}

Test(event_filter, what_has_no_path_is_beneath_nothing)
{
	test_record_exit(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_not(beneath("/"));
}
