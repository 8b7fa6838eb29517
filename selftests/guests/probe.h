/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the payload "probe" share. One step is a word and its arguments; a step's
 * function returns 0 or the errno that it met. Knows nothing of the engine.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 8

extern int probe_fds[SLOTS]; /* descriptors that steps hold, by number */

static inline int *probe_slot(const char *word)
{
	return &probe_fds[strtoul(word, NULL, 10) % SLOTS];
}

/* 0 or errno, of a call that returns -1 for failure. */
static inline int probe_result(long r)
{
	return r < 0 ? errno : 0;
}

/* A line of the report: one write, so that lines of several processes do not mix. */
void probe_say(const char *op, int err, const char *more);

/* Is there something to read on stdin? Then: one line of it, or its end. */
bool probe_line_waits(void);
void probe_wait_line(void);

/* Letters to open(2) flags: r w (both: rw), c O_CREAT, x O_EXCL, t O_TRUNC, p O_PATH, d, f, m. */
int probe_flags(const char *letters);
