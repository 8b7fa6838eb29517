/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "event_json_int.h"

static const struct pol_json_caps levels[] = {
	{ 2048, 2048, 512, 512, 256, 256, true },
	{ 2048, 2048, 512, 512, 256, 256, false },
	{ 1024, 1024, 256, 256, 256, 128, false },
	{ 256, 256, 128, 128, 128, 64, false },
};

static void put_host(struct pol_json_out *o)
{
	put_small(o, "host", o->ctx->host);
	put_small(o, "boot_id", o->ctx->boot_id);
}

/* Up to the fraction of the second. */
static bool write_head(struct pol_json_out *o)
{
	char when[POL_TIME_SIZE];

	pol_jsonw_raw(&o->w, "{\"schema\":\"policyctl/v1\",\"type\":");
	pol_json_word(&o->w, pol_type_word(o->view->type));
	pol_jsonw_raw(&o->w, ",\"time\":\"");
	pol_event_time(o->view, o->ctx, when);
	pol_jsonw_raw_bytes(&o->w, when, strlen("2026-11-21T01:02:03."));
	return true;
}

/* Up to boot_ns. */
static void put_times(struct pol_json_out *o)
{
	const struct pol_event_view *view = o->view;
	struct pol_jsonw *w = &o->w;
	uint32_t ns;
	int64_t second = pol_real_second(pol_event_real_ns(view->boot_ns, o->ctx), &ns);

	pol_json_piece(o, POL_JSON_PLACE(o, heads, view->type),
		       (struct pol_piece_key){ { view->type, (uint64_t)second } }, write_head);
	if (!pol_jsonw_room(w, 9))
		return;
	*w->p = (char)('0' + ns / 100000000);
	pol_decimal_8(w->p + 1, ns % 100000000);
	w->p += 9;
	pol_jsonw_raw(w, "Z\",\"boot_ns\":");
	pol_jsonw_u64_text(w, view->boot_ns);
}

/* Host and guest, up to the sequence number. A name that is not known yet may be, later. */
static bool write_guest(struct pol_json_out *o)
{
	const struct pol_event_ctx *ctx = o->ctx;
	uint32_t guest = o->view->guest;
	struct pol_jsonw *w = &o->w;
	const char *name = NULL;

	if (ctx->guest_name && guest != POL_GUEST_ENGINE)
		name = ctx->guest_name(ctx->arg, o->generation, guest);
	put_host(o);
	pol_jsonw_key(w, "guest");
	pol_jsonw_open(w, '{');
	put_small(o, "name", name);
	put_u64(w, "id", guest);
	pol_jsonw_key(w, "seq");
	return name || guest == POL_GUEST_ENGINE;
}

/* From the end of the guest on. */
static bool write_policy(struct pol_json_out *o)
{
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *sha256 = ctx->sha256 ? ctx->sha256(ctx->arg, o->generation) : NULL;

	pol_jsonw_close(w, '}');
	pol_jsonw_key(w, "policy");
	pol_jsonw_open(w, '{');
	put_u64(w, "generation", o->generation);
	put_small(o, "sha256", sha256);
	pol_jsonw_close(w, '}');
	return sha256;
}

static void put_head(struct pol_json_out *o)
{
	const struct pol_event_view *view = o->view;

	put_times(o);
	if (view->outside) {
		put_host(o);
		put_null(&o->w, "guest");
		put_null(&o->w, "policy");
		return;
	}
	pol_json_piece(o, POL_JSON_PLACE(o, guests, view->guest),
		       (struct pol_piece_key){ { view->guest, o->generation } }, write_guest);
	pol_jsonw_uint(&o->w, view->seq);
	pol_json_piece(o, POL_JSON_PLACE(o, policies, o->generation),
		       (struct pol_piece_key){ { o->generation } }, write_policy);
}

static void put_lost(struct pol_json_out *o)
{
	put_word(&o->w, "of", pol_type_word(o->view->lost.of));
	put_u64(&o->w, "count", o->view->lost.count);
	put_u64(&o->w, "first", o->view->lost.first);
	put_u64(&o->w, "last", o->view->lost.last);
}

static void put_note(struct pol_json_out *o)
{
	const struct pol_event_note *note = &o->view->note;
	struct pol_jsonw *w = &o->w;

	if (o->view->has_process)
		pol_json_process(o);
	put_word(w, "action", pol_action_word(note->action));
	if (o->view->type != POL_TYPE_POLICY)
		return;
	pol_jsonw_key(w, "by");
	pol_jsonw_open(w, '{');
	put_u64(w, "uid", note->by_uid);
	put_u64(w, "pid", note->by_tgid);
	pol_jsonw_close(w, '}');
}

/* exec, fork: the process is all there is to say. */
static void put_plain(struct pol_json_out *o)
{
	const char *verdict = pol_verdict_word(o->view->verdict);

	if (o->view->has_process)
		pol_json_process(o);
	if (verdict)
		put_word(&o->w, "verdict", verdict);
}

static void put_body(struct pol_json_out *o)
{
	switch (o->view->type) {
	case POL_TYPE_VIOLATION:
		return pol_json_violation(o);
	case POL_TYPE_ESCAPE:
		return pol_json_escape(o);
	case POL_TYPE_ALLOW:
		return pol_json_allow(o);
	case POL_TYPE_CEILING:
		return pol_json_ceiling(o);
	case POL_TYPE_EXIT:
		return pol_json_exit(o);
	case POL_TYPE_LOST:
		return put_lost(o);
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		return put_note(o);
	case POL_TYPE_SHADOW:
		return pol_json_shadow(o);
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
		struct pol_json_out o = {
			.caps = &levels[i],
			.pieces = i ? NULL : ctx->pieces,
			.view = view,
			.ctx = ctx,
			.generation = view->type == POL_TYPE_POLICY ? view->note.generation
								    : view->generation,
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
