/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of the kernel's answers to a policy's tests; that they are right is for VM tests. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "policy_test.h"
#include "probe.h"

int __real_pol_prober_ask(struct pol_prober *prober, uint32_t guest, uint32_t rights,
			  const char *path, struct pol_probe_answer *ret, struct pol_err *err);
int __wrap_pol_prober_ask(struct pol_prober *prober, uint32_t guest, uint32_t rights,
			  const char *path, struct pol_probe_answer *ret, struct pol_err *err);

/* What the kernel will say, of path after path; NULL: ask the real one. */
static const struct said {
	int code;
	int kernel;
	int type;
} * says;
static size_t asked;

int __wrap_pol_prober_ask(struct pol_prober *prober, uint32_t guest, uint32_t rights,
			  const char *path, struct pol_probe_answer *ret, struct pol_err *err)
{
	const struct said *said = says;

	if (!says)
		return __real_pol_prober_ask(prober, guest, rights, path, ret, err);
	asked++;
	says++;
	if (said->code)
		return pol_err_set(err, POL_ERR_FAILED, said->code, "of '%s'", path);
	*ret = (struct pol_probe_answer){ .view.type = said->type, .kernel = said->kernel };
	return 0;
}

#define CASE(guest, access)                                                  \
	"[[test]]\nguest = \"" guest "\"\npath = \"/x\"\naccess = \"" access \
	"\"\nexpect = \"allow\"\n"
#define POLICY                                                                              \
	"version = 1\n[guest.a]\nfiles = [ { path = \"/x\", access = \"ro\" } ]\n"          \
	"[guest.b]\nfiles = [ { path = \"/x\", access = \"ro\", in = \"guest\" } ]\n" CASE( \
		"a", "read") CASE("b", "read") CASE("a", "delete")

#define CNT 3

static struct pol_test_result results[CNT];

/* Guest b is not asked for, so two answers are read at most. */
static int ask_all(const struct said *script, struct pol_err *err)
{
	struct pol_diags diags = {};
	struct pol_policy *policy;
	int r;

	cr_assert_eq(pol_policy_parse("p", POLICY, strlen(POLICY), &diags, &policy), 0);
	cr_assert_eq(policy->tests_cnt, CNT);
	memset(results, 0, sizeof(results));
	asked = 0;
	says = script;
	r = pol_tests_ask(policy, NULL, results, err);
	says = NULL;
	pol_policy_free(policy);
	pol_diags_done(&diags);
	return r;
}

static void expect(size_t i, enum pol_model_answer kernel, const char *why)
{
	cr_expect_eq(results[i].kernel, kernel, "%zu: %d", i, results[i].kernel);
	if (*why)
		cr_expect(strstr(results[i].why, why), "%zu: %s", i, results[i].why);
	else
		cr_expect_str_empty(results[i].why);
}

Test(policy_test, answers_are_the_kernels)
{
	static const struct said script[] = { { .type = POL_TYPE_ALLOW },
					      { .type = POL_TYPE_VIOLATION } };
	struct pol_err err = {};

	cr_assert_eq(ask_all(script, &err), 0);
	cr_expect_eq(asked, 2);
	expect(0, POL_MODEL_ALLOW, "");
	expect(1, POL_MODEL_UNKNOWN, "in = \"guest\"");
	expect(2, POL_MODEL_DENY, "");
}

Test(policy_test, what_leads_nowhere_says_why)
{
	static const struct said script[] = { { .code = -EROFS },
					      { .type = POL_TYPE_ALLOW, .kernel = EROFS } };
	static const struct said missing[] = { { .type = POL_TYPE_ALLOW },
					       { .type = POL_TYPE_ALLOW, .kernel = ENOENT } };
	static const struct said refused[] = { { .type = POL_TYPE_ALLOW, .kernel = EROFS },
					       { .type = POL_TYPE_VIOLATION, .kernel = EROFS } };
	struct pol_err err = {};

	cr_assert_eq(ask_all(script, &err), 0);
	expect(0, POL_MODEL_UNKNOWN, "of '/x': Read-only file system");
	expect(2, POL_MODEL_UNKNOWN, "before it looks for anchors: Read-only file system");
	cr_assert_eq(ask_all(missing, &err), 0);
	expect(2, POL_MODEL_ALLOW, "");
	cr_assert_eq(ask_all(refused, &err), 0);
	expect(0, POL_MODEL_ALLOW, "");
	expect(2, POL_MODEL_DENY, "");
	cr_expect_eq(err.code, 0);
}

Test(policy_test, without_a_probe_the_run_has_failed)
{
	static const int codes[] = { -EIO, -ENOTSUP };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const struct said script[] = { { .type = POL_TYPE_ALLOW }, { .code = codes[i] } };
		struct pol_err err = {};

		cr_assert_eq(ask_all(script, &err), codes[i]);
		cr_expect_eq(err.code, codes[i]);
		for (size_t j = 0; j < CNT; j++)
			expect(j, POL_MODEL_UNKNOWN, "");
	}
}
