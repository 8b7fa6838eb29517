/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "adopt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

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

/*
 * The command's tasks. Return: how many records came; -ENOMEM: for some there was no memory, or before
 * 6.2 others kept its label busy to the last try.
 */
static int command_tasks(const struct pol_engine *engine, const struct pol_iter_command *command)
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

static int unlabel_threads(const struct pol_engine *engine, pid_t pid, uint32_t guest)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_UNLABEL,
	};

	return command_tasks(engine, &command);
}

/* ------------------------------------------------------------------ a tree of processes */

/*
 * What an iteration over a tree has found. @pids: processes with a task that lives and is to be
 * settled (@settling: its label is new, or it lies where that says it came from; else: it is a
 * guest's).
 */
struct tree {
	uint32_t guest;
	bool settling;
	pid_t *pids;
	size_t cnt;
	size_t room;
	size_t tasks;	/* that are no guest's yet */
	size_t labelled; /* got a label just now */
	bool others;	/* some task is another guest's */
	bool full;	/* some label found no memory */
};

static void tree_done(struct tree *tree)
{
	free(tree->pids);
}

static int add_pid(struct tree *tree, pid_t pid)
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
	struct tree *tree = arg;
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

/* The process @pid with all its descendants, but for ourselves. */
static int look_at_tree(const struct pol_engine *engine, pid_t pid, uint32_t action,
			struct tree *tree)
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
	_cleanup_(tree_done) struct tree tree = { .guest = guest->id, .settling = true };
	int r;

	for (int pass = 0; pass < POL_PASSES_MAX; pass++) {
		r = look_at_tree(engine, pid, POL_ITER_ADOPT, &tree);
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
		     const struct tree *tree, struct pol_err *err)
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
	_cleanup_(tree_done) struct tree tree = { .guest = guest->id };
	int r = look_at_tree(engine, pid, POL_ITER_TREE, &tree);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at process %d", pid);
	if (tree.others)
		return say_others(pid, err);
	r = check_tasks(engine, guest, tree.tasks, err);
	return r < 0 ? r : check_fds(engine, guest, &tree, err);
}

static int free_tree(struct pol_engine *engine, pid_t pid, uint32_t adopting, size_t *ret_cnt,
		     uint32_t *ret_guest);

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
		r = command_tasks(engine, &command);
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

	(void)free_tree(engine, pid, guest->id, &freed, &ignored);
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

/* The thread group of a thread; -ESRCH. */
static pid_t group_of(pid_t tid)
{
	struct pol_proc_ids ids;

	return pol_proc_ids(tid, &ids) < 0 ? -ESRCH : ids.tgid;
}

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
	r = command_tasks(engine, &list);
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
	r = command_tasks(engine, &command);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot adopt thread %d", tid);
	if (!r)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH,
				   "thread %d has ended, or there is no memory for its label", tid);
	pol_note(engine, guest->id, POL_ACTION_ATTACHED);
	return 0;
}

/* ------------------------------------------------------------------ detach */

/*
 * The first record of a process says what it is; origin from its label. @threads: it is no guest as
 * a whole, some of its threads are.
 */
struct identity {
	uint32_t guest;
	uint64_t origin;
	bool adopting;
	bool threads;
	bool alone; /* it was attached as a thread itself */
};

static int take_identity(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct identity *identity = arg;

	if (!identity->guest) {
		identity->guest = record->guest;
		identity->origin = record->origin;
		identity->adopting = record->flags & POL_LABEL_ADOPTING;
		identity->alone = record->flags & POL_LABEL_THREAD;
		identity->threads = record->flags & (POL_LABEL_THREAD | POL_LABEL_LOOSE);
	}
	return 0;
}

static int identify(const struct pol_engine *engine, pid_t pid, struct identity *ret)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)pid, .action = POL_ITER_LIST };

	memset(ret, 0, sizeof(*ret));
	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   take_identity, ret);
}

static int open_origin(uint64_t origin)
{
	char mount[256], below[1024] = "/", path[1536];
	int fd;

	if (pol_cgroup_mount(mount, sizeof(mount)) < 0)
		return -ENOENT;
	if (origin && pol_cgroup_path_of(origin, below, sizeof(below)) < 0)
		(void)snprintf(below, sizeof(below), "/"); /* it is gone: the root */
	(void)snprintf(path, sizeof(path), "%s%s", mount, below);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* RLIMIT_NOFILE as it was, which the leader's label knows. */
static int restore_nofile(const struct pol_engine *engine, pid_t pid)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_nofile before;
	struct pol_label label;

	if (pidfd < 0 || pol_label_get(engine, pidfd, &label) < 0)
		return 0;
	before = (struct pol_nofile){ label.nofile_soft, label.nofile_hard, label.nofile_base };
	return pol_nofile_restore(pid, &before);
}

static int move_home(pid_t pid, uint64_t origin)
{
	_cleanup_close_ int cgroup = open_origin(origin);

	return cgroup < 0 ? cgroup : pol_cgroup_move(cgroup, pid);
}

/* Out of the cgroup first: while it is in, it is the guest, label or not. */
static int free_one(const struct pol_engine *engine, pid_t pid, uint32_t adopting,
		    uint32_t *ret_guest)
{
	struct identity identity;
	int r;

	r = identify(engine, pid, &identity);
	if (r < 0 || !identity.guest)
		return r;
	if (adopting && (identity.guest != adopting || !identity.adopting))
		return 0;
	*ret_guest = identity.guest;
	r = identity.threads ? 0 : move_home(pid, identity.origin);
	if (!r && !identity.threads)
		r = restore_nofile(engine, pid);
	if (r >= 0)
		r = unlabel_threads(engine, pid, identity.guest);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return 1;
}

int pol_adopt_undo_process(const struct pol_engine *engine, pid_t pid, uint32_t guest)
{
	struct identity identity;
	int r = identify(engine, pid, &identity);

	if (r < 0 || identity.guest != guest || !identity.adopting)
		return r;
	r = restore_nofile(engine, pid);
	if (!r)
		r = unlabel_threads(engine, pid, guest);
	return r < 0 && r != -ESRCH ? r : r >= 0;
}

static int detach_thread(struct pol_engine *engine, pid_t tid, uint32_t *ret_guest,
			 struct pol_err *err)
{
	struct pol_iter_command command = { .tid = (uint32_t)tid, .action = POL_ITER_LIST };
	struct identity identity = {};
	int r;

	r = pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			take_identity, &identity);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at thread %d", tid);
	if (!identity.alone) {
		pol_err_say(err, POL_ERR_FAILED, -ENOENT, "thread %d is no guest by itself", tid);
		return identity.guest ? pol_err_fix(err, "detach its process, %d", group_of(tid))
				      : -ENOENT;
	}
	command.action = POL_ITER_UNLABEL;
	r = command_tasks(engine, &command);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot free thread %d", tid);
	*ret_guest = identity.guest;
	pol_note(engine, identity.guest, POL_ACTION_DETACHED);
	return 0;
}

/*
 * All of the tree that is a guest's; @adopting, if that is not 0: only whom an attach to that guest has
 * not settled. Until a pass finds nobody.
 */
static int free_tree(struct pol_engine *engine, pid_t pid, uint32_t adopting, size_t *ret_cnt,
		     uint32_t *ret_guest)
{
	_cleanup_(tree_done) struct tree tree = {};
	size_t freed = 1;
	int r;

	*ret_cnt = 0;
	*ret_guest = 0;
	for (int pass = 0; pass < POL_PASSES_MAX && freed; pass++) {
		freed = 0;
		r = look_at_tree(engine, pid, POL_ITER_TREE, &tree);
		for (size_t i = 0; i < tree.cnt && r >= 0; i++) {
			r = free_one(engine, tree.pids[i], adopting, ret_guest);
			freed += r > 0;
		}
		if (r < 0)
			return r;
		*ret_cnt += freed;
	}
	return 0;
}

/* Was this thread, maybe the first of its process, attached as one? */
static bool is_lone_thread(struct pol_engine *engine, pid_t tid)
{
	const struct pol_iter_command command = { .tid = (uint32_t)tid, .action = POL_ITER_LIST };
	struct identity identity = {};

	(void)pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			  take_identity, &identity);
	return identity.alone;
}

int pol_detach(struct pol_engine *engine, pid_t pid, size_t *ret_cnt, uint32_t *ret_guest,
	       struct pol_err *err)
{
	pid_t group = group_of(pid);
	int r;

	*ret_cnt = 0;
	*ret_guest = 0;
	if (group < 0)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	if (group != pid || is_lone_thread(engine, pid)) {
		*ret_cnt = 1;
		return detach_thread(engine, pid, ret_guest, err);
	}
	r = free_tree(engine, pid, 0, ret_cnt, ret_guest);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot free process %d", pid);
	if (!*ret_cnt)
		return pol_err_say(err, POL_ERR_FAILED, -ENOENT, "process %d is no guest", pid);
	pol_note(engine, *ret_guest, POL_ACTION_DETACHED);
	return 0;
}

int pol_held_outside(const struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t pid,
		     bool thread, int (*fn)(const void *, void *), void *arg)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)(thread ? group_of(pid) : pid),
		.tid = thread ? 0 : (uint32_t)getpid(),
		.guest = guest->id,
		.action = thread ? POL_ITER_LIST : POL_ITER_TREE,
	};

	return pol_iterate(engine, POL_PROG_FDS, &command, sizeof(struct pol_fd_record), fn, arg);
}
