/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steps that make tasks, up to where they are refused: rows of forks, bombs, zombies, broods.
 */
#pragma once

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe.h"
#include "probe_files.h"

#define TASKS_STEPS                                                                   \
	STEP("spawn", 1, spawn), STEP("idle", 1, idle), STEP("zombies", 0, zombies),  \
		STEP("fault", 0, fault), STEP("eat", 1, eat),                        \
		STEP("codes", 2, codes), STEP("end-apart", 2, end_apart),             \
		STEP("clone-tid", 1, clone_tid), STEP("limit-nproc", 1, limit_nproc), \
		STEP("on-cpu", 1, on_cpu), STEP("bomb-fork", 0, bomb_fork),           \
		STEP("bomb-thread", 0, bomb_thread), STEP("brood", 2, brood)

#define ATOMIC_ADD(at, n) __atomic_add_fetch(at, n, __ATOMIC_SEQ_CST)
#define ATOMIC_GET(at)	  __atomic_load_n(at, __ATOMIC_SEQ_CST)

/* Zeroed memory that children share. */
static void *tasks_shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		_exit(3);
	return at;
}

/* A line of numbers after the errno. */
static void tasks_say(const char *op, int err, const long *numbers, int cnt)
{
	char more[200] = "";
	int len = 0;

	for (int i = 0; i < cnt; i++)
		len += snprintf(more + len, sizeof(more) - len, "%s%ld", i ? " " : "", numbers[i]);
	probe_say(op, err, more);
}

#define TASKS_SAY(op, err, ...)                           \
	tasks_say(op, err, (const long[]){ __VA_ARGS__ }, \
		  (int)(sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long)))

static void tasks_reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* ---- rows ---- */

/* A child, its exit, the wait for it. By vfork(2), which is the cheapest: a new task all the same. */
static int spawn_one(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return pid < 0 ? errno : waitpid(pid, NULL, 0) == pid ? 0 : errno;
}

/* spawn COUNT: that many, one after the other; ends at the first errno; says how far it is */
static int do_spawn(char **a)
{
	long cnt = strtol(a[0], NULL, 10);
	int err = 0;

	for (long i = 0; i < cnt && !err; i++) {
		err = spawn_one();
		if (err || (i && i % 200 == 0))
			TASKS_SAY("spawned", err, i);
	}
	return err;
}

/* A child whose code is its number modulo @n. */
static int code_one(long n)
{
	int status = 0;
	pid_t pid = vfork();

	if (!pid)
		_exit((int)(syscall(SYS_getpid) % n));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WEXITSTATUS(status) == pid % n ? 0 : EILSEQ;
}

/* codes COUNT N: that many, one after the other */
static int do_codes(char **a)
{
	long cnt = strtol(a[0], NULL, 10), n = strtol(a[1], NULL, 10);
	int err = 0;

	for (long i = 0; i < cnt && !err; i++)
		err = code_one(n);
	return err;
}

/* fault: reads what may not be read; ends by SIGSEGV, with a core if it may */
static int do_fault(char **a)
{
	volatile char *at = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)a;
	return at == MAP_FAILED ? errno : *at;
}

/* eat MIB: memory, each page written to */
static int do_eat(char **a)
{
	size_t size = strtoul(a[0], NULL, 10) << 20;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return errno;
	for (size_t i = 0; i < size; i += 4096)
		at[i] = 1;
	return munmap(at, size) ? errno : 0;
}

static void *end_with(void *code)
{
	return (void *)syscall(SYS_exit, (int)(intptr_t)code);
}

/* end-apart LEADER OTHER: two threads end at once, each with a code, and nothing ends the process */
static int do_end_apart(char **a)
{
	intptr_t other = strtol(a[1], NULL, 10);
	pthread_t thread;
	int r = pthread_create(&thread, NULL, end_with, (void *)other);

	if (!r)
		syscall(SYS_exit, (int)strtol(a[0], NULL, 10));
	return r;
}

/* idle COUNT: children that do nothing until the thread that made them ends */
static int do_idle(char **a)
{
	long cnt = strtol(a[0], NULL, 10);
	pid_t self = getpid();

	for (long i = 0; i < cnt; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno;
		if (pid)
			continue;
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != self)
			(void)raise(SIGKILL); /* it has ended already: as if it came later */
		for (;;)
			pause();
	}
	return 0;
}

/* zombies: children that end and are not reaped, until a fork fails; reaped after a line */
static int do_zombies(char **a)
{
	siginfo_t info;
	long cnt = 0;
	pid_t pid;
	int err;

	(void)a;
	while ((pid = fork()) >= 0) {
		if (!pid)
			_exit(0);
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
			_exit(3);
		cnt++;
	}
	err = errno;
	TASKS_SAY("dead", err, cnt);
	probe_wait_line();
	tasks_reap_all();
	return err;
}

/* clone-tid TID: a child of that number. One that somebody has: clone3(2) fails, and late. */
static int do_clone_tid(char **a)
{
	pid_t tid = (pid_t)strtol(a[0], NULL, 10);
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&tid,
				   .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	return probe_result(pid);
}

/* limit-nproc N: RLIMIT_NPROC */
static int do_limit_nproc(char **a)
{
	rlim_t max = strtoul(a[0], NULL, 10);
	const struct rlimit limit = { max, max };

	return probe_result(setrlimit(RLIMIT_NPROC, &limit));
}

/* on-cpu N: from here on, and all children */
static int do_on_cpu(char **a)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(strtoul(a[0], NULL, 10), &set);
	return probe_result(sched_setaffinity(0, sizeof(set), &set));
}

/* ---- bombs: every task makes tasks until it is refused ---- */

#define BOMB_THREADS 4096

struct bomb_shared {
	int others; /* raised before a task is made, lowered if that fails: never too low */
	int err;    /* of the refusals; if they differ, one that is not EAGAIN */
};

static struct {
	struct bomb_shared *shared;
	int refused[2]; /* a byte from each task that was */
	int end[2];	/* when nobody can write to it any more, all end */
	int threads_cnt;
	pthread_t threads[BOMB_THREADS];
} bomb;

static void bomb_prepare(void)
{
	bomb.shared = tasks_shared(sizeof(*bomb.shared));
	if (pipe(bomb.refused) || pipe(bomb.end))
		_exit(3);
}

static void bomb_wait_end(void)
{
	char c;

	while (read(bomb.end[0], &c, 1) > 0)
		;
}

static void bomb_take_refusal(int err)
{
	ATOMIC_ADD(&bomb.shared->others, -1);
	if (!bomb.shared->err || err != EAGAIN)
		bomb.shared->err = err;
	if (write(bomb.refused[1], "x", 1) != 1)
		_exit(3);
}

static void bomb_by_fork(void)
{
	pid_t pid;

	do {
		ATOMIC_ADD(&bomb.shared->others, 1);
		pid = fork();
		if (!pid && bomb.end[1] >= 0) {
			close(bomb.end[1]);
			bomb.end[1] = -1;
		}
	} while (pid >= 0);
	bomb_take_refusal(errno);
}

static void bomb_by_thread(void);

static void *bomb_thread_main(void *arg)
{
	bomb_by_thread();
	bomb_wait_end();
	return arg;
}

static void bomb_by_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (;;) {
		ATOMIC_ADD(&bomb.shared->others, 1);
		err = pthread_create(&thread, &attr, bomb_thread_main, NULL);
		if (err)
			break;
		bomb.threads[(ATOMIC_ADD(&bomb.threads_cnt, 1) - 1) % BOMB_THREADS] = thread;
	}
	bomb_take_refusal(err);
}

/* All have been refused: how many they are, payload included; at a line, they end. */
static int bomb_report(void)
{
	int seen = 0;
	char c;

	while (read(bomb.refused[0], &c, 1) == 1 && ++seen != ATOMIC_GET(&bomb.shared->others) + 1)
		;
	TASKS_SAY("bombed", bomb.shared->err, seen);
	probe_wait_line();
	close(bomb.end[1]);
	for (int i = 0; i < bomb.threads_cnt; i++)
		pthread_join(bomb.threads[i], NULL);
	tasks_reap_all();
	return bomb.shared->err;
}

static int do_bomb_fork(char **a)
{
	pid_t self = getpid();

	(void)a;
	bomb_prepare();
	bomb_by_fork();
	if (getpid() == self)
		return bomb_report();
	bomb_wait_end();
	tasks_reap_all();
	_exit(0);
}

static int do_bomb_thread(char **a)
{
	(void)a;
	bomb_prepare();
	bomb_by_thread();
	return bomb_report();
}

/* ---- a brood: children that stay alive, each of which tries one open ---- */

/*
 * brood COUNT PATH: so many forks, whatever comes of them. Says how many children there were, how
 * many forks met EAGAIN, and how many something else; in how many children PATH was opened.
 */
static int do_brood(char **a)
{
	long cnt = strtol(a[0], NULL, 10), born = 0, again = 0, other = 0;
	long *tried = tasks_shared(2 * sizeof(*tried)); /* could open it, could not */
	int end[2];
	char c;

	if (pipe(end))
		return errno;
	for (long i = 0; i < cnt; i++) {
		pid_t pid = fork();

		if (!pid) {
			close(end[1]);
			ATOMIC_ADD(&tried[!!opened(open(a[1], O_RDONLY | O_CLOEXEC))], 1);
			_exit(read(end[0], &c, 1) < 0);
		}
		born += pid > 0;
		again += pid < 0 && errno == EAGAIN;
		other += pid < 0 && errno != EAGAIN;
	}
	while (ATOMIC_GET(&tried[0]) + ATOMIC_GET(&tried[1]) < born)
		sched_yield();
	close(end[1]);
	tasks_reap_all();
	close(end[0]);
	TASKS_SAY("brooded", 0, born, again, other, tried[0]);
	return 0;
}
