/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What adoption of processes (adopt.c), of whole cgroups (foreign.c), and its reverse (detach.c) share. */
#pragma once

#include <sys/types.h>

#include "engine.h"
#include "meta.h"

#define POL_PASSES_MAX 1000 /* a tree that forks faster than this many passes is to be stopped first */
#define POL_BUSY_TRIES 20   /* before 6.2: others keep a label busy */

/* pol_thread_group() - of a thread; -ESRCH. */
pid_t pol_thread_group(pid_t tid);

/*
 * pol_tasks_do() - the command's tasks. Return: how many records came; -ENOMEM: for some there was no
 * memory, or before 6.2 others kept its label busy to the last try.
 * pol_tasks_unlabel() - all threads of a process, if they are @guest. Return: likewise.
 */
int pol_tasks_do(const struct pol_engine *engine, const struct pol_iter_command *command);
int pol_tasks_unlabel(const struct pol_engine *engine, pid_t pid, uint32_t guest);

/*
 * What an iteration over a tree has found. @pids: processes with a task that lives and is to be
 * settled (@settling: its label is new, or it lies where that says it came from; else: it is a
 * guest's).
 */
struct pol_adopt_tree {
	uint32_t guest;
	bool settling;
	pid_t *pids;
	size_t cnt;
	size_t room;
	size_t tasks;	 /* that are no guest's yet */
	size_t labelled; /* got a label just now */
	bool others;	 /* some task is another guest's */
	bool full;	 /* some label found no memory */
};

/*
 * pol_adopt_tree_look() - the process @pid with all its descendants, but for ourselves.
 * pol_adopt_tree_free() - all of it that is a guest's; @adopting, if that is not 0: only whom an attach to that
 * guest has not settled. Until a pass finds nobody (detach.c).
 */
int pol_adopt_tree_look(const struct pol_engine *engine, pid_t pid, uint32_t action,
			struct pol_adopt_tree *tree);
void pol_adopt_tree_done(struct pol_adopt_tree *tree);
int pol_adopt_tree_free(struct pol_engine *engine, pid_t pid, uint32_t adopting, size_t *ret_cnt,
			uint32_t *ret_guest);

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
