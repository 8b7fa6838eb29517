/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy_model.h"

#include <string.h>
#include <sys/stat.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "resolve_int.h"

/**
 * struct pol_model - @by_file: places, and what is derived from them, by what their filesystems call them.
 * @held: so the directories on the paths of the places; what lies above one in its filesystem is, too.
 */
struct pol_model {
	const struct pol_policy *policy;
	const struct pol_places *places;
	struct pol_mounts mounts;
	struct pol_index by_file;
	struct pol_index held;
};

void pol_model_free(struct pol_model *model)
{
	if (!model)
		return;
	pol_mounts_done(&model->mounts);
	pol_index_done(&model->by_file);
	pol_index_done(&model->held);
	free(model);
}

void pol_model_freep(struct pol_model **model)
{
	pol_model_free(*model);
}

/* What is at the end of a walk, as its own filesystem calls it: a mounted thing by its own name. */
static char *key_of(const struct pol_model *model, const struct pol_walk *walk)
{
	_cleanup_free_ char *path = pol_path_join(walk->dir, walk->name);
	uint64_t id = walk->mode ? walk->object_mnt_id : walk->mnt_id;

	return path ? pol_mount_key(&model->mounts, id, path) : NULL;
}

/* A derived place has no @where: it is the mount at its path. */
static int add_derived(struct pol_model *model, size_t i)
{
	const struct pol_place *place = &model->places->items[i];
	_cleanup_free_ char *path = pol_path_join(place->dir, place->name);
	_cleanup_(pol_walk_done) struct pol_walk walk = {};
	int r = path ? pol_walk(path, &walk) : -ENOMEM;

	if (r < 0)
		return r;
	if (walk.fault)
		return 0;
	return pol_index_add(&model->by_file, key_of(model, &walk), (uint32_t)place->guest,
			     pol_place_rule(model->policy, place)->access, i);
}

static int add_place(struct pol_model *model, size_t i)
{
	const struct pol_place *place = &model->places->items[i];

	if (place->pending)
		return 0;
	if (place->derived)
		return add_derived(model, i);
	return pol_index_add(&model->by_file, strdup(place->where), (uint32_t)place->guest,
			     pol_place_rule(model->policy, place)->access, i);
}

/* Is @path the directory @dir, or beneath it? */
static bool is_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len && dir[len - 1] == '/')
		return strncmp(path, dir, len) == 0;
	return strncmp(path, dir, len) == 0 && (!path[len] || path[len] == '/');
}

static int hold_one(struct pol_model *model, const char *dir)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = {};
	int r = pol_walk(dir, &walk);

	if (r < 0 || walk.fault)
		return r;
	return pol_index_add(&model->held, key_of(model, &walk), 0, 0, 0);
}

/* @last: a directory that has been held with all above it, or NULL. */
static int hold(struct pol_model *model, const char *dir, const char *last)
{
	_cleanup_free_ char *at = strdup(dir);
	int r = at ? 0 : -ENOMEM;

	while (!r && !(last && is_within(last, at))) {
		r = hold_one(model, at);
		if (!pol_key_up(at))
			break;
	}
	return r;
}

/* A mounted file's own directories are on no path, and are held as well. */
static int hold_place(struct pol_model *model, const struct pol_place *place, const char *last)
{
	_cleanup_free_ char *file = pol_path_join(place->dir, place->name);
	int r = file ? hold(model, place->dir, last) : -ENOMEM;

	return !r && place->derived && place->name ? hold_one(model, file) : r;
}

static int hold_all(struct pol_model *model)
{
	const char *last = NULL;
	int r = 0;

	for (size_t i = 0; i < model->places->cnt && !r; i++) {
		const struct pol_place *place = &model->places->items[i];

		if (place->pending)
			continue;
		r = hold_place(model, place, last);
		last = place->dir;
	}
	return r;
}

int pol_model_new(const struct pol_policy *policy, const struct pol_places *places,
		  struct pol_model **ret)
{
	_cleanup_(pol_model_freep) struct pol_model *model = calloc(1, sizeof(*model));
	int r;

	if (!model)
		return -ENOMEM;
	model->policy = policy;
	model->places = places;
	r = pol_mounts_read(NULL, &model->mounts);
	if (!r)
		r = pol_index_init(&model->by_file, (uint32_t)policy->guests_cnt);
	for (size_t i = 0; i < places->cnt && !r; i++)
		r = add_place(model, i);
	if (!r)
		r = hold_all(model);
	if (r < 0)
		return r;
	pol_index_sort(&model->by_file);
	*ret = TAKE_PTR(model);
	return 0;
}

/* ------------------------------------------------------------------ the object */

/*
 * What has the path's last name in its directory: a symlink is not followed, and what is mounted over
 * it is not entered.
 */
static int walk_name(const char *path, struct pol_walk *ret)
{
	_cleanup_free_ char *dir = strdup(path);
	struct stat st;
	int r;

	if (!dir)
		return -ENOMEM;
	if (!pol_key_up(dir))
		return pol_walk(path, ret);
	r = pol_walk(dir, ret);
	if (r < 0 || ret->fault)
		return r;
	if (!S_ISDIR(ret->mode)) {
		ret->fault = ret->mode ? POL_WALK_NOT_DIRECTORY : POL_WALK_NO_PARENT;
		return 0;
	}
	ret->mnt_id = ret->object_mnt_id;
	ret->mode = lstat(path, &st) < 0 ? 0 : st.st_mode;
	ret->name = strdup(strrchr(path, '/') + 1);
	return ret->name ? 0 : -ENOMEM;
}

/* delete and rename are of a name in a directory; link and create see what is mounted there. */
static int walk_for(uint32_t right, const char *path, struct pol_walk *ret)
{
	struct stat st;

	if (right & (POL_RIGHT_DELETE | POL_RIGHT_RENAME))
		return walk_name(path, ret);
	if (right & (POL_RIGHT_CREATE | POL_RIGHT_LINK) && !lstat(path, &st) &&
	    S_ISLNK(st.st_mode))
		return walk_name(path, ret);
	return pol_walk(path, ret);
}

/* The object, or the first name on the way to it that is missing. */
static int find(uint32_t right, const char *path, struct pol_walk *ret)
{
	_cleanup_free_ char *at = strdup(path);
	int r;

	if (!at)
		return -ENOMEM;
	for (;;) {
		r = walk_for(right, at, ret);
		if (r < 0 || ret->fault != POL_WALK_NO_PARENT || !pol_key_up(at))
			return r;
		pol_walk_done(ret);
		*ret = (struct pol_walk){};
	}
}

/* ------------------------------------------------------------------ the rule */

/* @access: of the nearest rule, 0 without one. @named: it is on the object itself. */
struct nearest {
	uint32_t access;
	bool named;
};

/* All of a guest's at one spot: an explicit one decides, else what all of the derived ones give. */
static uint32_t access_at(const struct pol_model *model, const struct pol_spot *spot)
{
	const struct pol_spot *end = model->by_file.items + model->by_file.cnt, *first = spot;
	uint32_t access = POL_RIGHTS_ALL;

	for (; spot < end && spot->guest == first->guest && !strcmp(spot->key, first->key); spot++) {
		if (!model->places->items[spot->place].derived)
			return spot->access;
		access &= spot->access;
	}
	return access;
}

static void nearest_of(const struct pol_model *model, size_t guest, char *key, struct nearest *ret)
{
	*ret = (struct nearest){ .named = true };
	do {
		const struct pol_spot *spot =
			pol_index_find(&model->by_file, key, (uint32_t)guest);

		if (spot) {
			ret->access = access_at(model, spot);
			return;
		}
		ret->named = false;
	} while (pol_key_up(key));
}

/*
 * A rule's anchor, or a directory above one. By what the filesystem calls it: what a path leads to now
 * covers a directory that nothing holds.
 */
static bool is_held(const struct pol_model *model, const char *key)
{
	for (size_t i = 0; i < model->held.cnt; i++)
		if (is_within(model->held.items[i].key, key))
			return true;
	return false;
}

/* ------------------------------------------------------------------ the answer */

static uint32_t needs(uint32_t right, mode_t mode)
{
	if (right == POL_RIGHT_READ && S_ISDIR(mode))
		return POL_RIGHT_LIST;
	return right == POL_RIGHT_CREATE ? right | POL_RIGHT_WRITE : right;
}

static bool must_be_named(uint32_t right, mode_t mode)
{
	return (S_ISCHR(mode) || S_ISBLK(mode)) &&
	       right & (POL_RIGHT_READ | POL_RIGHT_WRITE | POL_RIGHT_IOCTL);
}

static int judge(const struct pol_model *model, size_t guest, uint32_t right,
		 const struct pol_walk *walk, enum pol_model_answer *ret)
{
	_cleanup_free_ char *key = key_of(model, walk);
	struct nearest nearest;

	if (!key)
		return -ENOMEM;
	*ret = POL_MODEL_DENY;
	if (right & (POL_RIGHT_DELETE | POL_RIGHT_RENAME) && S_ISDIR(walk->mode) &&
	    is_held(model, key))
		return 0;
	nearest_of(model, guest, key, &nearest);
	if (needs(right, walk->mode) & ~nearest.access)
		return 0;
	if (nearest.named || !must_be_named(right, walk->mode))
		*ret = POL_MODEL_ALLOW;
	return 0;
}

static bool is_beyond(const struct pol_model *model, size_t guest, const struct pol_walk *walk)
{
	return walk->fault || pol_guest_is_rooted(&model->policy->guests[guest]) ||
	       pol_fs_pseudo(walk->mode ? walk->object_magic : walk->magic);
}

int pol_model_ask(struct pol_model *model, size_t guest, uint32_t right, const char *path,
		  enum pol_model_answer *ret)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = {};
	int r = find(right, path, &walk);

	if (r < 0)
		return r;
	if (!is_beyond(model, guest, &walk))
		return judge(model, guest, right, &walk, ret);
	*ret = POL_MODEL_UNKNOWN;
	return 0;
}
