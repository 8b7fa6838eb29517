/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base.h"

/* include/uapi/linux/memfd.h, include/uapi/linux/fcntl.h; both from 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 16u
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Between two looks at how far it came; the kernel bounds one call to 2 GiB - 4 KiB anyway. */
#define CHUNK (1u << 30)

bool pol_snapshot_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

int pol_reopen(int fd, int flags)
{
	char path[64];
	int again;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

/* Before 6.3 every memfd is executable by its mode, and the flags are not known. */
static int make_memfd(enum pol_snapshot_kind kind)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	bool exec = kind == POL_SNAPSHOT_EXEC;
	int fd = memfd_create("shadow", flags | (exec ? MFD_EXEC : MFD_NOEXEC_SEAL));

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("shadow", flags);
	return fd < 0 ? -errno : fd;
}

/*
 * From page cache to page cache by way of a pipe's pages: one copy, no page of ours, and no fault if the
 * file shrinks, as a mapping of it would have. copy_file_range(2) does not go between filesystems.
 */
static int copy_range(int from, int to, off_t at, off_t end)
{
	if (lseek(to, at, SEEK_SET) < 0)
		return -errno;
	while (at < end) {
		ssize_t n = sendfile(to, from, &at, (size_t)(end - at < CHUNK ? end - at : CHUNK));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO; /* it ends before it should */
	}
	return 0;
}

/* The next part that has data; a filesystem that knows no holes has one. Return: 1; 0: none is left. */
static int next_data(int fd, off_t *at, off_t *ret_end, off_t size)
{
	off_t data = lseek(fd, *at, SEEK_DATA), hole;

	if (data < 0 && errno == ENXIO)
		return 0;
	if (data < 0 || (hole = lseek(fd, data, SEEK_HOLE)) <= data) {
		data = *at;
		hole = size;
	}
	if (data >= size)
		return 0;
	*at = data;
	*ret_end = hole < size ? hole : size;
	return 1;
}

static int copy_all(int from, int to, off_t size)
{
	off_t at = 0, end = 0;
	int r = 0;

	while (!r && at < size && next_data(from, &at, &end, size)) {
		r = copy_range(from, to, at, end);
		at = end;
	}
	return r;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Return: 0; 1: it is not what it was; negative errno. */
static int look_again(int file, const struct stat *before, uint64_t max)
{
	struct stat now;

	if (fstat(file, &now) < 0)
		return -errno;
	if ((uint64_t)now.st_size > max)
		return -EFBIG;
	if (now.st_size < before->st_size)
		return -EIO;
	return now.st_size != before->st_size || !same_time(&now.st_mtim, &before->st_mtim) ||
	       !same_time(&now.st_ctim, &before->st_ctim);
}

/* The mode first: with some seals it stays as it is. */
static int seal(int memfd, enum pol_snapshot_kind kind)
{
	if (fchmod(memfd, kind == POL_SNAPSHOT_EXEC ? 0555 : 0444) < 0 ||
	    fcntl(memfd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return pol_snapshot_is_sealed(memfd) ? 0 : -EIO;
}

/* Return: as look_again(). */
static int fill(int file, int memfd, uint64_t max, enum pol_snapshot_kind kind, uint64_t *ret_size)
{
	struct stat before;
	int r;

	if (fstat(file, &before) < 0)
		return -errno;
	if (!S_ISREG(before.st_mode))
		return -ENODEV;
	if ((uint64_t)before.st_size > max)
		return -EFBIG;
	if (ftruncate(memfd, before.st_size) < 0)
		return -errno;
	*ret_size = (uint64_t)before.st_size;
	r = kind == POL_SNAPSHOT_LAZY ? 0 : copy_all(file, memfd, before.st_size);
	return r < 0 ? r : look_again(file, &before, max);
}

int pol_snapshot_make(int file, uint64_t max, enum pol_snapshot_kind kind, int *ret, uint64_t *ret_size,
		      bool *ret_torn)
{
	_cleanup_close_ int memfd = make_memfd(kind);
	int r = memfd < 0 ? memfd : fill(file, memfd, max, kind, ret_size);
	bool torn = r > 0;

	if (r >= 0)
		r = seal(memfd, kind);
	if (r < 0)
		return r;
	r = pol_reopen(memfd, O_RDONLY);
	if (r < 0)
		return r;
	*ret = r;
	*ret_torn = torn;
	return 0;
}
