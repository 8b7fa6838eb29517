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

/**
 * pol_suggest_put() - the same as a JSON string, or null.
 * @plain: there is nothing to escape in the path, and it is not too long.
 */
void pol_suggest_put(struct pol_jsonw *w, const struct pol_event_view *view, bool plain);
