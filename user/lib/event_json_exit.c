/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exits, and counts at their ceilings. */
#include "event_json_int.h"

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

static void put_known_ns(struct pol_jsonw *w, uint64_t value)
{
	if (value == POL_EXIT_UNKNOWN)
		pol_jsonw_null(w);
	else
		pol_jsonw_u64_text(w, value);
}

/* Memory is the kernel's own count, not the engine's: no percent (events.md). */
void pol_json_ceiling(struct pol_json_out *o)
{
	const struct pol_event_ceiling *event = &o->view->ceiling;
	struct pol_jsonw *w = &o->w;

	pol_json_process(o);
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

/* Return: whether its guest's name is known, if it is one's. */
static bool put_sender(struct pol_json_out *o, const struct pol_sender *sender)
{
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *guest = NULL;

	pol_jsonw_key(w, "sender");
	if (!sender->tgid) {
		pol_jsonw_null(w);
		return true;
	}
	if (ctx->guest_name && sender->guest != POL_GUEST_ENGINE)
		guest = ctx->guest_name(ctx->arg, o->view->generation, sender->guest);
	pol_jsonw_open(w, '{');
	put_u64(w, "pid", sender->tgid);
	put_comm(w, sender->comm);
	put_text(w, "guest", guest);
	pol_jsonw_close(w, '}');
	return guest || sender->guest == POL_GUEST_ENGINE;
}

/* Up to the duration. */
static bool write_end(struct pol_json_out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	int code, sig, status = pol_event_status(event, &code, &sig);
	struct pol_jsonw *w = &o->w;

	put_int_or_null(w, "exit_code", code);
	put_int_or_null(w, "signal", sig);
	pol_jsonw_key(w, "core");
	pol_jsonw_bool(w, sig > 0 && event->code & 0x80);
	put_int_or_null(w, "status", status);
	pol_jsonw_key(w, "duration_ns");
	return true;
}

static void put_end(struct pol_json_out *o)
{
	const struct pol_event_exit *event = &o->view->exit;

	pol_json_piece(o, POL_JSON_PLACE(o, ends, event->code >> 8 ^ event->code),
		       (struct pol_piece_key){ { event->code, event->cause } }, write_end);
}

/* Return: whether its names are known. */
static bool write_cause(struct pol_json_out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	const char *cause = pol_cause_word(event->cause);
	struct pol_jsonw *w = &o->w;
	bool known;

	pol_jsonw_key(w, "cause");
	pol_jsonw_open(w, '{');
	put_word(w, "kind", cause ? cause : pol_cause_word(POL_CAUSE_UNKNOWN));
	known = put_sender(o, &event->sender);
	pol_jsonw_close(w, '}');
	return known;
}

static void put_cause(struct pol_json_out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	struct pol_piece_key key = { { event->cause, o->view->generation } };

	_Static_assert(sizeof(event->sender) == 3 * sizeof(key.nr[0]),
		       "the sender is three numbers");
	memcpy(&key.nr[2], &event->sender, sizeof(event->sender));
	pol_json_piece(o, POL_JSON_PLACE(o, causes, event->sender.tgid), key, write_cause);
}

void pol_json_exit(struct pol_json_out *o)
{
	const struct pol_event_exit *event = &o->view->exit;
	struct pol_jsonw *w = &o->w;

	pol_json_process(o);
	put_end(o);
	put_known_ns(w, event->duration_ns);
	put_cause(o);
	pol_jsonw_key(w, "utime_ns");
	put_known_ns(w, event->utime_ns);
	pol_jsonw_key(w, "stime_ns");
	put_known_ns(w, event->stime_ns);
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
