/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Foreign cgroups: those that are a guest's where they are, while somebody else makes and removes
 * them (a service manager, a container runtime). Nothing is moved; what was written into them is
 * known, and taken back when they are the guest's no more. The pinned map "foreign" has one entry for
 * each, by cgroup id: made before anything is changed, deleted when all is as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "meta.h"

#define POL_SAVED_CNT  6
#define POL_SAVED_IO   5 /* of them, io.max */
#define POL_SAVED_SIZE 512 /* io.max of 8 devices */

#define POL_UNIT_SIZE  256 /* systemd.unit(5): 255 and the NUL */

/* Adopted, and the load that did it has done all else, too. */
#define POL_FOREIGN_SETTLED 1u

/**
 * struct pol_foreign - value of the map.
 * @guest: id. @flags: POL_FOREIGN_*.
 * @written: files of ceilings that were written, a bit each. @saved: what was in them before, empty:
 *	     there was no such file.
 * @unit: systemd's unit that has the cgroup, as the policy names it; empty: none is known. Its ceilings
 *	  outlive the cgroup, and so does the entry, until another cgroup of the unit takes it over.
 */
struct pol_foreign {
	uint32_t guest;
	uint32_t flags;
	uint32_t written;
	char unit[POL_UNIT_SIZE];
	char saved[POL_SAVED_CNT][POL_SAVED_SIZE];
};

/* pol_foreign_get() - Return: 0; -ENOENT. */
int pol_foreign_get(const struct pol_engine *engine, uint64_t cgroup, struct pol_foreign *ret);

/**
 * pol_foreign_each() - @fn for each entry; it may delete it. Return: 0; what @fn returned if that is
 * negative.
 */
int pol_foreign_each(int map, int (*fn)(uint64_t cgroup, const struct pol_foreign *foreign, void *arg),
		     void *arg);

/**
 * struct pol_foreign_cgroup - which one. @fd: its directory. @id: the kernel's. @unit: as in struct
 * pol_foreign, or NULL.
 */
struct pol_foreign_cgroup {
	int fd;
	uint64_t id;
	const char *unit;
};

/**
 * pol_foreign_limit() - a guest's ceilings into a foreign cgroup; of a unit, by systemd, which else
 * would undo them with its next reload.
 * @before: what an earlier policy has written there, or NULL.
 * @raise: as for pol_ceilings_write(). What is not limited any more is as it was before, unless @raise.
 *
 * Return: 0; -ENODEV: a controller lacks; -E2BIG: io.max of too many devices; else what the write, or
 * systemd, gave.
 */
int pol_foreign_limit(struct pol_engine *engine, const struct pol_meta_guest *guest,
		      const struct pol_limits *before, const struct pol_foreign_cgroup *at,
		      bool raise, struct pol_err *err);

/**
 * pol_foreign_check() - may its tasks become @guest? Before anything is changed.
 * Return: 0; -EALREADY: a task of it is another guest's; -EAGAIN, -EMFILE: a ceiling would be passed.
 */
int pol_foreign_check(const struct pol_engine *engine, const struct pol_meta_guest *guest, int fd,
		      const char *path, struct pol_err *err);

/**
 * pol_foreign_adopt() - its tasks, and those beneath it, are @guest from here on: by their labels, and
 * who comes later by the cgroup. Labels say ADOPTING until pol_foreign_settled().
 * @ret_cnt: processes that got a label.
 */
int pol_foreign_adopt(struct pol_engine *engine, const struct pol_meta_guest *guest, int fd,
		      uint64_t cgroup, unsigned int level, size_t *ret_cnt, struct pol_err *err);
int pol_foreign_settled(const struct pol_engine *engine, const struct pol_meta_guest *guest,
			uint64_t cgroup);

/* pol_foreign_undo() - an adoption that is not settled: tasks, ceilings and entry as they were. */
void pol_foreign_undo(struct pol_engine *engine, uint32_t guest, uint64_t cgroup);

/**
 * pol_foreign_leave() - the cgroup is the guest's no more, and its ceilings are as they were. Tasks in
 * it stay the guest, by their labels: who they are nobody takes away but `detach`.
 */
void pol_foreign_leave(struct pol_engine *engine, uint32_t guest, uint64_t cgroup);

/* pol_foreign_restore() - the ceilings of all entries as they were. @store: whose pins are idle. */
void pol_foreign_restore(const char *store);
