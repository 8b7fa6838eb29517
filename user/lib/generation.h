/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generations in the kernel: the idle slot filled, published by one store, the old one kept until
 * the next load so that it can be returned to; and what each one said, in a pinned map.
 */
#pragma once

#include "engine.h"
#include "image.h"
#include "meta.h"
#include "parts.h"

/* Generations whose names stay readable, so that events of the last ones can be explained. */
#define POL_GENERATIONS_KEPT 16

/**
 * pol_generation_stage() - fill the idle slot with @image and the guests of @meta.
 *
 * Decides nothing yet. Waits for RCU first: no program still reads that slot.
 */
int pol_generation_stage(const struct pol_engine *engine, const struct pol_image *image,
			 const struct pol_meta *meta, struct pol_err *err);

/**
 * pol_generation_carry() - likewise with the rules of the running generation, which is the one before
 * @meta's: the same maps, so that only what is said of guests is new.
 */
int pol_generation_carry(const struct pol_engine *engine, const struct pol_meta *meta,
			 struct pol_err *err);

/* pol_generation_publish() - one store; then waits until no program decides by another one. */
void pol_generation_publish(struct pol_engine *engine, uint64_t generation);

/**
 * pol_meta_announce() - before anything is made: names, so that another load can undo it.
 * pol_meta_store(), pol_meta_load() - a generation's meta in its pinned map.
 */
int pol_meta_announce(const struct pol_meta *meta, bool fresh, struct pol_err *err);
int pol_meta_store(const struct pol_meta *meta, bool fresh, struct pol_err *err);
int pol_meta_load(uint64_t generation, struct pol_meta **ret, struct pol_err *err);

/**
 * pol_parts_store(), pol_parts_load() - a generation's parts in their pinned map. Of all generations
 * the running one's is needed.
 */
int pol_parts_store(uint64_t generation, const struct pol_parts *parts, bool fresh,
		    struct pol_err *err);
int pol_parts_load(uint64_t generation, struct pol_parts *ret, struct pol_err *err);

/* pol_parts_stored() - has the generation parts? */
bool pol_parts_stored(uint64_t generation);

/* pol_parts_forget() - of the generation before: once it cannot be returned to. */
void pol_parts_forget(uint64_t generation);

/* pol_generation_is_announced() - by a command that is at it, or has died. */
bool pol_generation_is_announced(uint64_t generation);

/* pol_meta_each() - @fn with each that was announced in @store, in no order, published or not. */
void pol_meta_each(const char *store, void (*fn)(const struct pol_meta *meta, void *arg), void *arg);

/* pol_generation_sweep() - drop the metas that are too old, and those never published. */
void pol_generation_sweep(uint64_t active);
