/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/types.h>

#include "abi.h"
#include "policy.h"
#include "tmptree.h"

static char *tree;

static void make_tree(void)
{
	tree = tree_make();
}

static void drop_tree(void)
{
	tree_remove(tree);
}

Test(policy, formats_access)
{
	char buf[256];

	cr_assert_eq(pol_access_format(0, buf, sizeof(buf)), 2);
	cr_assert_str_eq(buf, "[]");
	cr_assert_eq(pol_access_format(POL_RIGHT_READ | POL_RIGHT_LIST, buf, sizeof(buf)), 16);
	cr_assert_str_eq(buf, "[\"read\", \"list\"]");
	cr_assert_eq(pol_access_format(POL_RIGHTS_ALL, NULL, 0),
		     pol_access_format(POL_RIGHTS_ALL, buf, sizeof(buf)));
	cr_assert_eq(
		pol_access_format(POL_RIGHTS_ALL, buf, 9),
		(int)strlen(
			"[\"read\", \"write\", \"execute\", \"list\", \"create\", \"delete\", \"rename\", \"link\", \"truncate\", \"metadata\", \"ioctl\", \"connect\"]"));
	cr_assert_str_eq(buf, "[\"read\",");
}

Test(policy, finds_guests_and_rules_by_name)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = tree_policy("",
						"version = 1\n[guest.b]\n[guest.a]\n"
						"files = [{ path = \"/x\", access = \"ro\" }]\n",
						&diags);

	cr_assert_str_eq(pol_policy_guest(policy, "a")->name, "a");
	cr_assert_null(pol_policy_guest(policy, "c"));
	cr_assert_null(pol_policy_guest(policy, ""));
	cr_assert(pol_guest_rule(pol_policy_guest(policy, "a"), "/x"));
	cr_assert_null(pol_guest_rule(pol_policy_guest(policy, "a"), "/"));
	cr_assert_null(pol_guest_rule(pol_policy_guest(policy, "b"), "/x"));
	pol_policy_free(policy);
	pol_policy_free(NULL);
	pol_diags_done(&diags);
}

Test(policy, lint_finds_what_repeats_and_what_has_no_effect)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = tree_policy(
		"",
		"version = 1\n"
		"[profile.p]\n"
		"files = [{ path = \"/usr\", access = \"rx\" }]\n"
		"[guest.a]\n"
		"include = [\"p\"]\n"
		"files = [\n"
		" { path = \"/usr/share\", access = \"rx\" },\n" /* 7: repeats the profile's */
		" { path = \"/usr-local\", access = \"rx\" },\n" /* a neighbour by bytes, not below */
		" { path = \"/srv/x\", access = \"none\" },\n"	 /* 9: nothing above it */
		" { path = \"/usr/lib\", access = \"none\" },\n"
		" { path = \"/usr/lib/x\", access = \"rx\" },\n" /* the carve-out is nearer */
		"]\n",
		&diags);

	pol_policy_lint_offline(policy, &diags);
	cr_assert_eq(diags.cnt, 2);
	cr_assert_str_eq(diags.items[0].code, POL_P_NO_EFFECT);
	cr_assert_eq(diags.items[0].line, 9);
	cr_assert_str_eq(diags.items[1].code, POL_P_REPEATS);
	cr_assert_eq(diags.items[1].line, 7);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

Test(policy, lint_does_not_blame_a_profile_for_its_guests)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = tree_policy(
		"",
		"version = 1\n"
		"[profile.p]\n"
		"files = [{ path = \"/usr/share\", access = \"ro\" }, { path = \"/srv\", access = \"none\" }]\n"
		"[guest.a]\n"
		"include = [\"p\"]\n"
		"files = [{ path = \"/usr\", access = \"ro\" }]\n",
		&diags);

	pol_policy_lint_offline(policy, &diags);
	cr_assert_eq(diags.cnt, 0);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

static void check_unreadable(const char *path, const char *code)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;

	cr_assert_eq(pol_policy_read(path, &diags, &policy), -EINVAL, "%s", path);
	cr_assert_null(policy);
	cr_assert_eq(diags.errors, 1);
	cr_assert_str_eq(diags.items[0].code, code);
	cr_assert_eq(diags.items[0].line, 0);
	cr_assert_str_eq(diags.file, path);
	pol_diags_done(&diags);
}

Test(policy, what_cannot_be_read_is_a_diagnostic, .init = make_tree, .fini = drop_tree)
{
	char path[4096];
	int fd;

	check_unreadable("/nonexistent/policy.toml", POL_P_READ);
	check_unreadable("/", POL_P_READ);
	check_unreadable("", POL_P_READ);
	(void)snprintf(path, sizeof(path), "%s/huge", tree);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(fd, (off_t)POL_POLICY_FILE_MAX + 1), 0);
	close(fd);
	check_unreadable(path, POL_P_FILE_SIZE);
}

Test(policy, a_file_that_everybody_may_write_is_a_warning, .init = make_tree, .fini = drop_tree)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/p.toml", tree);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, "version = 1\n", 12), 12);
	cr_assert_eq(fchmod(fd, 0666), 0);
	close(fd);
	cr_assert_eq(pol_policy_read(path, &diags, &policy), 0);
	cr_assert_eq(diags.warnings, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_FILE_MODE);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

Test(policy, a_dash_is_standard_input)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "version = 1\n[guest.x]\n", 22), 22);
	close(fds[1]);
	cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	cr_assert_eq(pol_policy_read("-", &diags, &policy), 0);
	cr_assert_str_eq(policy->file, "<stdin>");
	cr_assert_eq(policy->guests_cnt, 1);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}
