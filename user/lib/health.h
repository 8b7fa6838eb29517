/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes wrong inside the engine, as the kernel has counted it. Reads, changes nothing. */
#pragma once

#include <stdint.h>

#include "engine.h"

/* pol_health_fails() - by enum pol_fail, summed over the CPUs; what can't be read is 0. */
void pol_health_fails(const struct pol_engine *engine, uint64_t ret[POL_FAILS_CNT]);

/**
 * pol_health_misses() - how often the kernel skipped one of the attached programs, because another
 * task was preempted inside it on the same CPU (bpf_prog_info.recursion_misses, from 5.12). Only
 * tracing programs are skipped, never LSM programs.
 *
 * Return: 0; a negative errno: some program could not be asked, @ret is untouched.
 */
int pol_health_misses(uint64_t *ret);
