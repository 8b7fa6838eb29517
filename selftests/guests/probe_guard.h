/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps against what is not the guest: other tasks, the engine's objects, the kernel itself. */
#pragma once

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/io.h>
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
