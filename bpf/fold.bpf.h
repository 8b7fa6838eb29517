/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding: the first refusal of a kind has a record at once; those like it within a second are
 * counted, and one record more tells how many, from the window's timer: no reader is needed. Layer 2.
 *
 * Two refusals are of a kind where their whole struct pol_report is equal: guest, generation, rule,
 * object and the hash of its name, rights, operation, hook, reason, errno, verdict.
 *
 * Windows lie in a table by the hash of that. A refusal whose place another kind has is not folded:
 * it has a record of its own, as if it were a first one. So, per guest and exactly,
 * denials = refusals with a record of their own, written or lost + folded.
 */
#pragma once

#include "event.bpf.h"

#define POL_FOLD_NS 1000000000ull

/*
 * struct pol_fold.state. UNMADE: it has no timer yet (POL_ITER_ARM), nothing is folded. FILLING: its
 * record is being made; repeats are counted already. OPEN: it has one, or never will (has_record).
 * TELLING: the record of the repeats is being written.
 */
#define POL_FOLD_UNMADE	 0u
#define POL_FOLD_IDLE	 1u
#define POL_FOLD_FILLING 2u
#define POL_FOLD_OPEN	 3u
#define POL_FOLD_TELLING 4u

/**
 * pol_fold() - count a refusal with one like it, or begin a window.
 * @report: whole. Its @fold gets the window that was begun: pol_fold_keep() has to follow.
 *
 * Verified once. Return: 1: it is counted, there is no record to make; 0: make one.
 */
int pol_fold(struct pol_report *report);

/**
 * pol_fold_keep() - the record of the refusal that began a window.
 * @window: struct pol_report.fold; 0: none, nothing happens. @event: NULL: it found no room. Then
 * nothing is folded with it any more, and what was is told as lost.
 *
 * Verified once. Return: 0.
 */
int pol_fold_keep(u32 window, const struct pol_event *event);
