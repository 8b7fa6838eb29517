/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --map's HOST leads to. Roots themselves are made in the VM. */
#include "ownroot.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tmptree.h"

static char *tree;

static void init(void)
{
	tree = tree_make();
	if (!tree)
		cr_skip_test("no directory on a filesystem that rules may be on");
	tree_dir(tree, "d");
	tree_dir(tree, "d/e");
	tree_file(tree, "d/f");
	tree_link(tree, "l", "d");
	tree_link(tree, "dangling", "nowhere");
}

static void fini(void)
{
	tree_remove(tree);
}

TestSuite(ownroot, .init = init, .fini = fini);

static int find(const char *path, struct pol_map *map, struct pol_err *err)
{
	char *host;

	cr_assert_gt(asprintf(&host, "%s%s", tree, path), 0);
	map->host = host;
	return pol_map_find(map, err);
}

static void leads_to(const char *path, const char *dir, const char *name)
{
	struct pol_map map = { 0 };
	struct pol_err err = { 0 };

	cr_assert_eq(find(path, &map, &err), 0, "%s: %s", path, err.message);
	cr_assert_str_eq(map.dir + strlen(tree), dir);
	if (name)
		cr_assert_str_eq(map.name, name);
	else
		cr_assert_null(map.name);
	pol_map_done(&map);
}

static void fails(const char *path, int code)
{
	struct pol_map map = { 0 };
	struct pol_err err = { 0 };

	cr_assert_eq(find(path, &map, &err), code, "%s: %s", path, err.message);
	cr_assert(strstr(err.message, path), "%s", err.message);
	cr_assert_null(map.dir);
	pol_map_done(&map);
}

Test(ownroot, what_a_map_leads_to)
{
	leads_to("/d", "/d", NULL);
	leads_to("/d/f", "/d", "f");
	leads_to("/d/new", "/d", "new");
	leads_to("/l", "/d", NULL);
	leads_to("/l/f", "/d", "f");
	leads_to("/l/e/", "/d/e", NULL);
}

Test(ownroot, what_it_cannot_lead_to)
{
	fails("/no/such", -ENOENT);
	fails("/dangling", -ENOENT);
	fails("/d/f/x", -ENOTDIR);
}
