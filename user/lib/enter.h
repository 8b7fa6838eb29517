/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command needs before it puts a process into a guest: the guest, and a cgroup of its own. */
#pragma once

#include <stdbool.h>

#include <sys/types.h>

#include "diag.h"
#include "engine.h"
#include "meta.h"

/**
 * pol_guest_named() - a guest of the policy, by its name; not one that the policy has dropped.
 * Return: 0; -ENOENT.
 */
int pol_guest_named(const struct pol_meta *meta, const char *name,
		    const struct pol_meta_guest **ret, struct pol_err *err);

/**
 * pol_guest_read() - the policy that is active now, and a guest of it.
 * Return: 0, @ret to be freed; -EBUSY (POL_ERR_BUSY): a load is under way; as pol_guest_named().
 */
int pol_guest_read(struct pol_engine *engine, const char *name, struct pol_meta **ret,
		   const struct pol_meta_guest **ret_guest, struct pol_err *err);

/**
 * pol_home_make() - a guest's cgroup, with its ceilings, registered as the guest's.
 * @parent: of the guests' cgroups. @before, @raise: as for pol_ceilings_write(). @ret_created: also
 * set if it fails: whether this call made it.
 *
 * Context: under pol_lock().
 */
int pol_home_make(struct pol_engine *engine, const char *parent, struct pol_meta_guest *guest,
		  const struct pol_limits *before, bool raise, bool *ret_created,
		  struct pol_err *err);

/**
 * pol_enter() - use the engine (pol_engine_use()), with the policy that decides now.
 * @pid: who becomes the guest: its root is where rules with in = "guest" are resolved; 0: a child of
 * the caller's. @diags: gets what is wrong with these rules.
 * @ret_meta: to be freed, @ret_guest is in it. @ret_cgroup: the guest's; made again if a stop has
 * removed it.
 *
 * Context: not under pol_lock(). Return: 0; -ENOENT: no such guest; -EBUSY: a load goes on, or the
 * guest has tasks in another root; -EINVAL: its rules cannot be resolved.
 */
int pol_enter(struct pol_engine *engine, const char *name, pid_t pid, struct pol_diags *diags,
	      struct pol_meta **ret_meta, const struct pol_meta_guest **ret_guest, int *ret_cgroup,
	      struct pol_err *err);

/**
 * pol_enter_own() - the same, into a root that the caller has made for the guest's next task.
 * @pid: who stands in it, and is no guest. What it holds of its own may be listed from now on.
 *
 * Tasks that the guest has elsewhere stay there, unless it has rules with in = "guest": then -EBUSY.
 */
int pol_enter_own(struct pol_engine *engine, const char *name, pid_t pid, struct pol_diags *diags,
		  struct pol_meta **ret_meta, const struct pol_meta_guest **ret_guest,
		  int *ret_cgroup, struct pol_err *err);

/**
 * pol_enter_too() - may another process join, whose root nobody has looked at yet?
 * @meta, @guest: of pol_enter(). Return: 0; -EBUSY: the guest's rules are for another root.
 */
int pol_enter_too(const struct pol_meta *meta, const struct pol_meta_guest *guest, pid_t pid,
		  struct pol_err *err);
