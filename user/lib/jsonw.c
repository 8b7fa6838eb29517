/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jsonw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

void pol_jsonw_init(struct pol_jsonw *w, char *buf, size_t size)
{
	*w = (struct pol_jsonw){ .buf = buf, .size = size };
}

static void put(struct pol_jsonw *w, const char *data, size_t len)
{
	/* One byte is kept for the final NUL. */
	if (w->overflow || len >= w->size - w->len) {
		w->overflow = true;
		return;
	}
	memcpy(w->buf + w->len, data, len);
	w->len += len;
}

static void put_text(struct pol_jsonw *w, const char *text)
{
	put(w, text, strlen(text));
}

void pol_jsonw_raw(struct pol_jsonw *w, const char *text)
{
	put_text(w, text);
	w->comma = false;
}

static void begin_value(struct pol_jsonw *w)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
}

int pol_jsonw_finish(struct pol_jsonw *w)
{
	if (w->overflow || w->size == 0)
		return -ENOSPC;
	w->buf[w->len] = '\0';
	return (int)w->len;
}

void pol_jsonw_open(struct pol_jsonw *w, char bracket)
{
	begin_value(w);
	put(w, &bracket, 1);
	w->comma = false;
}

void pol_jsonw_close(struct pol_jsonw *w, char bracket)
{
	put(w, &bracket, 1);
	w->comma = true;
}

void pol_jsonw_key(struct pol_jsonw *w, const char *key)
{
	begin_value(w);
	put(w, "\"", 1);
	put_text(w, key);
	put(w, "\":", 2);
	w->comma = false;
}

void pol_jsonw_null(struct pol_jsonw *w)
{
	begin_value(w);
	put_text(w, "null");
}

void pol_jsonw_bool(struct pol_jsonw *w, bool value)
{
	begin_value(w);
	put_text(w, value ? "true" : "false");
}

void pol_jsonw_uint(struct pol_jsonw *w, uint64_t value)
{
	char digits[24];

	begin_value(w);
	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	put_text(w, digits);
}

void pol_jsonw_u64_text(struct pol_jsonw *w, uint64_t value)
{
	char digits[24];

	begin_value(w);
	(void)snprintf(digits, sizeof(digits), "\"%llu\"", (unsigned long long)value);
	put_text(w, digits);
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
	static const char plain[] = "\b\t\n\f\r\"\\";
	static const char letter[] = "btnfr\"\\";
	const char *hit;

	if (n == 0 || c == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	hit = c < 0x80 ? strchr(plain, (int)c) : NULL;
	if (hit) {
		out[0] = '\\';
		out[1] = letter[hit - plain];
		return 2;
	}
	if (pol_char_hidden(c))
		return escape_code(c, out);
	memcpy(out, p, n);
	return n;
}

unsigned int pol_jsonw_bytes(struct pol_jsonw *w, const void *data, size_t len, size_t max)
{
	const unsigned char *p = data;
	unsigned int flags = 0;
	size_t used = 0;

	begin_value(w);
	put(w, "\"", 1);
	while (len) {
		char out[16];
		uint32_t c = 0;
		size_t n = pol_char_next(p, len, &c);
		size_t out_len = escape(p, n, c, out);

		if (max && used + out_len > max) {
			flags |= POL_JSONW_CUT;
			break;
		}
		if (n == 0 || c == 0)
			flags |= POL_JSONW_LOSSY;
		put(w, out, out_len);
		used += out_len;
		p += n ? n : 1;
		len -= n ? n : 1;
	}
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
	begin_value(w);
	put(w, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		put(w, pair, 2);
	}
	put(w, "\"", 1);
	return cut ? POL_JSONW_CUT : 0;
}
