/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memcpy(3) of short texts, whose lengths vary: without a call. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* pol_copy() - blocks that end with the text overlap those before them. */
static inline void pol_copy(char *to, const char *from, size_t len)
{
	uint64_t a, b;
	uint32_t c, d;

	if (len >= 16) {
		memcpy(to, from, len);
	} else if (len >= 8) {
		memcpy(&a, from, 8);
		memcpy(&b, from + len - 8, 8);
		memcpy(to, &a, 8);
		memcpy(to + len - 8, &b, 8);
	} else if (len >= 4) {
		memcpy(&c, from, 4);
		memcpy(&d, from + len - 4, 4);
		memcpy(to, &c, 4);
		memcpy(to + len - 4, &d, 4);
	} else if (len) {
		char middle = from[len / 2], last = from[len - 1];

		to[0] = from[0];
		to[len / 2] = middle;
		to[len - 1] = last;
	}
}
