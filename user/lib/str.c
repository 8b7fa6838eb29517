/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of users: see str.h. */
#include "str.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

#define NAME_MAX_BYTES 255 /* NAME_MAX, include/uapi/linux/limits.h */
#define DISTANCE_MAX   64  /* longer words are no typing mistakes of ours */

int pol_utf8_next(const char *text, size_t len, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;
	int need;

	*ret = 0xfffd;
	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	if (!need || s[0] > 0xf4 || (size_t)need > len)
		return -1;
	cp = s[0] & (0x7fu >> need);
	for (int i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return -1;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < lowest[need] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return -1;
	*ret = cp;
	return need;
}

/* Characters that a terminal does not show, or that make it show others in another order. */
static bool misleading(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
	       (cp >= 0xe0000 && cp <= 0xe007f);
}

char *pol_str_escape(const char *text, size_t len)
{
	size_t room = len + 1, used = 0, at = 0;
	char *out = malloc(room);
	uint32_t cp;
	int n;

	while (out && at < len) {
		n = pol_utf8_next(text + at, len - at, &cp);
		if (room - used < 16) {
			char *more = realloc(out, room = room * 2 + 32);

			if (!more)
				free(out);
			out = more;
			if (!out)
				break;
		}
		if (n < 0 || cp < 0x80) {
			bool plain = n > 0 && !misleading(cp);

			used += (size_t)snprintf(out + used, room - used, plain ? "%c" : "\\x%02x",
						 (unsigned char)text[at]);
			at++;
		} else if (misleading(cp)) {
			used += (size_t)snprintf(out + used, room - used, "\\u{%x}", cp);
			at += (size_t)n;
		} else {
			memcpy(out + used, text + at, (size_t)n);
			used += (size_t)n;
			at += (size_t)n;
		}
	}
	if (out)
		out[used] = '\0';
	return out;
}

/* Levenshtein's distance with a swap of neighbours as one edit, in bytes. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][DISTANCE_MAX + 1];
	size_t *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		prev[j] = j;
	memset(rows[0], 0, sizeof(rows[0]));
	for (size_t i = 1; i <= a_len; i++) {
		size_t *swap = before;

		cur[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = prev[j - 1] + (a[i - 1] != b[j - 1]);

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			cur[j] = best;
		}
		before = prev;
		prev = cur;
		cur = swap;
	}
	return prev[b_len];
}

const char *pol_str_nearest(const char *text, const char *const *words, size_t words_cnt)
{
	size_t len = strlen(text), best = len / 3 > 1 ? len / 3 : 1;
	const char *ret = NULL;

	if (!len || len > DISTANCE_MAX)
		return NULL;
	for (size_t i = 0; i < words_cnt; i++) {
		size_t word_len = strlen(words[i]), d;

		if (word_len > DISTANCE_MAX)
			continue;
		d = distance(text, len, words[i], word_len);
		if (d < best || (d == best && !ret)) {
			best = d;
			ret = words[i];
		}
	}
	return ret;
}

int pol_str_size(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "KB", 1000 },
		{ "MB", 1000000 },
		{ "GB", 1000000000 },
		{ "KiB", 1ull << 10 },
		{ "MiB", 1ull << 20 },
		{ "GiB", 1ull << 30 },
	};
	const char *p = text;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -ERANGE;
	while (*p == ' ')
		p++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(p, units[i].unit) != 0)
			continue;
		/* Above INT64_MAX: the kernel's page counters end there, and ours means "max". */
		if (__builtin_mul_overflow(n, units[i].factor, &n) || n > INT64_MAX)
			return -ERANGE;
		*ret_bytes = n;
		return 0;
	}
	return -EINVAL;
}

int pol_path_clean(const char *path, size_t len, char **ret)
{
	_cleanup_free_ char *out = NULL;
	size_t used = 0, at = 0;

	if (!len)
		return POL_PATH_EMPTY;
	if (memchr(path, '\0', len))
		return POL_PATH_NUL;
	if (path[0] != '/')
		return POL_PATH_RELATIVE;
	out = malloc(len + 2);
	if (!out)
		return -ENOMEM;
	while (at < len) {
		size_t end = at;

		while (end < len && path[end] != '/')
			end++;
		if (end - at == 2 && memcmp(path + at, "..", 2) == 0)
			return POL_PATH_DOTDOT;
		if (end - at > NAME_MAX_BYTES)
			return POL_PATH_NAME_TOO_LONG;
		if (end > at && !(end - at == 1 && path[at] == '.')) {
			out[used++] = '/';
			memcpy(out + used, path + at, end - at);
			used += end - at;
		}
		at = end + 1;
	}
	if (!used)
		out[used++] = '/';
	out[used] = '\0';
	*ret = TAKE_PTR(out);
	return POL_PATH_OK;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool pol_path_lies_in(const char *path, const char *above)
{
	size_t len = strlen(above);

	return strncmp(path, above, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool pol_path_is_beneath(const char *path, const char *above)
{
	return !above[1] || pol_path_lies_in(path, above);
}

int pol_hex_decode(const char *hex, char **ret, size_t *ret_len)
{
	size_t len = strlen(hex);
	_cleanup_free_ char *out = NULL;

	if (len % 2)
		return -EINVAL;
	out = malloc(len / 2 + 1);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < len; i += 2) {
		int hi = nibble(hex[i]), lo = nibble(hex[i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i / 2] = (char)(hi << 4 | lo);
	}
	out[len / 2] = '\0';
	*ret = TAKE_PTR(out);
	*ret_len = len / 2;
	return 0;
}
