/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers behind --metrics: those of `policyctl status`, and what we count as events go by. */
#include "metrics.h"

#include <time.h>

#include "base.h"
#include "policyd.h"

/* struct metrics - @start_ns: when we started, in nanoseconds since 1970. */
struct metrics {
	struct pol_counts counts;
	uint64_t start_ns;
};

void metrics_view(struct policyd *d, const struct pol_event_view *view)
{
	/* With no memory left the event is delivered all the same; the numbers stay behind. */
	if (d->metrics)
		(void)pol_counts_view(&d->metrics->counts, view);
}

void metrics_forget(struct policyd *d)
{
	if (d->metrics)
		pol_counts_forget(&d->metrics->counts);
}

static size_t take_rings(struct policyd *d, struct pol_metrics_ring ret[POL_CURSOR_RINGS])
{
	struct pol_ring *rings;
	size_t cnt = 0;

	if (!d->feed)
		return 0;
	rings = pol_feed_rings(d->feed, &cnt);
	for (size_t i = 0; i < cnt; i++) {
		ret[i].used = pol_ring_fill(&rings[i]);
		ret[i].size = pol_ring_size(&rings[i]);
	}
	return cnt;
}

static enum pol_metrics_engine engine_of(int r)
{
	if (!r)
		return POL_METRICS_LOADED;
	/* -ESTALE: it confines nothing any more. */
	return r == -ENOENT || r == -ESTALE ? POL_METRICS_ABSENT : POL_METRICS_UNKNOWN;
}

static int write_text(struct policyd *d, struct metrics_text *text)
{
	_cleanup_(pol_status_done) struct pol_status status = { 0 };
	struct pol_metrics_ring rings[POL_CURSOR_RINGS];
	struct pol_metrics_sink sink = { 0 };
	struct pol_metrics_daemon daemon = {
		.start_ns = d->metrics->start_ns,
		.undecodable = rounds_undecodable(d),
		.subscribers = server_subscribers(d),
		.counts = &d->metrics->counts,
		.sinks = &sink,
		.sinks_cnt = 1,
		.rings = rings,
		.rings_cnt = take_rings(d, rings),
	};
	struct pol_metrics metrics = { .daemon = &daemon };
	struct pol_err err = { 0 };
	int r = pol_status_take(&status, &err);

	sink_numbers(d, &sink);
	metrics.engine = engine_of(r);
	metrics.status = r ? NULL : &status;
	return pol_metrics_text(&metrics, &text->data, &text->len);
}

int metrics_collect(struct policyd *d, struct metrics_text **ret)
{
	struct metrics_text *text = calloc(1, sizeof(*text));
	int r = text ? write_text(d, text) : -ENOMEM;

	if (r < 0)
		free(text);
	else
		*ret = text;
	return r;
}

int metrics_add(struct policyd *d)
{
	struct timespec now = { 0 };

	if (!d->options->metrics.text)
		return 0;
	d->metrics = calloc(1, sizeof(*d->metrics));
	if (!d->metrics)
		return -ENOMEM;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	d->metrics->start_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return http_add(d);
}

void metrics_done(struct policyd *d)
{
	http_done(d);
	if (!d->metrics)
		return;
	pol_counts_done(&d->metrics->counts);
	free(d->metrics);
	d->metrics = NULL;
}
