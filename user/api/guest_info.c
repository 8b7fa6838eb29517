/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_guest_info(): one guest's line of `policyctl status`. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "handback.h"
#include "status.h"

static void fill_budget(uint64_t now, uint64_t peak, uint64_t ceiling, struct pol_budget *ret)
{
	if (now != POL_STATUS_NONE) {
		ret->now = now;
		ret->has |= POL_HAS_NOW;
	}
	if (peak != POL_STATUS_NONE) {
		ret->peak = peak;
		ret->has |= POL_HAS_PEAK;
	}
	if (ceiling == POL_STATUS_NONE)
		return;
	ret->ceiling = ceiling;
	ret->has |= POL_HAS_CEILING;
	ret->left = ceiling > ret->now ? ceiling - ret->now : 0;
}

static void fill_info(const struct pol_status *status, const struct pol_guest_status *guest,
		      struct pol_guest_info *ret)
{
	(void)snprintf(ret->name, sizeof(ret->name), "%s", guest->guest->name);
	ret->id = guest->guest->id;
	ret->audit = guest->guest->audit;
	ret->generation = status->generation;
	ret->tasks = guest->tasks;
	fill_budget(guest->fds_now, guest->fds_peak, guest->fds_ceiling, &ret->fds);
	fill_budget(guest->pids_now, guest->pids_peak, guest->pids_ceiling, &ret->pids);
	fill_budget(guest->memory_now, guest->memory_peak, guest->memory_ceiling, &ret->memory);
	ret->fds.refused = guest->fds_refused;
	ret->pids.refused = guest->pids_refused;
	ret->denials = guest->denials;
	ret->would_deny = guest->would_deny;
	ret->escapes = guest->escapes;
	ret->orphaned = guest->orphaned;
	ret->stale = guest->stale;
	ret->shadows = guest->shadows.cnt;
	ret->shadows_stale = guest->shadows.stale;
	ret->shadow_bytes = guest->shadows.bytes;
	ret->shadow_budget = guest->guest->shadow.paths_cnt ? guest->guest->shadow.budget : 0;
}

static int find(const struct pol_status *status, const char *name, struct pol_guest_info *ret,
		struct pol_err *err)
{
	for (size_t i = 0; i < status->guests_cnt; i++)
		if (strcmp(status->guests[i].guest->name, name) == 0) {
			fill_info(status, &status->guests[i], ret);
			return 0;
		}
	pol_err_say(err, POL_ERR_FAILED, -ENOENT, "the policy has no guest '%s'", name);
	return pol_err_fix(err, "'policyctl status' lists them");
}

int pol_guest_info(const char *guest, struct pol_guest_info *ret, struct pol_error *error)
{
	_cleanup_(pol_status_done) struct pol_status status = {};
	struct pol_guest_info info = {};
	struct pol_err err = {};
	int r;

	if (!ret || ret->size < offsetof(struct pol_guest_info, shadows))
		return pol_fail_usage(error, "the size of struct pol_guest_info is not set");
	r = pol_status_take(&status, &err);
	if (!r)
		r = find(&status, guest, &info, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	return pol_hand_back(ret, offsetof(struct pol_guest_info, shadows), &info, sizeof(info));
}
