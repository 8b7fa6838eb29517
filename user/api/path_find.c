/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest paths as text: cleaned, and looked up among the mappings. Touches nothing. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "paths.h"

/* One component more. Return: length of @out. */
static size_t step(char *out, size_t used, const char *part, size_t len)
{
	if (!len || (len == 1 && part[0] == '.'))
		return used;
	if (len == 2 && part[0] == '.' && part[1] == '.') {
		while (used && out[--used] != '/')
			;
		return used;
	}
	out[used] = '/';
	memcpy(out + used + 1, part, len);
	return used + 1 + len;
}

int pol_guest_path_clean(const char *path, char **ret)
{
	size_t len = strlen(path), used = 0;
	char *out;

	if (!len)
		return -ENOENT;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	out = malloc(len + 2);
	if (!out)
		return -ENOMEM;
	while (*path) {
		size_t part = strcspn(path, "/");

		used = step(out, used, path, part);
		path += part + (path[part] == '/');
	}
	if (!used)
		out[used++] = '/';
	out[used] = '\0';
	*ret = out;
	return 0;
}

/* Like strcmp(3), of a mapping's guest path and the first @len bytes of another. */
static int compare(const struct pol_mapping *mapping, const char *guest, size_t len)
{
	int r = strncmp(mapping->guest, guest, len);

	return r ? r : mapping->guest[len] != '\0';
}

struct pol_mapping *pol_paths_find(const struct pol_paths *paths, const char *guest, size_t len,
				   size_t *ret_at)
{
	size_t low = 0, high = paths->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare(&paths->items[middle], guest, len);

		if (!r)
			return &paths->items[middle];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (ret_at)
		*ret_at = low;
	return NULL;
}

const struct pol_mapping *pol_paths_nearest(const struct pol_paths *paths, const char *guest,
					    const char **ret_rest)
{
	size_t len = strlen(guest);

	while (len > 1) {
		const struct pol_mapping *mapping = pol_paths_find(paths, guest, len, NULL);

		*ret_rest = guest + len + (guest[len] == '/');
		if (mapping)
			return mapping;
		while (guest[--len] != '/')
			;
	}
	*ret_rest = guest + 1;
	return paths->tmp.dir >= 0 ? &paths->tmp : NULL;
}

const struct pol_mapping *pol_paths_below(const struct pol_paths *paths, const char *guest)
{
	size_t len = strlen(guest);

	for (size_t i = 0; i < paths->cnt; i++)
		if (strncmp(paths->items[i].guest, guest, len) == 0 &&
		    paths->items[i].guest[len] == '/')
			return &paths->items[i];
	return NULL;
}
