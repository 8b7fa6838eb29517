/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each step of the cascade, forced: what another kernel or a sandbox would answer comes from
 * seccomp(2). The kernel here may be any; only PIDFD_INFO_EXIT, from 6.15, makes a difference.
 */
#include "pidwait.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "syscalls.h"

#define UNKNOWN -1

/* ---- who is waited for ---- */

/* Another's child: @parent has it and does not reap it, or (@reaps) lets the kernel do so at once. */
struct stranger {
	pid_t pid;
	pid_t parent;
	int go; /* closed: it ends */
};

static _Noreturn void end(int how)
{
	if (how < 0)
		(void)kill(getpid(), -how);
	_exit(how);
}

static _Noreturn void be_parent(int go, int tell, int how, bool reaps)
{
	pid_t pid;
	char byte;

	if (reaps)
		(void)signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid) {
		close(tell);
		(void)!read(go, &byte, 1);
		end(how);
	}
	(void)!write(tell, &pid, sizeof(pid));
	for (;;)
		pause();
}

/* @how: exit code, or a signal as a negative number. */
static struct stranger stranger_start(int how, bool reaps)
{
	int go[2], tell[2];
	struct stranger ret;

	cr_assert_eq(pipe(go), 0);
	cr_assert_eq(pipe(tell), 0);
	ret.parent = fork();
	if (!ret.parent) {
		close(go[1]);
		be_parent(go[0], tell[1], how, reaps);
	}
	ret.go = go[1];
	cr_assert_eq(read(tell[0], &ret.pid, sizeof(ret.pid)), (ssize_t)sizeof(ret.pid));
	return ret;
}

static void *let_go(void *arg)
{
	const struct timespec while_others_begin = { .tv_sec = 1 };

	nanosleep(&while_others_begin, NULL); /* whoever waits has to have looked at it by then */
	close(*(int *)arg);
	return NULL;
}

/* ---- what is done in a process of its own, whose filters end with it ---- */

struct result {
	int r;
	enum pol_pidwait_step step;
	struct pol_event_view view;
};

static struct result *shared;

/* Filters, then the wait, the stranger ending meanwhile (@go) or having ended before (-1). */
static struct result in_child(void (*prepare)(void), pid_t pid, uint64_t start_ns, int go)
{
	pthread_t thread;
	int status;
	pid_t child;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	cr_assert_neq(shared, MAP_FAILED);
	child = fork();
	if (!child) {
		if (go >= 0)
			pthread_create(&thread, NULL, let_go, &go);
		if (prepare)
			prepare();
		shared->r = pol_pidwait(pid, start_ns, &shared->view, &shared->step);
		_exit(0);
	}
	if (go >= 0)
		close(go);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	return *shared;
}

static void expect(const struct result *result, enum pol_pidwait_step step, int code, int sig)
{
	int got_code, got_signal,
		status = pol_event_status(&result->view.exit, &got_code, &got_signal);

	cr_assert_eq(result->r, 0, "%d", result->r);
	cr_assert_eq(result->step, step, "step %d", result->step);
	cr_assert_eq(got_code, code, "code %d", got_code);
	cr_assert_eq(got_signal, sig, "signal %d", got_signal);
	cr_assert_eq(status, sig > 0 ? 128 + sig : code);
	cr_assert_eq(result->view.exit.cause, sig > 0	 ? POL_CAUSE_SIGNAL
					      : code < 0 ? POL_CAUSE_UNKNOWN
							 : POL_CAUSE_EXIT);
	cr_assert_eq(result->view.type, POL_TYPE_EXIT);
	cr_assert(result->view.outside);
}

static void stranger_end(struct stranger *stranger)
{
	(void)kill(stranger->parent, SIGKILL);
	(void)waitpid(stranger->parent, NULL, 0);
}

/* ---- the filters ---- */

static void no_pidfd(void)
{
	test_refuse(SYS_pidfd_open, ENOSYS);
}

static void no_pidfd_eperm(void)
{
	test_refuse(SYS_pidfd_open, EPERM);
}

/* As if it were another user's. */
static void no_ptrace(void)
{
	test_refuse(SYS_readlinkat, EACCES);
}

static void no_info(void)
{
	no_ptrace();
	test_refuse(SYS_ioctl, ENOTTY);
}

static void no_pidfd_no_ptrace(void)
{
	no_pidfd();
	no_ptrace();
}

static bool has_info_exit(void)
{
	int major = 0, minor = 0;
	struct utsname name;

	cr_assert_eq(uname(&name), 0);
	cr_assert_eq(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 15);
}

/* ---- our own child ---- */

static pid_t child_start(int how)
{
	pid_t pid = fork();

	if (!pid)
		end(how);
	return pid;
}

static void expect_child(int how)
{
	pid_t pid = child_start(how);
	struct result result;
	int status;

	result.r = pol_pidwait(pid, 0, &result.view, &result.step);
	expect(&result, POL_PIDWAIT_CHILD, how < 0 ? UNKNOWN : how, how < 0 ? -how : UNKNOWN);
	cr_assert_eq(waitpid(pid, &status, 0), pid, "it was reaped");
	cr_assert_eq(result.view.exit.code, status);
}

Test(pidwait, a_child_is_told_and_not_reaped)
{
	expect_child(0);
	expect_child(255);
	expect_child(-SIGKILL);
	expect_child(-SIGTERM);
}

static int child_without_pidfd(void)
{
	struct pol_event_view view;
	enum pol_pidwait_step step;
	pid_t pid = child_start(7);

	no_pidfd();
	if (pol_pidwait(pid, 0, &view, &step) || step != POL_PIDWAIT_CHILD)
		return 1;
	return view.exit.code == 7 << 8 && view.exit.cause == POL_CAUSE_EXIT ? 0 : 2;
}

Test(pidwait, a_child_without_pidfd)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(child_without_pidfd());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "%x", status);
}

/* ---- another's ---- */

static void expect_stranger(int how, bool reaps, void (*prepare)(void), enum pol_pidwait_step step,
			    bool known)
{
	struct stranger stranger = stranger_start(how, reaps);
	struct result result = in_child(prepare, stranger.pid, 0, stranger.go);
	int code = known && how >= 0 ? how : UNKNOWN, sig = known && how < 0 ? -how : UNKNOWN;

	expect(&result, step, code, sig);
	cr_assert_eq(result.view.process.tgid, (uint32_t)stranger.pid);
	cr_assert_geq(result.view.process.start_ns, 1);
	cr_assert_geq(result.view.exit.duration_ns, 200000000);
	stranger_end(&stranger);
}

/* Reaped at once, and not to be looked at: the kernel tells, or nobody. */
Test(pidwait, told_by_the_pidfd)
{
	bool has = has_info_exit();
	enum pol_pidwait_step step = has ? POL_PIDWAIT_INFO : POL_PIDWAIT_PIDFD;

	expect_stranger(7, true, no_ptrace, step, has);
	expect_stranger(-SIGKILL, true, no_ptrace, step, has);
}

Test(pidwait, without_pidfd_info_the_end_is_seen)
{
	expect_stranger(7, true, no_info, POL_PIDWAIT_PIDFD, false);
}

Test(pidwait, a_zombie_in_proc_has_the_code)
{
	expect_stranger(7, false, NULL, POL_PIDWAIT_PIDFD, true);
	expect_stranger(0, false, NULL, POL_PIDWAIT_PIDFD, true);
	expect_stranger(-SIGTERM, false, NULL, POL_PIDWAIT_PIDFD, true);
}

/* Field 52 is 0 for others: that is not exit code 0. */
Test(pidwait, a_zombie_that_nobody_reaps_and_that_may_not_be_looked_at)
{
	expect_stranger(7, false, no_ptrace, POL_PIDWAIT_PIDFD, false);
	expect_stranger(7, false, no_info, POL_PIDWAIT_PIDFD, false);
}

Test(pidwait, polling)
{
	expect_stranger(7, false, no_pidfd, POL_PIDWAIT_PROC, true);
	expect_stranger(-SIGKILL, false, no_pidfd_eperm, POL_PIDWAIT_PROC, true);
	expect_stranger(7, true, no_pidfd_no_ptrace, POL_PIDWAIT_PROC, false);
	expect_stranger(7, false, no_pidfd_no_ptrace, POL_PIDWAIT_PROC, false);
}

Test(pidwait, who_it_was)
{
	struct stranger stranger = stranger_start(7, false);
	struct result result = in_child(NULL, stranger.pid, 0, stranger.go);
	const struct pol_event_process *process = &result.view.process;
	struct pol_proc self;
	char exe[512];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	cr_assert_gt(n, 0);
	exe[n] = '\0';
	cr_assert_eq(pol_proc_read(getpid(), &self), 0);
	cr_assert_eq(process->tid, (uint32_t)stranger.pid);
	cr_assert_eq(process->uid, getuid());
	cr_assert_eq(process->gid, getgid());
	cr_assert_eq(process->parent_tgid, (uint32_t)stranger.parent);
	cr_assert_str_eq(process->comm, self.comm);
	cr_assert_str_eq(process->parent_comm, self.comm);
	cr_assert_eq(strcmp(shared->view.exe_buf, exe), 0);
	cr_assert_eq(strcmp(shared->view.parent_exe_buf, exe), 0);
	cr_assert_neq(result.view.exit.utime_ns, POL_EXIT_UNKNOWN);
	cr_assert_neq(result.view.exit.minflt, POL_EXIT_UNKNOWN);
	cr_assert_eq(result.view.exit.maxrss_bytes, POL_EXIT_UNKNOWN);
	stranger_end(&stranger);
}

/* ---- who is not there ---- */

#define NOBODY (1 << 23) /* above PID_MAX_LIMIT */

Test(pidwait, nobody_is_unknown_at_once)
{
	void (*const filters[])(void) = { NULL, no_pidfd, no_pidfd_eperm, no_info };

	for (size_t i = 0; i < 4; i++) {
		struct result result = in_child(filters[i], NOBODY, 0, -1);

		expect(&result, POL_PIDWAIT_NOBODY, UNKNOWN, UNKNOWN);
		cr_assert_eq(result.view.process.tgid, NOBODY);
		cr_assert_eq(result.view.process.start_ns, 0);
	}
}

/* The number lives, the process that was meant does not. */
Test(pidwait, another_has_the_number_now)
{
	void (*const filters[])(void) = { NULL, no_pidfd };
	struct pol_proc self;

	cr_assert_eq(pol_proc_read(getpid(), &self), 0);
	for (size_t i = 0; i < 2; i++) {
		uint64_t before_ns = self.start_ns - pol_proc_tick_ns();
		struct result result = in_child(filters[i], getpid(), before_ns, -1);

		expect(&result, POL_PIDWAIT_NOBODY, UNKNOWN, UNKNOWN);
		cr_assert_eq(result.view.process.start_ns, 0);
		result = in_child(filters[i], getpid(), self.start_ns + pol_proc_tick_ns(), -1);
		expect(&result, POL_PIDWAIT_NOBODY, UNKNOWN, UNKNOWN);
	}
}

/* An event's start has more digits than /proc. */
Test(pidwait, the_one_that_is_meant)
{
	void (*const filters[])(void) = { NULL, no_pidfd };

	for (size_t i = 0; i < 2; i++) {
		struct stranger stranger = stranger_start(7, false);
		struct result result;
		struct pol_proc proc;

		cr_assert_eq(pol_proc_read(stranger.pid, &proc), 0);
		result = in_child(filters[i], stranger.pid, proc.start_ns + pol_proc_tick_ns() - 1,
				  stranger.go);
		expect(&result, i ? POL_PIDWAIT_PROC : POL_PIDWAIT_PIDFD, 7, UNKNOWN);
		stranger_end(&stranger);
	}
}

/* ---- threads ---- */

static void *stay(void *arg)
{
	char byte;

	(void)!read(*(int *)arg, &byte, 1);
	_exit(5);
}

/* The leader ends at once, another thread goes on and ends the process with 5. */
static _Noreturn void leader_gone(int go, int tell)
{
	pthread_t thread;
	pid_t pid = fork();

	if (!pid) {
		pthread_create(&thread, NULL, stay, &go);
		(void)syscall(SYS_exit, 0);
	}
	(void)!write(tell, &pid, sizeof(pid));
	for (;;)
		pause();
}

static struct stranger leaderless_start(void)
{
	struct stranger ret;
	struct pol_proc proc;
	int go[2], tell[2];

	cr_assert_eq(pipe(go), 0);
	cr_assert_eq(pipe(tell), 0);
	ret.parent = fork();
	if (!ret.parent) {
		close(go[1]);
		leader_gone(go[0], tell[1]);
	}
	ret.go = go[1];
	cr_assert_eq(read(tell[0], &ret.pid, sizeof(ret.pid)), (ssize_t)sizeof(ret.pid));
	do
		cr_assert_eq(pol_proc_read(ret.pid, &proc), 0);
	while (proc.state != 'Z');
	return ret;
}

Test(pidwait, the_leaders_end_is_not_the_processes)
{
	void (*const filters[])(void) = { NULL, no_pidfd };

	for (size_t i = 0; i < 2; i++) {
		struct stranger stranger = leaderless_start();
		struct result result = in_child(filters[i], stranger.pid, 0, stranger.go);

		expect(&result, i ? POL_PIDWAIT_PROC : POL_PIDWAIT_PIDFD, 5, UNKNOWN);
		stranger_end(&stranger);
	}
}

static void *tell_tid(void *arg)
{
	*(volatile pid_t *)arg = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

Test(pidwait, a_threads_number_is_refused)
{
	void (*const filters[])(void) = { NULL, no_pidfd };
	volatile pid_t tid = 0;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, tell_tid, (void *)&tid), 0);
	while (!tid)
		sched_yield();
	for (size_t i = 0; i < 2; i++) {
		struct result result = in_child(filters[i], tid, 0, -1);

		cr_assert_eq(result.r, -EINVAL, "%d", result.r);
	}
	cr_assert_eq(pol_pidwait(0, 0, &shared->view, &shared->step), -EINVAL);
	cr_assert_eq(pol_pidwait(-1, 0, &shared->view, &shared->step), -EINVAL);
}

/* ---- an error is not an end ---- */

static void hidden(void)
{
	no_pidfd();
	test_refuse(SYS_openat, ENOENT);
}

static void no_descriptors(void)
{
	no_pidfd();
	test_refuse(SYS_openat, EMFILE);
}

static void pidfd_emfile(void)
{
	test_refuse(SYS_pidfd_open, EMFILE);
}

static void pidfd_and_no_proc(void)
{
	test_refuse(SYS_openat, ENOENT);
}

Test(pidwait, what_cannot_be_seen_is_an_error)
{
	struct stranger stranger = stranger_start(7, true);
	struct result result = in_child(hidden, stranger.pid, 0, -1);

	cr_assert_eq(result.r, -EACCES, "%d", result.r);
	result = in_child(no_descriptors, stranger.pid, 0, -1);
	cr_assert_eq(result.r, -EMFILE, "%d", result.r);
	result = in_child(pidfd_emfile, stranger.pid, 0, -1);
	cr_assert_eq(result.r, -EMFILE, "%d", result.r);
	result = in_child(pidfd_and_no_proc, stranger.pid, 1, -1);
	cr_assert_eq(result.r, -EACCES, "which one it is cannot be seen: %d", result.r);
	/* The pidfd is enough where any will do. */
	result = in_child(pidfd_and_no_proc, stranger.pid, 0, stranger.go);
	expect(&result, has_info_exit() ? POL_PIDWAIT_INFO : POL_PIDWAIT_PIDFD,
	       has_info_exit() ? 7 : UNKNOWN, UNKNOWN);
	cr_assert_eq(result.view.process.start_ns, 0);
	cr_assert_eq(result.view.exit.duration_ns, POL_EXIT_UNKNOWN);
	stranger_end(&stranger);
}
