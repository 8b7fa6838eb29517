/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_shadow_make(), _get(), _list(). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base.h"
#include "enter.h"
#include "generation.h"
#include "handback.h"
#include "shadow.h"

static void fill(const struct pol_shadow_item *item, const char *guest, struct pol_shadow *ret)
{
	*ret = (struct pol_shadow){
		.size = sizeof(*ret),
		.bytes = item->value.size,
		.made_ns = item->value.boot_ns,
		.inode = item->key.ino,
		.flags = (item->value.flags & POL_SHADOW_EXEC ? POL_SHADOW_IS_EXEC : 0) |
			 (item->value.flags & POL_SHADOW_OLD ? POL_SHADOW_IS_STALE : 0) |
			 (item->value.flags & POL_SHADOW_LAZY ? POL_SHADOW_IS_LAZY : 0),
	};
	(void)snprintf(ret->guest, sizeof(ret->guest), "%s", guest);
	(void)snprintf(ret->path, sizeof(ret->path), "%s", item->path);
}
_Static_assert(sizeof(((struct pol_shadow *)0)->path) >= sizeof(((struct pol_shadow_item *)0)->path),
	       "a path fits");

static int check_ret(const struct pol_shadow *ret, bool needed, struct pol_error *error)
{
	if (ret ? ret->size >= sizeof(*ret) : !needed)
		return 0;
	return pol_fail_usage(error, "the size of struct pol_shadow is not set");
}

/* ------------------------------------------------------------------ make */

static int make(const struct pol_shadow_wish *wish, struct pol_shadow *ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_shadow_item item;
	struct pol_shadow shadow;
	int r = pol_engine_open(&engine, err), fd;

	if (r < 0)
		return r;
	fd = pol_shadow_give(engine, wish, &item, err);
	if (fd < 0 || !ret)
		return fd;
	fill(&item, wish->guest, &shadow);
	(void)pol_hand_back(ret, sizeof(shadow), &shadow, sizeof(shadow));
	return fd;
}

int pol_shadow_make(const char *guest, const char *path, uint32_t flags,
		    const struct pol_shadow_limits *limits, struct pol_shadow *ret,
		    struct pol_error *error)
{
	struct pol_shadow_limits lower = {};
	struct pol_shadow_wish wish = {
		.guest = guest,
		.path = path,
		.exec = flags & POL_SHADOW_MAKE_EXEC,
		.lazy = flags & POL_SHADOW_MAKE_LAZY,
	};
	struct pol_err err = {};
	int r = check_ret(ret, false, error);

	if (r < 0)
		return r;
	if (flags & ~(uint32_t)(POL_SHADOW_MAKE_EXEC | POL_SHADOW_MAKE_LAZY))
		return pol_fail_usage(error, "a flag that is not known");
	if (limits && pol_take_in(limits, sizeof(lower), &lower, sizeof(lower)) < 0)
		return pol_fail_usage(error, "the size of struct pol_shadow_limits is not set");
	wish.max_size = lower.max_size ? lower.max_size : UINT64_MAX;
	wish.budget = lower.budget ? lower.budget : UINT64_MAX;
	r = make(&wish, ret, &err);
	return r < 0 ? pol_fail(error, r, &err) : r;
}

/* ------------------------------------------------------------------ what there is */

static int get(const char *guest, int fd, struct pol_shadow *ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	const struct pol_meta_guest *its;
	struct pol_shadow_item item;
	int r = pol_engine_open(&engine, err);

	if (!r)
		r = pol_guest_read(engine, guest, &meta, &its, err);
	if (r < 0)
		return r;
	r = pol_shadow_of(engine, its->id, fd, &item);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "descriptor %d is no shadow of guest '%s'", fd,
				   guest);
	fill(&item, guest, ret);
	return 0;
}

int pol_shadow_get(const char *guest, int fd, struct pol_shadow *ret, struct pol_error *error)
{
	struct pol_shadow shadow;
	struct pol_err err = {};
	int r = check_ret(ret, true, error);

	if (r < 0)
		return r;
	r = get(guest, fd, &shadow, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	return pol_hand_back(ret, sizeof(shadow), &shadow, sizeof(shadow));
}

struct listing {
	const struct pol_meta *meta;
	int (*fn)(const struct pol_shadow *shadow, void *arg);
	void *arg;
	int answer;
};

static int list_one(const struct pol_shadow_item *item, void *arg)
{
	struct listing *listing = arg;
	const struct pol_meta_guest *guest = pol_meta_guest_by_id(listing->meta, item->key.guest);
	struct pol_shadow shadow;

	if (!guest)
		return 0;
	fill(item, guest->name, &shadow);
	listing->answer = listing->fn(&shadow, listing->arg);
	return listing->answer ? -ECANCELED : 0;
}

static int list(const char *guest, struct listing *listing, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	const struct pol_meta_guest *its = NULL;
	int r = pol_engine_open(&engine, err);

	if (r < 0)
		return r;
	r = guest ? pol_guest_read(engine, guest, &meta, &its, err) :
		    pol_meta_load(engine->control->active, &meta, err);
	if (r < 0)
		return r;
	listing->meta = meta;
	r = pol_shadow_each(engine, its ? its->id : 0, list_one, listing);
	if (r < 0 && !listing->answer)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the shadows");
	return 0;
}

int pol_shadow_list(const char *guest, int (*fn)(const struct pol_shadow *shadow, void *arg), void *arg,
		    struct pol_error *error)
{
	struct listing listing = { .fn = fn, .arg = arg };
	struct pol_err err = {};
	int r = list(guest, &listing, &err);

	return r < 0 ? pol_fail(error, r, &err) : listing.answer;
}
