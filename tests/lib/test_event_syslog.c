/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "event_syslog.h"
#include "format.h"
#include "golden.h"
#include "pairs.h"
#include "records.h"
#include "samples.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];
static struct test_pairs pairs;

static const char *view_to_line(const struct pol_event_ctx *ctx)
{
	int len = pol_format_find("syslog")->write(&view, ctx, 0, line, sizeof(line));

	test_pairs_of(test_pairs_syslog, line, len, &pairs);
	return line;
}

static const char *to_line(void)
{
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	return view_to_line(&test_record_ctx);
}

static const char *value(const char *key)
{
	return test_pairs_text(&pairs, key);
}

Test(event_syslog, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.syslog", to_line());
}

Test(event_syslog, exit_by_signal)
{
	test_record_exit(&record);
	test_golden("event_exit.syslog", to_line());
}

Test(event_syslog, shadow)
{
	test_record_shadow(&record);
	test_golden("event_shadow.syslog", to_line());
}

Test(event_syslog, every_kind_of_event_is_valid)
{
	static const struct pol_event_ctx none;

	for (size_t i = 0; test_sample(i, &view); i++) {
		(void)view_to_line(&test_record_ctx);
		(void)view_to_line(&none);
		cr_assert_str_eq(value("hostname"), "-");
	}
}

Test(event_syslog, tells_a_refusal)
{
	test_record_violation(&record);
	(void)to_line();
	cr_assert_str_eq(value("pri"), "84"); /* authpriv.warning */
	cr_assert_str_eq(value("time"), "2026-11-21T01:02:03.123456Z");
	cr_assert_str_eq(value("hostname"), "h1");
	cr_assert_str_eq(value("app"), "policyd");
	cr_assert_str_eq(value("procid"), "-");
	cr_assert_str_eq(value("msgid"), "violation");
	cr_assert_str_eq(value("id"), "policyd@32473");
	cr_assert_str_eq(value("path"), "/srv/web/secrets/key");
	cr_assert_str_eq(value("missing"), "write");
	cr_assert_str_eq(value("rule_access"), "none");
	cr_assert_str_eq(value("msg"), "guest web: denied open of /srv/web/secrets/key by sh[71]: "
				       "lacks write (rule, policy.toml:37)");
}

Test(event_syslog, tells_of_a_shadow)
{
	test_record_shadow(&record);
	record.event.shadow.flags = POL_SHADOW_LAZY;
	(void)to_line();
	cr_assert_str_eq(value("pri"), "85"); /* authpriv.notice */
	cr_assert_str_eq(value("msgid"), "shadow");
	cr_assert_str_eq(value("action"), "stale");
	cr_assert_str_eq(value("path"), "/srv/web/lib/libweb.so.1");
	cr_assert_str_eq(value("size"), "706904");
	cr_assert_str_eq(value("op"), "open");
	cr_assert_str_eq(value("lazy"), "true");
	cr_assert_str_eq(value("exec"), "(none)");
	cr_assert_str_eq(value("errno"), "(none)");
}

Test(event_syslog, escapes_as_the_format_says)
{
	test_record_violation(&record);
	test_record_path(&record, "/a\"b\\c]d\xc3\xa9", 10);
	(void)to_line();
	cr_assert_not_null(strstr(line, " path=\"/a\\\"b\\\\c\\]d\u00e9\""), "%s", line);
	cr_assert_str_eq(value("path_hex"), "(none)");
	test_record_path(&record, "/a\nb", 4);
	(void)to_line();
	cr_assert_str_eq(value("path"), "/a\ufffdb");
	cr_assert_str_eq(value("path_hex"), "2f610a62");
}

Test(event_syslog, a_host_that_is_no_word_is_told_in_the_data)
{
	static const char *const hosts[] = { "a b", "caf\xc3\xa9", "", "a\n", "/a\"" };
	struct pol_event_ctx ctx = test_record_ctx;

	test_record_violation(&record);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		ctx.host = hosts[i];
		cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
		(void)view_to_line(&ctx);
		cr_assert_str_eq(value("hostname"), "-");
		cr_assert_not_null(test_pairs_get(&pairs, "host"));
	}
}

static int send_as(unsigned int facility, const char *app, uint32_t pid)
{
	const struct pol_syslog_from from = { facility, app, pid };

	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	return pol_event_syslog(&view, &test_record_ctx, &from, line, sizeof(line));
}

Test(event_syslog, says_who_sends)
{
	cr_assert_gt(send_as(23, "us", 900), 0);
	cr_assert_eq(strncmp(line, "<188>1 2026-11-21T01:02:03.123456Z h1 us 900 violation [", 56),
		     0, "%s", line);
	cr_assert_eq(send_as(24, "us", 900), -EINVAL);
	cr_assert_eq(send_as(10, "", 900), -EINVAL);
	cr_assert_eq(send_as(10, "a b", 900), -EINVAL);
	cr_assert_eq(send_as(10, "a\n", 900), -EINVAL);
	cr_assert_eq(send_as(10, NULL, 900), -EINVAL);
	cr_assert_eq(send_as(10, "0123456789012345678901234567890123456789012345678", 900),
		     -EINVAL);
}

Test(event_syslog, frames_by_octets)
{
	char frame[16];

	cr_assert_eq(pol_syslog_frame("a\nb", 3, frame, sizeof(frame)), 5);
	cr_assert_arr_eq(frame, "3 a\nb", 5);
	cr_assert_eq(pol_syslog_frame("\u00e9", 2, frame, sizeof(frame)), 4);
	cr_assert_arr_eq(frame, "2 \u00e9", 4);
	cr_assert_eq(pol_syslog_frame("0123456789", 10, frame, 13), 13);
	cr_assert_arr_eq(frame, "10 0123456789", 13);
	cr_assert_eq(pol_syslog_frame("0123456789", 10, frame, 12), -ENOSPC);
	cr_assert_eq(pol_syslog_frame("a", 1, frame, 1), -ENOSPC);
	cr_assert_eq(pol_syslog_frame("", 0, frame, sizeof(frame)), -EINVAL);
	cr_assert_eq(pol_syslog_frame("a", SIZE_MAX, frame, sizeof(frame)), -ENOSPC);
}

static void assert_refused(const char *text, const char *what)
{
	test_pairs_refuses(test_pairs_syslog, text, what);
}

#define HEAD "<84>1 2026-11-21T01:02:03.123456Z h a - m "

Test(event_syslog, its_checker_is_strict)
{
	cr_assert_null(test_pairs_syslog(HEAD "[a b=\"c\"] m\n", strlen(HEAD) + 12, &pairs));
	assert_refused(HEAD "[a]", "no newline");
	assert_refused(HEAD "[a]\n<1>1\n", "hidden");
	assert_refused(HEAD "[a b=\"\xff\"]\n", "no UTF-8");
	assert_refused(HEAD "\xef\xbb\xbf\n", "hidden");
	assert_refused("<192>1 - - - - - [a]\n", "PRI above 191");
	assert_refused("<084>1 - - - - - [a]\n", "no header");
	assert_refused("<84>1 2026-11-21T01:02:03.123456789Z - - - - [a]\n", "no header");
	assert_refused("<84>1 2026-11-21t01:02:03z - - - - [a]\n", "no header");
	assert_refused("<84>1 - h  - - [a]\n", "no header");
	assert_refused(HEAD "a\n", "no SD-ELEMENT");
	assert_refused(HEAD "[a b=\"c]\"]\n", "a bad PARAM-VALUE");
	assert_refused(HEAD "[a b=\"c\\d\"]\n", "a bad PARAM-VALUE");
	assert_refused(HEAD "[a b=c]\n", "no SD-PARAM");
	assert_refused(HEAD "[a b=\"c\" b=\"d\"]\n", "a parameter twice");
	assert_refused(HEAD "[a b=\"c\"\n", "no end");
	assert_refused(HEAD "[a b=\"c\"]m\n", "no space before MSG");
}

Test(event_syslog, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_syslog(&view, &test_record_ctx, NULL, line, 40), -ENOSPC);
	cr_assert_eq(pol_event_syslog(&view, &test_record_ctx, NULL, line, 100), -ENOSPC);
}
