/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "ecs.h"
#include "event_ecs.h"
#include "golden.h"
#include "json_at.h"
#include "records.h"
#include "samples.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

static const char *to_line(void)
{
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_gt(pol_event_ecs(&view, &test_record_ctx, line, sizeof(line)), 0);
	return line;
}

Test(event_ecs, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.ecs", to_line());
}

Test(event_ecs, exit_by_signal)
{
	test_record_exit(&record);
	test_golden("event_exit.ecs", to_line());
}

Test(event_ecs, shadow)
{
	test_record_shadow(&record);
	test_golden("event_shadow.ecs", to_line());
}

Test(event_ecs, every_kind_of_event_is_valid)
{
	const char *what;
	size_t i;

	for (i = 0; (what = test_sample(i, &view)); i++) {
		const char *fault;
		json_t *json;
		int len = pol_event_ecs(&view, &test_record_ctx, line, sizeof(line));

		cr_assert_gt(len, 0, "%s", what);
		json = test_json_load(line);
		fault = test_ecs_fault(json);
		cr_assert_null(fault, "%s: %s in %s", what, fault, line);
		json_decref(json);
	}
	cr_assert_gt(i, 80);
}

Test(event_ecs, is_valid_without_any_context)
{
	static const struct pol_event_ctx none;

	for (size_t i = 0; test_sample(i, &view); i++) {
		const char *fault;
		json_t *json;

		cr_assert_gt(pol_event_ecs(&view, &none, line, sizeof(line)), 0);
		json = test_json_load(line);
		fault = test_ecs_fault(json);
		cr_assert_null(fault, "%s in %s", fault, line);
		json_decref(json);
	}
}

/* The checker itself: a good event with one thing wrong. */
static void assert_refused(const char *object, const char *key, json_t *value, const char *fault)
{
	const char *got;
	json_t *json;

	test_record_violation(&record);
	json = test_json_load(to_line());
	json_object_set_new(object ? json_object_get(json, object) : json, key, value);
	got = test_ecs_fault(json);
	cr_assert_not_null(got, "%s takes it", key);
	cr_assert_not_null(strstr(got, fault), "%s", got);
	json_decref(json);
}

Test(event_ecs, its_checker_is_strict)
{
	static char long_text[2048];

	memset(long_text, 'x', sizeof(long_text) - 1);
	assert_refused(NULL, "colour", json_string("x"), "colour: not in the schema");
	assert_refused("file", "inode", json_integer(7), "file.inode: no string");
	assert_refused("process", "pid", json_string("7"), "process.pid: no integer");
	assert_refused("process", "exit_signal", json_integer(7), "not in the schema");
	assert_refused("process", "start", json_string("today"), "process.start: no date");
	assert_refused("event", "kind", json_string("alarm"), "event.kind: alarm");
	assert_refused("event", "type", json_string("denied"), "event.type: an array");
	assert_refused("event", "type", json_pack("[s]", "connection"), "event.type: connection");
	assert_refused("event", "category", json_pack("[s]", "file"), "event.type: denied");
	assert_refused("file", "path", json_string(long_text), "longer than ignore_above");
	assert_refused(NULL, "@timestamp", json_null(), "@timestamp");
}

Test(event_ecs, tells_a_refusal_by_category_and_type)
{
	json_t *json;

	test_record_violation(&record);
	json = test_json_load(to_line());
	cr_assert_str_eq(test_json_word(json, "event.kind"), "alert");
	cr_assert_str_eq(json_string_value(json_array_get(test_json_at(json, "event.type"), 1)), "denied");
	cr_assert_str_eq(test_json_word(json, "event.code"), "file.open.denied");
	cr_assert_str_eq(test_json_word(json, "event.outcome"), "failure");
	cr_assert_str_eq(test_json_word(json, "file.path"), "/srv/web/secrets/key");
	cr_assert_str_eq(test_json_word(json, "file.name"), "key");
	cr_assert_str_eq(test_json_word(json, "policyd.guest"), "web");
	cr_assert_str_eq(test_json_word(json, "process.entity_id"), "3a2f0a52-71-0");
	cr_assert_str_eq(test_json_word(json, "message"),
			 "guest web: denied open of /srv/web/secrets/key by sh[71]: lacks write "
			 "(rule, policy.toml:37)");
	json_decref(json);
}

Test(event_ecs, audit_denies_nothing)
{
	json_t *json;

	test_record_violation(&record);
	record.event.verdict = POL_VERDICT_WOULD_DENY;
	json = test_json_load(to_line());
	cr_assert_str_eq(json_string_value(json_array_get(test_json_at(json, "event.type"), 1)), "info");
	cr_assert_str_eq(test_json_word(json, "event.outcome"), "success");
	cr_assert_str_eq(test_json_word(json, "event.action"), "file-open-would_deny");
	json_decref(json);
}

static void assert_shadow(uint32_t action, const char *type, const char *reason)
{
	json_t *json, *types;

	test_record_shadow(&record);
	record.event.shadow.action = action;
	record.event.shadow.err = EFBIG;
	json = test_json_load(to_line());
	cr_assert_str_eq(test_json_word(json, "event.kind"), "event");
	types = test_json_at(json, "event.type");
	cr_assert_eq(json_array_size(types), 1);
	cr_assert_str_eq(json_string_value(json_array_get(types, 0)), type);
	cr_assert_str_eq(test_json_word(json, "event.reason"), reason);
	cr_assert_str_eq(test_json_word(json, "file.path"), "/srv/web/lib/libweb.so.1");
	cr_assert_eq(json_integer_value(test_json_at(json, "file.size")), 706904);
	cr_assert(json_is_true(test_json_at(json, "policyd.exec")));
	cr_assert_null(test_json_at(json, "policyd.lazy"));
	json_decref(json);
}

Test(event_ecs, a_shadow_that_goes_stale_is_a_file_that_changes)
{
	assert_shadow(POL_SHADOW_CREATED, "info", "(none)");
	assert_shadow(POL_SHADOW_STALE, "change", "open");
	assert_shadow(POL_SHADOW_REFUSED, "info", "EFBIG");
	assert_shadow(POL_SHADOW_FREED, "info", "(none)");
	assert_shadow(9, "info", "(none)");
}

Test(event_ecs, an_exit_has_the_status_of_a_shell)
{
	json_t *json;

	test_record_exit(&record);
	json = test_json_load(to_line());
	cr_assert_eq(json_integer_value(test_json_at(json, "process.exit_code")), 137);
	cr_assert_eq(json_integer_value(test_json_at(json, "policyd.signal")), 9);
	cr_assert_eq(json_integer_value(test_json_at(json, "event.duration")), 1500000000);
	json_decref(json);
}

Test(event_ecs, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_ecs(&view, &test_record_ctx, line, 100), -ENOSPC);
}
