/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ownroot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base.h"
#include "enter.h"
#include "file.h"
#include "resolve_int.h"
#include "str.h"

/* ------------------------------------------------------------------ --map */

int pol_map_find(struct pol_map *map, struct pol_err *err)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = { 0 };
	_cleanup_free_ char *clean = NULL;
	int r = pol_path_clean(map->host, strlen(map->host), &clean);

	if (!r)
		r = pol_walk(clean, &walk);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look up '%s'", map->host);
	if (r > 0)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "'%s' is no absolute path",
				   map->host);
	if (walk.fault) {
		r = walk.code ? -walk.code : -ELOOP;
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map '%s': '%s'", map->host,
				   walk.at);
	}
	map->dir = TAKE_PTR(walk.dir);
	map->name = TAKE_PTR(walk.name);
	return 0;
}

/* ------------------------------------------------------------------ the one that is there */

struct search {
	const struct pol_meta_guest *guest;
	struct pol_own_root *root;
};

static int open_mounts(pid_t pid)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Open the root that a task is in. Return: -ESTALE: it is in another now. */
static int open_root(pid_t pid, struct pol_own_root *root, struct pol_err *err)
{
	struct pol_home home;
	int r = pol_home_open(pid, &home, err);

	if (r < 0)
		return r;
	root->in.mounts = open_mounts(pid);
	r = root->in.mounts < 0 ? root->in.mounts : pol_home_check(&home, err);
	root->pid = pid;
	root->id = home.id;
	root->in.root = TAKE_FD(home.root.fd);
	return r;
}

static void close_in(struct pol_own_root *root)
{
	pol_closep(&root->in.mounts);
	pol_closep(&root->in.root);
	root->in = (struct pol_launch_root){ -EBADF, -EBADF };
}

/* A task of the guest in the root that was made for it. Return: 1: found, no need to go on. */
static int try_task(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct search *search = arg;

	if (record->guest != search->guest->id || search->root->in.root >= 0 ||
	    record->flags & (POL_LABEL_LAUNCHER | POL_TASK_EXITING))
		return 0;
	if (open_root((pid_t)record->tid, search->root, NULL) < 0 ||
	    !pol_root_same(&search->root->id, &search->guest->root))
		close_in(search->root);
	return 0;
}

static int find_running(const struct pol_engine *engine, const struct pol_meta_guest *guest,
			struct pol_own_root *root, struct pol_err *err)
{
	const struct pol_iter_command command = { .action = POL_ITER_LIST };
	struct search search = { guest, root };
	int r;

	if (!guest->own_root)
		return 0;
	r = pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record), try_task,
			&search);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot list the guests' tasks");
	return 0;
}

/* Is it seen there already, and as it was asked for? */
static bool shows(const struct pol_own_root *root, const struct pol_map *map)
{
	_cleanup_free_ char *path = pol_path_join(map->dir, map->name);
	_cleanup_close_ int thing = path ? pol_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS) : -1;
	_cleanup_close_ int place = 
		pol_openat2(root->in.root, map->guest, O_PATH, 0, RESOLVE_IN_ROOT);
	struct stat a, b;
	struct statvfs fs;

	return thing >= 0 && place >= 0 && !fstat(thing, &a) && !fstat(place, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino && !fstatvfs(place, &fs) &&
	       (!map->ro || fs.f_flag & ST_RDONLY);
}

static int check_maps(const struct pol_own_root *root, const char *name,
		      const struct pol_map *maps, size_t cnt, struct pol_err *err)
{
	for (size_t i = 0; i < cnt; i++) {
		if (shows(root, &maps[i]))
			continue;
		pol_err_say(err, POL_ERR_FAILED, -EEXIST,
			    "guest '%s' has tasks, and its root, which does not have '%s' at '%s'%s, is "
			    "as its first 'run' has made it",
			    name, maps[i].host, maps[i].guest, maps[i].ro ? ", read-only" : "");
		return pol_err_fix(err, "stop the guest first, or leave out what differs");
	}
	return 0;
}

/* ------------------------------------------------------------------ a new one */

static int make(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		const struct pol_map *maps, size_t maps_cnt, uid_t uid, gid_t gid,
		struct pol_own_root *root, struct pol_err *err)
{
	struct pol_view view = { 0 };
	int r = pol_view_make(meta, guest, maps, maps_cnt, &view, err);

	if (!r)
		r = pol_newroot_make(&view, uid, gid, &root->maker, err);
	pol_view_done(&view);
	if (!r)
		r = open_root(root->maker.pid, root, err);
	root->fresh = true;
	return r;
}

/* ------------------------------------------------------------------ whichever */

static bool needs_one(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		      size_t maps_cnt)
{
	return maps_cnt || guest->own_root || pol_meta_is_mapped(meta, guest);
}

static int take_lock(struct pol_own_root *root, struct pol_err *err)
{
	int r;

	root->lock = pol_dir_open(AT_FDCWD, POL_STORE); /* /maps is the lock of the events' reader */
	r = root->lock < 0 ? root->lock : pol_flock(root->lock, LOCK_EX);
	if (!r)
		return 0;
	if (r != -EWOULDBLOCK)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot lock the roots of guests");
	pol_err_say(err, POL_ERR_BUSY, -EBUSY, "another policyctl is making a root for a guest");
	return pol_err_fix(err, "wait for it and try again");
}

/* Under the lock: whoever had it before has started his task. */
static int open_locked(struct pol_engine *engine, const char *name, const struct pol_map *maps,
		       size_t maps_cnt, uid_t uid, gid_t gid, struct pol_own_root *root,
		       struct pol_err *err)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	const struct pol_meta_guest *guest;
	int r = pol_guest_read(engine, name, &meta, &guest, err);

	if (r < 0)
		return r;
	(void)snprintf(root->sha256, sizeof(root->sha256), "%s", meta->sha256);
	r = find_running(engine, guest, root, err);
	if (!r && root->in.root >= 0)
		return check_maps(root, name, maps, maps_cnt, err);
	if (!r && (maps_cnt || pol_meta_is_mapped(meta, guest)))
		r = make(meta, guest, maps, maps_cnt, uid, gid, root, err);
	return r;
}

int pol_own_root_open(struct pol_engine *engine, const char *name, const struct pol_map *maps,
		      size_t maps_cnt, uid_t uid, gid_t gid, struct pol_own_root *ret,
		      struct pol_err *err)
{
	_cleanup_(pol_own_root_close) struct pol_own_root root = POL_OWN_ROOT_NONE;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	const struct pol_meta_guest *guest;
	int r = pol_guest_read(engine, name, &meta, &guest, err);

	*ret = POL_OWN_ROOT_NONE;
	if (r < 0 || !needs_one(meta, guest, maps_cnt))
		return r;
	r = take_lock(&root, err);
	if (!r)
		r = open_locked(engine, name, maps, maps_cnt, uid, gid, &root, err);
	if (r < 0)
		return r;
	*ret = root;
	root = POL_OWN_ROOT_NONE;
	return 0;
}

void pol_own_root_close(struct pol_own_root *root)
{
	close_in(root);
	pol_newroot_release(&root->maker);
	if (root->lock >= 0)
		(void)flock(root->lock, LOCK_UN); /* a child of another thread's may have a copy */
	pol_closep(&root->lock);
	*root = POL_OWN_ROOT_NONE;
}

/* Is it as it was when the root was made, or found? */
static int check_same(const struct pol_own_root *root, const struct pol_meta *meta,
		      const struct pol_meta_guest *guest, struct pol_err *err)
{
	if (root->in.root < 0 ||
	    (!strcmp(root->sha256, meta->sha256) && guest->own_root &&
	     pol_root_same(&root->id, &guest->root)))
		return 0;
	pol_err_say(err, POL_ERR_BUSY, -EBUSY,
		    "the policy was replaced, or guest '%s' has ended, while its root was looked at",
		    guest->name);
	return pol_err_fix(err, "try again");
}

int pol_own_root_enter(struct pol_engine *engine, const char *name, const struct pol_own_root *root,
		       struct pol_diags *diags, struct pol_meta **ret_meta,
		       const struct pol_meta_guest **ret_guest, int *ret_cgroup,
		       struct pol_err *err)
{
	int r;

	if (root->fresh)
		r = pol_enter_own(engine, name, root->pid, diags, ret_meta, ret_guest, ret_cgroup,
				  err);
	else
		r = pol_enter(engine, name, root->pid, diags, ret_meta, ret_guest, ret_cgroup,
			      err);
	return r < 0 ? r : check_same(root, *ret_meta, *ret_guest, err);
}
