/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "here.h"

#include <time.h>

#include "base.h"
#include "file.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void pol_here_read(struct pol_here *ret, struct pol_event_ctx *ctx)
{
	*ret = (struct pol_here){};
	if (!gethostname(ret->host, sizeof(ret->host) - 1))
		ctx->host = ret->host;
	if (!pol_file_read_line("/proc/sys/kernel/random/boot_id", ret->boot_id,
				sizeof(ret->boot_id)))
		ctx->boot_id = ret->boot_id;
}

uint64_t pol_here_clocks(struct pol_event_ctx *ctx)
{
	uint64_t now_ns = pol_boot_ns();

	ctx->boot_to_real_ns = clock_ns(CLOCK_REALTIME) - (int64_t)now_ns;
	return now_ns;
}

uint64_t pol_boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

uint64_t pol_monotonic_us(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC) / 1000;
}
