/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reader of events needs of the loaded engine: its rings, counters, cursors and names.
 * Implemented on the store (pinned maps), in a file of its own so that tests can link a fake in its
 * place. Holds the reader's lock while open:
 * one reader of the kernel's rings at a time, one that only looks included (what it looks at
 * must not be freed under it).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "event_json.h"
#include "reader.h"
#include "ring.h"

struct pol_feed;

/**
 * pol_feed_open() - open the pinned rings and maps and take the reader's lock.
 * Return: 0; -ENOENT: the engine is not loaded; -EBUSY: another reader holds the lock; -EPERM,
 * -EACCES: not root; else what failed. @err says it in words in every case.
 */
int pol_feed_open(struct pol_feed **ret, struct pol_err *err);
void pol_feed_close(struct pol_feed *feed); /* NULL: nothing */

/**
 * pol_feed_rings() - the rings, mapped (pol_ring_open()); @ret_cnt of them, at most
 * POL_CURSOR_RINGS, owned by the feed. In the same order every time: cursors name them by number.
 */
struct pol_ring *pol_feed_rings(struct pol_feed *feed, size_t *ret_cnt);

/* pol_feed_guest_limit() - one more than the highest guest id given out (control.next_guest). */
uint32_t pol_feed_guest_limit(struct pol_feed *feed);

/* pol_feed_state() - read map "states"[guest]; negative errno. */
int pol_feed_state(struct pol_feed *feed, uint32_t guest, struct pol_guest_state *ret);

/* pol_feed_cursor_load(), pol_feed_cursor_save() - map "cursors"[guest] (struct pol_cursor). */
int pol_feed_cursor_load(struct pol_feed *feed, uint32_t guest, struct pol_cursor *ret);
int pol_feed_cursor_save(struct pol_feed *feed, uint32_t guest, const struct pol_cursor *cursor);

/* pol_feed_generation() - the generation that decides now; 0: none. */
uint64_t pol_feed_generation(struct pol_feed *feed);

/**
 * pol_feed_gone() - whether the engine that was opened is no longer one: it confines nothing, or
 * its pins were removed. Its rings can still be read. What an unload has only taken out of sight
 * enforces on and is not gone.
 */
bool pol_feed_gone(const struct pol_feed *feed);

/**
 * pol_feed_guest_id() - id of the guest @name in the active generation or any that the feed still
 * knows. Return: 0; -ENOENT.
 */
int pol_feed_guest_id(struct pol_feed *feed, const char *name, uint32_t *ret);

/**
 * pol_feed_context() - fill the names' side of @ctx: arg, guest_name, rule, sha256, cgroup. Host,
 * boot id and the clock's offset are the caller's. A generation that appears while the feed is
 * open (a load during --follow) must be found too: look it up when asked for.
 */
void pol_feed_context(struct pol_feed *feed, struct pol_event_ctx *ctx);
