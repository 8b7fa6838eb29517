/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit_limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

/* The kernel counts memory in pages and rounds a ceiling down (page_counter_memparse()). */
#define PAGE_BYTES 4096u
#define NUMBERS_CNT 3 /* tasks, memory, swap */
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

static const struct {
	const char *property;
	const char *word; /* in io.max */
} io_rows[] = {
	[POL_IO_RBPS] = { "IOReadBandwidthMax", "rbps" },
	[POL_IO_WBPS] = { "IOWriteBandwidthMax", "wbps" },
	[POL_IO_RIOPS] = { "IOReadIOPSMax", "riops" },
	[POL_IO_WIOPS] = { "IOWriteIOPSMax", "wiops" },
};
_Static_assert(ARRAY_SIZE(io_rows) == POL_IO_CNT, "each has its property");

static void set_io(struct pol_unit_limit *limit, const struct pol_io_limit *io, size_t i)
{
	char number[24] = "max";
	bool lifted = io->max[i] == POL_LIMIT_MAX;

	*limit = (struct pol_unit_limit){
		.property = io_rows[i].property,
		.value = lifted ? UINT64_MAX : io->max[i],
		.device = io->device,
		.file = "io.max",
	};
	if (!lifted)
		(void)snprintf(number, sizeof(number), "%" PRIu64, io->max[i]);
	(void)snprintf(limit->disk, sizeof(limit->disk), "%u:%u", io->major, io->minor);
	(void)snprintf(limit->text, sizeof(limit->text), "%s=%s", io_rows[i].word, number);
}

size_t pol_unit_limits_max(const struct pol_limits *limits)
{
	return NUMBERS_CNT + 1 + limits->io_cnt * POL_IO_CNT; /* and one for the processor */
}

size_t pol_unit_limits(const struct pol_limits *limits, struct pol_unit_limit *ret)
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

	_Static_assert(ARRAY_SIZE(numbers) == NUMBERS_CNT, "room for each");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].value == POL_LIMIT_UNSET)
			continue;
		ret[cnt] = (struct pol_unit_limit){
			.property = numbers[i].property,
			.file = numbers[i].file,
		};
		set_number(&ret[cnt++], numbers[i].value, numbers[i].granule);
	}
	if (limits->cpu_milli != POL_LIMIT_UNSET)
		set_cpu(&ret[cnt++], limits->cpu_milli);
	for (size_t i = 0; i < limits->io_cnt; i++)
		for (size_t k = 0; k < POL_IO_CNT; k++)
			set_io(&ret[cnt++], &limits->io[i], k);
	return cnt;
}

size_t pol_unit_lifts(const struct pol_limits *limits, struct pol_unit_limit *ret)
{
	const struct {
		const char *property;
		uint64_t value;
	} numbers[] = {
		{ "MemoryMax", limits->memory_bytes },
		{ "MemorySwapMax", limits->swap_bytes },
		{ "CPUQuotaPerSecUSec", limits->cpu_milli },
	};
	size_t cnt = 0;

	_Static_assert(ARRAY_SIZE(numbers) + POL_IO_CNT == POL_UNIT_LIFTS_MAX, "room for each");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].value == POL_LIMIT_UNSET)
			ret[cnt++] = (struct pol_unit_limit){
				.property = numbers[i].property,
				.value = UINT64_MAX,
			};
	/* Those of devices that the policy names follow with pol_unit_limits(). */
	return cnt + pol_unit_no_io(&ret[cnt]);
}

static uint64_t number_of(const char *text)
{
	return !*text || !strncmp(text, "max", 3) ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* "50000 100000": microseconds in a period, as microseconds of a second. */
static uint64_t cpu_of(const char *text)
{
	uint64_t quota = number_of(text), period = number_of(text + strcspn(text, " "));

	return quota == UINT64_MAX || !period ? UINT64_MAX : quota * 1000000 / period;
}

bool pol_unit_limit_before(const char *file, const char *text, struct pol_unit_limit *ret)
{
	static const struct {
		const char *file;
		const char *property;
		uint64_t (*value)(const char *text);
	} rows[] = {
		{ "pids.max", "TasksMax", number_of },
		{ "memory.max", "MemoryMax", number_of },
		{ "memory.swap.max", "MemorySwapMax", number_of },
		{ "cpu.max", "CPUQuotaPerSecUSec", cpu_of },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(file, rows[i].file) != 0)
			continue;
		*ret = (struct pol_unit_limit){
			.property = rows[i].property,
			.value = rows[i].value(text),
			.file = rows[i].file,
		};
		return true;
	}
	return false;
}

size_t pol_unit_no_io(struct pol_unit_limit *ret)
{
	for (size_t i = 0; i < POL_IO_CNT; i++)
		ret[i] = (struct pol_unit_limit){
			.property = io_rows[i].property,
			.value = UINT64_MAX,
			.device = "",
		};
	return POL_IO_CNT;
}

static bool io_word(const char *line, size_t i, uint64_t *ret)
{
	const char *at = strstr(line, io_rows[i].word);

	if (!at || at[strlen(io_rows[i].word)] != '=')
		return false;
	*ret = number_of(at + strlen(io_rows[i].word) + 1);
	return true;
}

bool pol_unit_io_before(const char *line, struct pol_io_limit *ret)
{
	char copy[160];

	(void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
	if (sscanf(copy, "%u:%u ", &ret->major, &ret->minor) != 2)
		return false;
	for (size_t i = 0; i < POL_IO_CNT; i++) {
		if (!io_word(copy, i, &ret->max[i]))
			return false;
		if (ret->max[i] == UINT64_MAX)
			ret->max[i] = POL_LIMIT_MAX;
	}
	return true;
}

/* The line "8:0 rbps=1 wbps=max ..."; NULL: the device has none, nothing bounds it. */
static const char *find_disk(const char *text, const char *disk)
{
	size_t len = strlen(disk);

	while (text && (strncmp(text, disk, len) != 0 || text[len] != ' ')) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

bool pol_unit_limit_holds(const struct pol_unit_limit *limit, const char *text)
{
	size_t len = strlen(limit->text), line;
	const char *at;

	if (!limit->device)
		return strcspn(text, "\n") == len && strncmp(text, limit->text, len) == 0;
	at = find_disk(text, limit->disk);
	if (!at)
		return limit->value == UINT64_MAX;
	for (line = strcspn(at, "\n"); line > len; line--, at++)
		if (at[0] == ' ' && strncmp(at + 1, limit->text, len) == 0 &&
		    (line == len + 1 || at[1 + len] == ' '))
			return true;
	return false;
}
