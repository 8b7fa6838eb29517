/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last events, bounded in memory: each whole, with the names that it had when it came, so that
 * it can be written in any format later, when its policy or its engine is long gone. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "event_json.h"

struct pol_keep;

/**
 * pol_keep_gone_fn - an event is about to be forgotten, as there is no room for it any more.
 * @serial: its number. @view, @ctx: as of pol_keep_get(), until the function returns.
 */
typedef void (*pol_keep_gone_fn)(void *arg, uint64_t serial, const struct pol_event_view *view,
				 const struct pol_event_ctx *ctx);

/**
 * pol_keep_new() - an empty one.
 * @max: bytes for the events; one that is larger is forgotten at once.
 * @host, @boot_id: or NULL; have to outlive it. @gone: or NULL.
 *
 * Return: 0; -ENOMEM.
 */
int pol_keep_new(size_t max, const char *host, const char *boot_id, pol_keep_gone_fn gone,
		 void *arg, struct pol_keep **ret);
void pol_keep_free(struct pol_keep *keep); /* NULL: nothing */

/* pol_keep_add() - keep one more; the oldest go. Return: 0; -ENOMEM: it is not kept. */
int pol_keep_add(struct pol_keep *keep, const struct pol_event_view *view,
		 const struct pol_event_ctx *ctx);

/* pol_keep_first(), pol_keep_next() - numbers of the oldest that is kept, of the next to come. */
uint64_t pol_keep_first(const struct pol_keep *keep);
uint64_t pol_keep_next(const struct pol_keep *keep);

/**
 * pol_keep_get() - one of them. @ret_view, @ret_ctx: valid until the next call of any function here.
 * Return: 0; -ENOENT: it is not kept.
 */
int pol_keep_get(struct pol_keep *keep, uint64_t serial, const struct pol_event_view **ret_view,
		 const struct pol_event_ctx **ret_ctx);
