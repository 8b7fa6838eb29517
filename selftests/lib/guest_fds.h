/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of the descriptor ceiling share: counts as status has them, and passing descriptors. */
#pragma once

#include <sys/types.h>

#include "guest.h"

#define PROGRAM 3 /* what a payload that just runs is charged for: itself, ld.so, libc */

/*
 * policy_load(), unless this very policy was the last one to be loaded: a load takes longer than most
 * tests. Return: exit status.
 */
__attribute__((format(printf, 1, 2))) int policy_have(const char *fmt, ...);

/* The directory that the policies are about, the same for all tests; in it there is the file f. */
const char *fds_dir(void);

/* A number of one guest in status ("fds.now"); -1: null, or the guest is not listed. */
long guest_number(const char *guest, const char *key);

/*
 * The same, read again until it is @want, for some seconds: the kernel frees some files later than
 * the last descriptor goes. Return: what it was at the end.
 */
long guest_settles(const char *guest, const char *key, long want);

/*
 * What a process holds, as /proc has it: descriptors above stderr, and files that are mapped. Each
 * of them is taken for a description of its own.
 */
long held_by(pid_t pid);

/* probe_start() with one end of a socket for stdin; p->in is the other. */
void probe_start_socket(struct probe *p, const char *guest, const char *const steps[]);

/*
 * The same, with "pause" before the steps. Return: what the payload holds there, and is charged for;
 * -1: the two differ.
 */
long probe_start_paused(struct probe *p, const char *guest, const char *const steps[]);

/* Sends a descriptor to the payload, for its step "receive". */
void probe_give(struct probe *p, int fd);

/* Sends @n memfds to the payload, each of which only the payload has then. */
void probe_send(struct probe *p, int n);

/* A descriptor that the payload's step "send" has sent; -1: none came. */
int probe_receive(struct probe *p);

#define ASSERT_HAVE(...)                                                            \
	do {                                                                        \
		int load_ = policy_have(__VA_ARGS__);                               \
		if (load_) {                                                        \
			FAIL("policyctl load: status %d: %.300s", load_, ctl_said); \
			END_TEST();                                                 \
		}                                                                   \
	} while (0)
