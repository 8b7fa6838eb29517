/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base.h"

static int close_span(unsigned int first, unsigned int last)
{
	if (first > last)
		return 0;
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

static int close_by_range(const int *keep, size_t keep_cnt)
{
	unsigned int first = 3;
	int r;

	for (size_t i = 0; i < keep_cnt; i++) {
		if (keep[i] < (int)first)
			continue;
		r = close_span(first, (unsigned int)keep[i] - 1);
		if (r < 0)
			return r;
		first = (unsigned int)keep[i] + 1;
	}
	return close_span(first, ~0u);
}

static bool kept(int fd, const int *keep, size_t keep_cnt)
{
	for (size_t i = 0; i < keep_cnt; i++)
		if (keep[i] == fd)
			return true;
	return fd < 3;
}

/* "." and "..": -1. */
static int number(const char *text)
{
	int value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value;
}

struct dirent64_raw {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* An error of close(2) tells of the file, not of the number: that is free, but in a sandbox. */
static int close_one(int fd)
{
	return close(fd) < 0 && fcntl(fd, F_GETFD) >= 0 ? -EBUSY : 0;
}

/* Return: how many of the entries were closed; negative errno. */
static int close_listed(const char *entries, long len, int dir, const int *keep, size_t keep_cnt)
{
	int closed = 0, r;

	for (long at = 0; at < len;) {
		const struct dirent64_raw *entry = (const void *)(entries + at);
		int fd = number(entry->name);

		if (fd >= 0 && fd != dir && !kept(fd, keep, keep_cnt)) {
			r = close_one(fd);
			if (r < 0)
				return r;
			closed++;
		}
		at += entry->reclen;
	}
	return closed;
}

/* One pass over /proc/self/fd. Return: how many were closed; an error is not an end. */
static int close_pass(int dir, const int *keep, size_t keep_cnt)
{
	char buf[4096] __attribute__((aligned(8)));
	int closed = 0, r;
	long n;

	if (lseek(dir, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : closed;
		r = close_listed(buf, n, dir, keep, keep_cnt);
		if (r < 0)
			return r;
		closed += r;
	}
}

static int try_list(void)
{
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -errno : dir;
}

/* A table that is full up to its limit has no number for the list: one to be closed gives its own. */
static int open_list(const int *keep, size_t keep_cnt)
{
	struct statfs fs;
	int dir = try_list(), fd = 3;

	if (dir == -EMFILE) {
		while (kept(fd, keep, keep_cnt))
			fd++;
		close(fd);
		dir = try_list();
	}
	if (dir < 0)
		return dir;
	/* Something else at /proc would list nothing, and nothing would be closed. */
	if (!fstatfs(dir, &fs) && fs.f_type == PROC_SUPER_MAGIC)
		return dir;
	close(dir);
	return -EBADF;
}

static int close_by_proc(const int *keep, size_t keep_cnt)
{
	int dir = open_list(keep, keep_cnt), r;

	if (dir < 0)
		return dir;
	do /* closing while reading can skip entries: until a pass finds none */
		r = close_pass(dir, keep, keep_cnt);
	while (r > 0);
	close(dir);
	return r;
}

int pol_close_others(const int *keep, size_t keep_cnt)
{
	int r = close_by_range(keep, keep_cnt);

	return r < 0 ? close_by_proc(keep, keep_cnt) : 0;
}

int pol_keep_over_exec(const int *keep, size_t keep_cnt)
{
	for (size_t i = 0; i < keep_cnt; i++) {
		int flags = fcntl(keep[i], F_GETFD);

		if (flags < 0 || fcntl(keep[i], F_SETFD, flags & ~FD_CLOEXEC) < 0)
			return -EBADF;
	}
	return 0;
}

int pol_open_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			return -errno;
	return 0;
}
