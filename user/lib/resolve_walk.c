/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One path, component by component from the root, O_NOFOLLOW, with symlinks read and followed by
 * hand, so that each one crossed is known. No bound on a path's length: no call takes more than
 * one component. O_PATH only: nothing is opened, no device is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base.h"
#include "resolve_int.h"

#define LINKS_MAX 40 /* MAXSYMLINKS, include/linux/namei.h */

/* A walk under way: @fd and @cur are the directory reached, @todo what is left. */
struct walker {
	int root;
	int fd;
	char *cur;
	char *todo;
	char *next;	 /* in @todo */
	bool final_link; /* the last component was a symlink; what follows is its target */
	struct pol_walk *out;
};

void pol_walk_done(struct pol_walk *walk)
{
	for (size_t i = 0; i < walk->links_cnt; i++)
		free(walk->links[i].path);
	free(walk->links);
	free(walk->at);
	free(walk->dir);
	free(walk->name);
	*walk = (struct pol_walk){ 0 };
}

char *pol_path_join(const char *dir, const char *name)
{
	char *path;

	if (!name)
		return strdup(dir);
	return asprintf(&path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) < 0 ? NULL : path;
}

static int set_fault(struct walker *w, enum pol_walk_fault fault, int code, const char *name)
{
	w->out->fault = fault;
	w->out->code = code;
	w->out->at = pol_path_join(w->cur, name);
	return w->out->at ? 0 : -ENOMEM;
}

static int stat_fd(int fd, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID,
		     st) < 0
		       ? -errno
		       : 0;
}

/* chattr +F, of ext4, f2fs, tmpfs: no other call tells. What may not be opened does not either. */
static bool folds_case(int dir_fd)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int flags = 0;

	return fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & FS_CASEFOLD_FL;
}

/* The directory's own facts. */
static int describe(struct pol_walk *out, int fd)
{
	struct statfs fs;
	struct statx st;

	if (stat_fd(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	out->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	out->ino = st.stx_ino;
	out->mnt_id = st.stx_mnt_id;
	out->magic = (uint64_t)(unsigned long)fs.f_type;
	return 0;
}

/* The walk ends at the directory reached, or at @name in it; @fd: of the object, if it exists. */
static int finish(struct walker *w, const char *name, int fd)
{
	struct pol_walk *out = w->out;
	struct statfs fs;
	struct statx st;
	int r = describe(out, w->fd);

	if (r == 0 && fd >= 0)
		r = fstatfs(fd, &fs) < 0 ? -errno : stat_fd(fd, &st);
	if (r < 0)
		return set_fault(w, POL_WALK_FAILED, -r, name);
	if (fd >= 0) {
		out->mode = st.stx_mode;
		out->object_mnt_id = st.stx_mnt_id;
		out->object_magic = (uint64_t)(unsigned long)fs.f_type;
	}
	out->folds_case = name && folds_case(w->fd);
	out->dir = strdup(w->cur);
	out->name = name ? strdup(name) : NULL;
	return out->dir && (!name || out->name) ? 0 : -ENOMEM;
}

/* Above the root of another process there is more. */
static int go_up(struct walker *w)
{
	int fd;

	if (!w->cur[1])
		return 0;
	fd = openat(w->fd, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	pol_closep(&w->fd);
	w->fd = fd;
	(void)pol_key_up(w->cur);
	return 0;
}

static int go_down(struct walker *w, int fd, const char *name)
{
	char *cur = pol_path_join(w->cur, name);

	if (!cur)
		return -ENOMEM;
	free(w->cur);
	w->cur = cur;
	pol_closep(&w->fd);
	w->fd = fd;
	return 0;
}

static int add_link(struct walker *w, const char *name)
{
	struct pol_walk *out = w->out;
	struct pol_link *links = reallocarray(out->links, out->links_cnt + 1, sizeof(*links));
	struct statx st;
	int r;

	if (!links)
		return -ENOMEM;
	out->links = links;
	r = stat_fd(w->fd, &st);
	if (r < 0)
		return r;
	links[out->links_cnt] =
		(struct pol_link){ .path = pol_path_join(w->cur, name), .mnt_id = st.stx_mnt_id };
	return links[out->links_cnt].path ? (out->links_cnt++, 0) : -ENOMEM;
}

/* Put the target of the symlink @fd before what is left. */
static int follow(struct walker *w, int fd, const char *name)
{
	char target[PATH_MAX]; /* no symlink is longer: vfs_symlink's callers stop there */
	ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
	char *todo;
	int r;

	if (len < 0)
		return -errno;
	target[len] = '\0';
	r = add_link(w, name);
	if (r < 0)
		return r;
	if (target[0] == '/') {
		int root = fcntl(w->root, F_DUPFD_CLOEXEC, 0);

		if (root < 0)
			return -errno;
		pol_closep(&w->fd);
		w->fd = root;
		w->cur[1] = '\0';
	}
	if (asprintf(&todo, "%s/%s", target, w->next) < 0)
		return -ENOMEM;
	free(w->todo);
	w->todo = w->next = todo;
	return 0;
}

static int missing(struct walker *w, const char *name, bool last)
{
	if (w->final_link)
		return set_fault(w, POL_WALK_DANGLING, ENOENT, name);
	if (!last)
		return set_fault(w, POL_WALK_NO_PARENT, ENOENT, name);
	return finish(w, name, -EBADF);
}

/* The next name in the path; NULL: none is left. @ret_last: none follows. */
static char *take(struct walker *w, bool *ret_last)
{
	char *name = w->next + strspn(w->next, "/");
	char *end = name + strcspn(name, "/");

	w->next = end;
	if (*end) {
		*end = '\0';
		w->next = end + 1;
	}
	*ret_last = !w->next[strspn(w->next, "/")];
	return *name ? name : NULL;
}

/* Return: 1: go on; 0: the walk is over; negative. */
static int step(struct walker *w)
{
	_cleanup_close_ int fd = -EBADF;
	struct statx st;
	bool last;
	char *name = take(w, &last);
	int r;

	if (!name)
		return finish(w, NULL, w->fd);
	if (strcmp(name, ".") == 0)
		return 1;
	if (strcmp(name, "..") == 0) {
		r = go_up(w);
		return r < 0 ? set_fault(w, POL_WALK_FAILED, -r, name) : 1;
	}
	fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return missing(w, name, last);
	r = fd < 0 ? -errno : stat_fd(fd, &st);
	if (r < 0)
		return set_fault(w, POL_WALK_FAILED, -r, name);
	if (S_ISDIR(st.stx_mode)) {
		r = go_down(w, fd, name);
		if (r == 0)
			(void)TAKE_FD(fd);
		return r < 0 ? r : 1;
	}
	if (!S_ISLNK(st.stx_mode))
		return last ? finish(w, name, fd)
			    : set_fault(w, POL_WALK_NOT_DIRECTORY, ENOTDIR, name);
	if (w->out->links_cnt == LINKS_MAX)
		return set_fault(w, POL_WALK_LOOP, ELOOP, name);
	w->final_link |= last;
	r = follow(w, fd, name);
	if (r < 0 && r != -ENOMEM)
		return set_fault(w, POL_WALK_FAILED, -r, name);
	return r < 0 ? r : 1;
}

int pol_walk(const char *path, struct pol_walk *ret)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return pol_walk_in(root, path, ret);
}

int pol_walk_in(int root, const char *path, struct pol_walk *ret)
{
	struct walker w = { .root = root, .out = ret };
	int r;

	w.fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
	w.cur = strdup("/");
	w.todo = w.next = strdup(path);
	if (!w.cur || !w.todo)
		r = -ENOMEM;
	else if (w.fd < 0)
		r = set_fault(&w, POL_WALK_FAILED, errno, NULL);
	else
		do
			r = step(&w);
		while (r > 0);
	pol_closep(&w.fd);
	free(w.cur);
	free(w.todo);
	if (r < 0)
		pol_walk_done(ret);
	return r;
}

int pol_walk_by_name(int root, struct pol_walk *walk)
{
	struct pol_walk parent = { 0 };
	_cleanup_free_ char *dir = strdup(walk->dir);
	_cleanup_free_ char *name = strdup(strrchr(walk->dir, '/') + 1);
	int r;

	if (!dir || !name)
		return -ENOMEM;
	(void)pol_key_up(dir);
	r = pol_walk_in(root, dir, &parent);
	/* Raced: the directory was there a moment ago. Whoever opens the place will notice. */
	if (r < 0 || parent.fault || parent.name) {
		pol_walk_done(&parent);
		return r;
	}
	walk->dev = parent.dev;
	walk->ino = parent.ino;
	walk->mnt_id = parent.mnt_id;
	walk->magic = parent.magic;
	pol_walk_done(&parent);
	free(walk->dir);
	walk->dir = TAKE_PTR(dir);
	walk->name = TAKE_PTR(name);
	return 0;
}
