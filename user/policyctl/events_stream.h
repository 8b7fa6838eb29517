/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event stream on standard output: reader, formats, filters, following. Without a filter it
 * consumes what it printed: a record is freed once it was written and flushed and the cursors are
 * saved. With a filter it only looks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "feed.h"

/**
 * struct pol_stream_options - what to print.
 * @json: JSON Lines, else text. @filtered: one of the filters is set: look, do not consume.
 * @guest: with @has_guest. @type: enum pol_type, 0: any. @since_ns: time of day, with @has_since.
 */
struct pol_stream_options {
	bool follow;
	bool json;
	bool filtered;
	bool has_guest;
	uint32_t guest;
	uint32_t type; /* 0: any */
	bool has_since;
	int64_t since_ns;
};

/**
 * pol_stream_run() - print what is pending, or follow.
 *
 * With @follow, until SIGINT or SIGTERM. Messages go to standard error.
 * Return: exit status; 0 too when nobody reads the output any more (EPIPE).
 */
int pol_stream_run(struct pol_feed *feed, const struct pol_stream_options *options);
