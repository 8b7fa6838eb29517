/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl test: a policy's own tests, in the model and in the kernel. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "policy_test.h"
#include "words.h"

static const char test_help[] =
	"Usage: policyctl test POLICY [--json]\n"
	"\n"
	"Run a policy's [[test]]s: in the model, which judges by the policy's text and the paths as they\n"
	"are now; and, for root on a host that can enforce, in the kernel, by programs of their own that\n"
	"judge nobody but a probe. What is loaded is neither asked nor touched; nothing is tried that\n"
	"could take place. The two must agree. POLICY may be '-', standard input.\n"
	"\n"
	"  --json  the results as JSON, problems as JSON Lines on stderr\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 all passed, be it in the model alone, which it says; 1 a test failed, or the two\n"
	"differ, or neither could say, or failed; 2 usage; 3 invalid policy.\n";

struct test_command {
	const char *file;
	bool json;
	bool help;
};

/* What one run has: @kernel: why no test ran in the kernel; kind 0: they did. */
struct run {
	const struct pol_policy *policy;
	struct pol_test_result *results;
	struct pol_err kernel;
	size_t cnt[POL_TEST_UNDECIDED + 1];
};

static int parse(int argc, char **argv, struct test_command *ret)
{
	int r = ctl_json_option("test", argc, argv, &ret->json, &ret->help);

	if (r)
		return r;
	if (!ret->help && argc - optind != 1)
		return ctl_usage("test", "name one policy file, or '-' for standard input");
	ret->file = argv[optind];
	return 0;
}

/* ------------------------------------------------------------------ results */

static const char *answer_word(enum pol_model_answer answer)
{
	static const char *const words[] = { "allow", "deny", NULL };

	return words[answer];
}

static const char *outcome_word(enum pol_test_outcome outcome)
{
	static const char *const words[] = { "passed", "failed", "differs", "undecided" };

	return words[outcome];
}

static const char *right_word(uint32_t right)
{
	return pol_right_word((unsigned int)__builtin_ctz(right));
}

/* A path that is not UTF-8 stands in path_hex, as in the policy. */
static void put_path(json_t *object, const char *path)
{
	size_t len = strlen(path);
	json_t *text = json_string(path);
	char *hex;

	if (text) {
		(void)json_object_set_new(object, "path", text);
		return;
	}
	hex = malloc(2 * len + 1);
	for (size_t i = 0; hex && i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)path[i]);
	(void)json_object_set_new(object, "path_hex", json_string(hex ? hex : ""));
	free(hex);
}

static bool is_ok(const struct run *run)
{
	return run->cnt[POL_TEST_PASSED] == run->policy->tests_cnt;
}

static json_t *result_json(const struct run *run, size_t i)
{
	const struct pol_test *test = &run->policy->tests[i];
	const struct pol_test_result *result = &run->results[i];
	json_t *object = json_pack(
		"{s:s,s:i,s:s,s:s,s:s,s:s?,s:s?,s:s?}", "outcome",
		outcome_word(pol_test_outcome(test, result)), "line", test->line, "guest",
		run->policy->guests[test->guest].name, "access", right_word(test->right), "expect",
		test->allow ? "allow" : "deny", "model", answer_word(result->model), "kernel",
		answer_word(result->kernel), "why", result->why[0] ? result->why : NULL);

	if (object)
		put_path(object, test->path);
	return object;
}

static void print_json(const struct run *run)
{
	bool ran = !run->kernel.kind;
	json_t *results = json_array();

	for (size_t i = 0; i < run->policy->tests_cnt; i++)
		json_array_append_new(results, result_json(run, i));
	ctl_print_json(json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:{s:b,s:s?},s:o}", "schema",
				 CTL_SCHEMA, "ok", is_ok(run), "tests",
				 (json_int_t)run->policy->tests_cnt, "passed",
				 (json_int_t)run->cnt[POL_TEST_PASSED], "failed",
				 (json_int_t)run->cnt[POL_TEST_FAILED], "differs",
				 (json_int_t)run->cnt[POL_TEST_DIFFERS], "undecided",
				 (json_int_t)run->cnt[POL_TEST_UNDECIDED], "kernel", "ran", ran,
				 "why", ran ? NULL : run->kernel.message, "results", results));
}

static void print_result(const struct run *run, size_t i)
{
	const struct pol_test *test = &run->policy->tests[i];
	const struct pol_test_result *result = &run->results[i];
	const char *model = answer_word(result->model), *kernel = answer_word(result->kernel);
	enum pol_test_outcome outcome = pol_test_outcome(test, result);

	if (outcome == POL_TEST_PASSED && !result->why[0])
		return;
	printf("  %s: line %d: %s %s ", outcome_word(outcome), test->line,
	       run->policy->guests[test->guest].name, right_word(test->right));
	ctl_print_escaped(test->path);
	printf(": expected %s", test->allow ? "allow" : "deny");
	if (outcome == POL_TEST_FAILED)
		printf(", it is %s", model ? model : kernel);
	if (outcome == POL_TEST_DIFFERS)
		printf("; the model says %s, the kernel %s: please report this", model, kernel);
	if (result->why[0]) {
		fputs(model ? ", in the model only; " : "; ", stdout);
		ctl_print_escaped(result->why);
	}
	putchar('\n');
}

static void print_text(const struct run *run)
{
	for (size_t i = 0; i < run->policy->tests_cnt; i++)
		print_result(run, i);
	ctl_print_escaped(run->policy->file);
	if (!run->policy->tests_cnt) {
		puts(": no tests");
		return;
	}
	printf(": %zu test%s", run->policy->tests_cnt, run->policy->tests_cnt == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(run->cnt); i++)
		if (run->cnt[i])
			printf(", %zu %s", run->cnt[i], outcome_word((enum pol_test_outcome)i));
	puts(run->kernel.kind ? ", in the model only" : ", in the model and in the kernel");
	if (!run->kernel.kind)
		return;
	printf("  not in the kernel: %s\n", run->kernel.message);
	if (run->kernel.fix[0])
		printf("   fix: %s\n", run->kernel.fix);
}

/* ------------------------------------------------------------------ */

/* What this host or user lacks is no failure: the model has run. */
static int run_tests(struct run *run, const struct pol_places *places, struct pol_diags *diags,
		     struct pol_err *err)
{
	int r = pol_tests_model(run->policy, places, run->results, err);

	if (r < 0)
		return r;
	if (!run->policy->tests_cnt) {
		(void)pol_err_say(&run->kernel, POL_ERR_HOST, -ENOENT, "no tests");
		return 0;
	}
	r = pol_tests_kernel(run->policy, places, run->results, diags, &run->kernel);
	if (r < 0 && run->kernel.kind != POL_ERR_HOST)
		*err = run->kernel;
	return r < 0 && run->kernel.kind != POL_ERR_HOST ? r : 0;
}

/* Of both: the model has one reason for all. */
static void say_undecided(const struct run *run, struct pol_test_result *result)
{
	bool ran = !run->kernel.kind;
	char why[sizeof(result->why)];

	(void)snprintf(why, sizeof(why), "the model cannot see it, and the kernel %s: %.190s",
		       ran ? "did not say" : "was not asked",
		       ran ? result->why : run->kernel.message);
	memcpy(result->why, why, sizeof(why));
}

static void count(struct run *run)
{
	for (size_t i = 0; i < run->policy->tests_cnt; i++) {
		enum pol_test_outcome outcome =
			pol_test_outcome(&run->policy->tests[i], &run->results[i]);

		run->cnt[outcome]++;
		if (outcome == POL_TEST_UNDECIDED)
			say_undecided(run, &run->results[i]);
	}
}

static int report(struct run *run, bool json)
{
	count(run);
	if (json)
		print_json(run);
	else
		print_text(run);
	return is_ok(run) ? 0 : POL_ERR_FAILED;
}

static int test_policy(const struct test_command *command, struct pol_policy *policy,
		       struct pol_diags *diags, struct pol_err *err)
{
	_cleanup_(pol_places_done) struct pol_places places = {};
	_cleanup_free_ struct pol_test_result *results = NULL;
	struct run run = { .policy = policy };
	int r = pol_resolve(policy, NULL, 0, NULL, 0, diags, &places);

	if (r == -EINVAL)
		return POL_ERR_POLICY;
	results = calloc(policy->tests_cnt + 1, sizeof(*results));
	if (r < 0 || !results)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot run the tests");
	for (size_t i = 0; i < policy->tests_cnt; i++)
		results[i].model = results[i].kernel = POL_MODEL_UNKNOWN;
	run.results = results;
	r = run_tests(&run, &places, diags, err);
	return r < 0 ? r : report(&run, command->json);
}

int cmd_test(int argc, char **argv)
{
	struct test_command command = {};
	struct pol_policy *policy = NULL;
	struct pol_diags diags = {};
	struct pol_err err = {};
	int r = parse(argc, argv, &command);

	if (r)
		return r;
	if (command.help) {
		fputs(test_help, stdout);
		return 0;
	}
	r = pol_policy_read(command.file, &diags, &policy);
	if (r == 0)
		r = test_policy(&command, policy, &diags, &err);
	else if (r == -EINVAL)
		r = POL_ERR_POLICY;
	else
		(void)pol_err_set(&err, POL_ERR_FAILED, r, "cannot read the policy");
	ctl_print_diags(&diags, command.json);
	if (r < 0)
		r = ctl_fail("test", &err);
	pol_policy_free(policy);
	pol_diags_done(&diags);
	return r;
}
