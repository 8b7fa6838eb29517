/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The formats of events, by name: one table for the command line, the daemon's sinks and the tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "event_json.h"

#define POL_FORMAT_COLOUR 1u /* for a terminal; only text knows it */

/**
 * struct pol_format - one format.
 * @name: as on the command line.
 * @write: an event's line, newline included, and a NUL; pure. @flags: POL_FORMAT_*.
 *	Return: its length without the NUL; -ENOSPC: @size is too small for any line.
 * @begins: what each of its lines begins with; '#' is a digit.
 * @size: bytes that are always enough: POL_EVENT_LINE_SIZE for all that are listed.
 */
struct pol_format {
	const char *name;
	int (*write)(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		     unsigned int flags, char *buf, size_t size);
	const char *begins;
	size_t size;
};

/* pol_format_at() - the formats in the order in which they are listed; NULL: no more. */
const struct pol_format *pol_format_at(size_t index);

/**
 * pol_format_begins() - whether text could be lines of one of the formats, by how it begins. A part
 * of a beginning will do, and so will nothing.
 */
bool pol_format_begins(const char *text, size_t len);

/* pol_format_find() - by name. Return: NULL: there is none. */
const struct pol_format *pol_format_find(const char *name);
