/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"
#include "tmptree.h"

static char *root;
static char path[4096];
static struct pol_mark mark;
static struct pol_err err;

static void init(void)
{
	root = tree_make();
	(void)snprintf(path, sizeof(path), "%s/mark", root);
	err = (struct pol_err){ 0 };
}

static void done(void)
{
	tree_remove(root);
}

TestSuite(state, .init = init, .fini = done);

static void write_text(const char *text)
{
	FILE *f = fopen(path, "we");

	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(state, is_read_as_it_was_written)
{
	struct stat st;

	cr_assert_eq(state_load(path, &mark, &err), 0);
	cr_assert_eq(mark.id, 0, "no file yet");
	cr_assert_eq(state_save(path, &(struct pol_mark){ 0xab, 1000000 }), 0);
	cr_assert_eq(state_save(path, &(struct pol_mark){ 0xab, 7 }), 0, "again, a shorter one");
	cr_assert_eq(state_load(path, &mark, &err), 0, "%s", err.message);
	cr_assert_eq(mark.id, 0xab);
	cr_assert_eq(mark.count, 7);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	(void)strncat(path, ".new", sizeof(path) - strlen(path) - 1);
	cr_assert_eq(access(path, F_OK), -1, "left beside it");
}

/* No other file is taken for one, and so overwritten. */
Test(state, refuses_what_it_did_not_write)
{
	static const char *const bad[] = {
		"x\n",
		"00000000000000ab-7",
		"00000000000000ab-7\nmore\n",
		"00000000000000ab-7 \n",
		"# a settings file that somebody named by mistake, longer than any mark is\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_text(bad[i]);
		cr_assert_eq(state_load(path, &mark, &err), -EINVAL, "%s", bad[i]);
		cr_assert_not_null(strstr(err.message, path));
		cr_assert_not_null(strstr(err.fix, "remove it"));
	}
}

/* What a power cut leaves of a file. */
Test(state, empty_is_none)
{
	mark.id = 7;
	write_text("");
	cr_assert_eq(state_load(path, &mark, &err), 0);
	cr_assert_eq(mark.id, 0);
}

Test(state, says_what_it_could_not)
{
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(state_load(path, &mark, &err), -EISDIR);
	cr_assert_eq(err.kind, POL_ERR_HOST);
	cr_assert_eq(state_save(path, &(struct pol_mark){ 1, 1 }), -EISDIR);
	(void)strncat(path, "/none/mark", sizeof(path) - strlen(path) - 1);
	cr_assert_eq(state_save(path, &(struct pol_mark){ 1, 1 }), -ENOENT);
}

/* The one before stays whole. */
Test(state, a_name_aside_that_is_a_symlink_is_not_followed)
{
	char aside[4200], victim[4200];

	(void)snprintf(aside, sizeof(aside), "%s.new", path);
	(void)snprintf(victim, sizeof(victim), "%s/victim", root);
	cr_assert_eq(state_save(path, &(struct pol_mark){ 0xab, 7 }), 0);
	cr_assert_eq(symlink(victim, aside), 0);
	cr_assert_eq(state_save(path, &(struct pol_mark){ 0xab, 8 }), -ELOOP);
	cr_assert_eq(state_load(path, &mark, &err), 0);
	cr_assert_eq(mark.count, 7);
	cr_assert_eq(access(victim, F_OK), -1);
}
