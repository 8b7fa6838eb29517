/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that prepare how a guest-to-be sees the tree: namespaces, detached mounts. */
#pragma once

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "probe.h"

#define TREES_STEPS                                                                             \
	STEP("mntns", 0, mntns), STEP("userns", 0, userns), STEP("tree", 2, tree),              \
		STEP("detached", 1, detached), STEP("snapshot", 3, snapshot),                   \
		STEP("subvolume", 2, subvolume), STEP("subvolume-delete", 2, subvolume_delete), \
		STEP("clone", 2, clone)

/* mntns: a mount namespace that nothing propagates from */
static int do_mntns(char **a)
{
	(void)a;
	return probe_result(unshare(CLONE_NEWNS))
		       ?: probe_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int write_map(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = probe_result(write(fd, line, strlen(line)));
	close(fd);
	return err;
}

/* userns: a user namespace in which root is root, and a mount namespace of its own */
static int do_userns(char **a)
{
	(void)a;
	return probe_result(unshare(CLONE_NEWUSER | CLONE_NEWNS)) ?:
	       write_map("/proc/self/setgroups", "deny") ?:
	       write_map("/proc/self/uid_map", "0 0 1") ?:
	       write_map("/proc/self/gid_map", "0 0 1");
}

/* tree SLOT PATH: a detached copy of the tree at PATH */
static int do_tree(char **a)
{
	int *slot = probe_slot(a[0]);

	*slot = open_tree(AT_FDCWD, a[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return probe_result(*slot);
}

/* detached SLOT: a tmpfs that was never attached anywhere, with a file "f" */
static int do_detached(char **a)
{
	int *slot = probe_slot(a[0]), fs = fsopen("tmpfs", FSOPEN_CLOEXEC), fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return errno;
	*slot = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	if (*slot < 0)
		return errno;
	fd = openat(*slot, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* An ioctl(2) of btrfs on the directory @dir that takes a name. */
static int ioctl_name(const char *dir, unsigned long cmd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	int fd = open(dir, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	snprintf(args.name, sizeof(args.name), "%s", name);
	err = probe_result(ioctl(fd, cmd, &args));
	close(fd);
	return err;
}

/* snapshot SUBVOLUME DIR NAME */
static int do_snapshot(char **a)
{
	struct btrfs_ioctl_vol_args_v2 args = { 0 };
	int dir = open(a[1], O_RDONLY | O_CLOEXEC), err;

	args.fd = open(a[0], O_RDONLY | O_CLOEXEC);
	if (dir < 0 || args.fd < 0)
		return errno;
	snprintf(args.name, sizeof(args.name), "%s", a[2]);
	err = probe_result(ioctl(dir, BTRFS_IOC_SNAP_CREATE_V2, &args));
	close((int)args.fd);
	close(dir);
	return err;
}

/* subvolume DIR NAME */
static int do_subvolume(char **a)
{
	return ioctl_name(a[0], BTRFS_IOC_SUBVOL_CREATE, a[1]);
}

static int do_subvolume_delete(char **a)
{
	return ioctl_name(a[0], BTRFS_IOC_SNAP_DESTROY, a[1]);
}

/* clone FROM TO: one file's blocks become another's */
static int do_clone(char **a)
{
	int from = open(a[0], O_RDONLY | O_CLOEXEC), to = open(a[1], O_WRONLY | O_CLOEXEC), err;

	if (from < 0 || to < 0)
		return errno;
	err = probe_result(ioctl(to, FICLONE, from));
	close(from);
	close(to);
	return err;
}
