/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which events a reader wants: one filter for every type, format and source of events. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/**
 * struct pol_event_filter - what has to hold, all of it; all zero: any event.
 * @guest: with @has_guest.
 * @type: enum pol_type; 0: any.
 * @verdict: enum pol_verdict; 0: any.
 * @since_ns: time of day, with @has_since.
 * @path: absolute and clean (pol_path_clean()), or NULL: events on this path or beneath it.
 */
struct pol_event_filter {
	bool has_guest;
	bool has_since;
	uint32_t guest;
	uint32_t type;
	uint32_t verdict;
	int64_t since_ns;
	const char *path;
};

/* pol_event_filter_any() - whether it leaves no event out. */
bool pol_event_filter_any(const struct pol_event_filter *filter);

/**
 * pol_event_filter_match() - whether an event is wanted.
 * @boot_to_real_ns: as in struct pol_event_ctx.
 *
 * A path is compared as bytes, name by name: "/srv/web" has "/srv/web/a" beneath it, not
 * "/srv/web2". One that has lost its beginning (@truncated) may lie anywhere, so it is wanted: a
 * refusal is shown once too often rather than not at all. An event without a path, or on an object
 * outside any mount tree, is beneath nothing.
 */
bool pol_event_filter_match(const struct pol_event_filter *filter,
			    const struct pol_event_view *view, int64_t boot_to_real_ns);
