/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes wrong inside the engine, as the kernel has counted it. Reads, changes nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine.h"

/* pol_health_fails() - by enum pol_fail, summed over the CPUs; what can't be read is 0. */
void pol_health_fails(const struct pol_engine *engine, uint64_t ret[POL_FAILS_CNT]);

/**
 * struct pol_program_stats - what the kernel counts of one attached program.
 * @name: of its pin. @runs, @run_ns: only while kernel.bpf_stats_enabled is on; 0: never counted.
 * @skipped: bpf_prog_info.recursion_misses (from 5.12): how often another task was preempted inside
 * it on the same CPU. Only tracing programs are skipped, never LSM programs.
 */
struct pol_program_stats {
	char name[64];
	uint64_t runs;
	uint64_t run_ns;
	uint64_t skipped;
};

/**
 * pol_health_programs() - of all attached programs, by name; @ret is to be freed.
 * Return: 0; a negative errno: some program could not be asked, @ret is untouched.
 */
int pol_health_programs(struct pol_program_stats **ret, size_t *ret_cnt);
