/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "cgroup.h"

void pol_names_done(struct pol_names *names)
{
	for (size_t i = 0; i < ARRAY_SIZE(names->metas); i++)
		pol_meta_free(names->metas[i]);
	*names = (struct pol_names){};
}

uint64_t pol_names_generation(const struct pol_names *names)
{
	return __atomic_load_n(&names->control->active, __ATOMIC_RELAXED);
}

/* @at: where it is kept; what was there before is freed. */
static const struct pol_meta *meta_at(struct pol_names *names, size_t at, uint64_t generation)
{
	struct pol_meta *meta = NULL;

	if (names->metas[at] && names->metas[at]->generation == generation)
		return names->metas[at];
	if (!generation || names->missing[at] == generation)
		return NULL;
	if (pol_meta_load(generation, &meta, NULL) < 0) {
		names->missing[at] = generation;
		return NULL;
	}
	pol_meta_free(names->metas[at]);
	names->metas[at] = meta;
	return meta;
}

/* An event's. Its strings are lent until one of another generation is asked for. */
static const struct pol_meta *meta_of(struct pol_names *names, uint64_t generation)
{
	return meta_at(names, generation % POL_GENERATIONS_KEPT, generation);
}

/*
 * The active one, in a place of its own: in that of its number could be the event's, of which strings
 * are lent. It may be another with the next call: what is found in it is copied.
 */
static const struct pol_meta *meta_now(struct pol_names *names)
{
	return meta_at(names, POL_GENERATIONS_KEPT, pol_names_generation(names));
}

static const struct pol_meta_guest *guest_in(const struct pol_meta *meta, uint32_t guest)
{
	return meta ? pol_meta_guest_by_id(meta, guest) : NULL;
}

static const char *guest_name(void *arg, uint64_t generation, uint32_t guest)
{
	struct pol_names *names = arg;
	const struct pol_meta_guest *found = guest_in(meta_of(names, generation), guest);

	if (found)
		return found->name;
	found = guest_in(meta_now(names), guest);
	if (!found)
		return NULL;
	(void)snprintf(names->guest, sizeof(names->guest), "%s", found->name);
	return names->guest;
}

static bool own_root_of(void *arg, uint64_t generation, uint32_t guest)
{
	const struct pol_meta_guest *found = guest_in(meta_of(arg, generation), guest);

	return found && found->own_root;
}

static int rule_of(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	struct pol_names *names = arg;
	const struct pol_meta *meta = meta_of(names, generation);
	const struct pol_meta_rule *rule;

	if (!meta || !id || id > meta->rules_cnt)
		return -ENOENT;
	rule = &meta->rules[id - 1];
	(void)snprintf(names->where, sizeof(names->where), "%s:%u", meta->file, rule->line);
	ret->name = rule->name;
	ret->where = names->where;
	ret->path = rule->path;
	ret->path_len = strlen(rule->path);
	return 0;
}

static const char *sha256_of(void *arg, uint64_t generation)
{
	const struct pol_meta *meta = meta_of(arg, generation);

	return meta ? meta->sha256 : NULL;
}

static const char *cgroup_of(void *arg, uint64_t id)
{
	struct pol_names *names = arg;
	const struct pol_meta *meta;

	if (!pol_cgroup_path_of(id, names->cgroup, sizeof(names->cgroup)))
		return names->cgroup;
	/* It is gone; a guest's own can still be named. */
	meta = meta_now(names);
	for (size_t i = 0; meta && i < meta->guests_cnt; i++) {
		if (meta->guests[i].cgroup_id != id)
			continue;
		(void)snprintf(names->cgroup, sizeof(names->cgroup), "/%s/%s", meta->cgroup,
			       meta->guests[i].name);
		return names->cgroup;
	}
	return NULL;
}

int pol_names_guest_id(struct pol_names *names, const char *name, uint32_t *ret)
{
	uint64_t active = pol_names_generation(names);

	for (uint64_t back = 0; back < POL_GENERATIONS_KEPT && back < active; back++) {
		const struct pol_meta *meta = meta_of(names, active - back);
		const struct pol_meta_guest *guest = meta ? pol_meta_guest(meta, name) : NULL;

		if (guest) {
			*ret = guest->id;
			return 0;
		}
	}
	return -ENOENT;
}

void pol_names_context(struct pol_names *names, struct pol_event_ctx *ctx)
{
	ctx->arg = names;
	ctx->guest_name = guest_name;
	ctx->rule = rule_of;
	ctx->sha256 = sha256_of;
	ctx->own_root = own_root_of;
	ctx->cgroup = cgroup_of;
	ctx->pieces = names->pieces;
}
