/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jsonw.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "copy.h"
#include "decimal.h"

void pol_jsonw_init(struct pol_jsonw *w, char *buf, size_t size)
{
	*w = (struct pol_jsonw){
		.p = buf,
		.buf = buf,
		.end = size ? buf + size - 1 : buf,
		.overflow = !size,
	};
}

void pol_jsonw_full(struct pol_jsonw *w)
{
	w->overflow = true;
	w->end = w->p;
}

static inline void put(struct pol_jsonw *w, const char *data, size_t len)
{
	if (!pol_jsonw_room(w, len))
		return;
	pol_copy(w->p, data, len);
	w->p += len;
}

int pol_jsonw_finish(struct pol_jsonw *w)
{
	if (w->overflow)
		return -ENOSPC;
	*w->p = '\0';
	return (int)(w->p - w->buf);
}

void pol_jsonw_raw_bytes(struct pol_jsonw *w, const char *data, size_t len)
{
	if (w->lead && w->lead != ',') /* a bracket that waits for what is in it */
		put(w, &w->lead, 1);
	put(w, data, len);
	w->lead = 0;
}

void pol_jsonw_int(struct pol_jsonw *w, int64_t value)
{
	if (value >= 0)
		return pol_jsonw_uint(w, (uint64_t)value);
	if (!pol_jsonw_begin(w, POL_DECIMAL_ROOM + 1))
		return;
	*w->p++ = '-';
	w->p += pol_decimal_put(w->p, -(uint64_t)value);
}

void pol_jsonw_u64_text(struct pol_jsonw *w, uint64_t value)
{
	char *p;

	if (!pol_jsonw_begin(w, POL_DECIMAL_ROOM + 2))
		return;
	p = w->p;
	*p++ = '"';
	p += pol_decimal_put(p, value);
	*p++ = '"';
	w->p = p;
}

void pol_jsonw_word(struct pol_jsonw *w, const char *word)
{
	size_t len;
	char *p;

	if (!word)
		return pol_jsonw_null(w);
	len = strlen(word);
	if (!pol_jsonw_begin(w, len + 2))
		return;
	p = w->p;
	*p++ = '"';
	pol_copy(p, word, len);
	p += len;
	*p++ = '"';
	w->p = p;
}

void pol_jsonw_text(struct pol_jsonw *w, const char *text)
{
	if (text)
		(void)pol_jsonw_bytes(w, text, strlen(text), 0);
	else
		pol_jsonw_null(w);
}

size_t pol_char_next(const unsigned char *data, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;
	uint32_t c;

	if (len == 0)
		return 0;
	if (data[0] < 0x80) {
		*ret = data[0];
		return 1;
	}
	n = data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
	if (data[0] < 0xc2 || data[0] > 0xf4 || len < n)
		return 0;
	c = data[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (data[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

bool pol_char_valid(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t c = 0;

	for (size_t n; len; p += n, len -= n) {
		n = pol_char_next(p, len, &c);
		if (n == 0 || c == 0)
			return false;
	}
	return true;
}

bool pol_char_hidden(uint32_t c)
{
	/*
	 * Unicode 15: controls (Cc); soft hyphen; Bidi_Control (UAX 9) with the deprecated 206A-F;
	 * line and paragraph separators; zero-width characters; annotations; tags (plane 14).
	 */
	static const struct {
		uint32_t first;
		uint32_t last;
	} hidden[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

/* \uXXXX of a code point, as two of them above the basic plane. Return: length. */
static size_t escape_code(uint32_t c, char out[16])
{
	if (c >= 0x10000)
		return (size_t)snprintf(out, 16, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
					0xdc00 + ((c - 0x10000) & 0x3ff));
	return (size_t)snprintf(out, 16, "\\u%04x", c);
}

/* One character, escaped, of @n bytes at @p (0: no character). Return: length. */
static size_t escape(const unsigned char *p, size_t n, uint32_t c, char out[16])
{
	static const char letters[128] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
		['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
	};

	if (n == 0 || c == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (c < sizeof(letters) && letters[c]) {
		out[0] = '\\';
		out[1] = letters[c];
		return 2;
	}
	if (pol_char_hidden(c))
		return escape_code(c, out);
	memcpy(out, p, n);
	return n;
}

/*
 * Clean: ASCII that JSON takes as it is, 0x20 to 0x7e but for '"' and '\\'. Eight bytes at once: the
 * high bit of the first one that is not, and perhaps of those above it.
 */
static inline uint64_t dirty_8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	uint64_t low = x - ones * 0x20, quote = (x ^ ones * '"') - ones,
		 backslash = (x ^ ones * '\\') - ones, del = (x ^ ones * 0x7f) - ones;

	return (x | low | quote | backslash | del) & highs;
}

typedef signed char bytes_16 __attribute__((vector_size(16)));
typedef uint64_t words_2 __attribute__((vector_size(16)));

/* Sixteen at once, as every amd64 and arm64 has them; a byte above 0x7f is negative. */
static inline bool clean_16(bytes_16 x)
{
	words_2 dirty = (words_2)((x < 0x20) | (x == '"') | (x == '\\') | (x == 0x7f));

	return !(dirty[0] | dirty[1]);
}

/*
 * copy_clean() - copy a text that is clean, blocks that end with it overlapping the ones before.
 * Return: false: it is not, and some of it has been copied.
 */
static inline bool copy_clean(char *to, const unsigned char *p, size_t len)
{
	uint64_t a, b;
	uint32_t c, d;
	bytes_16 x;

	if (len >= 16) {
		for (size_t at = 0; at < len - 16; at += 16) {
			memcpy(&x, p + at, 16);
			memcpy(to + at, &x, 16);
			if (!clean_16(x))
				return false;
		}
		memcpy(&x, p + len - 16, 16);
		memcpy(to + len - 16, &x, 16);
		return clean_16(x);
	}
	if (len >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + len - 8, 8);
		memcpy(to, &a, 8);
		memcpy(to + len - 8, &b, 8);
		return !(dirty_8(a) | dirty_8(b));
	}
	if (len >= 4) {
		memcpy(&c, p, 4);
		memcpy(&d, p + len - 4, 4);
		memcpy(to, &c, 4);
		memcpy(to + len - 4, &d, 4);
		return !dirty_8((uint64_t)c << 32 | d);
	}
	for (size_t i = 0; i < len; i++)
		to[i] = (char)p[i];
	return !len || !dirty_8(0x2020202020000000 | p[0] | p[len / 2] << 8 | p[len - 1] << 16);
}

/* Bytes from @p on that are clean. */
static size_t clean_run(const unsigned char *p, size_t len)
{
	uint64_t x = 0, dirty;
	size_t n = 0;

	for (; n + 8 <= len; n += 8) {
		memcpy(&x, p + n, 8);
		dirty = dirty_8(le64toh(x));
		if (dirty)
			return n + (size_t)__builtin_ctzll(dirty) / 8;
	}
	while (n < len && !dirty_8(0x2020202020202000 | p[n]))
		n++;
	return n;
}

bool pol_jsonw_clean(const void *data, size_t len)
{
	return clean_run(data, len) == len;
}

/* Character by character, but for clean runs. Return: POL_JSONW_*. */
static unsigned int put_escaped(struct pol_jsonw *w, const unsigned char *p, size_t len, size_t max)
{
	unsigned int flags = 0;
	size_t left = max ? max : SIZE_MAX;

	while (len) {
		size_t run = clean_run(p, len < left ? len : left), n, out_len;
		uint32_t c = 0;
		char out[16];

		put(w, (const char *)p, run);
		p += run;
		len -= run;
		left -= run;
		if (!len)
			break;
		n = pol_char_next(p, len, &c);
		out_len = escape(p, n, c, out);
		if (out_len > left)
			return flags | POL_JSONW_CUT;
		if (n == 0 || c == 0)
			flags |= POL_JSONW_LOSSY;
		put(w, out, out_len);
		left -= out_len;
		p += n ? n : 1;
		len -= n ? n : 1;
	}
	return flags;
}

unsigned int pol_jsonw_bytes(struct pol_jsonw *w, const void *data, size_t len, size_t max)
{
	unsigned int flags;
	char *p;

	if (!pol_jsonw_begin(w, 1))
		return 0;
	p = w->p;
	*p++ = '"';
	if ((!max || len <= max) && (size_t)(w->end - p) > len && copy_clean(p, data, len)) {
		p[len] = '"';
		w->p = p + len + 1;
		return 0;
	}
	w->p = p;
	flags = put_escaped(w, data, len, max);
	put(w, "\"", 1);
	return flags;
}

unsigned int pol_jsonw_hex(struct pol_jsonw *w, const void *data, size_t len, size_t max)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	bool cut = max && len > max / 2;

	if (cut)
		len = max / 2;
	if (!pol_jsonw_begin(w, 2 * len + 2))
		return 0;
	*w->p++ = '"';
	for (size_t i = 0; i < len; i++) {
		*w->p++ = digits[p[i] >> 4];
		*w->p++ = digits[p[i] & 15];
	}
	*w->p++ = '"';
	return cut ? POL_JSONW_CUT : 0;
}
