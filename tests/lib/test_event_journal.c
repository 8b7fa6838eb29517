/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_journal.h"
#include "evil.h"
#include "pairs.h"
#include "records.h"
#include "samples.h"

static struct pol_event_view view;
static struct pol_journal journal;
static struct test_pairs pairs, good;

/* A name that the journal takes: A-Z 0-9 _, not first a digit or "_", at most 64. */
static bool is_name(const char *name, size_t len)
{
	if (len == 0 || len > 64 || !isupper((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isupper((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
		    name[i] != '_')
			return false;
	return true;
}

static void read_entry(const struct pol_event_ctx *ctx, struct test_pairs *ret)
{
	ret->cnt = ret->used = 0;
	cr_assert_eq(pol_event_journal(&view, ctx, &journal), 0);
	for (int i = 0; i < journal.iov_cnt; i++) {
		const char *field = journal.iov[i].iov_base;
		size_t len = journal.iov[i].iov_len;
		const char *equals = memchr(field, '=', len);
		char name[65];

		cr_assert_not_null(equals);
		cr_assert(is_name(field, (size_t)(equals - field)), "%.*s", (int)len, field);
		(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - field), field);
		cr_assert_eq(
			test_pairs_add(ret, name, equals + 1, len - (size_t)(equals + 1 - field)),
			0, "%s twice", name);
	}
}

static const char *value(const char *key)
{
	return test_pairs_text(&pairs, key);
}

Test(event_journal, every_kind_of_event_is_an_entry)
{
	static const struct pol_event_ctx none;

	for (size_t i = 0; test_sample(i, &view); i++) {
		read_entry(&none, &pairs);
		read_entry(&test_record_ctx, &pairs);
		cr_assert(test_pairs_get(&pairs, "MESSAGE")->len > 0);
		cr_assert_null(test_pairs_plain(value("MESSAGE"), strlen(value("MESSAGE"))));
		cr_assert_eq(strlen(value("MESSAGE_ID")), 32);
		cr_assert_eq(strspn(value("MESSAGE_ID"), "0123456789abcdef"), 32);
		cr_assert_eq(strlen(value("PRIORITY")), 1);
		cr_assert_str_eq(value("SYSLOG_IDENTIFIER"), "policyd");
	}
}

Test(event_journal, each_type_has_a_message_id_of_its_own)
{
	char seen[POL_TYPES_CNT][33] = { "" };

	for (size_t i = 0; test_sample(i, &view); i++) {
		read_entry(&test_record_ctx, &pairs);
		(void)snprintf(seen[view.type], sizeof(seen[0]), "%s", value("MESSAGE_ID"));
	}
	for (size_t i = 1; i < POL_TYPES_CNT; i++)
		for (size_t j = 0; j < i; j++)
			cr_assert_str_neq(seen[i], seen[j], "%zu and %zu", i, j);
}

Test(event_journal, tells_a_refusal)
{
	(void)test_sample(0, &view);
	read_entry(&test_record_ctx, &pairs);
	cr_assert_str_eq(value("PRIORITY"), "4");
	cr_assert_str_eq(value("SYSLOG_FACILITY"), "10");
	cr_assert_str_eq(value("ERRNO"), "13");
	cr_assert_str_eq(value("POLICYD_TYPE"), "violation");
	cr_assert_str_eq(value("POLICYD_CODE"), "file.open.denied");
	cr_assert_str_eq(value("POLICYD_PATH"), "/srv/web/secrets/key");
	cr_assert_str_eq(value("POLICYD_MISSING"), "write");
	cr_assert_str_eq(value("POLICYD_RULE_WHERE"), "policy.toml:37");
	cr_assert_str_eq(value("POLICYD_TIME"), "2026-11-21T01:02:03.123456789Z");
	cr_assert_str_eq(value("OBJECT_PID"), "(none)");
}

Test(event_journal, tells_of_a_shadow)
{
	union test_record record;

	test_record_shadow(&record);
	record.event.shadow.err = EFBIG;
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	read_entry(&test_record_ctx, &pairs);
	cr_assert_str_eq(value("PRIORITY"), "5");
	cr_assert_str_eq(value("ERRNO"), "(none)");
	cr_assert_str_eq(value("POLICYD_TYPE"), "shadow");
	cr_assert_str_eq(value("POLICYD_CODE"), "shadow.stale");
	cr_assert_str_eq(value("POLICYD_ACTION"), "stale");
	cr_assert_str_eq(value("POLICYD_PATH"), "/srv/web/lib/libweb.so.1");
	cr_assert_str_eq(value("POLICYD_SIZE"), "706904");
	cr_assert_str_eq(value("POLICYD_EXEC"), "true");
	cr_assert_str_eq(value("POLICYD_LAZY"), "(none)");
	cr_assert_str_eq(value("POLICYD_OP"), "open");
	view.shadow.action = POL_SHADOW_REFUSED;
	read_entry(&test_record_ctx, &pairs);
	cr_assert_str_eq(value("PRIORITY"), "4");
	cr_assert_str_eq(value("ERRNO"), "27");
	cr_assert_str_eq(value("POLICYD_ERRNO"), "EFBIG");
}

static void key_of(enum test_text text, char key[96])
{
	(void)snprintf(key, 96, "POLICYD_%s", test_text_names[text]);
	for (char *p = key; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

static void assert_exact(enum test_text text, const char *data, size_t len, const char *what)
{
	struct pol_event_ctx ctx;
	const struct test_pair *pair;
	char key[96];
	size_t used;

	key_of(text, key);
	(void)test_sample_evil(text, "/x", 2, &view, &ctx);
	read_entry(&ctx, &good);
	used = test_sample_evil(text, data, len, &view, &ctx);
	read_entry(&ctx, &pairs);
	pair = test_pairs_get(&pairs, key);
	cr_assert_not_null(pair, "%s: no %s", what, key);
	cr_assert_eq(pair->len, used, "%s in %s: %zu bytes", what, key, pair->len);
	cr_assert_arr_eq(pair->value, data, used);
	cr_assert_eq(pairs.cnt, good.cnt, "%s in %s", what, key);
	for (size_t i = 0; i < pairs.cnt; i++)
		cr_assert_str_eq(pairs.pair[i].key, good.pair[i].key);
}

Test(event_journal, names_are_exact_in_their_field)
{
	static char name[4096];

	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++)
		for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++)
			assert_exact(text, test_evil[i].data, test_evil[i].len, test_evil[i].what);
	memset(name, '\xff', sizeof(name));
	name[0] = '/';
	name[1] = '\n';
	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++)
		assert_exact(text, name, sizeof(name), "4096 bytes");
}

Test(event_journal, what_is_too_long_is_marked)
{
	static char name[8000];
	struct pol_event_ctx ctx;

	memset(name, 'x', sizeof(name));
	(void)test_sample_evil(TEST_TEXT_CGROUP, name, sizeof(name), &view, &ctx);
	read_entry(&ctx, &pairs);
	cr_assert_eq(strlen(value("POLICYD_CGROUP")), POL_PATH_LARGE);
	cr_assert_str_eq(value("POLICYD_CGROUP_TRUNCATED"), "true");
}

/* Those who filter by an id find it in the documents. */
Test(event_journal, message_ids_are_documented)
{
	static char doc[65536];
	FILE *file = fopen("Documentation/formats.rst", "re");
	size_t len;

	cr_assert_not_null(file);
	len = fread(doc, 1, sizeof(doc) - 1, file);
	(void)fclose(file);
	doc[len] = '\0';
	for (size_t i = 0; test_sample(i, &view); i++) {
		const char *row;

		read_entry(&test_record_ctx, &pairs);
		row = strstr(doc, value("MESSAGE_ID"));
		cr_assert_not_null(row, "%s", value("MESSAGE_ID"));
		while (row > doc && row[-1] != '`')
			row--;
		cr_assert_eq(strncmp(row - 2 - strlen(value("POLICYD_TYPE")), value("POLICYD_TYPE"),
				     strlen(value("POLICYD_TYPE"))),
			     0, "%s", value("POLICYD_TYPE"));
	}
}
