/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What follows from all places together: the mounts below them (policy-language.md, semantics 5),
 * the condition on symlinks (4), and rules that say nothing (15).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "resolve_int.h"
#include "tmpdir.h"

/* With any of these a guest can put a symlink where there was something else. */
#define STEERING (POL_RIGHT_CREATE | POL_RIGHT_RENAME | POL_RIGHT_LINK)

/* ------------------------------------------------------------------------------------------- */
/* Mounts below rules                                                                          */

struct mount_below {
	struct pol_resolver *rs;
	const struct pol_mount *mount;
	struct pol_walk walk; /* of the mount point, once it is needed */
	bool walked;
	bool visible;
	char *key;
	struct pol_index *derived; /* what is found; rs->by_file is searched meanwhile */
};

/* Is what the path leads to this mount, and not one that lies over it? */
static int look(struct mount_below *m)
{
	int r;

	if (m->walked)
		return 0;
	m->walked = true;
	r = pol_walk_in(m->rs->root, m->mount->point, &m->walk);
	if (r < 0)
		return r;
	m->visible = !m->walk.fault && !m->walk.links_cnt && m->walk.mode &&
		     m->walk.object_mnt_id == m->mount->id;
	m->key = pol_mount_key(&m->rs->mounts, m->mount->id, m->mount->point);
	return m->key ? 0 : -ENOMEM;
}

static int add_derived(struct mount_below *m, const struct pol_spot *spot)
{
	struct pol_resolver *rs = m->rs;
	const struct pol_place *nearest = &rs->places->items[spot->place];
	struct pol_place place = {
		.guest = nearest->guest,
		.rule = nearest->rule,
		.derived = true,
		.dir = strdup(m->walk.dir),
		.name = m->walk.name ? strdup(m->walk.name) : NULL,
		.dev = m->walk.dev,
		.ino = m->walk.ino,
	};
	int r = -ENOMEM;

	if (place.dir && (!m->walk.name || place.name))
		r = pol_resolver_add(rs, &place, SIZE_MAX);
	if (r < 0) {
		free(place.dir);
		free(place.name);
		return r;
	}
	return pol_index_add(m->derived, strdup(m->key), spot->guest, spot->access,
			     rs->places->cnt - 1);
}

static int derive(const struct pol_spot *spot, void *arg)
{
	struct mount_below *m = arg;
	struct pol_resolver *rs = m->rs;
	const struct pol_place *nearest = &rs->places->items[spot->place];
	const struct pol_rule *rule = pol_place_rule(rs->policy, nearest);

	/* The rule is on this mount itself; a file rule holds the name it is mounted on. */
	if (!nearest->name && strcmp(spot->key, m->mount->point) == 0)
		return 0;
	if (pol_fs_pseudo(m->walk.object_magic) || strcmp(m->mount->point, POL_TMP_ROOT) == 0)
		return 0;
	if (!pol_fs_supported(m->walk.object_magic)) {
		if (rule->access)
			pol_diag_add(
				rs->diags, true, POL_P_MOUNT, rule->line, rule->col, NULL,
				"the mount '%s' below '%s' is %s: this version has no rules there, and refuses everything",
				m->mount->point, rule->path, m->mount->fstype);
		return 0;
	}
	return add_derived(m, spot);
}

/* An explicit rule on the very directory or file that is mounted beats a derived one. */
static int derive_unless_explicit(const struct pol_spot *spot, void *arg)
{
	struct mount_below *m = arg;
	int r = look(m);

	if (r < 0 || !m->visible)
		return r;
	if (pol_index_find(&m->rs->by_file, m->key, spot->guest))
		return 0;
	return derive(spot, arg);
}

int pol_derive_mounts(struct pol_resolver *rs)
{
	struct pol_index derived = { 0 };
	int r = 0;

	for (size_t i = 0; i < rs->mounts.cnt && r == 0; i++) {
		struct mount_below m = {
			.rs = rs,
			.mount = &rs->mounts.items[i],
			.derived = &derived,
		};

		if (m.mount->point[0] != '/' || !m.mount->point[1])
			continue;
		r = pol_index_nearest(&rs->by_path, m.mount->point, derive_unless_explicit, &m);
		pol_walk_done(&m.walk);
		free(m.key);
	}
	for (size_t i = 0; i < derived.cnt && r == 0; i++) {
		const struct pol_spot *spot = &derived.items[i];

		r = pol_index_add(&rs->by_file, TAKE_PTR(derived.items[i].key), spot->guest,
				  spot->access, spot->place);
	}
	pol_index_done(&derived);
	pol_index_sort(&rs->by_file);
	return r;
}

/* ------------------------------------------------------------------------------------------- */
/* The condition on symlinks                                                                   */

static int find_steering(const struct pol_spot *spot, void *arg)
{
	const struct pol_spot **found = arg;

	if (!(spot->access & STEERING))
		return 0;
	*found = spot;
	return 1;
}

/* Who may change the names in a place: "guest 'x'", "a running guest"; NULL in @ret: nobody. */
static int find_steerer(struct pol_resolver *rs, uint64_t mnt_id, const char *path, char **ret)
{
	_cleanup_free_ char *key = pol_mount_key(&rs->mounts, mnt_id, path);
	const struct pol_spot *found = NULL;
	int r;

	*ret = NULL;
	if (!key)
		return -ENOMEM;
	r = pol_index_nearest(&rs->by_file, key, find_steering, &found);
	if (r < 0 || !found)
		return r;
	if (found->guest >= rs->policy->guests_cnt)
		*ret = strdup("a running guest");
	else if (asprintf(ret, "guest '%s'", rs->policy->guests[found->guest].name) < 0)
		*ret = NULL;
	return *ret ? 0 : -ENOMEM;
}

static int check_link(struct pol_resolver *rs, const struct pol_rule *rule,
		      const struct pol_link *link)
{
	_cleanup_free_ char *who = NULL;
	int r = 0;

	if (rs->in && rs->in->has_run) {
		pol_diag_add(
			rs->diags, false, POL_P_SYMLINK_STEERED, rule->line, rule->col,
			"write the path that it leads to",
			"'%s' on the way to '%s' is a symlink that the process may have made: it has run unconfined",
			link->path, rule->path);
		return 0;
	}
	r = find_steerer(rs, link->mnt_id, link->path, &who);
	if (r < 0 || !who)
		return r;
	pol_diag_add(
		rs->diags, false, POL_P_SYMLINK_STEERED, rule->line, rule->col,
		"write the path that it leads to",
		"'%s' on the way to '%s' is a symlink that %s may replace: it could point the next load elsewhere",
		link->path, rule->path, who);
	return 0;
}

/* Numbers of running guests, made dense after those of the policy. */
struct numbers {
	uint32_t *items;
	size_t cnt;
	uint32_t base;
};

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t dense(const struct numbers *numbers, uint32_t guest)
{
	const uint32_t *found = bsearch(&guest, numbers->items, numbers->cnt,
					sizeof(*numbers->items), number_order);

	return numbers->base + (uint32_t)(found - numbers->items);
}

/*
 * Where a running region lies, by file; *ret NULL: nowhere any more. A symlink that stands now
 * where a name was is looked at as that name: it is what its guest may have made of it.
 */
static int region_key(struct pol_resolver *rs, const char *region, char **ret)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = { 0 }, parent = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *slash = strrchr(region, '/');
	uint64_t mnt_id;
	int r = pol_walk_in(rs->root, region, &walk);

	*ret = NULL;
	if (r < 0)
		return r;
	mnt_id = walk.mnt_id;
	if (!walk.fault && !walk.links_cnt) {
		path = pol_path_join(walk.dir, walk.name);
	} else if (slash && slash[1]) {
		_cleanup_free_ char *above = strdup(region);

		if (!above)
			return -ENOMEM;
		(void)pol_key_up(above);
		r = pol_walk_in(rs->root, above, &parent);
		if (r < 0 || parent.fault || parent.links_cnt || parent.name)
			return r;
		path = pol_path_join(parent.dir, slash + 1);
		mnt_id = parent.mnt_id;
	} else {
		return 0;
	}
	if (path)
		*ret = pol_mount_key(&rs->mounts, mnt_id, path);
	return *ret ? 0 : -ENOMEM;
}

static int region_order(const void *a, const void *b)
{
	const struct pol_region *x = *(const struct pol_region *const *)a;
	const struct pol_region *y = *(const struct pol_region *const *)b;

	return strcmp(x->dir, y->dir);
}

static int add_regions(struct pol_resolver *rs, const struct pol_region **regions, size_t cnt,
		       const struct numbers *numbers)
{
	_cleanup_free_ char *key = NULL;
	const char *looked_up = NULL;
	int r = 0;

	for (size_t i = 0; i < cnt && r == 0; i++) {
		const struct pol_region *region = regions[i];

		if (!region->where && (!looked_up || strcmp(looked_up, region->dir) != 0)) {
			free(TAKE_PTR(key));
			r = region_key(rs, region->dir, &key);
			looked_up = region->dir;
		}
		if (r == 0 && (region->where || key))
			r = pol_index_add(&rs->by_file,
					  strdup(region->where ? region->where : key),
					  dense(numbers, region->guest), region->access, SIZE_MAX);
	}
	pol_index_sort(&rs->by_file);
	return r;
}

static int add_running(struct pol_resolver *rs, const struct pol_region *running, size_t cnt)
{
	_cleanup_free_ const struct pol_region **regions = calloc(cnt + 1, sizeof(*regions));
	_cleanup_free_ uint32_t *guests = calloc(cnt + 1, sizeof(*guests));
	struct numbers numbers = { .items = guests, .base = (uint32_t)rs->policy->guests_cnt };

	if (!regions || !guests)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		regions[i] = &running[i];
		guests[i] = running[i].guest;
	}
	qsort(regions, cnt, sizeof(*regions), region_order);
	qsort(guests, cnt, sizeof(*guests), number_order);
	for (size_t i = 0; i < cnt; i++)
		if (!numbers.cnt || guests[numbers.cnt - 1] != guests[i])
			guests[numbers.cnt++] = guests[i];
	return add_regions(rs, regions, cnt, &numbers);
}

static int check_walk(struct pol_resolver *rs, const struct pol_place *place, size_t walk)
{
	int r = 0;

	for (size_t k = 0; k < rs->walks[walk].links_cnt && r == 0; k++)
		r = check_link(rs, pol_place_rule(rs->policy, place), &rs->walks[walk].links[k]);
	return r;
}

int pol_check_links(struct pol_resolver *rs, const struct pol_region *running, size_t running_cnt)
{
	const struct pol_places *places = rs->places;
	int r = add_running(rs, running, running_cnt);

	for (size_t i = 0; i < places->cnt && r == 0; i++)
		if (!places->items[i].derived)
			r = check_walk(rs, &places->items[i], rs->walk_of[i]);
	for (size_t i = 0; i < places->twins_cnt && r == 0; i++)
		r = check_walk(rs, &places->twins[i], rs->twin_walk_of[i]);
	return r;
}

static int check_glob(struct pol_resolver *rs, const struct pol_glob *glob,
		      const struct pol_glob_dir *dir, bool *ret_steered)
{
	_cleanup_free_ char *who = NULL;
	int r = find_steerer(rs, dir->mnt_id, dir->path, &who);

	if (r < 0 || !who)
		return r;
	pol_diag_add(
		rs->diags, false, POL_P_GLOB_STEERED, glob->line, glob->col,
		"name the files, or write a rule on the directory",
		"'%s' is looked up in '%s', where %s may make names: it would choose what the rule is on",
		glob->pattern, dir->path, who);
	*ret_steered = true;
	return 0;
}

int pol_check_globs(struct pol_resolver *rs)
{
	int r = 0;

	for (size_t i = 0; i < rs->policy->globs_cnt; i++) {
		const struct pol_glob *glob = &rs->policy->globs[i];
		bool steered = false;

		for (size_t k = 0; k < glob->dirs_cnt && !r && !steered; k++)
			r = check_glob(rs, glob, &glob->dirs[k], &steered);
	}
	return r;
}

/* ------------------------------------------------------------------------------------------- */
/* Rules that say nothing                                                                      */

static int lint_place(struct pol_resolver *rs, size_t i)
{
	const struct pol_place *place = &rs->places->items[i];
	const struct pol_guest *guest = &rs->policy->guests[place->guest];
	const struct pol_rule *rule = pol_place_rule(rs->policy, place);
	const struct pol_walk *walk = &rs->walks[rs->walk_of[i]];
	const struct pol_spot *above = NULL;
	_cleanup_free_ char *path = NULL;

	if (walk->mode && !S_ISDIR(walk->mode) && rule->access == POL_RIGHT_LIST)
		pol_diag_add(
			rs->diags, true, POL_P_NO_EFFECT, rule->line, rule->col, NULL,
			"'%s' is a file, and list is a right on directories: the rule can never match",
			rule->path);
	if (walk->links_cnt || rule->glob)
		return 0;
	path = pol_path_join(place->dir, place->name);
	if (!path)
		return -ENOMEM;
	while (!above && pol_key_up(path))
		above = pol_index_find(&rs->by_path, path, (uint32_t)place->guest);
	pol_lint_repeats(guest, rule,
			 above ? pol_place_rule(rs->policy, &rs->places->items[above->place])
			       : NULL,
			 rs->diags);
	return 0;
}

int pol_lint_places(struct pol_resolver *rs)
{
	int r = 0;

	for (size_t i = 0; i < rs->places->cnt && r == 0; i++)
		if (!rs->places->items[i].pending)
			r = lint_place(rs, i);
	return r;
}
