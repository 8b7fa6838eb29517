/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A journal entry as one line, to be queued as the formats' lines are: each field with "\n" and "\\"
 * for a newline and a backslash in it, and "\;" behind it. Only between a queue and its sink. Pure.
 */
#pragma once

#include <stddef.h>

#include "event_journal.h"

/* Bytes that are always enough for a line, newline and NUL included. */
#define POL_JOURNAL_LINE_SIZE (2 * POL_JOURNAL_SIZE + 2 * POL_JOURNAL_FIELDS_MAX + 2)

/* pol_journal_line() - write the line and a NUL. Return: its length; -ENOSPC. */
int pol_journal_line(const struct pol_journal *journal, char *buf, size_t size);

/**
 * pol_journal_parse() - the entry of a line, which may go on behind its newline.
 * Return: the line's length, newline included; -EBADMSG: it is none of pol_journal_line().
 */
int pol_journal_parse(const char *line, size_t len, struct pol_journal *ret);
