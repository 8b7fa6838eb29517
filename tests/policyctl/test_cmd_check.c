/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tmptree.h"

int cmd_check(int argc, char **argv);

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

TestSuite(cmd_check, .init = redirect, .timeout = 300);

static int check(const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = { (char *)"check", (char *)a, (char *)b, (char *)c, (char *)d, NULL };
	int argc = 1, r;

	while (argv[argc])
		argc++;
	r = cmd_check(argc, argv);
	fflush(stdout);
	fflush(stderr);
	return r;
}

/* What a stream got, up to @size bytes. */
static const char *got(FILE *stream, char *buf, size_t size)
{
	size_t n = fread(buf, 1, size - 1, stream);

	buf[n] = '\0';
	return buf;
}

Test(cmd_check, help_goes_to_stdout)
{
	char buf[4096];

	cr_assert_eq(check("--help", NULL, NULL, NULL), 0);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)),
			 "Usage: policyctl check"));
}

Test(cmd_check, wrong_usage_is_2)
{
	cr_assert_eq(check(NULL, NULL, NULL, NULL), 2);
	cr_assert_eq(check("a.toml", "b.toml", NULL, NULL), 2);
	cr_assert_eq(check("--nonsense", "a.toml", NULL, NULL), 2);
	cr_assert_eq(check("--strict=1", "a.toml", NULL, NULL), 2);
}

Test(cmd_check, a_valid_policy_is_0)
{
	char buf[4096];

	cr_assert_eq(check("--offline", "tests/data/valid/include_diamond.toml", NULL, NULL), 0);
	cr_assert_str_eq(got(cr_get_redirected_stderr(), buf, sizeof(buf)), "");
	cr_assert_str_eq(
		got(cr_get_redirected_stdout(), buf, sizeof(buf)),
		"  not mediated: network, capabilities, system calls\n"
		"tests/data/valid/include_diamond.toml: ok, 1 guest, 3 rules\n");
}

Test(cmd_check, options_may_follow_the_file)
{
	char buf[4096];

	cr_assert_eq(check("tests/data/valid/minimal.toml", "--json", "--offline", NULL), 0);
	cr_assert_str_eq(got(cr_get_redirected_stdout(), buf, sizeof(buf)),
			 "{\"schema\":\"policyctl/v1\",\"ok\":true,\"errors\":0,\"warnings\":0}\n");
}

Test(cmd_check, an_invalid_policy_is_3)
{
	char buf[4096];

	cr_assert_eq(check("tests/data/invalid/version_unknown.toml", NULL, NULL, NULL), 3);
	cr_assert_str_eq(
		got(cr_get_redirected_stderr(), buf, sizeof(buf)),
		"tests/data/invalid/version_unknown.toml:1:11: error[P0104]: unknown version 2\n"
		"    1 | version = 2\n"
		"      |           ^\n"
		"   help: this policyctl knows version 1\n");
	cr_assert_str_eq(got(cr_get_redirected_stdout(), buf, sizeof(buf)),
			 "tests/data/invalid/version_unknown.toml: invalid, 1 error\n");
}

Test(cmd_check, json_has_the_result_on_stdout_and_the_problems_on_stderr)
{
	char buf[4096];

	cr_assert_eq(check("--json", "tests/data/invalid/version_unknown.toml", NULL, NULL), 3);
	cr_assert_str_eq(
		got(cr_get_redirected_stderr(), buf, sizeof(buf)),
		"{\"severity\":\"error\",\"code\":\"P0104\",\"file\":\"tests/data/invalid/version_unknown.toml\",\"line\":1,\"col\":11,\"message\":\"unknown version 2\",\"help\":\"this policyctl knows version 1\"}\n");
	cr_assert_str_eq(
		got(cr_get_redirected_stdout(), buf, sizeof(buf)),
		"{\"schema\":\"policyctl/v1\",\"ok\":false,\"errors\":1,\"warnings\":0}\n");
}

Test(cmd_check, strict_makes_warnings_fail)
{
	char buf[4096];

	cr_assert_eq(check("--offline", "--json", "tests/data/valid/warnings.toml", NULL), 0);
	cr_assert_str_eq(got(cr_get_redirected_stdout(), buf, sizeof(buf)),
			 "{\"schema\":\"policyctl/v1\",\"ok\":true,\"errors\":0,\"warnings\":3}\n");
	cr_assert_eq(check("--offline", "--json", "tests/data/valid/warnings.toml", "--strict"), 3);
	cr_assert_str_eq(
		got(cr_get_redirected_stdout(), buf, sizeof(buf)),
		"{\"schema\":\"policyctl/v1\",\"ok\":false,\"errors\":3,\"warnings\":0}\n");
}

Test(cmd_check, what_cannot_be_read_is_3)
{
	char buf[4096];

	cr_assert_eq(check("/nonexistent/p.toml", NULL, NULL, NULL), 3);
	cr_assert_str_eq(
		got(cr_get_redirected_stderr(), buf, sizeof(buf)),
		"/nonexistent/p.toml: error[P0001]: cannot read '/nonexistent/p.toml': No such file or directory\n");
	cr_assert_eq(check("/", NULL, NULL, NULL), 3);
	cr_assert_str_eq(got(cr_get_redirected_stderr(), buf, sizeof(buf)),
			 "/: error[P0001]: cannot read '/': Is a directory\n");
}

Test(cmd_check, a_dash_reads_standard_input)
{
	char buf[4096];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "version = 3\n", 12), 12);
	close(fds[1]);
	cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	cr_assert_eq(check("-", NULL, NULL, NULL), 3);
	cr_assert(strstr(got(cr_get_redirected_stderr(), buf, sizeof(buf)),
			 "<stdin>:1:11: error[P0104]"));
}

Test(cmd_check, shows_what_symlinks_lead_to)
{
	char *tree = tree_make(), path[4096], expected[8192], buf[8192];
	FILE *out;

	if (!tree)
		cr_skip_test("no directory on a filesystem that rules may be on");
	tree_dir(tree, "real");
	tree_link(tree, "link", "real");
	(void)snprintf(path, sizeof(path), "%s/p.toml", tree);
	out = fopen(path, "we");
	cr_assert(out);
	fprintf(out,
		"version = 1\n[guest.web]\nfiles = [{ path = \"%s/link\", access = \"ro\" }]\n",
		tree);
	fclose(out);
	cr_assert_eq(check(path, NULL, NULL, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "  web: %s/link is %s/real\n", tree, tree);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)), expected), "%s", buf);
	tree_remove(tree);
}

/* Neither is it looked for on the host, with or without --offline. */
Test(cmd_check, says_what_waits_for_the_guest)
{
	static const char text[] = "version = 1\n[guest.web]\nfiles = [{ path = \"/nowhere/here\", "
				   "access = \"ro\", in = \"guest\" }]\n";
	static const char expected[] =
		"  web: /nowhere/here in the guest is resolved when the guest starts\n";
	char path[] = "/tmp/check-XXXXXX", buf[16384];
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	cr_assert_eq(check(path, NULL, NULL, NULL), 0);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)), expected), "%s", buf);
	cr_assert_eq(check(path, "--offline", NULL, NULL), 0);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)), expected), "%s", buf);
	unlink(path);
}

Test(cmd_check, shows_what_globs_match)
{
	char *tree = tree_make(), path[4096], expected[12288], buf[16384];
	FILE *out;

	if (!tree)
		cr_skip_test("no directory on a filesystem that rules may be on");
	tree_dir(tree, "d");
	tree_file(tree, "d/a");
	tree_link(tree, "d/b", "../c");
	tree_file(tree, "c");
	(void)snprintf(path, sizeof(path), "%s/p.toml", tree);
	out = fopen(path, "we");
	cr_assert(out);
	fprintf(out,
		"version = 1\n[guest.web]\n"
		"files = [{ path = \"%s/d/*\", access = \"ro\", glob = true }]\n",
		tree);
	fclose(out);
	cr_assert_eq(check(path, NULL, NULL, NULL), 0);
	(void)snprintf(expected, sizeof(expected),
		       "  web: %s/d/* matches %s/d/a\n  web: %s/d/* matches %s/d/b, is %s/c\n", tree,
		       tree, tree, tree, tree);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)), expected), "%s", buf);
	cr_assert_eq(check(path, "--offline", NULL, NULL), 0);
	(void)snprintf(expected, sizeof(expected),
		       "  web: %s/d/* is a glob, which --offline does not look up\n", tree);
	cr_assert(strstr(got(cr_get_redirected_stdout(), buf, sizeof(buf)), expected), "%s", buf);
	tree_remove(tree);
}
