/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>

#include "when.h"

static void assert_time(const char *text, int expected_r, int64_t expected)
{
	int64_t ns = 1234;
	int r = pol_time_parse(text, &ns);

	cr_assert_eq(r, expected_r, "'%s': %d", text, r);
	cr_assert_eq(ns, r == 0 ? expected : 1234, "'%s': %lld", text, (long long)ns);
}

static void assert_span(const char *text, int expected_r, int64_t expected)
{
	int64_t ns = 1234;
	int r = pol_span_parse(text, &ns);

	cr_assert_eq(r, expected_r, "'%s': %d", text, r);
	cr_assert_eq(ns, r == 0 ? expected : 1234, "'%s': %lld", text, (long long)ns);
}

Test(when, reads_spans)
{
	assert_span("90", 0, 90000000000);
	assert_span("90s", 0, 90000000000);
	assert_span("1500ms", 0, 1500000000);
	assert_span("10m", 0, 600000000000);
	assert_span("2h", 0, 7200000000000);
	assert_span("", -EINVAL, 0);
	assert_span("m", -EINVAL, 0);
	assert_span("-1", -EINVAL, 0);
	assert_span("1d", -EINVAL, 0);
	assert_span("1 s", -EINVAL, 0);
	assert_span("9223372036854775808", -ERANGE, 0);
	assert_span("9223372037", -ERANGE, 0);
}

Test(when, reads_rfc_3339)
{
	assert_time("1970-01-01T00:00:00Z", 0, 0);
	assert_time("2026-11-21T01:02:03.123456789Z", 0, 1795222923123456789);
	assert_time("2026-11-21T01:02:03.5z", 0, 1795222923500000000);
	assert_time("2026-11-21 02:02:03+01:00", 0, 1795222923000000000);
	assert_time("2026-11-20t22:02:03-03:00", 0, 1795222923000000000);
	assert_time("2016-12-31T23:59:60Z", 0, 1483228800000000000);
	assert_time("1969-12-31T23:59:59Z", 0, -1000000000);
}

Test(when, refuses_times_that_are_none)
{
	static const char *const bad[] = {
		"",
		"now",
		"2026-11-21",
		"2026-11-21T01:02:03",
		"2026-11-21T01:02:03.Z",
		"2026-11-21T01:02:03Zx",
		"2026-11-21T01:02:03+1:00",
		"2026-11-21T01:02:03+24:00",
		"2026-13-21T01:02:03Z",
		"2026-02-30T01:02:03Z",
		"2026-11-21T24:02:03Z",
		"2026-11-21T01:02:61Z",
		"26-11-21T01:02:03Z",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_time(bad[i], -EINVAL, 0);
	assert_time("9999-01-01T00:00:00Z", -ERANGE, 0);
}

Test(when, takes_a_span_back_or_a_time)
{
	int64_t ns;

	cr_assert_eq(pol_since_parse("10s", 60000000000, &ns), 0);
	cr_assert_eq(ns, 50000000000);
	cr_assert_eq(pol_since_parse("1970-01-01T00:00:01Z", 0, &ns), 0);
	cr_assert_eq(ns, 1000000000);
	cr_assert_eq(pol_since_parse("soon", 0, &ns), -EINVAL);
}
