/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_suggest.h"

#include <errno.h>
#include <string.h>

#include "event_json.h"
#include "words.h"

/* Of a path in it, escaped or as hex digits: what an event's own path may have (events.md). */
#define PATH_SIZE 2048

/*
 * A TOML basic string takes JSON's escapes (TOML 1.0, "String") but no surrogates: a path that
 * would need them is written as bytes.
 */
static bool toml_text(const struct pol_event_text *path)
{
	const unsigned char *p = (const unsigned char *)path->data;
	size_t len = path->len;
	uint32_t c = 0;

	for (size_t n; len; p += n, len -= n) {
		n = pol_char_next(p, len, &c);
		if (n == 0 || c == 0 || (c >= 0x10000 && pol_char_hidden(c)))
			return false;
	}
	return true;
}

/* The rights that a rule on the object itself would need; 0: no rule helps. */
static uint32_t suggest_rights(const struct pol_event_view *view)
{
	const struct pol_event_access *access = &view->access;

	switch (access->reason) {
	case POL_REASON_RULE:
		if (pol_event_has_rule(view) && !access->rule)
			return 0; /* the guest's own root: it can be mapped, but not made there */
		return (pol_event_has_rule(view) ? access->rule_access : 0) | access->missing;
	case POL_REASON_NO_RULE:
	case POL_REASON_DEVICE:
		return access->missing;
	default:
		return 0;
	}
}

uint32_t pol_suggest_rights(const struct pol_event_view *view)
{
	const struct pol_event_text *path = &view->path;

	if (!path->data || path->data[0] != '/' || path->truncated || view->inside)
		return 0;
	return suggest_rights(view) & POL_RIGHTS_ALL;
}

/* Of ", access = [...] }" with all rights, each in two quotes of two bytes. */
#define ACCESS_SIZE (32 + POL_RIGHTS_CNT * (sizeof(struct pol_word) + 8))

static char *add(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

/* @quote: what stands for '"'. */
static void write_access(struct pol_jsonw *w, uint32_t rights, const char *quote)
{
	size_t quote_len = strlen(quote);
	char text[ACCESS_SIZE], *p = text;

	p = add(p, ", access = [", 12);
	for (; rights; rights &= rights - 1) {
		const char *right = pol_right_word((unsigned int)__builtin_ctz(rights));

		p = add(p, quote, quote_len);
		p = add(p, right, pol_word_len(right));
		p = add(p, quote, quote_len);
		if (rights & (rights - 1))
			p = add(p, ", ", 2);
	}
	p = add(p, "] }", 3);
	pol_jsonw_raw_bytes(w, text, (size_t)(p - text));
}

int pol_event_suggest(const struct pol_event_view *view, char *buf, size_t size)
{
	const struct pol_event_text *path = &view->path;
	uint32_t rights = pol_suggest_rights(view);
	struct pol_jsonw w;
	unsigned int cut;

	if (!rights)
		return -ENODATA;
	pol_jsonw_init(&w, buf, size);
	if (toml_text(path)) {
		pol_jsonw_raw(&w, "{ path = ");
		cut = pol_jsonw_bytes(&w, path->data, path->len, PATH_SIZE);
	} else {
		pol_jsonw_raw(&w, "{ path_hex = ");
		cut = pol_jsonw_hex(&w, path->data, path->len, PATH_SIZE);
	}
	if (cut & POL_JSONW_CUT)
		return -ENODATA;
	write_access(&w, rights, "\"");
	return pol_jsonw_finish(&w);
}

void pol_suggest_begin(struct pol_jsonw *w, const struct pol_event_text *path)
{
	pol_jsonw_raw(w, "\"{ path = \\\"");
	pol_jsonw_raw_bytes(w, path->data, path->len);
}

void pol_suggest_end(struct pol_jsonw *w, uint32_t rights)
{
	pol_jsonw_raw(w, "\\\"");
	write_access(w, rights, "\\\"");
	pol_jsonw_close(w, '"');
}

void pol_suggest_put(struct pol_jsonw *w, const struct pol_event_view *view)
{
	char line[POL_EVENT_LINE_SIZE];
	int len = pol_event_suggest(view, line, sizeof(line));

	pol_jsonw_text(w, len > 0 ? line : NULL);
}
