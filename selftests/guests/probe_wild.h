/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is hard to adopt: a restless tree, a chain of forks, a process that grows. Each goes on until
 * its stdin ends, and tells at each line what all of it met. And what is hard to stop.
 */
#pragma once

#include <time.h>

#include "probe_members.h"

#define WILD_STEPS \
	STEP("restless", 1, restless), STEP("chain", 1, chain), STEP("growing", 1, growing), \
		STEP("stubborn", 1, stubborn)

static double wild_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- restless: a tree, all of which try one open, and fork, without an end ---- */

#define RESTLESS_PHASES	 8
#define RESTLESS_MEMBERS 6 /* three threads here, three in a child */

static struct restless {
	const char *path;
	int phase; /* each line on stdin begins one */
	int stop;
	struct restless_tally {
		long opened, refused, other;
		long rounds[RESTLESS_MEMBERS];
	} at[RESTLESS_PHASES];
} * restless;

static int restless_try(void)
{
	int phase = ATOMIC_GET(&restless->phase);
	int err = opened(open(restless->path, O_RDONLY | O_CLOEXEC));
	struct restless_tally *tally = &restless->at[phase];

	ATOMIC_ADD(err == EACCES ? &tally->refused : err ? &tally->other : &tally->opened, 1);
	return phase;
}

static void restless_wait(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* A child, and a child of that. */
static void restless_fork(int depth)
{
	pid_t pid = fork();

	if (!pid) {
		restless_try();
		if (depth)
			restless_fork(depth - 1);
		_exit(0);
	}
	restless_wait(pid);
}

static void *restless_main(void *arg)
{
	while (!ATOMIC_GET(&restless->stop)) {
		int phase = restless_try();

		restless_fork(1);
		ATOMIC_ADD(&restless->at[phase].rounds[(intptr_t)arg], 1);
	}
	return NULL;
}

static void restless_threads(int first)
{
	pthread_t thread;

	for (intptr_t i = first; i < first + 3; i++)
		if (pthread_create(&thread, NULL, restless_main, (void *)i))
			_exit(3);
}

static void restless_child(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	restless_threads(3);
	for (;;)
		pause();
}

/* Until each of the first @cnt members has gone round twice in this phase; or for 60 s. */
static void restless_report(int phase, int cnt)
{
	const struct restless_tally *tally = &restless->at[phase];
	double end = wild_now() + 60;
	int late;

	do {
		late = 0;
		for (int i = 0; i < cnt; i++)
			late += ATOMIC_GET(&tally->rounds[i]) < 2;
		sched_yield();
	} while (late && wild_now() < end);
	TASKS_SAY("restless", late ? ETIMEDOUT : 0, ATOMIC_GET(&tally->opened),
		  ATOMIC_GET(&tally->refused), ATOMIC_GET(&tally->other));
}

static int restless_phases(int members_cnt)
{
	char line[16];

	probe_say("ready", 0, "");
	while (member_line(STDIN_FILENO, line, sizeof(line)))
		restless_report(ATOMIC_ADD(&restless->phase, 1) % RESTLESS_PHASES, members_cnt);
	restless->stop = 1;
	return 0;
}

/* restless PATH: at each line, what all met from then on */
static int do_restless(char **a)
{
	pid_t self = getpid();

	restless = tasks_shared(sizeof(*restless));
	restless->path = a[0];
	if (!fork())
		restless_child(self);
	restless_threads(0);
	return restless_phases(RESTLESS_MEMBERS);
}

/* ---- a chain: each child is its parent's heir, which ends ---- */

static void chain_main(void)
{
	const struct timespec hop = { .tv_nsec = 5000000 };
	pid_t pid;

	while (!ATOMIC_GET(&restless->stop)) {
		int phase = restless_try();

		nanosleep(&hop, NULL);
		ATOMIC_ADD(&restless->at[phase].rounds[0], 1);
		pid = fork();
		if (pid)
			break;
	}
	_exit(0);
}

/* chain PATH: as restless; we are what orphans below us get for a parent */
static int do_chain(char **a)
{
	int err = probe_result(prctl(PR_SET_CHILD_SUBREAPER, 1));

	restless = tasks_shared(sizeof(*restless));
	restless->path = a[0];
	signal(SIGCHLD, SIG_IGN);
	if (!err && !fork())
		chain_main();
	return err ?: restless_phases(1);
}

/* ---- stubborn: takes no notice of SIGTERM, nor of its stdin, and forks without an end ---- */

static void stubborn_main(void)
{
	while (!fork())
		;
	_exit(0);
}

/* stubborn CHAINS */
static int do_stubborn(char **a)
{
	int err = probe_result(prctl(PR_SET_CHILD_SUBREAPER, 1));

	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (int i = atoi(a[0]); i > 0 && !err; i--)
		if (!fork())
			stubborn_main();
	probe_say("ready", err, "");
	while (!err)
		pause();
	return err;
}

/* ---- growing: threads that make threads, all of which stay ---- */

#define GROWING_MAX    3000
#define GROWING_MAKERS 2

static struct {
	const char *path;
	int threads, stop, end[2];
	long opened, refused;
} growing;

/* Waits for the end of the pipe, and then tries. */
static void *growing_main(void *arg)
{
	char c;

	if (read(growing.end[0], &c, 1) < 0)
		_exit(3);
	ATOMIC_ADD(opened(open(growing.path, O_RDONLY)) ? &growing.refused : &growing.opened, 1);
	pause();
	return arg;
}

static void *growing_maker(void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	while (!ATOMIC_GET(&growing.stop)) {
		if (ATOMIC_GET(&growing.threads) >= GROWING_MAX)
			break;
		if (pthread_create(&thread, &attr, growing_main, NULL))
			_exit(3);
		ATOMIC_ADD(&growing.threads, 1);
	}
	return arg;
}

/*
 * growing PATH: it begins at a line; at the next it stops, and says how many threads have come; at
 * the third, in how many of those PATH was opened, and was not.
 */
static int do_growing(char **a)
{
	pthread_t makers[GROWING_MAKERS];

	growing.path = a[0];
	if (pipe(growing.end))
		return errno;
	probe_say("ready", 0, "");
	probe_wait_line();
	for (int i = 0; i < GROWING_MAKERS; i++)
		if (pthread_create(&makers[i], NULL, growing_maker, NULL))
			return EAGAIN;
	probe_wait_line();
	growing.stop = 1;
	for (int i = 0; i < GROWING_MAKERS; i++)
		pthread_join(makers[i], NULL);
	TASKS_SAY("grown", 0, growing.threads);
	probe_wait_line();
	close(growing.end[1]);
	while (ATOMIC_GET(&growing.opened) + ATOMIC_GET(&growing.refused) < growing.threads)
		sched_yield();
	TASKS_SAY("tried", 0, growing.opened, growing.refused);
	return 0;
}
