/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> one line of the Common Event Format, CEF:0. Pure. What the dictionary has no
 * key for is in keys of our own, policydXxx.
 */
#pragma once

#include "event.h"
#include "event_json.h"

/**
 * pol_event_cef() - write the line, without a newline, and a NUL.
 * @buf: POL_EVENT_LINE_SIZE bytes are always enough, a newline included.
 *
 * No value is longer than the dictionary says. Return: length of the line without the NUL; -ENOSPC:
 * @size is too small for any line.
 */
int pol_event_cef(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		  size_t size);
