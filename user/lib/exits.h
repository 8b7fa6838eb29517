/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exits that the engine keeps: the newest of each set of guests, and of each guest the first
 * process's and the last one of its newest instances. Reading takes nothing from anybody: not the
 * events' readers, not others here.
 */
#pragma once

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "event.h"

struct pol_engine;

/* struct pol_exits - @sets: mapped. @ends: descriptor, of an engine's or, with @owned, its own. */
struct pol_exits {
	const struct pol_exit_set *sets;
	int ends;
	bool owned;
};

#define POL_EXITS_INIT         \
	{                      \
		.ends = -EBADF \
	}

/**
 * pol_exits_open() - of the engine that is loaded; without the rest of it.
 * Return: 0; -ENOENT: none is; -EPROTO: another version's; -EPERM, -EACCES: not root; else what
 * bpf(2), mmap(2) gave.
 */
int pol_exits_open(struct pol_exits *ret);

/* pol_exits_of() - of an open engine, which must outlive it. Return: 0; negative errno of mmap(2). */
int pol_exits_of(const struct pol_engine *engine, struct pol_exits *ret);

void pol_exits_close(struct pol_exits *exits);

/**
 * pol_exits_find() - the exit of a process, if it still is among the newest.
 * @start_ns: CLOCK_BOOTTIME of its start, to a clock tick; 0: the newest one of that number.
 *
 * Return: 0; -ENOENT.
 */
int pol_exits_find(const struct pol_exits *exits, pid_t pid, uint64_t start_ns,
		   struct pol_exit_record *ret);

/**
 * pol_exits_ask() - open, find, close.
 * @guest: its pidfd, if it was a guest's; else -EBADF. Some exits (bpf/exits.bpf.c) are recorded late,
 *	once they are reaped and RCU has passed, which no event tells: then it looks every 10 ms, for a
 *	second, and for 30 after the reaping.
 *
 * Return: as these.
 */
int pol_exits_ask(pid_t pid, uint64_t start_ns, int guest, struct pol_exit_record *ret);

/**
 * pol_exits_guest_by_pidfd() - is a process, which may have ended but not be reaped yet, a guest's?
 * Return: false also where there is no engine, or it may not be asked.
 */
bool pol_exits_guest_by_pidfd(int pidfd);

/**
 * pol_exits_ends() - of instance @instance of a guest; where @newest: of the newest that anybody has
 * ended in.
 * Return: 0; -ENOENT: nobody has, or it is two instances ago; negative errno of bpf(2).
 */
int pol_exits_ends(const struct pol_exits *exits, uint32_t guest, bool newest, uint32_t instance,
		   struct pol_exit_ends *ret);

/* pol_exits_view() - the event, but for executables: those are not kept. */
void pol_exits_view(const struct pol_exit_record *record, struct pol_event_view *ret);
