/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_syslog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_facts.h"
#include "event_flatw.h"
#include "version.h"
#include "words.h"

/* 32473 is the number for documentation (RFC 5612): we have none of our own yet. */
#define SD_ID	     POL_PRODUCT "@32473"
#define APP_MAX	     48
#define HOSTNAME_MAX 255
#define FACILITIES   24
#define TIME_MICRO   26 /* "2026-11-21T01:02:03.123456" */

static const struct pol_syslog_from from_us = { POL_SYSLOG_AUTHPRIV, POL_PRODUCT, 0 };

/* Only these three are escaped in a PARAM-VALUE (6.3.3); a control may stand there, but does not. */
static size_t escape(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy)
{
	if (n != 1 || (c != '"' && c != '\\' && c != ']'))
		return pol_textw_clean(p, n, c, out, lossy);
	out[0] = '\\';
	out[1] = (char)c;
	return 2;
}

static void begin_param(struct pol_flatw *o, const char *name)
{
	pol_textw_fmt(&o->w, " %s=\"", name);
}

static void end_param(struct pol_flatw *o)
{
	pol_textw_put(&o->w, "\"");
}

static const struct pol_flat_syntax syntax = {
	.begin = begin_param,
	.end = end_param,
	.escape = escape,
};

/* PRINTUSASCII, at least one. */
static bool is_word(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (const char *p = text; *p; p++)
		if (*p < 33 || *p > 126)
			return false;
	return len > 0 && len <= max;
}

static unsigned int severity(enum pol_level level)
{
	static const unsigned int severities[] = {
		[POL_LEVEL_INFO] = 6,
		[POL_LEVEL_NOTICE] = 5,
		[POL_LEVEL_WARNING] = 4,
		[POL_LEVEL_ERROR] = 3,
	};

	return severities[level];
}

/*
 * Names and addresses. The RFC takes any PRINTUSASCII, syslog-ng does not: it drops the fields of
 * such a message. Another host is told in the structured data only.
 */
static const char *hostname_of(const struct pol_event_ctx *ctx)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789.-_:";
	const char *host = ctx->host;

	return host && is_word(host, HOSTNAME_MAX) && !host[strspn(host, plain)] ? host : "-";
}

/* "<84>1 TIME HOST APP PID MSGID" */
static int put_header(const struct pol_facts *facts, const struct pol_syslog_from *from, char *buf,
		      size_t size)
{
	const char *type = pol_type_word(facts->view->type);
	char pid[16] = "-";

	if (from->pid)
		(void)snprintf(pid, sizeof(pid), "%u", from->pid);
	return snprintf(buf, size, "<%u>1 %.*sZ %s %s %s %s",
			from->facility * 8 + severity(facts->level), TIME_MICRO, facts->time,
			hostname_of(facts->ctx), from->app, pid, type ? type : "-");
}

static void put_data(struct pol_flatw *o)
{
	const struct pol_facts *facts = o->facts;

	pol_textw_put(&o->w, " [" SD_ID);
	begin_param(o, "code");
	pol_textw_put(&o->w, facts->code);
	end_param(o);
	if (facts->uid[0]) {
		begin_param(o, "event_uid");
		pol_textw_put(&o->w, facts->uid);
		end_param(o);
	}
	pol_flatw_rest(o, 0);
	pol_textw_put(&o->w, "]");
	if (!facts->text[POL_FACT_MESSAGE].data)
		return;
	/* Escaped for people already; nothing in MSG is special. */
	pol_textw_put(&o->w, " ");
	(void)pol_textw_bytes(&o->w, facts->message, strlen(facts->message),
			      pol_fact_max(POL_FACT_MESSAGE, o->level), pol_textw_clean);
}

int pol_event_syslog(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		     const struct pol_syslog_from *from, char *buf, size_t size)
{
	struct pol_facts facts;
	char header[512];
	int len, rest;

	if (!from)
		from = &from_us;
	if (from->facility >= FACILITIES || !from->app || !is_word(from->app, APP_MAX))
		return -EINVAL;
	pol_facts_init(&facts, view, ctx);
	len = put_header(&facts, from, header, sizeof(header));
	if (size > POL_EVENT_LINE_SIZE - 1)
		size = POL_EVENT_LINE_SIZE - 1;
	if ((size_t)len >= size)
		return -ENOSPC;
	memcpy(buf, header, (size_t)len);
	rest = pol_flatw_line(&facts, &syntax, put_data, buf + len, size - (size_t)len);
	return rest < 0 ? rest : len + rest;
}

int pol_syslog_frame(const char *msg, size_t len, char *buf, size_t size)
{
	char count[32];
	int used = snprintf(count, sizeof(count), "%zu ", len);

	if (len == 0)
		return -EINVAL;
	if (len > INT32_MAX / 2 || size < (size_t)used || size - (size_t)used < len)
		return -ENOSPC;
	memcpy(buf, count, (size_t)used);
	memcpy(buf + used, msg, len);
	return used + (int)len;
}
