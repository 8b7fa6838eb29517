/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "jsonw.h"
#include "words.h"

/**
 * struct caps - most bytes of each escaped text, or hex digits. The first row is the contract's;
 * the others are for a line in which everything is long at once: still one line under the limit.
 */
struct caps {
	size_t path;
	size_t hex;
	size_t rule_path;
	size_t exe;
	size_t parent_exe;
	size_t small; /* texts without a limit of their own: host, where, names, cgroup */
	bool suggest;
};

static const struct caps levels[] = {
	{ 2048, 2048, 512, 512, 256, 256, true },
	{ 2048, 2048, 512, 512, 256, 256, false },
	{ 1024, 1024, 256, 256, 256, 128, false },
	{ 256, 256, 128, 128, 128, 64, false },
};

struct out {
	struct pol_jsonw w;
	const struct caps *caps;
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
};

static void put_rights(struct pol_jsonw *w, const char *key, uint32_t mask)
{
	pol_jsonw_key(w, key);
	pol_jsonw_open(w, '[');
	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++)
		if (mask & 1u << bit)
			pol_jsonw_text(w, pol_right_word(bit));
	pol_jsonw_close(w, ']');
}

static void put_word(struct pol_jsonw *w, const char *key, const char *word)
{
	pol_jsonw_key(w, key);
	pol_jsonw_text(w, word);
}

static void put_truncated(struct pol_jsonw *w, const char *key)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s_truncated", key);
	pol_jsonw_key(w, name);
	pol_jsonw_bool(w, true);
}

static void put_hex(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_hex", key);
	pol_jsonw_key(w, name);
	if (pol_jsonw_hex(w, data, len, max))
		put_truncated(w, name);
}

/*
 * "key": the text or null, cut at @max; "key_truncated" only where it is, here or (@cut) before, and
 * "key_hex", the exact bytes, only where the text cannot have them.
 */
static void put_bytes(struct pol_jsonw *w, const char *key, const char *data, size_t len,
		      size_t max, bool cut)
{
	unsigned int flags = 0;

	pol_jsonw_key(w, key);
	if (data)
		flags = pol_jsonw_bytes(w, data, len, max);
	else
		pol_jsonw_null(w);
	if (cut || flags & POL_JSONW_CUT)
		put_truncated(w, key);
	if (flags & POL_JSONW_LOSSY)
		put_hex(w, key, data, len, max);
}

static void put_small(struct out *o, const char *key, const char *text)
{
	put_bytes(&o->w, key, text, text ? strlen(text) : 0, o->caps->small, false);
}

static void put_guest(struct out *o, uint64_t generation)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *name = NULL;

	if (ctx->guest_name && view->guest != POL_GUEST_ENGINE)
		name = ctx->guest_name(ctx->arg, generation, view->guest);
	pol_jsonw_key(w, "guest");
	pol_jsonw_open(w, '{');
	put_small(o, "name", name);
	pol_jsonw_key(w, "id");
	pol_jsonw_uint(w, view->guest);
	pol_jsonw_key(w, "seq");
	pol_jsonw_uint(w, view->seq);
	pol_jsonw_close(w, '}');
}

static void put_policy(struct out *o, uint64_t generation)
{
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "policy");
	pol_jsonw_open(w, '{');
	pol_jsonw_key(w, "generation");
	pol_jsonw_uint(w, generation);
	put_small(o, "sha256", ctx->sha256 ? ctx->sha256(ctx->arg, generation) : NULL);
	pol_jsonw_close(w, '}');
}

static void put_head(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	uint64_t generation =
		view->type == POL_TYPE_POLICY ? view->note.generation : view->generation;
	struct pol_jsonw *w = &o->w;
	char when[64];

	pol_event_time(view, ctx, when, sizeof(when));
	put_word(w, "schema", "policyctl/v1");
	put_word(w, "type", pol_type_word(view->type));
	put_word(w, "time", when);
	pol_jsonw_key(w, "boot_ns");
	pol_jsonw_u64_text(w, view->boot_ns);
	put_small(o, "host", ctx->host);
	put_small(o, "boot_id", ctx->boot_id);
	if (view->outside) {
		put_word(w, "guest", NULL);
		put_word(w, "policy", NULL);
		return;
	}
	put_guest(o, generation);
	put_policy(o, generation);
}

static size_t comm_len(const char comm[POL_COMM_SIZE])
{
	return strnlen(comm, POL_COMM_SIZE);
}

static void put_exe(struct pol_jsonw *w, const struct pol_event_text *exe, size_t max)
{
	put_bytes(w, "exe", exe->data, exe->len, max, exe->truncated);
}

static void put_parent(struct out *o)
{
	const struct pol_event_process *process = &o->view->process;
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "parent");
	if (!process->parent_tgid) {
		pol_jsonw_null(w);
		return;
	}
	pol_jsonw_open(w, '{');
	pol_jsonw_key(w, "pid");
	pol_jsonw_uint(w, process->parent_tgid);
	put_bytes(w, "comm", process->parent_comm, comm_len(process->parent_comm), 0, false);
	put_exe(w, &o->view->parent_exe, o->caps->parent_exe);
	pol_jsonw_close(w, '}');
}

static void put_process(struct out *o)
{
	const struct pol_event_process *process = &o->view->process;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "process");
	if (!o->view->has_process) {
		pol_jsonw_null(w);
		return;
	}
	pol_jsonw_open(w, '{');
	pol_jsonw_key(w, "pid");
	pol_jsonw_uint(w, process->tgid);
	pol_jsonw_key(w, "tid");
	pol_jsonw_uint(w, process->tid);
	pol_jsonw_key(w, "start_ns");
	pol_jsonw_u64_text(w, process->start_ns);
	pol_jsonw_key(w, "uid");
	pol_jsonw_uint(w, process->uid);
	pol_jsonw_key(w, "gid");
	pol_jsonw_uint(w, process->gid);
	put_bytes(w, "comm", process->comm, comm_len(process->comm), 0, false);
	put_exe(w, &o->view->exe, o->caps->exe);
	put_small(o, "cgroup", ctx->cgroup ? ctx->cgroup(ctx->arg, process->cgroup) : NULL);
	put_parent(o);
	pol_jsonw_close(w, '}');
}

/* path, path_truncated, and the exact bytes where the text can't have them. */
static void put_path(struct out *o)
{
	const struct pol_event_text kept = pol_event_tail(&o->view->path, o->caps->path);
	const struct pol_event_text *path = &kept;
	struct pol_jsonw *w = &o->w;
	bool cut = path->truncated;

	pol_jsonw_key(w, "path");
	if (!path->data)
		pol_jsonw_null(w);
	else if (pol_jsonw_bytes(w, path->data, path->len, o->caps->path) & POL_JSONW_CUT)
		cut = true;
	pol_jsonw_key(w, "path_truncated");
	pol_jsonw_bool(w, cut);
	if (!path->data || pol_char_valid(path->data, path->len))
		return;
	put_hex(w, "path", path->data, path->len, o->caps->hex);
}

static void put_object(struct out *o)
{
	const struct pol_inode_key *inode = &o->view->access.inode;
	bool known = inode->ino || inode->dev;
	struct pol_jsonw *w = &o->w;
	char dev[32];

	put_path(o);
	put_word(w, "guest_path", NULL);
	(void)snprintf(dev, sizeof(dev), "%u:%u", inode->dev >> 20, inode->dev & 0xfffff);
	put_word(w, "dev", known ? dev : NULL);
	pol_jsonw_key(w, "ino");
	if (known)
		pol_jsonw_u64_text(w, inode->ino);
	else
		pol_jsonw_null(w);
}

static void put_rule(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_event_rule rule = { 0 };
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "rule");
	if (!pol_event_has_rule(view)) {
		pol_jsonw_null(w);
		return;
	}
	/* A generation that is gone: the kernel's own words, id and rights, are still known. */
	if (!ctx->rule || ctx->rule(ctx->arg, view->generation, view->access.rule, &rule) < 0)
		rule = (struct pol_event_rule){ 0 };
	pol_jsonw_open(w, '{');
	pol_jsonw_key(w, "id");
	pol_jsonw_uint(w, view->access.rule);
	put_small(o, "name", rule.name);
	put_small(o, "where", rule.where);
	put_bytes(w, "path", rule.path, rule.path_len, o->caps->rule_path, false);
	put_rights(w, "access", view->access.rule_access);
	pol_jsonw_close(w, '}');
}

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

int pol_event_suggest(const struct pol_event_view *view, char *buf, size_t size)
{
	const struct pol_event_text *path = &view->path;
	uint32_t rights = suggest_rights(view) & POL_RIGHTS_ALL;
	const char *before = "";
	struct pol_jsonw w;
	unsigned int cut;

	if (!path->data || path->data[0] != '/' || path->truncated || !rights)
		return -ENODATA;
	pol_jsonw_init(&w, buf, size);
	if (toml_text(path)) {
		pol_jsonw_raw(&w, "{ path = ");
		cut = pol_jsonw_bytes(&w, path->data, path->len, levels[0].path);
	} else {
		pol_jsonw_raw(&w, "{ path_hex = ");
		cut = pol_jsonw_hex(&w, path->data, path->len, levels[0].hex);
	}
	if (cut & POL_JSONW_CUT)
		return -ENODATA;
	pol_jsonw_raw(&w, ", access = [");
	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++) {
		if (!(rights & 1u << bit))
			continue;
		pol_jsonw_raw(&w, before);
		pol_jsonw_text(&w, pol_right_word(bit));
		before = ", ";
	}
	pol_jsonw_raw(&w, "] }");
	return pol_jsonw_finish(&w);
}

static void put_suggest(struct out *o)
{
	char line[POL_EVENT_LINE_SIZE];
	int len = -ENODATA;

	if (o->caps->suggest)
		len = pol_event_suggest(o->view, line, sizeof(line));
	put_bytes(&o->w, "suggest", len > 0 ? line : NULL, len > 0 ? (size_t)len : 0, 0, false);
}

static void put_errno(struct out *o, uint32_t err)
{
	put_word(&o->w, "errno", pol_errno_name(err));
}

static void put_violation(struct out *o)
{
	const struct pol_event_access *access = &o->view->access;
	struct pol_jsonw *w = &o->w;

	put_word(w, "verdict", pol_verdict_word(o->view->verdict));
	put_errno(o, access->err);
	put_rights(w, "access", access->access);
	put_rights(w, "missing", access->missing);
	put_word(w, "op", pol_op_word(access->op));
	put_word(w, "hook", pol_hook_word(access->hook));
	put_object(o);
	put_rule(o);
	put_word(w, "reason", pol_reason_word(access->reason));
	put_suggest(o);
	put_process(o);
	pol_jsonw_key(w, "repeats");
	pol_jsonw_uint(w, access->repeats);
}

static void put_escape(struct out *o)
{
	put_process(o);
	put_word(&o->w, "verdict", pol_verdict_word(o->view->verdict));
	put_word(&o->w, "op", pol_op_word(o->view->access.op));
	put_errno(o, o->view->access.err);
}

static void put_allow(struct out *o)
{
	put_process(o);
	put_word(&o->w, "verdict", pol_verdict_word(o->view->verdict));
	put_rights(&o->w, "access", o->view->access.access);
	put_word(&o->w, "op", pol_op_word(o->view->access.op));
	put_path(o);
}

static void put_int_or_null(struct pol_jsonw *w, const char *key, int value)
{
	pol_jsonw_key(w, key);
	if (value < 0)
		pol_jsonw_null(w);
	else
		pol_jsonw_uint(w, (uint64_t)value);
}

static void put_u64(struct pol_jsonw *w, const char *key, uint64_t value)
{
	pol_jsonw_key(w, key);
	pol_jsonw_uint(w, value);
}

static void put_known(struct pol_jsonw *w, const char *key, uint64_t value)
{
	if (value == POL_EXIT_UNKNOWN)
		put_word(w, key, NULL);
	else
		put_u64(w, key, value);
}

static void put_known_ns(struct pol_jsonw *w, const char *key, uint64_t value)
{
	pol_jsonw_key(w, key);
	if (value == POL_EXIT_UNKNOWN)
		pol_jsonw_null(w);
	else
		pol_jsonw_u64_text(w, value);
}

/* Memory is the kernel's own count, not the engine's: no percent (events.md). */
static void put_ceiling(struct out *o)
{
	const struct pol_event_ceiling *event = &o->view->ceiling;
	struct pol_jsonw *w = &o->w;

	put_process(o);
	put_word(w, "verdict", pol_verdict_word(o->view->verdict));
	put_word(w, "resource", pol_resource_word(event->resource));
	put_u64(w, "now", event->now);
	put_u64(w, "ceiling", event->ceiling);
	if (event->resource == POL_RESOURCE_MEMORY)
		put_word(w, "percent", NULL);
	else
		put_u64(w, "percent", event->percent);
	put_errno(o, event->err);
}

static void put_sender(struct out *o, const struct pol_sender *sender)
{
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *guest = NULL;

	pol_jsonw_key(w, "sender");
	if (!sender->tgid) {
		pol_jsonw_null(w);
		return;
	}
	if (ctx->guest_name && sender->guest != POL_GUEST_ENGINE)
		guest = ctx->guest_name(ctx->arg, o->view->generation, sender->guest);
	pol_jsonw_open(w, '{');
	put_u64(w, "pid", sender->tgid);
	put_bytes(w, "comm", sender->comm, comm_len(sender->comm), 0, false);
	put_word(w, "guest", guest);
	pol_jsonw_close(w, '}');
}

static void put_cause(struct out *o, const struct pol_event_exit *event)
{
	const char *cause = pol_cause_word(event->cause);
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "cause");
	pol_jsonw_open(w, '{');
	put_word(w, "kind", cause ? cause : "unknown");
	put_sender(o, &event->sender);
	pol_jsonw_close(w, '}');
}

static void put_exit(struct out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	struct pol_jsonw *w = &o->w;
	int code, sig, status = pol_event_status(event, &code, &sig);

	put_process(o);
	put_int_or_null(w, "exit_code", code);
	put_int_or_null(w, "signal", sig);
	pol_jsonw_key(w, "core");
	pol_jsonw_bool(w, sig > 0 && event->code & 0x80);
	put_int_or_null(w, "status", status);
	put_known_ns(w, "duration_ns", event->duration_ns);
	put_cause(o, event);
	put_known_ns(w, "utime_ns", event->utime_ns);
	put_known_ns(w, "stime_ns", event->stime_ns);
	put_known(w, "maxrss_bytes", event->maxrss_bytes);
	put_known(w, "minflt", event->minflt);
	put_known(w, "majflt", event->majflt);
	put_known(w, "read_bytes", event->read_bytes);
	put_known(w, "write_bytes", event->write_bytes);
	if (event->fds_peak == POL_NO_CEILING)
		put_word(w, "fds_peak", NULL);
	else
		put_u64(w, "fds_peak", event->fds_peak);
}

static void put_lost(struct out *o)
{
	put_word(&o->w, "of", pol_type_word(o->view->lost.of));
	put_u64(&o->w, "count", o->view->lost.count);
	put_u64(&o->w, "first", o->view->lost.first);
	put_u64(&o->w, "last", o->view->lost.last);
}

static void put_note(struct out *o)
{
	const struct pol_event_note *note = &o->view->note;
	struct pol_jsonw *w = &o->w;

	if (o->view->has_process)
		put_process(o);
	put_word(w, "action", pol_action_word(note->action));
	if (o->view->type != POL_TYPE_POLICY)
		return;
	pol_jsonw_key(w, "by");
	pol_jsonw_open(w, '{');
	put_u64(w, "uid", note->by_uid);
	put_u64(w, "pid", note->by_tgid);
	pol_jsonw_close(w, '}');
}

/* shadow, exec, fork: no body yet in this ABI version. */
static void put_plain(struct out *o)
{
	const char *verdict = pol_verdict_word(o->view->verdict);

	if (o->view->has_process)
		put_process(o);
	if (verdict)
		put_word(&o->w, "verdict", verdict);
}

static void put_body(struct out *o)
{
	switch (o->view->type) {
	case POL_TYPE_VIOLATION:
		return put_violation(o);
	case POL_TYPE_ESCAPE:
		return put_escape(o);
	case POL_TYPE_ALLOW:
		return put_allow(o);
	case POL_TYPE_CEILING:
		return put_ceiling(o);
	case POL_TYPE_EXIT:
		return put_exit(o);
	case POL_TYPE_LOST:
		return put_lost(o);
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		return put_note(o);
	default:
		return put_plain(o);
	}
}

int pol_event_json(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		   size_t size)
{
	int len = -ENOSPC;

	if (size > POL_EVENT_LINE_SIZE)
		size = POL_EVENT_LINE_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(levels) && len < 0; i++) {
		struct out o = { .caps = &levels[i], .view = view, .ctx = ctx };

		pol_jsonw_init(&o.w, buf, size);
		pol_jsonw_open(&o.w, '{');
		put_head(&o);
		put_body(&o);
		pol_jsonw_close(&o.w, '}');
		pol_jsonw_raw(&o.w, "\n");
		len = pol_jsonw_finish(&o.w);
	}
	return len;
}
