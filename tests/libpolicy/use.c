/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A user's program, C and C++ alike: checks a policy and resolves a path, says what went wrong. */
#include <policy/policy.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, const struct pol_error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->message);
	return 1;
}

static int check_policy(struct pol_error *error)
{
	static const char good[] = "version = 1\n[guest.a]\n", bad[] = "version = 2\n";
	struct pol_report *report = NULL;

	if (pol_policy_check("good", good, strlen(good), POL_CHECK_OFFLINE, NULL, error) < 0)
		return fail("check", error);
	if (pol_policy_check("bad", bad, strlen(bad), POL_CHECK_OFFLINE, &report, error) == 0 ||
	    error->kind != POL_ERROR_POLICY || pol_report_errors(report) != 1)
		return fail("check of a bad one", error);
	pol_report_free(report);
	return 0;
}

static int open_path(struct pol_error *error)
{
	struct pol_paths *paths = NULL;
	char buf[4096];
	int fd, status = 1;

	if (pol_paths_new(&paths) < 0)
		return 1;
	if (pol_paths_map_text(paths, "/etc:/settings:ro", error) < 0)
		return fail("map", error);
	fd = pol_guest_path_open(paths, "settings/../settings/passwd", O_RDONLY, 0);
	if (fd >= 0 && pol_guest_path_resolve(paths, "settings/passwd", buf, sizeof(buf)) > 0)
		status = strcmp(buf, "/etc/passwd") != 0;
	if (fd >= 0)
		close(fd);
	pol_paths_free(paths);
	return status;
}

int main(void)
{
	struct pol_error error;

	memset(&error, 0, sizeof(error));
	error.size = sizeof(error);
	if (strncmp(pol_library_version(), "0.", 2) != 0)
		return 1;
	return check_policy(&error) || open_path(&error);
}
