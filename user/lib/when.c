/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "when.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base.h"

#define SECOND_NS INT64_C(1000000000)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly @cnt digits. Return: what follows, or NULL. */
static const char *digits(const char *text, int cnt, int *ret)
{
	int value = 0;

	for (int i = 0; i < cnt; i++) {
		if (!is_digit(text[i]))
			return NULL;
		value = value * 10 + (text[i] - '0');
	}
	*ret = value;
	return text + cnt;
}

int pol_span_parse(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{ "", SECOND_NS },	 { "ms", 1000000 },	    { "s", SECOND_NS },
		{ "m", 60 * SECOND_NS }, { "h", 3600 * SECOND_NS },
	};
	int64_t value = 0, ns;
	const char *p = text;

	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *p - '0', &value))
			return -ERANGE;
	if (p == text)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(p, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].ns, &ns))
			return -ERANGE;
		*ret_ns = ns;
		return 0;
	}
	return -EINVAL;
}

/* "2026-11-21T01:02:03"; ranges are checked by what timegm() makes of it. */
static const char *parse_clock(const char *p, struct tm *tm)
{
	static const char *const seps[] = { "-", "-", "Tt ", ":", ":" };
	int *const fields[] = { &tm->tm_year, &tm->tm_mon, &tm->tm_mday,
				&tm->tm_hour, &tm->tm_min, &tm->tm_sec };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		p = digits(p, i == 0 ? 4 : 2, fields[i]);
		if (!p)
			return NULL;
		if (i == ARRAY_SIZE(seps))
			break;
		if (!*p || !strchr(seps[i], *p))
			return NULL;
		p++;
	}
	if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 || tm->tm_hour > 23 ||
	    tm->tm_min > 59 || tm->tm_sec > 60)
		return NULL;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return p;
}

static const char *parse_fraction(const char *p, int64_t *ret_ns)
{
	int64_t unit = SECOND_NS / 10, ns = 0;

	if (*p != '.') {
		*ret_ns = 0;
		return p;
	}
	if (!is_digit(*++p))
		return NULL;
	for (; is_digit(*p); p++, unit /= 10)
		ns += (*p - '0') * unit;
	*ret_ns = ns;
	return p;
}

/* "Z" or "+01:30"; the offset is required, or the time would depend on the host's zone. */
static int parse_zone(const char *p, int64_t *ret_s)
{
	int sign = *p == '-' ? -1 : 1, hours, minutes;

	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*ret_s = 0;
		return 0;
	}
	if (*p != '+' && *p != '-')
		return -EINVAL;
	p = digits(p + 1, 2, &hours);
	if (!p || *p != ':')
		return -EINVAL;
	p = digits(p + 1, 2, &minutes);
	if (!p || *p || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_s = sign * (hours * 3600 + minutes * 60);
	return 0;
}

int pol_time_parse(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t frac, zone, ns;
	int mday, leap, r;
	const char *p;
	time_t t;

	p = parse_clock(text, &tm);
	if (!p)
		return -EINVAL;
	mday = tm.tm_mday;
	leap = tm.tm_sec == 60;
	tm.tm_sec -= leap;
	p = parse_fraction(p, &frac);
	if (!p)
		return -EINVAL;
	r = parse_zone(p, &zone);
	if (r < 0)
		return r;
	t = timegm(&tm);
	/* A day that the month does not have comes back as another. */
	if (tm.tm_mday != mday)
		return -EINVAL;
	t += leap;
	if (__builtin_mul_overflow((int64_t)t - zone, SECOND_NS, &ns) ||
	    __builtin_add_overflow(ns, frac, &ns))
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

int pol_since_parse(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	int64_t span;
	int r = pol_span_parse(text, &span);

	if (r == -EINVAL)
		return pol_time_parse(text, ret_ns);
	if (r < 0)
		return r;
	*ret_ns = now_ns - span;
	return 0;
}
