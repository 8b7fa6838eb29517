/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * format - what decoding a record and writing its line of JSON costs: instructions per 1000 bytes of
 * the line.
 *
 *	format violation|exit|ceiling TIMES
 *
 * The records are the unit tests' (tests/harness/records.h), which are those of events.md. Says
 * "MIDDLE MEAN LEAST TIMES", as measure does, by the same clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "event.h"
#include "event_json.h"
#include "event_pieces.h"
#include "records.h"

#define BATCH	100 /* records in a sample */
#define WARM_UP 10

static const struct {
	const char *name;
	void (*make)(union test_record *record);
} kinds[] = {
	{ "violation", test_record_violation },
	{ "exit", test_record_exit },
	{ "ceiling", test_record_ceiling },
};

static union test_record record;
static struct pol_event_ctx ctx;
static struct pol_pieces pieces; /* as policyd has them: the second line of a process copies */
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

/* Return: bytes of the line. */
static int format(void)
{
	int len = pol_event_decode(record.bytes, record.event.size, &view);

	if (!len)
		len = pol_event_json(&view, &ctx, line, sizeof(line));
	if (len > 0)
		return len;
	fprintf(stderr, "format: %s\n", strerror(-len));
	exit(1);
}

static double sample(void)
{
	unsigned long long begin = __rdtsc();
	long bytes = 0;

	for (int i = 0; i < BATCH; i++)
		bytes += format();
	return (double)(__rdtsc() - begin) * 1000 / (double)bytes;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double mean(const double *samples, long n)
{
	double sum = 0;

	for (long i = 0; i < n; i++)
		sum += samples[i];
	return sum / (double)n;
}

static int measure(long times)
{
	double *samples = calloc((size_t)times, sizeof(*samples));

	if (!samples)
		return 1;
	for (int i = 0; i < WARM_UP; i++)
		(void)sample();
	for (long i = 0; i < times; i++)
		samples[i] = sample();
	qsort(samples, (size_t)times, sizeof(*samples), by_value);
	printf("%.1f %.1f %.0f %ld\n", mean(samples + times / 4, times - 2 * (times / 4)),
	       mean(samples, times), samples[0], times);
	free(samples);
	return 0;
}

int main(int argc, char *argv[])
{
	long times = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	for (size_t i = 0; times > 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			kinds[i].make(&record);
			ctx = test_record_ctx;
			ctx.pieces = &pieces;
			return measure(times);
		}
	fprintf(stderr, "usage: format violation|exit|ceiling TIMES\n");
	return 2;
}
