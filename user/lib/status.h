/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine is doing: the numbers behind `policyctl status`. Reads, changes nothing. */
#pragma once

#include "engine.h"
#include "health.h"
#include "meta.h"
#include "shadow.h"

#define POL_STATUS_NONE UINT64_MAX /* not counted, or no ceiling */

/**
 * struct pol_guest_status - one guest; POL_STATUS_NONE where there is no such number.
 * @tasks: found to be the guest's now. @pids_now, @pids_peak: as the engine counts them.
 * @fds_now, @fds_peak: open files; none where they are not counted, that is without @fds_ceiling.
 * @orphaned: open files that an earlier instance of the guest was charged for and left behind.
 * @fds_refused, @pids_refused: at the ceilings, over all generations.
 * @memory_now, @memory_peak: over all cgroups of the guest, of peaks the sum; @memory_ceiling: of each.
 * @folded, @folded_would: of @denials, of @would_deny: in a record of repeats, not one of their own.
 * @lost_repeats: records of repeats among @lost_of violations. @folded_lost: what they would have told, of
 *	@folded and @folded_would.
 * @stale: directory rules whose directory is gone or another one.
 * @shadow_budget: bytes; none: the policy gives it no shadows.
 */
struct pol_guest_status {
	const struct pol_meta_guest *guest;
	uint64_t tasks;
	uint64_t fds_now, fds_peak, fds_ceiling, fds_refused;
	uint64_t orphaned;
	uint64_t pids_now, pids_peak, pids_ceiling, pids_refused;
	uint64_t memory_now, memory_peak, memory_ceiling;
	uint64_t denials;
	uint64_t would_deny;
	uint64_t escapes;
	uint64_t emitted;
	uint64_t lost;
	uint64_t lost_of[POL_TYPES_CNT];
	uint64_t folded;
	uint64_t folded_would;
	uint64_t lost_repeats;
	uint64_t folded_lost;
	uint64_t stale;
	struct pol_shadow_sum shadows;
	uint64_t shadow_budget;
};

/**
 * struct pol_status - @made_ns: when the generation was stored, in nanoseconds since 1970;
 * POL_STATUS_NONE: not known. @elsewhere: we are in another mount namespace than who loaded it, so
 * @stale of guests says nothing. @fails: health counters by enum pol_fail. @programs: none: they could
 * not be asked; then @recursion_misses, the sum of @skipped, is POL_STATUS_NONE.
 * @mode: "enforce", "audit" or "mixed". @shadows: of all guests, in no order.
 */
struct pol_status {
	struct pol_meta *meta;
	struct pol_guest_status *guests;
	size_t guests_cnt;
	uint64_t generation;
	uint64_t made_ns;
	bool elsewhere;
	uint64_t fails[POL_FAILS_CNT];
	struct pol_program_stats *programs;
	size_t programs_cnt;
	uint64_t recursion_misses;
	const char *mode;
	struct pol_shadow_item *shadows;
	size_t shadows_cnt;
};

void pol_status_done(struct pol_status *status);

/* pol_status_take() - Return: 0; -ENOENT: not loaded; else as pol_engine_open(). */
int pol_status_take(struct pol_status *ret, struct pol_err *err);

/* pol_status_ceilings() - of descriptors and tasks, as the policy has them. */
void pol_status_ceilings(const struct pol_limits *limits, struct pol_guest_status *status);

/* pol_status_count() - all that the engine counts for a guest whose ceilings are known. */
void pol_status_count(const struct pol_guest_state *state, struct pol_guest_status *status);
