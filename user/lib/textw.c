/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "textw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jsonw.h"

void pol_textw_init(struct pol_textw *w, char *buf, size_t size)
{
	*w = (struct pol_textw){ .buf = buf, .size = size };
}

int pol_textw_finish(struct pol_textw *w)
{
	if (w->overflow || w->size == 0)
		return -ENOSPC;
	w->buf[w->len] = '\0';
	return (int)w->len;
}

void pol_textw_put_len(struct pol_textw *w, const char *data, size_t len)
{
	/* One byte is kept for the final NUL. */
	if (w->overflow || len >= w->size - w->len) {
		w->overflow = true;
		return;
	}
	memcpy(w->buf + w->len, data, len);
	w->len += len;
}

void pol_textw_put(struct pol_textw *w, const char *text)
{
	pol_textw_put_len(w, text, strlen(text));
}

void pol_textw_fmt(struct pol_textw *w, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pol_textw_put(w, text);
}

unsigned int pol_textw_bytes(struct pol_textw *w, const void *data, size_t len, size_t max,
			     pol_textw_escape_t escape)
{
	const unsigned char *p = data;
	unsigned int flags = 0;
	size_t used = 0;

	while (len) {
		char out[16];
		uint32_t c = 0;
		bool lossy = false;
		size_t n = pol_char_next(p, len, &c);
		size_t out_len = escape(p, n, c, out, &lossy);

		if (max && used + out_len > max)
			return flags | POL_TEXTW_CUT;
		if (lossy)
			flags |= POL_TEXTW_LOSSY;
		pol_textw_put_len(w, out, out_len);
		used += out_len;
		p += n ? n : 1;
		len -= n ? n : 1;
	}
	return flags;
}

static size_t itself(const unsigned char *p, size_t n, char out[16])
{
	memcpy(out, p, n);
	return n;
}

size_t pol_textw_shown(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy)
{
	(void)lossy;
	if (n && c && c != '\\' && !pol_char_hidden(c))
		return itself(p, n, out);
	if (n && c == '\\')
		return (size_t)snprintf(out, 16, "\\\\");
	if (n && c == '\n')
		return (size_t)snprintf(out, 16, "\\n");
	if (n && c == '\t')
		return (size_t)snprintf(out, 16, "\\t");
	if (n && c >= 0x80)
		return (size_t)snprintf(out, 16, "\\u%04" PRIx32, c);
	return (size_t)snprintf(out, 16, "\\x%02x", p[0]);
}

size_t pol_textw_clean(const unsigned char *p, size_t n, uint32_t c, char out[16], bool *lossy)
{
	if (n && c && !pol_char_hidden(c))
		return itself(p, n, out);
	*lossy = true;
	memcpy(out, "\xef\xbf\xbd", 3);
	return 3;
}
