/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text into a bounded buffer: append only, no allocation. Pure. Past the end nothing is written any
 * more and @overflow is set: check once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pol_textw {
	char *buf;
	size_t size;
	size_t len;
	bool overflow;
};

/* pol_textw_init() - write to @buf of @size bytes, a final NUL included. */
void pol_textw_init(struct pol_textw *w, char *buf, size_t size);

/* pol_textw_finish() - end the text with NUL. Return: its length; -ENOSPC: it did not fit. */
int pol_textw_finish(struct pol_textw *w);

void pol_textw_put(struct pol_textw *w, const char *text);
void pol_textw_put_len(struct pol_textw *w, const char *data, size_t len);

/* pol_textw_fmt() - text of ours, at most 255 bytes. */
void pol_textw_fmt(struct pol_textw *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define POL_TEXTW_LOSSY 1u /* something could not be said exactly */
#define POL_TEXTW_CUT	2u /* the text was cut at its limit, between two characters */

/**
 * pol_textw_escape_t - how a syntax writes one character.
 * @p, @n: its bytes; @n is 0 for a byte that is no UTF-8 (then it is *@p). @c: code point, else 0.
 * @out: what to write instead. @lossy: set where that stands for other characters, too.
 * Return: its length, 1 to 16.
 */
typedef size_t (*pol_textw_escape_t)(const unsigned char *p, size_t n, uint32_t c, char out[16],
				     bool *lossy);

/**
 * pol_textw_bytes() - a text of any bytes.
 * @max: most bytes of the escaped text; 0: no limit.
 * Return: POL_TEXTW_*: what had to be done to it; LOSSY only for what is in the text.
 */
unsigned int pol_textw_bytes(struct pol_textw *w, const void *data, size_t len, size_t max,
			     pol_textw_escape_t escape);

/*
 * pol_textw_shown() - the escaping for people: controls, bytes that are no UTF-8, marks that
 * reorder or hide text and the backslash itself are written \n, \x1b, \u202e, \\. Never lossy.
 */
size_t pol_textw_shown(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy);

/*
 * pol_textw_clean() - the character itself; U+FFFD, and lossy, for what pol_textw_shown() escapes
 * (the backslash not). What a syntax escapes beyond that is its own.
 */
size_t pol_textw_clean(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy);
