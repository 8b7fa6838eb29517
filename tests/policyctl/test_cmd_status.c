/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verb over numbers of memory: this file's pol_status_take() is linked in place of the
 * library's. tests/receivers/schema.py holds the golden JSON against the published schema.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "golden.h"
#include "status.h"
#include "status_sample.h"

static uint64_t misses;
static int take_error;

int pol_status_take(struct pol_status *ret, struct pol_err *err)
{
	if (take_error)
		return pol_err_say(err, POL_ERR_HOST, take_error, "it cannot be read");
	test_status(ret);
	ret->recursion_misses = misses;
	return 0;
}

void pol_status_done(struct pol_status *status)
{
	(void)status;
}

/* ------------------------------------------------------------------------------------------- */

static char out[65536];

static void read_stdout(void)
{
	FILE *file = cr_get_redirected_stdout();
	size_t len;

	(void)fflush(stdout);
	len = fread(out, 1, sizeof(out) - 1, file);
	out[len] = '\0';
}

static int run_with(const char *option, const char *more)
{
	char *argv[] = { (char *)(uintptr_t) "status", (char *)(uintptr_t)option,
			 (char *)(uintptr_t)more, NULL };
	int r;

	cr_redirect_stdout();
	cr_redirect_stderr();
	r = cmd_status(1 + !!option + !!more, argv);
	read_stdout();
	return r;
}

static int run(const char *option)
{
	return run_with(option, NULL);
}

/* Its kernel is that of this host: another's name is put there. To be freed. */
static json_t *to_json(void)
{
	json_t *json;

	cr_assert_eq(run("--json"), 0);
	json = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json, "%s", out);
	cr_assert_eq(strchr(out, '\n'), out + strlen(out) - 1, "one line");
	json_object_set_new(json_object_get(json, "engine"), "kernel", json_string("6.1.0"));
	return json;
}

Test(cmd_status, json)
{
	json_t *json;
	char *lines;

	misses = 17;
	json = to_json();
	lines = json_dumps(json, JSON_INDENT(2));
	(void)snprintf(out, sizeof(out), "%s\n", lines);
	test_golden("status.json", out);
	free(lines);
	json_decref(json);
}

Test(cmd_status, json_has_null_for_what_could_not_be_asked)
{
	json_t *json, *health, *value;

	misses = POL_STATUS_NONE;
	json = to_json();
	health = json_object_get(json_object_get(json, "engine"), "health");
	value = json_object_get(health, "recursion_misses");
	cr_assert(json_is_null(value));
	json_decref(json);
}

/* From the empty line on: before it stands this host's kernel. */
static const char *table(void)
{
	const char *found = strstr(out, "\n\n");

	cr_assert_not_null(found, "%s", out);
	return found + 2;
}

Test(cmd_status, text)
{
	cr_assert_eq(run(NULL), 0);
	test_golden("status.txt", table());
}

Test(cmd_status, text_with_what_went_wrong)
{
	misses = 17;
	cr_assert_eq(run("-v"), 0);
	test_golden("status_verbose.txt", table());
}

Test(cmd_status, metrics)
{
	misses = 17;
	cr_assert_eq(run("--metrics"), 0);
	test_golden("metrics_status.prom", out);
}

Test(cmd_status, metrics_of_nothing)
{
	take_error = -ENOENT;
	cr_assert_eq(run("--metrics"), 0);
	cr_assert_not_null(strstr(out, "\npolicyctl_up 0\n"));
	cr_assert_not_null(strstr(out, "\npolicyctl_engine_loaded 0\n"));
}

/* Nothing that a collector could take for an answer. */
Test(cmd_status, no_metrics_of_what_could_not_be_read)
{
	take_error = -EPERM;
	cr_assert_eq(run("--metrics"), 4);
	cr_assert_str_empty(out);
}

Test(cmd_status, nothing_loaded)
{
	take_error = -ENOENT;
	cr_assert_eq(run("--json"), 0);
	cr_assert_eq(strncmp(out, "{\"schema\":\"policyctl/v1\",\"engine\":{\"loaded\":false,", 50),
		     0);
}

Test(cmd_status, passes_on_the_status_of_a_host)
{
	take_error = -EPERM;
	cr_assert_eq(run(NULL), 4);
}

Test(cmd_status, refuses_bad_arguments)
{
	cr_assert_eq(run("now"), 2);
	cr_assert_eq(run("--frobnicate"), 2);
	cr_assert_eq(run_with("--json", "--metrics"), 2);
}
