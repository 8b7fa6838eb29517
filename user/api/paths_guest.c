/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mappings from the loaded policy: what its rules of a guest say with guest_path. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "engine.h"
#include "enter.h"
#include "file.h"
#include "handback.h"
#include "paths.h"
#include "quiet.h"
#include "resolve_int.h"
#include "view.h"

/* Of a directory's rule: is it the one that the rule was anchored to? */
static int check_anchor(int dir, const struct pol_view_item *item)
{
	struct stat st;

	if (!item->ino)
		return 0;
	if (fstat(dir, &st) < 0)
		return -errno;
	return st.st_ino == item->ino ? 0 : -ESTALE;
}

/* No symlink is followed: rules have been resolved, and what is one now was swapped in. */
static int fill(const struct pol_view_item *item, struct pol_mapping *mapping)
{
	mapping->guest = strdup(item->at);
	mapping->host = pol_path_join(item->dir, item->name);
	mapping->name = item->name ? strdup(item->name) : NULL;
	mapping->read_only = item->ro;
	if (!mapping->guest || !mapping->host || !mapping->name != !item->name)
		return -ENOMEM;
	mapping->dir = pol_openat2(AT_FDCWD, item->dir, O_PATH | O_DIRECTORY, 0,
				   RESOLVE_NO_SYMLINKS);
	if (mapping->dir < 0)
		return mapping->dir == -ELOOP ? -ESTALE : mapping->dir;
	return check_anchor(mapping->dir, item);
}

static int map_item(struct pol_paths *paths, const struct pol_view_item *item, struct pol_err *err)
{
	_cleanup_(pol_mapping_done) struct pol_mapping mapping = { .dir = -EBADF };
	int r = fill(item, &mapping);

	if ((r == -ENOENT || r == -ENOTDIR || r == -ESTALE) && !item->must)
		return 0;
	if (r == -ESTALE) {
		pol_err_say(err, POL_ERR_FAILED, r,
			    "'%s' (line %u) is not the directory that the policy was loaded for",
			    item->what, item->line);
		return pol_err_fix(err, "load the policy again");
	}
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map '%s' (line %u) to '%s'",
				   item->what, item->line, item->at);
	return pol_paths_insert(paths, &mapping, err);
}

/* Made apart, and looked at against what there is, before the first one is added. */
static int map_view(struct pol_paths *paths, const struct pol_view *view, struct pol_err *err)
{
	struct pol_paths *all = NULL;
	int r = pol_paths_new(&all);
	size_t at;

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map");
	for (size_t i = 0; i < view->cnt && !r; i++)
		if (view->items[i].asked && view->items[i].line)
			r = map_item(all, &view->items[i], err);
	for (size_t i = 0; i < all->cnt && !r; i++)
		r = pol_paths_room(paths, &all->items[i], &at, err);
	for (size_t i = 0; i < all->cnt && !r; i++)
		r = pol_paths_insert(paths, &all->items[i], err);
	pol_paths_free(all);
	return r;
}

static int say_unmapped(const char *name, struct pol_err *err)
{
	pol_err_say(err, POL_ERR_FAILED, -ENOENT, "no rule of guest '%s' has a guest_path", name);
	return pol_err_fix(err, "add guest_path = \"/...\" to what it is to see");
}

static int map_guest(struct pol_paths *paths, const char *name, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	const struct pol_meta_guest *guest;
	struct pol_view view = { 0 };
	int r;

	pol_quiet_begin();
	r = pol_engine_open(&engine, err);
	if (!r)
		r = pol_guest_read(engine, name, &meta, &guest, err);
	pol_quiet_end();
	if (!r && !pol_meta_is_mapped(meta, guest))
		r = say_unmapped(name, err);
	if (!r)
		r = pol_view_make(meta, guest, NULL, 0, &view, err);
	if (!r)
		r = map_view(paths, &view, err);
	pol_view_done(&view);
	return r;
}

int pol_paths_map_guest(struct pol_paths *paths, const char *guest, struct pol_error *error)
{
	struct pol_err err = {};
	int r;

	if (!paths || !guest)
		return pol_fail_usage(error, "mappings of a guest need a set and its name");
	r = map_guest(paths, guest, &err);
	return r < 0 ? pol_fail(error, r, &err) : 0;
}
