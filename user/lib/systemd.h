/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd over D-Bus: the edge. Each function is one or two calls of org.freedesktop.systemd1(5);
 * what is asked for, and what to make of it, is the caller's (scope.c).
 *
 * Not thread-safe, as sd-bus is not: one connection, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "unit_limits.h"

struct pol_systemd;

/**
 * pol_systemd_open() - connect to the system's systemd, or (@user) to that of the user's session.
 *
 * Return: 0; negative errno with kind POL_ERR_HOST: no such bus, or no systemd on it.
 */
int pol_systemd_open(bool user, struct pol_systemd **ret, struct pol_err *err);
void pol_systemd_closep(struct pol_systemd **systemd);

/**
 * pol_systemd_cgroup() - the cgroup below which this systemd has its units, "/" being the mount.
 * @buf gets a path that begins with '/'.
 */
int pol_systemd_cgroup(struct pol_systemd *systemd, char *buf, size_t size, struct pol_err *err);

/**
 * struct pol_unit - what systemd says of a unit.
 * @active: "active", "activating", "reloading", "deactivating", "inactive", "failed", as systemd(1)
 *	    has them. @load: "loaded", "not-found", "masked", "bad-setting", "error". @cgroup: as in /proc/PID/cgroup; empty: it has none now.
 * @in_place: it is a service that is started by `policyctl run ... --in-place`.
 */
struct pol_unit {
	char load[32];
	char active[32];
	char description[128];
	char cgroup[1024];
	bool in_place;
};

/* pol_systemd_unit() - Return: 0; -ENOENT: not loaded (@err is set, too). */
int pol_systemd_unit(struct pol_systemd *systemd, const char *name, struct pol_unit *ret,
		     struct pol_err *err);

/* pol_systemd_load() - the same; systemd reads its files first if it has to, and @load says what it found. */
int pol_systemd_load(struct pol_systemd *systemd, const char *name, struct pol_unit *ret,
		     struct pol_err *err);

/**
 * struct pol_scope_request - a transient scope.
 * @name: "x.scope". @pids: at least one; they are moved, with all their threads, before it is
 * active. It goes when its last process does, failed or not, and is delegated: processes can be
 * added, sub-cgroups made.
 */
struct pol_scope_request {
	const char *name;
	const char *description;
	const pid_t *pids;
	size_t pids_cnt;
	const struct pol_unit_limit *limits;
	size_t limits_cnt;
};

/**
 * pol_systemd_start_scope() - make it, and wait until it is active.
 *
 * Return: 0; -EEXIST: there is a unit of that name; -EIO: systemd could not, its journal says why;
 * -ETIMEDOUT; else what the bus gave.
 */
int pol_systemd_start_scope(struct pol_systemd *systemd, const struct pol_scope_request *request,
			    struct pol_err *err);

/* pol_systemd_add() - more processes into an active, delegated unit. -ESRCH: one is gone. */
int pol_systemd_add(struct pol_systemd *systemd, const char *name, const pid_t *pids,
		    size_t pids_cnt, struct pol_err *err);

/* pol_systemd_limit() - set a unit's ceilings until the machine goes down (runtime); of a
 * transient unit until it ends. */
int pol_systemd_limit(struct pol_systemd *systemd, const char *name,
		      const struct pol_unit_limit *limits, size_t limits_cnt, struct pol_err *err);

/**
 * pol_systemd_stop() - ask for a unit to be stopped, in its own way, without waiting. One that systemd
 * does not know is stopped.
 * pol_systemd_await_stop() - the same, and wait for it at most so long.
 *
 * Return: 0; -ETIMEDOUT: it has not stopped yet, and will; -EIO: the job was canceled; what systemd
 * says.
 */
int pol_systemd_stop(struct pol_systemd *systemd, const char *name, struct pol_err *err);
int pol_systemd_await_stop(struct pol_systemd *systemd, const char *name, uint64_t usec,
			   struct pol_err *err);
