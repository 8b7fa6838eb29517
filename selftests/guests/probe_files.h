/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps on files: each is one system call, or as few as the thing takes. */
#pragma once

#include <dirent.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "probe.h"

int probe_flags(const char *letters)
{
	bool r = strchr(letters, 'r'), w = strchr(letters, 'w');
	int flags = O_CLOEXEC | (r && w ? O_RDWR : w ? O_WRONLY : O_RDONLY);

	for (const char *c = letters; *c; c++)
		flags |= *c == 'c'   ? O_CREAT
			 : *c == 'x' ? O_EXCL
			 : *c == 't' ? O_TRUNC
			 : *c == 'p' ? O_PATH
			 : *c == 'd' ? O_DIRECTORY
			 : *c == 'f' ? O_NOFOLLOW
			 : *c == 'm' ? O_TMPFILE
			 : *c == '3' ? 3
				     : 0;
	return flags;
}

/* Close what was opened only to see whether it can be. */
static int opened(int fd)
{
	int err = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int do_open(char **a)
{
	return opened(open(a[1], probe_flags(a[0]), 0600));
}

/* hold SLOT FLAGS PATH */
static int do_hold(char **a)
{
	int *slot = probe_slot(a[0]);

	*slot = open(a[2], probe_flags(a[1]), 0600);
	return probe_result(*slot);
}

/* openat DIRSLOT FLAGS PATH */
static int do_openat(char **a)
{
	return opened(openat(*probe_slot(a[0]), a[2], probe_flags(a[1]), 0600));
}

/* reopen SLOT FLAGS: by /proc/self/fd */
static int do_reopen(char **a)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *probe_slot(a[0]));
	return opened(open(path, probe_flags(a[1])));
}

static int do_list(char **a)
{
	char buf[4096];
	int fd = open(a[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? errno : probe_result(syscall(SYS_getdents64, fd, buf, sizeof(buf)));

	if (fd >= 0)
		close(fd);
	return err;
}

/* write SLOT TEXT */
static int do_write(char **a)
{
	return probe_result(write(*probe_slot(a[0]), a[1], strlen(a[1])));
}

static int do_ftruncate(char **a)
{
	return probe_result(ftruncate(*probe_slot(a[0]), 1));
}

static int do_truncate(char **a)
{
	return probe_result(truncate(a[0], 1));
}

static int do_mkdir(char **a)
{
	return probe_result(mkdir(a[0], 0700));
}

static int do_rmdir(char **a)
{
	return probe_result(rmdir(a[0]));
}

static int do_unlink(char **a)
{
	return probe_result(unlink(a[0]));
}

static int do_symlink(char **a)
{
	return probe_result(symlink(a[0], a[1]));
}

static int do_mkfifo(char **a)
{
	return probe_result(mkfifo(a[0], 0600));
}

static int do_mkchr(char **a)
{
	return probe_result(mknod(a[0], S_IFCHR | 0600, makedev(1, 3)));
}

static int do_mkblk(char **a)
{
	return probe_result(mknod(a[0], S_IFBLK | 0600, makedev(7, 0)));
}

static int do_bind(char **a)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", a[0]);
	err = probe_result(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	close(fd);
	return err;
}

static int do_rename(char **a)
{
	return probe_result(rename(a[0], a[1]));
}

static int do_exchange(char **a)
{
	return probe_result(
		syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], RENAME_EXCHANGE));
}

static int do_whiteout(char **a)
{
	return probe_result(
		syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], RENAME_WHITEOUT));
}

static int do_link(char **a)
{
	return probe_result(link(a[0], a[1]));
}

/* tmpfile DIR NEW: O_TMPFILE, then a name for it */
static int do_tmpfile(char **a)
{
	char path[64];
	int fd = open(a[0], O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = probe_result(linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW));
	close(fd);
	return err;
}

static int do_chmod(char **a)
{
	return probe_result(chmod(a[0], 0700));
}

static int do_fchmod(char **a)
{
	return probe_result(fchmod(*probe_slot(a[0]), 0700));
}

static int do_chown(char **a)
{
	return probe_result(chown(a[0], 0, 0));
}

static int do_utime(char **a)
{
	return probe_result(utimensat(AT_FDCWD, a[0], NULL, 0));
}

/* tmpfs before 6.6 has trusted. and no user. attributes. */
static int do_setxattr(char **a)
{
	return probe_result(setxattr(a[0], "trusted.probe", "1", 1, 0));
}

static int do_removexattr(char **a)
{
	return probe_result(removexattr(a[0], "trusted.probe"));
}

/* The smallest ACL with a named user: include/uapi/linux/posix_acl_xattr.h */
static int do_setacl(char **a)
{
	static const unsigned char acl[] = {
		2, 0,	0,   0,	  1,   0,   6,	0, 255, 255, 255, 255, 2,   0,	 4,
		0, 232, 3,   0,	  0,   4,   0,	4, 0,	255, 255, 255, 255, 16,	 0,
		6, 0,	255, 255, 255, 255, 32, 0, 4,	0,   255, 255, 255, 255,
	};

	return probe_result(setxattr(a[0], "system.posix_acl_access", acl, sizeof(acl), 0));
}

static int map_exec(const char *path, int prot)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	void *p;

	if (fd < 0)
		return errno;
	p = mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err = errno;
	else if (!(prot & PROT_EXEC))
		err = probe_result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	close(fd);
	return err;
}

static int do_mmap_x(char **a)
{
	return map_exec(a[0], PROT_READ | PROT_EXEC);
}

static int do_mprotect_x(char **a)
{
	return map_exec(a[0], PROT_READ);
}

/* The errno of the child's exec, by a pipe that a successful exec closes. */
static int exec_child(int fd, const char *path)
{
	static char name[] = "probe", word[] = "exit", zero[] = "0";
	char *argv[] = { name, word, zero, NULL }, *env[] = { NULL };
	int fds[2], err = 0, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	pid = fork();
	if (!pid) {
		if (fd >= 0)
			syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
		else
			execve(path, argv, env);
		err = errno;
		_exit(write(fds[1], &err, sizeof(err)) < 0);
	}
	close(fds[1]);
	if (read(fds[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return err;
}

static int do_exec(char **a)
{
	return exec_child(-1, a[0]);
}

/* memfd-exec PATH: a copy of PATH in a memfd, run from there */
static int do_memfd_exec(char **a)
{
	int from = open(a[0], O_RDONLY | O_CLOEXEC), fd = memfd_create("probe", MFD_CLOEXEC), err;
	struct stat st;

	if (from < 0 || fd < 0 || fstat(from, &st))
		return errno;
	for (off_t left = st.st_size; left > 0;) {
		char buf[65536];
		ssize_t n = read(from, buf, sizeof(buf));

		if (n <= 0 || write(fd, buf, n) != n)
			return EIO;
		left -= n;
	}
	err = exec_child(fd, NULL);
	close(fd);
	close(from);
	return err;
}

static int do_memfd_mmap_x(char **a)
{
	int fd = memfd_create("probe", MFD_CLOEXEC), err = 0;

	(void)a;
	if (fd < 0 || ftruncate(fd, 4096))
		return errno;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		err = errno;
	close(fd);
	return err;
}

static int reopened(int fd, const char *flags)
{
	char path[64];
	int err;

	if (fd < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = opened(open(path, probe_flags(flags) | O_NONBLOCK));
	close(fd);
	return err;
}

static int do_memfd_reopen(char **a)
{
	(void)a;
	return reopened(memfd_create("probe", MFD_CLOEXEC), "rw");
}

static int do_pipe_reopen(char **a)
{
	int fds[2], err;

	(void)a;
	if (pipe2(fds, O_CLOEXEC))
		return errno;
	err = reopened(fds[0], "r");
	close(fds[1]);
	return err;
}

static int do_chdir(char **a)
{
	return probe_result(chdir(a[0]));
}

/* deep N: down N directories named "d" */
static int do_deep(char **a)
{
	for (long n = strtol(a[0], NULL, 10); n > 0; n--)
		if (chdir("d"))
			return errno;
	return 0;
}

/* handle DIR FLAGS TYPE HEX: open_by_handle_at, DIR on the same mount */
static int do_handle(char **a)
{
	static union {
		struct file_handle head;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h;
	int dir = open(a[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (dir < 0)
		return errno;
	h.head.handle_type = (int)strtol(a[2], NULL, 10);
	h.head.handle_bytes = strlen(a[3]) / 2;
	for (unsigned int i = 0; i < h.head.handle_bytes && i < MAX_HANDLE_SZ; i++) {
		unsigned int byte = 0;

		sscanf(a[3] + 2 * i, "%2x", &byte);
		h.bytes[offsetof(struct file_handle, f_handle) + i] = (unsigned char)byte;
	}
	err = opened(open_by_handle_at(dir, &h.head, probe_flags(a[1])));
	close(dir);
	return err;
}
