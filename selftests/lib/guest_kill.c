/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest_kill.h"

#include <linux/ptrace.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <bpf/bpf.h>

#include "harness_util.h"
#include "lib_util.h"

#define WORDS_MAX 14
#define HELD	  (PROGRAM + 1) /* the hammer shares memory with its children: a file, too */

/* ------------------------------------------------------------------ one death */

/* glibc's header of it and the kernel's do not go together. */
static long trace(long request, pid_t pid, long address, long data)
{
	return syscall(SYS_ptrace, request, pid, address, data);
}

/* bpf(2) makes much that is gone with its descriptor; not these. */
static bool bpf_changes(const struct ptrace_syscall_info *at)
{
	static const long cmds[] = {
		BPF_MAP_UPDATE_ELEM, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_ELEM,
		BPF_OBJ_PIN,	     BPF_PROG_TEST_RUN,	   BPF_RAW_TRACEPOINT_OPEN,
		BPF_LINK_CREATE,     BPF_ITER_CREATE,
	};

	for (size_t i = 0; i < sizeof(cmds) / sizeof(*cmds); i++)
		if ((long)at->entry.args[0] == cmds[i])
			return true;
	return false;
}

/* Before a call that changes something. After it is before the next one. */
static bool changes(const struct ptrace_syscall_info *at)
{
	static const long calls[] = {
		SYS_write,  SYS_renameat2, SYS_rename,	SYS_unlinkat, SYS_unlink, SYS_rmdir,
		SYS_mkdir,  SYS_mkdirat,   SYS_clone,	SYS_clone3,   SYS_vfork,  SYS_fork,
		SYS_sendto, SYS_prlimit64, SYS_kill,	SYS_fchmod,   SYS_pidfd_send_signal,
		SYS_exit_group,
	};

	if (at->op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if ((long)at->entry.nr == SYS_bpf)
		return bpf_changes(at);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if ((long)at->entry.nr == calls[i])
			return true;
	return false;
}

static pid_t start(const char *const words[], bool traced)
{
	const char *argv[WORDS_MAX + 2] = { "policyctl" };
	pid_t pid;

	for (int i = 0; words[i] && i < WORDS_MAX; i++)
		argv[i + 1] = words[i];
	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	dup2(STDIN_FILENO, STDOUT_FILENO);
	dup2(STDIN_FILENO, STDERR_FILENO);
	if (traced)
		trace(PTRACE_TRACEME, 0, 0, 0);
	execvp("policyctl", (char **)argv);
	_exit(127);
}

/* Where a traced policyctl is to stand: told of each of its stops at a syscall. */
typedef bool (*there_fn)(const struct ptrace_syscall_info *at, void *arg);

/* Return: -1: it stands there; else its wait status. */
static int run_to(pid_t pid, there_fn there, void *arg)
{
	struct ptrace_syscall_info at = { 0 };
	int status, sig = 0;

	if (waitpid(pid, &status, 0) != pid ||
	    trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		lib_die("ptrace", "policyctl");
	while (!trace(PTRACE_SYSCALL, pid, 0, sig) && waitpid(pid, &status, 0) == pid) {
		if (!WIFSTOPPED(status))
			return status;
		sig = WSTOPSIG(status);
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(at), (long)&at);
		if (there(&at, arg))
			return -1;
	}
	lib_die("ptrace", "policyctl");
}

struct count {
	long stop; /* where to stand; -1: nowhere */
	long seen;
};

static bool at_stop(const struct ptrace_syscall_info *at, void *arg)
{
	struct count *count = arg;

	return changes(at) && count->seen++ == count->stop;
}

static bool at_entry(const struct ptrace_syscall_info *at, void *arg)
{
	return at->op == PTRACE_SYSCALL_INFO_ENTRY && (long)at->entry.nr == *(long *)arg;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int ctl_killed(const struct death *death, const char *const words[])
{
	pid_t pid = start(words, death->stop >= 0);
	struct count count = { .stop = death->stop };
	int status = -1;

	if (death->stop >= 0) {
		status = run_to(pid, at_stop, &count);
		if (status == -1)
			end(pid);
		return status;
	}
	usleep((useconds_t)death->us);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -1 : status;
}

pid_t ctl_stands(const char *const words[], long nr)
{
	pid_t pid = start(words, true);

	if (run_to(pid, at_entry, &nr) != -1)
		lib_die("it does not come there", words[0]);
	return pid;
}

int ctl_goes_on(pid_t pid)
{
	int status = -1;

	if (trace(PTRACE_DETACH, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
		lib_die("detach", "policyctl");
	return status;
}

int ctl_timed(const char *const words[], struct death *ret)
{
	long begin = now_us();
	pid_t pid = start(words, false);
	int status = -1;

	waitpid(pid, &status, 0);
	ret->us = now_us() - begin;
	return status;
}

int ctl_stepped(const char *const words[], struct death *ret)
{
	struct count count = { .stop = -1 };
	int status = run_to(start(words, true), at_stop, &count);

	ret->stop = count.seen;
	printf("# policyctl %s: %ld stops, %ld us\n", words[0], ret->stop, ret->us);
	return status;
}

bool death_next(long i, const struct death *whole, long random_cnt, struct death *ret)
{
	long each = test_count(0, whole->stop);

	if (!i)
		srandom((unsigned int)test_seed());
	if (i >= each + random_cnt)
		return false;
	if (i < each)
		*ret = (struct death){ .stop = i };
	else if (i % 2)
		*ret = (struct death){ .stop = random() % whole->stop };
	else
		*ret = (struct death){ .stop = -1, .us = random() % whole->us };
	return true;
}

/* ------------------------------------------------------------------ the hammer */

void hammer_start(struct probe *p, const char *good, const char *bad, long least, long most)
{
	const char *line;

	probe_start(p, "g",
		    (const char *const[]){ "hammer-all", good, bad, text("%ld", least - HELD),
					   text("%ld", most - HELD), NULL });
	line = probe_until(p, "hammering");
	if (!line || strcmp(line, "hammering 0"))
		lib_die("hammer", line ? line : "no line");
}

const char *hammer_end(struct probe *p, long *ret_rounds)
{
	long refused = 0, opened = 0, forks = 0, fds = 0;
	const char *line;
	int status;

	probe_go(p);
	while ((line = probe_line(p)) && strncmp(line, "hammered", 8))
		printf("# %s\n", line);
	if (!line || sscanf(line, "hammered 0 %ld %ld %ld %ld %ld", ret_rounds, &refused, &opened,
			    &forks, &fds) != 5)
		return text("the hammer says: %s", line ? line : "nothing");
	printf("# %ld rounds\n", *ret_rounds);
	status = probe_end(p);
	if (status || refused || opened || forks || fds)
		return text("status %d; good refused %ld, bad opened %ld, forks refused %ld, "
			    "descriptors wrong %ld times",
			    status, refused, opened, forks, fds);
	return NULL;
}

/* ------------------------------------------------------------------ what is left */

/* But for the metas of generations, of which some are kept. @say: their names, too. */
static long count_maps(bool say)
{
	unsigned int id = 0, len;
	long n = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = { 0 };
		int fd = bpf_map_get_fd_by_id(id);

		len = sizeof(info);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		close(fd);
		if (!strcmp(info.name, "meta"))
			continue;
		n++;
		if (say)
			printf("# map %u %s\n", id, info.name);
	}
	return n;
}

long maps_settle(long want)
{
	long n = count_maps(false);

	for (int i = 0; i < 100 && n > want; i++) {
		usleep(100000);
		n = count_maps(false);
	}
	if (want && n != want)
		count_maps(true);
	return n;
}

long events_accounted(const char *type)
{
	long n = events_count((const char *const[]){ text("type=%s", type), NULL });
	const json_t *event;
	size_t i;

	json_array_foreach(events_all(), i, event)
		if (!strcmp(json_at(event, "type"), "lost") && !strcmp(json_at(event, "of"), type))
			n += strtol(json_at(event, "count"), NULL, 10);
	return n;
}
