/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's ceilings by its policy, and what the engine has counted against them. Pure. */
#include "status.h"

static uint64_t ceiling_of(uint64_t limit)
{
	return limit >= POL_LIMIT_MAX ? POL_STATUS_NONE : limit;
}

void pol_status_ceilings(const struct pol_limits *limits, struct pol_guest_status *status)
{
	status->fds_ceiling = ceiling_of(limits->fds);
	status->pids_ceiling = ceiling_of(limits->pids);
}

void pol_status_count(const struct pol_guest_state *state, struct pol_guest_status *status)
{
	bool counted = status->fds_ceiling != POL_STATUS_NONE;

	status->fds_now = counted ? POL_COUNT_FDS(state->counts) : POL_STATUS_NONE;
	status->fds_peak = counted ? state->fds_peak : POL_STATUS_NONE;
	status->fds_refused = state->refused[POL_RESOURCE_FDS];
	status->orphaned = state->orphaned;
	status->pids_now = POL_COUNT_TASKS(state->counts);
	status->pids_peak = state->tasks_peak;
	status->pids_refused = state->refused[POL_RESOURCE_PIDS];
	status->denials = state->denials;
	status->would_deny = state->would_deny;
	status->escapes = state->escapes;
	status->emitted = state->seq;
	status->lost = 0;
	for (size_t i = 0; i < POL_TYPES_CNT; i++)
		status->lost += status->lost_of[i] = state->lost[i];
	status->folded = state->folded;
	status->folded_would = state->folded_would;
	status->lost_repeats = state->lost_repeats;
	status->folded_lost = state->folded_lost;
}
