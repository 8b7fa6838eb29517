/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "event_json.h"
#include "evil.h"
#include "golden.h"
#include "json_at.h"
#include "jsonw.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

/* The line of the view; it is one, and within its size. */
static const char *view_to_line(void)
{
	int len = pol_event_json(&view, &test_record_ctx, line, sizeof(line));
	cr_assert_gt(len, 0, "%d", len);
	cr_assert_eq((size_t)len, strlen(line));
	cr_assert_eq(strchr(line, '\n'), line + len - 1, "a second line");
	cr_assert_lt(len, 8192);
	return line;
}

static const char *to_line(void)
{
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	return view_to_line();
}

static json_t *to_json(void)
{
	return test_json_load(to_line());
}

static const char *string_of(json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

Test(event_json, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.json", to_line());
}

Test(event_json, violation_without_a_rule)
{
	test_record_violation(&record);
	record.event.flags &= ~POL_EVENT_HAS_RULE;
	record.event.verdict = POL_VERDICT_WOULD_DENY;
	record.event.access.reason = POL_REASON_NO_RULE;
	record.event.access.op = POL_OP_CREATE;
	record.event.access.hook = POL_HOOK_PATH_MKNOD;
	record.event.access.access = POL_RIGHT_CREATE | POL_RIGHT_WRITE;
	record.event.access.missing = POL_RIGHT_CREATE | POL_RIGHT_WRITE;
	record.event.access.repeats = 12;
	test_golden("event_violation_no_rule.json", to_line());
}

Test(event_json, violation_on_bytes)
{
	test_record_violation(&record);
	test_record_path(&record, "/srv/caf\xe9\n", 10);
	test_golden("event_violation_bytes.json", to_line());
}

Test(event_json, violation_on_a_memfd)
{
	test_record_violation(&record);
	record.event.access.reason = POL_REASON_MEMFD;
	record.event.flags |= POL_EVENT_DETACHED;
	test_record_path(&record, "memfd:x", 7);
	test_golden("event_violation_memfd.json", to_line());
}

Test(event_json, escape)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_ESCAPE;
	record.event.flags = POL_EVENT_HAS_PROCESS;
	record.event.access = (struct pol_event_access){ .op = POL_OP_PTRACE, .err = EPERM };
	test_golden("event_escape.json", to_line());
}

Test(event_json, exit_by_signal)
{
	test_record_exit(&record);
	test_golden("event_exit_signal.json", to_line());
}

Test(event_json, exit_by_a_guests_signal)
{
	const json_t *sender;
	json_t *json;

	test_record_exit(&record);
	record.event.exit.sender.guest = 3;
	json = to_json();
	sender = json_object_get(json_object_get(json, "cause"), "sender");
	cr_assert_str_eq(json_string_value(json_object_get(sender, "guest")), "web");
	cr_assert_eq(json_integer_value(json_object_get(sender, "pid")), 1);
	json_decref(json);
}

Test(event_json, exit_by_code)
{
	test_record_exit(&record);
	record.event.exit.code = 3 << 8;
	record.event.exit.cause = POL_CAUSE_EXIT;
	record.event.exit.sender = (struct pol_sender){ 0 };
	test_golden("event_exit_code.json", to_line());
}

Test(event_json, exit_unknown)
{
	test_record_exit(&record);
	record.event.exit.code = 0;
	record.event.exit.cause = POL_CAUSE_UNKNOWN;
	record.event.exit.sender = (struct pol_sender){ 0 };
	test_golden("event_exit_unknown.json", to_line());
}

/* Of `policyctl wait`: what it is asked of has no guest, and some numbers nobody kept. */
Test(event_json, exit_outside_the_engine)
{
	test_record_exit(&record);
	record.event.exit.sender = (struct pol_sender){ 0 };
	record.event.exit.maxrss_bytes = POL_EXIT_UNKNOWN;
	record.event.exit.read_bytes = POL_EXIT_UNKNOWN;
	record.event.exit.write_bytes = POL_EXIT_UNKNOWN;
	record.event.exit.fds_peak = POL_NO_CEILING;
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_not(view.outside, "the engine's records are not");
	view.outside = true;
	test_golden("event_exit_outside.json", view_to_line());
}

/* As little as can be known. */
Test(event_json, exit_of_nobody)
{
	view = (struct pol_event_view){
		.type = POL_TYPE_EXIT,
		.outside = true,
		.has_process = true,
		.process = { .tgid = 71, .tid = 71, .uid = (uint32_t)-1, .gid = (uint32_t)-1 },
		.exit = {
			.duration_ns = POL_EXIT_UNKNOWN,
			.utime_ns = POL_EXIT_UNKNOWN,
			.stime_ns = POL_EXIT_UNKNOWN,
			.maxrss_bytes = POL_EXIT_UNKNOWN,
			.minflt = POL_EXIT_UNKNOWN,
			.majflt = POL_EXIT_UNKNOWN,
			.read_bytes = POL_EXIT_UNKNOWN,
			.write_bytes = POL_EXIT_UNKNOWN,
			.cause = POL_CAUSE_UNKNOWN,
			.fds_peak = POL_NO_CEILING,
		},
	};
	test_golden("event_exit_nobody.json", view_to_line());
}

Test(event_json, exit_with_core)
{
	json_t *json;

	test_record_exit(&record);
	record.event.exit.code = 0x80 | 11;
	json = to_json();
	cr_assert(json_is_true(json_object_get(json, "core")));
	cr_assert_eq(json_integer_value(json_object_get(json, "status")), 139);
	json_decref(json);
}

Test(event_json, exit_of_a_guest_whose_descriptors_are_not_counted)
{
	json_t *json;

	test_record_exit(&record);
	record.event.exit.fds_peak = POL_NO_CEILING;
	json = to_json();
	cr_assert(json_is_null(json_object_get(json, "fds_peak")));
	json_decref(json);
	record.event.exit.fds_peak = POL_NO_CEILING - 1;
	json = to_json();
	cr_assert_eq(json_integer_value(json_object_get(json, "fds_peak")), 4294967294);
	json_decref(json);
}

Test(event_json, ceiling)
{
	test_record_ceiling(&record);
	test_golden("event_ceiling.json", to_line());
}

/* Field by field: beside the golden line, in which a mistake is easily overlooked. */
static void assert_ceiling(const char *verdict, const char *resource, json_int_t now,
			   json_int_t ceiling, json_int_t percent, const char *err)
{
	json_t *json = to_json(), *got = json_object_get(json, "percent");

	cr_assert_str_eq(string_of(json, "type"), "ceiling");
	cr_assert_str_eq(string_of(json, "verdict"), verdict);
	cr_assert_eq(json_integer_value(json_object_get(json, "now")), now);
	cr_assert_eq(json_integer_value(json_object_get(json, "ceiling")), ceiling);
	cr_assert(percent < 0 ? json_is_null(got) : json_integer_value(got) == percent);
	got = json_object_get(json, "resource");
	cr_assert(resource ? !strcmp(json_string_value(got), resource) : json_is_null(got));
	got = json_object_get(json, "errno");
	cr_assert(err ? !strcmp(json_string_value(got), err) : json_is_null(got));
	cr_assert_eq(json_object_size(json), 15);
	json_decref(json);
}

Test(event_json, ceiling_denied)
{
	test_record_ceiling(&record);
	assert_ceiling("denied", "fds", 256, 256, 100, "EMFILE");
	record.event.ceiling.err = ENFILE;
	assert_ceiling("denied", "fds", 256, 256, 100, "ENFILE");
	record.event.ceiling = (struct pol_event_ceiling){
		.now = 64,
		.ceiling = 64,
		.resource = POL_RESOURCE_PIDS,
		.percent = 100,
		.err = EAGAIN,
	};
	assert_ceiling("denied", "pids", 64, 64, 100, "EAGAIN");
}

Test(event_json, ceiling_pressure)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_PRESSURE;
	record.event.ceiling.now = 205;
	record.event.ceiling.percent = 80;
	record.event.ceiling.err = 0;
	assert_ceiling("pressure", "fds", 205, 256, 80, NULL);
	test_golden("event_ceiling_pressure.json", line);
}

Test(event_json, ceiling_killed)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_KILLED;
	assert_ceiling("killed", "fds", 256, 256, 100, "EMFILE");
	record.event.ceiling = (struct pol_event_ceiling){
		.now = 1ull << 40,
		.ceiling = 1ull << 40,
		.resource = POL_RESOURCE_MEMORY,
	};
	record.event.flags = 0;
	assert_ceiling("killed", "memory", 1ll << 40, 1ll << 40, -1, NULL);
	test_golden("event_ceiling_killed.json", line);
}

Test(event_json, ceiling_on_what_has_no_word)
{
	test_record_ceiling(&record);
	record.event.ceiling.resource = POL_RESOURCES_CNT;
	assert_ceiling("denied", NULL, 256, 256, 100, "EMFILE");
	record.event.ceiling.resource = POL_RESOURCE_NONE;
	assert_ceiling("denied", NULL, 256, 256, 100, "EMFILE");
}

Test(event_json, guest)
{
	test_record_plain(&record, POL_TYPE_GUEST);
	record.event.note = (struct pol_event_note){
		.action = POL_ACTION_CREATED,
		.by_tgid = 9,
		.guest = 3,
		.generation = 3,
	};
	test_golden("event_guest.json", to_line());
}

Test(event_json, policy)
{
	test_record_plain(&record, POL_TYPE_POLICY);
	record.event.guest = POL_GUEST_ENGINE;
	record.event.generation = 2;
	record.event.note = (struct pol_event_note){
		.action = POL_ACTION_LOADED,
		.by_tgid = 9,
		.generation = 3,
	};
	test_golden("event_policy.json", to_line());
}

Test(event_json, lost)
{
	view = (struct pol_event_view){
		.type = POL_TYPE_LOST,
		.boot_ns = 123456789,
		.seq = 60,
		.generation = 3,
		.guest = 3,
		.lost = { POL_TYPE_VIOLATION, 12, 41, 60 },
	};
	cr_assert_gt(pol_event_json(&view, &test_record_ctx, line, sizeof(line)), 0);
	test_golden("event_lost.json", line);
}

Test(event_json, allow)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_ALLOW;
	record.event.verdict = POL_VERDICT_ALLOWED;
	test_golden("event_allow.json", to_line());
}

/* The process is all of them: what it is now, its executable with it. */
static void test_process_alone(uint32_t type, const char *golden)
{
	test_record_violation(&record);
	record.event.type = type;
	record.event.verdict = POL_VERDICT_NONE;
	record.event.flags = POL_EVENT_HAS_PROCESS;
	record.event.access = (struct pol_event_access){ 0 };
	record.event.path_len = 0;
	test_golden(golden, to_line());
}

Test(event_json, exec_and_fork)
{
	test_process_alone(POL_TYPE_EXEC, "event_exec.json");
	test_process_alone(POL_TYPE_FORK, "event_fork.json");
}

Test(event_json, heads_of_the_other_types)
{
	static const enum pol_type types[] = {
		POL_TYPE_EXEC,
		POL_TYPE_FORK,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		json_t *json;

		test_record_plain(&record, types[i]);
		json = to_json();
		cr_assert_str_eq(string_of(json, "schema"), "policyctl/v1");
		json_decref(json);
	}
}

Test(event_json, rule_only_where_it_decided)
{
	for (uint32_t reason = POL_REASON_RULE; reason <= POL_REASON_NO_STORAGE; reason++) {
		bool decided = reason == POL_REASON_RULE || reason == POL_REASON_WIDENS ||
			       reason == POL_REASON_STALE;
		json_t *json;

		test_record_violation(&record);
		record.event.access.reason = reason;
		json = to_json();
		cr_assert_eq(json_is_object(json_object_get(json, "rule")), decided, "%u", reason);
		json_decref(json);
	}
}

Test(event_json, keeps_the_kernels_words_on_a_rule_of_a_gone_generation)
{
	json_t *json, *rule;

	test_record_violation(&record);
	record.event.generation = 1;
	record.event.access.rule_access = POL_RIGHT_READ | POL_RIGHT_CONNECT;
	json = to_json();
	rule = json_object_get(json, "rule");
	cr_assert_eq(json_integer_value(json_object_get(rule, "id")), 7);
	cr_assert(json_is_null(json_object_get(rule, "where")));
	cr_assert_eq(json_array_size(json_object_get(rule, "access")), 2);
	json_decref(json);
}

Test(event_json, does_without_any_context)
{
	static const struct pol_event_ctx none;
	json_t *json;

	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_gt(pol_event_json(&view, &none, line, sizeof(line)), 0);
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json);
	cr_assert(json_is_null(json_object_get(json, "host")));
	json_decref(json);
}

Test(event_json, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_json(&view, &test_record_ctx, line, 100), -ENOSPC);
}

static void assert_suggest(const char *expected)
{
	json_t *json = to_json();
	const char *suggest = string_of(json, "suggest");

	if (expected)
		cr_assert_str_eq(suggest ? suggest : "null", expected);
	else
		cr_assert_null(suggest, "%s", suggest);
	json_decref(json);
}

Test(event_json, suggests_the_nearest_rules_rights_and_the_missing_ones)
{
	test_record_violation(&record);
	record.event.access.rule_access = POL_RIGHT_READ | POL_RIGHT_LIST;
	assert_suggest("{ path = \"/srv/web/secrets/key\", access = [\"read\", \"write\", "
		       "\"list\"] }");
}

Test(event_json, suggests_only_the_missing_rights_without_a_rule)
{
	test_record_violation(&record);
	record.event.access.reason = POL_REASON_NO_RULE;
	record.event.access.rule_access = POL_RIGHT_READ;
	assert_suggest("{ path = \"/srv/web/secrets/key\", access = [\"write\"] }");
}

Test(event_json, suggests_nothing_where_no_rule_helps)
{
	test_record_violation(&record);
	record.event.access.reason = POL_REASON_ANCHOR;
	assert_suggest(NULL);
	record.event.access.reason = POL_REASON_RULE;
	record.event.flags |= POL_EVENT_DETACHED;
	assert_suggest(NULL);
	record.event.flags &= ~POL_EVENT_DETACHED;
	record.event.flags |= POL_EVENT_PATH_TRUNCATED;
	assert_suggest(NULL);
}

Test(event_json, suggests_bytes_where_text_would_lie)
{
	test_record_violation(&record);
	test_record_path(&record, "/a\xff", 3);
	assert_suggest("{ path_hex = \"2f61ff\", access = [\"write\"] }");
	test_record_path(&record, "/\U000e0041", 5);
	assert_suggest("{ path_hex = \"2ff3a08181\", access = [\"write\"] }");
}

Test(event_json, suggests_an_escaped_path)
{
	test_record_violation(&record);
	test_record_path(&record, "/a\"\n\u202e", 7);
	assert_suggest("{ path = \"/a\\\"\\n\\u202e\", access = [\"write\"] }");
}

static int unhex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The bytes of `path`, or of `path_hex` where it is there, are exactly those of the object. */
static void assert_path_exact(json_t *json, const char *path, size_t len)
{
	const char *hex = string_of(json, "path_hex");

	cr_assert(json_is_false(json_object_get(json, "path_truncated")));
	cr_assert_eq(hex == NULL, pol_char_valid(path, len));
	if (!hex) {
		cr_assert_eq(json_string_length(json_object_get(json, "path")), len);
		cr_assert_arr_eq(string_of(json, "path"), path, len);
		return;
	}
	cr_assert_eq(strlen(hex), 2 * len);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(unhex(hex[2 * i]) << 4 | unhex(hex[2 * i + 1]),
			     (unsigned char)path[i]);
}

Test(event_json, evil_names_stay_in_their_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++) {
		json_t *json;

		test_record_violation(&record);
		test_record_path(&record, test_evil[i].data, test_evil[i].len);
		json = to_json();
		cr_assert_str_eq(string_of(json, "type"), "violation", "%s", test_evil[i].what);
		assert_path_exact(json, test_evil[i].data, test_evil[i].len);
		json_decref(json);
	}
}

Test(event_json, evil_names_of_programs_stay_in_their_fields)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++) {
		struct pol_event *event = &record.event;

		test_record_violation(&record);
		memcpy(event->process.comm, test_evil[i].data + 1,
		       test_evil[i].len - 1 < 16 ? test_evil[i].len - 1 : 16);
		memcpy(event->exe, test_evil[i].data + 1, test_evil[i].len - 1);
		event->exe[test_evil[i].len - 1] = '/';
		event->exe_len = (uint16_t)test_evil[i].len;
		json_decref(to_json());
	}
}

/* No path is too long for a line; what does not fit is marked. */
static void assert_long(const char *unit)
{
	static char path[POL_PATH_LARGE];
	size_t unit_len = strlen(unit), len = 0;
	json_t *json;

	for (; len + unit_len < sizeof(path); len += unit_len)
		memcpy(path + len, unit, unit_len);
	path[0] = '/';
	test_record_violation(&record);
	test_record_path(&record, path, len);
	json = to_json();
	cr_assert(json_is_true(json_object_get(json, "path_truncated")));
	cr_assert(json_is_null(json_object_get(json, "suggest")));
	cr_assert_arr_eq(string_of(json, "path"), "/", 1);
	json_decref(json);
}

Test(event_json, cuts_long_paths)
{
	assert_long("x");
	assert_long("\n");
	assert_long("\"");
	assert_long("€");
	assert_long("😀");
	assert_long("\xff");
	assert_long("\u202e");
}

Test(event_json, does_not_cut_a_path_that_fits)
{
	char path[2049];
	json_t *json;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	test_record_violation(&record);
	test_record_path(&record, path, 2048);
	json = to_json();
	assert_path_exact(json, path, 2048);
	cr_assert_not_null(string_of(json, "suggest"));
	json_decref(json);
	test_record_path(&record, path, 2049);
	json = to_json();
	cr_assert(json_is_true(json_object_get(json, "path_truncated")));
	json_decref(json);
}

Test(event_json, marks_hex_that_was_cut)
{
	char path[1200];
	json_t *json;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[1] = '\xff';
	test_record_violation(&record);
	test_record_path(&record, path, sizeof(path));
	json = to_json();
	cr_assert(json_is_true(json_object_get(json, "path_hex_truncated")));
	cr_assert_eq(json_string_length(json_object_get(json, "path_hex")), 2048);
	cr_assert(json_is_null(json_object_get(json, "suggest")));
	json_decref(json);
}

static char long_text[4096];

static int long_rule(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	(void)arg;
	(void)generation;
	(void)id;
	*ret = (struct pol_event_rule){ long_text, long_text, long_text, sizeof(long_text) - 1 };
	return 0;
}

static const char *long_word(void *arg, uint64_t nr)
{
	(void)arg;
	(void)nr;
	return long_text;
}

static const char *long_name(void *arg, uint64_t generation, uint32_t guest)
{
	(void)arg;
	(void)generation;
	(void)guest;
	return long_text;
}

/* Everything as long and as bad as it can be, at once. */
Test(event_json, stays_under_its_size_when_everything_is_long)
{
	static const char fills[] = { 'x', '\n', '"', '\xff' };
	struct pol_event_ctx ctx = {
		.host = long_text,
		.boot_id = long_text,
		.guest_name = long_name,
		.rule = long_rule,
		.sha256 = long_word,
		.cgroup = long_word,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fills); i++) {
		static char path[POL_PATH_LARGE - 2];
		json_t *json;
		int len;

		memset(long_text, fills[i], sizeof(long_text) - 1);
		memset(path, fills[i], sizeof(path));
		path[1] = '\xff';
		test_record_violation(&record);
		test_record_path(&record, path, sizeof(path));
		memset(&record.event.process.comm, fills[i], 16);
		memset(&record.event.exe, fills[i], POL_EXE_SIZE);
		memset(&record.event.parent_exe, fills[i], POL_EXE_SIZE);
		record.event.exe_len = record.event.parent_exe_len = POL_EXE_SIZE;
		record.event.access.access = record.event.access.missing = UINT32_MAX;
		record.event.access.rule_access = UINT32_MAX;
		cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
		len = pol_event_json(&view, &ctx, line, sizeof(line));
		cr_assert_gt(len, 0, "fill %02x", (unsigned char)fills[i]);
		json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		cr_assert_not_null(json, "%s", line);
		json_decref(json);
	}
}

Test(event_json, writes_times)
{
	struct pol_event_ctx ctx = test_record_ctx;
	char when[POL_TIME_SIZE];

	view.boot_ns = 123456789;
	ctx.boot_to_real_ns = 0;
	pol_event_time(&view, &ctx, when);
	cr_assert_str_eq(when, "1970-01-01T00:00:00.123456789Z");
	view.boot_ns = UINT64_MAX;
	pol_event_time(&view, &ctx, when);
	cr_assert_str_eq(when, "1970-01-01T00:00:00.000000000Z");
	view.boot_ns = 0;
	ctx.boot_to_real_ns = -1;
	pol_event_time(&view, &ctx, when);
	cr_assert_str_eq(when, "1969-12-31T23:59:59.999999999Z");
}

/* The C library's calendar says the same of any time. */
Test(event_json, writes_times_as_gmtime_has_them)
{
	uint64_t seed = test_seed("times");

	for (int i = 0; i < 100000; i++) {
		int64_t ns = (int64_t)test_random(&seed);
		time_t second = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
		char when[POL_TIME_SIZE], expected[64];
		struct tm tm;
		size_t len;

		pol_real_time(ns, when);
		len = strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&second, &tm));
		snprintf(expected + len, sizeof(expected) - len, ".%09ldZ",
			 (long)(ns - second * 1000000000));
		cr_assert_str_eq(when, expected, "%ld", (long)ns);
	}
}

/* The kernel cut the root's end off; what is left is too long for the line as well. */
Test(event_json, a_path_without_its_root_keeps_the_objects_name)
{
	char path[3002];
	const char *text;
	json_t *json;

	for (size_t i = 0; i < 3000; i += 2)
		memcpy(path + i, "/d", 2);
	memcpy(path + 2996, "/key", 5);
	test_record_violation(&record);
	test_record_path(&record, path, 3000);
	record.event.flags |= POL_EVENT_PATH_TRUNCATED;
	json = to_json();
	text = string_of(json, "path");
	cr_assert_leq(strlen(text), 2048);
	cr_assert_gt(strlen(text), 2000);
	cr_assert_str_eq(text + strlen(text) - 4, "/key");
	cr_assert(json_is_true(json_object_get(json, "path_truncated")));
	json_decref(json);
}

/* A name in the guest's own root is no path of a rule. */
Test(event_json, suggests_nothing_within_a_root_of_its_own)
{
	union test_record record;

	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_gt(pol_event_json(&view, &test_record_ctx, line, sizeof(line)), 0);
	cr_assert_null(strstr(line, "\"suggest\":null"));
	view.inside = true;
	cr_assert_gt(pol_event_json(&view, &test_record_ctx, line, sizeof(line)), 0);
	cr_assert_not_null(strstr(line, "\"suggest\":null"));
}
