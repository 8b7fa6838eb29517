/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps against what is not the guest: other tasks, the engine's objects, the kernel itself. */
#pragma once

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "probe.h"

static pid_t guard_pid(const char *word)
{
	return (pid_t)strtol(word, NULL, 10);
}

/* signal PID SIG */
static int do_signal(char **a)
{
	return probe_result(kill(guard_pid(a[0]), guard_pid(a[1])));
}

static int do_tgkill(char **a)
{
	return probe_result(syscall(SYS_tgkill, guard_pid(a[0]), guard_pid(a[0]), guard_pid(a[1])));
}

/* pidfd-signal PID SIG */
static int do_pidfd_signal(char **a)
{
	int fd = (int)syscall(SYS_pidfd_open, guard_pid(a[0]), 0), err;

	if (fd < 0)
		return errno;
	err = probe_result(syscall(SYS_pidfd_send_signal, fd, guard_pid(a[1]), NULL, 0));
	close(fd);
	return err;
}

/* pidfd-take PID FD: a copy of another's descriptor */
static int do_pidfd_take(char **a)
{
	int fd = (int)syscall(SYS_pidfd_open, guard_pid(a[0]), 0), got, err;

	if (fd < 0)
		return errno;
	got = (int)syscall(SYS_pidfd_getfd, fd, guard_pid(a[1]), 0);
	err = probe_result(got);
	if (got >= 0)
		close(got);
	close(fd);
	return err;
}

/* affinity PID: as it is, set again */
static int do_affinity(char **a)
{
	cpu_set_t set;
	pid_t pid = guard_pid(a[0]);

	CPU_ZERO(&set);
	if (sched_getaffinity(pid, sizeof(set), &set))
		return errno;
	return probe_result(sched_setaffinity(pid, sizeof(set), &set));
}

static int do_renice(char **a)
{
	return probe_result(setpriority(PRIO_PROCESS, (id_t)guard_pid(a[0]), 1));
}

/* IOPRIO_WHO_PROCESS, best effort 4 (include/uapi/linux/ioprio.h) */
static int do_ioprio(char **a)
{
	return probe_result(syscall(SYS_ioprio_set, 1, guard_pid(a[0]), 2 << 13 | 4));
}

/* No page is named: only whether one might. */
static int do_move_pages(char **a)
{
	return probe_result(syscall(SYS_move_pages, guard_pid(a[0]), 0, NULL, NULL, NULL, 0));
}

/* bpf-id KIND ID: a descriptor for a map, program or link by its id. */
static int do_bpf_id(char **a)
{
	static const struct {
		const char *kind;
		int command;
	} kinds[] = {
		{ "map", BPF_MAP_GET_FD_BY_ID },
		{ "prog", BPF_PROG_GET_FD_BY_ID },
		{ "link", BPF_LINK_GET_FD_BY_ID },
	};
	union bpf_attr attr = { .start_id = (unsigned int)guard_pid(a[1]) };
	int fd;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, a[0]) != 0)
			continue;
		fd = (int)syscall(SYS_bpf, kinds[i].command, &attr, sizeof(attr));
		if (fd < 0)
			return errno;
		close(fd);
		return 0;
	}
	return EINVAL;
}

static int do_perf(char **a)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	(void)a;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* 4 KiB of zeros are no module: ENOEXEC is past the check. */
static int do_init_module(char **a)
{
	static char image[4096];

	(void)a;
	return probe_result(syscall(SYS_init_module, image, sizeof(image), ""));
}

/* finit-module FILE: likewise */
static int do_finit_module(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = probe_result(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return err;
}

/* No segments: what is there is dropped, which is nothing. */
static int do_kexec(char **a)
{
	(void)a;
	return probe_result(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

/* Port 0x80: POST codes, nobody listens. */
static int do_ioperm(char **a)
{
	(void)a;
	return probe_result(ioperm(0x80, 1, 1));
}

/* ---- mounts ---- */

static int do_mount_private(char **a)
{
	(void)a;
	return probe_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int do_mount_ro(char **a)
{
	return probe_result(mount(NULL, a[0], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

/* mount-move FROM TO: by mount(2) */
static int do_mount_move(char **a)
{
	return probe_result(mount(a[0], a[1], NULL, MS_MOVE, NULL));
}

/* mount-overlay LOWER UPPER WORK TO */
static int do_mount_overlay(char **a)
{
	char options[4096];

	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", a[0], a[1], a[2]);
	return probe_result(mount("probe", a[3], "overlay", 0, options));
}

/* move-mount FROM TO */
static int do_move_mount(char **a)
{
	return probe_result(move_mount(AT_FDCWD, a[0], AT_FDCWD, a[1], 0));
}

static int guard_keep(int *at, int fd)
{
	int err = probe_result(fd);

	if (*at > 0)
		close(*at);
	*at = fd;
	return err;
}

static int guard_tree, guard_fs; /* descriptors; 0: none */

static int do_open_tree(char **a)
{
	return guard_keep(&guard_tree,
			  open_tree(AT_FDCWD, a[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/* attach-tree TO: what open-tree or fs-mount left */
static int do_attach_tree(char **a)
{
	return probe_result(move_mount(guard_tree, "", AT_FDCWD, a[0], MOVE_MOUNT_F_EMPTY_PATH));
}

static int do_mount_setattr(char **a)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };

	return probe_result(mount_setattr(AT_FDCWD, a[0], 0, &attr, sizeof(attr)));
}

/* open_tree_attr(2), from 6.15 on; its number is everywhere the same */
static int do_open_tree_attr(char **a)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };
	int fd = (int)syscall(467, AT_FDCWD, a[0], OPEN_TREE_CLOEXEC, &attr, sizeof(attr));

	if (fd >= 0)
		close(fd);
	return probe_result(fd);
}

static int do_fs_open(char **a)
{
	return guard_keep(&guard_fs, fsopen(a[0], FSOPEN_CLOEXEC));
}

static int do_fs_pick(char **a)
{
	return guard_keep(&guard_fs, fspick(AT_FDCWD, a[0], FSPICK_CLOEXEC));
}

static int do_fs_create(char **a)
{
	(void)a;
	return probe_result(fsconfig(guard_fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

static int do_fs_reconfigure(char **a)
{
	(void)a;
	return probe_result(fsconfig(guard_fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

static int do_fs_mount(char **a)
{
	(void)a;
	return guard_keep(&guard_tree, fsmount(guard_fs, FSMOUNT_CLOEXEC, 0));
}

#define GUARD_STEPS                                                                         \
	STEP("mount-private", 0, mount_private), STEP("mount-ro", 1, mount_ro),             \
		STEP("mount-move", 2, mount_move), STEP("mount-overlay", 4, mount_overlay), \
		STEP("move-mount", 2, move_mount), STEP("open-tree", 1, open_tree),         \
		STEP("attach-tree", 1, attach_tree), STEP("fs-open", 1, fs_open),           \
		STEP("mount-setattr", 1, mount_setattr), STEP("fs-pick", 1, fs_pick),       \
		STEP("open-tree-attr", 1, open_tree_attr), STEP("fs-create", 0, fs_create), \
		STEP("fs-reconfigure", 0, fs_reconfigure), STEP("fs-mount", 0, fs_mount)
