/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RFC 5424, section 6, by its ABNF.
 */
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "pairs.h"

#define TIME                                                        \
	"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"         \
	"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?" \
	"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

/* PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID; a space behind each but PRI. */
static const char header[] =
	"^<(0|[1-9][0-9]{0,2})>1 (-|" TIME ") (-|[!-~]{1,255}) (-|[!-~]{1,48}) "
	"(-|[!-~]{1,128}) (-|[!-~]{1,32}) ";

static const struct {
	const char *key;
	int group;
} groups[] = {
	{ "pri", 1 },  { "time", 2 },	 { "hostname", 9 },
	{ "app", 10 }, { "procid", 11 }, { "msgid", 12 },
};

static const char *parse_header(const char **text, struct test_pairs *ret)
{
	regmatch_t match[13];
	regex_t regex;
	int r = regcomp(&regex, header, REG_EXTENDED);

	if (r != 0)
		abort();
	r = regexec(&regex, *text, ARRAY_SIZE(match), match, 0);
	regfree(&regex);
	if (r != 0)
		return test_pairs_fault("no header", *text, 80);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const regmatch_t *m = &match[groups[i].group];

		(void)test_pairs_add(ret, groups[i].key, *text + m->rm_so,
				     (size_t)(m->rm_eo - m->rm_so));
	}
	if (strtol(test_pairs_text(ret, "pri"), NULL, 10) > 191)
		return "PRI above 191";
	*text += match[0].rm_eo;
	return NULL;
}

/* SD-NAME: 1 to 32 PRINTUSASCII but "=", SP, "]", '"'. Return: its length; 0: none. */
static size_t name_length(const char *text)
{
	size_t len = 0;

	while (text[len] > 32 && text[len] < 127 && !strchr("=]\"", text[len]))
		len++;
	return len <= 32 ? len : 0;
}

/* PARAM-VALUE, from behind its first quote. Return: what comes behind the last one; NULL. */
static const char *parse_value(const char *text, const char *end, char *out, size_t *ret_len)
{
	for (*ret_len = 0; text < end; text++) {
		if (*text == '"')
			return text + 1;
		if (*text == ']')
			return NULL;
		if (*text == '\\' && text + 1 < end && strchr("\"\\]", text[1]))
			text++;
		else if (*text == '\\')
			return NULL; /* the RFC would take it as itself; we never write one */
		out[(*ret_len)++] = *text;
	}
	return NULL;
}

static const char *parse_element(const char **text, const char *end, struct test_pairs *ret)
{
	static char value[8192];
	size_t len = name_length(*text + 1);
	const char *p = *text + 1 + len;

	if (**text != '[' || len == 0)
		return test_pairs_fault("no SD-ELEMENT", *text, 60);
	(void)test_pairs_add(ret, "id", *text + 1, len);
	while (p < end && *p == ' ') {
		const char *name = ++p;
		char key[40];

		len = name_length(name);
		p += len;
		if (len == 0 || p[0] != '=' || p[1] != '"')
			return test_pairs_fault("no SD-PARAM", name, (size_t)(end - name));
		(void)snprintf(key, sizeof(key), "%.*s", (int)len, name);
		p = parse_value(p + 2, end, value, &len);
		if (!p)
			return test_pairs_fault("a bad PARAM-VALUE", name, (size_t)(end - name));
		if (test_pairs_add(ret, key, value, len) < 0)
			return test_pairs_fault("a parameter twice", key, strlen(key));
	}
	*text = p + 1;
	return p < end && *p == ']' ? NULL : test_pairs_fault("no end of the element", p, 60);
}

const char *test_pairs_syslog(const char *line, size_t len, struct test_pairs *ret)
{
	const char *end = line + len - 1, *fault;

	ret->cnt = ret->used = 0;
	if (len == 0 || *end != '\n')
		return "no newline at the end";
	fault = test_pairs_plain(line, len - 1);
	if (!fault)
		fault = parse_header(&line, ret);
	if (!fault)
		fault = parse_element(&line, end, ret);
	if (fault || line == end)
		return fault;
	if (*line != ' ')
		return "no space before MSG";
	(void)test_pairs_add(ret, "msg", line + 1, (size_t)(end - line - 1));
	return NULL;
}
