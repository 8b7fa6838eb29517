/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine in the kernel: programs, links and maps, freshly loaded or found pinned, and the few
 * things one does with them. Pins lie under POL_STORE (store.h):
 *
 *	maps/NAME  links/PROGRAM  progs/PROGRAM  gen_N/{names,meta}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "abi.h"
#include "cursor.h"
#include "err.h"
#include "host.h"
#include "store.h"

/* The pinned maps, in the order of enum pol_map_nr; names as in bpf/maps.bpf.c. */
#define POL_MAPS(X)                                                                                \
	X(CONTROL, control)                                                                        \
	X(CGROUPS, cgroups)                                                                        \
	X(LABELS, labels)                                                                          \
	X(STATES, states)                                                                          \
	X(FILES, files)                                                                            \
	X(TASKS, tasks)                                                                            \
	X(OWNERS, owners)                                                                          \
	X(EXITS, exits)                                                                            \
	X(ENDS, ends)                                                                              \
	X(GUESTS, guests)                                                                          \
	X(DIRS, dirs)                                                                              \
	X(NAMES_32, names_32)                                                                      \
	X(NAMES_64, names_64)                                                                      \
	X(NAMES_LONG, names_long)                                                                  \
	X(RING, ring)                                                                              \
	X(CHAT, chat)                                                                              \
	X(FOLDS, folds)                                                                            \
	X(SOURCES, sources)                                                                        \
	X(SNAPSHOTS, snapshots)                                                                    \
	X(SHADOWS, shadows)                                                                        \
	X(FAILS, fails)                                                                            \
	X(ITER, iter)

enum pol_map_nr {
#define X(nr, name) POL_MAP_##nr,
	POL_MAPS(X)
#undef X
		POL_MAP_CURSORS, /* made by user space, for user space: this and the next */
	POL_MAP_FOREIGN,
	POL_MAPS_CNT,
};

/* The rings of records, in an order that never changes: cursors name them by number. */
#define POL_RINGS_CNT 2
extern const enum pol_map_nr pol_rings[POL_RINGS_CNT];

/* The pinned programs: those that user space runs itself ... */
#define POL_PROGS(X)                                                                               \
	X(ANCHOR, pol_anchor)                                                                      \
	X(TASKS, pol_tasks)                                                                        \
	X(FDS, pol_fds)                                                                            \
	X(FILES, pol_files)                                                                        \
	X(FOLDS, pol_folds)                                                                        \
	X(NOTE, pol_note)                                                                          \
	X(SHADOW_NOTE, pol_shadow_note)                                                            \
	X(REBASE, pol_rebase)

/*
 * ... and those that are attached once some policy has a ceiling of descriptors: before, no hook of
 * ours is on close(2), pipe(2) or socket(2). In this order: what takes a charge back comes first.
 * SECOND: only where the first wall can be skipped (bpf/fds.bpf.c). A kernel has one of the ALLOCs.
 */
#define POL_FD_HOOKS(X)                                                                            \
	X(FD_FREE, pol_file_free, FIRST)                                                           \
	X(FD_OPENED, pol_fd_opened, FIRST)                                                         \
	X(FD_RECEIVED, pol_file_received, FIRST)                                                   \
	X(FD_ACCEPTED, pol_fd_accepted, SECOND)                                                    \
	X(FD_SOCKET, pol_fd_socket, SECOND)                                                        \
	X(FD_ANON, pol_fd_anon, SECOND)                                                            \
	X(FD_ALLOC, pol_file_alloc, ALLOC)                                                         \
	X(FD_ALLOC_FMOD, pol_file_alloc_fmod, ALLOC)

/* ... and those that are attached while some guest of the policy has stat = "deny" (stat.bpf.c). */
#define POL_STAT_HOOKS(X)                                                                          \
	X(STAT_ATTR, pol_stat_attr, "")                                                            \
	X(STAT_LINK, pol_stat_link, "")                                                            \
	X(STAT_FS, pol_stat_fs, "")                                                                \
	X(STAT_XATTR, pol_stat_xattr, "")                                                          \
	X(STAT_XATTRS, pol_stat_xattrs, "")                                                        \
	X(STAT_ACL, pol_stat_acl, "")                                                              \
	X(STAT_FLAGS, pol_stat_flags, "")

/* ... and those attached while some guest of the policy asks for such events (chat.bpf.c). */
#define POL_TOLD_HOOKS(X)                                                                          \
	X(TOLD_FORK, pol_told_fork, FORK)                                                          \
	X(TOLD_EXEC, pol_told_exec, EXEC)

/* ... and those attached while some guest may have shadows, or has some (shadow.bpf.c). */
#define POL_SHADOW_HOOKS(X)                                                                        \
	X(SHADOW_FREED, pol_shadow_freed, "")                                                      \
	X(SHADOW_OPENED, pol_shadow_opened, "")                                                    \
	X(SHADOW_UNLINKED, pol_shadow_unlinked, "")                                                \
	X(SHADOW_RENAMED, pol_shadow_renamed, "")                                                  \
	X(SHADOW_SET_61, pol_shadow_set_61, "")                                                    \
	X(SHADOW_SET, pol_shadow_set, "")

enum pol_prog_nr {
#define X(nr, name, ...) POL_PROG_##nr,
	POL_PROGS(X) POL_FD_HOOKS(X) POL_STAT_HOOKS(X) POL_TOLD_HOOKS(X) POL_SHADOW_HOOKS(X)
#undef X
		POL_PROGS_CNT,
};
#define POL_PROG_GROUPS_FIRST POL_PROG_FD_FREE

enum pol_group {
	POL_GROUP_FDS,
	POL_GROUP_STAT,
	POL_GROUP_FORK,
	POL_GROUP_EXEC,
	POL_GROUP_SHADOW,
};

/**
 * struct pol_engine - an open engine.
 * @maps, @progs: descriptors; -EBADF for a program that this kernel does not take.
 * @links: of the programs in groups that this process has attached.
 * @turn: locked while an iterator runs. @use: pol_engine_use(). @snapshots: while one is entered or
 * told (shadow.c). @control, @cgroups, @states: mapped.
 * @skel: if this process loaded it, the skeleton that owns the links; else NULL.
 */
struct pol_engine {
	int maps[POL_MAPS_CNT];
	int progs[POL_PROGS_CNT];
	int links[POL_PROGS_CNT];
	int turn;
	int use;
	int snapshots;
	struct pol_control *control;
	struct pol_cgroup_slot *cgroups;
	const struct pol_guest_state *states;
	struct policy_bpf *skel;
};

/**
 * pol_engine_open() - the pinned engine.
 *
 * If an unload died before it took effect its pins are put back first; the caller must not hold the
 * lock unless pol_engine_loaded().
 * Return: 0; -ENOENT: not loaded; -EPROTO: the pins are another version's, with the remedy; -ESTALE:
 * it confines nothing, an unload has begun; -EBUSY: one is just taking effect; -EPERM.
 */
int pol_engine_open(struct pol_engine **ret, struct pol_err *err);

/**
 * pol_engine_use() - from here on no load or unload changes who is a guest, until pol_engine_unuse().
 * @alone: for those two: nobody starts, adopts or frees one.
 *
 * What was read before may be old: pol_meta_load() comes after it. It waits for some seconds.
 * Return: 0; -ESTALE: an unload was faster; -EBUSY (kind POL_ERR_BUSY).
 */
int pol_engine_use(struct pol_engine *engine, bool alone, struct pol_err *err);
void pol_engine_unuse(const struct pol_engine *engine);

/**
 * pol_engine_create() - load and attach afresh; nothing is enforced until a generation is
 * published, and all is gone again when the engine is closed without pol_engine_pin().
 *
 * Return: 0; -ENOTSUP, -EPERM: the host lacks something; else what libbpf gave, with the log's path.
 */
int pol_engine_create(const struct pol_host *host, struct pol_engine **ret, struct pol_err *err);

/**
 * pol_engine_create_probe() - the programs once more, for a probe alone (bpf/probe.bpf.c). Never pinned;
 * pol_engine_probe_attach() attaches them, and they are gone when the last process with them is.
 * @loaded: whose policy it judges by, without a trace in its counters and rings; NULL: maps of its own,
 *	    in which nothing is.
 *
 * Return: 0; -EPROTO: @loaded runs other programs than these; else as pol_engine_create().
 */
int pol_engine_create_probe(const struct pol_host *host, const struct pol_engine *loaded,
			    struct pol_engine **ret, struct pol_err *err);

/* pol_engine_probe_attach() - @ret: whom it judges, mapped as long as the process lives. */
int pol_engine_probe_attach(const struct pol_engine *engine, struct pol_probe **ret,
			    struct pol_err *err);

/* pol_engine_pin() - pin maps, links and programs aside, in POL_STORE_NEW. */
int pol_engine_pin(struct pol_engine *engine, struct pol_err *err);

/**
 * pol_engine_attach() - attach the hooks of a group that are not; they stay until unload or
 * pol_engine_detach().
 *
 * Return: 0; negative errno, and nothing is attached by this process then.
 */
int pol_engine_attach(struct pol_engine *engine, enum pol_group group, struct pol_err *err);

/* pol_engine_undo_attach() - take away those that this process attached: its load has failed. */
void pol_engine_undo_attach(struct pol_engine *engine);

/* pol_engine_detach() - take a group away, whoever attached it, and however much of it is there. */
void pol_engine_detach(struct pol_engine *engine, enum pol_group group);

/* pol_engine_counts_skippable() - are the hooks attached, and the first one of the kind that skips? */
bool pol_engine_counts_skippable(const struct pol_engine *engine);

void pol_engine_close(struct pol_engine *engine);
void pol_engine_closep(struct pol_engine **engine);

/**
 * pol_iterate() - run an iterator program to its end; one at a time over all processes.
 * @fn: gets each record of @size bytes; a negative return stops and is returned.
 */
int pol_iterate(const struct pol_engine *engine, enum pol_prog_nr prog,
		const struct pol_iter_command *command, size_t size,
		int (*fn)(const void *record, void *arg), void *arg);

/**
 * pol_reconcile() - charge guests what they hold and a skipped program did not see. Done by every
 * pol_engine_open() where that can happen; the health counter fds_reconciled says how many.
 */
int pol_reconcile(const struct pol_engine *engine);

/* pol_folds() - POL_ITER_ARM: from now on equal refusals are folded; POL_ITER_FLUSH: all are told. */
int pol_folds(const struct pol_engine *engine, uint32_t action);

/* pol_rebase() - all that a guest is charged for is its baseline from now on. */
int pol_rebase(const struct pol_engine *engine, uint32_t guest);

/* pol_note() - put a guest or policy record into the ring. Its loss is counted there. */
void pol_note(const struct pol_engine *engine, uint32_t guest, enum pol_action action);

/* pol_label_set(), pol_label_clear() - of a whole thread group's leader, by pidfd. */
int pol_label_set(const struct pol_engine *engine, int pidfd, const struct pol_label *label);
int pol_label_clear(const struct pol_engine *engine, int pidfd);
int pol_label_get(const struct pol_engine *engine, int pidfd, struct pol_label *ret);

/* pol_cgroups_put(), pol_cgroups_drop() - register a guest's cgroup, forget one. */
int pol_cgroups_put(struct pol_engine *engine, uint64_t id, unsigned int level, uint32_t guest);
bool pol_cgroups_has(const struct pol_engine *engine, uint64_t id);
void pol_cgroups_drop(struct pol_engine *engine, uint64_t id);

/* pol_cgroups_sweep() - forget a guest's cgroups that are gone: of a stop that died before it did. */
void pol_cgroups_sweep(struct pol_engine *engine, uint32_t guest);

/**
 * pol_engine_selftest() - a labelled probe of ours opens '/' and must be refused.
 *
 * A kernel can load and attach LSM programs and never call them: only this says "enforcing".
 * Return: 0; -ENOTSUP: it was not refused.
 */
int pol_engine_selftest(const struct pol_engine *engine, struct pol_err *err);
