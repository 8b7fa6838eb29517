/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts into "name, value" formats: CEF, RFC 5424. A text that had to be cut or could not be said
 * exactly is remembered, and pol_flatw_rest() tells so. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event_facts.h"
#include "textw.h"

struct pol_flatw;

/**
 * struct pol_flat_syntax - how a format writes a value.
 * @begin: the name, and what comes before the value. @end: what comes behind it, or NULL.
 * @escape: a character of a value.
 * @no_edge_spaces: a value may neither begin nor end with a space: such are U+FFFD.
 */
struct pol_flat_syntax {
	void (*begin)(struct pol_flatw *o, const char *name);
	void (*end)(struct pol_flatw *o);
	pol_textw_escape_t escape;
	bool no_edge_spaces;
};

/**
 * struct pol_flatw - a line being written. @marks: POL_TEXTW_* of each text written so far.
 */
struct pol_flatw {
	struct pol_textw w;
	const struct pol_flat_syntax *syntax;
	const struct pol_facts *facts;
	unsigned int level;
	unsigned char marks[POL_FACTS_CNT];
};

/* The value alone: what surrounds it is the caller's. @most: not longer than this, escaped. */
void pol_flatw_value(struct pol_flatw *o, enum pol_fact fact, size_t most);

/**
 * pol_flatw_rest() - the fields that have no place of their own in @place (POL_IN_*), then for each
 * text written so far NAME_truncated and NAME_hex, as pol_factw_rest() has it.
 */
void pol_flatw_rest(struct pol_flatw *o, unsigned int place);

/**
 * pol_flatw_line() - write a line, with shorter texts if it is too long otherwise.
 * @put: writes it, no newline. Return: length without the NUL; -ENOSPC.
 */
int pol_flatw_line(const struct pol_facts *facts, const struct pol_flat_syntax *syntax,
		   void (*put)(struct pol_flatw *o), char *buf, size_t size);
