/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's ceilings without the engine: a transient systemd scope, "policyctl-GUEST.scope". For
 * users who can't load programs; files are not confined, and who may ask the same systemd (a
 * process of the same user) can lift the ceilings again.
 *
 * As root over the system bus, else over the user's. A guest has one scope: what is put into it
 * later joins, and the ceilings become those of the policy that is given then; one that it does not
 * set any more is lifted. RLIMIT_NOFILE of a process is only ever lowered.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "policy.h"

struct pol_scope;

/**
 * pol_scope_open() - connect to systemd, and see that the ceilings can be held there.
 * @guest, @limits: borrowed until pol_scope_closep().
 *
 * Return: 0; with kind POL_ERR_HOST: no bus, no systemd, or -ENODEV: a controller lacks (it is not
 * delegated to the user's session) and best_effort is not set.
 */
int pol_scope_open(const char *guest, const struct pol_limits *limits, struct pol_scope **ret,
		   struct pol_err *err);
void pol_scope_closep(struct pol_scope **scope);

/* pol_scope_name() - of its unit. */
const char *pol_scope_name(const struct pol_scope *scope);

/**
 * pol_scope_lacks() - what best_effort lets go: the files, ", " between; empty: nothing.
 * Complete once something was put into the scope: only then it is seen what holds.
 */
const char *pol_scope_lacks(const struct pol_scope *scope);

/**
 * pol_scope_put() - one process, with its threads, into the scope; the ceilings are then read back.
 *
 * Return: 0; -ESRCH; -EEXIST: the name is another unit's; -EAGAIN: more tasks than limits.pids;
 * -ENODEV (POL_ERR_HOST): it is in the scope, and a ceiling does not hold there; what systemd says.
 */
int pol_scope_put(struct pol_scope *scope, pid_t pid, struct pol_err *err);

/**
 * pol_scope_target() - can it be put into a scope? Return: as pol_attach_target(); -EINVAL: it is a
 * thread, and only processes have a cgroup here.
 */
int pol_scope_target(pid_t pid, struct pol_err *err);

/**
 * pol_scope_put_tree() - the same with all its descendants but this command, until a pass finds
 * nobody left. RLIMIT_NOFILE of each is lowered under limits.fds. @ret_cnt: processes that were put
 * there. Who is in it already is not counted against limits.pids again.
 *
 * Return: as pol_scope_put(), pol_scope_target(); -EBUSY: it forks faster.
 */
int pol_scope_put_tree(struct pol_scope *scope, pid_t pid, size_t *ret_cnt, struct pol_err *err);
