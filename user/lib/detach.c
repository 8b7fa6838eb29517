/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reverse of adoption: out of the cgroup, RLIMIT_NOFILE as it was, and no label. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adopt.h"
#include "adopt_int.h"
#include "base.h"
#include "cgroup.h"
#include "nofile.h"

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
		r = pol_tasks_unlabel(engine, pid, identity.guest);
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
		r = pol_tasks_unlabel(engine, pid, guest);
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
		return identity.guest ? pol_err_fix(err, "detach its process, %d", pol_thread_group(tid))
				      : -ENOENT;
	}
	command.action = POL_ITER_UNLABEL;
	r = pol_tasks_do(engine, &command);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot free thread %d", tid);
	*ret_guest = identity.guest;
	pol_note(engine, identity.guest, POL_ACTION_DETACHED);
	return 0;
}

int pol_adopt_tree_free(struct pol_engine *engine, pid_t pid, uint32_t adopting, size_t *ret_cnt,
		     uint32_t *ret_guest)
{
	_cleanup_(pol_adopt_tree_done) struct pol_adopt_tree tree = {};
	size_t freed = 1;
	int r;

	*ret_cnt = 0;
	*ret_guest = 0;
	for (int pass = 0; pass < POL_PASSES_MAX && freed; pass++) {
		freed = 0;
		r = pol_adopt_tree_look(engine, pid, POL_ITER_TREE, &tree);
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
	pid_t group = pol_thread_group(pid);
	int r;

	*ret_cnt = 0;
	*ret_guest = 0;
	if (group < 0)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	if (group != pid || is_lone_thread(engine, pid)) {
		*ret_cnt = 1;
		return detach_thread(engine, pid, ret_guest, err);
	}
	r = pol_adopt_tree_free(engine, pid, 0, ret_cnt, ret_guest);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot free process %d", pid);
	if (!*ret_cnt)
		return pol_err_say(err, POL_ERR_FAILED, -ENOENT, "process %d is no guest", pid);
	pol_note(engine, *ret_guest, POL_ACTION_DETACHED);
	return 0;
}
