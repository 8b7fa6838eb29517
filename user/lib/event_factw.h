/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts into JSON, for the JSON dialects of others. What is not known is left out. A text that had
 * to be cut or could not be said exactly is remembered, and pol_factw_rest() tells so. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event_facts.h"
#include "jsonw.h"

/**
 * struct pol_factw - a line being written.
 * @most: no text is longer than this many bytes, escaped; 0: no such limit.
 * @marks: POL_JSONW_* of each text written so far.
 */
struct pol_factw {
	struct pol_jsonw w;
	const struct pol_facts *facts;
	unsigned int level;
	size_t most;
	unsigned char marks[POL_FACTS_CNT];
};

/* "key": value, if there is one. */
void pol_factw_text(struct pol_factw *o, const char *key, enum pol_fact fact);
void pol_factw_word(struct pol_factw *o, const char *key, const char *word); /* NULL, "": none */
void pol_factw_number(struct pol_factw *o, const char *key, uint64_t number);
void pol_factw_signed(struct pol_factw *o, const char *key, int64_t number);
void pol_factw_decimal(struct pol_factw *o, const char *key, uint64_t number); /* as a string */
void pol_factw_words(struct pol_factw *o, const char *key, const char *const *words); /* to NULL */

/* "key": { */
void pol_factw_open(struct pol_factw *o, const char *key);
void pol_factw_close(struct pol_factw *o);

/**
 * pol_factw_rest() - the fields that have no place of their own in @place (POL_IN_*), then for each
 * text written so far "NAME_truncated": true if it was cut, and "NAME_hex", its exact bytes, if
 * characters of it stand for others.
 */
void pol_factw_rest(struct pol_factw *o, unsigned int place);

/**
 * pol_factw_line() - write a line, with shorter texts if it is too long otherwise.
 * @put: writes what is inside the outermost braces. @most: as in struct pol_factw.
 * Return: length with the newline, without the NUL; -ENOSPC.
 */
int pol_factw_line(const struct pol_facts *facts, size_t most, void (*put)(struct pol_factw *o),
		   char *buf, size_t size);
