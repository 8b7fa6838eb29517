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

static char sha256[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
static char file[] = "policy.toml", web[] = "web", db[] = "db";
static struct pol_meta meta = { .file = file, .sha256 = sha256 };
static const struct pol_meta_guest metas[] = { { .name = web }, { .name = db, .audit = true } };

/* One guest with all there is, one with as little as can be. */
static struct pol_guest_status guests[] = {
	{
		.guest = &metas[0],
		.tasks = 3,
		.fds_now = 12,
		.fds_peak = 40,
		.fds_ceiling = 256,
		.fds_refused = 6,
		.orphaned = 1,
		.pids_now = 4,
		.pids_peak = 9,
		.pids_ceiling = 1024,
		.pids_refused = 8,
		.memory_now = 253952,
		.memory_peak = 1048576,
		.memory_ceiling = 268435456,
		.denials = 7,
		.would_deny = 5,
		.escapes = 2,
		.emitted = 41,
		.lost = 10,
		.stale = 11,
	},
	{
		.guest = &metas[1],
		.fds_now = POL_STATUS_NONE,
		.fds_peak = POL_STATUS_NONE,
		.fds_ceiling = POL_STATUS_NONE,
		.fds_refused = 13,
		.pids_ceiling = POL_STATUS_NONE,
		.memory_now = POL_STATUS_NONE,
		.memory_peak = POL_STATUS_NONE,
		.memory_ceiling = POL_STATUS_NONE,
		.denials = 14,
		.would_deny = 15,
	},
};
static uint64_t misses;
static int take_error;

int pol_status_take(struct pol_status *ret, struct pol_err *err)
{
	if (take_error)
		return pol_err_say(err, POL_ERR_HOST, take_error, "it cannot be read");
	*ret = (struct pol_status){
		.meta = &meta,
		.guests = guests,
		.guests_cnt = ARRAY_SIZE(guests),
		.generation = 3,
		.recursion_misses = misses,
		.mode = "mixed",
	};
	for (size_t i = 0; i < POL_FAILS_CNT; i++)
		ret->fails[i] = 100 + i;
	return 0;
}

void pol_status_done(struct pol_status *status)
{
	(void)status;
}

/* ------------------------------------------------------------------------------------------- */

static char out[16384];

static void read_stdout(void)
{
	FILE *file = cr_get_redirected_stdout();
	size_t len;

	(void)fflush(stdout);
	len = fread(out, 1, sizeof(out) - 1, file);
	out[len] = '\0';
}

static int run(const char *option)
{
	char *argv[] = { (char *)(uintptr_t) "status", (char *)(uintptr_t)option, NULL };
	int r;

	cr_redirect_stdout();
	cr_redirect_stderr();
	r = cmd_status(option ? 2 : 1, argv);
	read_stdout();
	return r;
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
}
