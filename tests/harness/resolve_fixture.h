/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What test_resolve.c and test_resolve_mounts.c share: a tree, a policy on it, its places. */
#pragma once

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "resolve.h"
#include "tmptree.h"

static char *tree;
static struct pol_diags diags;
static struct pol_policy *policy;
static struct pol_places places;

static inline void init(void)
{
	tree = tree_make();
}

static inline void fini(void)
{
	pol_places_done(&places);
	pol_policy_free(policy);
	pol_diags_done(&diags);
	tree_remove(tree);
}

static inline void need_tree(void)
{
	if (!tree)
		cr_skip_test("no directory on a filesystem that rules may be on");
}

/* '@' is the tree; guest a has these rules. */
static inline void use_rules(const char *rules)
{
	char text[8192];

	need_tree();
	cr_assert_lt((size_t)snprintf(text, sizeof(text),
				      "version = 1\n[guest.a]\nfiles = [\n%s]\n", rules),
		     sizeof(text));
	policy = tree_policy(tree, text, &diags);
}

static inline void resolve_ok(void)
{
	int r = pol_resolve(policy, NULL, 0, NULL, 0, &diags, &places);
	char *shown = text_print(&diags, false);

	cr_assert_eq(r, 0, "%s", shown);
	free(shown);
}

static inline const struct pol_diag *find_code(const char *code)
{
	for (size_t i = 0; i < diags.cnt; i++)
		if (strcmp(diags.items[i].code, code) == 0)
			return &diags.items[i];
	return NULL;
}

static inline void resolve_fails(const char *code, int line)
{
	char *shown;

	cr_assert_eq(pol_resolve(policy, NULL, 0, NULL, 0, &diags, &places), -EINVAL);
	cr_assert_eq(places.cnt, 0);
	shown = text_print(&diags, false);
	cr_assert(find_code(code), "%s", shown);
	cr_assert_eq(find_code(code)->line, line, "%s", shown);
	free(shown);
}

/* @dir: relative to the tree. */
static inline void place_is(size_t i, const char *dir, const char *name)
{
	char full[4096];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s%s%s", tree, *dir ? "/" : "", dir);
	cr_assert_lt(i, places.cnt);
	cr_assert_str_eq(places.items[i].dir, full);
	if (name)
		cr_assert_str_eq(places.items[i].name, name);
	else
		cr_assert_null(places.items[i].name);
	cr_assert_eq(stat(full, &st), 0);
	cr_assert_eq(places.items[i].ino, st.st_ino);
	cr_assert_eq(places.items[i].dev, st.st_dev);
}
