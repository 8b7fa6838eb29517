/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lazy_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <bpf/bpf.h>

#include "anchors.h"
#include "base.h"
#include "enter.h"
#include "shadow.h"
#include "shadow_file.h"
#include "str.h"

/* Where the engine is unloaded, or the shadow is gone, nobody would say so: then it is stale, too. */
static bool is_stale(void *arg)
{
	const struct pol_lazy_watch *watch = arg;
	const uint32_t first = 0;
	struct pol_shadow_value shadow;
	struct pol_control control;

	return bpf_map_lookup_elem(watch->control, &first, &control) < 0 || !control.active ||
	       bpf_map_lookup_elem(watch->shadows, &watch->key, &shadow) < 0 ||
	       shadow.flags & POL_SHADOW_OLD;
}

static int stale(const char *path, const char *why, struct pol_err *err)
{
	pol_err_say(err, POL_ERR_FAILED, -ESTALE, "cannot fill the lazy shadow of '%s': %s", path,
		    why);
	return pol_err_fix(err, "give the guest a new shadow");
}

/* ------------------------------------------------------------------ is it the one? */

static int find(const struct pol_engine *engine, const struct pol_meta_guest *guest, int shadow,
		struct pol_shadow_item *ret, struct pol_err *err)
{
	int r = pol_shadow_of(engine, guest->id, shadow, ret);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r,
				   "descriptor %d is no shadow of guest '%s'", shadow, guest->name);
	if (!(ret->value.flags & POL_SHADOW_LAZY))
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "descriptor %d is no lazy shadow: it has all its bytes", shadow);
	return 0;
}

/* By the kernel's key: a path says nothing, and a number is used again. */
static int check(const struct pol_engine *engine, const struct pol_shadow_item *item, int file,
		 const char *path, struct pol_err *err)
{
	struct pol_anchor_record record;
	int r = pol_anchor_of(engine, file, &record);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the kernel's key of '%s'",
				   path);
	record.self.ruleset = 0;
	if (memcmp(&record.self, &item->value.source, sizeof(record.self)) != 0)
		return stale(path, "it is of another file", err);
	return 0;
}

/* ------------------------------------------------------------------ */

void pol_lazy_watch_done(struct pol_lazy_watch *watch)
{
	pol_closep(&watch->shadows);
	pol_closep(&watch->control);
	*watch = (struct pol_lazy_watch)POL_LAZY_WATCH_INIT;
}

static int watch_it(const struct pol_engine *engine, const struct pol_shadow_key *key,
		    const char *path, struct pol_lazy_watch *ret, struct pol_err *err)
{
	ret->key = *key;
	ret->shadows = fcntl(engine->maps[POL_MAP_SHADOWS], F_DUPFD_CLOEXEC, 3);
	ret->control = fcntl(engine->maps[POL_MAP_CONTROL], F_DUPFD_CLOEXEC, 3);
	if (ret->shadows < 0 || ret->control < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot watch '%s'", path);
	return is_stale(ret)
		       ? stale(path, "the file has changed since, or was open for writing", err)
		       : 0;
}

static int open_clean(struct pol_engine *engine, const char *name, int shadow, const char *path,
		      struct pol_lazy_watch *watch, struct pol_pager_source *ret,
		      struct pol_err *err)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int file = -EBADF;
	const struct pol_meta_guest *guest;
	struct pol_shadow_item item;
	int r = pol_guest_read(engine, name, &meta, &guest, err);

	if (!r)
		r = find(engine, guest, shadow, &item, err);
	if (r < 0)
		return r;
	file = pol_shadow_file_open(&guest->shadow, path, err);
	r = file < 0 ? file : check(engine, &item, file, path, err);
	if (!r)
		r = watch_it(engine, &item.key, path, watch, err);
	if (r < 0)
		return r;
	*ret = (struct pol_pager_source){ TAKE_FD(file), item.value.size, is_stale, watch };
	return 0;
}

int pol_lazy_source_open(struct pol_engine *engine, const char *guest, int shadow, const char *path,
			 struct pol_lazy_watch *watch, struct pol_pager_source *ret,
			 struct pol_err *err)
{
	_cleanup_free_ char *clean = NULL;
	int r = pol_path_clean(path, strlen(path), &clean);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open '%s'", path);
	if (r)
		return pol_err_say(
			err, POL_ERR_USAGE, -EINVAL,
			"'%s' is no path of a shadow's file: it is absolute, without '..'", path);
	r = open_clean(engine, guest, shadow, clean, watch, ret, err);
	if (r < 0)
		pol_lazy_watch_done(watch);
	return r;
}
