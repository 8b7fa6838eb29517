/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb over real processes: what it prints, and its exit statuses. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"

static char out[16384], err[4096];

static void redirect(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
}

TestSuite(cmd_wait, .init = redirect, .timeout = 60);

static void take(FILE *stream, char *buf, size_t size)
{
	buf[fread(buf, 1, size - 1, stream)] = '\0';
}

/* One call a test: redirected streams are read to their end. */
static int wait_verb(const char *a, const char *b)
{
	char *argv[] = { (char *)"wait", (char *)a, (char *)b, NULL };
	int r = cmd_wait(a ? b ? 3 : 2 : 1, argv);

	fflush(stdout);
	fflush(stderr);
	take(cr_get_redirected_stdout(), out, sizeof(out));
	take(cr_get_redirected_stderr(), err, sizeof(err));
	return r;
}

static const char *child_pid(int code)
{
	static char text[16];
	pid_t pid = fork();

	if (!pid)
		_exit(code);
	(void)snprintf(text, sizeof(text), "%d", pid);
	return text;
}

Test(cmd_wait, help)
{
	cr_assert_eq(wait_verb("--help", NULL), 0);
	cr_assert(strstr(out, "Usage: policyctl wait"));
}

Test(cmd_wait, the_record_as_text)
{
	const char *pid = child_pid(7);

	cr_assert_eq(wait_verb(pid, NULL), 0, "%s", err);
	cr_assert(strstr(out, "  exit       -           code 7  cause=exit"), "%s", out);
	cr_assert(strstr(out, pid), "%s", out);
	cr_assert_str_eq(err, "");
}

Test(cmd_wait, the_record_as_json)
{
	json_t *record, *process;
	const char *kind;
	int code = 0, pid = 0;

	cr_assert_eq(wait_verb("--json", child_pid(0)), 0, "%s", err);
	record = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(record, "%s", out);
	cr_assert_eq(json_unpack(record, "{s:i,s:n,s:n,s:n,s:o,s:{s:s}}", "exit_code", &code,
				 "signal", "guest", "policy", "process", &process, "cause", "kind",
				 &kind),
		     0, "%s", out);
	cr_assert_str_eq(kind, "exit");
	cr_assert_str_eq(json_string_value(json_object_get(record, "type")), "exit");
	cr_assert_str_neq(json_string_value(json_object_get(record, "boot_id")), "");
	cr_assert_eq(json_unpack(process, "{s:i}", "pid", &pid), 0);
	cr_assert_eq(pid, waitpid(-1, NULL, 0), "it was left to its parent");
	json_decref(record);
}

Test(cmd_wait, nobody_is_1)
{
	cr_assert_eq(wait_verb("8388608", NULL), 1);
	cr_assert_str_eq(err, "policyctl wait: error: no process 8388608\n");
	cr_assert_str_eq(out, "");
}

Test(cmd_wait, no_argument_is_2)
{
	cr_assert_eq(wait_verb(NULL, NULL), 2);
}

Test(cmd_wait, two_arguments_are_2)
{
	cr_assert_eq(wait_verb("1", "2"), 2);
}

Test(cmd_wait, an_unknown_option_is_2)
{
	cr_assert_eq(wait_verb("--nonsense", "1"), 2);
}

/* Parameters of a name each: what is printed names the word. */
static void expect_no_pid(const char *word)
{
	char line[128];

	cr_assert_eq(wait_verb(word, NULL), 2);
	(void)snprintf(line, sizeof(line), "policyctl wait: '%s' is no process id\n", word);
	cr_assert(strstr(err, line), "%s", err);
}

/* A word is a guest, also one that begins with a digit; nothing is loaded here, or we may not look. */
static void expect_guest(const char *word)
{
	int status = geteuid() ? 4 : 1;

	cr_assert_eq(wait_verb(word, NULL), status, "%s", err);
	cr_assert(strstr(err, status == 4 ? "not root" : "no policy is loaded"), "%s", err);
	cr_assert_str_eq(out, "");
}

Test(cmd_wait, a_guest)
{
	expect_guest("web");
}

Test(cmd_wait, a_guest_that_begins_with_a_number)
{
	expect_guest("12x");
}

Test(cmd_wait, zero_is_2)
{
	expect_no_pid("0");
}

Test(cmd_wait, a_number_beyond_all_pids_is_2)
{
	expect_no_pid("4294967297");
}

Test(cmd_wait, a_number_beyond_all_numbers_is_2)
{
	expect_no_pid("99999999999999999999999");
}
