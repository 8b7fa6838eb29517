/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "event_json.h"

#define SECOND INT64_C(1000000000)

int64_t pol_event_real_ns(uint64_t boot_ns, const struct pol_event_ctx *ctx)
{
	int64_t ns;

	/* A record's time may be any number; nonsense shows as the epoch. */
	return __builtin_add_overflow(boot_ns, ctx->boot_to_real_ns, &ns) ? 0 : ns;
}

void pol_real_time(int64_t real_ns, char *buf, size_t size)
{
	int64_t frac = real_ns % SECOND;
	time_t t = (time_t)(real_ns / SECOND);
	struct tm tm;

	if (frac < 0) {
		frac += SECOND;
		t--;
	}
	if (!gmtime_r(&t, &tm))
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70 };
	(void)snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, frac);
}

void pol_event_time(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		    size_t size)
{
	pol_real_time(pol_event_real_ns(view->boot_ns, ctx), buf, size);
}
