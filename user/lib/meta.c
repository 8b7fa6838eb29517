/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

void pol_meta_free(struct pol_meta *meta)
{
	if (!meta)
		return;
	for (size_t i = 0; i < meta->guests_cnt; i++) {
		free(meta->guests[i].name);
		pol_limits_done(&meta->guests[i].limits);
		pol_members_done(meta->guests[i].members, meta->guests[i].members_cnt);
		pol_shadow_done(&meta->guests[i].shadow);
	}
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		free(meta->rules[i].path);
		free(meta->rules[i].name);
		free(meta->rules[i].dir);
		free(meta->rules[i].entry);
		free(meta->rules[i].where);
		free(meta->rules[i].guest_path);
	}
	free(meta->guests);
	free(meta->rules);
	free(meta->file);
	free(meta->sha256);
	free(meta->cgroup);
	free(meta);
}

void pol_meta_freep(struct pol_meta **meta)
{
	pol_meta_free(*meta);
}

static int copy_string(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Equal in everything that a decision or an event shows. */
static bool same_rules(const struct pol_guest *a, const struct pol_guest *b)
{
	if (a->rules_cnt != b->rules_cnt)
		return false;
	for (size_t i = 0; i < a->rules_cnt; i++) {
		const struct pol_rule *x = &a->rules[i], *y = &b->rules[i];

		if (x->access != y->access || x->line != y->line ||
		    x->in_guest != y->in_guest || !same_text(x->path, y->path) ||
		    !same_text(x->name, y->name) || !same_text(x->guest_path, y->guest_path))
			return false;
	}
	return true;
}

/* A cheap fingerprint first: 10 000 guests are compared with those of equal rules only. */
static uint64_t rules_hash(const struct pol_guest *guest)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < guest->rules_cnt; i++) {
		for (const char *at = guest->rules[i].path; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3ull;
		hash = (hash ^ guest->rules[i].access) * 0x100000001b3ull;
		hash = (hash ^ (unsigned int)guest->rules[i].line) * 0x100000001b3ull;
	}
	return hash;
}

/*
 * Return: the index of an earlier guest with the same rules, or @at itself. Below a guest's own root
 * equal rules are other places.
 */
static size_t twin_of(const struct pol_policy *policy, const uint64_t *hashes, size_t at)
{
	if (pol_guest_is_rooted(&policy->guests[at]))
		return at;
	for (size_t i = 0; i < at; i++)
		if (hashes[i] == hashes[at] &&
		    same_rules(&policy->guests[i], &policy->guests[at]))
			return i;
	return at;
}

static int add_rules(struct pol_meta *meta, const struct pol_guest *guest, uint32_t ruleset)
{
	int r;

	for (size_t i = 0; i < guest->rules_cnt; i++) {
		struct pol_meta_rule *rule = &meta->rules[meta->rules_cnt++];

		r = copy_string(guest->rules[i].path, &rule->path);
		if (!r)
			r = copy_string(guest->rules[i].name, &rule->name);
		if (!r)
			r = copy_string(guest->rules[i].guest_path, &rule->guest_path);
		if (r < 0)
			return r;
		rule->ruleset = ruleset;
		rule->access = guest->rules[i].access;
		rule->line = (uint32_t)guest->rules[i].line;
		rule->col = (uint32_t)guest->rules[i].col;
		rule->in_guest = guest->rules[i].in_guest;
		rule->optional = guest->rules[i].optional;
		rule->log = guest->rules[i].log;
		rule->pending = true; /* until a place says otherwise */
	}
	return 0;
}

int pol_meta_set_place(struct pol_meta_rule *rule, const struct pol_place *place)
{
	int r = copy_string(place->dir, &rule->dir);

	if (!r)
		r = copy_string(place->name, &rule->entry);
	if (!r)
		r = copy_string(place->where, &rule->where);
	rule->pending = r < 0;
	return r;
}

void pol_meta_unset_place(struct pol_meta_rule *rule)
{
	free(TAKE_PTR(rule->dir));
	free(TAKE_PTR(rule->entry));
	free(TAKE_PTR(rule->where));
	rule->key = (struct pol_dir_key){ 0 };
	rule->ino = 0;
	rule->pending = true;
}

static int add_places(struct pol_meta *meta, const struct pol_place *places, size_t cnt,
		      const uint32_t *first_rule)
{
	int r;

	for (size_t i = 0; i < cnt; i++) {
		const struct pol_place *place = &places[i];

		if (place->derived || place->pending || first_rule[place->guest] == UINT32_MAX)
			continue;
		r = pol_meta_set_place(&meta->rules[first_rule[place->guest] + place->rule], place);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_members(const struct pol_guest *from, struct pol_meta_guest *guest)
{
	int r = 0;

	guest->members = calloc(from->members_cnt + 1, sizeof(*guest->members));
	if (!guest->members)
		return -ENOMEM;
	for (size_t i = 0; i < from->members_cnt && !r; i++) {
		guest->members[guest->members_cnt++] = from->members[i];
		r = copy_string(from->members[i].text, &guest->members[i].text);
	}
	return r;
}

static int fill_guests(struct pol_meta *meta, const struct pol_policy *policy, uint32_t *first_rule)
{
	_cleanup_free_ uint64_t *hashes = calloc(policy->guests_cnt + 1, sizeof(*hashes));
	uint32_t rulesets = 0;
	int r;

	if (!hashes)
		return -ENOMEM;
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *from = &policy->guests[i];
		struct pol_meta_guest *guest = &meta->guests[i];
		size_t twin;

		hashes[i] = rules_hash(from);
		twin = twin_of(policy, hashes, i);
		r = copy_string(from->name, &guest->name);
		if (r < 0)
			return r;
		meta->guests_cnt++;
		guest->audit = from->audit;
		guest->err = (uint32_t)from->err;
		guest->knobs = from->knobs;
		guest->limits = from->limits;
		r = pol_io_copy(from->limits.io, from->limits.io_cnt, &guest->limits);
		if (!r)
			r = add_members(from, guest);
		if (!r)
			r = pol_shadow_copy(&from->shadow, &guest->shadow);
		if (r < 0)
			return r;
		first_rule[i] = UINT32_MAX;
		guest->ruleset = twin < i ? meta->guests[twin].ruleset : ++rulesets;
		if (twin < i)
			continue;
		first_rule[i] = (uint32_t)meta->rules_cnt;
		r = add_rules(meta, from, guest->ruleset);
		if (r < 0)
			return r;
	}
	return 0;
}

int pol_meta_new(const struct pol_policy *policy, const struct pol_places *places,
		 struct pol_meta **ret)
{
	_cleanup_free_ uint32_t *first_rule = calloc(policy->guests_cnt + 1, sizeof(*first_rule));
	_cleanup_(pol_meta_freep) struct pol_meta *meta = calloc(1, sizeof(*meta));
	size_t rules = 0;
	int r;

	if (!meta || !first_rule)
		return -ENOMEM;
	for (size_t i = 0; i < policy->guests_cnt; i++)
		rules += policy->guests[i].rules_cnt;
	meta->guests = calloc(policy->guests_cnt + 1, sizeof(*meta->guests));
	meta->rules = calloc(rules + 1, sizeof(*meta->rules));
	if (!meta->guests || !meta->rules)
		return -ENOMEM;
	r = copy_string(policy->file, &meta->file);
	if (!r)
		r = copy_string(policy->sha256, &meta->sha256);
	if (!r)
		r = copy_string(policy->cgroup, &meta->cgroup);
	if (!r)
		r = fill_guests(meta, policy, first_rule);
	if (!r)
		r = add_places(meta, places->items, places->cnt, first_rule);
	if (!r)
		r = add_places(meta, places->twins, places->twins_cnt, first_rule);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(meta);
	return 0;
}

static int carry_rule(const struct pol_meta_rule *from, struct pol_meta_rule *to)
{
	const struct pol_place place = { .dir = from->dir, .name = from->entry, .where = from->where };

	to->key = from->key;
	to->ino = from->ino;
	return pol_meta_set_place(to, &place);
}

int pol_meta_carry(const struct pol_meta *before, const struct pol_meta_guest *from,
		   struct pol_meta *next, struct pol_meta_guest *to)
{
	int r = 0;

	to->rooted = from->rooted;
	to->root = from->root;
	to->own_root = from->own_root;
	for (size_t i = pol_meta_first_rule(next, to->ruleset);
	     i < next->rules_cnt && next->rules[i].ruleset == to->ruleset && !r; i++) {
		struct pol_meta_rule *rule = &next->rules[i];
		const struct pol_meta_rule *old =
			rule->in_guest ? pol_meta_same_rule(before, from, rule) : NULL;

		if (old && !old->pending)
			r = carry_rule(old, rule);
	}
	return r;
}
