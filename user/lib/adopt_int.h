/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What adoption of processes (adopt.c) and of whole cgroups (foreign.c) share. */
#pragma once

#include <sys/types.h>

#include "engine.h"
#include "meta.h"

#define POL_PASSES_MAX 1000 /* a tree that forks faster than this many passes is to be stopped first */
#define POL_BUSY_TRIES 20   /* before 6.2: others keep a label busy */

/* pol_adopt_finish() - RLIMIT_NOFILE of a guest's processes once more; labels say ADOPTING no more. */
int pol_adopt_finish(const struct pol_engine *engine, const struct pol_meta_guest *guest);

/**
 * pol_adopt_process() - pol_attach() for one of several that are adopted together: labels say ADOPTING
 * until pol_adopt_finish(), and nothing is told. What fails is undone.
 */
int pol_adopt_process(struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup,
		      pid_t pid, size_t *ret_cnt, struct pol_err *err);

/* pol_adopt_undo_tree() - its reverse: whom it has adopted, and nobody who was a guest before. */
void pol_adopt_undo_tree(struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid);

/**
 * pol_adopt_undo_process() - a process whose label says @guest and ADOPTING loses it, RLIMIT_NOFILE as
 * it was. It stays where it is. Return: 1; 0: it is none, or gone.
 */
int pol_adopt_undo_process(const struct pol_engine *engine, pid_t pid, uint32_t guest);
