/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private directory of a guest that comes and goes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "empty.h"
#include "file.h"
#include "generation.h"
#include "load.h"
#include "tmpdir.h"

static int clear(int dir, uid_t uid, gid_t gid)
{
	int r = pol_dir_empty(dir);

	if (!r && (fchown(dir, uid, gid) < 0 || fchmod(dir, 0700) < 0))
		r = -errno;
	return r;
}

/* Is it what the guest's rule is on? */
static bool is_anchor(const struct pol_meta *meta, const struct pol_meta_guest *guest, int dir)
{
	_cleanup_free_ char *path = pol_tmp_path(guest->name);
	struct stat st;

	if (!path || fstat(dir, &st) < 0)
		return false;
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &meta->rules[i];

		if (rule->ruleset == guest->ruleset && strcmp(rule->path, path) == 0)
			return !rule->pending && rule->ino == st.st_ino &&
			       rule->key.inode.dev ==
				       (major(st.st_dev) << 20 | minor(st.st_dev));
	}
	return false;
}

/* It may hold what running tasks of another user use; root needs nothing to be root's. */
static int share(int dir, const char *name, uid_t uid, gid_t gid, struct pol_err *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot look at the private tmp of '%s'",
				   name);
	if (!uid || st.st_uid == uid)
		return 0;
	if (st.st_uid) {
		pol_err_say(err, POL_ERR_FAILED, -EBUSY,
			    "tasks of '%s' run as user %u, whose its private tmp is: user %u cannot "
			    "have it, too",
			    name, st.st_uid, uid);
		return pol_err_fix(err, "run it as the same user, or 'policyctl stop' it first");
	}
	if (fchown(dir, uid, gid) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno,
				   "cannot give the private tmp of '%s' to user %u", name, uid);
	return 0;
}

static int count_tasks(const struct pol_engine *engine, uint32_t guest, uint32_t *ret)
{
	_cleanup_free_ uint32_t *tasks = NULL;
	int r = pol_task_counts(engine, &tasks);

	if (!r)
		*ret = tasks[guest];
	return r;
}

static int settle(const struct pol_engine *engine, const struct pol_meta_guest *guest, int dir,
		  uid_t uid, gid_t gid, struct pol_err *err)
{
	uint32_t tasks = 0;
	int r = count_tasks(engine, guest->id, &tasks);

	if (!r && tasks)
		return share(dir, guest->name, uid, gid, err);
	if (!r)
		r = clear(dir, uid, gid);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot empty the private tmp of '%s'",
				   guest->name);
	return 0;
}

int pol_tmp_enter(const struct pol_engine *engine, const struct pol_meta *meta,
		  const struct pol_meta_guest *guest, uid_t uid, gid_t gid, struct pol_err *err)
{
	_cleanup_close_ int root = pol_tmp_open(), dir = -EBADF;
	int r;

	r = root < 0 ? 0 : pol_flock(root, LOCK_EX);
	if (r < 0)
		return pol_err_set(err, POL_ERR_BUSY, r, "cannot lock " POL_TMP_ROOT);
	dir = root < 0 ? root : pol_dir_open(root, guest->name);
	if (dir < 0 || !is_anchor(meta, guest, dir)) {
		pol_err_say(err, POL_ERR_FAILED, -ENOENT,
			    "the private tmp that the policy has for '%s' is not at " POL_TMP_ROOT
			    "/%s",
			    guest->name, guest->name);
		return pol_err_fix(err, "'policyctl load' makes it; run and load need to be in the same "
					"mount namespace");
	}
	r = settle(engine, guest, dir, uid, gid, err);
	return r < 0 ? r : TAKE_FD(root);
}

void pol_tmp_leave(const char *name)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int root = -EBADF, dir = -EBADF;
	const struct pol_meta_guest *guest;
	uint32_t tasks = 0;

	/* Anew: it can be another engine and another guest of this name than at the start. */
	if (pol_engine_open(&engine, NULL) < 0 || pol_engine_use(engine, false, NULL) < 0 ||
	    pol_meta_load(engine->control->active, &meta, NULL) < 0)
		return;
	guest = pol_meta_guest(meta, name);
	root = guest && pol_tmp_has(guest) ? pol_tmp_open() : -EBADF;
	if (root < 0 || pol_flock(root, LOCK_EX) < 0)
		return;
	dir = pol_dir_open(root, name);
	if (dir >= 0 && !count_tasks(engine, guest->id, &tasks) && !tasks)
		(void)clear(dir, 0, 0);
}

int pol_tmp_clear(const char *guest, struct pol_err *err)
{
	_cleanup_close_ int root = pol_tmp_open();
	_cleanup_close_ int dir = root < 0 ? root : pol_dir_open(root, guest);
	int r = dir < 0 ? dir : clear(dir, 0, 0);

	if (r < 0 && r != -ENOENT)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot empty the private tmp of '%s'",
				   guest);
	return 0;
}
