/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a policy says by itself; that the kernel says the same is for explain_model_test. */
#include "policy_model.h"

#include <linux/types.h>

#include "abi.h"
#include "policy_test.h"
#include "resolve_fixture.h"

TestSuite(policy_model, .init = init, .fini = fini);

static struct pol_model *model;

static void use_model(const char *rules)
{
	use_rules(rules);
	resolve_ok();
	cr_assert_eq(pol_model_new(policy, &places, &model), 0);
}

/* @path: below the tree, or absolute if it begins with '/'. */
static void says(enum pol_model_answer want, uint32_t right, const char *path)
{
	enum pol_model_answer got;
	char full[4096];

	(void)snprintf(full, sizeof(full), "%s%s%s", *path == '/' ? "" : tree,
		       *path && *path != '/' ? "/" : "", path);
	cr_assert_eq(pol_model_ask(model, 0, right, full, &got), 0);
	cr_expect_eq(got, want, "%s: %d", path, got);
}

static void allows(uint32_t right, const char *path)
{
	says(POL_MODEL_ALLOW, right, path);
}

static void denies(uint32_t right, const char *path)
{
	says(POL_MODEL_DENY, right, path);
}

Test(policy_model, the_nearest_rule_decides)
{
	need_tree();
	tree_dir(tree, "a");
	tree_dir(tree, "a/b");
	tree_file(tree, "a/f");
	tree_file(tree, "a/b/g");
	use_model("{ path = \"@/a\", access = \"ro\" },\n"
		  "{ path = \"@/a/b\", access = [\"write\"] },\n"
		  "{ path = \"@/a/new\", access = [\"create\", \"write\"] },\n");
	allows(POL_RIGHT_READ, "a/f");
	denies(POL_RIGHT_WRITE, "a/f");
	allows(POL_RIGHT_WRITE, "a/b/g");
	denies(POL_RIGHT_READ, "a/b/g");
	denies(POL_RIGHT_READ, "");
	/* A missing name, and what would lie below it. */
	allows(POL_RIGHT_CREATE, "a/new");
	denies(POL_RIGHT_CREATE, "a/new2");
	allows(POL_RIGHT_CREATE, "a/new/x/y");
	allows(POL_RIGHT_READ, "a/none/x/y");
	pol_model_free(model);
}

Test(policy_model, what_an_operation_needs)
{
	need_tree();
	tree_dir(tree, "d");
	tree_dir(tree, "d/sub");
	tree_file(tree, "d/f");
	use_model("{ path = \"@/d\", access = [\"list\", \"create\", \"delete\", \"rename\"] },\n");
	allows(POL_RIGHT_READ, "d/sub");
	denies(POL_RIGHT_READ, "d/f");
	denies(POL_RIGHT_CREATE, "d/new");
	allows(POL_RIGHT_DELETE, "d/sub");
	/* An anchor, and a directory above one. */
	denies(POL_RIGHT_DELETE, "d");
	denies(POL_RIGHT_RENAME, "");
	pol_model_free(model);
}

Test(policy_model, symlinks_are_followed_or_meant)
{
	need_tree();
	tree_dir(tree, "a");
	tree_dir(tree, "b");
	tree_file(tree, "b/f");
	tree_link(tree, "a/link", "../b/f");
	use_model("{ path = \"@/a\", access = [\"delete\", \"link\"] },\n"
		  "{ path = \"@/b\", access = [\"read\"] },\n");
	allows(POL_RIGHT_READ, "a/link");
	allows(POL_RIGHT_DELETE, "a/link");
	allows(POL_RIGHT_LINK, "a/link");
	denies(POL_RIGHT_DELETE, "b/f");
	says(POL_MODEL_UNKNOWN, POL_RIGHT_READ, "b/f/below");
	pol_model_free(model);
}

Test(policy_model, devices_have_to_be_named)
{
	use_model("{ path = \"/dev\", access = \"rw\" },\n"
		  "{ path = \"/dev/null\", access = [\"read\"] },\n");
	allows(POL_RIGHT_READ, "/dev/null");
	denies(POL_RIGHT_WRITE, "/dev/null");
	denies(POL_RIGHT_READ, "/dev/zero");
	allows(POL_RIGHT_METADATA, "/dev/zero");
	says(POL_MODEL_UNKNOWN, POL_RIGHT_READ, "/proc/self/status");
	pol_model_free(model);
}

struct outcome_case {
	bool allow;
	enum pol_model_answer model;
	enum pol_model_answer kernel;
	enum pol_test_outcome outcome;
};

Test(policy_model, an_outcome_is_of_both)
{
	static const struct outcome_case cases[] = {
		{ true, POL_MODEL_ALLOW, POL_MODEL_ALLOW, POL_TEST_PASSED },
		{ false, POL_MODEL_DENY, POL_MODEL_DENY, POL_TEST_PASSED },
		{ false, POL_MODEL_ALLOW, POL_MODEL_ALLOW, POL_TEST_FAILED },
		{ true, POL_MODEL_DENY, POL_MODEL_UNKNOWN, POL_TEST_FAILED },
		{ true, POL_MODEL_UNKNOWN, POL_MODEL_ALLOW, POL_TEST_PASSED },
		{ true, POL_MODEL_ALLOW, POL_MODEL_UNKNOWN, POL_TEST_PASSED },
		{ true, POL_MODEL_ALLOW, POL_MODEL_DENY, POL_TEST_DIFFERS },
		{ false, POL_MODEL_ALLOW, POL_MODEL_DENY, POL_TEST_DIFFERS },
		{ true, POL_MODEL_UNKNOWN, POL_MODEL_UNKNOWN, POL_TEST_UNDECIDED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pol_test test = { .allow = cases[i].allow };
		struct pol_test_result result = { .model = cases[i].model,
						  .kernel = cases[i].kernel };

		cr_expect_eq(pol_test_outcome(&test, &result), cases[i].outcome, "case %zu", i);
	}
}
