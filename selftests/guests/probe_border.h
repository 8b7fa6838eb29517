/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps at the guest's border: namespaces, mounts, cgroups, other tasks, bpf, io_uring. */
#pragma once

#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "probe.h"

static int do_io_uring(char **a)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 8, &params), err = fd < 0 ? errno : 0;

	(void)a;
	if (fd >= 0)
		close(fd);
	return err;
}

/* A question that root may ask, and that changes nothing. ENOENT is an answer. */
static int do_bpf(char **a)
{
	union bpf_attr attr = { 0 };
	int err = probe_result(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)));

	(void)a;
	return err == ENOENT ? 0 : err;
}

/* bpf-get PATH: BPF_OBJ_GET of something pinned */
static int do_bpf_get(char **a)
{
	union bpf_attr attr = { .pathname = (uintptr_t)a[0] };

	return probe_result(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)));
}

static int do_unshare_user(char **a)
{
	(void)a;
	return probe_result(unshare(CLONE_NEWUSER));
}

static int do_unshare_mnt(char **a)
{
	(void)a;
	return probe_result(unshare(CLONE_NEWNS));
}

static int do_mount_bind(char **a)
{
	return probe_result(mount(a[0], a[1], NULL, MS_BIND, NULL));
}

static int do_mount_tmpfs(char **a)
{
	return probe_result(mount("probe", a[0], "tmpfs", 0, NULL));
}

static int do_umount(char **a)
{
	return probe_result(umount2(a[0], MNT_DETACH));
}

static int do_pivot(char **a)
{
	return probe_result(syscall(SYS_pivot_root, a[0], a[1]));
}

static int do_chroot(char **a)
{
	return probe_result(chroot(a[0])) ?: probe_result(chdir("/"));
}

static int do_ptrace(char **a)
{
	pid_t pid = (pid_t)strtol(a[0], NULL, 10);
	int err = probe_result(ptrace(PTRACE_SEIZE, pid, NULL, NULL)), status;

	if (!err) {
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		waitpid(pid, &status, __WALL);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	return err;
}

/* ptrace-child: of one's own, which is no stranger */
static int do_ptrace_child(char **a)
{
	pid_t pid = fork();
	char text[16], *args[] = { text };
	int err;

	(void)a;
	if (!pid)
		for (;;)
			pause();
	snprintf(text, sizeof(text), "%d", pid);
	err = do_ptrace(args);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err;
}

/* process_vm_readv of an address that is nobody's: EFAULT is past the check. */
static int do_vm_read(char **a)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)8, 1 };
	pid_t pid = (pid_t)strtol(a[0], NULL, 10);
	int err = probe_result(process_vm_readv(pid, &to, 1, &from, 1, 0));

	return err == EFAULT ? 0 : err;
}

/* clone-into CGROUP: a child born there, by an O_PATH descriptor */
static int do_clone_into(char **a)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(a[0], O_PATH | O_DIRECTORY | O_CLOEXEC), err;
	long pid;

	if (fd < 0)
		return errno;
	args.cgroup = (unsigned int)fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		_exit(0);
	err = probe_result(pid);
	close(fd);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return err;
}

/* cgroup-move CGROUP: oneself, by its cgroup.procs */
static int do_cgroup_move(char **a)
{
	char path[4096];
	int fd, err;

	snprintf(path, sizeof(path), "%s/cgroup.procs", a[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = probe_result(write(fd, "0", 1));
	close(fd);
	return err;
}
