/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the model only: unit tests load nothing into the kernel. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cmd_test(int argc, char **argv);

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

TestSuite(cmd_test, .init = redirect, .timeout = 300);

static int run(const char *a, const char *b)
{
	char *argv[] = { (char *)"test", (char *)a, (char *)b, NULL };
	int r = cmd_test(b ? 3 : a ? 2 : 1, argv);

	fflush(stdout);
	fflush(stderr);
	return r;
}

static const char *got(FILE *stream, char *buf, size_t size)
{
	size_t n = fread(buf, 1, size - 1, stream);

	buf[n] = '\0';
	return buf;
}

/* A policy file with this text. */
static const char *policy(const char *text)
{
	static char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/pol-test-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

#define HEAD "version = 1\n[guest.a]\nfiles = [{ path = \"/dev/null\", access = [\"read\"] }]\n"
#define CASE(access, expect)                                                          \
	"[[test]]\nguest = \"a\"\npath = \"/dev/null\"\naccess = \"" access "\"\nexpect = \"" \
	expect "\"\n"

Test(cmd_test, usage_and_help)
{
	cr_assert_eq(run(NULL, NULL), 2);
	cr_assert_eq(run("a.toml", "b.toml"), 2);
	cr_assert_eq(run("--nonsense", "a.toml"), 2);
	cr_assert_eq(run("--help", NULL), 0);
}

Test(cmd_test, passed_failed_invalid)
{
	char buf[4096];

	cr_assert_eq(run(policy(HEAD CASE("read", "allow") CASE("write", "deny")), NULL), 0);
	cr_assert_eq(run(policy(HEAD CASE("read", "allow") CASE("write", "allow")), NULL), 1);
	cr_assert_eq(run(policy(HEAD CASE("reed", "allow")), NULL), 3);
	cr_assert_eq(run("/nonexistent/p.toml", NULL), 3);
	cr_assert_eq(run(policy(HEAD), NULL), 0);
	got(cr_get_redirected_stdout(), buf, sizeof(buf));
	cr_assert(strstr(buf, ": 2 tests, 2 passed, in the model only\n  not in the kernel: "));
	cr_assert(strstr(buf, "failed: line 9: a write /dev/null: expected allow, it is deny"));
	cr_assert(strstr(buf, ": 2 tests, 1 passed, 1 failed"));
	cr_assert(strstr(buf, ": no tests\n"));
}

/* In the model nobody knows procfs. */
#define BEYOND                                                                  \
	"[[test]]\nguest = \"a\"\npath = \"/proc/uptime\"\naccess = \"read\"\n" \
	"expect = \"deny\"\n"

Test(cmd_test, undecided_is_not_passed)
{
	char buf[4096];

	cr_assert_eq(run(policy(HEAD CASE("read", "allow") BEYOND), NULL), 1);
	got(cr_get_redirected_stdout(), buf, sizeof(buf));
	cr_assert(strstr(buf, "undecided: line 9: a read /proc/uptime: expected deny; "
			      "the model cannot see it, and the kernel was not asked: "),
		  "%s", buf);
	cr_assert(strstr(buf, ": 2 tests, 1 passed, 1 undecided, in the model only"), "%s", buf);
}

Test(cmd_test, undecided_and_none_as_json)
{
	char buf[8192];
	json_t *said, *kernel;

	cr_assert_eq(run("--json", policy(HEAD BEYOND)), 1);
	said = json_loads(got(cr_get_redirected_stdout(), buf, sizeof(buf)), 0, NULL);
	cr_assert(said, "%s", buf);
	cr_assert(json_is_false(json_object_get(said, "ok")));
	cr_assert_eq(json_integer_value(json_object_get(said, "undecided")), 1);
	cr_assert(json_is_string(
		json_object_get(json_array_get(json_object_get(said, "results"), 0), "why")));
	json_decref(said);
	cr_assert_eq(run("--json", policy(HEAD)), 0);
	said = json_loads(got(cr_get_redirected_stdout(), buf, sizeof(buf)), 0, NULL);
	cr_assert(said, "%s", buf);
	cr_assert(json_is_true(json_object_get(said, "ok")));
	kernel = json_object_get(said, "kernel");
	cr_assert(json_is_false(json_object_get(kernel, "ran")));
	cr_assert_str_eq(json_string_value(json_object_get(kernel, "why")), "no tests");
	json_decref(said);
}

Test(cmd_test, as_json)
{
	char buf[4096];
	json_t *said, *result;

	cr_assert_eq(run("--json", policy(HEAD CASE("write", "allow"))), 1);
	said = json_loads(got(cr_get_redirected_stdout(), buf, sizeof(buf)), 0, NULL);
	cr_assert(said, "%s", buf);
	cr_assert(json_is_false(json_object_get(said, "ok")));
	cr_assert_eq(json_integer_value(json_object_get(said, "failed")), 1);
	cr_assert(json_is_false(json_object_get(json_object_get(said, "kernel"), "ran")));
	result = json_array_get(json_object_get(said, "results"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(result, "outcome")), "failed");
	cr_assert_str_eq(json_string_value(json_object_get(result, "model")), "deny");
	cr_assert(json_is_null(json_object_get(result, "kernel")));
	json_decref(said);
}
