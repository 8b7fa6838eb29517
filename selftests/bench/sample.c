/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

void bench_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort(uint64_t *samples, long n)
{
	qsort(samples, (size_t)n, sizeof(*samples), by_value);
}

double bench_mean(const uint64_t *samples, long n)
{
	double sum = 0;

	for (long i = 0; i < n; i++)
		sum += (double)samples[i];
	return sum / (double)n;
}

uint64_t *bench_samples(long n)
{
	size_t size = (size_t)n * sizeof(uint64_t);
	uint64_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("mmap");
	memset(at, 0, size);
	return at;
}

uint64_t bench_overhead(uint64_t *samples, long n)
{
	for (long i = 0; i < n; i++) {
		uint64_t begin = __rdtsc();

		samples[i] = __rdtsc() - begin;
	}
	sort(samples, n);
	return samples[n / 2];
}

void bench_say(uint64_t *samples, long n, double all)
{
	sort(samples, n);
	printf("%.1f %.1f %llu %ld\n", bench_mean(samples + n / 4, n - 2 * (n / 4)), all,
	       (unsigned long long)samples[0], n);
}
