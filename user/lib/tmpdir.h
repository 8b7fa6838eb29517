/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tmp = "private": a directory POL_TMP_ROOT/GUEST that the guest has rw in, and that is /tmp and
 * /var/tmp for what `run` starts. They lie on a tmpfs of their own, which the first load that needs
 * it mounts and the last one unmounts: a guest that fills it fills no filesystem of the host's, and
 * no rule of another guest reaches in. A directory is made by the load, stays while the policy has
 * the guest with this knob, and is emptied once the guest has no task.
 *
 * What a dead command leaves is found by its name, and settled by the next load, run or unload.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "engine.h"
#include "meta.h"
#include "policy.h"

#define POL_TMP_ROOT "/run/policyctl/tmp"

/* pol_tmp_has() - whether the running policy has one for it. */
bool pol_tmp_has(const struct pol_meta_guest *guest);

/* pol_tmp_path() - of a guest's directory, to be freed; NULL: out of memory. */
char *pol_tmp_path(const char *guest);

/**
 * pol_tmp_open() - where the directories lie, no symlink followed.
 *
 * Return: descriptor to be closed; -ENOENT: nothing is mounted there; else what openat(2) gave.
 */
int pol_tmp_open(void);

/**
 * pol_tmp_make() - the directories that @policy needs, and a rule on each.
 *
 * A rule that the guest has on its directory itself stands.
 * Context: under pol_lock(). pol_tmp_sweep() undoes it.
 */
int pol_tmp_make(struct pol_policy *policy, struct pol_err *err);

/* pol_tmp_add_rules() - the rules alone. Return: 0; -ENOMEM. */
int pol_tmp_add_rules(struct pol_policy *policy);

/**
 * pol_tmp_sweep() - remove the directories that no guest of @meta needs.
 * @meta: NULL: nothing is loaded.
 *
 * Context: under pol_lock().
 */
void pol_tmp_sweep(const struct pol_meta *meta);

/**
 * pol_tmp_enter() - the directory is @uid's, and empty if the guest has no task yet.
 * @guest: of @meta, with the knob.
 *
 * Context: while the engine is used. The descriptor keeps others from emptying the directory until
 * the task that is to have it is there.
 * Return: descriptor to be closed; -ENOENT: it is not there, or is not the one that the rule is on
 * (another mount namespace than the loader's); -EBUSY: it is another user's, whose tasks run.
 */
int pol_tmp_enter(const struct pol_engine *engine, const struct pol_meta *meta,
		  const struct pol_meta_guest *guest, uid_t uid, gid_t gid, struct pol_err *err);

/**
 * pol_tmp_leave() - empty the directory if the guest has no task any more.
 *
 * Best effort: what stays is emptied by the next stop, run or load.
 * Context: neither under pol_lock() nor while the engine is used.
 */
void pol_tmp_leave(const char *guest);

/**
 * pol_tmp_clear() - empty the directory, which is root's then; 0 also if there is none.
 * Context: under pol_lock(), the engine used alone, the guest without tasks.
 */
int pol_tmp_clear(const char *guest, struct pol_err *err);
