/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An answer of the kernel's, as text and as JSON; for `explain`. */
#pragma once

#include <jansson.h>

#include "event_json.h"
#include "probe.h"

/**
 * explain_json() - the fields of the violation that the guest's own attempt would report, in the same
 * form; what an event has of process and sequence is not there. @answer is made an event's.
 *
 * Return: to be freed by the caller; NULL: no memory.
 */
json_t *explain_json(const char *guest, struct pol_probe_answer *answer,
		     const struct pol_event_ctx *ctx);

/* explain_print() - the same on stdout, for a person. */
void explain_print(const json_t *explained);
