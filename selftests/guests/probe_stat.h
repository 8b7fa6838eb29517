/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that look at what an object is like, without opening it. */
#pragma once

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "probe.h"

#define STAT_STEPS                                                                \
	STEP("stat", 1, stat), STEP("lstat", 1, lstat), STEP("statx", 1, statx),  \
		STEP("readlink", 1, readlink), STEP("statfs", 1, statfs),         \
		STEP("getxattr", 1, getxattr), STEP("listxattr", 1, listxattr),   \
		STEP("getacl", 1, getacl), STEP("file-getattr", 1, file_getattr), \
		STEP("fstat", 1, fstat), STEP("fstatfs", 1, fstatfs),             \
		STEP("fgetxattr", 1, fgetxattr), STEP("fstat-own", 0, fstat_own)

static int do_stat(char **a)
{
	struct stat st;

	return probe_result(stat(a[0], &st));
}

static int do_lstat(char **a)
{
	struct stat st;

	return probe_result(lstat(a[0], &st));
}

static int do_statx(char **a)
{
	struct statx st;

	return probe_result(statx(AT_FDCWD, a[0], 0, STATX_BASIC_STATS, &st));
}

static int do_readlink(char **a)
{
	char target[256];

	return probe_result(readlink(a[0], target, sizeof(target)));
}

static int do_statfs(char **a)
{
	struct statfs st;

	return probe_result(statfs(a[0], &st));
}

static int do_getxattr(char **a)
{
	char value[64];

	return probe_result(getxattr(a[0], "trusted.probe", value, sizeof(value)));
}

static int do_listxattr(char **a)
{
	char names[1024];

	return probe_result(listxattr(a[0], names, sizeof(names)));
}

static int do_getacl(char **a)
{
	char value[64];

	return probe_result(getxattr(a[0], "system.posix_acl_access", value, sizeof(value)));
}

/* file_getattr(2), 6.17 */
static int do_file_getattr(char **a)
{
	long attr[3] = { 0 }; /* struct file_attr */

	return probe_result(syscall(468, AT_FDCWD, a[0], attr, sizeof(attr), 0));
}

/* fstat FD, of a descriptor that came with the process or is held in no slot; likewise the others */
static int do_fstat(char **a)
{
	struct stat st;

	return probe_result(fstat((int)strtol(a[0], NULL, 10), &st));
}

static int do_fstatfs(char **a)
{
	struct statfs st;

	return probe_result(fstatfs((int)strtol(a[0], NULL, 10), &st));
}

static int do_fgetxattr(char **a)
{
	char value[64];

	return probe_result(
		fgetxattr((int)strtol(a[0], NULL, 10), "trusted.probe", value, sizeof(value)));
}

/* Of one of each kind that no path leads to. */
static int do_fstat_own(char **a)
{
	int fds[6] = { memfd_create("probe", MFD_CLOEXEC), eventfd(0, EFD_CLOEXEC),
		       socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		       (int)syscall(SYS_pidfd_open, getpid(), 0) };
	int err = pipe2(fds + 4, O_CLOEXEC) < 0 ? errno : 0;
	struct stat st;

	(void)a;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) && !err; i++) {
		err = probe_result(fstat(fds[i], &st));
		close(fds[i]);
	}
	return err;
}
