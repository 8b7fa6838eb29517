/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "decimal.h"
#include "event_pieces.h"
#include "event_suggest.h"
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

/* A member of a constant key: inlined, for the key's length to be the compiler's to count. */
#define KEYED(name) static inline __attribute__((always_inline)) void name

struct out {
	struct pol_jsonw w;
	const struct caps *caps;
	struct pol_pieces *pieces; /* NULL: not for lines that are cut shorter */
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
	bool plain; /* the path, once it is written: there was nothing to escape */
};

/* @word: of words.h, or NULL. */
static void put_word_value(struct pol_jsonw *w, const char *text)
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

static void put_right_words(struct pol_jsonw *w, uint32_t mask)
{
	pol_jsonw_open(w, '[');
	for (mask &= POL_RIGHTS_ALL; mask; mask &= mask - 1)
		put_word_value(w, pol_right_word((unsigned int)__builtin_ctz(mask)));
	pol_jsonw_close(w, ']');
}

KEYED(put_rights)(struct pol_jsonw *w, const char *key, uint32_t mask)
{
	pol_jsonw_key(w, key);
	put_right_words(w, mask);
}

KEYED(put_word)(struct pol_jsonw *w, const char *key, const char *word)
{
	pol_jsonw_key(w, key);
	put_word_value(w, word);
}

/* @text: ours, with nothing to escape in it; or NULL. */
KEYED(put_text)(struct pol_jsonw *w, const char *key, const char *text)
{
	pol_jsonw_key(w, key);
	pol_jsonw_word(w, text);
}

KEYED(put_null)(struct pol_jsonw *w, const char *key)
{
	pol_jsonw_key(w, key);
	pol_jsonw_null(w);
}

KEYED(put_u64)(struct pol_jsonw *w, const char *key, uint64_t value)
{
	pol_jsonw_key(w, key);
	pol_jsonw_uint(w, value);
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

static unsigned int put_value(struct pol_jsonw *w, const char *data, size_t len, size_t max)
{
	if (data)
		return pol_jsonw_bytes(w, data, len, max);
	pol_jsonw_null(w);
	return 0;
}

static void put_marks(struct pol_jsonw *w, const char *key, const char *data, size_t len,
		      size_t max, unsigned int flags)
{
	if (flags & POL_JSONW_CUT)
		put_truncated(w, key);
	if (flags & POL_JSONW_LOSSY)
		put_hex(w, key, data, len, max);
}

/*
 * "key": the text or null, cut at @max; "key_truncated" only where it is, here or (@cut) before, and
 * "key_hex", the exact bytes, only where the text cannot have them.
 */
KEYED(put_bytes)(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max,
		 bool cut)
{
	unsigned int flags;

	pol_jsonw_key(w, key);
	flags = put_value(w, data, len, max);
	if (__builtin_expect(cut || flags, 0))
		put_marks(w, key, data, len, max, flags | (cut ? POL_JSONW_CUT : 0));
}

KEYED(put_small)(struct out *o, const char *key, const char *text)
{
	put_bytes(&o->w, key, text, text ? strlen(text) : 0, o->caps->small, false);
}

static void put_host(struct out *o)
{
	put_small(o, "host", o->ctx->host);
	put_small(o, "boot_id", o->ctx->boot_id);
}

/* Host and guest, up to the sequence number. A name that is not known yet may be, later. */
static void put_guest(struct out *o, uint64_t generation)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	struct pol_piece_key key;
	const char *name = NULL;

	pol_piece_key(&key, o->pieces ? o->pieces->guests : NULL, 8, view->guest, generation, 0);
	if (pol_piece_put(&key, w))
		return;
	if (ctx->guest_name && view->guest != POL_GUEST_ENGINE)
		name = ctx->guest_name(ctx->arg, generation, view->guest);
	put_host(o);
	pol_jsonw_key(w, "guest");
	pol_jsonw_open(w, '{');
	put_small(o, "name", name);
	put_u64(w, "id", view->guest);
	pol_jsonw_key(w, "seq");
	if (name || view->guest == POL_GUEST_ENGINE)
		pol_piece_keep(&key, w);
}

static void put_policy(struct out *o, uint64_t generation)
{
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	struct pol_piece_key key;
	const char *sha256;

	pol_piece_key(&key, o->pieces ? o->pieces->policies : NULL, 2, generation, 0, 0);
	if (pol_piece_put(&key, w))
		return pol_jsonw_piece_end(w);
	pol_jsonw_key(w, "policy");
	pol_jsonw_open(w, '{');
	put_u64(w, "generation", generation);
	sha256 = ctx->sha256 ? ctx->sha256(ctx->arg, generation) : NULL;
	put_small(o, "sha256", sha256);
	pol_jsonw_close(w, '}');
	if (sha256)
		pol_piece_keep(&key, w);
}

static void put_head(struct out *o)
{
	const struct pol_event_view *view = o->view;
	const struct pol_event_ctx *ctx = o->ctx;
	uint64_t generation =
		view->type == POL_TYPE_POLICY ? view->note.generation : view->generation;
	struct pol_jsonw *w = &o->w;
	char when[POL_TIME_SIZE];

	pol_jsonw_raw(w, "{\"schema\":\"policyctl/v1\",\"type\":");
	put_word_value(w, pol_type_word(view->type));
	pol_jsonw_raw(w, ",\"time\":\"");
	pol_event_time(view, ctx, when);
	pol_jsonw_raw_bytes(w, when, POL_TIME_SIZE - 1);
	pol_jsonw_close(w, '"');
	pol_jsonw_key(w, "boot_ns");
	pol_jsonw_u64_text(w, view->boot_ns);
	if (view->outside) {
		put_host(o);
		put_null(w, "guest");
		put_null(w, "policy");
		return;
	}
	put_guest(o, generation);
	pol_jsonw_uint(w, view->seq);
	pol_jsonw_close(w, '}');
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
	put_u64(w, "pid", process->parent_tgid);
	put_bytes(w, "comm", process->parent_comm, comm_len(process->parent_comm), 0, false);
	put_exe(w, &o->view->parent_exe, o->caps->parent_exe);
	pol_jsonw_close(w, '}');
}

/* Return: whether its cgroup is known. */
static bool put_process_value(struct out *o)
{
	const struct pol_event_process *process = &o->view->process;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *cgroup;

	pol_jsonw_open(w, '{');
	put_u64(w, "pid", process->tgid);
	put_u64(w, "tid", process->tid);
	pol_jsonw_key(w, "start_ns");
	pol_jsonw_u64_text(w, process->start_ns);
	put_u64(w, "uid", process->uid);
	put_u64(w, "gid", process->gid);
	put_bytes(w, "comm", process->comm, comm_len(process->comm), 0, false);
	put_exe(w, &o->view->exe, o->caps->exe);
	cgroup = ctx->cgroup ? ctx->cgroup(ctx->arg, process->cgroup) : NULL;
	put_small(o, "cgroup", cgroup);
	put_parent(o);
	pol_jsonw_close(w, '}');
	return cgroup;
}

static void put_process(struct out *o)
{
	struct pol_jsonw *w = &o->w;
	struct pol_piece_key key;

	pol_jsonw_key(w, "process");
	if (!o->view->has_process)
		return pol_jsonw_null(w);
	pol_piece_key_process(&key, o->pieces, o->view);
	if (pol_piece_put(&key, w))
		return pol_jsonw_piece_end(w);
	if (put_process_value(o))
		pol_piece_keep(&key, w);
}

/* path, path_truncated, and the exact bytes where the text can't have them. */
static void put_path(struct out *o)
{
	const struct pol_event_text kept = pol_event_tail(&o->view->path, o->caps->path);
	const struct pol_event_text *path = &kept;
	struct pol_jsonw *w = &o->w;
	unsigned int flags;
	const char *from;

	pol_jsonw_key(w, "path");
	from = w->p;
	flags = put_value(w, path->data, path->len, o->caps->path);
	/* Whatever is escaped is longer. */
	o->plain = !flags && w->p == from + path->len + 2;
	pol_jsonw_key(w, "path_truncated");
	pol_jsonw_bool(w, path->truncated || flags & POL_JSONW_CUT);
	if (flags & POL_JSONW_CUT && !pol_char_valid(path->data, path->len))
		flags |= POL_JSONW_LOSSY; /* what was cut off is in the bytes */
	if (flags & POL_JSONW_LOSSY)
		put_hex(w, "path", path->data, path->len, o->caps->hex);
}

static void put_object(struct out *o)
{
	const struct pol_inode_key *inode = &o->view->access.inode;
	bool known = inode->ino || inode->dev;
	struct pol_jsonw *w = &o->w;
	char dev[2 * POL_DECIMAL_ROOM + 2];
	size_t len;

	put_path(o);
	put_null(w, "guest_path");
	if (!known) {
		put_null(w, "dev");
		put_null(w, "ino");
		return;
	}
	len = pol_decimal_put(dev, inode->dev >> 20);
	dev[len++] = ':';
	len += pol_decimal_put(dev + len, inode->dev & 0xfffff);
	dev[len] = '\0';
	put_text(w, "dev", dev);
	pol_jsonw_key(w, "ino");
	pol_jsonw_u64_text(w, inode->ino);
}

/* Return: whether its names are known. */
static bool put_rule_value(struct out *o)
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

static void put_rule(struct out *o)
{
	const struct pol_event_view *view = o->view;
	struct pol_jsonw *w = &o->w;
	struct pol_piece_key key;

	pol_jsonw_key(w, "rule");
	if (!pol_event_has_rule(view))
		return pol_jsonw_null(w);
	pol_piece_key(&key, o->pieces ? o->pieces->rules : NULL, 16, view->access.rule,
		      view->generation, view->access.rule_access);
	if (pol_piece_put(&key, w))
		return pol_jsonw_piece_end(w);
	if (put_rule_value(o))
		pol_piece_keep(&key, w);
}

static void put_suggest(struct out *o)
{
	pol_jsonw_key(&o->w, "suggest");
	if (o->caps->suggest)
		pol_suggest_put(&o->w, o->view, o->plain);
	else
		pol_jsonw_null(&o->w);
}

static void put_errno(struct out *o, uint32_t err)
{
	put_text(&o->w, "errno", pol_errno_name(err));
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
	put_u64(w, "repeats", access->repeats);
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
	put_word(&o->w, "hook", pol_hook_word(o->view->access.hook));
	put_object(o);
	put_rule(o);
}

KEYED(put_int_or_null)(struct pol_jsonw *w, const char *key, int value)
{
	pol_jsonw_key(w, key);
	if (value < 0)
		pol_jsonw_null(w);
	else
		pol_jsonw_uint(w, (uint64_t)value);
}

KEYED(put_known)(struct pol_jsonw *w, const char *key, uint64_t value)
{
	if (value == POL_EXIT_UNKNOWN)
		put_null(w, key);
	else
		put_u64(w, key, value);
}

KEYED(put_known_ns)(struct pol_jsonw *w, const char *key, uint64_t value)
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
		put_null(w, "percent");
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
	put_text(w, "guest", guest);
	pol_jsonw_close(w, '}');
}

static void put_cause(struct out *o, const struct pol_event_exit *event)
{
	const char *cause = pol_cause_word(event->cause);
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "cause");
	pol_jsonw_open(w, '{');
	put_word(w, "kind", cause ? cause : pol_cause_word(POL_CAUSE_UNKNOWN));
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
		put_null(w, "fds_peak");
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

/* exec, fork: the process is all there is to say. shadow: no body yet in this ABI version. */
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
		struct out o = {
			.caps = &levels[i],
			.pieces = i ? NULL : ctx->pieces,
			.view = view,
			.ctx = ctx,
		};

		pol_jsonw_init(&o.w, buf, size);
		put_head(&o);
		put_body(&o);
		pol_jsonw_close(&o.w, '}');
		pol_jsonw_raw(&o.w, "\n");
		len = pol_jsonw_finish(&o.w);
	}
	return len;
}
