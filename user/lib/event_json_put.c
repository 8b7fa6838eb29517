/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "event_json_int.h"

void pol_json_word(struct pol_jsonw *w, const char *text)
{
	const struct pol_word *word = (const struct pol_word *)text;
	char *p;

	if (!text)
		return pol_jsonw_null(w);
	if (!pol_jsonw_begin(w, sizeof(*word) + 2))
		return;
	p = w->p;
	p[0] = '"';
	memcpy(p + 1, word, sizeof(*word));
	p[1 + word->len] = '"';
	w->p = p + word->len + 2;
}

void pol_json_rights(struct pol_jsonw *w, uint32_t mask)
{
	pol_jsonw_open(w, '[');
	for (mask &= POL_RIGHTS_ALL; mask; mask &= mask - 1)
		pol_json_word(w, pol_right_word((unsigned int)__builtin_ctz(mask)));
	pol_jsonw_close(w, ']');
}

static void put_truncated(struct pol_jsonw *w, const char *key)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s_truncated", key);
	pol_jsonw_key(w, name);
	pol_jsonw_bool(w, true);
}

void pol_json_hex(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_hex", key);
	pol_jsonw_key(w, name);
	if (pol_jsonw_hex(w, data, len, max))
		put_truncated(w, name);
}

void pol_json_marks(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max,
		    unsigned int flags)
{
	if (flags & POL_JSONW_CUT)
		put_truncated(w, key);
	if (flags & POL_JSONW_LOSSY)
		pol_json_hex(w, key, data, len, max);
}
