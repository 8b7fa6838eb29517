/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "textw.h"
#include "words.h"

/* Most bytes of one escaped text. Three of them and the rest stay well under a line's size. */
#define TEXT_MAX 2048

struct out {
	struct pol_textw w;
	bool colour;
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
};

#define put_fmt(o, ...) pol_textw_fmt(&(o)->w, __VA_ARGS__)

static void put_bytes(struct out *o, const char *data, size_t len)
{
	if (pol_textw_bytes(&o->w, data, len, TEXT_MAX, pol_textw_shown) & POL_TEXTW_CUT)
		pol_textw_put(&o->w, "...");
}

static void put_path(struct out *o, const struct pol_event_text *path)
{
	if (!path->data)
		return put_fmt(o, "-");
	if (path->truncated)
		put_fmt(o, ".../");
	put_bytes(o, path->data, path->len);
}

static const char *colour_of(const struct pol_event_view *view)
{
	if (view->type == POL_TYPE_LOST)
		return "\033[35m";
	switch (view->verdict) {
	case POL_VERDICT_DENIED:
	case POL_VERDICT_KILLED:
		return "\033[31m";
	case POL_VERDICT_WOULD_DENY:
	case POL_VERDICT_PRESSURE:
		return "\033[33m";
	default:
		return "";
	}
}

static void put_head(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	const char *colour = o->colour ? colour_of(view) : "";
	const char *verdict = pol_verdict_word(view->verdict);
	const char *type = pol_type_word(view->type);
	const char *name = NULL;
	char when[POL_TIME_SIZE];

	pol_event_time(view, ctx, when);
	if (view->outside)
		name = "-";
	else if (view->guest == POL_GUEST_ENGINE)
		name = "(engine)";
	else if (ctx->guest_name)
		name = ctx->guest_name(ctx->arg, view->generation, view->guest);
	/* Milliseconds are enough to read by: "2026-11-21T01:02:03.123". */
	put_fmt(o, "%.23sZ  ", when);
	if (name)
		put_fmt(o, "%-12.63s", name);
	else
		put_fmt(o, "#%-11" PRIu32, view->guest);
	put_fmt(o, "  %-9s  %s%-10s%s  ", type ? type : "?", colour, verdict ? verdict : "-",
		colour[0] ? "\033[0m" : "");
}

static void put_rights(struct out *o, const char *key, uint32_t mask)
{
	const char *before = key;

	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++) {
		if (!(mask & 1u << bit))
			continue;
		put_fmt(o, "%s%s", before, pol_right_word(bit));
		before = ",";
	}
}

static void put_process(struct out *o)
{
	const struct pol_event_process *process = &o->view->process;

	if (!o->view->has_process)
		return;
	put_fmt(o, "  by ");
	put_bytes(o, process->comm, strnlen(process->comm, sizeof(process->comm)));
	put_fmt(o, "[%" PRIu32 "]", process->tgid);
	if (o->view->exe.data) {
		put_fmt(o, " ");
		put_path(o, &o->view->exe);
	}
}

static void put_reason(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const char *reason = pol_reason_word(view->access.reason);
	struct pol_event_rule rule = { 0 };

	if (!reason)
		return;
	put_fmt(o, "  reason=%s", reason);
	if (!(view->flags & POL_EVENT_HAS_RULE) || !o->ctx->rule ||
	    o->ctx->rule(o->ctx->arg, view->generation, view->access.rule, &rule) < 0 ||
	    !rule.where)
		return;
	put_fmt(o, " (");
	put_bytes(o, rule.where, strlen(rule.where));
	put_fmt(o, ")");
}

static void put_access(struct out *o)
{
	const struct pol_event_access *access = &o->view->access;
	const char *op = pol_op_word(access->op);
	const char *err = pol_errno_name(access->err);

	put_fmt(o, "%-9s  ", op ? op : "?");
	if (o->view->type != POL_TYPE_ESCAPE || o->view->path.data)
		put_path(o, &o->view->path);
	if (o->view->type == POL_TYPE_ALLOW)
		put_rights(o, "  access=", access->access);
	else
		put_rights(o, "  missing=", access->missing);
	put_reason(o);
	if (err)
		put_fmt(o, "  %s", err);
	if (access->repeats)
		put_fmt(o, "  repeats=%" PRIu32, access->repeats);
	put_process(o);
}

/* "fds        256 of 256 (100%)  EMFILE  by sh[71] /usr/bin/dash" */
static void put_ceiling(struct out *o)
{
	const struct pol_event_ceiling *event = &o->view->ceiling;
	const char *resource = pol_resource_word(event->resource);
	const char *err = pol_errno_name(event->err);

	put_fmt(o, "%-9s  %" PRIu64 " of %" PRIu64, resource ? resource : "?", (uint64_t)event->now,
		(uint64_t)event->ceiling);
	if (event->resource != POL_RESOURCE_MEMORY)
		put_fmt(o, " (%" PRIu32 "%%)", event->percent);
	if (err)
		put_fmt(o, "  %s", err);
	put_process(o);
}

static void put_exit(struct out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	const char *cause = pol_cause_word(event->cause);
	uint64_t ms = event->duration_ns / 1000000;
	int code, sig, status = pol_event_status(event, &code, &sig);

	if (sig > 0 && pol_signal_name((uint32_t)sig))
		put_fmt(o, "%s", pol_signal_name((uint32_t)sig));
	else if (sig > 0)
		put_fmt(o, "signal %d", sig);
	else if (code >= 0)
		put_fmt(o, "code %d", code);
	if (status < 0)
		put_fmt(o, "status unknown");
	if (sig > 0 && event->code & 0x80)
		put_fmt(o, " (core)");
	put_fmt(o, "  cause=%s", cause ? cause : "unknown");
	if (event->sender.tgid) {
		put_fmt(o, " from ");
		put_bytes(o, event->sender.comm,
			  strnlen(event->sender.comm, sizeof(event->sender.comm)));
		put_fmt(o, "[%" PRIu32 "]", event->sender.tgid);
	}
	if (event->duration_ns != POL_EXIT_UNKNOWN)
		put_fmt(o, "  after %" PRIu64 ".%03us", ms / 1000, (unsigned int)(ms % 1000));
	put_process(o);
}

/* "stale      /srv/web/lib/a.so  op=open  706904 bytes  exec  by install[812] /usr/bin/install" */
static void put_shadow(struct out *o)
{
	const struct pol_event_shadow *event = &o->view->shadow;
	const char *action = pol_shadow_word(event->action);
	const char *op = pol_op_word(pol_event_shadow_op(event));
	const char *err = pol_errno_name(pol_event_err(o->view));

	put_fmt(o, "%-9s  ", action ? action : "?");
	put_path(o, &o->view->path);
	if (op)
		put_fmt(o, "  op=%s", op);
	put_fmt(o, "  %" PRIu64 " bytes", (uint64_t)event->size);
	if (event->flags & POL_SHADOW_EXEC)
		put_fmt(o, "  exec");
	if (event->flags & POL_SHADOW_LAZY)
		put_fmt(o, "  lazy");
	if (err)
		put_fmt(o, "  %s", err);
	put_process(o);
}

static void put_body(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const char *word;

	switch (view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ESCAPE:
	case POL_TYPE_ALLOW:
		return put_access(o);
	case POL_TYPE_CEILING:
		return put_ceiling(o);
	case POL_TYPE_EXIT:
		return put_exit(o);
	case POL_TYPE_LOST:
		word = pol_type_word(view->lost.of);
		return put_fmt(o, "%" PRIu64 " of %s, numbers %" PRIu64 " to %" PRIu64,
			       view->lost.count, word ? word : "?", view->lost.first,
			       view->lost.last);
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		word = pol_action_word(view->note.action);
		put_fmt(o, "%s  generation=%" PRIu64, word ? word : "?",
			(uint64_t)view->note.generation);
		if (view->note.by_tgid)
			put_fmt(o, "  by uid %" PRIu32 " pid %" PRIu32, view->note.by_uid,
				view->note.by_tgid);
		return;
	case POL_TYPE_SHADOW:
		return put_shadow(o);
	default:
		return put_process(o);
	}
}

int pol_event_text(const struct pol_event_view *view, const struct pol_event_ctx *ctx, bool colour,
		   char *buf, size_t size)
{
	struct out o = { .colour = colour, .view = view, .ctx = ctx };

	pol_textw_init(&o.w, buf, size);
	put_head(&o);
	put_body(&o);
	pol_textw_put(&o.w, "\n");
	return pol_textw_finish(&o.w);
}
