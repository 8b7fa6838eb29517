/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy's members looked up on this host. Changes nothing; needs no engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "diag.h"
#include "policy.h"

/**
 * struct pol_found - a member that is there.
 * @guest: index in the policy. @member: in it.
 * @fd: the cgroup's directory, or a pidfd. Owned.
 * @id, @level, @path: of the cgroup, the root of the tree being level 0 and "/"; @path is owned, NULL:
 * it is a process. @unit: of a unit, its name, borrowed; else NULL. @pid: of the process.
 * @in_place: of a unit: its program is `policyctl run --in-place`, which adopts it before it begins.
 * @known: for a load: the cgroup was the guest's before. @adopted: processes that the load has moved.
 */
struct pol_found {
	size_t guest;
	const struct pol_member *member;
	int fd;
	uint64_t id;
	unsigned int level;
	char *path;
	const char *unit;
	pid_t pid;
	bool in_place;
	bool known;
	size_t adopted;
};

/* struct pol_finds - of a whole policy, in its order. */
struct pol_finds {
	struct pol_found *items;
	size_t cnt;
};

void pol_finds_done(struct pol_finds *finds);

/**
 * pol_members_find() - look for every member of @policy that this version adopts.
 * @diags: a warning for what is not there, an error for what is refused.
 *
 * A cgroup, or a unit's, is refused that holds pid 1 or the caller, or that no plain path below the cgroup2 mount
 * leads to, that is, lies in or above another member's or the guests' own; a process that is pid 1, the caller, or a kernel thread; a pid file that pol_pid_file_read()
 * does not believe; a unit without a systemd to ask.
 * Return: 0; -EINVAL: errors are in @diags; -ENOMEM.
 */
int pol_members_find(const struct pol_policy *policy, struct pol_diags *diags,
		     struct pol_finds *ret);
