/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule that would have allowed what was refused, as a line for the policy file. Pure. */
#pragma once

#include <stddef.h>

#include "event.h"
#include "jsonw.h"

/**
 * pol_event_suggest() - the nearest rule's rights and the missing ones, nothing else, on the object's
 * own path. Only where a rule can help (reason rule, no_rule, device) and the path is whole.
 *
 * Return: length; -ENODATA: none; -ENOSPC.
 */
int pol_event_suggest(const struct pol_event_view *view, char *buf, size_t size);

/* pol_suggest_rights() - the rights of it; 0: there is none. */
uint32_t pol_suggest_rights(const struct pol_event_view *view);

/* pol_suggest_put() - the same as a JSON string, or null. */
void pol_suggest_put(struct pol_jsonw *w, const struct pol_event_view *view);

/**
 * pol_suggest_begin() - likewise in two parts, of a path in which there is nothing to escape, and which
 * is not too long: most. @path: the event's. Only where there are rights.
 * pol_suggest_end() - from behind the path on: of @rights alone.
 */
void pol_suggest_begin(struct pol_jsonw *w, const struct pol_event_text *path);
void pol_suggest_end(struct pol_jsonw *w, uint32_t rights);
