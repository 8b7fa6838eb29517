/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "event_ocsf.h"
#include "golden.h"
#include "json_at.h"
#include "ocsf.h"
#include "ocsf_class.h"
#include "records.h"
#include "samples.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

static const char *to_line(void)
{
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_gt(pol_event_ocsf(&view, &test_record_ctx, line, sizeof(line)), 0);
	return line;
}

Test(event_ocsf, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.ocsf", to_line());
}

Test(event_ocsf, exit_by_signal)
{
	test_record_exit(&record);
	test_golden("event_exit.ocsf", to_line());
}

Test(event_ocsf, shadow)
{
	test_record_shadow(&record);
	test_golden("event_shadow.ocsf", to_line());
}

static void assert_all_valid(const struct pol_event_ctx *ctx)
{
	const char *what;

	for (size_t i = 0; (what = test_sample(i, &view)); i++) {
		const char *fault;
		json_t *json;

		cr_assert_gt(pol_event_ocsf(&view, ctx, line, sizeof(line)), 0, "%s", what);
		json = test_json_load(line);
		fault = test_ocsf_fault(json);
		cr_assert_null(fault, "%s: %s in %s", what, fault, line);
		json_decref(json);
	}
}

Test(event_ocsf, every_kind_of_event_is_valid)
{
	assert_all_valid(&test_record_ctx);
}

Test(event_ocsf, is_valid_without_any_context)
{
	static const struct pol_event_ctx none;

	assert_all_valid(&none);
}

/* The checker itself: a good event with one thing wrong; @value NULL: the key is left out. */
static void assert_refused(const char *object, const char *key, json_t *value, const char *fault)
{
	const char *got;
	json_t *json, *inner;

	test_record_violation(&record);
	json = test_json_load(to_line());
	inner = object ? json_object_get(json, object) : json;
	if (value)
		json_object_set_new(inner, key, value);
	else
		json_object_del(inner, key);
	got = test_ocsf_fault(json);
	cr_assert_not_null(got, "%s is taken", key);
	cr_assert_not_null(strstr(got, fault), "%s", got);
	json_decref(json);
}

Test(event_ocsf, its_checker_is_strict)
{
	assert_refused(NULL, "device", NULL, "file_activity.device: missing");
	assert_refused(NULL, "colour", json_string("x"), "file_activity.colour: not in");
	assert_refused(NULL, "activity_id", json_integer(15), "file_activity.activity_id: wrong");
	assert_refused(NULL, "activity_id", json_integer(1), "type_uid is not");
	assert_refused(NULL, "class_uid", json_integer(1002), "no class");
	assert_refused(NULL, "time", json_string("now"), "file_activity.time: wrong");
	assert_refused(NULL, "time_dt", json_string("now"), "file_activity.time_dt: wrong");
	assert_refused(NULL, "status_code", json_integer(13), "file_activity.status_code: wrong");
	assert_refused("file", "type_id", NULL, "file.type_id: missing");
	assert_refused("file", "name", NULL, "file.name: missing");
	assert_refused("actor", "process", NULL, "actor.*:");
	assert_refused("actor", "process", json_pack("{s:s}", "pid", "7"), "process.pid: wrong");
	assert_refused("actor", "process", json_pack("{s:I}", "pid", (json_int_t)1 << 40),
		       "process.pid: wrong");
	assert_refused("metadata", "product", json_object(), "product.*:");
}

static struct pol_ocsf_class class_of(enum pol_type type, uint32_t op)
{
	view = (struct pol_event_view){ .type = type };
	if (pol_event_has_access(type))
		view.access.op = op;
	else
		view.note.action = op;
	return pol_ocsf_class(&view);
}

static void assert_class(enum pol_type type, uint32_t op, enum pol_ocsf_uid uid, uint32_t activity)
{
	struct pol_ocsf_class class = class_of(type, op);

	cr_assert_eq(class.uid, uid, "%u of %u: %u", op, type, class.uid);
	cr_assert_eq(class.activity, activity, "%u of %u: %u", op, type, class.activity);
}

Test(event_ocsf, has_a_class_for_each_type)
{
	assert_class(POL_TYPE_VIOLATION, POL_OP_OPEN, POL_OCSF_FILE, 14);
	assert_class(POL_TYPE_VIOLATION, POL_OP_UNLINK, POL_OCSF_FILE, 4);
	assert_class(POL_TYPE_VIOLATION, POL_OP_RENAME, POL_OCSF_FILE, 5);
	assert_class(POL_TYPE_VIOLATION, POL_OP_MMAP, POL_OCSF_FILE, 99);
	assert_class(POL_TYPE_VIOLATION, POL_OP_EXEC, POL_OCSF_PROCESS, 1);
	assert_class(POL_TYPE_ALLOW, POL_OP_CHMOD, POL_OCSF_FILE, 7);
	assert_class(POL_TYPE_ESCAPE, POL_OP_PTRACE, POL_OCSF_FINDING, 1);
	assert_class(POL_TYPE_CEILING, 0, POL_OCSF_FINDING, 1);
	assert_class(POL_TYPE_EXIT, 0, POL_OCSF_PROCESS, 2);
	assert_class(POL_TYPE_FORK, 0, POL_OCSF_PROCESS, 1);
	assert_class(POL_TYPE_GUEST, POL_ACTION_CREATED, POL_OCSF_LIFECYCLE, 3);
	assert_class(POL_TYPE_GUEST, POL_ACTION_ATTACHED, POL_OCSF_LIFECYCLE, 99);
	assert_class(POL_TYPE_POLICY, POL_ACTION_LOADED, POL_OCSF_ENTITY, 1);
	assert_class(POL_TYPE_POLICY, POL_ACTION_DISABLED, POL_OCSF_ENTITY, 9);
	assert_class(POL_TYPE_LOST, 0, POL_OCSF_ERROR, 1);
	cr_assert_str_eq(class_of(POL_TYPE_VIOLATION, POL_OP_MMAP).activity_name, "mmap");
	cr_assert_str_eq(class_of(POL_TYPE_VIOLATION, 63).activity_name, "Other");
}

static void assert_shadow(uint32_t action, const char *name, int status, const char *code,
			  const char *detail)
{
	json_t *json;

	test_record_shadow(&record);
	record.event.shadow.action = action;
	record.event.shadow.err = EFBIG;
	record.event.shadow.size = 1ull << 40;
	json = test_json_load(to_line());
	cr_assert_eq(json_integer_value(test_json_at(json, "class_uid")), POL_OCSF_FILE);
	cr_assert_eq(json_integer_value(test_json_at(json, "activity_id")), POL_OCSF_OTHER);
	cr_assert_str_eq(test_json_word(json, "activity_name"), name);
	cr_assert_eq(json_integer_value(test_json_at(json, "status_id")), status);
	cr_assert_str_eq(test_json_word(json, "status_code"), code);
	cr_assert_str_eq(test_json_word(json, "status_detail"), detail);
	cr_assert_str_eq(test_json_word(json, "file.path"), "/srv/web/lib/libweb.so.1");
	cr_assert_eq(json_integer_value(test_json_at(json, "file.size")), 1ll << 40);
	cr_assert_eq(json_integer_value(test_json_at(json, "actor.process.pid")), 812);
	cr_assert_null(test_json_at(json, "actor.process.sandbox"), "it may be no guest's");
	cr_assert_str_eq(test_json_word(json, "unmapped.guest"), "web");
	cr_assert_null(test_ocsf_fault(json));
	json_decref(json);
}

Test(event_ocsf, a_shadow_is_an_activity_of_its_own_on_the_file)
{
	assert_shadow(POL_SHADOW_CREATED, "created", 1, "(none)", "(none)");
	assert_shadow(POL_SHADOW_STALE, "stale", 1, "(none)", "open");
	assert_shadow(POL_SHADOW_REFUSED, "refused", 2, "EFBIG", "(none)");
	assert_shadow(POL_SHADOW_FREED, "freed", 1, "(none)", "(none)");
	assert_shadow(9, "Other", 0, "(none)", "(none)");
}

Test(event_ocsf, tells_a_refusal)
{
	json_t *json;

	test_record_violation(&record);
	json = test_json_load(to_line());
	cr_assert_eq(json_integer_value(test_json_at(json, "action_id")), 2);
	cr_assert_eq(json_integer_value(test_json_at(json, "disposition_id")), 2);
	cr_assert_eq(json_integer_value(test_json_at(json, "status_id")), 2);
	cr_assert_str_eq(test_json_word(json, "status_code"), "EACCES");
	cr_assert_str_eq(test_json_word(json, "file.path"), "/srv/web/secrets/key");
	cr_assert_str_eq(test_json_word(json, "file.uid"), "8:1:1234");
	cr_assert_str_eq(test_json_word(json, "actor.process.sandbox"), "web");
	cr_assert_str_eq(test_json_word(json, "firewall_rule.uid"), "7");
	cr_assert_eq(json_integer_value(test_json_at(json, "time")), 1795222923123);
	json_decref(json);
}

Test(event_ocsf, an_exit_is_done_by_who_sent_the_signal)
{
	json_t *json;

	test_record_exit(&record);
	json = test_json_load(to_line());
	cr_assert_eq(json_integer_value(test_json_at(json, "actor.process.pid")), 1);
	cr_assert_eq(json_integer_value(test_json_at(json, "process.pid")), 71);
	cr_assert_eq(json_integer_value(test_json_at(json, "exit_code")), 137);
	cr_assert_str_eq(test_json_word(json, "status_code"), "SIGKILL");
	cr_assert_eq(json_integer_value(test_json_at(json, "unmapped.signal")), 9);
	json_decref(json);
}

Test(event_ocsf, says_that_something_was_cut)
{
	static char path[POL_PATH_LARGE];
	json_t *json;

	test_record_violation(&record);
	json = test_json_load(to_line());
	cr_assert_null(test_json_at(json, "metadata.is_truncated"));
	json_decref(json);
	memset(path, 'x', sizeof(path));
	test_record_path(&record, path, 4000);
	json = test_json_load(to_line());
	cr_assert(json_is_true(test_json_at(json, "metadata.is_truncated")));
	cr_assert(json_is_true(test_json_at(json, "unmapped.path_truncated")));
	json_decref(json);
}

Test(event_ocsf, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_ocsf(&view, &test_record_ctx, line, 100), -ENOSPC);
}
