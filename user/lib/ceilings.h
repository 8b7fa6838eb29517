/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's ceilings in the files of its cgroup. Touches nothing but these. */
#pragma once

#include <stdbool.h>

#include "err.h"
#include "policy.h"

/**
 * pol_ceilings_write() - a guest's ceilings, into its cgroup; what is there already is not written.
 * @fd: of the cgroup's directory. @guest: its name, for messages.
 * @before: the ceilings that an earlier policy may have written there, NULL: none. What they set and
 *	    @limits does not is lifted.
 * @raise: only what becomes looser; !@raise: all. Raised before a generation is published, lowered
 *	   after (policy-language.md, semantics 10).
 *
 * Return: 0; -ENODEV: a controller lacks and best_effort is not set; else what the write gave.
 */
int pol_ceilings_write(int fd, const char *guest, const struct pol_limits *before,
		       const struct pol_limits *limits, bool raise, struct pol_err *err);

/* pol_ceilings_lacking() - the first file that a ceiling needs and the cgroup has not; NULL: none. */
const char *pol_ceilings_lacking(int fd, const struct pol_limits *limits);
