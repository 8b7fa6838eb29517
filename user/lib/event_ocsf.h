/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> one line of JSON by the Open Cybersecurity Schema Framework 1.8.0. Pure. What
 * the class has no attribute for is in the object `unmapped`.
 */
#pragma once

#include "event.h"
#include "event_json.h"

/**
 * pol_event_ocsf() - write the line, newline included, and a NUL.
 * @buf: POL_EVENT_LINE_SIZE bytes are always enough.
 *
 * Return: length of the line without the NUL; -ENOSPC: @size is too small for any line.
 */
int pol_event_ocsf(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		   size_t size);
