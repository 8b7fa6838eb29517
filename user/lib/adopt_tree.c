/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks of processes that come to be guests, or cease: commands to the kernel, and whole trees. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "adopt_int.h"
#include "proc.h"

pid_t pol_thread_group(pid_t tid)
{
	struct pol_proc_ids ids;

	return pol_proc_ids(tid, &ids) < 0 ? -ESRCH : ids.tgid;
}

/* ------------------------------------------------------------------ commands */

struct done {
	int cnt;
	bool full;
};

static int count_record(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct done *done = arg;

	done->cnt++;
	done->full |= record->flags & POL_TASK_FULL;
	return 0;
}

int pol_tasks_do(const struct pol_engine *engine, const struct pol_iter_command *command)
{
	for (int i = 0; i < POL_BUSY_TRIES; i++) {
		struct done done = {};
		int r = pol_iterate(engine, POL_PROG_TASKS, command, sizeof(struct pol_task_record),
				    count_record, &done);

		if (r < 0 || !done.full)
			return r < 0 ? r : done.cnt;
	}
	return -ENOMEM;
}

int pol_tasks_unlabel(const struct pol_engine *engine, pid_t pid, uint32_t guest)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_UNLABEL,
	};

	return pol_tasks_do(engine, &command);
}

/* ------------------------------------------------------------------ a tree of processes */

void pol_adopt_tree_done(struct pol_adopt_tree *tree)
{
	free(tree->pids);
}

static int add_pid(struct pol_adopt_tree *tree, pid_t pid)
{
	for (size_t i = tree->cnt; i-- > 0;) /* the threads of one process come close together */
		if (tree->pids[i] == pid)
			return 0;
	if (tree->cnt == tree->room) {
		size_t room = tree->room ? 2 * tree->room : 64;
		pid_t *pids = reallocarray(tree->pids, room, sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		tree->pids = pids;
		tree->room = room;
	}
	tree->pids[tree->cnt++] = pid;
	return 0;
}

static int see_task(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	const uint32_t loose = POL_LABEL_THREAD | POL_LABEL_LOOSE;
	struct pol_adopt_tree *tree = arg;
	bool meant;

	tree->tasks += !record->guest && !(record->flags & POL_TASK_EXITING);
	tree->labelled += !!(record->flags & POL_TASK_NEW);
	tree->full |= record->flags & POL_TASK_FULL;
	tree->others |= record->guest && record->guest != tree->guest;
	meant = tree->settling ? record->guest == tree->guest && !(record->flags & loose) &&
					 (record->flags & POL_TASK_NEW ||
					  record->origin == record->cgroup)
			       : !tree->guest || record->guest != tree->guest;
	if (!meant || record->flags & POL_TASK_EXITING)
		return 0;
	return add_pid(tree, (pid_t)record->tgid);
}

int pol_adopt_tree_look(const struct pol_engine *engine, pid_t pid, uint32_t action,
			struct pol_adopt_tree *tree)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.tid = (uint32_t)getpid(),
		.guest = tree->guest,
		.action = action,
		.label_flags = action == POL_ITER_ADOPT ? POL_LABEL_ADOPTING : 0,
	};

	tree->cnt = tree->tasks = tree->labelled = 0;
	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   see_task, tree);
}
