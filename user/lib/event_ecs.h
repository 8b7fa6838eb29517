/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> one line of JSON by the Elastic Common Schema 9.4. Pure. What ECS has no field
 * for is in the object `policyd`.
 */
#pragma once

#include "event.h"
#include "event_json.h"

/**
 * pol_event_ecs() - write the line, newline included, and a NUL.
 * @buf: POL_EVENT_LINE_SIZE bytes are always enough.
 *
 * No text is longer than 1024 bytes: longer ones would not be found by a search.
 * Return: length of the line without the NUL; -ENOSPC: @size is too small for any line.
 */
int pol_event_ecs(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		  size_t size);
