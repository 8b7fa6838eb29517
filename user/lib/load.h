/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transaction that installs or replaces a policy. */
#pragma once

#include "diag.h"
#include "engine.h"
#include "meta.h"
#include "policy.h"

/**
 * struct pol_load_options - @dry_run: everything but publishing. @reanchor: accept directories
 * that a guest could have replaced. @force: let guests that are not in the policy any more keep
 * their tasks, which then may do nothing.
 */
struct pol_load_options {
	bool dry_run;
	bool reanchor;
	bool force;
};

/* @replaced: there was a generation before. @swept: something of a dead command was removed. */
struct pol_load_result {
	uint64_t generation;
	size_t guests;
	size_t rules;
	bool replaced;
	bool swept;
};

/**
 * pol_load() - build the next generation aside, publish it by one store, or leave all as it was.
 * @diags: gets what resolving finds; with errors there, Return is -EINVAL and @err says so.
 *
 * Return: 0; negative errno with @err: its kind is the exit status.
 */
int pol_load(struct pol_policy *policy, const struct pol_load_options *options,
	     struct pol_diags *diags, struct pol_load_result *ret, struct pol_err *err);

/**
 * pol_load_finish() - put right what a load left that died.
 * @running: of the generation that decides. Context: under pol_lock() and pol_engine_use(), alone.
 */
int pol_load_finish(struct pol_engine *engine, struct pol_meta *running, struct pol_err *err);

/* pol_task_counts() - live tasks by guest id, no zombies; @ret: POL_GUESTS_MAX counters, to be freed. */
int pol_task_counts(const struct pol_engine *engine, uint32_t **ret);
