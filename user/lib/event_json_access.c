/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Violations, escapes and allowed accesses. */
#include "decimal.h"
#include "event_json_int.h"
#include "event_suggest.h"

static uint64_t pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

/* What was asked and what became of it, up to the path, which has nothing to do with it. */
static bool write_refused(struct pol_json_out *o)
{
	const struct pol_event_access *access = &o->view->access;
	struct pol_jsonw *w = &o->w;

	put_word(w, "verdict", pol_verdict_word(o->view->verdict));
	put_errno(o, access->err);
	put_rights(w, "access", access->access);
	put_rights(w, "missing", access->missing);
	put_word(w, "op", pol_op_word(access->op));
	put_word(w, "hook", pol_hook_word(access->hook));
	pol_jsonw_key(w, "path");
	return true;
}

static void put_refused(struct pol_json_out *o)
{
	const struct pol_event_access *access = &o->view->access;

	pol_json_piece(o, POL_JSON_PLACE(o, refused, access->op),
		       (struct pol_piece_key){ { pair(o->view->verdict, access->err),
						 pair(access->access, access->missing),
						 pair(access->op, access->hook) } },
		       write_refused);
}

void pol_json_path(struct pol_json_out *o)
{
	const struct pol_event_text *path = &o->view->path;
	struct pol_jsonw *w = &o->w;
	const char *from = w->p;
	struct pol_event_text tail;
	unsigned int flags;

	if (path->truncated) {
		tail = pol_event_tail(path, o->caps->path);
		path = &tail;
	}
	flags = put_value(w, path->data, path->len, o->caps->path);
	/* Whatever is escaped is longer. */
	o->plain = !flags && w->p == from + path->len + 2;
	pol_jsonw_key(w, "path_truncated");
	pol_jsonw_bool(w, path->truncated || flags & POL_JSONW_CUT);
	if (flags & POL_JSONW_CUT && !pol_char_valid(path->data, path->len))
		flags |= POL_JSONW_LOSSY; /* what was cut off is in the bytes */
	if (flags & POL_JSONW_LOSSY)
		pol_json_hex(w, "path", path->data, path->len, o->caps->hex);
}

/* Up to the inode's number. */
static bool write_device(struct pol_json_out *o)
{
	const uint64_t number = o->view->access.inode.dev;
	struct pol_jsonw *w = &o->w;
	char dev[2 * POL_DECIMAL_ROOM + 2];
	size_t len;

	put_null(w, "guest_path");
	len = pol_decimal_put(dev, number >> 20);
	dev[len++] = ':';
	len += pol_decimal_put(dev + len, number & 0xfffff);
	dev[len] = '\0';
	put_text(w, "dev", dev);
	pol_jsonw_key(w, "ino");
	return true;
}

/* Behind "path": */
static void put_object(struct pol_json_out *o)
{
	const struct pol_inode_key *inode = &o->view->access.inode;
	struct pol_jsonw *w = &o->w;

	pol_json_path(o);
	if (!inode->ino && !inode->dev) {
		put_null(w, "guest_path");
		put_null(w, "dev");
		put_null(w, "ino");
		return;
	}
	pol_json_piece(o, POL_JSON_PLACE(o, devices, inode->dev),
		       (struct pol_piece_key){ { inode->dev } }, write_device);
	pol_jsonw_u64_text(w, inode->ino);
}

/* Return: whether its names are known. */
static bool put_rule_value(struct pol_json_out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_event_rule rule = { 0 };
	struct pol_jsonw *w = &o->w;
	bool known;

	/* A generation that is gone: the kernel's own words, id and rights, are still known. */
	known = ctx->rule && !ctx->rule(ctx->arg, view->generation, view->access.rule, &rule);
	if (!known)
		rule = (struct pol_event_rule){ 0 };
	pol_jsonw_open(w, '{');
	put_u64(w, "id", view->access.rule);
	put_small(o, "name", rule.name);
	put_small(o, "where", rule.where);
	put_bytes(w, "path", rule.path, rule.path_len, o->caps->rule_path, false);
	put_rights(w, "access", view->access.rule_access);
	pol_jsonw_close(w, '}');
	return known;
}

/* With the reason, and up to the suggestion, where there are such. */
static bool write_rule(struct pol_json_out *o)
{
	const struct pol_event_view *view = o->view;
	struct pol_jsonw *w = &o->w;
	bool known = true;

	pol_jsonw_key(w, "rule");
	if (pol_event_has_rule(view))
		known = put_rule_value(o);
	else
		pol_jsonw_null(w);
	if (view->type == POL_TYPE_VIOLATION) {
		put_word(w, "reason", pol_reason_word(view->access.reason));
		pol_jsonw_key(w, "suggest");
	}
	return known;
}

static void put_rule(struct pol_json_out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_access *access = &view->access;
	uint32_t form = view->type << 1 | pol_event_has_rule(view);

	pol_json_piece(o, POL_JSON_PLACE(o, rules, access->rule),
		       (struct pol_piece_key){ { view->generation, pair(access->rule, form),
						 pair(access->rule_access, access->reason) } },
		       write_rule);
}

static bool write_suggest_end(struct pol_json_out *o)
{
	pol_suggest_end(&o->w, pol_suggest_rights(o->view));
	return true;
}

static void put_suggest(struct pol_json_out *o)
{
	uint32_t rights = o->caps->suggest ? pol_suggest_rights(o->view) : 0;

	if (!rights)
		return pol_jsonw_null(&o->w);
	if (!o->plain)
		return pol_suggest_put(&o->w, o->view);
	pol_suggest_begin(&o->w, &o->view->path);
	pol_json_piece(o, POL_JSON_PLACE(o, suggests, rights), (struct pol_piece_key){ { rights } },
		       write_suggest_end);
}

void pol_json_violation(struct pol_json_out *o)
{
	put_refused(o);
	put_object(o);
	put_rule(o);
	put_suggest(o);
	pol_json_process(o);
	put_u64(&o->w, "repeats", o->view->access.repeats);
}

void pol_json_escape(struct pol_json_out *o)
{
	pol_json_process(o);
	put_word(&o->w, "verdict", pol_verdict_word(o->view->verdict));
	put_word(&o->w, "op", pol_op_word(o->view->access.op));
	put_errno(o, o->view->access.err);
}

void pol_json_allow(struct pol_json_out *o)
{
	struct pol_jsonw *w = &o->w;

	pol_json_process(o);
	put_word(w, "verdict", pol_verdict_word(o->view->verdict));
	put_rights(w, "access", o->view->access.access);
	put_word(w, "op", pol_op_word(o->view->access.op));
	put_word(w, "hook", pol_hook_word(o->view->access.hook));
	pol_jsonw_key(w, "path");
	put_object(o);
	put_rule(o);
}
