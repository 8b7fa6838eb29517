/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "base.h"

static const char *cell(uint64_t value, char *buf, size_t size)
{
	if (value == POL_STATUS_NONE)
		return "-";
	(void)snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

void status_table_head(char line[static STATUS_LINE_SIZE])
{
	(void)snprintf(line, STATUS_LINE_SIZE,
		       "%-16s %-8s %6s %6s %8s %6s %8s %12s %12s %8s %8s %6s %6s", "GUEST", "MODE",
		       "TASKS", "PIDS", "PIDS-MAX", "FDS", "FDS-MAX", "MEMORY", "MEMORY-MAX",
		       "REFUSED", "ESCAPES", "LOST", "STALE");
}

uint64_t status_refused(const struct pol_guest_status *guest)
{
	return guest->guest->audit ? guest->would_deny : guest->denials;
}

void status_table_row(const struct pol_guest_status *guest, char line[static STATUS_LINE_SIZE])
{
	const uint64_t cells[] = {
		guest->tasks,	       guest->pids_now,	      guest->pids_ceiling,
		guest->fds_now,	       guest->fds_ceiling,    guest->memory_now,
		guest->memory_ceiling, status_refused(guest), guest->escapes,
		guest->lost,	       guest->stale,
	};
	static const int widths[ARRAY_SIZE(cells)] = { 6, 6, 8, 6, 8, 12, 12, 8, 8, 6, 6 };
	char buf[24];
	int len = snprintf(line, STATUS_LINE_SIZE, "%-16s %-8s", guest->guest->name,
			   guest->guest->audit ? "audit" : "enforce");

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		len += snprintf(line + len, (size_t)(STATUS_LINE_SIZE - len), " %*s", widths[i],
				cell(cells[i], buf, sizeof(buf)));
}
