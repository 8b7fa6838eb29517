/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> the fields of a journal entry, for sd_journal_sendv(3). Pure: nothing is sent.
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#include "event.h"
#include "event_json.h"

#define POL_JOURNAL_FIELDS_MAX 96
#define POL_JOURNAL_SIZE       32768

/**
 * struct pol_journal - an entry. @iov, @iov_cnt: "NAME=value", for sd_journal_sendv(); they point
 * into @buf, so the struct may not be copied.
 */
struct pol_journal {
	struct iovec iov[POL_JOURNAL_FIELDS_MAX];
	int iov_cnt;
	size_t used;
	char buf[POL_JOURNAL_SIZE];
};

/**
 * pol_event_journal() - make the entry.
 *
 * Values of texts are the exact bytes, whatever they are: the journal's own protocol has lengths.
 * MESSAGE alone is escaped, as journalctl prints it. A text past 4352 bytes is cut and
 * POLICYD_NAME_TRUNCATED=true is there.
 *
 * There is no OBJECT_PID: the process may be gone when the entry is read, and the journal would add
 * what it finds of another one under its number.
 *
 * Return: 0; -ENOSPC: a bug, it always fits.
 */
int pol_event_journal(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      struct pol_journal *ret);
