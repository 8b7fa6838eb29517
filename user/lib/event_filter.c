/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_filter.h"

#include <string.h>

bool pol_event_filter_any(const struct pol_event_filter *filter)
{
	return !filter->has_guest && !filter->has_since && !filter->type && !filter->verdict &&
	       !filter->path;
}

static bool lies_in(const struct pol_event_text *path, const char *above)
{
	size_t len = strlen(above);

	if (!path->data)
		return false;
	if (path->truncated)
		return true;
	if (path->data[0] != '/')
		return false;
	if (len == 1)
		return true;
	return path->len >= len && memcmp(path->data, above, len) == 0 &&
	       (path->len == len || path->data[len] == '/');
}

bool pol_event_filter_match(const struct pol_event_filter *filter,
			    const struct pol_event_view *view, int64_t boot_to_real_ns)
{
	if (filter->has_guest && (view->outside || view->guest != filter->guest))
		return false;
	if (filter->type && view->type != filter->type)
		return false;
	if (filter->verdict && view->verdict != filter->verdict)
		return false;
	if (filter->path && !lies_in(&view->path, filter->path))
		return false;
	return !filter->has_since || (int64_t)view->boot_ns + boot_to_real_ns >= filter->since_ns;
}
