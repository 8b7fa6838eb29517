/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> one aligned line for people. Pure. Shows less than the JSON line, never
 * another thing; not meant to be parsed. Controls, bytes that are no UTF-8 and marks that reorder
 * or hide text are written \n, \x1b, \u202e: an event is one line and cannot steer a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "event_json.h"

/**
 * pol_event_text() - write the line, newline included, and a NUL.
 * @buf: POL_EVENT_LINE_SIZE bytes are always enough; a longer path is cut with "...".
 *
 * Return: length of the line without the NUL; -ENOSPC: @size is too small.
 */
int pol_event_text(const struct pol_event_view *view, const struct pol_event_ctx *ctx, bool colour,
		   char *buf, size_t size);
