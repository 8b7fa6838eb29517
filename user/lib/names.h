/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What numbers in records are called: guests, rules, policies and cgroups, of the generations whose
 * names are kept. Side effects: reads their pinned maps, when first asked for one.
 */
#pragma once

#include <stdint.h>

#include "engine.h"
#include "event_json.h"
#include "event_pieces.h"
#include "generation.h"
#include "meta.h"

/* struct pol_names - zero but @control, the engine's, and @pieces, zero; both must outlive it. */
struct pol_names {
	const struct pol_control *control;
	/* By generation, and the active one; loaded when asked for. */
	struct pol_meta *metas[POL_GENERATIONS_KEPT + 1];
	uint64_t missing[POL_GENERATIONS_KEPT + 1]; /* generations that were not to be had */
	struct pol_pieces *pieces; /* of who writes JSON; or NULL */
	char guest[POL_GUEST_NAME_SIZE];
	char where[512];
	char cgroup[1024];
};

void pol_names_done(struct pol_names *names);

/* pol_names_generation() - the generation that decides now; 0: none. */
uint64_t pol_names_generation(const struct pol_names *names);

/**
 * pol_names_guest_id() - id of the guest @name in the active generation, else in the newest that
 * has it. Return: 0; -ENOENT.
 */
int pol_names_guest_id(struct pol_names *names, const char *name, uint32_t *ret);

/**
 * pol_names_context() - fill the names' side of @ctx: arg, guest_name, rule, sha256, own_root, cgroup, pieces. Of a
 * generation that appears later, too: it is looked up when asked for.
 */
void pol_names_context(struct pol_names *names, struct pol_event_ctx *ctx);
