/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adopt.h"
#include "base.h"
#include "cgroup.h"
#include "file.h"
#include "nofile.h"
#include "proc.h"
#include "proc_tree.h"
#include "systemd.h"
#include "unit_limits.h"

#define PASSES_MAX 1000 /* a tree that forks faster than this many passes is to be stopped first */
#define JOIN_TRIES 100 /* 20 ms apart: a scope that is just going */

struct pol_scope {
	struct pol_systemd *systemd;
	const char *guest;
	const struct pol_limits *limits;
	struct pol_unit_limit *rows; /* owned */
	size_t rows_cnt;
	char name[96]; /* a guest's name has at most 63 bytes */
	char description[96];
	char lacks[128];
};

const char *pol_scope_name(const struct pol_scope *scope)
{
	return scope->name;
}

const char *pol_scope_lacks(const struct pol_scope *scope)
{
	return scope->lacks;
}

void pol_scope_closep(struct pol_scope **scope)
{
	if (*scope) {
		pol_systemd_closep(&(*scope)->systemd);
		free((*scope)->rows);
	}
	free(*scope);
}

/* ------------------------------------------------------------------ what this systemd can hold */

static int refuse_row(const struct pol_scope *scope, const struct pol_unit_limit *row,
		      struct pol_err *err)
{
	int word = (int)strcspn(row->file, ".");

	pol_err_say(err, POL_ERR_HOST, -ENODEV,
		    "guest '%s': %s cannot be set, this systemd has no controller '%.*s'",
		    scope->guest, row->file, word, row->file);
	if (!geteuid())
		return pol_err_fix(err, "the kernel has to offer it in cgroup.controllers, or set "
					"best_effort = true in the guest's limits");
	return pol_err_fix(err,
			   "delegate it to sessions: 'systemctl edit user@.service' as root with "
			   "[Service] Delegate=pids memory cpu io, then log in again; or set "
			   "best_effort = true in the guest's limits");
}

static void note_lack(struct pol_scope *scope, const char *file)
{
	size_t len = strlen(scope->lacks);

	if (!strstr(scope->lacks, file)) /* one of io has many rows */
		(void)snprintf(scope->lacks + len, sizeof(scope->lacks) - len, "%s%s",
			       len ? ", " : "", file);
}

static void give_up(struct pol_scope *scope, size_t i)
{
	note_lack(scope, scope->rows[i].file);
	memmove(&scope->rows[i], &scope->rows[i + 1],
		(--scope->rows_cnt - i) * sizeof(scope->rows[0]));
}

static bool has_word(const char *text, const char *word, size_t len)
{
	for (; *text; text += strspn(text, " \n")) {
		size_t n = strcspn(text, " \n");

		if (n == len && strncmp(text, word, len) == 0)
			return true;
		text += n;
	}
	return false;
}

/* Before anything is moved: systemd itself leaves out what it cannot set, without a word. */
static int check_controllers(struct pol_scope *scope, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	char cgroup[1024], offered[256];
	int r = pol_systemd_cgroup(scope->systemd, cgroup, sizeof(cgroup), err);

	if (r < 0)
		return r;
	r = pol_cgroup_open(cgroup + 1, NULL, &fd);
	if (!r)
		r = pol_file_read(fd, "cgroup.controllers", offered, sizeof(offered));
	if (r < 0) {
		pol_err_set(err, POL_ERR_HOST, r, "cannot see the controllers of '%s'", cgroup);
		return pol_err_fix(err, "systemd has to run on cgroup v2 "
					"(systemd.unified_cgroup_hierarchy=1)");
	}
	for (size_t i = 0; i < scope->rows_cnt;) {
		const struct pol_unit_limit *row = &scope->rows[i];

		if (has_word(offered, row->file, strcspn(row->file, ".")))
			i++;
		else if (scope->limits->best_effort)
			give_up(scope, i);
		else
			return refuse_row(scope, row, err);
	}
	return 0;
}

int pol_scope_open(const char *guest, const struct pol_limits *limits, struct pol_scope **ret,
		   struct pol_err *err)
{
	_cleanup_(pol_scope_closep) struct pol_scope *scope = calloc(1, sizeof(*scope));
	int r;

	if (scope)
		scope->rows = calloc(pol_unit_limits_max(limits), sizeof(*scope->rows));
	if (!scope || !scope->rows)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot make a scope");
	scope->guest = guest;
	scope->limits = limits;
	scope->rows_cnt = pol_unit_limits(limits, scope->rows);
	(void)snprintf(scope->name, sizeof(scope->name), "policyctl-%s.scope", guest);
	(void)snprintf(scope->description, sizeof(scope->description), "Ceilings of guest %s",
		       guest);
	r = pol_systemd_open(geteuid() != 0, &scope->systemd, err);
	if (!r)
		r = check_controllers(scope, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(scope);
	return 0;
}

/* ------------------------------------------------------------------ into it */

/* In one call: a ceiling that stays is not lifted for a moment. */
static int change_ceilings(struct pol_scope *scope, struct pol_err *err)
{
	size_t cnt, max = POL_UNIT_LIFTS_MAX + scope->rows_cnt;
	_cleanup_free_ struct pol_unit_limit *all = calloc(max, sizeof(*all));

	if (!all)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot change a scope");
	cnt = pol_unit_lifts(scope->limits, all);
	memcpy(&all[cnt], scope->rows, scope->rows_cnt * sizeof(*all));
	return pol_systemd_limit(scope->systemd, scope->name, all, cnt + scope->rows_cnt, err);
}

/* Processes join a scope that is there. Return: 0; -EAGAIN: it has just ended. */
static int join(struct pol_scope *scope, const pid_t *pids, size_t cnt, struct pol_err *err)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	struct pol_unit unit;
	int r = pol_systemd_unit(scope->systemd, scope->name, &unit, err);

	if (r == -ENOENT)
		return -EAGAIN;
	if (r < 0)
		return r;
	if (strcmp(unit.description, scope->description) != 0) {
		pol_err_say(err, POL_ERR_FAILED, -EEXIST,
			    "unit '%s' exists, and is not a scope of policyctl's ('%s')",
			    scope->name, unit.description);
		return pol_err_fix(err, "stop it, or give the guest another name");
	}
	if (strcmp(unit.active, "active") != 0) {
		(void)nanosleep(&tick, NULL);
		return -EAGAIN;
	}
	r = change_ceilings(scope, err);
	return r < 0 ? r : pol_systemd_add(scope->systemd, scope->name, pids, cnt, err);
}

static int start_or_join(struct pol_scope *scope, const pid_t *pids, size_t cnt,
			 struct pol_err *err)
{
	const struct pol_scope_request request = {
		.name = scope->name,
		.description = scope->description,
		.pids = pids,
		.pids_cnt = cnt,
		.limits = scope->rows,
		.limits_cnt = scope->rows_cnt,
	};

	for (int i = 0; i < JOIN_TRIES; i++) {
		int r = pol_systemd_start_scope(scope->systemd, &request, err);

		if (r == -EEXIST)
			r = join(scope, pids, cnt, err);
		if (r != -EAGAIN)
			return r;
	}
	return pol_err_say(err, POL_ERR_FAILED, -EBUSY, "scope '%s' does not end", scope->name);
}

/* ------------------------------------------------------------------ what holds */

static int open_cgroup(struct pol_scope *scope, int *ret_fd, struct pol_err *err)
{
	struct pol_unit unit;
	int r = pol_systemd_unit(scope->systemd, scope->name, &unit, err);

	if (r < 0)
		return r;
	r = *unit.cgroup ? pol_cgroup_open(unit.cgroup + 1, NULL, ret_fd) : -ENOENT;
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open the cgroup of scope '%s'",
				   scope->name);
	return 0;
}

static int fix_row(const struct pol_scope *scope, const struct pol_unit_limit *row,
		   struct pol_err *err)
{
	if (row->device)
		return pol_err_fix(err,
				   "of a device that is made of another, as LUKS and LVM have it, "
				   "systemd limits the one beneath: name that ('lsblk -s %s'); or "
				   "set best_effort = true in the guest's limits",
				   row->device);
	return pol_err_fix(err, "'systemctl %sshow %s' has what systemd knows; or set best_effort = "
				"true in the guest's limits",
			   geteuid() ? "--user " : "", scope->name);
}

static int check_row(const struct pol_scope *scope, int cgroup, const struct pol_unit_limit *row,
		     struct pol_err *err)
{
	char text[4096];
	int r = pol_file_read(cgroup, row->file, text, sizeof(text));

	if (r >= 0 && pol_unit_limit_holds(row, text))
		return 0;
	if (r >= 0)
		text[strcspn(text, "\n")] = '\0';
	pol_err_say(err, POL_ERR_HOST, -ENODEV, "scope '%s': %s is to be '%s%s%s' and %s%.200s",
		    scope->name, row->file, row->disk, row->device ? " " : "", row->text,
		    r < 0 ? "is not there" : "is ", r < 0 ? "" : text);
	return fix_row(scope, row, err);
}

/* memory.oom.group is no property of a scope before systemd 253: a guest dies as a whole. */
static int check_ceilings(struct pol_scope *scope, int cgroup, struct pol_err *err)
{
	bool best_effort = scope->limits->best_effort;
	int r = 0;

	if (scope->limits->memory_bytes != POL_LIMIT_UNSET)
		r = pol_file_write(cgroup, "memory.oom.group", "1");
	if (r < 0 && !best_effort)
		return pol_err_set(err, POL_ERR_HOST, r, "scope '%s': cannot set memory.oom.group",
				   scope->name);
	if (r < 0)
		note_lack(scope, "memory.oom.group");
	for (size_t i = 0; i < scope->rows_cnt; i++) {
		r = check_row(scope, cgroup, &scope->rows[i], err);
		if (r < 0 && !best_effort)
			return r;
		if (r < 0)
			give_up(scope, i--);
	}
	return 0;
}

/* The scope's, if there is one already; else -EBADF. */
static int try_cgroup(struct pol_scope *scope)
{
	struct pol_err ignored;
	int fd = -EBADF;

	(void)open_cgroup(scope, &fd, &ignored);
	return fd;
}

/* Moving ignores pids.max. @cgroup: try_cgroup(). @threads: that come, besides those in it. */
static int check_tasks(const struct pol_scope *scope, int cgroup, size_t threads,
		       struct pol_err *err)
{
	uint64_t now = 0;

	if (cgroup >= 0)
		(void)pol_file_read_u64(cgroup, "pids.current", &now);
	if (!threads || now + threads <= scope->limits->pids)
		return 0; /* nobody comes: a ceiling may become lower than what is there */
	pol_err_say(err, POL_ERR_FAILED, -EAGAIN,
		    "guest '%s' may have %llu tasks, has %llu, and the process has %zu",
		    scope->guest, (unsigned long long)scope->limits->pids, (unsigned long long)now,
		    threads);
	return pol_err_fix(err, "raise limits.pids, or attach less");
}

static int put(struct pol_scope *scope, const pid_t *pids, size_t cnt, int *ret_cgroup,
	       struct pol_err *err)
{
	_cleanup_close_ int cgroup = -EBADF;
	int r = start_or_join(scope, pids, cnt, err);

	if (!r)
		r = open_cgroup(scope, &cgroup, err);
	if (!r)
		r = check_ceilings(scope, cgroup, err);
	if (!r && ret_cgroup)
		*ret_cgroup = TAKE_FD(cgroup);
	return r;
}

int pol_scope_put(struct pol_scope *scope, pid_t pid, struct pol_err *err)
{
	_cleanup_close_ int before = try_cgroup(scope);
	int r = check_tasks(scope, before, 1, err);

	return r < 0 ? r : put(scope, &pid, 1, NULL, err);
}

/* ------------------------------------------------------------------ trees */

/* The highest descriptor's number plus one. */
static int count_numbers(pid_t pid, uint32_t *ret)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	*ret = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (!*end && fd >= (long)*ret)
			*ret = (uint32_t)fd + 1;
	}
	closedir(dir);
	return 0;
}

static bool is_gone(int r)
{
	return r == -ESRCH || r == -ENOENT;
}

/*
 * What of limits.fds can be held without the engine: the numbers of each process.
 * Return: 1: they were lowered; 0: they are as they are to be, or it is gone.
 */
static int cap_descriptors(const struct pol_scope *scope, pid_t pid, struct pol_err *err)
{
	struct pol_nofile before = {};
	struct rlimit was, limit;
	int r = count_numbers(pid, &before.base);

	if (!r && prlimit(pid, RLIMIT_NOFILE, NULL, &was) < 0)
		r = -errno;
	if (!r) {
		before.soft = was.rlim_cur;
		before.hard = was.rlim_max;
		limit = pol_nofile_floor(&before, scope->limits->fds);
		if (limit.rlim_cur == was.rlim_cur && limit.rlim_max == was.rlim_max)
			return 0;
		r = prlimit(pid, RLIMIT_NOFILE, &limit, NULL) < 0 ? -errno : 1;
	}
	if (r > 0 || is_gone(r))
		return r > 0;
	return pol_err_set(err, POL_ERR_FAILED, r, "cannot set RLIMIT_NOFILE of process %d", pid);
}

/* Return: 1: one of them was lowered; 0. */
static int cap_tree(const struct pol_scope *scope, const struct pol_proc_tree *tree,
		    struct pol_err *err)
{
	int lowered = 0;

	if (!pol_has_fds(scope->limits))
		return 0;
	for (size_t i = 0; i < tree->cnt; i++) {
		int r = cap_descriptors(scope, tree->pids[i], err);

		if (r < 0)
			return r;
		lowered |= r;
	}
	return lowered;
}

/* @home: of the cgroup. Who has ended lies nowhere: he needs not be put there. */
static bool is_in(pid_t pid, uint64_t home)
{
	uint64_t now;

	return pol_cgroup_of_pid(pid, &now) < 0 || now == home;
}

/* Of the tree, those that are not in the cgroup yet. */
static void drop_those_in(struct pol_proc_tree *tree, int cgroup)
{
	uint64_t home = 0;
	size_t cnt = 0;

	if (pol_cgroup_id(cgroup, &home) < 0)
		return;
	for (size_t i = 0; i < tree->cnt; i++)
		if (!is_in(tree->pids[i], home))
			tree->pids[cnt++] = tree->pids[i];
	tree->cnt = cnt;
}

/* Those of a cgroup that is there (else -EBADF) are in its own count already. */
static size_t count_threads_outside(const struct pol_proc_tree *tree, int cgroup)
{
	struct pol_proc proc;
	uint64_t home = 0;
	size_t threads = 0;
	bool known = cgroup >= 0 && !pol_cgroup_id(cgroup, &home);

	for (size_t i = 0; i < tree->cnt; i++)
		if (!(known && is_in(tree->pids[i], home)) && !pol_proc_read(tree->pids[i], &proc))
			threads += proc.threads;
	return threads;
}

/* All of them, also those that are in: the ceilings are to be those of this policy. */
static int put_first(struct pol_scope *scope, const struct pol_proc_tree *tree, int *ret_cgroup,
		     struct pol_err *err)
{
	_cleanup_close_ int before = try_cgroup(scope);
	int r = check_tasks(scope, before, count_threads_outside(tree, before), err);

	return r < 0 ? r : put(scope, tree->pids, tree->cnt, ret_cgroup, err);
}

static int put_rest(struct pol_scope *scope, struct pol_proc_tree *tree, int cgroup,
		    struct pol_err *err)
{
	drop_those_in(tree, cgroup);
	return tree->cnt ? pol_systemd_add(scope->systemd, scope->name, tree->pids, tree->cnt, err)
			 : 0;
}

/*
 * Return: 1: somebody was put there, or capped, and may have forked before; 0: nobody is left. Each
 * pass caps all: who is in by birth has the RLIMIT_NOFILE that its parent had then.
 */
static int put_pass(struct pol_scope *scope, pid_t pid, int *cgroup, size_t *cnt,
		    struct pol_err *err)
{
	_cleanup_(pol_proc_tree_done) struct pol_proc_tree tree = {};
	bool first = *cgroup < 0;
	int lowered, r = pol_proc_tree(pid, &tree);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at process %d", pid);
	if (first)
		r = put_first(scope, &tree, cgroup, err);
	lowered = r < 0 ? r : cap_tree(scope, &tree, err);
	if (lowered < 0)
		return lowered;
	if (!first)
		r = put_rest(scope, &tree, *cgroup, err);
	if (r < 0)
		return r;
	*cnt += tree.cnt;
	return lowered || tree.cnt;
}

int pol_scope_target(pid_t pid, struct pol_err *err)
{
	struct pol_proc_ids ids;
	int r = pol_attach_target(pid, err);

	if (r < 0 || pol_proc_ids(pid, &ids) < 0 || ids.tgid == pid)
		return r;
	pol_err_say(err, POL_ERR_FAILED, -EINVAL, "%d is a thread of process %d", pid, ids.tgid);
	return pol_err_fix(err, "attach the process, with all its threads");
}

int pol_scope_put_tree(struct pol_scope *scope, pid_t pid, size_t *ret_cnt, struct pol_err *err)
{
	_cleanup_close_ int cgroup = -EBADF;
	int r = pol_scope_target(pid, err);

	*ret_cnt = 0;
	for (int pass = 0; r >= 0 && pass < PASSES_MAX; pass++) {
		int n = put_pass(scope, pid, &cgroup, ret_cnt, err);

		if (n == 0)
			return 0;
		if (n < 0 && (n != -ESRCH || pol_attach_target(pid, err) < 0))
			r = n; /* else one of its children has ended meanwhile */
	}
	return r < 0 ? r
		     : pol_err_say(err, POL_ERR_FAILED, -EBUSY,
				   "process %d forks faster than it can be put into '%s'", pid,
				   scope->name);
}
