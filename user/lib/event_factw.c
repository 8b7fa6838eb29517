/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_factw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "words.h"

static size_t max_of(const struct pol_factw *o, enum pol_fact fact)
{
	size_t max = pol_fact_max(fact, o->level);

	return o->most && o->most < max ? o->most : max;
}

void pol_factw_text(struct pol_factw *o, const char *key, enum pol_fact fact)
{
	const size_t max = max_of(o, fact);
	const struct pol_event_text text = pol_fact_text(o->facts, fact, max);

	if (!text.data)
		return;
	pol_jsonw_key(&o->w, key);
	o->marks[fact] |= (unsigned char)pol_jsonw_bytes(&o->w, text.data, text.len, max);
	if (text.truncated)
		o->marks[fact] |= POL_JSONW_CUT;
}

void pol_factw_word(struct pol_factw *o, const char *key, const char *word)
{
	if (!word || !word[0])
		return;
	pol_jsonw_key(&o->w, key);
	pol_jsonw_text(&o->w, word);
}

void pol_factw_number(struct pol_factw *o, const char *key, uint64_t number)
{
	pol_jsonw_key(&o->w, key);
	pol_jsonw_uint(&o->w, number);
}

void pol_factw_signed(struct pol_factw *o, const char *key, int64_t number)
{
	pol_jsonw_key(&o->w, key);
	pol_jsonw_int(&o->w, number);
}

void pol_factw_decimal(struct pol_factw *o, const char *key, uint64_t number)
{
	pol_jsonw_key(&o->w, key);
	pol_jsonw_u64_text(&o->w, number);
}

void pol_factw_words(struct pol_factw *o, const char *key, const char *const *words)
{
	pol_jsonw_key(&o->w, key);
	pol_jsonw_open(&o->w, '[');
	for (; *words; words++)
		pol_jsonw_text(&o->w, *words);
	pol_jsonw_close(&o->w, ']');
}

void pol_factw_open(struct pol_factw *o, const char *key)
{
	pol_jsonw_key(&o->w, key);
	pol_jsonw_open(&o->w, '{');
}

void pol_factw_close(struct pol_factw *o)
{
	pol_jsonw_close(&o->w, '}');
}

static void put_rights(struct pol_factw *o, const char *key, uint64_t mask)
{
	const char *words[POL_RIGHTS_CNT + 1];
	size_t cnt = 0;

	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++)
		if (mask & UINT64_C(1) << bit)
			words[cnt++] = pol_right_word(bit);
	words[cnt] = NULL;
	pol_factw_words(o, key, words);
}

static void put_field(struct pol_factw *o, const struct pol_field *field)
{
	switch (field->kind) {
	case POL_FIELD_TEXT:
		return pol_factw_text(o, field->name, field->text);
	case POL_FIELD_WORD:
		return pol_factw_word(o, field->name, field->word);
	case POL_FIELD_NUMBER:
		return pol_factw_number(o, field->name, field->number);
	case POL_FIELD_DECIMAL:
		return pol_factw_decimal(o, field->name, field->number);
	case POL_FIELD_RIGHTS:
		return put_rights(o, field->name, field->number);
	case POL_FIELD_YES:
		pol_jsonw_key(&o->w, field->name);
		return pol_jsonw_bool(&o->w, true);
	}
}

static void put_true(struct pol_factw *o, const char *name, const char *suffix)
{
	char key[96];

	(void)snprintf(key, sizeof(key), "%s%s", name, suffix);
	pol_jsonw_key(&o->w, key);
	pol_jsonw_bool(&o->w, true);
}

/* The hex of the whole text, not of what was kept of it: as much as has room. */
static void put_hex(struct pol_factw *o, enum pol_fact fact)
{
	const struct pol_event_text *text = &o->facts->text[fact];
	char key[64];

	(void)snprintf(key, sizeof(key), "%s_hex", pol_fact_name(fact));
	pol_jsonw_key(&o->w, key);
	if (pol_jsonw_hex(&o->w, text->data, text->len, pol_fact_max(fact, o->level)))
		put_true(o, key, "_truncated");
}

static void put_marks(struct pol_factw *o)
{
	for (enum pol_fact fact = 0; fact < POL_FACTS_CNT; fact++) {
		if (o->marks[fact] & POL_JSONW_CUT)
			put_true(o, pol_fact_name(fact), "_truncated");
		/* The last name of the path is in the path's bytes. */
		if (o->marks[fact] & POL_JSONW_LOSSY && fact != POL_FACT_NAME)
			put_hex(o, fact);
	}
}

void pol_factw_rest(struct pol_factw *o, unsigned int place)
{
	for (size_t i = 0; i < o->facts->field_cnt; i++)
		if (!(o->facts->field[i].places & place))
			put_field(o, &o->facts->field[i]);
	put_marks(o);
}

int pol_factw_line(const struct pol_facts *facts, size_t most, void (*put)(struct pol_factw *o),
		   char *buf, size_t size)
{
	int len = -ENOSPC;

	if (size > POL_EVENT_LINE_SIZE)
		size = POL_EVENT_LINE_SIZE;
	for (unsigned int level = 0; level < POL_FACT_LEVELS && len < 0; level++) {
		struct pol_factw o = { .facts = facts, .level = level, .most = most };

		pol_jsonw_init(&o.w, buf, size);
		pol_jsonw_open(&o.w, '{');
		put(&o);
		pol_jsonw_close(&o.w, '}');
		pol_jsonw_raw(&o.w, "\n");
		len = pol_jsonw_finish(&o.w);
	}
	return len;
}
