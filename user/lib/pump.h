/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the feed's rings to decoded events, in rounds: take up, deliver, and once what was delivered
 * is safe save the cursors and free the rings' space. In this order, so that a reader that is
 * killed anywhere loses nothing: the next one delivers the last rounds again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "event_json.h"
#include "feed.h"
#include "reader.h"

/* A reading sleeps for so long at most while a number is in flight, or was not freed (ring.h). */
#define POL_PUMP_NAP_MS 10

/* Losses with no record after them are looked for this often; also bounds a lost wake-up. */
#define POL_PUMP_IDLE_MS 1000

/**
 * struct pol_pump_ops - the receiving side; each gets the @arg of pol_pump_new().
 * @view: takes one event, a `lost` record included. Return: 0; negative errno: ends the pump, as
 *	  in reader.h.
 * @flush: end of a round. Return: 0: everything that @view took is safe; 1: not yet, the rings
 *	   keep it until a later round says 0; negative errno: ends the round.
 */
struct pol_pump_ops {
	int (*view)(void *arg, const struct pol_event_view *view, const struct pol_event_ctx *ctx);
	int (*flush)(void *arg);
};

struct pol_pump;

/**
 * pol_pump_new() - over a feed, which stays the caller's and has to outlive the pump.
 * Return: 0; -ENOMEM; -EINVAL: the feed has no rings, or too many.
 */
int pol_pump_new(struct pol_feed *feed, const struct pol_pump_ops *ops, void *arg,
		 struct pol_pump **ret);
void pol_pump_free(struct pol_pump *pump); /* NULL: nothing */

/**
 * pol_pump_round() - one round. @flags: POL_READER_SWEEP, POL_READER_FORCE.
 * @ret_full: the window was full, there is more at once.
 *
 * Return: 0; negative errno of a callback, a map or the ring: free the pump, nothing is lost.
 */
int pol_pump_round(struct pol_pump *pump, unsigned int flags, bool *ret_full);

/**
 * pol_pump_flush() - the end of a round once more, and nothing taken up: for a receiver that has to
 * be asked again whether it is safe. Return: as pol_pump_round().
 */
int pol_pump_flush(struct pol_pump *pump);

/**
 * pol_pump_drain() - rounds until what was pending when it was called is delivered; not what comes
 * meanwhile: a busy guest must not keep us. What is in flight is waited for, for half a second.
 */
int pol_pump_drain(struct pol_pump *pump);

/* pol_pump_settled() - whether nothing waits for a number in flight. */
bool pol_pump_settled(const struct pol_pump *pump);

/* pol_pump_caught_up() - whether the rings wake a poll(2) on them, as nothing is left in them. */
bool pol_pump_caught_up(const struct pol_pump *pump);

/* pol_pump_context() - what an event is formatted with; its clock is that of the last round. */
const struct pol_event_ctx *pol_pump_context(const struct pol_pump *pump);

/* pol_pump_now() - CLOCK_BOOTTIME as of the last round. */
uint64_t pol_pump_now(const struct pol_pump *pump);

void pol_pump_stats(const struct pol_pump *pump, struct pol_reader_stats *ret);
