/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON writer into a bounded buffer: append only, no allocation, no format strings. Pure.
 *
 * What it writes is valid UTF-8 on one line, whatever bytes it is given: control characters, DEL,
 * C1, line and paragraph separators and the marks that reorder or hide text are written as \uXXXX;
 * a byte that is no UTF-8, and NUL (several receivers cut a string there), becomes U+FFFD.
 *
 * Past the end nothing is written any more and @overflow is set: check once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct pol_jsonw - a writer. @comma: the next value or key needs one before it.
 */
struct pol_jsonw {
	char *buf;
	size_t size;
	size_t len;
	bool comma;
	bool overflow;
};

/* pol_jsonw_init() - write to @buf of @size bytes, a final NUL included. */
void pol_jsonw_init(struct pol_jsonw *w, char *buf, size_t size);

/* pol_jsonw_finish() - end the text with NUL. Return: its length; -ENOSPC: it did not fit. */
int pol_jsonw_finish(struct pol_jsonw *w);

void pol_jsonw_open(struct pol_jsonw *w, char bracket);	  /* '{' or '[' */
void pol_jsonw_close(struct pol_jsonw *w, char bracket);  /* '}' or ']' */
void pol_jsonw_key(struct pol_jsonw *w, const char *key); /* a constant of ours: plain ASCII */

void pol_jsonw_null(struct pol_jsonw *w);
void pol_jsonw_bool(struct pol_jsonw *w, bool value);
void pol_jsonw_uint(struct pol_jsonw *w, uint64_t value);
void pol_jsonw_u64_text(struct pol_jsonw *w, uint64_t value); /* "123": exact in every reader */
void pol_jsonw_text(struct pol_jsonw *w, const char *text);   /* NULL: null */

/* pol_jsonw_raw() - text of ours as it is: what surrounds values (a newline, another syntax). */
void pol_jsonw_raw(struct pol_jsonw *w, const char *text);

#define POL_JSONW_LOSSY 1u /* bytes were replaced by U+FFFD */
#define POL_JSONW_CUT	2u /* the string was cut at its limit, between two characters */

/**
 * pol_jsonw_bytes() - a string of any bytes.
 * @max: most bytes of the escaped text, quotes not counted; 0: no limit.
 *
 * Return: POL_JSONW_*: what had to be done to it; LOSSY only for what is in the text.
 */
unsigned int pol_jsonw_bytes(struct pol_jsonw *w, const void *data, size_t len, size_t max);

/**
 * pol_jsonw_hex() - a string of two lower-case digits a byte, at most @max digits (0: no limit).
 * Return: POL_JSONW_CUT or 0.
 */
unsigned int pol_jsonw_hex(struct pol_jsonw *w, const void *data, size_t len, size_t max);

/**
 * pol_char_next() - one character of well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong).
 * @ret: code point. Return: its bytes, 1 to 4; 0: @data does not start with one.
 */
size_t pol_char_next(const unsigned char *data, size_t len, uint32_t *ret);

/* pol_char_valid() - whether all of it is; NUL counts as not. */
bool pol_char_valid(const void *data, size_t len);

/* pol_char_hidden() - whether a code point is a control, or reorders, hides or breaks text. */
bool pol_char_hidden(uint32_t c);
