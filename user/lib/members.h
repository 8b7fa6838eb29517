/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes that are a guest now, by the engine's own account of labels. */
#pragma once

#include <sys/types.h>

#include "engine.h"

/**
 * pol_members_each() - call @fn for each process that was adopted or born whole as @guest.
 *
 * Not for a thread that is a guest by itself: it has no limits and no cgroup of its own.
 * Return: 0; what @fn returned if that is negative, but for -ESRCH: it is gone meanwhile.
 */
int pol_members_each(const struct pol_engine *engine, uint32_t guest,
		     int (*fn)(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			       const void *arg),
		     const void *arg);

/**
 * pol_members_signal() - @sig to all of them, and to processes that are the guest by their cgroup.
 *
 * With SIGKILL complete where the guest cannot fork meanwhile: a ceiling with on_exceed = "kill" was
 * passed. Not by cgroup.kill: from 6.14 on a child that clone3(CLONE_INTO_CGROUP) puts into a cgroup
 * that was ever killed so is killed at birth, so nothing could be started there again.
 * Return: how many there were.
 */
int pol_members_signal(const struct pol_engine *engine, uint32_t guest, int sig);
