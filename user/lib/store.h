/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directories of pins, their lock, and what each step of a command leaves when it dies there.
 * Every change is made under the lock, and what decides is one rename or one store:
 *
 *	load, the first	 pins into POL_STORE_NEW, renames it to POL_STORE
 *	unload		 renames POL_STORE to POL_STORE_OLD, stores control.active = 0, removes it
 *
 * So the next command knows by the name and by control.active how far a dead one came:
 *
 *	POL_STORE_NEW			of a load that failed or died: removed
 *	POL_STORE_OLD, enforcing	of an unload that died before it took effect: renamed back
 *	POL_STORE_OLD, idle		of one that died after: its rest is removed
 *	POL_STORE, idle			likewise; by versions that stored first and renamed then
 *	links of hooks that the running generation does not ask for (stat = "deny"): of a load that
 *	died before it published, or before it took them away: the next load detaches them
 */
#pragma once

#include <stdbool.h>

#include "err.h"

#define POL_BPFFS "/sys/fs/bpf"
#define POL_STORE POL_BPFFS "/policyctl"
#define POL_STORE_NEW POL_BPFFS "/policyctl_new"
#define POL_STORE_OLD POL_BPFFS "/policyctl_old"

/**
 * enum pol_store_state - what a directory of pins does.
 * @POL_STORE_NONE: not there, or without its control map. @POL_STORE_IDLE: no generation is active,
 * nothing is confined by it. @POL_STORE_ENFORCES: one is; also for pins of another version, which
 * are not ours to judge.
 */
enum pol_store_state { POL_STORE_NONE, POL_STORE_IDLE, POL_STORE_ENFORCES };

enum pol_store_state pol_store_state(const char *store);

/**
 * pol_lock() - the store's lock, held while the descriptor is open.
 * Return: descriptor; -EBUSY (kind POL_ERR_BUSY): another load holds it.
 */
int pol_lock(struct pol_err *err);

/* pol_lock_wait() - the same, after some seconds at most. */
int pol_lock_wait(struct pol_err *err);

/* pol_engine_loaded() - whether there are pins, in POL_STORE. */
bool pol_engine_loaded(void);

/* pol_engine_sweep() - remove what a dead load left; true if there was something. */
bool pol_engine_sweep(void);

/* pol_store_remove() - a directory of pins with all in it. */
int pol_store_remove(const char *path);

/* pol_store_publish() - POL_STORE_NEW becomes POL_STORE, by one rename. */
int pol_store_publish(struct pol_err *err);

/* pol_store_retire() - POL_STORE becomes POL_STORE_OLD, by one rename; it enforces on. */
int pol_store_retire(struct pol_err *err);

/* pol_store_revive() - the reverse, if POL_STORE_OLD enforces and there is no POL_STORE. */
int pol_store_revive(struct pol_err *err);

/**
 * pol_store_drop() - remove POL_STORE_OLD, which is idle: its programs detach.
 * Return: 0, also if it is not there; else it is still there, at least in part.
 */
int pol_store_drop(struct pol_err *err);
