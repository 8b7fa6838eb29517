/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_cef.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_facts.h"
#include "event_flatw.h"
#include "version.h"
#include "words.h"

/* Lengths of the dictionary (CEF implementation standard, version 27). */
#define DVCHOST_MAX 100
#define VALUE_MAX   1023

/* A backslash and "=" in a value are escaped, as are the two line ends; other controls cannot be. */
static size_t escape(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy)
{
	static const char plain[] = "\\=\n\r";
	static const char letter[] = "\\=nr";
	const char *hit = n && c && c < 0x80 ? strchr(plain, (int)c) : NULL;

	if (!hit)
		return pol_textw_clean(p, n, c, out, lossy);
	out[0] = '\\';
	out[1] = letter[hit - plain];
	return 2;
}

/* "rule_path" -> " policydRulePath=" */
static void begin_own(struct pol_flatw *o, const char *name)
{
	bool upper = true;

	pol_textw_put(&o->w, " " POL_PRODUCT);
	for (; *name; name++) {
		const char c = (char)(upper ? toupper((unsigned char)*name) : *name);

		upper = *name == '_';
		if (!upper)
			pol_textw_put_len(&o->w, &c, 1);
	}
	pol_textw_put(&o->w, "=");
}

static const struct pol_flat_syntax syntax = {
	.begin = begin_own,
	.escape = escape,
	.no_edge_spaces = true,
};

static void put_word(struct pol_flatw *o, const char *key, const char *word)
{
	if (word && word[0])
		pol_textw_fmt(&o->w, " %s=%s", key, word);
}

static void put_number(struct pol_flatw *o, const char *key, uint64_t number)
{
	pol_textw_fmt(&o->w, " %s=%" PRIu64, key, number);
}

static void put_ms(struct pol_flatw *o, const char *key, int64_t ns)
{
	pol_textw_fmt(&o->w, " %s=%" PRId64, key, ns / 1000000 - (ns % 1000000 < 0));
}

static void put_text(struct pol_flatw *o, const char *key, enum pol_fact fact, size_t most)
{
	/* An empty value would be read as part of what follows by some. */
	if (!o->facts->text[fact].data || !o->facts->text[fact].len)
		return;
	pol_textw_fmt(&o->w, " %s=", key);
	pol_flatw_value(o, fact, most);
}

/* "cs1Label=guest cs1=web": a custom string never goes without its label. */
static void put_custom_text(struct pol_flatw *o, const char *key, const char *label,
			    enum pol_fact fact)
{
	if (!o->facts->text[fact].data || !o->facts->text[fact].len)
		return;
	pol_textw_fmt(&o->w, " %sLabel=%s", key, label);
	put_text(o, key, fact, 0);
}

static void put_custom_word(struct pol_flatw *o, const char *key, const char *label,
			    const char *word)
{
	if (!word || !word[0])
		return;
	pol_textw_fmt(&o->w, " %sLabel=%s", key, label);
	put_word(o, key, word);
}

static void put_custom_number(struct pol_flatw *o, const char *key, const char *label,
			      uint64_t number)
{
	pol_textw_fmt(&o->w, " %sLabel=%s", key, label);
	put_number(o, key, number);
}

static void put_header(struct pol_flatw *o)
{
	static const unsigned int severities[] = {
		[POL_LEVEL_INFO] = 2,
		[POL_LEVEL_NOTICE] = 3,
		[POL_LEVEL_WARNING] = 6,
		[POL_LEVEL_ERROR] = 8,
	};

	/* All of it is ours: no "|" and no backslash. */
	pol_textw_fmt(&o->w, "CEF:0|%s|%s|%s|%s|%s|%u|", POL_VENDOR, POL_PRODUCT, POL_VERSION,
		      o->facts->code, o->facts->name, severities[o->facts->level]);
}

static void put_access(struct pol_flatw *o)
{
	const struct pol_facts *facts = o->facts;
	const struct pol_event_access *access = &facts->view->access;
	char missing[POL_RIGHTS_TEXT_SIZE];

	put_word(o, "reason", pol_facts_why(facts));
	put_text(o, "fname", POL_FACT_NAME, VALUE_MAX);
	put_text(o, "filePath", POL_FACT_PATH, VALUE_MAX);
	if (facts->ino[0])
		pol_textw_fmt(&o->w, " fileId=%s:%s", facts->dev, facts->ino);
	put_custom_text(o, "cs2", "rule", POL_FACT_RULE_WHERE);
	if (facts->view->type == POL_TYPE_VIOLATION) {
		pol_rights_text(access->missing, missing);
		put_custom_word(o, "cs3", "missing", missing);
		if (access->repeats)
			put_number(o, "cnt", access->repeats);
	}
	put_custom_word(o, "cs6", "operation", pol_op_word(access->op));
}

static void put_exit(struct pol_flatw *o)
{
	const struct pol_facts *facts = o->facts;

	put_word(o, "reason", pol_facts_why(facts));
	put_ms(o, "end", facts->real_ns);
	if (facts->status >= 0)
		put_custom_number(o, "cn2", "status", (uint64_t)facts->status);
	if (facts->signal > 0)
		put_custom_number(o, "cn3", "signal", (uint64_t)facts->signal);
}

static void put_shadow(struct pol_flatw *o)
{
	const struct pol_event_shadow *event = &o->facts->view->shadow;

	put_word(o, "reason", pol_facts_why(o->facts));
	put_text(o, "fname", POL_FACT_NAME, VALUE_MAX);
	put_text(o, "filePath", POL_FACT_PATH, VALUE_MAX);
	put_custom_word(o, "cs6", "action", pol_shadow_word(event->action));
	put_custom_number(o, "cn2", "size", event->size);
}

static void put_what(struct pol_flatw *o)
{
	const struct pol_event_view *view = o->facts->view;

	switch (view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ALLOW:
	case POL_TYPE_ESCAPE:
		return put_access(o);
	case POL_TYPE_EXIT:
		return put_exit(o);
	case POL_TYPE_CEILING:
		put_custom_word(o, "cs6", "resource", pol_resource_word(view->ceiling.resource));
		put_custom_number(o, "cn2", "now", view->ceiling.now);
		return put_custom_number(o, "cn3", "ceiling", view->ceiling.ceiling);
	case POL_TYPE_LOST:
		put_custom_word(o, "cs6", "of", pol_type_word(view->lost.of));
		return put_custom_number(o, "cn2", "count", view->lost.count);
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		return put_custom_word(o, "cs6", "action", pol_action_word(view->note.action));
	case POL_TYPE_SHADOW:
		return put_shadow(o);
	default:
		return;
	}
}

static void put_process(struct pol_flatw *o)
{
	const struct pol_facts *facts = o->facts;

	if (!facts->view->has_process)
		return;
	if (facts->start[0])
		put_ms(o, "start", facts->start_real_ns);
	put_number(o, "spid", facts->view->process.tgid);
	put_number(o, "suid", facts->view->process.uid);
	put_text(o, "sproc", POL_FACT_EXE, VALUE_MAX);
	put_custom_word(o, "cs4", "processUid", facts->process_uid);
	put_custom_text(o, "cs5", "processName", POL_FACT_COMM);
}

static void put_line(struct pol_flatw *o)
{
	static const char *const outcomes[] = { NULL, "success", "failure" };
	const struct pol_facts *facts = o->facts;
	const struct pol_event_view *view = facts->view;

	put_header(o);
	pol_textw_fmt(&o->w, "cat=%s", pol_type_word(view->type) ? pol_type_word(view->type) : "?");
	put_ms(o, "rt", facts->real_ns);
	put_text(o, "dvchost", POL_FACT_HOST, DVCHOST_MAX);
	put_word(o, "externalId", facts->uid);
	put_word(o, "act", pol_verdict_word(view->verdict));
	put_word(o, "outcome", outcomes[facts->outcome]);
	put_text(o, "msg", POL_FACT_MESSAGE, VALUE_MAX);
	put_custom_text(o, "cs1", "guest", POL_FACT_GUEST);
	if (!view->outside)
		put_custom_number(o, "cn1", "seq", view->seq);
	put_what(o);
	put_process(o);
	pol_flatw_rest(o, POL_IN_CEF);
}

int pol_event_cef(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		  size_t size)
{
	struct pol_facts facts;

	pol_facts_init(&facts, view, ctx);
	return pol_flatw_line(&facts, &syntax, put_line, buf, size);
}
