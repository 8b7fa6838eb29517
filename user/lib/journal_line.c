/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal_line.h"

#include <errno.h>
#include <stdbool.h>

#include "base.h"

struct out {
	char *buf;
	size_t size;
	size_t len;
};

/* Room for a NUL is kept. */
static bool put(struct out *out, char c)
{
	if (out->len + 1 >= out->size)
		return false;
	out->buf[out->len++] = c;
	return true;
}

static bool put_escaped(struct out *out, char c)
{
	if (c != '\n' && c != '\\')
		return put(out, c);
	return put(out, '\\') && put(out, c == '\n' ? 'n' : '\\');
}

static bool put_field(struct out *out, const struct iovec *field)
{
	const char *data = field->iov_base;

	for (size_t i = 0; i < field->iov_len; i++)
		if (!put_escaped(out, data[i]))
			return false;
	return put(out, '\\') && put(out, ';');
}

int pol_journal_line(const struct pol_journal *journal, char *buf, size_t size)
{
	struct out out = { buf, size, 0 };

	for (int i = 0; i < journal->iov_cnt; i++)
		if (!put_field(&out, &journal->iov[i]))
			return -ENOSPC;
	if (!put(&out, '\n'))
		return -ENOSPC;
	buf[out.len] = '\0';
	return (int)out.len;
}

static int end_field(struct pol_journal *ret, size_t from)
{
	if (ret->iov_cnt >= POL_JOURNAL_FIELDS_MAX)
		return -EBADMSG;
	ret->iov[ret->iov_cnt++] = (struct iovec){ ret->buf + from, ret->used - from };
	return 0;
}

static int add_byte(struct pol_journal *ret, char c)
{
	if (ret->used >= sizeof(ret->buf))
		return -EBADMSG;
	ret->buf[ret->used++] = c;
	return 0;
}

int pol_journal_parse(const char *line, size_t len, struct pol_journal *ret)
{
	size_t from = 0;
	int r = 0;

	ret->iov_cnt = 0;
	ret->used = 0;
	for (size_t i = 0; !r && i < len; i++) {
		if (line[i] == '\n')
			return from == ret->used ? (int)i + 1 : -EBADMSG;
		if (line[i] != '\\') {
			r = add_byte(ret, line[i]);
		} else if (++i < len && line[i] == ';') {
			r = end_field(ret, from);
			from = ret->used;
		} else if (i < len && (line[i] == 'n' || line[i] == '\\')) {
			r = add_byte(ret, line[i] == 'n' ? '\n' : '\\');
		} else {
			r = -EBADMSG;
		}
	}
	return -EBADMSG;
}
