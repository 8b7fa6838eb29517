/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy_test.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "anchors.h"
#include "base.h"
#include "generation.h"
#include "host.h"
#include "image.h"
#include "meta.h"
#include "probe.h"
#include "resolve_int.h"
#include "trees.h"

enum pol_test_outcome pol_test_outcome(const struct pol_test *test,
				       const struct pol_test_result *result)
{
	enum pol_model_answer want = test->allow ? POL_MODEL_ALLOW : POL_MODEL_DENY;
	enum pol_model_answer model = result->model, kernel = result->kernel;

	if (model == POL_MODEL_UNKNOWN)
		model = kernel;
	if (kernel == POL_MODEL_UNKNOWN)
		kernel = model;
	if (model != kernel)
		return POL_TEST_DIFFERS;
	if (model == POL_MODEL_UNKNOWN)
		return POL_TEST_UNDECIDED;
	return model == want ? POL_TEST_PASSED : POL_TEST_FAILED;
}

int pol_tests_model(const struct pol_policy *policy, const struct pol_places *places,
		    struct pol_test_result *results, struct pol_err *err)
{
	_cleanup_(pol_model_freep) struct pol_model *model = NULL;
	int r = pol_model_new(policy, places, &model);

	for (size_t i = 0; i < policy->tests_cnt && !r; i++) {
		const struct pol_test *test = &policy->tests[i];

		r = pol_model_ask(model, test->guest, test->right, test->path, &results[i].model);
	}
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot run the tests") : 0;
}

/* ------------------------------------------------------------------ in the kernel */

static int anchor(const struct pol_engine *engine, const struct pol_policy *policy,
		  const struct pol_places *places, struct pol_anchors *ret, struct pol_diags *diags,
		  struct pol_err *err)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot open '/'");
	pol_trees_learn(engine->control);
	r = pol_anchors_take(engine, root, places, ret, err);
	if (r < 0 || pol_anchors_check(ret, policy, places, diags))
		return r;
	return pol_err_say(err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}

/* The policy is the first generation of an engine that nobody but the probe is a guest of. */
static int publish(struct pol_engine *engine, const struct pol_policy *policy,
		   const struct pol_places *places, struct pol_diags *diags, struct pol_err *err)
{
	_cleanup_(pol_anchors_done) struct pol_anchors anchors = {};
	_cleanup_(pol_image_done) struct pol_image image = {};
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	int r = anchor(engine, policy, places, &anchors, diags, err);

	if (r < 0)
		return r;
	r = pol_meta_new(policy, places, &meta);
	for (size_t i = 0; !r && i < meta->guests_cnt; i++)
		meta->guests[i].id = POL_GUEST_FIRST + (uint32_t)i;
	if (!r)
		r = pol_image_build(policy, meta, places, &anchors, &image);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot compile the policy");
	meta->generation = 1;
	r = pol_generation_stage(engine, &image, meta, err);
	if (!r)
		pol_generation_publish(engine, meta->generation);
	return r;
}

static int start(const struct pol_policy *policy, const struct pol_places *places,
		 struct pol_prober **ret, struct pol_diags *diags, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_host host;
	int r = pol_host_require_probe(&host, err);

	if (!r)
		r = pol_engine_create_probe(&host, NULL, &engine, err);
	if (!r)
		r = publish(engine, policy, places, diags, err);
	return r ? r : pol_prober_new(TAKE_PTR(engine), ret, err);
}

/* The kernel has no answer, and why. */
__attribute__((format(printf, 2, 3))) static void say(struct pol_test_result *result,
						      const char *fmt, ...)
{
	va_list ap;

	result->kernel = POL_MODEL_UNKNOWN;
	va_start(ap, fmt);
	(void)vsnprintf(result->why, sizeof(result->why), fmt, ap);
	va_end(ap);
}

/* What lies below a name that is missing is judged as that name is; a symlink to nowhere is there. */
static int ask(struct pol_prober *prober, const struct pol_test *test,
	       struct pol_probe_answer *answer, struct pol_err *err)
{
	_cleanup_free_ char *path = strdup(test->path);
	struct stat st;
	int r;

	if (!path)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot run a test");
	do
		r = pol_prober_ask(prober, POL_GUEST_FIRST + (uint32_t)test->guest, test->right,
				   path, answer, err);
	while (r == -ENOENT && lstat(path, &st) < 0 && pol_key_up(path));
	return r;
}

/*
 * An anchor is refused where the operation asks; a look, which is all that is left where the kernel
 * refuses it first, asks for rights alone.
 */
static bool is_half_asked(const struct pol_test *test, const struct pol_probe_answer *answer)
{
	return answer->kernel && answer->kernel != ENOENT && pol_probe_allows(answer) &&
	       test->right & (POL_RIGHT_DELETE | POL_RIGHT_RENAME);
}

/* Return: 0, also where the path leads nowhere; -EIO, -ENOTSUP: nothing more can be asked. */
static int run_one(struct pol_prober *prober, const struct pol_test *test,
		   struct pol_probe_answer *answer, struct pol_test_result *result,
		   struct pol_err *err)
{
	struct pol_err failed = {};
	int r = ask(prober, test, answer, &failed);

	if (r == -EIO || r == -ENOTSUP) {
		*err = failed;
		return r;
	}
	if (r < 0)
		say(result, "%s", failed.message);
	else if (is_half_asked(test, answer))
		say(result, "the kernel refuses it before it looks for anchors: %s",
		    strerror(answer->kernel));
	else
		result->kernel =
			pol_probe_allows(answer) ? POL_MODEL_ALLOW : POL_MODEL_DENY;
	return 0;
}

int pol_tests_ask(const struct pol_policy *policy, struct pol_prober *prober,
		  struct pol_test_result *results, struct pol_err *err)
{
	_cleanup_free_ struct pol_probe_answer *answer = malloc(sizeof(*answer));
	int r = 0;

	if (!answer)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot run the tests");
	for (size_t i = 0; i < policy->tests_cnt && !r; i++) {
		const struct pol_test *test = &policy->tests[i];

		if (pol_guest_is_rooted(&policy->guests[test->guest]))
			say(&results[i], "rules with in = \"guest\" wait for the guest's own root");
		else
			r = run_one(prober, test, answer, &results[i], err);
	}
	for (size_t i = 0; i < policy->tests_cnt && r; i++)
		say(&results[i], "%s", "");
	return r;
}

int pol_tests_kernel(const struct pol_policy *policy, const struct pol_places *places,
		     struct pol_test_result *results, struct pol_diags *diags, struct pol_err *err)
{
	_cleanup_(pol_prober_freep) struct pol_prober *prober = NULL;
	int r = start(policy, places, &prober, diags, err);

	return r ? r : pol_tests_ask(policy, prober, results, err);
}
