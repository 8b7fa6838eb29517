/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions about a generation: which guest, which rule, what may change where. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "meta.h"
#include "str.h"

const struct pol_meta_guest *pol_meta_guest(const struct pol_meta *meta, const char *name)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (strcmp(meta->guests[i].name, name) == 0)
			return &meta->guests[i];
	return NULL;
}

const struct pol_meta_guest *pol_meta_guest_by_id(const struct pol_meta *meta, uint32_t id)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (meta->guests[i].id == id)
			return &meta->guests[i];
	return NULL;
}

/* Length of the rule's place if it covers @dir (of the host's rules) or @where, else 0. */
static size_t covers(const struct pol_meta_rule *rule, const char *dir, const char *where)
{
	const char *place = rule->in_guest ? rule->where : rule->dir;
	const char *at = rule->in_guest ? where : dir;
	size_t len;

	if (rule->pending || !place || rule->entry || !at)
		return 0;
	len = strlen(place);
	if (strncmp(place, at, len) != 0)
		return 0;
	return place[len - 1] == '/' || !at[len] || at[len] == '/' ? len : 0;
}

bool pol_meta_steerable(const struct pol_meta *meta, const char *dir, const char *where)
{
	const uint32_t steers = POL_RIGHT_CREATE | POL_RIGHT_RENAME | POL_RIGHT_LINK;

	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &meta->rules[i];
		size_t len = covers(rule, dir, where);
		bool nearer = false;

		if (!len || !(rule->access & steers))
			continue;
		for (size_t k = 0; k < meta->rules_cnt && !nearer; k++)
			nearer = meta->rules[k].ruleset == rule->ruleset &&
				 meta->rules[k].in_guest == rule->in_guest &&
				 covers(&meta->rules[k], dir, where) > len;
		if (!nearer)
			return true;
	}
	return false;
}

static bool region_covers(const struct pol_region *region, const char *path)
{
	return !region->dir[1] || pol_path_lies_in(path, region->dir);
}

/* The nearest of the same rules as @i covers nothing nearer. */
static bool is_nearest(const struct pol_region *regions, size_t cnt, size_t i, const char *path)
{
	for (size_t k = 0; k < cnt; k++)
		if (regions[k].guest == regions[i].guest && region_covers(&regions[k], path) &&
		    strlen(regions[k].dir) > strlen(regions[i].dir))
			return false;
	return true;
}

bool pol_meta_may_change(const struct pol_meta *meta, const char *path)
{
	const uint32_t changes = POL_RIGHT_WRITE | POL_RIGHT_CREATE | POL_RIGHT_DELETE |
				 POL_RIGHT_RENAME | POL_RIGHT_LINK | POL_RIGHT_TRUNCATE;
	struct pol_region *regions;
	size_t cnt, held_cnt;
	bool found = false;
	char **held;

	if (pol_meta_regions(meta, 0, &regions, &cnt, &held, &held_cnt) < 0)
		return true; /* no memory: it may */
	for (size_t i = 0; i < cnt && !found; i++)
		found = regions[i].access & changes && region_covers(&regions[i], path) &&
			is_nearest(regions, cnt, i, path);
	for (size_t i = 0; i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	return found;
}

bool pol_meta_is_rooted(const struct pol_meta *meta, const struct pol_meta_guest *guest)
{
	for (size_t i = 0; i < meta->rules_cnt; i++)
		if (meta->rules[i].in_guest && meta->rules[i].ruleset == guest->ruleset)
			return true;
	return false;
}

bool pol_meta_is_mapped(const struct pol_meta *meta, const struct pol_meta_guest *guest)
{
	for (size_t i = pol_meta_first_rule(meta, guest->ruleset);
	     i < meta->rules_cnt && meta->rules[i].ruleset == guest->ruleset; i++)
		if (meta->rules[i].guest_path)
			return true;
	return false;
}

size_t pol_meta_first_rule(const struct pol_meta *meta, uint32_t ruleset)
{
	size_t i = 0;

	while (i < meta->rules_cnt && meta->rules[i].ruleset != ruleset)
		i++;
	return i;
}

const struct pol_meta_rule *pol_meta_same_rule(const struct pol_meta *meta,
					       const struct pol_meta_guest *guest,
					       const struct pol_meta_rule *rule)
{
	for (size_t i = pol_meta_first_rule(meta, guest->ruleset);
	     i < meta->rules_cnt && meta->rules[i].ruleset == guest->ruleset; i++)
		if (meta->rules[i].in_guest && strcmp(meta->rules[i].path, rule->path) == 0)
			return &meta->rules[i];
	return NULL;
}

/* The names that stay names where rules are resolved now: in the loader's root, or in one guest's. */
static bool is_held(const struct pol_meta_rule *rule, uint32_t ruleset)
{
	return rule->entry && (ruleset ? rule->in_guest && rule->ruleset == ruleset
				       : !rule->in_guest);
}

int pol_meta_regions(const struct pol_meta *meta, uint32_t ruleset, struct pol_region **ret,
		     size_t *ret_cnt, char ***ret_held, size_t *ret_held_cnt)
{
	struct pol_region *regions = calloc(meta->rules_cnt + 1, sizeof(*regions));
	char **held = calloc(meta->rules_cnt + 1, sizeof(*held));
	size_t cnt = 0, held_cnt = 0;

	if (!regions || !held)
		goto fail;
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &meta->rules[i];

		if (rule->pending || !rule->dir)
			continue;
		regions[cnt].dir = rule->dir;
		/* The loader looks its own paths up: what is there now counts. */
		if (ruleset || rule->in_guest)
			regions[cnt].where = rule->where;
		if (is_held(rule, ruleset)) {
			if (asprintf(&held[held_cnt], "%s/%s", rule->dir[1] ? rule->dir : "",
				     rule->entry) < 0)
				goto fail;
			regions[cnt].dir = held[held_cnt++];
		}
		regions[cnt].guest = rule->ruleset;
		regions[cnt++].access = rule->access;
	}
	*ret = regions;
	*ret_cnt = cnt;
	*ret_held = held;
	*ret_held_cnt = held_cnt;
	return 0;
fail:
	for (size_t i = 0; held && i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	return -ENOMEM;
}
