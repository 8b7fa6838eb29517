/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nofile.h"

#include <sys/syscall.h>

#include "base.h"
#include "members.h"

bool pol_has_fds(const struct pol_limits *limits)
{
	return limits->fds < POL_LIMIT_MAX;
}

/* ------------------------------------------------------------------ what is held */

static int add_held(const void *data, void *arg)
{
	const struct pol_file_record *record = data;
	struct pol_held *held = arg;

	held->cnt++;
	if (record->charge == POL_CHARGE_NONE)
		held->new++;
	if ((int64_t)record->fd > held->highest)
		held->highest = record->fd;
	return 0;
}

static int iterate_files(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			 uint32_t action, struct pol_held *ret)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = action,
	};

	*ret = (struct pol_held){ .highest = -1 };
	return pol_iterate(engine, POL_PROG_FILES, &command, sizeof(struct pol_file_record),
			   add_held, ret);
}

int pol_held_look(const struct pol_engine *engine, pid_t pid, uint32_t guest, struct pol_held *ret)
{
	return iterate_files(engine, pid, guest, POL_ITER_LIST, ret);
}

int pol_held_take(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		  const struct pol_limits *limits)
{
	struct pol_held held;

	return iterate_files(engine, pid, guest,
			     limits->fds_all ? POL_ITER_CHARGE : POL_ITER_BASELINE, &held);
}

static int take_held(const struct pol_engine *engine, pid_t pid, uint32_t guest, const void *limits)
{
	return pol_held_take(engine, pid, guest, limits);
}

int pol_held_rebase(const struct pol_engine *engine, uint32_t guest, const struct pol_limits *limits)
{
	int r = limits->fds_all ? 0 : pol_rebase(engine, guest);

	return r < 0 ? r : pol_members_each(engine, guest, take_held, limits);
}

/* ------------------------------------------------------------------ limits */

struct rlimit pol_nofile_floor(const struct pol_nofile *before, uint64_t fds)
{
	uint64_t most = before->base + fds; /* fds is at most 2^30 */

	if (most > before->hard)
		most = before->hard;
	return (struct rlimit){ .rlim_cur = most, .rlim_max = most };
}

static int set_limit(pid_t pid, const struct rlimit *limit)
{
	return prlimit(pid, RLIMIT_NOFILE, limit, NULL) < 0 ? -errno : 0;
}

int pol_nofile_restore(pid_t pid, const struct pol_nofile *before)
{
	const struct rlimit limit = { .rlim_cur = before->soft, .rlim_max = before->hard };

	return before->hard ? set_limit(pid, &limit) : 0;
}

static int no_record(const void *record, void *arg)
{
	(void)record;
	(void)arg;
	return 0;
}

/* Writes the numbers into the labels of the process's threads, for its children and for detach. */
static int keep_nofile(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		       const struct pol_nofile *nofile)
{
	const struct pol_iter_command command = {
		.tgid = (uint32_t)pid,
		.guest = guest,
		.action = POL_ITER_NOFILE,
		.nofile_soft = nofile->soft,
		.nofile_hard = nofile->hard,
		.nofile_base = nofile->base,
	};

	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   no_record, NULL);
}

/* How it is now, before it is changed for the first time. */
static int look_before(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		       struct pol_nofile *ret)
{
	struct pol_held held;
	struct rlimit limit;
	int r = pol_held_look(engine, pid, guest, &held);

	if (r < 0)
		return r;
	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return -errno;
	*ret = (struct pol_nofile){
		.soft = limit.rlim_cur,
		.hard = limit.rlim_max,
		.base = (uint32_t)(held.highest + 1),
	};
	return 0;
}

int pol_nofile_apply(const struct pol_engine *engine, pid_t pid, uint32_t guest,
		     const struct pol_limits *limits)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_nofile before = {};
	struct pol_label label;
	struct rlimit limit;
	int r = 0;

	if (pidfd < 0 || pol_label_get(engine, pidfd, &label) < 0)
		return -ESRCH;
	before = (struct pol_nofile){ label.nofile_soft, label.nofile_hard, label.nofile_base };
	if (!pol_has_fds(limits)) {
		r = pol_nofile_restore(pid, &before);
		return r < 0 ? r : keep_nofile(engine, pid, guest, &(struct pol_nofile){});
	}
	/* Kept first: a child that is forked meanwhile knows how it was, whichever limit it got. */
	if (!before.hard)
		r = look_before(engine, pid, guest, &before);
	if (!r && !label.nofile_hard)
		r = keep_nofile(engine, pid, guest, &before);
	limit = pol_nofile_floor(&before, limits->fds);
	return r < 0 ? r : set_limit(pid, &limit);
}

static int follow(const struct pol_engine *engine, pid_t pid, uint32_t guest, const void *limits)
{
	return pol_nofile_apply(engine, pid, guest, limits);
}

int pol_nofile_follow(const struct pol_engine *engine, uint32_t guest, uint64_t fds)
{
	const struct pol_limits limits = { .fds = fds };

	return pol_members_each(engine, guest, follow, &limits);
}

int pol_held_follow(const struct pol_engine *engine, uint32_t guest, const struct pol_limits *before,
		    const struct pol_limits *limits)
{
	bool had = pol_has_fds(before);
	int r = 0;

	if (!had && !pol_has_fds(limits))
		return 0;
	if (!had)
		r = pol_held_rebase(engine, guest, limits);
	if (!r && (!had || limits->fds != before->fds))
		r = pol_nofile_follow(engine, guest, limits->fds);
	return r;
}
