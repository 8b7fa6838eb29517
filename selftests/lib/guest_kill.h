/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl killed at a point of its life that a test chooses, while a guest hammers. */
#pragma once

#include "guest_fds.h"

/*
 * struct death - when: at the stop-th stop, which is the entry to a syscall that changes something
 * (counted from 0), or, with @stop -1, so many microseconds after its start.
 */
struct death {
	long stop;
	long us;
};

/*
 * Run policyctl with these words, its output thrown away, and kill it then.
 * Return: -1; if it had ended before, its wait status.
 */
int ctl_killed(const struct death *death, const char *const words[]);

/*
 * Run policyctl with these words to where it first enters that syscall, and let it stand there. Only
 * the caller can let it go on. ctl_goes_on() returns its wait status.
 */
pid_t ctl_stands(const char *const words[], long nr);
int ctl_goes_on(pid_t pid);

/* What a whole run of it takes: microseconds; stops. Return: wait status. */
int ctl_timed(const char *const words[], struct death *ret);
int ctl_stepped(const char *const words[], struct death *ret);

/*
 * The i-th death of a command that was measured so: in soak runs each stop once, then random ones;
 * in others random ones only. Every second random one is a matter of time. Return: false: no more.
 */
bool death_next(long i, const struct death *whole, long random_cnt, struct death *ret);

/*
 * Starts the payload's "hammer-all" as guest "g", whose ceiling of descriptors is @least, @most or
 * between: it is to get as many.
 * hammer_end() returns NULL, or which wrong verdicts it met.
 */
void hammer_start(struct probe *p, const char *good, const char *bad, long least, long most);
const char *hammer_end(struct probe *p, long *ret_rounds);

/* Maps that the kernel has; frees come late, so the smallest number within some seconds. */
long maps_settle(long want);

/* Violations and ceilings delivered since events_forget(), with those that lost records count. */
long events_accounted(const char *type);
