/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit_limits.h"

#include <inttypes.h>
#include <stdio.h>

#include "base.h"

/* The kernel counts memory in pages and rounds a ceiling down (page_counter_memparse()). */
#define PAGE_BYTES 4096u
#define USEC_PER_MILLI_CORE 1000u /* thousandths of a core, as microseconds of a second */

static void set_number(struct pol_unit_limit *limit, uint64_t value, uint64_t granule)
{
	limit->value = value == POL_LIMIT_MAX ? UINT64_MAX : value;
	if (value == POL_LIMIT_MAX)
		(void)snprintf(limit->text, sizeof(limit->text), "max");
	else
		(void)snprintf(limit->text, sizeof(limit->text), "%" PRIu64,
			       value / granule * granule);
}

static void set_cpu(struct pol_unit_limit *limit, uint64_t milli)
{
	*limit = (struct pol_unit_limit){ .property = "CPUQuotaPerSecUSec", .file = "cpu.max" };
	limit->value = milli == POL_LIMIT_MAX ? UINT64_MAX : milli * USEC_PER_MILLI_CORE;
	if (milli == POL_LIMIT_MAX)
		(void)snprintf(limit->text, sizeof(limit->text), "max 100000");
	else /* systemd's period, and the kernel's own, is 100 ms */
		(void)snprintf(limit->text, sizeof(limit->text), "%" PRIu64 " 100000", milli * 100);
}

size_t pol_unit_limits(const struct pol_limits *limits,
		       struct pol_unit_limit ret[POL_UNIT_LIMITS_MAX])
{
	const struct {
		const char *property;
		const char *file;
		uint64_t value;
		uint64_t granule;
	} numbers[] = {
		{ "TasksMax", "pids.max", limits->pids, 1 },
		{ "MemoryMax", "memory.max", limits->memory_bytes, PAGE_BYTES },
		{ "MemorySwapMax", "memory.swap.max", limits->swap_bytes, PAGE_BYTES },
	};
	size_t cnt = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].value == POL_LIMIT_UNSET)
			continue;
		ret[cnt].property = numbers[i].property;
		ret[cnt].file = numbers[i].file;
		set_number(&ret[cnt++], numbers[i].value, numbers[i].granule);
	}
	if (limits->cpu_milli != POL_LIMIT_UNSET)
		set_cpu(&ret[cnt++], limits->cpu_milli);
	return cnt;
}
