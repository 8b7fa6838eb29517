/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of mappings (policy/policy.h): sorted by guest path, each with a descriptor of the directory
 * that it is held against. path_find.c is the pure part, paths.c makes it, path_open.c uses it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "policy/policy.h"

/**
 * struct pol_mapping - one host path where a guest sees it.
 * @guest: clean, begins with "/". @host: without symlinks, but for what is at @name.
 * @dir: O_PATH descriptor: of the mapped directory itself, or with @name of the one that it is in.
 * @name: last component of @host: a file, or what is not there yet; NULL: a directory.
 */
struct pol_mapping {
	char *guest;
	char *host;
	char *name;
	int dir;
	bool read_only;
};

void pol_mapping_done(struct pol_mapping *mapping);

/* @tmp: of what no mapping covers: guest "/"; its @dir is -EBADF if there is none. */
struct pol_paths {
	struct pol_mapping *items;
	size_t cnt;
	struct pol_mapping tmp;
	int tmp_parent;
};

/**
 * pol_guest_path_clean() - by its text: from "/", without "//", "." and "..", which stays at the root.
 * Return: 0, @ret to be freed; -ENOENT: it is empty; -ENAMETOOLONG: PATH_MAX bytes; -ENOMEM.
 */
int pol_guest_path_clean(const char *path, char **ret);

/* pol_paths_find() - the mapping of exactly this clean path, or NULL; @ret_at: where it belongs. */
struct pol_mapping *pol_paths_find(const struct pol_paths *paths, const char *guest, size_t len,
				   size_t *ret_at);

/**
 * pol_paths_room() - does a mapping that is filled fit in? @ret_at: where.
 * Return: 0; -EEXIST, -ENOTDIR, -EINVAL: as pol_paths_map().
 */
int pol_paths_room(const struct pol_paths *paths, const struct pol_mapping *mapping, size_t *ret_at,
		   struct pol_err *err);

/**
 * pol_paths_insert() - add it.
 * @mapping: is empty afterwards; untouched on failure.
 *
 * Return: 0; -ENOMEM; as pol_paths_room().
 */
int pol_paths_insert(struct pol_paths *paths, struct pol_mapping *mapping, struct pol_err *err);

/**
 * pol_paths_nearest() - of a clean path: the mapping, and the rest below it without a leading "/".
 * Return: the mapping, paths->tmp where there is one and no other; NULL: nothing.
 */
const struct pol_mapping *pol_paths_nearest(const struct pol_paths *paths, const char *guest,
					    const char **ret_rest);

/* pol_paths_below() - some mapping whose guest path lies below this clean one, or NULL. */
const struct pol_mapping *pol_paths_below(const struct pol_paths *paths, const char *guest);
