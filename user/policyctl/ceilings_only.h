/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --ceilings-only of `run` and `attach`: a guest's limits by a systemd scope, nothing else. */
#pragma once

#include "policy.h"
#include "scope.h"

/* struct ctl_ceilings - owns the policy and the scope. */
struct ctl_ceilings {
	struct pol_policy *policy;
	const struct pol_guest *guest;
	struct pol_scope *scope;
};

void ctl_ceilings_done(struct ctl_ceilings *ceilings);

/**
 * ctl_ceilings_open() - read the policy, find the guest, connect to systemd; on stderr what does not
 * hold: files, and whatever of the limits needs the engine. What this host lacks:
 * ctl_ceilings_say_lacks().
 *
 * Return: 0, or the exit status; why is said.
 */
int ctl_ceilings_open(const char *verb, const char *file, const char *guest,
		      struct ctl_ceilings *ret);

/* ctl_ceilings_say_lacks() - on stderr, after something was put there: what best_effort lets go. */
void ctl_ceilings_say_lacks(const char *verb, const struct ctl_ceilings *ceilings);
