/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's ceilings by its policy, and what the engine has counted against them. Pure. */
#include "status.h"

static uint64_t ceiling_of(uint64_t limit)
{
	return limit >= POL_LIMIT_MAX ? POL_STATUS_NONE : limit;
}

/* Without a ceiling of descriptors none are counted; struct pol_limits has no such ceiling yet. */
static uint64_t fds_ceiling_of(const struct pol_limits *limits)
{
	(void)limits; /* return ceiling_of(limits->fds); */
	return POL_STATUS_NONE;
}

void pol_status_ceilings(const struct pol_limits *limits, struct pol_guest_status *status)
{
	status->fds_ceiling = fds_ceiling_of(limits);
	status->pids_ceiling = ceiling_of(limits->pids);
}

static uint64_t open_fds(const struct pol_guest_state *state)
{
	return POL_FDS_NOW(state->fds);
}

static uint64_t live_tasks(const struct pol_guest_state *state)
{
	return state->tasks;
}

void pol_status_count(const struct pol_guest_state *state, struct pol_guest_status *status)
{
	bool counted = status->fds_ceiling != POL_STATUS_NONE;

	status->fds_now = counted ? open_fds(state) : POL_STATUS_NONE;
	status->fds_peak = counted ? state->fds_peak : POL_STATUS_NONE;
	status->fds_refused = state->refused[POL_RESOURCE_FDS];
	status->orphaned = state->orphaned;
	status->pids_now = live_tasks(state);
	status->pids_peak = state->tasks_peak;
	status->pids_refused = state->refused[POL_RESOURCE_PIDS];
	status->denials = state->denials;
	status->would_deny = state->would_deny;
	status->escapes = state->escapes;
	status->emitted = state->seq;
	status->lost = 0;
	for (size_t i = 0; i < POL_TYPES_CNT; i++)
		status->lost += state->lost[i];
}
