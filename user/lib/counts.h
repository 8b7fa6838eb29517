/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events counted as they are read: of all guests by type; of each guest what was refused, by what and
 * why, and how its processes ended. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "event.h"

/* One more than the highest number of a list: arrays are indexed by it. */
#define X(name, nr, word) char name[(nr) + 1];
union pol_counts_hooks {
	POL_HOOKS(X)
};
union pol_counts_reasons {
	POL_REASONS(X)
};
#undef X
#define POL_COUNTS_HOOKS   sizeof(union pol_counts_hooks)
#define POL_COUNTS_REASONS sizeof(union pol_counts_reasons)
#define POL_COUNTS_CAUSES  (POL_CAUSE_UNKNOWN + 1)

/* What was refused, and what audit would have refused. */
enum pol_counts_verdict { POL_COUNTS_DENIED, POL_COUNTS_WOULD_DENY, POL_COUNTS_VERDICTS };
enum pol_counts_kind { POL_COUNTS_VIOLATION, POL_COUNTS_ESCAPE, POL_COUNTS_KINDS };

/**
 * struct pol_counts_guest - one guest.
 * @hooks: refusals by kind, verdict and hook. @reasons: by verdict and reason; escapes have none.
 * @rights: by verdict and right; one that missed several counts for each. @exits: by POL_CAUSE_*.
 */
struct pol_counts_guest {
	uint64_t hooks[POL_COUNTS_KINDS][POL_COUNTS_VERDICTS][POL_COUNTS_HOOKS];
	uint64_t reasons[POL_COUNTS_VERDICTS][POL_COUNTS_REASONS];
	uint64_t rights[POL_COUNTS_VERDICTS][POL_RIGHTS_CNT];
	uint64_t exits[POL_COUNTS_CAUSES];
};

/**
 * struct pol_counts - all zero: nothing was read yet.
 * @types: events of all guests and of the engine, by enum pol_type.
 * @guests: by guest id, @cnt of them; NULL: none of it that counts here. Bounded by POL_GUESTS_MAX.
 */
struct pol_counts {
	uint64_t types[POL_TYPES_CNT];
	struct pol_counts_guest **guests;
	size_t cnt;
};

void pol_counts_done(struct pol_counts *counts);

/* pol_counts_forget() - the guests: their engine is gone, and the next one gives their ids anew. */
void pol_counts_forget(struct pol_counts *counts);

/* pol_counts_view() - count one event. Return: 0; -ENOMEM: it is not counted for its guest. */
int pol_counts_view(struct pol_counts *counts, const struct pol_event_view *view);

/* pol_counts_find() - a guest's; NULL: nothing was counted for it. */
const struct pol_counts_guest *pol_counts_find(const struct pol_counts *counts, uint32_t guest);
