/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots by themselves, and of files that change between two steps of the copy. */
#include "snapshot.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base.h"

#define MAX 65536u

/* What happens before the next call of sendfile(2); or what that call gives. */
static void (*meanwhile)(void);
static int fails;
static int file;

ssize_t __real_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count);

ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count)
{
	void (*now)(void) = meanwhile;
	int error = fails;

	meanwhile = NULL;
	fails = 0;
	if (now)
		now();
	if (error) {
		errno = error;
		return -1;
	}
	return __real_sendfile(out, in, offset, count);
}

static void make(const char *content, off_t size)
{
	char path[] = "/tmp/test_snapshot.XXXXXX";

	file = mkstemp(path);
	cr_assert_geq(file, 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(write(file, content, strlen(content)), (ssize_t)strlen(content));
	cr_assert_eq(ftruncate(file, size), 0);
}

/* Return: descriptor; or what failed, and there is no other descriptor then. */
static int snapshot(enum pol_snapshot_kind kind, uint64_t *size, bool *torn)
{
	int before = dup(0), after, fd = -EBADF, r;

	close(before);
	r = pol_snapshot_make(file, MAX, kind, &fd, size, torn);
	after = dup(0);
	close(after);
	cr_assert_eq(after - before, r == 0 && fd <= before ? 1 : 0, "a descriptor is left");
	cr_assert_eq(fd >= 0, r == 0);
	return r < 0 ? r : fd;
}

static int fails_with(void)
{
	uint64_t size;
	bool torn;

	return snapshot(POL_SNAPSHOT_DATA, &size, &torn);
}

Test(snapshot, is_read_only_sealed_and_rewound)
{
	char buf[8] = "";
	uint64_t size;
	struct stat st;
	bool torn;
	int fd;

	make("hello", 5);
	fd = snapshot(POL_SNAPSHOT_DATA, &size, &torn);
	cr_assert_geq(fd, 0);
	cr_expect_eq(size, 5);
	cr_expect_not(torn);
	cr_expect_eq(read(fd, buf, sizeof(buf)), 5);
	cr_expect_str_eq(buf, "hello");
	cr_expect(pol_snapshot_is_sealed(fd));
	cr_expect_not(pol_snapshot_is_sealed(file));
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(write(fd, "x", 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0444);
	cr_expect_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	cr_expect_eq(errno, EPERM);
}

Test(snapshot, of_each_kind)
{
	uint64_t size;
	struct stat st;
	bool torn;

	make("hello", 5);
	cr_assert_eq(fstat(snapshot(POL_SNAPSHOT_EXEC, &size, &torn), &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0555);
	/* Of the file's size, and without a page. */
	cr_assert_eq(fstat(snapshot(POL_SNAPSHOT_LAZY, &size, &torn), &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0444);
	cr_expect_eq(st.st_size, 5);
	cr_expect_eq(st.st_blocks, 0);
	cr_expect_eq(size, 5);
}

Test(snapshot, of_what_is_empty_or_has_holes)
{
	uint64_t size;
	struct stat st;
	bool torn;

	make("", 0);
	cr_assert_eq(fstat(snapshot(POL_SNAPSHOT_DATA, &size, &torn), &st), 0);
	cr_expect_eq(size, 0);
	cr_expect_eq(st.st_size, 0);
	make("x", MAX);
	cr_assert_eq(fstat(snapshot(POL_SNAPSHOT_DATA, &size, &torn), &st), 0);
	cr_expect_eq(size, MAX);
	cr_expect_leq(st.st_blocks * 512, 8192);
}

Test(snapshot, is_refused_of_what_is_too_large_or_no_file)
{
	make("x", MAX + 1);
	cr_expect_eq(fails_with(), -EFBIG);
	file = open("/dev/null", O_RDONLY);
	cr_expect_eq(fails_with(), -ENODEV);
	file = open("/", O_RDONLY);
	cr_expect_eq(fails_with(), -ENODEV);
	file = -1;
	cr_expect_eq(fails_with(), -EBADF);
}

static void shrink(void)
{
	cr_assert_eq(ftruncate(file, 1), 0);
}

static void grow(void)
{
	cr_assert_eq(ftruncate(file, 4096), 0);
}

static void grow_past(void)
{
	cr_assert_eq(ftruncate(file, MAX + 1), 0);
}

static void rewrite(void)
{
	cr_assert_eq(pwrite(file, "HELLO", 5, 0), 5);
	cr_assert_eq(futimens(file, (struct timespec[]){ { 1, 0 }, { 1, 0 } }), 0);
}

Test(snapshot, of_a_file_that_changes_meanwhile)
{
	uint64_t size;
	bool torn;

	make("hello", 5);
	meanwhile = shrink;
	cr_expect_eq(fails_with(), -EIO);
	make("hello", 5);
	meanwhile = grow_past;
	cr_expect_eq(fails_with(), -EFBIG);
	make("hello", 5);
	meanwhile = grow;
	cr_expect_geq(snapshot(POL_SNAPSHOT_DATA, &size, &torn), 0);
	cr_expect_eq(size, 5);
	cr_expect(torn);
	make("hello", 5);
	meanwhile = rewrite;
	cr_expect_geq(snapshot(POL_SNAPSHOT_DATA, &size, &torn), 0);
	cr_expect(torn);
}

Test(snapshot, of_what_cannot_be_read)
{
	uint64_t size;
	bool torn;

	make("hello", 5);
	fails = EIO;
	cr_expect_eq(fails_with(), -EIO);
	fails = ENOMEM;
	cr_expect_eq(fails_with(), -ENOMEM);
	fails = EINTR;
	cr_expect_geq(snapshot(POL_SNAPSHOT_DATA, &size, &torn), 0);
	cr_expect_eq(size, 5);
}
