/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest's path means on the host now: every step is the kernel's own, below a descriptor that
 * is held, so that no rename between a look and a use leads out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "file.h"
#include "paths.h"

/* openat2(2): the kernel could not rule out that a rename beside it led out. */
#define TRIES 64

/* ------------------------------------------------------------------ one step */

static int open_once(int dir, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;

	return pol_openat2(dir, path, (uint32_t)flags, makes ? mode & 07777 : 0,
			   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve);
}

/* Return: descriptor; -EACCES: a symlink leads out; else as openat2(2). */
static int open_beneath(int dir, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	int fd = -EAGAIN;

	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = open_once(dir, path, flags, mode, resolve);
	if (fd == -EXDEV || (fd == -ELOOP && resolve & RESOLVE_NO_SYMLINKS))
		return -EACCES;
	return fd;
}

/* ------------------------------------------------------------------ a mapping */

/* Where a guest's path leads: below @dir, by @rest, which is "" for the mapping itself. */
struct place {
	const struct pol_mapping *mapping;
	char *clean;
	const char *rest;
	uint64_t symlinks; /* RESOLVE_NO_SYMLINKS, or 0: they may be followed within it */
};

static void place_done(struct place *place)
{
	free(place->clean);
}

/*
 * Where another mapping begins below this one a symlink could lead around it: to what that one hides or
 * has read-only. There none is followed.
 */
static uint64_t symlinks_of(const struct pol_paths *paths, const struct pol_mapping *mapping)
{
	return pol_paths_below(paths, mapping->guest) ? RESOLVE_NO_SYMLINKS : 0;
}

static int find_place(const struct pol_paths *paths, const char *guest, struct place *ret)
{
	int r = pol_guest_path_clean(guest, &ret->clean);

	if (r < 0)
		return r;
	ret->mapping = pol_paths_nearest(paths, ret->clean, &ret->rest);
	if (!ret->mapping)
		return -ENOENT;
	ret->symlinks = symlinks_of(paths, ret->mapping);
	return 0;
}

static bool is_tmp(const struct place *place)
{
	return !place->mapping->guest[1];
}

/* What lies below a name was no directory when it was mapped: maybe it is one now. */
static int open_named(const struct place *place)
{
	return open_beneath(place->mapping->dir, place->mapping->name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
}

static int open_place(const struct place *place, int flags, mode_t mode)
{
	const struct pol_mapping *mapping = place->mapping;
	_cleanup_close_ int within = -EBADF;

	if (!mapping->name)
		return open_beneath(mapping->dir, *place->rest ? place->rest : ".", flags, mode,
				    place->symlinks);
	if (!*place->rest)
		return open_beneath(mapping->dir, mapping->name, flags, mode, RESOLVE_NO_SYMLINKS);
	within = open_named(place);
	return within < 0 ? within : open_beneath(within, place->rest, flags, mode, place->symlinks);
}

/* ------------------------------------------------------------------ the directory of a name */

/* The private tmp alone: nobody else makes the directories of what is created there. */
static int make_parents(const struct place *place)
{
	_cleanup_close_ int dir = fcntl(place->mapping->dir, F_DUPFD_CLOEXEC, 3);
	_cleanup_free_ char *rest = strdup(place->rest);
	char *at = rest;

	if (dir < 0 || !rest)
		return dir < 0 ? -errno : -ENOMEM;
	for (char *end = strchr(at, '/'); end; at = end + 1, end = strchr(at, '/')) {
		int next;

		*end = '\0';
		if (mkdirat(dir, at, 0700) < 0 && errno != EEXIST)
			return -errno;
		next = open_beneath(dir, at, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
		if (next < 0)
			return next;
		close(dir);
		dir = next;
	}
	return 0;
}

static int open_directory_of(const struct place *place, const char *name)
{
	size_t len = (size_t)(name - place->rest);
	_cleanup_close_ int within = -EBADF;
	_cleanup_free_ char *dir = strndup(place->rest, len ? len - 1 : 0);

	if (!dir)
		return -ENOMEM;
	if (place->mapping->name) {
		within = open_named(place);
		if (within < 0)
			return within;
	}
	return open_beneath(within >= 0 ? within : place->mapping->dir, *dir ? dir : ".",
			    O_PATH | O_DIRECTORY, 0, place->symlinks);
}

/* @ret_name: within the place, or the mapping's. */
static int open_parent(const struct place *place, const char **ret_name)
{
	const char *slash = strrchr(place->rest, '/');
	int dir;

	if (!*place->rest && !place->mapping->name)
		return -EBUSY;
	if (!*place->rest) {
		*ret_name = place->mapping->name;
		dir = fcntl(place->mapping->dir, F_DUPFD_CLOEXEC, 3);
		return dir < 0 ? -errno : dir;
	}
	*ret_name = slash ? slash + 1 : place->rest;
	return open_directory_of(place, *ret_name);
}

/* ------------------------------------------------------------------ what is public */

static bool changes(int flags)
{
	if (flags & O_PATH)
		return false;
	return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

int pol_guest_path_open(const struct pol_paths *paths, const char *guest, int flags, mode_t mode)
{
	_cleanup_(place_done) struct place place = {};
	int r = find_place(paths, guest, &place), fd;

	if (r < 0)
		return r;
	if (place.mapping->read_only && changes(flags))
		return -EROFS;
	if (!(flags & O_PATH))
		flags |= O_NOCTTY;
	fd = open_place(&place, flags, mode);
	if (fd != -ENOENT || !is_tmp(&place) || !(flags & O_CREAT))
		return fd;
	r = make_parents(&place);
	return r < 0 ? r : open_place(&place, flags, mode);
}

int pol_guest_path_parent(const struct pol_paths *paths, const char *guest, char *name, size_t size)
{
	_cleanup_(place_done) struct place place = {};
	_cleanup_close_ int dir = -EBADF;
	const char *last = "";
	int r = find_place(paths, guest, &place);

	if (r < 0)
		return r;
	if (place.mapping->read_only)
		return -EROFS;
	dir = open_parent(&place, &last);
	if (dir == -ENOENT && is_tmp(&place)) {
		r = make_parents(&place);
		dir = r < 0 ? r : open_parent(&place, &last);
	}
	if (dir < 0)
		return dir;
	if (strlen(last) >= size)
		return -ERANGE;
	memcpy(name, last, strlen(last) + 1);
	return TAKE_FD(dir);
}

/* ------------------------------------------------------------------ as text */

/* Where a descriptor is, as the kernel has it. Return: length; -ERANGE. */
static ssize_t path_of(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t len;

	if (!size)
		return -ERANGE;
	(void)snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	len = readlink(link, buf, size);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size)
		return -ERANGE;
	buf[len] = '\0';
	return len;
}

/* What is not there yet: its directory, and its name. */
static ssize_t path_of_missing(const struct place *place, char *buf, size_t size)
{
	_cleanup_close_ int dir = -EBADF;
	const char *name = "";
	struct stat st;
	ssize_t len;

	dir = open_parent(place, &name);
	if (dir < 0)
		return dir;
	/* A symlink that leads to nothing, within the mapping: nobody can say where a file would be. */
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -ENOENT;
	len = path_of(dir, buf, size);
	if (len < 0)
		return len;
	if (len == 1)
		len = 0; /* "/" itself */
	if ((size_t)len + strlen(name) + 2 > size)
		return -ERANGE;
	buf[len] = '/';
	memcpy(buf + len + 1, name, strlen(name) + 1);
	return len + 1 + (ssize_t)strlen(name);
}

ssize_t pol_guest_path_resolve(const struct pol_paths *paths, const char *guest, char *buf,
			       size_t size)
{
	_cleanup_(place_done) struct place place = {};
	_cleanup_close_ int fd = -EBADF;
	int r = find_place(paths, guest, &place);

	if (r < 0)
		return r;
	fd = open_place(&place, O_PATH, 0);
	return fd == -ENOENT ? path_of_missing(&place, buf, size)
	       : fd < 0	     ? fd
			     : path_of(fd, buf, size);
}
