/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "event_json.h"
#include "golden.h"
#include "json_at.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

static const char *to_line(void)
{
	int len;

	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	len = pol_event_json(&view, &test_record_ctx, line, sizeof(line));
	cr_assert_gt(len, 0, "%d", len);
	cr_assert_eq(strchr(line, '\n'), line + len - 1, "a second line");
	return line;
}

static json_t *to_json(void)
{
	return test_json_load(to_line());
}

static const char *string_of(json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

Test(event_json_shadow, stale)
{
	test_record_shadow(&record);
	test_golden("event_shadow_stale.json", to_line());
}

static void set_shadow(uint32_t action, uint32_t flags)
{
	test_record_shadow(&record);
	record.event.shadow.action = action;
	record.event.shadow.op = 0;
	record.event.shadow.flags = flags;
}

Test(event_json_shadow, created)
{
	set_shadow(POL_SHADOW_CREATED, POL_SHADOW_LAZY);
	test_golden("event_shadow_created.json", to_line());
}

Test(event_json_shadow, refused)
{
	set_shadow(POL_SHADOW_REFUSED, 0);
	record.event.shadow.size = 1ull << 40;
	record.event.shadow.err = EFBIG;
	test_golden("event_shadow_refused.json", to_line());
}

/* What can be least: no process, and a path without its beginning. */
Test(event_json_shadow, freed)
{
	set_shadow(POL_SHADOW_FREED, POL_SHADOW_OLD | POL_SHADOW_CUT);
	record.event.flags = POL_EVENT_PATH_TRUNCATED;
	test_golden("event_shadow_freed.json", to_line());
}

static void assert_is(json_t *json, const char *key, const char *word)
{
	const json_t *got = json_object_get(json, key);

	cr_assert_not_null(got, "no %s", key);
	cr_assert(word ? !strcmp(json_string_value(got), word) : json_is_null(got), "%s", key);
}

/* Field by field: beside the golden lines, in which a mistake is easily overlooked. */
static void assert_shadow(const char *action, const char *op, const char *err)
{
	json_t *json = to_json();

	cr_assert_str_eq(string_of(json, "type"), "shadow");
	assert_is(json, "action", action);
	assert_is(json, "op", op);
	assert_is(json, "errno", err);
	cr_assert_str_eq(string_of(json, "path"), "/srv/web/lib/libweb.so.1");
	cr_assert(json_is_false(json_object_get(json, "path_truncated")));
	cr_assert_eq(json_integer_value(json_object_get(json, "size")), 706904);
	cr_assert(json_is_true(json_object_get(json, "exec")));
	cr_assert(json_is_false(json_object_get(json, "lazy")));
	cr_assert_eq(json_object_size(json), 17);
	json_decref(json);
}

Test(event_json_shadow, has_an_op_or_an_errno_or_neither)
{
	test_record_shadow(&record);
	record.event.shadow.op = POL_OP_RENAME;
	record.event.shadow.err = EFBIG;
	assert_shadow("stale", "rename", NULL);
	record.event.shadow.op = 0;
	assert_shadow("stale", NULL, NULL);
	record.event.shadow.op = POL_OP_RENAME;
	record.event.shadow.action = POL_SHADOW_CREATED;
	assert_shadow("created", NULL, NULL);
	record.event.shadow.action = POL_SHADOW_REFUSED;
	assert_shadow("refused", NULL, "EFBIG");
	record.event.shadow.action = POL_SHADOW_FREED;
	assert_shadow("freed", NULL, NULL);
}

Test(event_json_shadow, of_what_has_no_word)
{
	test_record_shadow(&record);
	record.event.shadow.action = POL_SHADOW_NONE;
	assert_shadow(NULL, NULL, NULL);
	record.event.shadow.action = 9;
	assert_shadow(NULL, NULL, NULL);
	record.event.shadow.action = POL_SHADOW_STALE;
	record.event.shadow.op = 63;
	assert_shadow("stale", NULL, NULL);
	record.event.shadow.op = UINT32_MAX;
	assert_shadow("stale", NULL, NULL);
	record.event.shadow.op = POL_OP_PTRACE;
	assert_shadow("stale", NULL, NULL);
	record.event.shadow.action = POL_SHADOW_REFUSED;
	record.event.shadow.err = 9999;
	assert_shadow("refused", NULL, NULL);
}

Test(event_json_shadow, tells_its_flags_apart)
{
	json_t *json;

	set_shadow(POL_SHADOW_CREATED, POL_SHADOW_LAZY | POL_SHADOW_OLD | POL_SHADOW_CUT);
	json = to_json();
	cr_assert(json_is_false(json_object_get(json, "exec")));
	cr_assert(json_is_true(json_object_get(json, "lazy")));
	json_decref(json);
}

Test(event_json_shadow, keeps_a_path_exactly_or_says_that_it_cannot)
{
	static const char bytes[] = "/srv/caf\xe9\n";
	json_t *json;

	test_record_shadow(&record);
	test_record_path(&record, bytes, sizeof(bytes) - 1);
	json = to_json();
	cr_assert_str_eq(string_of(json, "path"), "/srv/caf\ufffd\n");
	cr_assert_str_eq(string_of(json, "path_hex"), "2f7372762f636166e90a");
	json_decref(json);
	record.event.path_len = 0;
	json = to_json();
	assert_is(json, "path", NULL);
	json_decref(json);
}
