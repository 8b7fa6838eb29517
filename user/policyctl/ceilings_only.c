/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ceilings_only.h"

#include <errno.h>

#include "base.h"
#include "ctl.h"
#include "nofile.h"
#include "resolve.h"

void ctl_ceilings_done(struct ctl_ceilings *ceilings)
{
	pol_scope_closep(&ceilings->scope);
	pol_policy_free(ceilings->policy);
}

static int read_policy(const char *verb, const char *file, struct pol_policy **ret)
{
	_cleanup_(pol_diags_done) struct pol_diags diags = {};
	struct pol_err err = {};
	int r = pol_policy_read(file, &diags, ret);

	if (!r)
		pol_resolve_devices(*ret, &diags);
	ctl_print_diags(&diags, false);
	if (r == -EINVAL || diags.errors)
		return POL_ERR_POLICY;
	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot read '%s'", file);
		return ctl_fail(verb, &err);
	}
	return 0;
}

static int find_guest(const char *verb, const struct pol_policy *policy, const char *name,
		      const struct pol_guest **ret)
{
	struct pol_err err = {};

	*ret = pol_policy_guest(policy, name);
	if (*ret)
		return 0;
	pol_err_say(&err, POL_ERR_FAILED, -ENOENT, "'%s' has no guest '%s'", policy->file, name);
	return ctl_fail(verb, &err);
}

static void say_what_it_is(const char *verb, const struct ctl_ceilings *ceilings)
{
	const struct pol_limits *limits = &ceilings->guest->limits;

	fprintf(stderr,
		"policyctl %s: files not confined: of guest '%s' only the ceilings hold, in %s\n",
		verb, ceilings->guest->name, pol_scope_name(ceilings->scope));
	if (pol_has_fds(limits))
		fprintf(stderr,
			"policyctl %s: limits.fds caps the descriptors of each process, not of the "
			"guest\n",
			verb);
	if (limits->kill)
		fprintf(stderr, "policyctl %s: on_exceed = \"kill\" is not held, but for memory\n",
			verb);
}

void ctl_ceilings_say_lacks(const char *verb, const struct ctl_ceilings *ceilings)
{
	const char *lacks = pol_scope_lacks(ceilings->scope);

	if (*lacks)
		fprintf(stderr, "policyctl %s: not set, as best_effort has it: %s\n", verb, lacks);
}

int ctl_ceilings_open(const char *verb, const char *file, const char *guest,
		      struct ctl_ceilings *ret)
{
	struct pol_err err = {};
	int r = read_policy(verb, file, &ret->policy);

	if (!r)
		r = find_guest(verb, ret->policy, guest, &ret->guest);
	if (r)
		return r;
	if (pol_scope_open(ret->guest->name, &ret->guest->limits, &ret->scope, &err) < 0)
		return ctl_fail(verb, &err);
	say_what_it_is(verb, ret);
	return 0;
}
