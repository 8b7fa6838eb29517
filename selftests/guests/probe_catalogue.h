/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of catalogue_test: ways around a whitelist that have no family of steps of their own. */
#pragma once

#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe.h"

/* ---- watching ---- */

static int do_inotify(char **a)
{
	int fd = inotify_init1(IN_CLOEXEC), err;

	err = probe_result(inotify_add_watch(fd, a[0], IN_ALL_EVENTS));
	close(fd);
	return err;
}

/* fanotify KIND PATH: a mark on the inode, its mount, its filesystem; perm: that asks first */
static int do_fanotify(char **a)
{
	unsigned int flags = FAN_MARK_ADD;
	uint64_t mask = FAN_OPEN;
	int fd, err;

	if (!strcmp(a[0], "mount"))
		flags |= FAN_MARK_MOUNT;
	if (!strcmp(a[0], "fs"))
		flags |= FAN_MARK_FILESYSTEM;
	if (!strcmp(a[0], "perm"))
		mask = FAN_OPEN_PERM;
	fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (fd < 0)
		return errno;
	err = probe_result(fanotify_mark(fd, flags, mask, AT_FDCWD, a[1]));
	close(fd);
	return err;
}

/* dnotify SLOT */
static int do_dnotify(char **a)
{
	return probe_result(fcntl(*probe_slot(a[0]), F_NOTIFY, DN_CREATE));
}

/* ---- signals by a file's owner ---- */

static int owned[2]; /* a pair of sockets; what is written to the second has the first send */

static int owner_set(const char *how, pid_t pid)
{
	struct f_owner_ex ex = { .type = pid < 0 ? F_OWNER_PGRP : F_OWNER_PID, .pid = abs(pid) };

	if (!strcmp(how, "stdin"))
		owned[0] = STDIN_FILENO;
	if (!strcmp(how, "ex"))
		return probe_result(fcntl(owned[0], F_SETOWN_EX, &ex));
	if (!strcmp(how, "ioctl"))
		return probe_result(ioctl(owned[0], FIOSETOWN, &pid));
	return probe_result(fcntl(owned[0], F_SETOWN, pid));
}

/* owner HOW PID: 0: itself, group: that it leads; gets the signals; by fcntl, ex, ioctl, stdin */
static int do_owner(char **a)
{
	int on = 1, err;
	pid_t pid;

	if (!owned[1] && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, owned))
		return errno;
	pid = !strcmp(a[1], "group") ? -getpid() : (pid_t)strtol(a[1], NULL, 10);
	err = owner_set(a[0], pid ?: getpid());
	return err ?: probe_result(ioctl(owned[0], FIOASYNC, &on));
}

/* set-signal SIG: which one */
static int do_set_signal(char **a)
{
	return probe_result(fcntl(owned[0], F_SETSIG, strtol(a[0], NULL, 10)));
}

/* fire: something to read */
static int do_fire(char **a)
{
	(void)a;
	return probe_result(write(owned[1], "x", 1));
}

/* fire-self SIG: and the signal comes to this process */
static int do_fire_self(char **a)
{
	struct timespec wait = { .tv_sec = 10 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, (int)strtol(a[0], NULL, 10));
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(owned[1], "x", 1) != 1)
		return errno;
	return probe_result(sigtimedwait(&set, NULL, &wait));
}

/* owners N: that many files with an owner at once */
static int do_owners(char **a)
{
	long cnt = strtol(a[0], NULL, 10);
	struct rlimit limit = { (rlim_t)cnt + 64, (rlim_t)cnt + 64 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return errno;
	for (long i = 0; i < cnt; i++) {
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0 || fcntl(fd, F_SETOWN, getpid()))
			return errno;
	}
	return 0;
}

/* tty-ioctl NR: of standard input, with one byte */
static int do_tty_ioctl(char **a)
{
	char byte = 'x';

	return probe_result(ioctl(STDIN_FILENO, strtoul(a[0], NULL, 16), &byte));
}

/* ---- namespaces of others ---- */

/* setns-pidfd PID */
static int do_setns_pidfd(char **a)
{
	int fd = (int)syscall(SYS_pidfd_open, strtol(a[0], NULL, 10), 0), err;

	if (fd < 0)
		return errno;
	err = probe_result(setns(fd, CLONE_NEWUTS));
	close(fd);
	return err;
}

/* setns-file PATH */
static int do_setns_file(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = probe_result(setns(fd, CLONE_NEWUTS));
	close(fd);
	return err;
}

/* pidfd-ns PID: a descriptor of its UTS namespace (PIDFD_GET_UTS_NAMESPACE, 6.11) */
static int do_pidfd_ns(char **a)
{
	int fd = (int)syscall(SYS_pidfd_open, strtol(a[0], NULL, 10), 0), got, err;

	if (fd < 0)
		return errno;
	got = ioctl(fd, _IO(0xff, 10), 0);
	err = probe_result(got);
	if (got >= 0)
		close(got);
	close(fd);
	return err;
}

static int do_unshare_cgroup(char **a)
{
	(void)a;
	return probe_result(unshare(CLONE_NEWCGROUP));
}

/* mount-type TYPE TO */
static int do_mount_type(char **a)
{
	return probe_result(mount("probe", a[1], a[0], 0, NULL));
}

/* ---- keys ---- */

/* keyring-to-parent: a new session keyring, given to the parent's credentials */
static int do_keyring_to_parent(char **a)
{
	(void)a;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return errno;
	return probe_result(syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT));
}

/* keyring-from-child: the other side of it */
static int do_keyring_from_child(char **a)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(do_keyring_to_parent(a));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WEXITSTATUS(status);
}

/* ---- what the kernel reads and writes by itself ---- */

/* clone-file FROM TO: FICLONE, slots */
static int do_clone_file(char **a)
{
	return probe_result(ioctl(*probe_slot(a[1]), FICLONE, *probe_slot(a[0])));
}

/* aio-write SLOT */
static int do_aio_write(char **a)
{
	static char text[] = "x";
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = (uint32_t)*probe_slot(a[0]),
		.aio_buf = (uintptr_t)text,
		.aio_nbytes = 1,
	}, *cbs[] = { &cb };
	struct io_event event;
	aio_context_t ctx = 0;
	int err;

	if (syscall(SYS_io_setup, 1, &ctx))
		return errno;
	err = probe_result(syscall(SYS_io_submit, ctx, 1L, cbs));
	if (!err && syscall(SYS_io_getevents, ctx, 1L, 1L, &event, NULL) == 1)
		err = event.res == 1 ? 0 : EIO;
	syscall(SYS_io_destroy, ctx);
	return err;
}

static int do_swapon(char **a)
{
	return probe_result(swapon(a[0], 0));
}

static int do_acct(char **a)
{
	int err = probe_result(acct(a[0]));

	if (!err)
		acct(NULL);
	return err;
}

/* quotaon DEVICE FILE */
static int do_quotaon(char **a)
{
	return probe_result(
		quotactl(QCMD(Q_QUOTAON, USRQUOTA), a[0], 2 /* QFMT_VFS_V0 */, (caddr_t)a[1]));
}

/* core DIR: does a process that dies there leave one? */
static int do_core(char **a)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (setrlimit(RLIMIT_CORE, &limit) || chdir(a[0]))
			_exit(errno);
		abort();
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status) ?: EINVAL;
	return WCOREDUMP(status) ? 0 : EACCES;
}

/* mq NAME: a POSIX message queue, made if need be */
static int do_mq(char **a)
{
	int fd = (int)syscall(SYS_mq_open, a[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL);
	int err = probe_result(fd);

	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- a path that changes under the kernel's eyes ---- */

static struct {
	char path[256], good[256], bad[256];
	volatile bool stop;
} flip;

static void *flip_thread(void *arg)
{
	size_t len = strlen(flip.good);

	while (!flip.stop) {
		memcpy(flip.path, flip.bad, len);
		memcpy(flip.path, flip.good, len);
	}
	return arg;
}

/*
 * flip N GOOD BAD: N opens of a path that another thread changes from one to the other, both of one
 * length, which may be stat'ed; more of them until both were met. EUCLEAN: BAD was opened; EAGAIN:
 * it was never one and then the other.
 */
static int do_flip(char **a)
{
	long n = strtol(a[0], NULL, 10), good = 0, refused = 0, leaked = 0;
	struct stat bad, got;
	pthread_t thread;

	snprintf(flip.path, sizeof(flip.path), "%s", a[1]);
	snprintf(flip.good, sizeof(flip.good), "%s", a[1]);
	snprintf(flip.bad, sizeof(flip.bad), "%s", a[2]);
	if (strlen(flip.good) != strlen(flip.bad) || stat(a[2], &bad))
		return EINVAL;
	if (pthread_create(&thread, NULL, flip_thread, NULL))
		return ENOMEM;
	for (long i = 0; i < n || (i < 200 * n && !(good && refused + leaked)); i++) {
		int fd = open(flip.path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			refused += errno == EACCES; /* half a path is not there */
			continue;
		}
		if (!fstat(fd, &got) && got.st_ino == bad.st_ino)
			leaked++;
		else
			good++;
		close(fd);
	}
	flip.stop = true;
	pthread_join(thread, NULL);
	return leaked ? EUCLEAN : good && refused ? 0 : EAGAIN;
}

#define CATALOGUE_STEPS                                                                            \
	STEP("inotify", 1, inotify), STEP("fanotify", 2, fanotify), STEP("dnotify", 1, dnotify),   \
		STEP("owner", 2, owner), STEP("set-signal", 1, set_signal), STEP("fire", 0, fire), \
		STEP("fire-self", 1, fire_self), STEP("owners", 1, owners),                        \
		STEP("tty-ioctl", 1, tty_ioctl), STEP("setns-pidfd", 1, setns_pidfd),              \
		STEP("setns-file", 1, setns_file), STEP("pidfd-ns", 1, pidfd_ns),                  \
		STEP("unshare-cgroup", 0, unshare_cgroup), STEP("mount-type", 2, mount_type),      \
		STEP("keyring-to-parent", 0, keyring_to_parent),                                   \
		STEP("keyring-from-child", 0, keyring_from_child),                                 \
		STEP("clone-file", 2, clone_file), STEP("aio-write", 1, aio_write),                \
		STEP("swapon", 1, swapon), STEP("acct", 1, acct), STEP("quotaon", 2, quotaon),     \
		STEP("core", 1, core), STEP("mq", 1, mq), STEP("flip", 3, flip)
