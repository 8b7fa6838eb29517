/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "empty.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tmptree.h"

static char *root; /* "full" in it is emptied; what lies beside it stays */
static int full = -1;

static void init(void)
{
	root = tree_make();
	if (!root)
		cr_skip_test("no directory on a filesystem that rules may be on");
	tree_dir(root, "full");
	tree_dir(root, "beside");
	tree_file(root, "beside/file");
	cr_assert_eq(chdir(root), 0);
	full = open("full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(full, 0);
}

static void fini(void)
{
	if (full >= 0)
		close(full);
	tree_remove(root);
}

TestSuite(empty, .init = init, .fini = fini);

static void expect_empty(void)
{
	cr_expect_eq(pol_dir_empty(full), 0);
	cr_expect_eq(rmdir("full"), 0, "%m");
	cr_expect_eq(access("beside/file", F_OK), 0);
}

Test(empty, nothing_in_it)
{
	expect_empty();
}

Test(empty, files_of_all_kinds_and_names)
{
	tree_file(root, "full/ -r *");
	tree_file(root, "full/\xff\n");
	cr_assert_eq(mkfifo("full/fifo", 0600), 0);
	tree_dir(root, "full/0");
	tree_dir(root, "full/0/1");
	tree_file(root, "full/0/0");
	tree_file(root, "full/0/1/0");
	tree_dir(root, "full/locked");
	tree_file(root, "full/locked/f");
	cr_assert_eq(chmod("full/locked", 0500), 0);
	if (geteuid())
		cr_assert_eq(chmod("full/locked", 0700), 0);
	expect_empty();
}

Test(empty, links_are_not_followed)
{
	tree_link(root, "full/dir", "../beside");
	tree_link(root, "full/file", "../beside/file");
	tree_link(root, "full/up", "..");
	tree_link(root, "full/self", ".");
	tree_dir(root, "full/d");
	tree_link(root, "full/d/dir", "../../beside");
	cr_assert_eq(link("beside/file", "full/d/hard"), 0);
	expect_empty();
}

/* Deeper than descriptors, the stack or PATH_MAX would let; names that are taken at the top. */
Test(empty, deep)
{
	enum { DEPTH = 5000 };
	int at = dup(full);

	for (int i = 0; i < DEPTH; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "0", 0700), 0);
		cr_assert_eq(mkdirat(at, "1", 0700), 0);
		next = openat(at, "0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	expect_empty();
}

Test(empty, many)
{
	char name[32];

	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "full/%d", i);
		cr_assert_eq(i % 3 ? mkdir(name, 0700) : mknod(name, S_IFREG | 0600, 0), 0);
	}
	expect_empty();
}

static bool set_flags(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), now = 0;
	bool done = fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &now) &&
		    (now |= flags, !ioctl(fd, FS_IOC_SETFLAGS, &now));

	if (fd >= 0)
		close(fd);
	return done;
}

Test(empty, flags_that_forbid_it)
{
	tree_dir(root, "full/d");
	tree_dir(root, "full/d/e");
	tree_file(root, "full/d/e/f");
	tree_file(root, "full/f");
	if (!set_flags("full/f", FS_IMMUTABLE_FL))
		cr_skip_test("no such flags here");
	cr_expect(set_flags("full/d/e/f", FS_APPEND_FL));
	cr_expect(set_flags("full/d/e", FS_IMMUTABLE_FL));
	cr_expect(set_flags("full/d", FS_APPEND_FL));
	cr_expect(set_flags("full", FS_IMMUTABLE_FL));
	expect_empty();
}

Test(empty, mounts_are_not_entered)
{
	struct stat st;

	tree_dir(root, "full/d");
	tree_dir(root, "full/d/mount");
	tree_dir(root, "full/other");
	tree_file(root, "full/file");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		cr_skip_test("no mount namespace to be had");
	/* What is open is on the mounts of before: again. */
	close(full);
	full = open("full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mount("beside", "full/d/mount", NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mount("beside/file", "full/file", NULL, MS_BIND, NULL), 0);
	cr_expect_eq(pol_dir_empty(full), -EBUSY);
	cr_expect_eq(access("full/d/mount/file", F_OK), 0);
	cr_expect_lt(stat("full/other", &st), 0, "the rest is gone all the same");
	cr_assert_eq(umount("full/d/mount"), 0);
	cr_assert_eq(umount("full/file"), 0);
	expect_empty();
}
