/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_flatw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

/* @cnt spaces, each as U+FFFD, in @room bytes. Return: POL_TEXTW_*. */
static unsigned int put_spaces(struct pol_textw *w, size_t cnt, size_t room)
{
	size_t fit = room / 3 < cnt ? room / 3 : cnt;

	for (size_t i = 0; i < fit; i++)
		pol_textw_put(w, "\xef\xbf\xbd");
	return (cnt ? POL_TEXTW_LOSSY : 0) | (fit < cnt ? POL_TEXTW_CUT : 0);
}

/* Without the spaces at its ends, which are put as something else. Return: POL_TEXTW_*. */
static unsigned int put_between(struct pol_flatw *o, struct pol_event_text text, size_t max)
{
	const size_t from = o->w.len;
	size_t before = 0, behind = 0, used;
	unsigned int marks;

	while (before < text.len && text.data[before] == ' ')
		before++;
	while (behind < text.len - before && text.data[text.len - 1 - behind] == ' ')
		behind++;
	marks = put_spaces(&o->w, before, max);
	used = o->w.len - from;
	if (marks & POL_TEXTW_CUT || before == text.len)
		return marks;
	if (used >= max)
		return marks | POL_TEXTW_CUT;
	marks |= pol_textw_bytes(&o->w, text.data + before, text.len - before - behind, max - used,
				 o->syntax->escape);
	if (marks & POL_TEXTW_CUT)
		return marks;
	used = o->w.len - from;
	return marks | put_spaces(&o->w, behind, max > used ? max - used : 0);
}

/* A value cut just behind a space would end with it: so much more is cut. */
static void trim(struct pol_textw *w, size_t from)
{
	while (!w->overflow && w->len > from && w->buf[w->len - 1] == ' ')
		w->len--;
}

void pol_flatw_value(struct pol_flatw *o, enum pol_fact fact, size_t most)
{
	size_t max = pol_fact_max(fact, o->level), from = o->w.len;
	struct pol_event_text text;
	unsigned int marks;

	if (most && most < max)
		max = most;
	text = pol_fact_text(o->facts, fact, max);
	if (!text.data)
		return;
	if (o->syntax->no_edge_spaces)
		marks = put_between(o, text, max);
	else
		marks = pol_textw_bytes(&o->w, text.data, text.len, max, o->syntax->escape);
	if (o->syntax->no_edge_spaces && marks & POL_TEXTW_CUT)
		trim(&o->w, from);
	if (text.truncated)
		marks |= POL_TEXTW_CUT;
	o->marks[fact] |= (unsigned char)marks;
}

static void begin(struct pol_flatw *o, const char *name)
{
	o->syntax->begin(o, name);
}

static void end(struct pol_flatw *o)
{
	if (o->syntax->end)
		o->syntax->end(o);
}

static void put_pair(struct pol_flatw *o, const char *name, const char *value)
{
	begin(o, name);
	pol_textw_put(&o->w, value);
	end(o);
}

static void put_field(struct pol_flatw *o, const struct pol_field *field)
{
	char value[POL_RIGHTS_TEXT_SIZE];

	switch (field->kind) {
	case POL_FIELD_TEXT:
		begin(o, field->name);
		pol_flatw_value(o, field->text, 0);
		return end(o);
	case POL_FIELD_WORD:
		return put_pair(o, field->name, field->word);
	case POL_FIELD_NUMBER:
	case POL_FIELD_DECIMAL:
		(void)snprintf(value, sizeof(value), "%" PRIu64, field->number);
		return put_pair(o, field->name, value);
	case POL_FIELD_RIGHTS:
		pol_rights_text(field->number, value);
		return put_pair(o, field->name, value[0] ? value : "none");
	case POL_FIELD_YES:
		return put_pair(o, field->name, "true");
	}
}

static void put_suffixed(struct pol_flatw *o, enum pol_fact fact, const char *suffix)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s%s", pol_fact_name(fact), suffix);
	put_pair(o, name, "true");
}

/* The hex of the whole text, not of what was kept of it: as much as has room. */
static void put_hex(struct pol_flatw *o, enum pol_fact fact)
{
	const struct pol_event_text *text = &o->facts->text[fact];
	size_t len = pol_fact_max(fact, o->level) / 2;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_hex", pol_fact_name(fact));
	begin(o, name);
	for (size_t i = 0; i < text->len && i < len; i++)
		pol_textw_fmt(&o->w, "%02x", (unsigned char)text->data[i]);
	end(o);
	if (text->len > len)
		put_suffixed(o, fact, "_hex_truncated");
}

static void put_marks(struct pol_flatw *o)
{
	for (enum pol_fact fact = 0; fact < POL_FACTS_CNT; fact++) {
		if (o->marks[fact] & POL_TEXTW_CUT)
			put_suffixed(o, fact, "_truncated");
		/* The last name of the path is in the path's bytes. */
		if (o->marks[fact] & POL_TEXTW_LOSSY && fact != POL_FACT_NAME)
			put_hex(o, fact);
	}
}

void pol_flatw_rest(struct pol_flatw *o, unsigned int place)
{
	for (size_t i = 0; i < o->facts->field_cnt; i++)
		if (!(o->facts->field[i].places & place))
			put_field(o, &o->facts->field[i]);
	put_marks(o);
}

int pol_flatw_line(const struct pol_facts *facts, const struct pol_flat_syntax *syntax,
		   void (*put)(struct pol_flatw *o), char *buf, size_t size)
{
	int len = -ENOSPC;

	/* A newline may follow. */
	if (size > POL_EVENT_LINE_SIZE - 1)
		size = POL_EVENT_LINE_SIZE - 1;
	for (unsigned int level = 0; level < POL_FACT_LEVELS && len < 0; level++) {
		struct pol_flatw o = { .syntax = syntax, .facts = facts, .level = level };

		pol_textw_init(&o.w, buf, size);
		put(&o);
		len = pol_textw_finish(&o.w);
	}
	return len;
}
