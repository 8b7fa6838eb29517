/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: opens as fast as they go, while somebody else moves what lies above. */
#pragma once

#include <stdatomic.h>

#include "probe.h"

#define RACERS 16

static struct {
	int dir;
	const char *name;
	atomic_long left, opens, refused, gone;
	atomic_int err; /* of another kind, the last */
	int no_thread;  /* tries to make one that were refused */
} race;

static void *race_thread(void *arg)
{
	(void)arg;
	while (atomic_fetch_sub(&race.left, 1) > 0) {
		int fd = openat(race.dir, race.name, O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			close(fd);
			atomic_fetch_add(&race.opens, 1);
		} else if (errno == EACCES) {
			atomic_fetch_add(&race.refused, 1);
		} else if (errno == ENOENT) {
			atomic_fetch_add(&race.gone, 1);
		} else {
			atomic_store(&race.err, errno);
		}
	}
	return NULL;
}

/*
 * Before 6.2, where a walk can be preempted, the kernel may have no room for a task's label while a
 * look-up is under way on its CPU: the fork is refused (EAGAIN) until that goes on.
 */
static void race_create(pthread_t *thread)
{
	int err = EAGAIN;

	for (int i = 0; i < 1000 && err == EAGAIN; i++) {
		err = pthread_create(thread, NULL, race_thread, NULL);
		if (err && ++race.no_thread)
			usleep(1000);
	}
	if (err)
		_exit(3);
}

/*
 * race THREADS SLOT NAME TRIES: that many times openat(SLOT, NAME), THREADS at once. Says how many
 * were opened, refused with EACCES, not found, and how often a thread was not to be had.
 */
static int do_race(char **a)
{
	int cnt = atoi(a[0]);
	pthread_t threads[RACERS];
	char text[96];

	race.dir = *probe_slot(a[1]);
	race.name = a[2];
	race.left = atol(a[3]);
	probe_say("racing", 0, "");
	for (int i = 0; i < cnt; i++)
		race_create(&threads[i]);
	for (int i = 0; i < cnt; i++)
		pthread_join(threads[i], NULL);
	snprintf(text, sizeof(text), "%ld %ld %ld %d", race.opens, race.refused, race.gone,
		 race.no_thread);
	probe_say("raced", 0, text);
	return race.err;
}
