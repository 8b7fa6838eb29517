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

static int ignore_record(const void *record, void *arg)
{
	(void)record;
	(void)arg;
	return 0;
}

static int label_threads(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			 uint64_t origin)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_LABEL,
		.origin = origin,
	};

	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   ignore_record, NULL);
}

/* Moves one process and labels all its threads. Return: 1: done, 0: it is gone, or was in. */
static int adopt_one(struct pol_engine *engine, int cgroup, const struct pol_meta_guest *guest,
		     pid_t pid)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_label label;
	uint64_t origin;
	int r;

	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	if (!pol_label_get(engine, pidfd, &label))
		return label.guest == guest->id ? 0 : -EALREADY;
	if (pol_cgroup_of_pid(pid, &origin) < 0)
		return 0;
	r = pol_cgroup_move(cgroup, pid);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	r = label_threads(engine, pid, guest->id, origin);
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

static int check_ceiling(const struct pol_engine *engine, const struct pol_meta_guest *guest,
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
		r = check_ceiling(engine, guest, choose(&list, pid), err);
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

/* ------------------------------------------------------------------ detach */

/* The first record of a process says what it is; origin from its label. */
struct identity {
	uint32_t guest;
	uint64_t origin;
};

static int take_identity(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct identity *identity = arg;

	if (!identity->guest) {
		identity->guest = record->guest;
		identity->origin = record->origin;
	}
	return 0;
}

static int task_command(const struct pol_engine *engine, pid_t pid, uint32_t action,
			struct identity *ret)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)pid, .action = action };

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

/* Out of the cgroup first: while it is in, it is the guest, label or not. */
static int free_one(const struct pol_engine *engine, pid_t pid, uint32_t *ret_guest)
{
	_cleanup_close_ int cgroup = -EBADF;
	struct identity identity;
	int r;

	r = task_command(engine, pid, POL_ITER_LIST, &identity);
	if (r < 0 || !identity.guest)
		return r;
	*ret_guest = identity.guest;
	cgroup = open_origin(identity.origin);
	if (cgroup < 0)
		return cgroup;
	r = pol_cgroup_move(cgroup, pid);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	r = task_command(engine, pid, POL_ITER_UNLABEL, &identity);
	return r < 0 ? r : 1;
}

int pol_detach(struct pol_engine *engine, pid_t pid, size_t *ret_cnt, uint32_t *ret_guest,
	       struct pol_err *err)
{
	_cleanup_(processes_done) struct processes list = {};
	size_t moved = 1;
	int r = 0;

	*ret_cnt = 0;
	*ret_guest = 0;
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

int pol_held(const struct pol_engine *engine, pid_t pid, int (*fn)(const void *, void *), void *arg)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)pid };

	return pol_iterate(engine, POL_PROG_FDS, &command, sizeof(struct pol_fd_record), fn, arg);
}
