/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of a load that adopts the members of a policy, and lets go of those that it lacks. */
#pragma once

#include <stdbool.h>

#include "diag.h"
#include "engine.h"
#include "members_find.h"
#include "meta.h"

/**
 * struct pol_joining - members of a load in the making.
 * @next: the policy to come; its first guests are those of the policy, in its order.
 * @finds: of that policy. @force: tasks of a member that leaves may stay who they are.
 * @began: so many of @finds have been touched.
 */
struct pol_joining {
	struct pol_engine *engine;
	const struct pol_meta *running; /* NULL: nothing is loaded */
	struct pol_meta *next;
	struct pol_finds finds;
	bool force;
	size_t began;
};

void pol_joining_done(struct pol_joining *joining);

/**
 * pol_joining_check() - before anything is changed: who is new, and may be adopted; who leaves.
 * Return: 0; -EBUSY: a cgroup that leaves has tasks, or one is, lies in or above another guest's of the
 * running policy; -EPERM: a guest may change a pid file; else as pol_foreign_check() and pol_attach_check().
 */
int pol_joining_check(struct pol_joining *joining, struct pol_err *err);

/* pol_joining_raise() - before publishing: ceilings of those that stay. */
int pol_joining_raise(struct pol_joining *joining, struct pol_err *err);

/* pol_joining_adopt() - after publishing: ceilings of all; those that are new become the guest. */
int pol_joining_adopt(struct pol_joining *joining, struct pol_err *err);

/* pol_joining_settle() - those that were adopted stay. pol_joining_finish() - the load is done: it does
 * that, and those that leave do. */
void pol_joining_settle(struct pol_joining *joining);
void pol_joining_finish(struct pol_joining *joining);

/* pol_joining_warn() - cgroups that a ceiling is not held in, with best_effort. */
void pol_joining_warn(const struct pol_joining *joining, struct pol_diags *diags);

/* pol_joining_undo() - the load has failed: as it was under the running policy. */
void pol_joining_undo(struct pol_joining *joining);

/* pol_joining_recover() - what a load that died has left: members that the running policy lacks. */
void pol_joining_recover(struct pol_engine *engine, const struct pol_meta *running);
