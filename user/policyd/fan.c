/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One event to every receiver. It is kept first, with its names, and the sink gets it from there:
 * names are looked up once. Only the sink decides whether a round is safe.
 */
#include "policyd.h"

/* Of the smallest memory to be kept, a small part. */
#define FLUSH_EVERY 16

static int fan_view(void *arg, const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	struct policyd *d = arg;
	const struct pol_event_view *kept = view;
	const struct pol_event_ctx *kept_ctx = ctx;
	int r = pol_keep_add(d->keep, view, ctx);

	if (r < 0)
		return r;
	/* A round may bring more than is kept: who reads gets it all the same. */
	if (pol_keep_next(d->keep) % FLUSH_EVERY == 0)
		server_flush(d);
	/* With no room for even one it is not there any more. */
	(void)pol_keep_get(d->keep, pol_keep_next(d->keep) - 1, &kept, &kept_ctx);
	r = sink_view(d, kept, kept_ctx);
	if (!r)
		metrics_view(d, kept);
	return r;
}

static int fan_flush(void *arg)
{
	struct policyd *d = arg;

	server_flush(d);
	return sink_flush(d);
}

const struct pol_pump_ops fan_ops = {
	.view = fan_view,
	.flush = fan_flush,
};
