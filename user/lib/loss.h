/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one receiver did not get: per guest and type how many records, and between which numbers,
 * until a `lost` record has told it. So that for each receiver, too, emitted = delivered + lost.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "reader.h"

/**
 * struct pol_loss - an open-addressing table by guest and type; all zero: empty.
 * @slots: of them @cnt (a power of two), @used taken; one whose count is 0 stays its key's.
 * @open: slots with a count. Grows to what guests and types there are, at most.
 */
struct pol_loss {
	struct pol_lost *slots;
	size_t cnt;
	size_t used;
	size_t open;
};

void pol_loss_done(struct pol_loss *loss);

/**
 * pol_loss_view() - count @view as not delivered. A `lost` record counts as what it tells.
 * Return: 0; -ENOMEM: nothing is counted.
 */
int pol_loss_view(struct pol_loss *loss, const struct pol_event_view *view);

/* pol_loss_first() - one loss to be told. Return: NULL: there is none. Valid until the next call. */
const struct pol_lost *pol_loss_first(const struct pol_loss *loss);

/* pol_loss_told() - the one that pol_loss_first() gave has been told. */
void pol_loss_told(struct pol_loss *loss);

/**
 * pol_loss_event() - the event that tells it.
 * @now_ns: CLOCK_BOOTTIME. @generation: the active one, as names of guests are that one's.
 */
void pol_loss_event(const struct pol_lost *lost, uint64_t now_ns, uint64_t generation,
		    struct pol_event_view *ret);
