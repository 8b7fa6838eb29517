/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event stream on standard output: reader, formats, filters, following. Without a filter it
 * consumes what it printed: a record is freed once it was written and flushed and the cursors are
 * saved. With a filter it only looks.
 */
#pragma once

#include <stdbool.h>

#include "event_filter.h"
#include "feed.h"
#include "format.h"

/**
 * struct pol_stream_options - what to print.
 * @format: of each event. @filter: if it leaves events out: look, do not consume.
 */
struct pol_stream_options {
	bool follow;
	const struct pol_format *format;
	struct pol_event_filter filter;
};

/**
 * pol_stream_run() - print what is pending, or follow.
 *
 * With @follow, until SIGINT or SIGTERM. Messages go to standard error.
 * Return: exit status; 0 too when nobody reads the output any more (EPIPE).
 */
int pol_stream_run(struct pol_feed *feed, const struct pol_stream_options *options);
