/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>

#include "base.h"

#define LOCK_WAIT_S 10 /* a load takes 2 s in an emulated machine */

int pol_file_read(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (int)len;
}

int pol_file_read_line(const char *path, char *buf, size_t size)
{
	int r = pol_file_read(AT_FDCWD, path, buf, size);

	if (r < 0)
		return r;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int pol_file_read_u64(int dirfd, const char *path, uint64_t *ret)
{
	char buf[64], *end;
	int r = pol_file_read(dirfd, path, buf, sizeof(buf));

	if (r < 0)
		return r;
	if (strncmp(buf, "max", 3) == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	errno = 0;
	*ret = strtoull(buf, &end, 10);
	return errno || end == buf ? -EINVAL : 0;
}

int pol_file_write(int dirfd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

int pol_dir_open(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pol_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = resolve,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int pol_fd_place(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size);
	if (len < 0)
		return -errno;
	if ((size_t)len == size)
		return -ENAMETOOLONG;
	buf[len] = '\0';
	return 0;
}

int pol_flock(int fd, int operation)
{
	const struct timespec tick = { .tv_nsec = 20000000 };

	for (int i = 0; flock(fd, operation | LOCK_NB) < 0; i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_WAIT_S * 50)
			return -errno;
		nanosleep(&tick, NULL);
	}
	return 0;
}

int pol_memstream_end(FILE *out, char **text)
{
	int failed = ferror(out);

	if (!fclose(out) && !failed)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}

void pol_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}
