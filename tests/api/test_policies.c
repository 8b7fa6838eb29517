/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_policy_check() and reports; what structures of other versions get. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "handback.h"
#include "tmptree.h"

static struct pol_error error = { .size = sizeof(error) };
static struct pol_report *report;

static void fini(void)
{
	pol_report_free(report);
}

TestSuite(api_policies, .fini = fini);

static int check(const char *text, uint32_t flags)
{
	pol_report_free(report);
	report = NULL;
	return pol_policy_check("p.toml", text, text ? strlen(text) : 0, flags, &report, &error);
}

#define HEAD "version = 1\n[guest.web]\n"

Test(api_policies, a_valid_one)
{
	cr_assert_eq(check(HEAD "files = [ { path = \"/\", access = \"ro\" } ]\n", 0), 0);
	cr_assert_eq(pol_report_errors(report), 0);
	cr_assert_eq(check(HEAD, POL_CHECK_OFFLINE | POL_CHECK_STRICT), 0);
	cr_assert_eq(pol_report_count(report), 0);
}

Test(api_policies, every_error_in_the_order_of_the_file)
{
	struct pol_diagnostic at = { .size = sizeof(at) };

	cr_assert_eq(check(HEAD "mdoe = \"audit\"\nerrno = \"EIO\"\n", 0), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_POLICY);
	cr_expect_eq(error.code, -EINVAL);
	cr_expect_str_eq(error.message, "'p.toml' is no valid policy: 2 errors");
	cr_assert_eq(pol_report_count(report), 2);
	cr_assert_eq(pol_report_errors(report), 2);
	cr_assert_eq(pol_report_get(report, 0, &at), 0);
	cr_expect_str_eq(at.file, "p.toml");
	cr_expect_eq(at.line, 3);
	cr_expect_eq(at.column, 1);
	cr_expect_eq(at.warning, 0);
	cr_expect_eq(at.code[0], 'P');
	cr_expect_not_null(strstr(at.message, "mdoe"));
	cr_expect_not_null(strstr(at.help, "mode"), "%s", at.help);
	cr_expect_not_null(strstr(at.source, "mdoe"));
	cr_assert_eq(pol_report_get(report, 1, &at), 0);
	cr_expect_eq(at.line, 4);
	cr_expect_eq(pol_report_get(report, 2, &at), -ERANGE);
	at.size = sizeof(at) - 1;
	cr_expect_eq(pol_report_get(report, 0, &at), -EINVAL);
	cr_expect_eq(pol_report_get(report, 0, NULL), -EINVAL);
}

Test(api_policies, strict_makes_warnings_errors)
{
	static const char text[] = HEAD "files = [ { path = \"/\", access = \"ro\" } ]\n";
	struct pol_diagnostic at = { .size = sizeof(at) };

	cr_assert_eq(check(text, POL_CHECK_OFFLINE), 0);
	cr_assert_eq(pol_report_count(report), 1);
	cr_assert_eq(pol_report_get(report, 0, &at), 0);
	cr_expect_eq(at.warning, 1);
	cr_assert_eq(check(text, POL_CHECK_OFFLINE | POL_CHECK_STRICT), -EINVAL);
	cr_assert_eq(pol_report_errors(report), 1);
}

Test(api_policies, offline_looks_at_no_file)
{
	static const char text[] =
		HEAD "files = [ { path = \"/nowhere/at/all\", access = \"ro\" } ]\n";

	cr_expect_eq(check(text, POL_CHECK_OFFLINE), 0);
	cr_expect_eq(check(text, 0), -EINVAL);
}

Test(api_policies, a_file)
{
	char name[] = "/tmp/pol-test-XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, HEAD, strlen(HEAD)), (ssize_t)strlen(HEAD));
	close(fd);
	cr_expect_eq(pol_policy_check(name, NULL, 0, 0, NULL, &error), 0);
	unlink(name);
	cr_expect_eq(pol_policy_check(name, NULL, 0, 0, &report, &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_POLICY);
	cr_expect_eq(pol_report_errors(report), 1);
}

Test(api_policies, arguments)
{
	cr_expect_eq(pol_policy_check(NULL, HEAD, 5, 0, &report, &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_USAGE);
	cr_expect_eq(pol_policy_check("-", NULL, 0, 0, &report, &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_USAGE);
	cr_expect_eq(pol_policy_check("p", HEAD, 5, 4, &report, NULL), -EINVAL);
	cr_expect_eq(pol_policy_load("p", HEAD, 5, 8, NULL, &report, &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_USAGE);
	cr_expect_eq(
		pol_policy_load("p", HEAD, 5, 0, &(struct pol_loaded){ .size = 8 }, NULL, &error),
		-EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_USAGE);
	cr_expect_null(report);
}

/* Diagnostics come before anything of the host is asked for. */
Test(api_policies, an_invalid_one_is_not_loaded)
{
	cr_expect_eq(pol_policy_load("p", "version = 2\n", 12, 0, NULL, &report, &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_POLICY);
	cr_expect_eq(pol_report_errors(report), 1);
}

/* ---- structures ---- */

struct first {
	size_t size;
	uint32_t a, b;
};

struct later {
	struct first old;
	uint64_t c;
};

Test(api_handback, an_older_caller_gets_what_it_knows)
{
	const struct later from = { .old = { .a = 1, .b = 2 }, .c = 3 };
	struct later to = { .old.size = sizeof(struct first), .c = 77 };

	cr_assert_eq(pol_hand_back(&to, sizeof(struct first), &from, sizeof(from)), 0);
	cr_expect_eq(to.old.size, sizeof(struct first));
	cr_expect_eq(to.old.a + to.old.b, 3);
	cr_expect_eq(to.c, 77);
}

Test(api_handback, a_newer_caller_gets_zeroes)
{
	const struct first from = { .a = 1, .b = 2 };
	struct later to = { .old.size = sizeof(to), .c = 77 };

	cr_assert_eq(pol_hand_back(&to, sizeof(struct first), &from, sizeof(from)), 0);
	cr_expect_eq(to.old.size, sizeof(to));
	cr_expect_eq(to.old.b, 2);
	cr_expect_eq(to.c, 0);
}

Test(api_handback, too_small)
{
	const struct first from = { .a = 1 };
	struct first to = { .size = sizeof(to) - 1, .a = 5 };

	cr_expect_eq(pol_hand_back(&to, sizeof(to), &from, sizeof(from)), -EINVAL);
	cr_expect_eq(to.a, 5);
	cr_expect_eq(pol_hand_back(NULL, sizeof(to), &from, sizeof(from)), -EINVAL);
	cr_expect_eq(pol_take_in(NULL, sizeof(to), &to, sizeof(to)), -EINVAL);
}

Test(api_handback, taken_in)
{
	const struct later from = { .old = { .size = sizeof(struct first), .a = 1 }, .c = 9 };
	struct later to = { .c = 5 };

	cr_assert_eq(pol_take_in(&from, sizeof(struct first), &to, sizeof(to)), 0);
	cr_expect_eq(to.old.a, 1);
	cr_expect_eq(to.c, 0);
}
