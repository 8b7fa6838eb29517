/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "file.h"

/* Room for "PARENT/NAME" below the mount: components are at most 255 bytes, a policy's are short. */
#define PATH_SIZE 1024

int pol_cgroup_mount(char *buf, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int r = -ENOENT;

	if (!mounts)
		return -errno;
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0)
			continue;
		r = (size_t)snprintf(buf, size, "%s", entry->mnt_dir) < size ? 0 : -ENAMETOOLONG;
		break;
	}
	endmntent(mounts);
	return r;
}

static int full_path(const char *parent, const char *name, char *buf)
{
	char mount[256];
	int r = pol_cgroup_mount(mount, sizeof(mount));

	if (r < 0)
		return r;
	if (snprintf(buf, PATH_SIZE, "%s/%s%s%s", mount, parent, name ? "/" : "",
		     name ? name : "") >= PATH_SIZE)
		return -ENAMETOOLONG;
	return 0;
}

bool pol_cgroup_sees_root(void)
{
	struct stat st;

	/* PROC_CGROUP_INIT_INO, include/linux/proc_ns.h */
	return !stat("/proc/self/ns/cgroup", &st) && st.st_ino == 0xEFFFFFFBul;
}

int pol_cgroup_id(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_ino; /* kernfs: the inode number is the id (fs/kernfs/inode.c, 64 bit) */
	return 0;
}

int pol_cgroup_open(const char *parent, const char *name, int *ret_fd)
{
	char path[PATH_SIZE];
	int r, fd;

	r = full_path(parent, name, path);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int pol_cgroup_open_path(const char *path, int *ret_fd)
{
	_cleanup_close_ int root = -EBADF;
	int r = pol_cgroup_open("", NULL, &root);
	int fd;

	if (r < 0)
		return r;
	fd = pol_openat2(root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static unsigned int components(const char *path)
{
	unsigned int cnt = 1;

	for (const char *at = path; (at = strchr(at, '/')); at++)
		cnt++;
	return cnt;
}

/* Makes the components of @path below the cgroup2 mount. */
static int make_path(const char *path, struct pol_err *err)
{
	char full[PATH_SIZE];
	size_t start;
	int r;

	r = full_path(path, NULL, full);
	if (r < 0)
		return pol_err_set(err, POL_ERR_HOST, r, "no cgroup '%s'", path);
	start = strlen(full) - strlen(path);
	for (char *at = full + start; at; at = strchr(at + 1, '/')) {
		char *slash = strchr(at + 1, '/');

		if (slash)
			*slash = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make cgroup '%s'",
					   full);
		if (slash)
			*slash = '/';
		else
			break;
	}
	return 0;
}

int pol_cgroup_create(const char *parent, const char *name, int *ret_fd, uint64_t *ret_id,
		      unsigned int *ret_level, bool *ret_created, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	char path[PATH_SIZE];
	int r;

	r = make_path(parent, err);
	if (r < 0)
		return r;
	r = full_path(parent, name, path);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cgroup '%s/%s'", parent, name);
	*ret_created = !mkdir(path, 0755);
	if (!*ret_created && errno != EEXIST)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make cgroup '%s'", path);
	r = pol_cgroup_open(parent, name, &fd);
	if (!r)
		r = pol_cgroup_id(fd, ret_id);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open cgroup '%s'", path);
	*ret_level = components(parent) + 1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Is it one of the words of @file, which has one line? */
static bool names_controller(int fd, const char *file, const char *controller)
{
	size_t len = strlen(controller);
	char words[512];

	if (pol_file_read(fd, file, words, sizeof(words)) < 0)
		return false;
	for (char *at = words; (at = strstr(at, controller)); at += len)
		if ((at == words || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	return false;
}

/*
 * With processes of its own a cgroup cannot hand memory on; handing on the others would make what is
 * beneath it threaded, or invalid. The root may: it alone has no type.
 */
static bool has_processes(int fd)
{
	char first[16];

	return !faccessat(fd, "cgroup.type", F_OK, 0) &&
	       pol_file_read(fd, "cgroup.procs", first, sizeof(first)) != 0;
}

/*
 * Hands @controller on to the cgroups beneath. Return: 0, also if it is already; -ENODEV: there is none
 * to hand on; -EBUSY: processes are in its way; else what the write gave.
 */
static int hand_on(int fd, const char *controller)
{
	char text[32];

	if (names_controller(fd, "cgroup.subtree_control", controller))
		return 0;
	if (!names_controller(fd, "cgroup.controllers", controller))
		return -ENODEV;
	if (has_processes(fd))
		return -EBUSY;
	(void)snprintf(text, sizeof(text), "+%s", controller);
	return pol_file_write(fd, "cgroup.subtree_control", text);
}

/* One write for each controller: with one that is absent the whole write fails. */
static void enable_at(const char *path)
{
	static const char *const wanted[] = { "pids", "memory", "cpu", "io" };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* What fails here shows where a ceiling needs it, with the guest's name. */
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(wanted); i++)
		(void)hand_on(fd, wanted[i]);
}

/* The path of an open cgroup, and where in it the part below the cgroup2 mount begins. */
static int path_of_fd(int fd, char *buf, size_t size, size_t *ret_below)
{
	char link[64], mount[256];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	if (len < 0)
		return -errno;
	buf[len] = '\0';
	*ret_below = pol_cgroup_mount(mount, sizeof(mount)) ? 0 : strlen(mount);
	if (!*ret_below || strncmp(buf, mount, *ret_below) != 0 || buf[*ret_below] != '/')
		return -ENOENT;
	return 0;
}

int pol_cgroup_lacks(int fd, const char *controller, char *buf, size_t size)
{
	char path[PATH_SIZE];
	size_t below = 0;
	int r;

	r = path_of_fd(fd, path, sizeof(path), &below);
	for (char *at = r ? NULL : path + below; at; at = strchr(at + 1, '/')) {
		_cleanup_close_ int above = -EBADF;

		*at = '\0';
		(void)snprintf(buf, size, "%s", path);
		above = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = above < 0 ? -errno : hand_on(above, controller);
		*at = '/';
		if (r < 0)
			return r;
	}
	return r;
}

int pol_cgroup_enable(const char *parent, struct pol_err *err)
{
	char full[PATH_SIZE];
	size_t start;
	int r;

	r = make_path(parent, err);
	if (r < 0)
		return r;
	r = full_path(parent, NULL, full);
	if (r < 0)
		return pol_err_set(err, POL_ERR_HOST, r, "no cgroup '%s'", parent);
	start = strlen(full) - strlen(parent) - 1;
	for (char *at = full + start; at; at = strchr(at + 1, '/')) {
		*at = '\0';
		enable_at(full);
		*at = '/';
	}
	enable_at(full);
	return 0;
}

void pol_cgroup_enable_above(const char *path)
{
	char full[PATH_SIZE];
	size_t start;

	if (full_path(path + 1, NULL, full) < 0)
		return;
	start = strlen(full) - strlen(path);
	for (char *at = full + start; at; at = strchr(at + 1, '/')) {
		*at = '\0';
		enable_at(full);
		*at = '/';
	}
}

int pol_cgroup_populated(int fd)
{
	char buf[256];
	int r = pol_file_read(fd, "cgroup.events", buf, sizeof(buf));

	if (r < 0)
		return r;
	return strstr(buf, "populated 1") != NULL;
}

/*
 * @visit for each cgroup of the tree @name in @parent, those beneath first. Return: what the last,
 * the tree's own, gave; 0: there is none.
 */
static int walk_tree(int parent, const char *name,
		     int (*visit)(int parent, const char *name, void *arg), void *arg)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			(void)walk_tree(fd, entry->d_name, visit, arg);
	closedir(dir);
	return visit(parent, name, arg);
}

#define DRAIN_PASSES 100 /* a tree that forks faster is to be stopped first */

static FILE *open_list(int parent, const char *name, const char *file)
{
	char path[PATH_SIZE];
	FILE *list;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", name, file);
	fd = openat(parent, path, O_RDONLY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopen(fd, "r");
	if (!list)
		pol_closep(&fd);
	return list;
}

/*
 * The next number of a list; NULL: none. The kernel writes 0 for a task that is reaped meanwhile, or
 * that our pid namespace doesn't have: in a command 0 means every task, or ourselves.
 */
static bool next_number(FILE *list, pid_t *ret)
{
	while (list && fscanf(list, "%d", ret) == 1)
		if (*ret > 0)
			return true;
	return false;
}

static int move_tasks(int parent, const char *name, void *arg)
{
	_cleanup_(pol_fclosep) FILE *procs = open_list(parent, name, "cgroup.procs");
	const int *to = arg;
	pid_t pid;

	while (next_number(procs, &pid))
		(void)pol_cgroup_move(*to, pid); /* gone meanwhile: the next pass sees */
	return 0;
}

/* Numbers in the lists of a tree. */
struct numbers {
	const char *file;
	pid_t *items;
	size_t cnt;
	size_t room;
	bool full;
};

static int add_numbers(int parent, const char *name, void *arg)
{
	struct numbers *numbers = arg;
	_cleanup_(pol_fclosep) FILE *list = open_list(parent, name, numbers->file);
	pid_t pid;

	while (next_number(list, &pid)) {
		if (numbers->cnt == numbers->room) {
			size_t room = numbers->room ? 2 * numbers->room : 64;
			pid_t *items = reallocarray(numbers->items, room, sizeof(*items));

			if (!items) {
				numbers->full = true;
				return -ENOMEM;
			}
			numbers->items = items;
			numbers->room = room;
		}
		numbers->items[numbers->cnt++] = pid;
	}
	return 0;
}

static int list_tree(int fd, struct numbers *numbers)
{
	int r = walk_tree(fd, ".", add_numbers, numbers);

	if (numbers->full)
		r = -ENOMEM;
	if (r < 0)
		free(numbers->items);
	return r;
}

int pol_cgroup_procs(int fd, pid_t **ret, size_t *ret_cnt)
{
	struct numbers numbers = { .file = "cgroup.procs" };
	int r = list_tree(fd, &numbers);

	if (r < 0)
		return r;
	*ret = numbers.items;
	*ret_cnt = numbers.cnt;
	return 0;
}

int pol_cgroup_threads(int fd, size_t *ret_cnt)
{
	struct numbers numbers = { .file = "cgroup.threads" };
	int r = list_tree(fd, &numbers);

	if (r < 0)
		return r;
	*ret_cnt = numbers.cnt;
	free(numbers.items);
	return 0;
}

int pol_cgroup_drain(const char *parent, const char *name)
{
	_cleanup_close_ int fd = -EBADF, root = -EBADF, above = -EBADF;
	int r;

	r = pol_cgroup_open(parent, name, &fd);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = pol_cgroup_open("", NULL, &root);
	if (!r)
		r = pol_cgroup_open(parent, NULL, &above);
	for (int pass = 0; !r && pass < DRAIN_PASSES && pol_cgroup_populated(fd) > 0; pass++)
		r = walk_tree(above, name, move_tasks, &root);
	if (r < 0)
		return r;
	return pol_cgroup_populated(fd) > 0 ? -EBUSY : 0;
}

static int remove_one(int parent, const char *name, void *unused)
{
	(void)unused;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int pol_cgroup_remove(const char *parent, const char *name)
{
	_cleanup_close_ int fd = -EBADF;
	int r = pol_cgroup_open(parent, NULL, &fd);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return walk_tree(fd, name, remove_one, NULL);
}

void pol_cgroup_remove_parent(const char *parent)
{
	char path[PATH_SIZE];
	size_t start;

	if (full_path(parent, NULL, path) < 0)
		return;
	start = strlen(path) - strlen(parent);
	while (strlen(path) > start && !rmdir(path))
		*strrchr(path, '/') = '\0';
}

int pol_cgroup_path_of(uint64_t id, char *buf, size_t size)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { .head = { .handle_bytes = 8, .handle_type = 0xfe /* FILEID_KERNFS */ } };
	_cleanup_close_ int root = -EBADF, fd = -EBADF;
	char mount[256], link[64], path[PATH_SIZE];
	ssize_t len;

	if (pol_cgroup_mount(mount, sizeof(mount)) < 0)
		return -ENOENT;
	root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	memcpy(handle.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &handle.head, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return -errno;
	path[len] = '\0';
	if (strncmp(path, mount, strlen(mount)) != 0)
		return -ENOENT;
	(void)snprintf(buf, size, "%s", path[strlen(mount)] ? path + strlen(mount) : "/");
	return 0;
}

int pol_cgroup_name_of_pid(pid_t pid, char *ret, size_t size)
{
	char path[64], buf[2 * PATH_SIZE], *at;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	r = pol_file_read(AT_FDCWD, path, buf, sizeof(buf));
	if (r < 0)
		return r;
	at = strncmp(buf, "0::", 3) == 0 ? buf : strstr(buf, "\n0::");
	if (!at)
		return -ENOENT;
	at += *at == '\n' ? 4 : 3;
	at[strcspn(at, "\n")] = '\0';
	return (size_t)snprintf(ret, size, "%s", at) < size ? 0 : -ENAMETOOLONG;
}

int pol_cgroup_of_pid(pid_t pid, uint64_t *ret)
{
	_cleanup_close_ int fd = -EBADF;
	char name[PATH_SIZE], mount[256], full[2 * PATH_SIZE];
	int r;

	r = pol_cgroup_name_of_pid(pid, name, sizeof(name));
	if (!r)
		r = pol_cgroup_mount(mount, sizeof(mount));
	if (r < 0)
		return r;
	(void)snprintf(full, sizeof(full), "%s%s", mount, name);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return pol_cgroup_id(fd, ret);
}

int pol_cgroup_move(int fd, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", pid);
	return pol_file_write(fd, "cgroup.procs", text);
}
