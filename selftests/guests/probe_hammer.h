/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hammers on a guest's identity, for some seconds: by those who look it up, and by the guest. */
#pragma once

#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>

#include "probe_wild.h"

#define HAMMER_STEPS                                                        \
	STEP("lookups", 3, lookups), STEP("hammer-tasks", 3, hammer_tasks), \
		STEP("hammer-all", 4, hammer_all), STEP("opens", 3, opens), \
		STEP("flood", 4, flood), STEP("names", 2, names)

/* lookups MAP PID SECONDS: BPF_MAP_LOOKUP_ELEM by a pidfd, over and over */
static int do_lookups(char **a)
{
	static char value[4096];
	union bpf_attr get = { .pathname = (uintptr_t)a[0] }, attr = { 0 };
	int map = (int)syscall(SYS_bpf, BPF_OBJ_GET, &get, sizeof(get));
	int pidfd = (int)syscall(SYS_pidfd_open, strtol(a[1], NULL, 10), 0);
	double end = wild_now() + strtod(a[2], NULL);
	long done = 0;

	if (map < 0 || pidfd < 0)
		return errno;
	attr.map_fd = (unsigned int)map;
	attr.key = (uintptr_t)&pidfd;
	attr.value = (uintptr_t)value;
	while (wild_now() < end)
		for (int i = 0; i < 100; i++)
			done += !syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	TASKS_SAY("looked", 0, done);
	return 0;
}

struct hammer {
	long rounds, good_refused, bad_opened;
};

static void hammer_once(struct hammer *hammer, char **paths)
{
	ATOMIC_ADD(&hammer->good_refused, opened(open(paths[0], O_RDONLY | O_CLOEXEC)) != 0);
	ATOMIC_ADD(&hammer->bad_opened, opened(open(paths[1], O_RDONLY | O_CLOEXEC)) != EACCES);
	ATOMIC_ADD(&hammer->rounds, 1);
}

/*
 * hammer-tasks SECONDS GOOD BAD: both opened over and over, and in a child now and then. Says the
 * rounds, how often GOOD was refused, and BAD not (EACCES); children born, forks that met EAGAIN,
 * forks that failed otherwise.
 */
static int do_hammer_tasks(char **a)
{
	struct hammer *hammer = tasks_shared(sizeof(*hammer));
	double end = wild_now() + strtod(a[0], NULL);
	long born = 0, again = 0, other = 0;

	while (wild_now() < end) {
		pid_t pid;

		for (int i = 0; i < 20; i++)
			hammer_once(hammer, a + 1);
		pid = fork();
		if (!pid) {
			for (int i = 0; i < 5; i++)
				hammer_once(hammer, a + 1);
			_exit(0);
		}
		born += pid > 0;
		again += pid < 0 && errno == EAGAIN;
		other += pid < 0 && errno != EAGAIN;
		restless_wait(pid);
	}
	TASKS_SAY("hammered", 0, hammer->rounds, hammer->good_refused, hammer->bad_opened, born,
		  again, other);
	return 0;
}

/* As many descriptions of @path as there may be. Return: how many; -1: the end was another errno. */
static long hammer_descriptors(const char *path)
{
	int fds[64];
	long n = 0;
	int err;

	while (n < 64 && (fds[n] = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	err = errno;
	for (long i = 0; i < n; i++)
		close(fds[i]);
	return err == EMFILE ? n : -1;
}

/*
 * hammer-all GOOD BAD LEAST MOST: until a line comes, both are opened, here and in a child, and GOOD as
 * often as it can be. Says "hammering 0" when it begins; then the rounds, how often GOOD was refused,
 * BAD not (EACCES), a fork failed, and other than LEAST to MOST descriptions of GOOD could be had.
 */
static int do_hammer_all(char **a)
{
	struct hammer *hammer = tasks_shared(sizeof(*hammer));
	long least = strtol(a[2], NULL, 10), most = strtol(a[3], NULL, 10);
	long forks_failed = 0, fds_wrong = 0;

	probe_say("hammering", 0, "");
	while (!probe_line_waits()) {
		long held;
		pid_t pid;

		for (int i = 0; i < 10; i++)
			hammer_once(hammer, a);
		pid = fork();
		if (!pid) {
			hammer_once(hammer, a);
			_exit(0);
		}
		forks_failed += pid < 0;
		restless_wait(pid);
		held = hammer_descriptors(a[0]);
		if ((held < least || held > most) && !fds_wrong++)
			TASKS_SAY("held", 0, held);
	}
	probe_wait_line();
	TASKS_SAY("hammered", 0, hammer->rounds, hammer->good_refused, hammer->bad_opened,
		  forks_failed, fds_wrong);
	return 0;
}

/* opens N FLAGS PATH: that often; the errno that each of them met, -1: not all the same */
static int do_opens(char **a)
{
	int first = opened(open(a[2], probe_flags(a[1]))), err = first;

	for (long n = strtol(a[0], NULL, 10); n > 1 && err == first; n--)
		err = opened(open(a[2], probe_flags(a[1])));
	return err == first ? err : -1;
}

static struct flood {
	const char *dir;
	long opens, files;
	atomic_long next, other; /* opens that met anything but EACCES */
} flood;

static void *flood_thread(void *arg)
{
	char path[PATH_MAX];
	long i;

	(void)arg;
	while ((i = atomic_fetch_add(&flood.next, 1)) < flood.opens) {
		snprintf(path, sizeof(path), "%s/%ld", flood.dir, i % flood.files);
		if (opened(open(path, O_RDONLY)) != EACCES)
			atomic_fetch_add(&flood.other, 1);
	}
	return NULL;
}

/* flood THREADS OPENS FILES DIR: of DIR/0, DIR/1, ..., by all threads together. EACCES: each was refused */
static int do_flood(char **a)
{
	long cnt = strtol(a[0], NULL, 10);
	pthread_t threads[16];

	flood.opens = strtol(a[1], NULL, 10);
	flood.files = strtol(a[2], NULL, 10);
	flood.dir = a[3];
	for (long i = 0; i < cnt && i < 16; i++)
		if (pthread_create(&threads[i], NULL, flood_thread, NULL))
			return EAGAIN;
	for (long i = 0; i < cnt && i < 16; i++)
		pthread_join(threads[i], NULL);
	return flood.other ? -1 : EACCES;
}

/*
 * names N PATH: creates of PATH.0, PATH.1, ... where nothing may be created, no two of which are folded
 * (flood_test.c); the errno that each of them met, -1: not all the same
 */
static int do_names(char **a)
{
	long cnt = strtol(a[0], NULL, 10);
	char path[PATH_MAX];
	int err = 0;

	for (long i = 0; i < cnt; i++) {
		int got;

		snprintf(path, sizeof(path), "%s.%ld", a[1], i);
		got = opened(open(path, O_RDWR | O_CREAT, 0600));
		if (i && got != err)
			return -1;
		err = got;
	}
	return err;
}
