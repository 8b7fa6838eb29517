/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CEF:0, strictly. Keys, lengths and types of the dictionary: ArcSight Common Event Format
 * implementation standard, version 27.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "pairs.h"

static const struct key {
	const char *name;
	size_t max; /* characters; 0: a number */
} dictionary[] = {
	{ "act", 63 },	      { "cat", 1023 },	    { "cn1", 0 },	  { "cn1Label", 1023 },
	{ "cn2", 0 },	      { "cn2Label", 1023 }, { "cn3", 0 },	  { "cn3Label", 1023 },
	{ "cnt", 0 },	      { "cs1", 4000 },	    { "cs1Label", 1023 }, { "cs2", 4000 },
	{ "cs2Label", 1023 }, { "cs3", 4000 },	    { "cs3Label", 1023 }, { "cs4", 4000 },
	{ "cs4Label", 1023 }, { "cs5", 4000 },	    { "cs5Label", 1023 }, { "cs6", 4000 },
	{ "cs6Label", 1023 }, { "dvchost", 100 },   { "end", 0 },	  { "externalId", 40 },
	{ "fileId", 1023 },   { "filePath", 1023 }, { "fname", 1023 },	  { "msg", 1023 },
	{ "outcome", 63 },    { "reason", 1023 },   { "rt", 0 },	  { "spid", 0 },
	{ "sproc", 1023 },    { "start", 0 },	    { "suid", 1023 },
};

/* Of the seven fields of the header behind "CEF:0"; 0: a number from 0 to 10. */
static const size_t header_max[] = { 63, 63, 31, 1023, 512, 0 };

static bool is_number(const char *text)
{
	const char *p = text + (*text == '-');

	return *p && strspn(p, "0123456789") == strlen(p);
}

static const char *check_value(const char *key, const char *value, size_t len)
{
	if (len == 0 || value[0] == ' ' || value[len - 1] == ' ')
		return test_pairs_fault("empty, or a space at an end", key, strlen(key));
	if (strncmp(key, "policyd", 7) == 0)
		return isupper((unsigned char)key[7]) ? NULL : "a key without a name";
	for (size_t i = 0; i < ARRAY_SIZE(dictionary); i++) {
		if (strcmp(dictionary[i].name, key) != 0)
			continue;
		if (!dictionary[i].max)
			return is_number(value) ? NULL : test_pairs_fault("no number", key, 60);
		return len <= dictionary[i].max ? NULL
						: test_pairs_fault("too long", key, strlen(key));
	}
	return test_pairs_fault("a key that nobody knows", key, strlen(key));
}

/* @special: what a backslash may stand before. Return: bytes written to @out; -1: a bad escape. */
static int unescape(const char *text, size_t len, const char *special, char *out)
{
	int used = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\\') {
			out[used++] = text[i];
			continue;
		}
		if (++i == len || !strchr(special, text[i]))
			return -1;
		out[used++] = text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i];
	}
	return used;
}

/* The next character @c that no backslash stands before. */
static const char *find(const char *text, const char *end, char c)
{
	for (; text < end; text++) {
		if (*text == '\\')
			text++;
		else if (*text == c)
			return text;
	}
	return NULL;
}

static const char *parse_header(const char **text, const char *end, struct test_pairs *ret)
{
	char value[2048], key[2] = "0";

	for (size_t i = 0; i < ARRAY_SIZE(header_max); i++, key[0]++) {
		const char *bar = find(*text, end, '|');
		int len = bar ? unescape(*text, (size_t)(bar - *text), "\\|", value) : -1;

		if (len <= 0)
			return test_pairs_fault("a bad header", *text, (size_t)(end - *text));
		value[len] = '\0';
		if (header_max[i] ? (size_t)len > header_max[i]
				  : !is_number(value) || strtol(value, NULL, 10) > 10)
			return test_pairs_fault("a field too long", *text, 60);
		(void)test_pairs_add(ret, key, value, (size_t)len);
		*text = bar + 1;
	}
	return NULL;
}

/* A value ends where " key=" begins. */
static const char *value_end(const char *value, const char *end)
{
	const char *equals = find(value, end, '=');

	if (!equals)
		return end;
	while (equals > value && equals[-1] != ' ')
		equals--;
	return equals > value ? equals - 1 : value;
}

static const char *parse_extension(const char *text, const char *end, struct test_pairs *ret)
{
	static char value[8192];

	while (text < end) {
		const char *equals = find(text, end, '='), *stop, *fault;
		char key[64];
		int len;

		if (!equals || equals == text || (size_t)(equals - text) >= sizeof(key))
			return test_pairs_fault("no key", text, (size_t)(end - text));
		(void)snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
		for (const char *p = key; *p; p++)
			if (!isalnum((unsigned char)*p))
				return test_pairs_fault("a bad key", key, strlen(key));
		stop = value_end(equals + 1, end);
		len = unescape(equals + 1, (size_t)(stop - equals - 1), "\\=nr", value);
		if (len < 0)
			return test_pairs_fault("a bad escape", text, (size_t)(end - text));
		value[len] = '\0';
		fault = check_value(key, value, (size_t)len);
		if (fault)
			return fault;
		if (test_pairs_add(ret, key, value, (size_t)len) < 0)
			return test_pairs_fault("a key twice", key, strlen(key));
		text = stop < end ? stop + 1 : end;
	}
	return NULL;
}

/* A label without its value, or a value without its label. */
static const char *check_labels(const struct test_pairs *pairs)
{
	for (size_t i = 0; i < ARRAY_SIZE(dictionary); i++) {
		const char *key = dictionary[i].name;
		char label[16];

		if (key[0] != 'c' || !isdigit((unsigned char)key[2]) || key[3])
			continue;
		(void)snprintf(label, sizeof(label), "%sLabel", key);
		if (!test_pairs_get(pairs, key) != !test_pairs_get(pairs, label))
			return test_pairs_fault("no label, or no value", key, strlen(key));
	}
	return NULL;
}

const char *test_pairs_cef(const char *line, size_t len, struct test_pairs *ret)
{
	const char *end = line + len - 1, *fault;

	ret->cnt = ret->used = 0;
	if (len == 0 || *end != '\n')
		return "no newline at the end";
	fault = test_pairs_plain(line, len - 1);
	if (fault)
		return fault;
	if (strncmp(line, "CEF:0|", 6) != 0)
		return "not CEF:0";
	line += 6;
	fault = parse_header(&line, end, ret);
	if (!fault)
		fault = parse_extension(line, end, ret);
	return fault ? fault : check_labels(ret);
}
