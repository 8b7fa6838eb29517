/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a policy's [[test]]s: in the model (policy_model.h), and in the kernel, by programs and maps of
 * their own that judge a probe alone (probe.h). What is loaded is neither asked nor touched.
 */
#pragma once

#include "diag.h"
#include "err.h"
#include "policy.h"
#include "policy_model.h"
#include "resolve.h"

/**
 * struct pol_test_result - @model, @kernel: POL_MODEL_UNKNOWN: it was not asked, or cannot say.
 * @why: why it has no answer of the kernel's while others have; or empty.
 */
struct pol_test_result {
	enum pol_model_answer model;
	enum pol_model_answer kernel;
	char why[256];
};

enum pol_test_outcome {
	POL_TEST_PASSED,
	POL_TEST_FAILED,
	POL_TEST_DIFFERS, /* model and kernel do not agree: a fault of the engine's or of the model's */
	POL_TEST_UNDECIDED, /* neither could say */
};

/* pol_test_outcome() - of what came out of a test. Pure. */
enum pol_test_outcome pol_test_outcome(const struct pol_test *test,
				       const struct pol_test_result *result);

/* pol_tests_model() - @results: one for each test. Return: 0; negative errno. */
int pol_tests_model(const struct pol_policy *policy, const struct pol_places *places,
		    struct pol_test_result *results, struct pol_err *err);

struct pol_prober;

/**
 * pol_tests_kernel() - the same in the kernel: pol_tests_ask() with programs of their own.
 *
 * Return: 0; as pol_host_require_probe() where this host, kernel or user cannot; -EINVAL: errors in @diags;
 * as pol_tests_ask().
 */
int pol_tests_kernel(const struct pol_policy *policy, const struct pol_places *places,
		     struct pol_test_result *results, struct pol_diags *diags, struct pol_err *err);

/**
 * pol_tests_ask() - a guest that has rules with in = "guest" is not asked for: they are not in the kernel
 * yet. What a path's own error leaves open has a @why.
 * @prober: its first guests are the policy's.
 *
 * Return: 0; -EIO: the probe has died; -ENOTSUP: its programs are not called in order. Then no result
 * has an answer.
 */
int pol_tests_ask(const struct pol_policy *policy, struct pol_prober *prober,
		  struct pol_test_result *results, struct pol_err *err);
