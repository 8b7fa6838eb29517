/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/*
 * As execvp(3) would find it, but by us: a guest that tried every directory of PATH would be
 * refused, and reported, for each one outside its rules.
 */
static char *find_program(const char *name, int *ret_status)
{
	const char *path = getenv("PATH");
	char *found = NULL;
	bool seen = false;

	if (strchr(name, '/')) {
		*ret_status = EXIT_NOT_FOUND;
		if (access(name, F_OK) < 0)
			return NULL; /* what is there and cannot be executed, execve says */
		return name[0] == '/' ? strdup(name) : realpath(name, NULL);
	}
	for (const char *at = path ? path : "/usr/bin:/bin"; *at && !found;) {
		size_t len = strcspn(at, ":");

		if (asprintf(&found, "%.*s/%s", (int)len, len ? at : ".", name) < 0)
			return NULL;
		if (!is_file(found) || access(found, X_OK) < 0) {
			seen = seen || is_file(found);
			free(found);
			found = NULL;
		}
		at += len + (at[len] == ':');
	}
	*ret_status = seen ? EXIT_CANNOT_EXEC : EXIT_NOT_FOUND;
	return found;
}

char *run_find_program(const char *name, int *ret_status)
{
	char *path = find_program(name, ret_status);

	if (!path)
		fprintf(stderr, "policyctl run: error: '%s': %s\n", name,
			*ret_status == EXIT_NOT_FOUND ? "command not found" : "permission denied");
	return path;
}
