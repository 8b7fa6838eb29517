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
#include <string.h>

#include "decimal.h"

/**
 * struct pol_jsonw - a writer. [@p, @end) is free; @end leaves a byte for the final NUL.
 * @lead: what stands before the next value or key: ',', the bracket that was opened, or nothing (0).
 */
struct pol_jsonw {
	char *p;
	char *end;
	char *buf;
	char lead;
	bool overflow;
};

/* pol_jsonw_init() - write to @buf of @size bytes, a final NUL included. */
void pol_jsonw_init(struct pol_jsonw *w, char *buf, size_t size);

/* pol_jsonw_finish() - end the text with NUL. Return: its length; -ENOSPC: it did not fit. */
int pol_jsonw_finish(struct pol_jsonw *w);

/* pol_jsonw_full() - there is no room: nothing is written any more. */
void pol_jsonw_full(struct pol_jsonw *w);

/* pol_jsonw_raw_bytes() - as they are: what surrounds values (a newline, another syntax). */
void pol_jsonw_raw_bytes(struct pol_jsonw *w, const char *data, size_t len);

/*
 * What a line has dozens of is here: the compiler counts a literal key's bytes and stores them without
 * a call, and knows that behind a key there is no comma.
 */
#define POL_JSONW_INLINE static inline __attribute__((always_inline))

/* pol_jsonw_room() - whether @n bytes may be written at w->p. */
POL_JSONW_INLINE bool pol_jsonw_room(struct pol_jsonw *w, size_t n)
{
	if (__builtin_expect((size_t)(w->end - w->p) >= n, 1))
		return true;
	pol_jsonw_full(w);
	return false;
}

/* pol_jsonw_begin() - what stands before a value. Return: whether there is room for @n bytes of it. */
POL_JSONW_INLINE bool pol_jsonw_begin(struct pol_jsonw *w, size_t n)
{
	char lead = w->lead;

	w->lead = ',';
	if (!pol_jsonw_room(w, n + 1))
		return false;
	*w->p = lead;
	w->p += lead != 0;
	return true;
}

/* pol_jsonw_raw() - likewise, a text of ours. */
POL_JSONW_INLINE void pol_jsonw_raw(struct pol_jsonw *w, const char *text)
{
	size_t len = strlen(text);

	if (!pol_jsonw_room(w, len + 1))
		return;
	*w->p = w->lead; /* a bracket that waits for what is in it; a comma is the text's */
	w->p += w->lead && w->lead != ',';
	memcpy(w->p, text, len);
	w->p += len;
	w->lead = 0;
}

/* pol_jsonw_key() - a constant of ours: plain ASCII. */
POL_JSONW_INLINE void pol_jsonw_key(struct pol_jsonw *w, const char *key)
{
	size_t len = strlen(key);

	if (pol_jsonw_room(w, len + 4)) {
		char *p = w->p;

		p[0] = w->lead;
		p[1] = '"';
		memcpy(p + 2, key, len);
		memcpy(p + 2 + len, "\":", 2);
		w->p = p + len + 4;
	}
	w->lead = 0;
}

/* pol_jsonw_open() - @bracket: '{' or '['. It is written with what comes next. */
POL_JSONW_INLINE void pol_jsonw_open(struct pol_jsonw *w, char bracket)
{
	(void)pol_jsonw_begin(w, 0);
	w->lead = bracket;
}

/* pol_jsonw_close() - @bracket: '}' or ']', or '"' behind a string that pol_jsonw_raw() wrote. */
POL_JSONW_INLINE void pol_jsonw_close(struct pol_jsonw *w, char bracket)
{
	char lead = w->lead;

	w->lead = ',';
	if (!pol_jsonw_room(w, 2))
		return;
	*w->p = lead;
	w->p += lead && lead != ',';
	*w->p++ = bracket;
}

POL_JSONW_INLINE void pol_jsonw_null(struct pol_jsonw *w)
{
	if (!pol_jsonw_begin(w, 4))
		return;
	memcpy(w->p, "null", 4);
	w->p += 4;
}

POL_JSONW_INLINE void pol_jsonw_bool(struct pol_jsonw *w, bool value)
{
	if (!pol_jsonw_begin(w, 5))
		return;
	memcpy(w->p, value ? "true" : "false", 5);
	w->p += value ? 4 : 5;
}

POL_JSONW_INLINE void pol_jsonw_uint(struct pol_jsonw *w, uint64_t value)
{
	if (!pol_jsonw_begin(w, POL_DECIMAL_ROOM))
		return;
	if (value < 10)
		*w->p++ = (char)('0' + value);
	else
		w->p += pol_decimal_put(w->p, value);
}

void pol_jsonw_int(struct pol_jsonw *w, int64_t value);
void pol_jsonw_u64_text(struct pol_jsonw *w, uint64_t value); /* "123": exact in every reader */
void pol_jsonw_text(struct pol_jsonw *w, const char *text);   /* NULL: null */

/* pol_jsonw_word() - likewise, of a word of ours that has nothing to escape. */
void pol_jsonw_word(struct pol_jsonw *w, const char *word);

#define POL_JSONW_LOSSY 1u /* bytes were replaced by U+FFFD */
#define POL_JSONW_CUT	2u /* the string was cut at its limit, between two characters */

/**
 * pol_jsonw_bytes() - a string of any bytes.
 * @max: most bytes of the escaped text, quotes not counted; 0: no limit.
 *
 * Return: POL_JSONW_*: what had to be done to it; LOSSY only for what is in the text.
 */
unsigned int pol_jsonw_bytes(struct pol_jsonw *w, const void *data, size_t len, size_t max);

/* pol_jsonw_clean() - whether all of it is ASCII that a string takes as it is. */
bool pol_jsonw_clean(const void *data, size_t len);

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
