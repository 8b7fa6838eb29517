/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a set of mappings: what the caller names is looked up on the host once, and held. */
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "empty.h"
#include "handback.h"

void pol_mapping_done(struct pol_mapping *mapping)
{
	free(mapping->guest);
	free(mapping->host);
	free(mapping->name);
	pol_closep(&mapping->dir);
}

int pol_paths_new(struct pol_paths **ret)
{
	struct pol_paths *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	paths->tmp.dir = -EBADF;
	paths->tmp_parent = -EBADF;
	*ret = paths;
	return 0;
}

static void remove_tmp(struct pol_paths *paths)
{
	(void)pol_dir_empty(paths->tmp.dir);
	(void)unlinkat(paths->tmp_parent, strrchr(paths->tmp.host, '/') + 1, AT_REMOVEDIR);
}

void pol_paths_free(struct pol_paths *paths)
{
	if (!paths)
		return;
	if (paths->tmp.dir >= 0)
		remove_tmp(paths);
	for (size_t i = 0; i < paths->cnt; i++)
		pol_mapping_done(&paths->items[i]);
	pol_mapping_done(&paths->tmp);
	pol_closep(&paths->tmp_parent);
	free(paths->items);
	free(paths);
}

/* ------------------------------------------------------------------ the host's side */

/* An existing directory: it is mapped with what is beneath. */
static int hold_directory(struct pol_mapping *mapping, const char *path)
{
	mapping->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return mapping->dir < 0 ? -errno : 0;
}

/* Anything else: its name, in its directory. @path is cut at the name. @ret_dir: in it. */
static int hold_name(struct pol_mapping *mapping, char *path, const char **ret_dir)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	mapping->name = strdup(name);
	if (!mapping->name)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	*ret_dir = !slash ? "." : slash == path ? "/" : path;
	return hold_directory(mapping, *ret_dir);
}

/* The path of a name that is not there: its directory's real one, and it. */
static int name_missing(struct pol_mapping *mapping, const char *host)
{
	_cleanup_free_ char *copy = strdup(host), *real = NULL;
	size_t len = strlen(host);
	const char *dir;
	int r;

	if (!copy)
		return -ENOMEM;
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	r = hold_name(mapping, copy, &dir);
	if (r < 0)
		return r;
	real = realpath(dir, NULL);
	if (!real)
		return -errno;
	if (asprintf(&mapping->host, "%s/%s", real[1] ? real : "", mapping->name) < 0)
		mapping->host = NULL;
	return mapping->host ? 0 : -ENOMEM;
}

static int find_host(struct pol_mapping *mapping, const char *host)
{
	_cleanup_free_ char *copy = NULL;
	const char *dir;
	int r;

	if (!*host)
		return -EINVAL;
	mapping->host = realpath(host, NULL);
	if (!mapping->host && errno != ENOENT)
		return -errno;
	if (!mapping->host)
		return name_missing(mapping, host);
	r = hold_directory(mapping, mapping->host);
	if (r != -ENOTDIR)
		return r;
	copy = strdup(mapping->host);
	return copy ? hold_name(mapping, copy, &dir) : -ENOMEM;
}

/* ------------------------------------------------------------------ the guest's side */

/* A component of the clean path that is mapped to a file, above it. */
static const struct pol_mapping *file_above(const struct pol_paths *paths, const char *guest)
{
	for (const char *end = strchr(guest + 1, '/'); end; end = strchr(end + 1, '/')) {
		const struct pol_mapping *above =
			pol_paths_find(paths, guest, (size_t)(end - guest), NULL);

		if (above && above->name)
			return above;
	}
	return NULL;
}

int pol_paths_room(const struct pol_paths *paths, const struct pol_mapping *mapping, size_t *ret_at,
		   struct pol_err *err)
{
	const char *guest = mapping->guest;
	const struct pol_mapping *other = pol_paths_find(paths, guest, strlen(guest), ret_at);

	if (!guest[1])
		return pol_err_say(err, POL_ERR_FAILED, -EINVAL,
				   "'%s' cannot be mapped to '/': a guest's root has only mappings",
				   mapping->host);
	if (other)
		return pol_err_say(err, POL_ERR_FAILED, -EEXIST,
				   "'%s' is mapped twice: to '%s', and to '%s'", guest, other->host,
				   mapping->host);
	other = file_above(paths, guest);
	if (other)
		return pol_err_say(err, POL_ERR_FAILED, -ENOTDIR,
				   "'%s' lies below '%s', and that is mapped to '%s', no directory",
				   guest, other->guest, other->host);
	other = mapping->name ? pol_paths_below(paths, guest) : NULL;
	if (other)
		return pol_err_say(err, POL_ERR_FAILED, -ENOTDIR,
				   "'%s' lies below '%s', and that is mapped to '%s', no directory",
				   other->guest, guest, mapping->host);
	return 0;
}

static int insert(struct pol_paths *paths, size_t at, struct pol_mapping *mapping)
{
	struct pol_mapping *items =
		reallocarray(paths->items, paths->cnt + 1, sizeof(*paths->items));

	if (!items)
		return -ENOMEM;
	paths->items = items;
	memmove(items + at + 1, items + at, (paths->cnt - at) * sizeof(*items));
	items[at] = *mapping;
	paths->cnt++;
	*mapping = (struct pol_mapping){ .dir = -EBADF };
	return 0;
}

int pol_paths_insert(struct pol_paths *paths, struct pol_mapping *mapping, struct pol_err *err)
{
	size_t at = 0;
	int r = pol_paths_room(paths, mapping, &at, err);

	if (r < 0)
		return r;
	r = insert(paths, at, mapping);
	return r ? pol_err_set(err, POL_ERR_FAILED, r, "cannot map '%s'", mapping->host) : 0;
}

static int map(struct pol_paths *paths, const char *host, const char *guest,
	       struct pol_mapping *mapping, struct pol_err *err)
{
	int r = pol_guest_path_clean(guest, &mapping->guest);

	if (r == -ENOENT)
		return pol_err_say(err, POL_ERR_FAILED, -EINVAL, "'%s' is mapped to no path", host);
	if (!r)
		r = find_host(mapping, host);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map '%s' to '%s'", host, guest);
	return pol_paths_insert(paths, mapping, err);
}

int pol_paths_map(struct pol_paths *paths, const char *host, const char *guest, uint32_t flags,
		  struct pol_error *error)
{
	_cleanup_(pol_mapping_done) struct pol_mapping mapping = { .dir = -EBADF };
	struct pol_err err = {};
	int r;

	if (!paths || !host || !guest || flags & ~(uint32_t)POL_MAP_READ_ONLY)
		return pol_fail_usage(error, "a mapping has a host path, a guest path and flags");
	mapping.read_only = flags & POL_MAP_READ_ONLY;
	r = map(paths, host, guest, &mapping, &err);
	return r < 0 ? pol_fail(error, r, &err) : 0;
}

int pol_paths_map_text(struct pol_paths *paths, const char *text, struct pol_error *error)
{
	static const char form[] = "a mapping is HOST:GUEST, HOST:GUEST:ro or HOST:GUEST:rw";
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *guest = copy ? strchr(copy, ':') : NULL;
	char *mode = guest ? strchr(guest + 1, ':') : NULL;

	if (text && !copy)
		return pol_fail_memory(error);
	if (!guest)
		return pol_fail_usage(error, form);
	*guest++ = '\0';
	if (mode)
		*mode++ = '\0';
	if (mode && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
		return pol_fail_usage(error, form);
	return pol_paths_map(paths, copy, guest,
			     mode && strcmp(mode, "ro") == 0 ? POL_MAP_READ_ONLY : 0, error);
}

/* ------------------------------------------------------------------ the private tmp */

#define TMP_NAME "policy-XXXXXX"

/* Made with mode 0700, whatever the umask. */
static int make_tmp(const char *dir, struct pol_mapping *tmp, int *ret_parent)
{
	_cleanup_free_ char *real = NULL;
	int r;

	*ret_parent = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_parent < 0)
		return -errno;
	tmp->guest = strdup("/");
	real = realpath(dir, NULL);
	if (!real)
		return -errno;
	if (asprintf(&tmp->host, "%s/" TMP_NAME, real[1] ? real : "") < 0)
		tmp->host = NULL;
	if (!tmp->guest || !tmp->host)
		return -ENOMEM;
	if (!mkdtemp(tmp->host))
		return -errno;
	r = hold_directory(tmp, tmp->host);
	if (r < 0)
		(void)rmdir(tmp->host);
	return r;
}

int pol_paths_tmp(struct pol_paths *paths, const char *dir, struct pol_error *error)
{
	_cleanup_(pol_mapping_done) struct pol_mapping tmp = { .dir = -EBADF };
	_cleanup_close_ int parent = -EBADF;
	struct pol_err err = {};
	int r;

	if (!paths || !dir || !*dir)
		return pol_fail_usage(error, "a private tmp needs a directory to be in");
	if (paths->tmp.dir >= 0) {
		pol_err_say(&err, POL_ERR_FAILED, -EALREADY, "there is a private tmp, '%s'",
			    paths->tmp.host);
		return pol_fail(error, -EALREADY, &err);
	}
	r = make_tmp(dir, &tmp, &parent);
	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot make a private tmp in '%s'", dir);
		return pol_fail(error, r, &err);
	}
	paths->tmp = tmp;
	paths->tmp_parent = TAKE_FD(parent);
	tmp = (struct pol_mapping){ .dir = -EBADF };
	return 0;
}
