/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "event_cef.h"
#include "event_ecs.h"
#include "event_ocsf.h"
#include "event_syslog.h"
#include "event_text.h"

static int write_text(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      unsigned int flags, char *buf, size_t size)
{
	return pol_event_text(view, ctx, flags & POL_FORMAT_COLOUR, buf, size);
}

static int write_json(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      unsigned int flags, char *buf, size_t size)
{
	(void)flags;
	return pol_event_json(view, ctx, buf, size);
}

static int write_ecs(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		     unsigned int flags, char *buf, size_t size)
{
	(void)flags;
	return pol_event_ecs(view, ctx, buf, size);
}

static int write_ocsf(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      unsigned int flags, char *buf, size_t size)
{
	(void)flags;
	return pol_event_ocsf(view, ctx, buf, size);
}

/* A newline behind what has none. */
static int end_line(int len, char *buf, size_t size)
{
	if (len < 0)
		return len;
	if ((size_t)len + 2 > size)
		return -ENOSPC;
	buf[len] = '\n';
	buf[len + 1] = '\0';
	return len + 1;
}

static int write_cef(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		     unsigned int flags, char *buf, size_t size)
{
	(void)flags;
	return end_line(pol_event_cef(view, ctx, buf, size), buf, size);
}

static int write_syslog(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
			unsigned int flags, char *buf, size_t size)
{
	(void)flags;
	return end_line(pol_event_syslog(view, ctx, NULL, buf, size), buf, size);
}

static const struct pol_format formats[] = {
	{ "text", write_text, "####-##-##T", POL_EVENT_LINE_SIZE },
	{ "json", write_json, "{\"schema\":\"policyctl/v1\",", POL_EVENT_LINE_SIZE },
	{ "ecs", write_ecs, "{\"@timestamp\":\"", POL_EVENT_LINE_SIZE },
	{ "ocsf", write_ocsf, "{\"category_uid\":", POL_EVENT_LINE_SIZE },
	{ "cef", write_cef, "CEF:0|policy|policyd|", POL_EVENT_LINE_SIZE },
	{ "syslog", write_syslog, "<##>1 ", POL_EVENT_LINE_SIZE },
};

const struct pol_format *pol_format_at(size_t index)
{
	return index < ARRAY_SIZE(formats) ? &formats[index] : NULL;
}

static bool begins_as(const char *begins, const char *text, size_t len)
{
	for (size_t i = 0; i < len && begins[i]; i++)
		if (begins[i] == '#' ? text[i] < '0' || text[i] > '9' : text[i] != begins[i])
			return false;
	return true;
}

bool pol_format_begins(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (begins_as(formats[i].begins, text, len))
			return true;
	return false;
}

const struct pol_format *pol_format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
