/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base.h"

#define KEEP_MAX 64

/* What a child tells its parent: its pid, or which step failed. */
struct report {
	int step; /* enum pol_launch_step, or -1: @value is the new process's pid */
	int value;
};

/* ------------------------------------------------------------------ descriptors */

static int close_span(unsigned int first, unsigned int last)
{
	if (first > last)
		return 0;
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

static int close_by_range(const int *keep, size_t keep_cnt)
{
	unsigned int first = 3;
	int r;

	for (size_t i = 0; i < keep_cnt; i++) {
		if ((unsigned int)keep[i] < first)
			continue;
		r = close_span(first, (unsigned int)keep[i] - 1);
		if (r < 0)
			return r;
		first = (unsigned int)keep[i] + 1;
	}
	return close_span(first, ~0u);
}

static bool kept(int fd, const int *keep, size_t keep_cnt)
{
	for (size_t i = 0; i < keep_cnt; i++)
		if (keep[i] == fd)
			return true;
	return fd < 3;
}

static int number(const char *text)
{
	int value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value;
}

struct dirent64_raw {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* One pass over /proc/self/fd. Return: how many were closed; an error is not an end. */
static int close_pass(int dir, const int *keep, size_t keep_cnt)
{
	char buf[4096] __attribute__((aligned(8)));
	int closed = 0;
	long n;

	if (lseek(dir, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : closed;
		for (long at = 0; at < n;) {
			const struct dirent64_raw *entry = (const void *)(buf + at);
			int fd = number(entry->name);

			if (fd >= 0 && fd != dir && !kept(fd, keep, keep_cnt)) {
				close(fd);
				closed++;
			}
			at += entry->reclen;
		}
	}
}

static int close_by_proc(const int *keep, size_t keep_cnt)
{
	int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (dir < 0)
		return -errno;
	do /* closing while reading can skip entries: until a pass finds none */
		r = close_pass(dir, keep, keep_cnt);
	while (r > 0);
	close(dir);
	return r;
}

int pol_close_others(const int *keep, size_t keep_cnt)
{
	int r = close_by_range(keep, keep_cnt);

	return r < 0 ? close_by_proc(keep, keep_cnt) : 0;
}

/* ------------------------------------------------------------------ the child's side */

static void say(int pipe, int step, int value)
{
	const struct report report = { .step = step, .value = value };
	ssize_t n;

	do
		n = write(pipe, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
}

static int become_user(const struct pol_launch *launch)
{
	if (!launch->set_user)
		return 0;
	if (setgroups(launch->groups_cnt, launch->groups) < 0 || setgid(launch->gid) < 0 ||
	    setuid(launch->uid) < 0)
		return -errno;
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* those that cannot be set stay as they are */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The guest, confined already. */
static _Noreturn void run_guest(const struct pol_launch *launch, int pipe)
{
	int r;

	reset_signals();
	r = become_user(launch);
	if (!r && launch->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r < 0) {
		say(pipe, POL_LAUNCH_USER, -r);
		_exit(125);
	}
	execve(launch->path, launch->argv, launch->envp);
	say(pipe, POL_LAUNCH_EXEC, errno);
	_exit(126);
}

struct helper {
	const struct pol_launch *launch;
	int labels;
	int cgroup;
	int pipe;
	uint32_t guest;
	int keep[KEEP_MAX + 3];
	size_t keep_cnt;
};

static int label_self(const struct helper *helper)
{
	const struct pol_label label = { .guest = helper->guest, .flags = POL_LABEL_LAUNCHER };
	struct pol_engine engine = { .maps = { [POL_MAP_LABELS] = helper->labels } };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int r;

	if (pidfd < 0)
		return -errno;
	r = pol_label_set(&engine, pidfd, &label);
	close(pidfd);
	return r;
}

/*
 * The one between: not a guest, but labelled so that its child is. It cleans the descriptor table
 * while it still may open things, and makes the guest its own parent's child.
 */
static _Noreturn void run_helper(struct helper *helper)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_PARENT,
		.cgroup = (uint64_t)helper->cgroup,
	};
	int r;
	long pid;

	r = label_self(helper);
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_SETUP, -r);
		_exit(125);
	}
	r = pol_close_others(helper->keep, helper->keep_cnt);
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_DESCRIPTORS, -r);
		_exit(125);
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		run_guest(helper->launch, helper->pipe);
	if (pid < 0)
		say(helper->pipe, POL_LAUNCH_CLONE, errno);
	else
		say(helper->pipe, -1, (int)pid);
	_exit(0);
}

/* ------------------------------------------------------------------ the parent's side */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int prepare(struct helper *helper, const struct pol_launch *launch)
{
	if (launch->keep_fds_cnt > KEEP_MAX)
		return -E2BIG;
	for (size_t i = 0; i < launch->keep_fds_cnt; i++) {
		if (fcntl(launch->keep_fds[i], F_GETFD) < 0)
			return -EBADF;
		helper->keep[helper->keep_cnt++] = launch->keep_fds[i];
	}
	helper->keep[helper->keep_cnt++] = helper->pipe;
	helper->keep[helper->keep_cnt++] = helper->cgroup;
	qsort(helper->keep, helper->keep_cnt, sizeof(*helper->keep), by_number);
	return 0;
}

static int read_report(int pipe, struct report *ret)
{
	ssize_t n;

	do
		n = read(pipe, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret) ? 1 : 0;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Until the pipe closes: the pid, and after it nothing (exec went well) or a failure. */
static int collect(int pipe, pid_t *ret_pid, enum pol_launch_step *ret_step)
{
	struct report report;
	pid_t pid = 0;
	int r = 0;

	while (read_report(pipe, &report)) {
		if (report.step < 0) {
			pid = report.value;
			continue;
		}
		*ret_step = (enum pol_launch_step)report.step;
		r = -report.value;
	}
	if (!r && !pid)
		r = -ECHILD; /* the helper died without a word */
	if (r < 0 && pid)
		reap(pid);
	*ret_pid = pid;
	return r;
}

int pol_launch(const struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup_fd,
	       const struct pol_launch *launch, pid_t *ret_pid, enum pol_launch_step *ret_step)
{
	struct helper helper = {
		.launch = launch,
		.labels = engine->maps[POL_MAP_LABELS],
		.cgroup = cgroup_fd,
		.guest = guest->id,
	};
	int pipes[2], r;
	pid_t pid;

	*ret_step = POL_LAUNCH_SETUP;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	helper.pipe = pipes[1];
	r = prepare(&helper, launch);
	pid = r < 0 ? 0 : fork();
	if (!r && !pid)
		run_helper(&helper);
	close(pipes[1]);
	if (r < 0 || pid < 0) {
		r = r < 0 ? r : -errno;
		close(pipes[0]);
		return r;
	}
	r = collect(pipes[0], ret_pid, ret_step);
	close(pipes[0]);
	reap(pid);
	return r;
}
