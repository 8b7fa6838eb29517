/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_policy_check(), pol_policy_load(). */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "handback.h"
#include "load.h"
#include "members_find.h"
#include "policy.h"
#include "quiet.h"
#include "policy_report.h"
#include "resolve.h"

#define CHECK_FLAGS (POL_CHECK_OFFLINE | POL_CHECK_STRICT)
#define LOAD_FLAGS  (POL_LOAD_DRY_RUN | POL_LOAD_REANCHOR | POL_LOAD_FORCE)

/* The bytes, wherever they are. No standard input: it is the caller's. */
static int read_policy(const char *name, const char *text, size_t len, struct pol_diags *diags,
		       struct pol_policy **ret)
{
	return text ? pol_policy_parse(name, text, len, diags, ret)
		    : pol_policy_read(name, diags, ret);
}

static const char *wrong_with(const char *name, const char *text, uint32_t flags, uint32_t known)
{
	if (!name)
		return "a policy has a name, that of its file";
	if (!text && strcmp(name, "-") == 0)
		return "standard input is not read here: pass the text";
	return flags & ~known ? "a flag that is not known" : NULL;
}

/* What is to be handed out in any case is made first. */
static int hand_report(struct pol_diags *diags, struct pol_report **ret)
{
	int r = ret ? pol_report_make(diags, ret) : 0;

	pol_diags_done(diags);
	return r;
}

static int fail_policy(const char *name, size_t errors, struct pol_error *error)
{
	struct pol_err err = {};

	pol_err_say(&err, POL_ERR_POLICY, -EINVAL, "'%s' is no valid policy: %zu error%s", name,
		    errors, errors == 1 ? "" : "s");
	(void)pol_err_fix(&err, "the report names each");
	return pol_fail(error, -EINVAL, &err);
}

/* ------------------------------------------------------------------ check */

static int look_up(struct pol_policy *policy, struct pol_diags *diags)
{
	_cleanup_(pol_places_done) struct pol_places places = {};
	struct pol_finds finds = {};
	int r = pol_members_find(policy, diags, &finds);

	pol_finds_done(&finds);
	if (r != -ENOMEM)
		r = pol_resolve(policy, NULL, 0, NULL, 0, diags, &places);
	return r == -ENOMEM ? r : 0;
}

int pol_policy_check(const char *name, const char *text, size_t len, uint32_t flags,
		     struct pol_report **ret_report, struct pol_error *error)
{
	const char *wrong = wrong_with(name, text, flags, CHECK_FLAGS);
	struct pol_policy *policy = NULL;
	struct pol_diags diags = {};
	size_t errors;
	int r;

	if (wrong)
		return pol_fail_usage(error, wrong);
	r = read_policy(name, text, len, &diags, &policy);
	if (!r && flags & POL_CHECK_OFFLINE)
		pol_policy_lint_offline(policy, &diags);
	else if (!r)
		r = look_up(policy, &diags);
	pol_policy_free(policy);
	if (flags & POL_CHECK_STRICT)
		pol_diags_strict(&diags);
	errors = diags.errors;
	if (r == -ENOMEM)
		pol_diags_done(&diags);
	else
		r = hand_report(&diags, ret_report);
	if (r < 0)
		return pol_fail_memory(error);
	return errors ? fail_policy(name, errors, error) : 0;
}

/* ------------------------------------------------------------------ load */

/* @ret is of a caller who may know an older one: looked at before anything is done. */
static int check_loaded(const struct pol_loaded *ret, struct pol_error *error)
{
	if (!ret || ret->size >= sizeof(*ret))
		return 0;
	return pol_fail_usage(error, "the size of struct pol_loaded is not set");
}

static void hand_loaded(const struct pol_load_result *result, struct pol_loaded *ret)
{
	const struct pol_loaded loaded = {
		.generation = result->generation,
		.guests = result->guests,
		.rules = result->rules,
		.replaced = result->replaced,
	};

	if (ret)
		(void)pol_hand_back(ret, sizeof(loaded), &loaded, sizeof(loaded));
}

static int load(struct pol_policy *policy, uint32_t flags, struct pol_diags *diags,
		struct pol_loaded *ret, struct pol_err *err)
{
	const struct pol_load_options options = {
		.dry_run = flags & POL_LOAD_DRY_RUN,
		.reanchor = flags & POL_LOAD_REANCHOR,
		.force = flags & POL_LOAD_FORCE,
	};
	struct pol_load_result result = {};
	int r;

	pol_quiet_begin();
	r = pol_load(policy, &options, diags, &result, err);
	pol_quiet_end();
	if (r >= 0)
		hand_loaded(&result, ret);
	return r;
}

int pol_policy_load(const char *name, const char *text, size_t len, uint32_t flags,
		    struct pol_loaded *ret, struct pol_report **ret_report, struct pol_error *error)
{
	const char *wrong = wrong_with(name, text, flags, LOAD_FLAGS);
	struct pol_policy *policy = NULL;
	struct pol_diags diags = {};
	struct pol_err err = {};
	size_t errors;
	int r;

	if (wrong)
		return pol_fail_usage(error, wrong);
	if (check_loaded(ret, error) < 0)
		return -EINVAL;
	r = read_policy(name, text, len, &diags, &policy);
	if (!r)
		r = load(policy, flags, &diags, ret, &err);
	pol_policy_free(policy);
	errors = diags.errors;
	if (r < 0 && !(r == -EINVAL && errors)) {
		pol_diags_done(&diags);
		return r == -ENOMEM && !err.code ? pol_fail_memory(error) : pol_fail(error, r, &err);
	}
	if (hand_report(&diags, ret_report) < 0)
		return pol_fail_memory(error);
	return r < 0 ? fail_policy(name, errors, error) : 0;
}
