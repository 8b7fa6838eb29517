/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a path inside a filesystem to one in this mount namespace: for the records of hooks that
 * know no mount. A guess where a filesystem is mounted more than once; for reports only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.h"

/**
 * pol_mountpoint_prefix() - make the path of a record with POL_EVENT_NO_MOUNT a host path.
 *
 * The mount of the record's device whose root holds the path; the first one made, where there are
 * several. Without one, or without room, the view stays as it is.
 */
void pol_mountpoint_prefix(struct pol_event_view *view);

/* pol_mountpoint_prefix_in() - the same by the text of a mountinfo file. */
void pol_mountpoint_prefix_in(struct pol_event_view *view, const char *mountinfo);
