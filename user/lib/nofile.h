/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RLIMIT_NOFILE, the floor under a ceiling of descriptions: no hook sees dup(2), so descriptor
 * numbers are capped for each process (policy-language.md, semantics 13). Also what is held when a
 * process becomes a guest: the baseline.
 */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "engine.h"
#include "meta.h"

/**
 * struct pol_nofile - RLIMIT_NOFILE before adoption, and the highest descriptor then plus one.
 * All 0: it was left alone.
 */
struct pol_nofile {
	uint64_t soft;
	uint64_t hard;
	uint32_t base;
};

/* pol_has_fds() - has the guest a ceiling of descriptions? */
bool pol_has_fds(const struct pol_limits *limits);

/* pol_nofile_floor() - soft and hard limit: base + ceiling, not above the hard one before. Pure. */
struct rlimit pol_nofile_floor(const struct pol_nofile *before, uint64_t fds);

/**
 * pol_nofile_apply() - cap the numbers of a guest's process by its ceiling, or without one restore
 * them. How they were is kept in the process's labels, so that it can be called again.
 *
 * Return: 0; -ESRCH: it is gone.
 */
int pol_nofile_apply(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		     const struct pol_limits *limits);

/* pol_nofile_restore() - as it was before. Nothing to restore is no error. */
int pol_nofile_restore(pid_t pid, const struct pol_nofile *before);

/**
 * pol_nofile_follow() - after a load: the limits of all processes of a guest follow its ceiling.
 * @fds: POL_LIMIT_MAX or more: lifted, restored.
 */
int pol_nofile_follow(const struct pol_engine *engine, uint32_t guest, uint64_t fds);

/**
 * struct pol_held - what a process holds open. @cnt: descriptors. @new: of them, not charged to
 * anybody. @highest: number, -1: none.
 */
struct pol_held {
	size_t cnt;
	size_t new;
	int64_t highest;
};

/**
 * pol_held_look(), pol_held_take() - look at the descriptors of a process; make what nobody is
 * charged for @guest's baseline, or with limits.fds_all charge it.
 */
int pol_held_look(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		  struct pol_held *ret);
int pol_held_take(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		  const struct pol_limits *limits);

/**
 * pol_held_rebase() - a ceiling that is new on a load: all that the guest's processes hold is its
 * baseline, whatever was charged before; with limits.fds_all it is charged.
 */
int pol_held_rebase(const struct pol_engine *engine, uint32_t guest,
		    const struct pol_limits *limits);

/**
 * pol_held_follow() - once @limits decide: what a guest holds that had no ceiling is its baseline, and
 * RLIMIT_NOFILE of its processes follows one that is another than @before.
 */
int pol_held_follow(const struct pol_engine *engine, uint32_t guest, const struct pol_limits *before,
		    const struct pol_limits *limits);
