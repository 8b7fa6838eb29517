/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_journal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_facts.h"
#include "version.h"
#include "words.h"

#define TEXT_MAX POL_PATH_LARGE

/* MESSAGE_ID: a kind of message for ever; formats.rst lists them. Made by `systemd-id128 new`. */
static const char *const message_ids[POL_TYPES_CNT] = {
	[POL_TYPE_VIOLATION] = "2e570ece47ed44a29891b9603cbe425f",
	[POL_TYPE_CEILING] = "cbe687fd22f247e1883ff412be2739c6",
	[POL_TYPE_EXIT] = "cd32da5db73e41789ea02cfcd4ea84bf",
	[POL_TYPE_LOST] = "07588a37fcaa40e3b11c69a7d1c5277e",
	[POL_TYPE_GUEST] = "4378b1ec7f224a6a8009c2ae9601d4b0",
	[POL_TYPE_POLICY] = "3d304e60cbd5406c9a1027733274d0a4",
	[POL_TYPE_ESCAPE] = "57c514076fb448bcab70d7d1e960b699",
	[POL_TYPE_ALLOW] = "02ff7e2407514dab8aef92c049600062",
	[POL_TYPE_SHADOW] = "7eaa504b7d97456391df5cfa21847d27",
	[POL_TYPE_EXEC] = "bbd71155364f4a089c6f5b75371fa787",
	[POL_TYPE_FORK] = "2077dd8e3e68470c8d9773e546e434cb",
};

/* A field being written: begin, append..., end. */
static int begin(struct pol_journal *j, const char *name)
{
	if (j->iov_cnt >= POL_JOURNAL_FIELDS_MAX)
		return -ENOSPC;
	j->iov[j->iov_cnt].iov_base = j->buf + j->used;
	j->iov[j->iov_cnt].iov_len = 0;
	return name[0] ? 0 : -EINVAL;
}

static int append(struct pol_journal *j, const void *data, size_t len)
{
	if (len > sizeof(j->buf) - j->used)
		return -ENOSPC;
	memcpy(j->buf + j->used, data, len);
	j->used += len;
	j->iov[j->iov_cnt].iov_len += len;
	return 0;
}

static int put(struct pol_journal *j, const char *name, const void *data, size_t len)
{
	int r = begin(j, name);

	if (r == 0)
		r = append(j, name, strlen(name));
	if (r == 0)
		r = append(j, "=", 1);
	if (r == 0)
		r = append(j, data, len);
	if (r == 0)
		j->iov_cnt++;
	return r;
}

static int put_word(struct pol_journal *j, const char *name, const char *word)
{
	return word && word[0] ? put(j, name, word, strlen(word)) : 0;
}

static int put_number(struct pol_journal *j, const char *name, uint64_t number)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	return put_word(j, name, digits);
}

/* "rule_path" -> "POLICYD_RULE_PATH" */
static void own_name(const char *name, const char *suffix, char buf[64])
{
	(void)snprintf(buf, 64, "%s_%s%s", POL_PRODUCT, name, suffix);
	for (char *p = buf; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

static int put_text(struct pol_journal *j, const struct pol_facts *facts, const char *field,
		    enum pol_fact fact)
{
	const struct pol_event_text text = pol_fact_text(facts, fact, TEXT_MAX);
	const bool cut = text.truncated || text.len > TEXT_MAX;
	char name[64];
	int r;

	own_name(field, "", name);
	r = put(j, name, text.data, text.len > TEXT_MAX ? TEXT_MAX : text.len);
	if (r < 0 || !cut)
		return r;
	own_name(field, "_TRUNCATED", name);
	return put_word(j, name, "true");
}

static int put_field(struct pol_journal *j, const struct pol_facts *facts,
		     const struct pol_field *field)
{
	char name[64], rights[POL_RIGHTS_TEXT_SIZE];

	own_name(field->name, "", name);
	switch (field->kind) {
	case POL_FIELD_TEXT:
		return put_text(j, facts, field->name, field->text);
	case POL_FIELD_WORD:
		return put_word(j, name, field->word);
	case POL_FIELD_NUMBER:
	case POL_FIELD_DECIMAL:
		return put_number(j, name, field->number);
	case POL_FIELD_RIGHTS:
		pol_rights_text(field->number, rights);
		return put_word(j, name, rights[0] ? rights : "none");
	case POL_FIELD_YES:
		return put_word(j, name, "true");
	}
	return 0;
}

static int put_known(struct pol_journal *j, const struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const char *id = view->type < POL_TYPES_CNT ? message_ids[view->type] : NULL;
	int r = put_word(j, "MESSAGE", facts->message);

	if (r == 0)
		r = put_word(j, "MESSAGE_ID", id);
	if (r == 0)
		r = put_number(j, "PRIORITY", 6 - (unsigned int)facts->level);
	if (r == 0)
		r = put_word(j, "SYSLOG_IDENTIFIER", POL_PRODUCT);
	if (r == 0)
		r = put_number(j, "SYSLOG_FACILITY", 10); /* authpriv */
	if (r == 0 && pol_event_err(view))
		r = put_number(j, "ERRNO", pol_event_err(view));
	if (r == 0)
		r = put_word(j, "POLICYD_TYPE", pol_type_word(view->type));
	if (r == 0)
		r = put_word(j, "POLICYD_CODE", facts->code);
	if (r == 0)
		r = put_word(j, "POLICYD_EVENT_UID", facts->uid);
	if (r == 0)
		r = put_word(j, "POLICYD_TIME", facts->time);
	return r;
}

int pol_event_journal(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      struct pol_journal *ret)
{
	struct pol_facts facts;
	int r;

	ret->iov_cnt = 0;
	ret->used = 0;
	pol_facts_init(&facts, view, ctx);
	r = put_known(ret, &facts);
	for (size_t i = 0; r == 0 && i < facts.field_cnt; i++)
		r = put_field(ret, &facts, &facts.field[i]);
	return r;
}
