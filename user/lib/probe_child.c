/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between fork and its end the child makes async-signal-safe calls only: the caller may have threads. */
#include "probe_child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base.h"

/* A filesystem that is nowhere, with "file" and "dir" in it. Return: its root. */
static int make_scratch(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), file = -EBADF;
	int root;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (root < 0)
		return -errno;
	file = openat(root, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || mkdirat(root, "dir", 0700) < 0)
		return -errno;
	return root;
}

/* Following a symlink and connecting to a socket note the time, on mounts that do. */
static int stop_clocks(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOATIME, .attr_clr = MOUNT_ATTR__ATIME };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}

static int find(int dir, const char *path, int flags, struct pol_try_answer *answer)
{
	_cleanup_close_ int fd = openat(dir, path, O_PATH | O_CLOEXEC | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	answer->mode = st.st_mode;
	return 0;
}

static int try_open(int dir, const char *path, int flags)
{
	_cleanup_close_ int fd =
		openat(dir, path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : 0;
}

static int try(int dir, const struct pol_try_request *request, struct pol_try_answer *answer)
{
	const char *path = request->path;
	struct statx stx;

	switch ((enum pol_try)request->what) {
	case POL_TRY_FIND:
		return find(dir, path, 0, answer);
	case POL_TRY_FIND_LAST:
		return find(dir, path, O_NOFOLLOW, answer);
	case POL_TRY_OPEN_READ:
		return try_open(dir, path, O_RDONLY);
	case POL_TRY_OPEN_WRITE:
		return try_open(dir, path, O_WRONLY);
	case POL_TRY_OPEN_DIR:
		return try_open(dir, path, O_RDONLY | O_DIRECTORY);
	case POL_TRY_CREATE:
		return try_open(dir, path, O_WRONLY | O_CREAT | O_EXCL);
	case POL_TRY_MKDIR:
	case POL_TRY_LOOK_FOR:
		return mkdirat(dir, path, 0700);
	case POL_TRY_UNLINK:
		return unlinkat(dir, path, 0);
	case POL_TRY_RMDIR:
		return unlinkat(dir, path, AT_REMOVEDIR);
	case POL_TRY_RENAME:
		return renameat2(dir, path, dir, path, RENAME_EXCHANGE);
	case POL_TRY_LOOK:
		return statx(dir, path, AT_STATX_DONT_SYNC, STATX_TYPE, &stx);
	case POL_TRY_LOOK_LAST:
		return statx(dir, path, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, STATX_TYPE,
			     &stx);
	}
	errno = EINVAL;
	return -1;
}

static void answer(int sock, const struct pol_try_answer *answer)
{
	if (send(sock, answer, sizeof(*answer), MSG_NOSIGNAL) < 0)
		_exit(1);
}

_Noreturn static void serve(int sock)
{
	struct pol_try_answer result = {};
	struct pol_try_request request;
	int scratch = make_scratch(), r;

	r = scratch < 0 ? scratch : stop_clocks();
	result.err = r < 0 ? -r : 0;
	answer(sock, &result);
	while (recv(sock, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
		result = (struct pol_try_answer){};
		if (try(request.scratch ? scratch : AT_FDCWD, &request, &result) < 0)
			result.err = errno;
		answer(sock, &result);
	}
	_exit(0);
}

pid_t pol_probe_start(int *ret_fd)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* As fork(2), but that its end is no SIGCHLD of the caller's, and no handler of pthread_atfork(). */
	pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		serve(pair[1]);
	}
	pid = pid < 0 ? -errno : pid;
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		*ret_fd = pair[0];
	return pid;
}
