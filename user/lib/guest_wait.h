/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a guest: until none of its tasks is left, and how its first process ended. */
#pragma once

#include "engine.h"
#include "event.h"

/**
 * pol_guest_await() - block until the instance of a guest that runs now is over.
 * @ret: the exit of its first process, the one that had started first; of a guest that is empty, at
 *	once, the last exit there was.
 *
 * By events of its cgroups and of the pins. A look every second is for what neither tells: tasks that
 * are detached where others stay; one every 20 ms for tasks that lie in none of its cgroups (threads
 * that were attached alone), and for ends that are recorded late. Takes nothing from other waiters or
 * readers.
 *
 * Context: any thread; blocks; a signal does not end it.
 * Return: 0; -ENODATA: no process of it has ended since the engine was loaded; -ENOENT: it has been
 * started twice since, and its first process's exit is not kept any more; -ECHILD: it is empty, but no
 * exit of it is kept: its processes were detached; -ESTALE: the engine was unloaded meanwhile; other
 * negative errno. @err says it in words.
 */
int pol_guest_await(struct pol_engine *engine, const char *name, uint32_t guest,
		   struct pol_event_view *ret, struct pol_err *err);
