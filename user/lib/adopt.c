/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "adopt.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adopt_int.h"
#include "base.h"
#include "cgroup.h"
#include "load.h"
#include "nofile.h"
#include "proc.h"

/* A process or thread that lives. Return: 0; -ESRCH. */
static int read_process(pid_t pid, struct pol_proc *ret)
{
	if (pol_proc_read(pid, ret) < 0 || ret->state == 'Z' || ret->state == 'X')
		return -ESRCH;
	return 0;
}

/* ------------------------------------------------------------------ attach */

/*
 * A process that has its label and lies where it came from: limits, baseline, cgroup. What it held
 * before the label is baseline, what it opens since is charged; a child that it forks has the label,
 * and lies where it does. Return: 0; -ESRCH is no error.
 */
static int settle(struct pol_engine *engine, int cgroup, const struct pol_meta_guest *guest,
		  pid_t pid)
{
	bool counted = pol_has_fds(&guest->limits);
	int r = 0;

	if (counted)
		r = pol_nofile_apply(engine, pid, guest->id, &guest->limits);
	if (!r && counted)
		r = pol_held_take(engine, pid, guest->id, &guest->limits);
	if (!r)
		r = pol_cgroup_move(cgroup, pid);
	return r == -ESRCH ? 0 : r;
}

/* Until a pass finds nobody without a label, and nobody who is not in the cgroup. */
static int adopt_tree(struct pol_engine *engine, int cgroup, const struct pol_meta_guest *guest,
		      pid_t pid, size_t *ret_cnt)
{
	_cleanup_(pol_adopt_tree_done) struct pol_adopt_tree tree = { .guest = guest->id, .settling = true };
	int r;

	for (int pass = 0; pass < POL_PASSES_MAX; pass++) {
		r = pol_adopt_tree_look(engine, pid, POL_ITER_ADOPT, &tree);
		if (!r && tree.full)
			r = -ENOMEM;
		if (!r && tree.others)
			r = -EALREADY;
		for (size_t i = 0; i < tree.cnt && !r; i++)
			r = settle(engine, cgroup, guest, tree.pids[i]);
		if (r < 0)
			return r;
		*ret_cnt += tree.cnt;
		if (!tree.labelled && !tree.cnt)
			return 0;
	}
	return -EBUSY;
}

int pol_attach_target(pid_t pid, struct pol_err *err)
{
	struct pol_proc process;

	if (read_process(pid, &process) < 0)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	if (pid == 1 || pol_proc_is_kernel(&process) || pid == getpid())
		return pol_err_say(err, POL_ERR_FAILED, -EPERM, "process %d cannot be a guest: %s",
				   pid,
				   pid == 1	    ? "it is pid 1"
				   : pol_proc_is_kernel(&process) ? "it is a kernel thread"
						    : "it is this command");
	return 0;
}

static int say_others(pid_t pid, struct pol_err *err)
{
	return pol_err_say(err, POL_ERR_FAILED, -EALREADY,
			   "process %d, or a child or thread of it, is another guest's", pid);
}

static int check_tasks(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		       size_t tasks, struct pol_err *err)
{
	_cleanup_free_ uint32_t *counts = NULL;
	int r = pol_task_counts(engine, &counts);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot count the guests' tasks");
	if (counts[guest->id] + tasks <= guest->limits.pids)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EAGAIN,
		    "guest '%s' may have %llu tasks, has %u, and the process has %zu", guest->name,
		    (unsigned long long)guest->limits.pids, counts[guest->id], tasks);
	return pol_err_fix(err, "raise limits.pids, or attach less");
}

/* With fds_baseline = "none" what the processes hold is charged: there has to be room. */
static int check_fds(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		     const struct pol_adopt_tree *tree, struct pol_err *err)
{
	uint32_t now = POL_COUNT_FDS(engine->states[guest->id].counts);
	size_t held = 0;

	if (!pol_has_fds(&guest->limits) || !guest->limits.fds_all)
		return 0;
	for (size_t i = 0; i < tree->cnt; i++) {
		struct pol_held one = {};

		if (pol_held_look(engine, tree->pids[i], guest->id, &one) >= 0)
			held += one.new;
	}
	if (now + held <= guest->limits.fds)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EMFILE,
		    "guest '%s' may hold %llu descriptors, holds %u, and the process holds %zu",
		    guest->name, (unsigned long long)guest->limits.fds, now, held);
	return pol_err_fix(err, "raise limits.fds, or set fds_baseline = \"attach\"");
}

/* Before anything is changed: nobody is another guest's, and there is room for all. */
static int check_tree(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		      pid_t pid, struct pol_err *err)
{
	_cleanup_(pol_adopt_tree_done) struct pol_adopt_tree tree = { .guest = guest->id };
	int r = pol_adopt_tree_look(engine, pid, POL_ITER_TREE, &tree);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at process %d", pid);
	if (tree.others)
		return say_others(pid, err);
	r = check_tasks(engine, guest, tree.tasks, err);
	return r < 0 ? r : check_fds(engine, guest, &tree, err);
}

/*
 * They are all labelled and lie in the guest's cgroup. A child that was being forked when its parent
 * got its floor may have come out without.
 */
int pol_adopt_finish(const struct pol_engine *engine, const struct pol_meta_guest *guest)
{
	const struct pol_iter_command command = {
		.guest = guest->id,
		.action = POL_ITER_SETTLED,
	};
	int r = 0;

	if (pol_has_fds(&guest->limits))
		r = pol_nofile_follow(engine, guest->id, guest->limits.fds);
	if (!r)
		r = pol_tasks_do(engine, &command);
	return r < 0 ? r : 0;
}

int pol_attach_check(const struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid,
		     struct pol_err *err)
{
	int r = pol_attach_target(pid, err);

	return r ? r : check_tree(engine, guest, pid, err);
}

void pol_adopt_undo_tree(struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid)
{
	uint32_t ignored;
	size_t freed;

	(void)pol_adopt_tree_free(engine, pid, guest->id, &freed, &ignored);
}

static int say_adopted(pid_t pid, int r, struct pol_err *err)
{
	if (r == -EALREADY)
		return say_others(pid, err);
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot adopt process %d", pid) : 0;
}

int pol_adopt_process(struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup,
		      pid_t pid, size_t *ret_cnt, struct pol_err *err)
{
	int r;

	*ret_cnt = 0;
	r = pol_attach_check(engine, guest, pid, err);
	if (r < 0)
		return r;
	r = adopt_tree(engine, cgroup, guest, pid, ret_cnt);
	if (r < 0)
		pol_adopt_undo_tree(engine, guest, pid);
	return say_adopted(pid, r, err);
}

int pol_attach(struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup, pid_t pid,
	       size_t *ret_cnt, struct pol_err *err)
{
	int r = pol_adopt_process(engine, guest, cgroup, pid, ret_cnt, err);

	if (r < 0)
		return r;
	r = pol_adopt_finish(engine, guest);
	if (r < 0)
		pol_adopt_undo_tree(engine, guest, pid);
	else if (*ret_cnt)
		pol_note(engine, guest->id, POL_ACTION_ATTACHED);
	return say_adopted(pid, r, err);
}

/* ------------------------------------------------------------------ threads */

/* A thread has no cgroup of its own: what only a cgroup can hold is refused, or not held. */
static int check_thread_limits(const struct pol_meta_guest *guest, struct pol_err *err)
{
	const struct pol_limits *limits = &guest->limits;
	const char *what = limits->memory_bytes < POL_LIMIT_MAX ? "memory"
			   : limits->swap_bytes < POL_LIMIT_MAX ? "swap"
			   : limits->cpu_milli < POL_LIMIT_MAX	? "cpu"
			   : limits->io_cnt			? "io"
								: NULL;

	if (what && !limits->best_effort) {
		pol_err_say(err, POL_ERR_FAILED, -EINVAL,
			    "guest '%s' has a ceiling of %s, and a thread has no cgroup for it",
			    guest->name, what);
		return pol_err_fix(err, "take limits.%s away, or set best_effort = true", what);
	}
	if (pol_has_fds(limits) && limits->fds_all) {
		pol_err_say(err, POL_ERR_FAILED, -EINVAL,
			    "guest '%s' has fds_baseline = \"none\", and a thread shares its "
			    "process's descriptors",
			    guest->name);
		return pol_err_fix(err, "set fds_baseline = \"attach\"");
	}
	return 0;
}

static int check_thread(const struct pol_engine *engine, pid_t tid, struct pol_err *err)
{
	const struct pol_iter_command list = { .tid = (uint32_t)tid, .action = POL_ITER_LIST };
	struct pol_proc process;
	int r;

	if (read_process(tid, &process) < 0)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no thread %d", tid);
	if (tid == 1 || pol_proc_is_kernel(&process) || tid == syscall(SYS_gettid))
		return pol_err_say(err, POL_ERR_FAILED, -EPERM, "thread %d cannot be a guest: %s",
				   tid,
				   tid == 1	    ? "it is pid 1"
				   : pol_proc_is_kernel(&process) ? "it is the kernel's"
						    : "it is the one that asks");
	r = pol_tasks_do(engine, &list);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at thread %d", tid);
	if (r)
		return pol_err_say(err, POL_ERR_FAILED, -EALREADY, "thread %d is a guest's already",
				   tid);
	return 0;
}

int pol_attach_thread(struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t tid,
		      struct pol_err *err)
{
	const struct pol_iter_command command = {
		.tid = (uint32_t)tid,
		.guest = guest->id,
		.action = POL_ITER_LABEL,
		.label_flags = POL_LABEL_THREAD,
	};
	int r;

	r = check_thread(engine, tid, err);
	if (!r)
		r = check_thread_limits(guest, err);
	if (!r)
		r = check_tasks(engine, guest, 1, err);
	if (r < 0)
		return r;
	r = pol_tasks_do(engine, &command);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot adopt thread %d", tid);
	if (!r)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH,
				   "thread %d has ended, or there is no memory for its label", tid);
	pol_note(engine, guest->id, POL_ACTION_ATTACHED);
	return 0;
}

/* ------------------------------------------------------------------ what they hold */

int pol_held_outside(const struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid,
		     bool thread, int (*fn)(const void *, void *), void *arg)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)(thread ? pol_thread_group(pid) : pid),
		.tid = thread ? 0 : (uint32_t)getpid(),
		.guest = guest->id,
		.action = thread ? POL_ITER_LIST : POL_ITER_TREE,
	};

	return pol_iterate(engine, POL_PROG_FDS, &command, sizeof(struct pol_fd_record), fn, arg);
}
