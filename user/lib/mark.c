/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mark.h"

#include <inttypes.h>
#include <string.h>

#include "base.h"

#define ID_DIGITS 16

size_t pol_mark_write(const struct pol_mark *mark, char buf[static POL_MARK_SIZE])
{
	return (size_t)snprintf(buf, POL_MARK_SIZE, "%016" PRIx64 "-%" PRIu64, mark->id,
				mark->count);
}

/* As strtoull(3) does not check: digits only. Return: how many there are. */
static size_t digits(const char *text, const char *of)
{
	return strspn(text, of);
}

int pol_mark_read(const char *text, size_t len, struct pol_mark *ret)
{
	struct pol_mark mark;
	char buf[POL_MARK_SIZE];
	const char *count = buf + ID_DIGITS + 1;
	size_t cnt;

	if (len > sizeof(buf) - 1)
		len = sizeof(buf) - 1;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (digits(buf, "0123456789abcdef") != ID_DIGITS || buf[ID_DIGITS] != '-')
		return -EINVAL;
	cnt = digits(count, "0123456789");
	errno = 0;
	mark.id = strtoull(buf, NULL, 16);
	mark.count = strtoull(count, NULL, 10);
	if (!cnt || errno || !mark.id)
		return -EINVAL;
	*ret = mark;
	return (int)(ID_DIGITS + 1 + cnt);
}
