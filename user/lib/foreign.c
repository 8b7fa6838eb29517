/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreign.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "adopt_int.h"
#include "base.h"
#include "cgroup.h"
#include "engine_int.h"
#include "foreign_int.h"
#include "load.h"
#include "nofile.h"

/* ------------------------------------------------------------------ entries */

int pol_foreign_get(const struct pol_engine *engine, uint64_t cgroup, struct pol_foreign *ret)
{
	return bpf_map_lookup_elem(engine->maps[POL_MAP_FOREIGN], &cgroup, ret);
}

int pol_foreign_put(const struct pol_engine *engine, uint64_t cgroup,
		    const struct pol_foreign *foreign, struct pol_err *err)
{
	int r = bpf_map_update_elem(engine->maps[POL_MAP_FOREIGN], &cgroup, foreign, BPF_ANY);

	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot note down a cgroup") : 0;
}

void pol_foreign_forget(const struct pol_engine *engine, uint64_t cgroup)
{
	(void)bpf_map_delete_elem(engine->maps[POL_MAP_FOREIGN], &cgroup);
}

/* First the keys: a walk over a hash from which entries are deleted begins again. */
static int take_keys(int map, uint64_t **ret, size_t *ret_cnt)
{
	uint64_t *keys = calloc(POL_GUESTS_MAX, sizeof(*keys)), *at = NULL;
	size_t cnt = 0;

	if (!keys)
		return -ENOMEM;
	while (cnt < POL_GUESTS_MAX && !bpf_map_get_next_key(map, at, &keys[cnt]))
		at = &keys[cnt++];
	*ret = keys;
	*ret_cnt = cnt;
	return 0;
}

int pol_foreign_each(int map, int (*fn)(uint64_t cgroup, const struct pol_foreign *foreign, void *arg),
		     void *arg)
{
	_cleanup_free_ uint64_t *keys = NULL;
	struct pol_foreign foreign;
	size_t cnt = 0;
	int r = take_keys(map, &keys, &cnt);

	for (size_t i = 0; i < cnt && r >= 0; i++)
		if (!bpf_map_lookup_elem(map, &keys[i], &foreign))
			r = fn(keys[i], &foreign, arg);
	return r < 0 ? r : 0;
}

static int open_id(uint64_t cgroup)
{
	char path[1024];
	int fd, r = pol_cgroup_path_of(cgroup, path, sizeof(path));

	if (!r)
		r = pol_cgroup_open_path(path, &fd);
	return r < 0 ? r : fd;
}

/* ------------------------------------------------------------------ its tasks */

struct labelled {
	size_t new;
	bool full;
	bool others;
	uint32_t guest;
};

static int see_label(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct labelled *labelled = arg;

	labelled->new += !!(record->flags & POL_TASK_NEW);
	labelled->full |= record->flags & POL_TASK_FULL;
	labelled->others |= record->guest && record->guest != labelled->guest;
	return 0;
}

static int look_at_process(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			   struct labelled *ret)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.action = POL_ITER_LIST,
	};

	*ret = (struct labelled){ .guest = guest };
	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   see_label, ret);
}

/* All threads of a process that have no label. Return: how many got one. */
static int label_process(const struct pol_engine *engine, pid_t pid, uint32_t guest)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_LABEL,
		.label_flags = POL_LABEL_ADOPTING,
	};
	size_t cnt = 0;

	if (pid <= 0)
		return -EINVAL; /* it would be every task of the host */
	for (int i = 0; i < POL_BUSY_TRIES; i++) {
		struct labelled labelled = { .guest = guest };
		int r = pol_iterate(engine, POL_PROG_TASKS, &command,
				    sizeof(struct pol_task_record), see_label, &labelled);

		cnt += labelled.new;
		if (r < 0 || !labelled.full)
			return r < 0 ? r : (int)cnt;
	}
	return -ENOMEM;
}

/* What it held before its label is baseline, what it opens since is charged. */
static int take_process(const struct pol_engine *engine, const struct pol_meta_guest *guest,
			pid_t pid)
{
	int r = label_process(engine, pid, guest->id), cnt = r;

	if (r <= 0 || !pol_has_fds(&guest->limits))
		return r;
	r = pol_nofile_apply(engine, pid, guest->id, &guest->limits);
	if (!r)
		r = pol_held_take(engine, pid, guest->id, &guest->limits);
	return r < 0 && r != -ESRCH ? r : cnt;
}

/* Until a pass finds nobody without a label. */
static int take_processes(const struct pol_engine *engine, const struct pol_meta_guest *guest, int fd,
			  size_t *ret_cnt)
{
	for (int pass = 0; pass < POL_PASSES_MAX; pass++) {
		_cleanup_free_ pid_t *pids = NULL;
		size_t cnt = 0, taken = 0;
		int r = pol_cgroup_procs(fd, &pids, &cnt);

		for (size_t i = 0; i < cnt && r >= 0; i++) {
			r = take_process(engine, guest, pids[i]);
			taken += r > 0;
		}
		if (r < 0)
			return r;
		*ret_cnt += taken;
		if (!taken)
			return 0;
	}
	return -EBUSY;
}

static int say_other(pid_t pid, const char *path, struct pol_err *err)
{
	pol_err_say(err, POL_ERR_FAILED, -EALREADY,
		    "process %d in cgroup '%s' is another guest's", pid, path);
	return pol_err_fix(err, "detach it, or move it out of the cgroup");
}

/* Descriptors with fds_baseline = "none" are charged: there has to be room. */
static int check_room(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		      const char *path, size_t tasks, size_t held, struct pol_err *err)
{
	uint32_t now = POL_COUNT_FDS(engine->states[guest->id].counts);
	_cleanup_free_ uint32_t *counts = NULL;
	int r = pol_task_counts(engine, &counts);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot count the guests' tasks");
	if (counts[guest->id] + tasks > guest->limits.pids) {
		pol_err_say(err, POL_ERR_FAILED, -EAGAIN,
			    "guest '%s' may have %llu tasks, has %u, and cgroup '%s' has %zu",
			    guest->name, (unsigned long long)guest->limits.pids, counts[guest->id],
			    path, tasks);
		return pol_err_fix(err, "raise limits.pids");
	}
	if (!pol_has_fds(&guest->limits) || !guest->limits.fds_all ||
	    now + held <= guest->limits.fds)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EMFILE,
		    "guest '%s' may hold %llu descriptors, holds %u, and those in cgroup '%s' hold "
		    "%zu",
		    guest->name, (unsigned long long)guest->limits.fds, now, path, held);
	return pol_err_fix(err, "raise limits.fds, or set fds_baseline = \"attach\"");
}

int pol_foreign_check(const struct pol_engine *engine, const struct pol_meta_guest *guest, int fd,
		      const char *path, struct pol_err *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t cnt = 0, tasks = 0, held = 0;
	int r = pol_cgroup_procs(fd, &pids, &cnt);

	if (!r)
		r = pol_cgroup_threads(fd, &tasks);
	for (size_t i = 0; i < cnt && r >= 0; i++) {
		struct pol_held one = {};
		struct labelled seen;

		r = look_at_process(engine, pids[i], guest->id, &seen);
		if (!r && seen.others)
			return say_other(pids[i], path, err);
		if (!r && guest->limits.fds_all &&
		    pol_held_look(engine, pids[i], guest->id, &one) >= 0)
			held += one.new;
	}
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at cgroup '%s'", path);
	return check_room(engine, guest, path, tasks, held, err);
}

/* Labels first: what is held then is baseline, and children inherit. Then whoever came meanwhile. */
int pol_foreign_adopt(struct pol_engine *engine, const struct pol_meta_guest *guest, int fd,
		      uint64_t cgroup, unsigned int level, size_t *ret_cnt, struct pol_err *err)
{
	int r;

	*ret_cnt = 0;
	r = take_processes(engine, guest, fd, ret_cnt);
	if (!r)
		r = pol_cgroups_put(engine, cgroup, level, guest->id);
	if (!r)
		r = take_processes(engine, guest, fd, ret_cnt);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot adopt a cgroup for guest '%s'",
				   guest->name);
	return 0;
}

int pol_foreign_settled(const struct pol_engine *engine, const struct pol_meta_guest *guest,
			uint64_t cgroup)
{
	struct pol_foreign foreign;
	int r = pol_foreign_get(engine, cgroup, &foreign);

	if (!r && !(foreign.flags & POL_FOREIGN_SETTLED)) {
		foreign.flags |= POL_FOREIGN_SETTLED;
		r = pol_foreign_put(engine, cgroup, &foreign, NULL);
	}
	return r < 0 ? r : pol_adopt_finish(engine, guest);
}

/* ------------------------------------------------------------------ the reverse */

/* Return: how many processes have lost a label of an adoption. */
static size_t undo_processes(const struct pol_engine *engine, int fd, uint32_t guest)
{
	_cleanup_free_ pid_t *pids = NULL;
	size_t cnt = 0, undone = 0;

	(void)pol_cgroup_procs(fd, &pids, &cnt);
	for (size_t i = 0; i < cnt; i++)
		undone += pol_adopt_undo_process(engine, pids[i], guest) > 0;
	return undone;
}

void pol_foreign_undo(struct pol_engine *engine, uint32_t guest, uint64_t cgroup)
{
	struct pol_foreign foreign;
	int fd = open_id(cgroup);

	pol_cgroups_drop(engine, cgroup);
	if (fd >= 0) {
		/* A child that was forked meanwhile has its parent's label: until a pass finds none. */
		for (int pass = 0; pass < POL_PASSES_MAX; pass++)
			if (!undo_processes(engine, fd, guest))
				break;
	}
	if (!pol_foreign_get(engine, cgroup, &foreign))
		pol_foreign_put_back(fd, &foreign);
	pol_closep(&fd);
	pol_foreign_forget(engine, cgroup);
}

void pol_foreign_leave(struct pol_engine *engine, uint32_t guest, uint64_t cgroup)
{
	const struct pol_meta_guest who = { .id = guest, .limits.fds = POL_LIMIT_UNSET };
	struct pol_foreign foreign;
	size_t ignored = 0;
	int fd = open_id(cgroup);

	if (fd >= 0)
		(void)take_processes(engine, &who, fd, &ignored);
	pol_cgroups_drop(engine, cgroup);
	if (!pol_foreign_get(engine, cgroup, &foreign))
		pol_foreign_put_back(fd, &foreign);
	pol_closep(&fd);
	(void)pol_adopt_finish(engine, &who);
	pol_foreign_forget(engine, cgroup);
}

static int restore_one(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct pol_foreign copy = *foreign;
	const int *map = arg;
	int fd = open_id(cgroup);

	pol_foreign_put_back(fd, &copy);
	pol_closep(&fd);
	(void)bpf_map_delete_elem(*map, &cgroup);
	return 0;
}

void pol_foreign_restore(const char *store)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	_cleanup_close_ int map = -EBADF;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/maps/%s", store, pol_map_name(POL_MAP_FOREIGN));
	map = bpf_obj_get(path);
	/* Another version's may be larger than ours. */
	if (map >= 0 && !bpf_obj_get_info_by_fd(map, &info, &len) &&
	    info.value_size == sizeof(struct pol_foreign))
		(void)pol_foreign_each(map, restore_one, &map);
}
