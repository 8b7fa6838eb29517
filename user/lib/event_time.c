/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "decimal.h"
#include "event_json.h"

#define SECOND INT64_C(1000000000)
#define DAY    86400

int64_t pol_event_real_ns(uint64_t boot_ns, const struct pol_event_ctx *ctx)
{
	int64_t ns;

	/* A record's time may be any number; nonsense shows as the epoch. */
	return __builtin_add_overflow(boot_ns, ctx->boot_to_real_ns, &ns) ? 0 : ns;
}

/*
 * The Gregorian date, by years that begin in March: gmtime_r(3) takes a lock and eight times the
 * instructions. @day: since 0000-03-01.
 */
static void put_date(char to[static 10], uint32_t day)
{
	/* 400 years are 146097 days, 4 years mostly 1461, 5 months from March on 153. */
	uint32_t era = day / 146097, of_era = day % 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t march = (5 * of_year + 2) / 153;
	uint32_t month = march < 10 ? march + 3 : march - 9;

	year += era * 400 + (month <= 2);
	pol_decimal_pair(to, year / 100);
	pol_decimal_pair(to + 2, year % 100);
	pol_decimal_pair(to + 5, month);
	pol_decimal_pair(to + 8, of_year - (153 * march + 2) / 5 + 1);
}

int64_t pol_real_second(int64_t real_ns, uint32_t *ret_ns)
{
	int64_t second = real_ns / SECOND, ns = real_ns % SECOND;

	if (ns < 0) {
		ns += SECOND;
		second--;
	}
	*ret_ns = (uint32_t)ns;
	return second;
}

void pol_real_time(int64_t real_ns, char buf[static POL_TIME_SIZE])
{
	uint32_t ns, of_day;
	int64_t second = pol_real_second(real_ns, &ns);
	uint64_t since; /* 0000-03-01, which is before all that 64 bits of nanoseconds reach */

	since = (uint64_t)(second + INT64_C(719468) * DAY);
	memcpy(buf, "0000-00-00T00:00:00.000000000Z", POL_TIME_SIZE);
	of_day = (uint32_t)(since % DAY);
	put_date(buf, (uint32_t)(since / DAY));
	pol_decimal_pair(buf + 11, of_day / 3600);
	pol_decimal_pair(buf + 14, of_day / 60 % 60);
	pol_decimal_pair(buf + 17, of_day % 60);
	buf[20] = (char)('0' + ns / 100000000);
	pol_decimal_8(buf + 21, ns % 100000000);
}

void pol_event_time(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		    char buf[static POL_TIME_SIZE])
{
	pol_real_time(pol_event_real_ns(view->boot_ns, ctx), buf);
}
