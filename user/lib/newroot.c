/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "newroot.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base.h"
#include "descriptors.h"
#include "file.h"
#include "newroot_int.h"

/* Empty files and directories alone take no blocks: this is for a guest in audit, which may write. */
#define ROOT_SIZE "1M"

/* The child's. @root: the new one, on the filesystem @dev. */
struct maker {
	const struct pol_view *view;
	uid_t uid;
	gid_t gid;
	int root;
	dev_t dev;
	enum pol_at at;
};

/* ------------------------------------------------------------------ the child's side */

static int open_path(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	return pol_openat2(dir, path, O_PATH | flags, 0, RESOLVE_NO_MAGICLINKS | resolve);
}

/* Whatever the host mounts or unmounts later stays the host's. */
static int make_namespace(struct maker *m)
{
	_cleanup_close_ int fs = -EBADF;
	struct stat st;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -errno;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", "policyctl", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", ROOT_SIZE, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	m->root = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (m->root < 0 || fstat(m->root, &st) < 0 ||
	    move_mount(m->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	m->dev = st.st_dev;
	return 0;
}

/* Its directory, if the rule was made on it. */
static int open_dir(const struct pol_view_item *item)
{
	int fd = open_path(AT_FDCWD, item->dir, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd < 0 || !item->ino || (!fstat(fd, &st) && st.st_ino == item->ino))
		return fd;
	close(fd);
	return -ESTALE;
}

static int make_file(const struct maker *m, int dir, const char *name)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno; /* somebody was faster: look again */
	if (!fchown(fd, m->uid, m->gid) && !fchmod(fd, 0600))
		return 0;
	r = -errno;
	(void)unlinkat(dir, name, 0);
	return r;
}

/* What a directory holds; with @make made if need be. No symlink: a guest may have put it there. */
static int open_named(struct maker *m, const struct pol_view_item *item, int dir, bool make)
{
	int fd = open_path(dir, item->name, O_NOFOLLOW, 0);
	struct stat st;

	if (fd == -ENOENT && make) {
		int r;

		m->at = POL_AT_MAKE;
		r = make_file(m, dir, item->name);
		if (r < 0)
			return r;
		m->at = POL_AT_THING;
		fd = open_path(dir, item->name, O_NOFOLLOW, 0);
	}
	if (fd < 0 || (!fstat(fd, &st) && !S_ISLNK(st.st_mode)))
		return fd;
	close(fd);
	return -ELOOP;
}

static bool same_object(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The next directory on the way to a place; with @make made where the root is ours. */
static int step(const struct maker *m, int dir, const char *name, bool make)
{
	int fd = open_path(dir, name, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd != -ENOENT || !make)
		return fd;
	if (fstat(dir, &st) < 0)
		return -errno;
	if (st.st_dev != m->dev)
		return -ENOENT;
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	return open_path(dir, name, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
}

/* The directory that is to hold the place. @ret_name: the place's name in it. */
static int open_parent(const struct maker *m, const char *at, bool make, const char **ret_name)
{
	int dir = fcntl(m->root, F_DUPFD_CLOEXEC, 0), next;
	char name[NAME_MAX + 1];
	const char *end;

	if (dir < 0)
		return -errno;
	for (at++; (end = strchr(at, '/')); at = end + 1) {
		memcpy(name, at, (size_t)(end - at)); /* a clean path: no name is longer */
		name[end - at] = '\0';
		next = step(m, dir, name, make);
		close(dir);
		if (next < 0)
			return next;
		dir = next;
	}
	*ret_name = at;
	return dir;
}

/* Where the thing is to be mounted: the directory or file at the place, made where the root is ours. */
static int open_place(const struct maker *m, int parent, const char *name, mode_t mode)
{
	struct stat st;
	int fd;

	if (fstat(parent, &st) < 0)
		return -errno;
	if (st.st_dev != m->dev)
		return open_path(parent, name, 0, RESOLVE_NO_SYMLINKS);
	if (S_ISDIR(mode)) {
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
	} else {
		fd = openat(parent, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return open_path(parent, name, 0, RESOLVE_NO_SYMLINKS);
}

static int put(const struct pol_view_item *item, int thing, mode_t mode, int place)
{
	bool device = item->device && (S_ISCHR(mode) || S_ISBLK(mode));
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | (device ? 0 : MOUNT_ATTR_NODEV) |
			    (item->ro ? MOUNT_ATTR_RDONLY : 0),
	};
	_cleanup_close_ int tree = open_tree(
		thing, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* On the way there is a symlink of something mapped: does it lead to the thing all the same? */
static bool leads_there(const struct maker *m, const struct pol_view_item *item, int thing)
{
	_cleanup_close_ int fd = open_path(m->root, item->at, 0, RESOLVE_IN_ROOT);

	return !item->asked && fd >= 0 && same_object(fd, thing);
}

/* Is it seen in its directory, there or not? Then nothing is made, and it is no mount point. */
static bool is_seen(const struct maker *m, const struct pol_view_item *item, int dir)
{
	const char *name;
	_cleanup_close_ int parent = open_parent(m, item->at, false, &name);

	return !item->asked && item->name && parent >= 0 && strcmp(name, item->name) == 0 &&
	       same_object(parent, dir);
}

static int mount_thing(struct maker *m, const struct pol_view_item *item, int thing)
{
	_cleanup_close_ int parent = -EBADF, place = -EBADF;
	struct stat st, there;
	const char *name;
	bool device;

	m->at = POL_AT_PLACE;
	if (fstat(thing, &st) < 0)
		return -errno;
	device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
	parent = open_parent(m, item->at, true, &name);
	place = parent < 0 ? parent : open_place(m, parent, name, st.st_mode);
	if (place == -ELOOP && leads_there(m, item, thing))
		return 0;
	if (place < 0)
		return place;
	if (fstat(place, &there) < 0 || S_ISDIR(there.st_mode) != S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (!item->asked && !device && same_object(place, thing))
		return 0; /* by what is mounted above it */
	m->at = POL_AT_MOUNT;
	return put(item, thing, st.st_mode, place);
}

/* Return: 0, also if there is nothing to be seen yet. */
static int show(struct maker *m, const struct pol_view_item *item)
{
	_cleanup_close_ int dir = -EBADF, named = -EBADF;
	bool seen;

	m->at = POL_AT_THING;
	dir = open_dir(item);
	if (dir < 0)
		return item->must || dir != -ENOENT ? dir : 0;
	if (!item->name)
		return mount_thing(m, item, dir);
	seen = is_seen(m, item, dir);
	named = open_named(m, item, dir, item->make && !seen);
	if (named < 0)
		return named == -ENOENT && (seen || !item->must) ? 0 : named;
	return mount_thing(m, item, named);
}

/*
 * The old root goes below the new one, and then off it. If that was the caller's, by chroot(2), and not
 * the namespace's, all of the host is still there: it is where who joins the namespace comes to stand.
 */
static int leave(const struct maker *m)
{
	_cleanup_close_ int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct stat st;

	if (fchdir(m->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	if (setns(self, CLONE_NEWNS) < 0 || stat("/", &st) < 0)
		return -errno;
	return st.st_dev == m->dev ? 0 : -EINVAL;
}

static int make_root(struct maker *m, size_t *ret_item)
{
	int r;

	m->at = POL_AT_ROOT;
	r = make_namespace(m);
	for (size_t i = 0; i < m->view->cnt && !r; i++) {
		*ret_item = i;
		r = show(m, &m->view->items[i]);
	}
	if (r < 0)
		return r;
	m->at = POL_AT_LEAVE;
	return leave(m);
}

static _Noreturn void run_maker(struct maker *m, int sock)
{
	struct pol_root_report report = { 0 };
	char byte;

	(void)umask(022);
	/* What other threads of the caller have open is not to stay open by us. */
	report.code = pol_close_others(&sock, 1);
	if (!report.code)
		report.code = make_root(m, &report.item);
	report.at = report.code ? (int)m->at : POL_AT_DONE;
	if (send(sock, &report, sizeof(report), MSG_NOSIGNAL) != sizeof(report) || report.code)
		_exit(1);
	while (read(sock, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* ------------------------------------------------------------------ the caller's side */

void pol_newroot_release(struct pol_newroot *root)
{
	/* A child of another thread's may have a copy of it. */
	if (root->hold >= 0)
		(void)shutdown(root->hold, SHUT_RDWR);
	pol_closep(&root->hold);
	while (root->pid > 0 && waitpid(root->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	*root = POL_NEWROOT_NONE;
}

static int wait_for(const struct pol_view *view, struct pol_newroot *root, struct pol_err *err)
{
	struct pol_root_report report;
	ssize_t n;

	do
		n = read(root->hold, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(report))
		return pol_err_say(err, POL_ERR_FAILED, -ECHILD,
				   "who was to make a root for the guest has died");
	return report.at == POL_AT_DONE ? 0 : pol_newroot_say(view, &report, err);
}

/*
 * Not fork(2): no SIGCHLD for a caller who knows nothing of it. In the child every signal is blocked:
 * those of the terminal are the caller's, and no handler of his runs twice.
 */
static pid_t start_maker(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (pid)
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int pol_newroot_make(const struct pol_view *view, uid_t uid, gid_t gid, struct pol_newroot *ret,
		     struct pol_err *err)
{
	struct maker maker = { .view = view, .uid = uid, .gid = gid, .root = -EBADF };
	struct pol_newroot root = POL_NEWROOT_NONE;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make a root for the guest");
	root.pid = start_maker();
	if (!root.pid) {
		close(pair[0]);
		run_maker(&maker, pair[1]);
	}
	r = root.pid < 0 ? -errno : 0;
	close(pair[1]);
	root.hold = pair[0];
	if (r < 0)
		(void)pol_err_set(err, POL_ERR_FAILED, r, "cannot make a root for the guest");
	else
		r = wait_for(view, &root, err);
	if (r < 0) {
		pol_newroot_release(&root);
		return r;
	}
	*ret = root;
	return 0;
}
