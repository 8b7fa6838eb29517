/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* This host's side of an event's context: its name, its boot, its clocks. */
#pragma once

#include <stdint.h>

#include "event_json.h"

struct pol_here {
	char host[256];
	char boot_id[64];
};

/* pol_here_read() - fill @ret, and of @ctx host and boot_id; they lie in @ret. */
void pol_here_read(struct pol_here *ret, struct pol_event_ctx *ctx);

/* pol_here_clocks() - set @ctx's offset of the time of day, which may be set. Return: pol_boot_ns(). */
uint64_t pol_here_clocks(struct pol_event_ctx *ctx);

/* pol_boot_ns() - CLOCK_BOOTTIME. */
uint64_t pol_boot_ns(void);

/* pol_monotonic_us() - CLOCK_MONOTONIC, in microseconds: systemd's unit, and that of its loop. */
uint64_t pol_monotonic_us(void);
