/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that try to forge a line or a field, in each text of an event and each format that is
 * parsed: the receiver has the same fields as with a good name, and the name exactly, or a mark.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "evil.h"
#include "format.h"
#include "pairs.h"
#include "samples.h"

/* Of each text: where it is, and the stem of its marks' names. */
struct place {
	const char *key;
	const char *stem;
};

struct parsed_format {
	const char *name;
	const char *(*parse)(const char *line, size_t len, struct test_pairs *ret);
	const char *message;
	const char *base; /* the last name of the path, where it is a field as well */
	const char *base_stem;
	bool camel; /* marks are StemHex, not stem_hex */
	struct place places[TEST_TEXTS_CNT];
};

static const struct parsed_format parsed[] = {
	{
		.name = "json",
		.parse = test_pairs_json,
		.message = "suggest",
		.places = {
			[TEST_TEXT_PATH] = { "path", "path" },
			[TEST_TEXT_EXE] = { "process.exe", "process.exe" },
			[TEST_TEXT_COMM] = { "process.comm", "process.comm" },
			[TEST_TEXT_PARENT_EXE] = { "process.parent.exe", "process.parent.exe" },
			[TEST_TEXT_PARENT_COMM] = { "process.parent.comm", "process.parent.comm" },
			[TEST_TEXT_SENDER_COMM] = { "cause.sender.comm", "cause.sender.comm" },
			[TEST_TEXT_RULE_PATH] = { "rule.path", "rule.path" },
			[TEST_TEXT_RULE_NAME] = { "rule.name", "rule.name" },
			[TEST_TEXT_RULE_WHERE] = { "rule.where", "rule.where" },
			[TEST_TEXT_CGROUP] = { "process.cgroup", "process.cgroup" },
			[TEST_TEXT_HOST] = { "host", "host" },
		},
	},
	{
		.name = "ecs",
		.parse = test_pairs_json,
		.message = "message",
		.base = "file.name",
		.base_stem = "policyd.name",
		.places = {
			[TEST_TEXT_PATH] = { "file.path", "policyd.path" },
			[TEST_TEXT_EXE] = { "process.executable", "policyd.exe" },
			[TEST_TEXT_COMM] = { "process.name", "policyd.comm" },
			[TEST_TEXT_PARENT_EXE] = { "process.parent.executable", "policyd.parent_exe" },
			[TEST_TEXT_PARENT_COMM] = { "process.parent.name", "policyd.parent_comm" },
			[TEST_TEXT_SENDER_COMM] = { "policyd.sender_comm", "policyd.sender_comm" },
			[TEST_TEXT_RULE_PATH] = { "policyd.rule_path", "policyd.rule_path" },
			[TEST_TEXT_RULE_NAME] = { "rule.name", "policyd.rule_name" },
			[TEST_TEXT_RULE_WHERE] = { "rule.description", "policyd.rule_where" },
			[TEST_TEXT_CGROUP] = { "policyd.cgroup", "policyd.cgroup" },
			[TEST_TEXT_HOST] = { "host.hostname", "policyd.host" },
		},
	},
	{
		.name = "ocsf",
		.parse = test_pairs_json,
		.message = "message",
		.base = "file.name",
		.base_stem = "unmapped.name",
		.places = {
			[TEST_TEXT_PATH] = { "file.path", "unmapped.path" },
			[TEST_TEXT_EXE] = { "actor.process.path", "unmapped.exe" },
			[TEST_TEXT_COMM] = { "actor.process.name", "unmapped.comm" },
			[TEST_TEXT_PARENT_EXE] = { "actor.process.parent_process.path",
						   "unmapped.parent_exe" },
			[TEST_TEXT_PARENT_COMM] = { "actor.process.parent_process.name",
						    "unmapped.parent_comm" },
			[TEST_TEXT_SENDER_COMM] = { "actor.process.name", "unmapped.sender_comm" },
			[TEST_TEXT_RULE_PATH] = { "unmapped.rule_path", "unmapped.rule_path" },
			[TEST_TEXT_RULE_NAME] = { "firewall_rule.name", "unmapped.rule_name" },
			[TEST_TEXT_RULE_WHERE] = { "unmapped.rule_where", "unmapped.rule_where" },
			[TEST_TEXT_CGROUP] = { "unmapped.cgroup", "unmapped.cgroup" },
			[TEST_TEXT_HOST] = { "device.hostname", "unmapped.host" },
		},
	},
	{
		.name = "cef",
		.parse = test_pairs_cef,
		.message = "msg",
		.base = "fname",
		.base_stem = "policydName",
		.camel = true,
		.places = {
			[TEST_TEXT_PATH] = { "filePath", "policydPath" },
			[TEST_TEXT_EXE] = { "sproc", "policydExe" },
			[TEST_TEXT_COMM] = { "cs5", "policydComm" },
			[TEST_TEXT_PARENT_EXE] = { "policydParentExe", "policydParentExe" },
			[TEST_TEXT_PARENT_COMM] = { "policydParentComm", "policydParentComm" },
			[TEST_TEXT_SENDER_COMM] = { "policydSenderComm", "policydSenderComm" },
			[TEST_TEXT_RULE_PATH] = { "policydRulePath", "policydRulePath" },
			[TEST_TEXT_RULE_NAME] = { "policydRuleName", "policydRuleName" },
			[TEST_TEXT_RULE_WHERE] = { "cs2", "policydRuleWhere" },
			[TEST_TEXT_CGROUP] = { "policydCgroup", "policydCgroup" },
			[TEST_TEXT_HOST] = { "dvchost", "policydHost" },
		},
	},
	{
		.name = "syslog",
		.parse = test_pairs_syslog,
		.message = "msg",
		.places = {
			[TEST_TEXT_PATH] = { "path", "path" },
			[TEST_TEXT_EXE] = { "exe", "exe" },
			[TEST_TEXT_COMM] = { "comm", "comm" },
			[TEST_TEXT_PARENT_EXE] = { "parent_exe", "parent_exe" },
			[TEST_TEXT_PARENT_COMM] = { "parent_comm", "parent_comm" },
			[TEST_TEXT_SENDER_COMM] = { "sender_comm", "sender_comm" },
			[TEST_TEXT_RULE_PATH] = { "rule_path", "rule_path" },
			[TEST_TEXT_RULE_NAME] = { "rule_name", "rule_name" },
			[TEST_TEXT_RULE_WHERE] = { "rule_where", "rule_where" },
			[TEST_TEXT_CGROUP] = { "cgroup", "cgroup" },
			[TEST_TEXT_HOST] = { "host", "host" },
		},
	},
};

static struct pol_event_view view;
static uint32_t type; /* 0: violation, or what else has the text */
static const struct pol_event_shadow shadow = { .action = POL_SHADOW_STALE, .op = POL_OP_OPEN };
static char line[POL_EVENT_LINE_SIZE];
static struct test_pairs good, evil;

/* The event with @data as @text, as a receiver has it. Return: bytes of @data that are in it. */
static size_t receive(const struct parsed_format *format, enum test_text text, const char *data,
		      size_t len, struct test_pairs *ret)
{
	struct pol_event_ctx ctx;
	size_t used = test_sample_evil(text, data, len, &view, &ctx);
	const char *fault;
	int n;

	if (type) {
		view.type = type;
		view.verdict = type == POL_TYPE_ALLOW ? POL_VERDICT_ALLOWED : POL_VERDICT_NONE;
		if (type == POL_TYPE_SHADOW)
			view.shadow = shadow;
	}
	n = pol_format_find(format->name)->write(&view, &ctx, 0, line, sizeof(line));

	cr_assert_gt(n, 0, "%s: %d", format->name, n);
	cr_assert_lt(n, 8192);
	cr_assert_eq(memchr(line, '\n', (size_t)n), line + n - 1, "a second line: %s", line);
	fault = format->parse(line, (size_t)n, ret);
	cr_assert_null(fault, "%s: %s in %s", format->name, fault, line);
	return used;
}

static const struct test_pair *mark(const struct parsed_format *format, const char *stem,
				    const char *snake, const char *camel)
{
	char key[96];

	(void)snprintf(key, sizeof(key), "%s%s", stem, format->camel ? camel : snake);
	return test_pairs_get(&evil, key);
}

/* In OCSF a process that was started is not its own actor: that is its parent. */
static bool is_started(const struct parsed_format *format)
{
	return (type == POL_TYPE_EXEC || type == POL_TYPE_FORK) && !strcmp(format->name, "ocsf");
}

static struct place place_of(const struct parsed_format *format, enum test_text text)
{
	struct place place = format->places[text];

	if (is_started(format) && strncmp(place.key, "actor.", 6) == 0)
		place.key += 6;
	return place;
}

/* Fields that may differ from those with a good name, or be there beside them. */
static bool is_of(const struct parsed_format *format, enum test_text text, const char *key)
{
	const struct place there = place_of(format, text), *place = &there;
	const char *stem = place->stem;
	const char *end = key + strlen(stem);

	if (strcmp(key, place->key) == 0 || strcmp(key, format->message) == 0 ||
	    strcmp(key, "metadata.is_truncated") == 0)
		return true;
	if (text == TEST_TEXT_HOST && strcmp(key, "hostname") == 0)
		return true;
	if (is_started(format) && (text == TEST_TEXT_PARENT_EXE || text == TEST_TEXT_PARENT_COMM) &&
	    strncmp(key, "actor.process.", 14) == 0)
		return true;
	if (strncmp(key, stem, strlen(stem)) == 0 &&
	    (strncmp(end, "_hex", 4) == 0 || strcmp(end, "_truncated") == 0 ||
	     strncmp(end, "Hex", 3) == 0 || strcmp(end, "Truncated") == 0))
		return true;
	return text == TEST_TEXT_PATH && format->base &&
	       (strcmp(key, format->base) == 0 ||
		strncmp(key, format->base_stem, strlen(format->base_stem)) == 0);
}

static void assert_same_fields(const struct parsed_format *format, enum test_text text,
			       const char *what)
{
	for (size_t i = 0; i < evil.cnt; i++) {
		const struct test_pair *pair = &evil.pair[i];

		if (is_of(format, text, pair->key))
			continue;
		cr_assert_str_eq(test_pairs_text(&good, pair->key), pair->value,
				 "%s, %s in %s: forged %s", format->name, what,
				 test_text_names[text], pair->key);
	}
	for (size_t i = 0; i < good.cnt; i++)
		cr_assert_not_null(test_pairs_get(&evil, good.pair[i].key), "%s, %s in %s: no %s",
				   format->name, what, test_text_names[text], good.pair[i].key);
}

static bool hex_is(const struct test_pair *hex, const char *data, size_t len)
{
	if (!hex || hex->len > 2 * len)
		return false;
	for (size_t i = 0; i < hex->len / 2; i++) {
		char pair[3];

		(void)snprintf(pair, sizeof(pair), "%02x", (unsigned char)data[i]);
		if (memcmp(hex->value + 2 * i, pair, 2) != 0)
			return false;
	}
	return true;
}

/* path_truncated of the native JSON is always there. */
static bool is_true(const struct test_pair *pair)
{
	return pair && strcmp(pair->value, "true") == 0;
}

/* Exact; or cut, marked, and exact as far as it goes; or with its bytes beside it. */
static void assert_told(const struct parsed_format *format, enum test_text text, const char *data,
			size_t len, const char *what)
{
	const struct place there = place_of(format, text), *place = &there;
	const struct test_pair *value = test_pairs_get(&evil, place->key);
	const struct test_pair *hex = mark(format, place->stem, "_hex", "Hex");
	bool cut = is_true(mark(format, place->stem, "_truncated", "Truncated"));
	bool hex_cut = is_true(mark(format, place->stem, "_hex_truncated", "HexTruncated"));

	cr_assert_not_null(value, "%s, %s: no %s", format->name, what, place->key);
	if (hex) {
		cr_assert(hex_is(hex, data, len), "%s, %s in %s: %s", format->name, what,
			  place->key, hex->value);
		cr_assert_eq(hex->len == 2 * len, !hex_cut);
		return;
	}
	cr_assert_leq(value->len, len);
	cr_assert_arr_eq(value->value, data, value->len, "%s, %s in %s: '%s'", format->name, what,
			 place->key, value->value);
	cr_assert_eq(value->len == len, !cut, "%s, %s in %s: %zu of %zu bytes", format->name, what,
		     place->key, value->len, len);
}

/* Whether events of @type have it. */
static bool has_text(enum test_text text)
{
	switch (text) {
	case TEST_TEXT_SENDER_COMM:
		return !type;
	case TEST_TEXT_PATH:
		return !type || type == POL_TYPE_ALLOW || type == POL_TYPE_SHADOW;
	case TEST_TEXT_RULE_PATH:
	case TEST_TEXT_RULE_NAME:
	case TEST_TEXT_RULE_WHERE:
		return !type || type == POL_TYPE_ALLOW;
	default:
		return true;
	}
}

static void assert_harmless(const char *what, const char *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(parsed); i++)
		for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++) {
			size_t used;

			if (!has_text(text))
				continue;
			(void)receive(&parsed[i], text, "/x", 2, &good);
			used = receive(&parsed[i], text, data, len, &evil);
			assert_same_fields(&parsed[i], text, what);
			assert_told(&parsed[i], text, data, used, what);
		}
}

Test(format_evil, names_stay_in_their_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++)
		assert_harmless(test_evil[i].what, test_evil[i].data, test_evil[i].len);
}

Test(format_evil, names_of_what_is_not_refused)
{
	static const uint32_t types[] = { POL_TYPE_ALLOW, POL_TYPE_SHADOW, POL_TYPE_EXEC,
					  POL_TYPE_FORK };

	for (size_t k = 0; k < ARRAY_SIZE(types); k++)
		for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++) {
			type = types[k];
			assert_harmless(test_evil[i].what, test_evil[i].data, test_evil[i].len);
		}
}

/* In the middle of a longer one, too: nothing depends on where it stands. */
Test(format_evil, names_within_a_path_stay_in_their_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++) {
		char path[512];
		int len = snprintf(path, sizeof(path), "/srv%.*s/ x ", (int)test_evil[i].len,
				   test_evil[i].data);

		assert_harmless(test_evil[i].what, path, (size_t)len);
	}
}

Test(format_evil, long_names_are_marked)
{
	static const char *const units[] = { "x", "\n",	  "\"",	  "\\",	    "=",   "|",
					     "]", "\xff", "\t",	  "\u202e", "€",   "😀",
					     " ", "\r",	  "\x01", "[",	    "a=b " };
	static char name[4097];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t unit = strlen(units[i]), len = 1;

		name[0] = '/';
		for (; len + unit <= 4096; len += unit)
			memcpy(name + len, units[i], unit);
		assert_harmless(units[i], name, len);
	}
}

/* All texts at once: still one line under 8 KiB, and nothing lost without a mark. */
static char everything[4097];

static int long_rule(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	(void)arg;
	(void)generation;
	(void)id;
	*ret = (struct pol_event_rule){ everything, everything, everything,
					sizeof(everything) - 1 };
	return 0;
}

static const char *long_word(void *arg, uint64_t nr)
{
	(void)arg;
	(void)nr;
	return everything;
}

static const char *long_name(void *arg, uint64_t generation, uint32_t guest)
{
	(void)arg;
	(void)generation;
	(void)guest;
	return everything;
}

static void fill(struct pol_event_text *text, char *buf, size_t size)
{
	memcpy(buf, everything, size - 1);
	buf[size - 1] = '\0';
	*text = (struct pol_event_text){ .data = buf, .len = size - 1 };
}

static void fill_view(void)
{
	struct pol_event_ctx ctx;

	(void)test_sample_evil(TEST_TEXT_PATH, "/x", 2, &view, &ctx);
	fill(&view.path, view.path_buf, 4097);
	fill(&view.exe, view.exe_buf, POL_EXE_SIZE + 1);
	fill(&view.parent_exe, view.parent_exe_buf, POL_EXE_SIZE + 1);
	memcpy(view.process.comm, everything, POL_COMM_SIZE);
	memcpy(view.process.parent_comm, everything, POL_COMM_SIZE);
	view.access.access = view.access.missing = view.access.rule_access = UINT32_MAX;
	view.seq = view.generation = view.process.start_ns = INT64_MAX;
	view.access.inode.ino = UINT64_MAX;
}

Test(format_evil, a_line_in_which_everything_is_long_fits)
{
	static const char fills[] = { 'x', '\n', '"', '\\', '=', ']', '\xff', '\x01' };
	const struct pol_event_ctx ctx = {
		.host = everything,
		.boot_id = everything,
		.guest_name = long_name,
		.rule = long_rule,
		.sha256 = long_word,
		.cgroup = long_word,
	};

	for (size_t i = 0; i < sizeof(fills); i++) {
		memset(everything, fills[i], sizeof(everything) - 1);
		fill_view();
		for (size_t j = 0; j < ARRAY_SIZE(parsed); j++) {
			const struct parsed_format *format = &parsed[j];
			int n = pol_format_find(format->name)
					->write(&view, &ctx, 0, line, sizeof(line));
			const char *fault;

			cr_assert_gt(n, 0, "%s, %02x", format->name, (unsigned char)fills[i]);
			fault = format->parse(line, (size_t)n, &evil);
			cr_assert_null(fault, "%s: %s", format->name, fault);
			cr_assert(is_true(
				mark(format, format->places[0].stem, "_truncated", "Truncated")));
		}
	}
}
