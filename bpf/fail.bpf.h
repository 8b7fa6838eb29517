/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of what goes wrong inside the engine, by cause (enum pol_fail). Layer 2. */
#pragma once

#include "maps.bpf.h"

static __always_inline void pol_fail_count(u32 cause)
{
	u64 *count = bpf_map_lookup_elem(&fails, &cause);

	if (count)
		*count += 1; /* per CPU; a preempted add may be lost: a health figure, no account */
}
