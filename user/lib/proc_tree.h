/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process and its descendants, by /proc: for what is to be done without the engine. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/**
 * struct pol_proc_tree - who lived at the look, but for the caller itself; who was forked
 * meanwhile may lack. Starts zeroed.
 */
struct pol_proc_tree {
	pid_t *pids;
	size_t cnt;
};

void pol_proc_tree_done(struct pol_proc_tree *tree);

/* pol_proc_tree() - Return: 0; -ESRCH: no such process, or a zombie; -ENOMEM; no /proc. */
int pol_proc_tree(pid_t pid, struct pol_proc_tree *ret);
