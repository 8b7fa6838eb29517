/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "records.h"
#include "request.h"

static struct pol_request request;
static struct pol_err err;

static void done(void)
{
	pol_request_done(&request);
}

TestSuite(request, .fini = done);

static int read_text(const char *text)
{
	memset(&err, 0, sizeof(err));
	pol_request_done(&request);
	return pol_request_read(text, strlen(text), &request, &err);
}

Test(request, asks_for_json_by_default)
{
	cr_assert_eq(read_text("{}"), 0);
	cr_assert_str_eq(request.format->name, "json");
	cr_assert_not(request.colour);
	cr_assert_not(request.kept);
	cr_assert(request.follow);
	cr_assert_null(request.guest);
	cr_assert(pol_event_filter_any(&request.filter));
}

Test(request, takes_its_keys)
{
	cr_assert_eq(read_text("{\"format\":\"text\",\"colour\":true}"), 0);
	cr_assert_str_eq(request.format->name, "text");
	cr_assert(request.colour);
}

Test(request, refuses_what_it_does_not_know)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "a JSON object" },
		{ "hello", "a JSON object" },
		{ "[]", "a JSON object" },
		{ "{\"format\":\"json\"} {}", "a JSON object" },
		{ "{\"format\":\"json\",\"format\":\"text\"}", "a JSON object" },
		{ "{\"typ\":\"exit\"}", "'typ': no such key" },
		{ "{\"a\\nb\":1}", "no such key" },
		{ "{\"format\":\"xml\"}", "'format': expected the name of a format" },
		{ "{\"format\":1}", "'format'" },
		{ "{\"colour\":1}", "'colour': expected true or false" },
		{ "{\"kept\":\"yes\"}", "'kept'" },
		{ "{\"follow\":null}", "'follow'" },
		{ "{\"guest\":3}", "'guest': expected a guest's name" },
		{ "{\"guest\":\"web\",\"type\":\"exits\"}", "'type': expected an event type" },
		{ "{\"type\":3}", "'type'" },
		{ "{\"verdict\":\"no\"}", "'verdict': expected a verdict" },
		{ "{\"verdict\":null}", "'verdict'" },
		{ "{\"path\":\"srv\"}", "'path': expected an absolute path" },
		{ "{\"path\":\"/a/../b\"}", "'path'" },
		{ "{\"path\":1}", "'path'" },
		{ "{\"marks\":1}", "'marks': expected true or false" },
		{ "{\"after\":1}", "'after': expected a mark" },
		{ "{\"after\":\"\"}", "'after'" },
		{ "{\"after\":\"00000000000000ab-5x\"}", "'after'" },
		{ "{\"since_ns\":1}", "'since_ns': expected nanoseconds" },
		{ "{\"since_ns\":\"\"}", "'since_ns'" },
		{ "{\"since_ns\":\"1s\"}", "'since_ns'" },
		{ "{\"since_ns\":\"99999999999999999999\"}", "'since_ns'" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(read_text(bad[i].text), -EINVAL, "%s", bad[i].text);
		cr_assert_not_null(strstr(err.message, bad[i].why), "%s", err.message);
		cr_assert_null(strchr(err.message, '\n'));
	}
	cr_assert_eq(pol_request_read("{}\0{}", 5, &request, &err), -EINVAL);
}

/* What policyctl writes is what policyd reads. */
Test(request, comes_over_whole)
{
	const struct pol_request all = {
		.format = pol_format_find("text"),
		.colour = true,
		.kept = true,
		.marks = true,
		.after = { 0xab, 5 },
		.guest = (char *)(uintptr_t)"web",
		.filter = {
			.type = POL_TYPE_VIOLATION,
			.verdict = POL_VERDICT_DENIED,
			.has_since = true,
			.since_ns = -1234567890123456789,
			.path = "/srv/a \"b\"",
		},
	};
	const struct pol_request none = { .format = pol_format_find("json"), .follow = true };
	char buf[POL_REQUEST_SIZE];
	int len = pol_request_write(&all, buf, sizeof(buf), &err);

	cr_assert_gt(len, 1, "%s", err.message);
	cr_assert_eq(strchr(buf, '\n'), buf + len - 1);
	cr_assert_eq(pol_request_read(buf, (size_t)len - 1, &request, &err), 0, "%s", err.message);
	cr_assert_str_eq(request.format->name, "text");
	cr_assert(request.colour);
	cr_assert(request.kept);
	cr_assert_not(request.follow);
	cr_assert(request.marks);
	cr_assert_eq(request.after.id, 0xab);
	cr_assert_eq(request.after.count, 5);
	cr_assert_str_eq(request.guest, "web");
	cr_assert_eq(request.filter.type, POL_TYPE_VIOLATION);
	cr_assert_eq(request.filter.verdict, POL_VERDICT_DENIED);
	cr_assert(request.filter.has_since);
	cr_assert_eq(request.filter.since_ns, -1234567890123456789);
	cr_assert_str_eq(request.filter.path, "/srv/a \"b\"");
	pol_request_done(&request);
	len = pol_request_write(&none, buf, sizeof(buf), &err);
	cr_assert_eq(pol_request_read(buf, (size_t)len - 1, &request, &err), 0);
	cr_assert(pol_event_filter_any(&request.filter));
	cr_assert_null(request.guest);
	cr_assert_eq(pol_request_write(&all, buf, 20, &err), -ENOSPC);
}

Test(request, names_what_is_no_utf_8)
{
	struct pol_request asked = {
		.format = pol_format_find("json"),
		.filter = { .path = "/srv/\xff" },
	};
	char buf[POL_REQUEST_SIZE];

	memset(&err, 0, sizeof(err));
	cr_assert_eq(pol_request_write(&asked, buf, sizeof(buf), &err), -EINVAL);
	cr_assert_eq(err.kind, POL_ERR_USAGE);
	cr_assert_not_null(strstr(err.message, "--path '/srv/\\xff'"), "%s", err.message);
	cr_assert_not_null(strstr(err.fix, "policyd"), "%s", err.fix);
	asked.filter.path = NULL;
	asked.guest = (char *)(uintptr_t) "w\xff";
	cr_assert_eq(pol_request_write(&asked, buf, sizeof(buf), &err), -EINVAL);
	cr_assert_not_null(strstr(err.message, "--guest 'w\\xff'"), "%s", err.message);
}

Test(request, wants_a_guest_by_name)
{
	static struct pol_event_view view = { .type = POL_TYPE_EXIT, .guest = 3, .generation = 3 };

	cr_assert_eq(read_text("{\"guest\":\"web\"}"), 0);
	cr_assert(pol_request_wants(&request, &view, &test_record_ctx));
	view.guest = 4;
	cr_assert_not(pol_request_wants(&request, &view, &test_record_ctx));
	view.guest = 3;
	view.outside = true;
	cr_assert_not(pol_request_wants(&request, &view, &test_record_ctx));
	view.outside = false;
	cr_assert_eq(read_text("{\"guest\":\"web\",\"type\":\"violation\"}"), 0);
	cr_assert_not(pol_request_wants(&request, &view, &test_record_ctx));
	cr_assert_eq(read_text("{}"), 0);
	view.guest = POL_GUEST_ENGINE;
	cr_assert(pol_request_wants(&request, &view, &test_record_ctx));
}

/* Of what was asked for; with a filter, too, by which no lost record itself can go. */
Test(request, wants_what_tells_of_losses)
{
	static struct pol_event_view lost = {
		.type = POL_TYPE_LOST, .guest = 3, .generation = 3, .lost.of = POL_TYPE_VIOLATION
	};

	cr_assert_eq(read_text("{\"type\":\"violation\",\"verdict\":\"denied\",\"path\":\"/srv\"}"), 0);
	cr_assert(pol_request_wants(&request, &lost, &test_record_ctx));
	lost.lost.of = POL_TYPE_EXIT;
	cr_assert_not(pol_request_wants(&request, &lost, &test_record_ctx));
	cr_assert_eq(read_text("{\"guest\":\"db\",\"verdict\":\"denied\"}"), 0);
	cr_assert_not(pol_request_wants(&request, &lost, &test_record_ctx));
	cr_assert_eq(read_text("{\"guest\":\"web\",\"verdict\":\"denied\"}"), 0);
	cr_assert(pol_request_wants(&request, &lost, &test_record_ctx));
	cr_assert_eq(read_text("{\"type\":\"lost\"}"), 0);
	cr_assert(pol_request_wants(&request, &lost, &test_record_ctx));
}

Test(request, is_told_why_not)
{
	char buf[POL_ANSWER_SIZE];
	int len = pol_request_answer(NULL, 0, buf, sizeof(buf));

	cr_assert_eq(pol_request_granted(buf, (size_t)len, NULL, &err), 0);
	(void)pol_err_say(&err, POL_ERR_BUSY, -EBUSY, "there are 31");
	len = pol_request_answer(&err, 7, buf, sizeof(buf));
	memset(&err, 0, sizeof(err));
	cr_assert_eq(pol_request_granted(buf, (size_t)len, NULL, &err), -EREMOTEIO);
	cr_assert_eq(err.kind, POL_ERR_BUSY);
	cr_assert_str_eq(err.message, "there are 31");
	cr_assert_eq(pol_request_granted("{}", 2, NULL, &err), -EPROTO);
	cr_assert_eq(pol_request_granted("x", 1, NULL, &err), -EPROTO);
}

static uint64_t missed_by(uint64_t missed)
{
	char buf[POL_ANSWER_SIZE];
	uint64_t ret = 1;
	int len = pol_request_answer(NULL, missed, buf, sizeof(buf));

	cr_assert_eq(pol_request_granted(buf, (size_t)len, &ret, &err), 0);
	return ret;
}

Test(request, is_told_what_it_missed)
{
	cr_assert_eq(missed_by(0), 0);
	cr_assert_eq(missed_by(7), 7);
	cr_assert_eq(missed_by(POL_MISSED_UNKNOWN), POL_MISSED_UNKNOWN);
}

Test(request, answers_in_one_line)
{
	char buf[POL_ANSWER_SIZE];
	int len = pol_request_answer(NULL, 0, buf, sizeof(buf));

	cr_assert_str_eq(buf, "{\"schema\":\"policyd/v1\",\"ok\":true}\n");
	cr_assert_eq(strlen(buf), (size_t)len);
	cr_assert_eq(read_text("{\"a\\nb\":1}"), -EINVAL);
	(void)pol_err_fix(&err, "do \"this\"");
	len = pol_request_answer(&err, 7, buf, sizeof(buf));
	cr_assert_eq(strchr(buf, '\n'), buf + len - 1);
	cr_assert_not_null(strstr(buf, "\"ok\":false,\"status\":2,\"error\":\"request: "));
	cr_assert_not_null(strstr(buf, "\"fix\":\"do \\\"this\\\"\""));
	cr_assert_eq(pol_request_answer(NULL, 0, buf, 10), -ENOSPC);
}
