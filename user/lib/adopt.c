/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "adopt.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base.h"
#include "cgroup.h"
#include "file.h"
#include "load.h"
#include "nofile.h"

#define PASSES_MAX 1000 /* a tree that forks faster than this many passes is to be stopped first */
#define PF_KTHREAD 0x00200000u /* include/linux/sched.h; field 9 of /proc/PID/stat */

struct process {
	pid_t pid;
	pid_t parent;
	unsigned int threads;
	bool kernel;
	bool chosen;
};

/* Every process there is, sorted by pid. */
struct processes {
	struct process *items;
	size_t cnt;
	size_t room;
};

static void processes_done(struct processes *list)
{
	free(list->items);
}

/* Fields of /proc/PID/stat after the name, which may hold anything. Return: 0; -ESRCH. */
static int read_process(pid_t pid, struct process *ret)
{
	char path[64], buf[1024], *at;
	unsigned int flags;
	int parent;
	char state;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (pol_file_read(AT_FDCWD, path, buf, sizeof(buf)) < 0)
		return -ESRCH;
	at = strrchr(buf, ')');
	if (!at || sscanf(at + 1, " %c %d %*d %*d %*d %*d %u", &state, &parent, &flags) != 3)
		return -ESRCH;
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	ret->pid = pid;
	ret->parent = parent;
	ret->kernel = flags & PF_KTHREAD;
	ret->chosen = false;
	ret->threads = 1;
	if (sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u",
		   &ret->threads) != 1)
		ret->threads = 1;
	return 0;
}

static int add_process(struct processes *list, pid_t pid)
{
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct process *items = reallocarray(list->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	if (!read_process(pid, &list->items[list->cnt]))
		list->cnt++;
	return 0;
}

static int list_processes(struct processes *list)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	list->cnt = 0;
	while (!r && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end)
			r = add_process(list, (pid_t)pid);
	}
	closedir(dir);
	return r;
}

static struct process *find(const struct processes *list, pid_t pid)
{
	for (size_t i = 0; i < list->cnt; i++)
		if (list->items[i].pid == pid)
			return &list->items[i];
	return NULL;
}

/* Marks @root and its descendants. Return: tasks in them. */
static size_t choose(struct processes *list, pid_t root)
{
	struct process *at = find(list, root);
	size_t tasks = 0;
	bool more = at;

	if (at)
		at->chosen = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < list->cnt; i++) {
			struct process *parent;

			if (list->items[i].chosen)
				continue;
			parent = find(list, list->items[i].parent);
			if (parent && parent->chosen)
				more = list->items[i].chosen = true;
		}
	}
	for (size_t i = 0; i < list->cnt; i++)
		tasks += list->items[i].chosen ? list->items[i].threads : 0;
	return tasks;
}

static int count_record(const void *record, void *arg)
{
	(void)record;
	++*(size_t *)arg;
	return 0;
}

/* The command's tasks. Return: how many records came. */
static int command_tasks(const struct pol_engine *engine, const struct pol_iter_command *command)
{
	size_t cnt = 0;
	int r = pol_iterate(engine, POL_PROG_TASKS, command, sizeof(struct pol_task_record),
			    count_record, &cnt);

	return r < 0 ? r : (int)cnt;
}

static int label_threads(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			 uint64_t origin, const struct pol_nofile *nofile)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_LABEL,
		.origin = origin,
		.nofile_soft = nofile->soft,
		.nofile_hard = nofile->hard,
		.nofile_base = nofile->base,
	};

	return command_tasks(engine, &command);
}

static int unlabel_threads(const struct pol_engine *engine, pid_t pid)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.action = POL_ITER_UNLABEL,
	};

	return command_tasks(engine, &command);
}

/*
 * In this order: limits and label first, so that a child forked meanwhile has both and is only to
 * be moved; what was held before the label is baseline, what is opened after it is charged.
 */
static int adopt_unlabelled(struct pol_engine *engine, int cgroup,
			    const struct pol_meta_guest *guest, pid_t pid, uint64_t origin)
{
	bool counted = pol_has_fds(&guest->limits);
	struct pol_nofile nofile = {};
	int r = 0;

	if (counted)
		r = pol_nofile_set(engine, pid, guest->id, guest->limits.fds, &nofile);
	if (!r && counted)
		r = pol_held_take(engine, pid, guest->id, &guest->limits);
	if (!r)
		r = label_threads(engine, pid, guest->id, origin, &nofile);
	if (r >= 0)
		r = pol_cgroup_move(cgroup, pid);
	if (r >= 0 && counted)
		r = pol_held_take(engine, pid, guest->id, &guest->limits);
	if (r >= 0)
		return 0;
	(void)unlabel_threads(engine, pid);
	(void)pol_nofile_restore(pid, &nofile);
	return r;
}

/* Makes one process the guest's. Return: 1: done, 0: it is gone, or was in. */
static int adopt_one(struct pol_engine *engine, int cgroup, const struct pol_meta_guest *guest,
		     pid_t pid)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_label label;
	uint64_t now;
	int r;

	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	if (pol_cgroup_of_pid(pid, &now) < 0)
		return 0;
	r = pol_label_get(engine, pidfd, &label);
	if (!r && label.guest != guest->id)
		return -EALREADY;
	if (!r && (!label.origin || label.origin != now))
		return 0;
	/* Labelled and still there: forked by a parent that was being adopted. */
	r = r ? adopt_unlabelled(engine, cgroup, guest, pid, now) : pol_cgroup_move(cgroup, pid);
	return r < 0 ? (r == -ESRCH ? 0 : r) : 1;
}

static int check_target(const struct processes *list, pid_t pid, struct pol_err *err)
{
	const struct process *at = find(list, pid);

	if (!at)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	if (pid == 1 || at->kernel || pid == getpid())
		return pol_err_say(err, POL_ERR_FAILED, -EPERM, "process %d cannot be a guest: %s",
				   pid,
				   pid == 1	? "it is pid 1"
				   : at->kernel ? "it is a kernel thread"
						: "it is this command");
	return 0;
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
		     const struct processes *list, struct pol_err *err)
{
	uint32_t now = POL_COUNT_FDS(engine->states[guest->id].counts);
	size_t held = 0;

	if (!pol_has_fds(&guest->limits) || !guest->limits.fds_all)
		return 0;
	for (size_t i = 0; i < list->cnt; i++) {
		struct pol_held one = {};

		if (list->items[i].chosen &&
		    pol_held_look(engine, list->items[i].pid, guest->id, &one) >= 0)
			held += one.new;
	}
	if (now + held <= guest->limits.fds)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EMFILE,
		    "guest '%s' may hold %llu descriptors, holds %u, and the process holds %zu",
		    guest->name, (unsigned long long)guest->limits.fds, now, held);
	return pol_err_fix(err, "raise limits.fds, or set fds_baseline = \"attach\"");
}

static int adopt_tree(struct pol_engine *engine, int cgroup, const struct pol_meta_guest *guest,
		      pid_t pid, size_t *ret_cnt)
{
	_cleanup_(processes_done) struct processes list = {};
	int r;

	for (int pass = 0; pass < PASSES_MAX; pass++) {
		size_t moved = 0;

		r = list_processes(&list);
		if (r < 0)
			return r;
		(void)choose(&list, pid);
		for (size_t i = 0; i < list.cnt; i++) {
			if (!list.items[i].chosen || list.items[i].pid == getpid())
				continue;
			r = adopt_one(engine, cgroup, guest, list.items[i].pid);
			if (r < 0)
				return r;
			moved += (size_t)r;
		}
		*ret_cnt += moved;
		if (!moved)
			return 0;
	}
	return -EBUSY;
}

int pol_attach(struct pol_engine *engine, const struct pol_meta *meta,
	       const struct pol_meta_guest *guest, pid_t pid, size_t *ret_cnt, struct pol_err *err)
{
	_cleanup_(processes_done) struct processes list = {};
	_cleanup_close_ int cgroup = -EBADF;
	int r;

	*ret_cnt = 0;
	r = list_processes(&list);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read /proc");
	r = check_target(&list, pid, err);
	if (!r)
		r = check_tasks(engine, guest, choose(&list, pid), err);
	if (!r)
		r = check_fds(engine, guest, &list, err);
	if (r < 0)
		return r;
	r = pol_cgroup_open(meta->cgroup, guest->name, &cgroup);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open the cgroup of '%s'",
				   guest->name);
	r = adopt_tree(engine, cgroup, guest, pid, ret_cnt);
	if (r == -EALREADY)
		return pol_err_say(err, POL_ERR_FAILED, r,
				   "process %d, or a child of it, is another guest's", pid);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot adopt process %d", pid);
	if (*ret_cnt)
		pol_note(engine, guest->id, POL_ACTION_ATTACHED);
	return 0;
}

/* ------------------------------------------------------------------ threads */

/* The thread group of a thread; -ESRCH. */
static pid_t group_of(pid_t tid)
{
	char path[64], buf[1024], *at;
	int tgid;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", tid);
	if (pol_file_read(AT_FDCWD, path, buf, sizeof(buf)) < 0)
		return -ESRCH;
	at = strstr(buf, "\nTgid:");
	return at && sscanf(at + 6, "%d", &tgid) == 1 ? tgid : -ESRCH;
}

/* A thread has no cgroup of its own: what only a cgroup can hold is refused, or not held. */
static int check_thread_limits(const struct pol_meta_guest *guest, struct pol_err *err)
{
	const struct pol_limits *limits = &guest->limits;
	const char *what = limits->memory_bytes < POL_LIMIT_MAX ? "memory"
			   : limits->swap_bytes < POL_LIMIT_MAX ? "swap"
			   : limits->cpu_milli < POL_LIMIT_MAX	? "cpu"
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
	struct process process;
	int r;

	if (read_process(tid, &process) < 0)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no thread %d", tid);
	if (tid == 1 || process.kernel || group_of(tid) == getpid())
		return pol_err_say(err, POL_ERR_FAILED, -EPERM, "thread %d cannot be a guest: %s",
				   tid,
				   tid == 1	    ? "it is pid 1"
				   : process.kernel ? "it is the kernel's"
						    : "it is this command's");
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
	bool threads;
};

static int take_identity(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct identity *identity = arg;

	if (!identity->guest) {
		identity->guest = record->guest;
		identity->origin = record->origin;
		identity->threads = record->flags & POL_LABEL_THREAD;
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
static int free_one(const struct pol_engine *engine, pid_t pid, uint32_t *ret_guest)
{
	struct identity identity;
	int r;

	r = identify(engine, pid, &identity);
	if (r < 0 || !identity.guest)
		return r;
	*ret_guest = identity.guest;
	r = identity.threads ? 0 : move_home(pid, identity.origin);
	if (!r && !identity.threads)
		r = restore_nofile(engine, pid);
	if (r >= 0)
		r = unlabel_threads(engine, pid);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return 1;
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
	if (!identity.threads) {
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

int pol_detach(struct pol_engine *engine, pid_t pid, size_t *ret_cnt, uint32_t *ret_guest,
	       struct pol_err *err)
{
	_cleanup_(processes_done) struct processes list = {};
	size_t moved = 1;
	int r = 0;

	*ret_cnt = 0;
	*ret_guest = 0;
	if (group_of(pid) >= 0 && group_of(pid) != pid) {
		*ret_cnt = 1;
		return detach_thread(engine, pid, ret_guest, err);
	}
	for (int pass = 0; pass < PASSES_MAX && moved; pass++) {
		moved = 0;
		r = list_processes(&list);
		if (r < 0)
			return pol_err_set(err, POL_ERR_FAILED, r, "cannot read /proc");
		if (!find(&list, pid) && !pass)
			return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
		(void)choose(&list, pid);
		for (size_t i = 0; i < list.cnt; i++) {
			r = list.items[i].chosen ? free_one(engine, list.items[i].pid, ret_guest) : 0;
			if (r < 0)
				return pol_err_set(err, POL_ERR_FAILED, r,
						   "cannot free process %d", list.items[i].pid);
			moved += (size_t)r;
		}
		*ret_cnt += moved;
	}
	if (!*ret_cnt)
		return pol_err_say(err, POL_ERR_FAILED, -ENOENT, "process %d is no guest", pid);
	pol_note(engine, *ret_guest, POL_ACTION_DETACHED);
	return 0;
}

int pol_held_outside(const struct pol_engine *engine, pid_t pid, int (*fn)(const void *, void *), void *arg)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)pid };

	return pol_iterate(engine, POL_PROG_FDS, &command, sizeof(struct pol_fd_record), fn, arg);
}
