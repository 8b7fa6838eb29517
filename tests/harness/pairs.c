/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pairs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonw.h"

const char *test_pairs_fault(const char *what, const char *where, size_t len)
{
	static char fault[256];

	(void)snprintf(fault, sizeof(fault), "%s at '%.*s'", what, (int)(len < 60 ? len : 60),
		       where);
	return fault;
}

int test_pairs_add(struct test_pairs *pairs, const char *key, const void *value, size_t len)
{
	struct test_pair *pair = &pairs->pair[pairs->cnt];

	if (test_pairs_get(pairs, key))
		return -EEXIST;
	if (pairs->cnt == TEST_PAIRS_MAX || len + 1 > sizeof(pairs->buf) - pairs->used ||
	    strlen(key) >= sizeof(pair->key))
		abort();
	(void)snprintf(pair->key, sizeof(pair->key), "%s", key);
	pair->value = pairs->buf + pairs->used;
	pair->len = len;
	memcpy(pair->value, value, len);
	pair->value[len] = '\0';
	pairs->used += len + 1;
	pairs->cnt++;
	return 0;
}

const struct test_pair *test_pairs_get(const struct test_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->cnt; i++)
		if (strcmp(pairs->pair[i].key, key) == 0)
			return &pairs->pair[i];
	return NULL;
}

const char *test_pairs_text(const struct test_pairs *pairs, const char *key)
{
	const struct test_pair *pair = test_pairs_get(pairs, key);

	return pair ? pair->value : "(none)";
}

void test_pairs_of(test_pairs_parse parse, const char *line, int len, struct test_pairs *ret)
{
	const char *fault;

	cr_assert_gt(len, 0);
	fault = parse(line, (size_t)len, ret);
	cr_assert_null(fault, "%s in %s", fault, line);
}

void test_pairs_refuses(test_pairs_parse parse, const char *text, const char *what)
{
	static struct test_pairs pairs;
	const char *fault = parse(text, strlen(text), &pairs);

	cr_assert_not_null(fault, "%s", text);
	cr_assert_not_null(strstr(fault, what), "%s", fault);
}

const char *test_pairs_plain(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c = 0;

	for (size_t n; len; p += n, len -= n) {
		n = pol_char_next(p, len, &c);
		if (n == 0)
			return test_pairs_fault("no UTF-8", (const char *)p, len);
		if (pol_char_hidden(c))
			return test_pairs_fault("a hidden character", (const char *)p, len);
	}
	return NULL;
}

static void flatten(const char *above, json_t *object, struct test_pairs *ret)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		char name[96], *text;

		(void)snprintf(name, sizeof(name), "%s%s%s", above, above[0] ? "." : "", key);
		if (json_is_object(value)) {
			flatten(name, value, ret);
		} else if (json_is_string(value)) {
			(void)test_pairs_add(ret, name, json_string_value(value),
					     json_string_length(value));
		} else {
			text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
			(void)test_pairs_add(ret, name, text, strlen(text));
			free(text);
		}
	}
}

const char *test_pairs_json(const char *line, size_t len, struct test_pairs *ret)
{
	const char *fault;
	json_t *json;

	ret->cnt = ret->used = 0;
	if (len == 0 || line[len - 1] != '\n')
		return "no newline at the end";
	fault = test_pairs_plain(line, len - 1);
	if (fault)
		return fault;
	json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json))
		return test_pairs_fault("no JSON object", line, len);
	flatten("", json, ret);
	json_decref(json);
	return NULL;
}
