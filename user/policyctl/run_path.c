/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_path.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "file.h"

/* Return: descriptor, O_PATH. */
static int open_in(int root, const char *path)
{
	return root < 0 ? open(path, O_PATH | O_CLOEXEC)
			: pol_openat2(root, path, O_PATH, 0, RESOLVE_IN_ROOT);
}

static bool is_there(int root, const char *path)
{
	_cleanup_close_ int fd = open_in(root, path);

	return fd >= 0;
}

static bool is_file(int root, const char *path, bool *ret_executable)
{
	_cleanup_close_ int fd = open_in(root, path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret_executable = !faccessat(fd, "", X_OK, AT_EMPTY_PATH);
	return true;
}

/* By its path: what is there and cannot be executed, execve says. */
static char *find_path(int root, const char *name)
{
	char *path;

	if (!is_there(root, name))
		return NULL;
	if (name[0] == '/')
		return strdup(name);
	if (root < 0)
		return realpath(name, NULL);
	return asprintf(&path, "/%s", name) < 0 ? NULL : path;
}

/*
 * As execvp(3) would find it, but by us: a guest that tried every directory of PATH would be
 * refused, and reported, for each one outside its rules.
 */
static char *find_program(int root, const char *name, int *ret_status)
{
	const char *path = getenv("PATH");
	bool seen = false;

	*ret_status = EXIT_NOT_FOUND;
	if (strchr(name, '/'))
		return find_path(root, name);
	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		size_t len = strcspn(at, ":");
		bool executable = false;
		char *found;

		if (asprintf(&found, "%.*s/%s", (int)len, len ? at : ".", name) < 0)
			return NULL;
		seen |= is_file(root, found, &executable);
		if (executable)
			return found;
		free(found);
		at += len + (at[len] == ':');
	}
	*ret_status = seen ? EXIT_CANNOT_EXEC : EXIT_NOT_FOUND;
	return NULL;
}

char *run_find_program(int root, const char *name, int *ret_status)
{
	char *path = find_program(root, name, ret_status);

	if (!path)
		fprintf(stderr, "policyctl run: error: '%s': %s\n", name,
			*ret_status == EXIT_NOT_FOUND ? "command not found" : "permission denied");
	return path;
}
