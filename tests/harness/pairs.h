/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A line of any format as names and values: what a receiver has of it. Parsed strictly; what a
 * strict receiver would refuse is a fault.
 */
#pragma once

#include <stddef.h>

#define TEST_PAIRS_MAX 256

struct test_pair {
	char key[96];
	char *value; /* NUL-terminated besides; may hold NUL */
	size_t len;
};

struct test_pairs {
	struct test_pair pair[TEST_PAIRS_MAX];
	size_t cnt;
	size_t used;
	char buf[65536];
};

/* test_pairs_add() - @value is copied. A key that is there already: Return: -EEXIST; else 0. */
int test_pairs_add(struct test_pairs *pairs, const char *key, const void *value, size_t len);

/* test_pairs_get() - Return: NULL: there is none. */
const struct test_pair *test_pairs_get(const struct test_pairs *pairs, const char *key);

/* test_pairs_text() - its value; "(none)" where there is none. */
const char *test_pairs_text(const struct test_pairs *pairs, const char *key);

/**
 * test_pairs_*() - parse one line of @len bytes, newline and all. Return: NULL; or what is wrong with
 * it, a text valid until the next call.
 *
 * json: a member of an inner object is "outer.inner"; what is no string is its JSON text.
 * cef: the header is "0" to "6". A key that the dictionary does not have and is not our own, or a
 *	value longer than it allows, is a fault.
 * syslog: RFC 5424: "pri", "time", "hostname", "app", "procid", "msgid", "id" (of the one element),
 *	its parameters by their names, "msg".
 */
const char *test_pairs_json(const char *line, size_t len, struct test_pairs *ret);
const char *test_pairs_cef(const char *line, size_t len, struct test_pairs *ret);
const char *test_pairs_syslog(const char *line, size_t len, struct test_pairs *ret);

typedef const char *(*test_pairs_parse)(const char *line, size_t len, struct test_pairs *ret);

/* test_pairs_of() - parse a line that has to be without a fault. */
void test_pairs_of(test_pairs_parse parse, const char *line, int len, struct test_pairs *ret);

/* test_pairs_refuses() - @text has to be refused, for a fault that has @what in it. */
void test_pairs_refuses(test_pairs_parse parse, const char *text, const char *what);

/* test_pairs_fault() - for the parsers: make the text of a fault. */
const char *test_pairs_fault(const char *what, const char *where, size_t len);

/* test_pairs_plain() - valid UTF-8 without a control character, a BOM or U+2028: NULL, or the fault. */
const char *test_pairs_plain(const char *text, size_t len);
