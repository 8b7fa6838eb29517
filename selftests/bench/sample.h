/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What single operations cost, by the time stamp counter: in a VM with -icount shift=0 it counts
 * instructions.
 */
#pragma once

#include <stdint.h>

__attribute__((noreturn)) void bench_die(const char *what);

/* Room for @n samples, shared: a page that fork marks for copying would be paid for by the next one. */
uint64_t *bench_samples(long n);

/* What a sample of nothing takes. @samples: overwritten. */
uint64_t bench_overhead(uint64_t *samples, long n);

double bench_mean(const uint64_t *samples, long n);

/*
 * Says "MIDDLE MEAN LEAST TIMES": the mean of the middle half of @samples, which are sorted; @all; the
 * least. Not the median: forks come in two kinds, half and half, 1100 instructions apart.
 */
void bench_say(uint64_t *samples, long n, double all);
