/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pid_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"

#define TEXT_SIZE 64 /* a number, and some white space */

/* @len bytes of the path lead here. */
static int check_owner(int fd, const char *path, size_t len, struct pol_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "'%.*s' cannot be looked at",
				   (int)len, path);
	if (!st.st_uid && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return pol_err_say(err, POL_ERR_FAILED, -EPERM, "others than root may write '%.*s'",
			   (int)len, path);
}

static int open_at(int dir, const char *name, int flags, const char *path, size_t len,
		   struct pol_err *err)
{
	int fd = openat(dir, name, flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -ENOENT;
	/* What is no directory may be a symlink to one: said alike. */
	if (errno == ELOOP || errno == ENOTDIR)
		return pol_err_say(err, POL_ERR_FAILED, -ELOOP,
				   "'%.*s' is a symlink, or no directory", (int)len, path);
	return pol_err_set(err, POL_ERR_FAILED, -errno, "'%.*s' cannot be opened", (int)len, path);
}

/* Return: descriptor of the file; each directory on the way has been judged. */
static int walk(const char *path, struct pol_err *err)
{
	_cleanup_close_ int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *at = path + 1;
	char name[NAME_MAX + 1];

	if (dir < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "'/' cannot be opened");
	for (;;) {
		size_t len = strcspn(at, "/"), so_far = (size_t)(at - path) + len;
		bool last = !at[len];
		int fd, r;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
		fd = open_at(dir, name, last ? 0 : O_DIRECTORY, path, so_far, err);
		if (fd < 0)
			return fd;
		r = check_owner(fd, path, so_far, err);
		if (r < 0 || last) {
			if (r < 0)
				close(fd);
			return r < 0 ? r : fd;
		}
		close(dir);
		dir = fd;
		at += len + 1;
	}
}

static int parse(const char *text, size_t len, pid_t *ret)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)text[0]) || strlen(text) != len)
		return -EINVAL;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || value <= 0 || value > INT_MAX || end[strspn(end, " \t\r\n")])
		return -EINVAL;
	*ret = (pid_t)value;
	return 0;
}

int pol_pid_file_read(const char *path, pid_t *ret, struct pol_err *err)
{
	_cleanup_close_ int fd = walk(path, err);
	char text[TEXT_SIZE];
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return pol_err_say(err, POL_ERR_FAILED, -EINVAL, "'%s' is no regular file", path);
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "'%s' cannot be read", path);
	text[len] = '\0';
	if (len == sizeof(text) - 1 || parse(text, (size_t)len, ret) < 0)
		return pol_err_say(err, POL_ERR_FAILED, -EINVAL, "'%s' does not hold a process id",
				   path);
	return 0;
}
