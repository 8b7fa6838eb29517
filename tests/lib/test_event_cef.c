/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "event_cef.h"
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
	int len = pol_format_find("cef")->write(&view, ctx, 0, line, sizeof(line));

	test_pairs_of(test_pairs_cef, line, len, &pairs);
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

Test(event_cef, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.cef", to_line());
}

Test(event_cef, exit_by_signal)
{
	test_record_exit(&record);
	test_golden("event_exit.cef", to_line());
}

Test(event_cef, shadow)
{
	test_record_shadow(&record);
	test_golden("event_shadow.cef", to_line());
}

Test(event_cef, every_kind_of_event_is_valid)
{
	static const struct pol_event_ctx none;

	for (size_t i = 0; test_sample(i, &view); i++) {
		(void)view_to_line(&test_record_ctx);
		(void)view_to_line(&none);
	}
}

Test(event_cef, tells_a_refusal)
{
	test_record_violation(&record);
	(void)to_line();
	cr_assert_str_eq(value("3"), "file.open.denied");
	cr_assert_str_eq(value("4"), "File access denied");
	cr_assert_str_eq(value("5"), "6");
	cr_assert_str_eq(value("act"), "denied");
	cr_assert_str_eq(value("outcome"), "failure");
	cr_assert_str_eq(value("filePath"), "/srv/web/secrets/key");
	cr_assert_str_eq(value("fname"), "key");
	cr_assert_str_eq(value("rt"), "1795222923123");
	cr_assert_str_eq(value("cs1Label"), "guest");
	cr_assert_str_eq(value("cs1"), "web");
	cr_assert_str_eq(value("cn1"), "41");
	cr_assert_str_eq(value("externalId"), "3a2f0a52-3-41");
	cr_assert_str_eq(value("policydRulePath"), "/srv/web/secrets");
	cr_assert_str_eq(value("policydErrno"), "EACCES");
}

Test(event_cef, tells_an_exit)
{
	test_record_exit(&record);
	(void)to_line();
	cr_assert_str_eq(value("cn2"), "137");
	cr_assert_str_eq(value("cn2Label"), "status");
	cr_assert_str_eq(value("cn3"), "9");
	cr_assert_str_eq(value("end"), "1795222923123");
	cr_assert_str_eq(value("reason"), "signal");
}

Test(event_cef, tells_what_made_a_shadow_stale)
{
	test_record_shadow(&record);
	(void)to_line();
	cr_assert_str_eq(value("5"), "3");
	cr_assert_str_eq(value("cs6"), "stale");
	cr_assert_str_eq(value("reason"), "open");
	record.event.shadow.op = 0;
	(void)to_line();
	cr_assert_str_eq(value("reason"), "(none)");
}

Test(event_cef, tells_a_refused_shadow)
{
	test_record_shadow(&record);
	record.event.shadow.action = POL_SHADOW_REFUSED;
	record.event.shadow.err = EFBIG;
	(void)to_line();
	cr_assert_str_eq(value("3"), "shadow.refused");
	cr_assert_str_eq(value("4"), "Shadow file refused");
	cr_assert_str_eq(value("5"), "6");
	cr_assert_str_eq(value("outcome"), "failure");
	cr_assert_str_eq(value("fname"), "libweb.so.1");
	cr_assert_str_eq(value("cs6Label"), "action");
	cr_assert_str_eq(value("cs6"), "refused");
	cr_assert_str_eq(value("cn2Label"), "size");
	cr_assert_str_eq(value("cn2"), "706904");
	cr_assert_str_eq(value("policydErrno"), "EFBIG");
	cr_assert_str_eq(value("reason"), "(none)");
	cr_assert_str_eq(value("policydExec"), "true");
	cr_assert_str_eq(value("policydLazy"), "(none)");
}

Test(event_cef, escapes_as_the_format_says)
{
	test_record_violation(&record);
	test_record_path(&record, "/a=b\\c|d\ne\r", 11);
	(void)to_line();
	cr_assert_not_null(strstr(line, " filePath=/a\\=b\\\\c|d\\ne\\r "), "%s", line);
	cr_assert_str_eq(value("policydPathHex"), "(none)");
	test_record_path(&record, "/a\t\xff ", 5);
	(void)to_line();
	cr_assert_str_eq(value("filePath"), "/a\ufffd\ufffd\ufffd");
	cr_assert_str_eq(value("policydPathHex"), "2f6109ff20");
}

Test(event_cef, keeps_to_the_lengths_of_the_dictionary)
{
	static char path[2049];
	struct pol_event_ctx ctx = test_record_ctx;

	memset(path, 'x', 2048);
	path[0] = '/';
	test_record_violation(&record);
	test_record_path(&record, path, 2048);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	ctx.host = path;
	(void)view_to_line(&ctx);
	cr_assert_eq(strlen(value("filePath")), 1023);
	cr_assert_eq(strlen(value("dvchost")), 100);
	cr_assert_str_eq(value("policydPathTruncated"), "true");
	cr_assert_str_eq(value("policydHostTruncated"), "true");
}

static void assert_refused(const char *text, const char *what)
{
	test_pairs_refuses(test_pairs_cef, text, what);
}

#define HEAD "CEF:0|a|b|c|d|e|5|"

Test(event_cef, its_checker_is_strict)
{
	cr_assert_null(test_pairs_cef(HEAD "act=x\n", strlen(HEAD "act=x\n"), &pairs));
	assert_refused(HEAD "act=x", "no newline");
	assert_refused(HEAD "act=x\nact=y\n", "hidden");
	assert_refused("CEF:1|a\n", "not CEF:0");
	assert_refused("CEF:0|a|b|c|d|e\n", "a bad header");
	assert_refused("CEF:0|a|b|c|d|\\e|5|act=x\n", "a bad header");
	assert_refused("CEF:0|a|b|c|d|e|11|act=x\n", "a field too long");
	assert_refused(HEAD "act=x act=y\n", "a key twice");
	assert_refused(HEAD "act=x=y\n", "empty");
	assert_refused(HEAD "act=\\x\n", "a bad escape");
	assert_refused(HEAD "act= x\n", "a space at an end");
	assert_refused(HEAD "colour=x\n", "a key that nobody knows");
	assert_refused(HEAD "spid=x\n", "no number");
	assert_refused(HEAD "cs1=x\n", "no label");
	assert_refused(HEAD "cs1Label=x\n", "no label, or no value");
}

Test(event_cef, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_cef(&view, &test_record_ctx, line, 100), -ENOSPC);
}
