/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a command is: in this process's root, or in another. */
#include "run_path.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tmptree.h"

static char *tree;
static int root;

static void executable(const char *path)
{
	char full[512];

	tree_file(tree, path);
	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	cr_assert_eq(chmod(full, 0755), 0);
}

static void init(void)
{
	cr_redirect_stderr();
	tree = tree_make();
	if (!tree)
		cr_skip_test("no directory on a filesystem that rules may be on");
	root = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tree_dir(tree, "bin");
	tree_dir(tree, "opt");
	executable("opt/prog");
	tree_file(tree, "bin/plain");
	tree_link(tree, "bin/up", "../../../opt/prog");
	tree_link(tree, "bin/abs", "/opt/prog");
	cr_assert_eq(setenv("PATH", "/nowhere:/bin:/opt", 1), 0);
}

static void fini(void)
{
	close(root);
	tree_remove(tree);
}

TestSuite(run_path, .init = init, .fini = fini);

static void finds(int in, const char *name, const char *path)
{
	int status = 0;
	char *found = run_find_program(in, name, &status);

	cr_assert(found, "%s", name);
	cr_assert_str_eq(found, path);
	free(found);
}

static void lacks(int in, const char *name, int status)
{
	int got = 0;

	cr_assert_null(run_find_program(in, name, &got), "%s", name);
	cr_assert_eq(got, status, "%s", name);
}

Test(run_path, in_another_root)
{
	finds(root, "prog", "/opt/prog");
	finds(root, "up", "/bin/up");
	finds(root, "abs", "/bin/abs");
	finds(root, "/opt/prog", "/opt/prog");
	finds(root, "./opt/prog", "/./opt/prog");
	finds(root, "/bin/plain", "/bin/plain");
	lacks(root, "plain", EXIT_CANNOT_EXEC);
	lacks(root, "sh", EXIT_NOT_FOUND);
	lacks(root, "/bin/sh", EXIT_NOT_FOUND);
	lacks(root, "opt", EXIT_NOT_FOUND);
}

Test(run_path, in_this_root)
{
	char path[512];

	finds(-EBADF, "sh", "/bin/sh");
	finds(-EBADF, "/bin/sh", "/bin/sh");
	lacks(-EBADF, "plain", EXIT_NOT_FOUND);
	lacks(-EBADF, "./no/such", EXIT_NOT_FOUND);
	cr_assert_eq(chdir(tree), 0);
	(void)snprintf(path, sizeof(path), "%s/opt/prog", tree);
	finds(-EBADF, "opt/prog", path);
	cr_assert_eq(setenv("PATH", "bin:opt", 1), 0);
	finds(-EBADF, "prog", "opt/prog");
	lacks(-EBADF, "plain", EXIT_CANNOT_EXEC);
	cr_assert_eq(chdir("/"), 0);
}
