/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's root of its own, for a task that is about to start: the one that its tasks are in, else a
 * new one (policy-language.md, semantics 12 and 16).
 */
#pragma once

#include "engine.h"
#include "launch.h"
#include "newroot.h"
#include "root.h"
#include "view.h"

/**
 * struct pol_own_root - @in: where the task is to start; its descriptors are -EBADF: in the caller's root.
 * @pid: who stands in it. @fresh: it was made for this task. @id: which. @sha256: of the policy that it
 * was made by. @lock: keeps others from making another one.
 */
struct pol_own_root {
	struct pol_launch_root in;
	struct pol_newroot maker;
	pid_t pid;
	bool fresh;
	struct pol_root_id id;
	char sha256[65];
	int lock;
};

#define POL_OWN_ROOT_NONE \
	(struct pol_own_root){ .in = { -EBADF, -EBADF }, .maker = POL_NEWROOT_NONE, .lock = -EBADF }

/* pol_map_find() - what @map->host leads to, symlinks followed. Return: 0; -ENOENT ..., -ENOMEM. */
int pol_map_find(struct pol_map *map, struct pol_err *err);

/**
 * pol_own_root_open() - find or make it, if the guest is to have one.
 * @maps: of --map, found. @uid, @gid: as for pol_newroot_make().
 *
 * Close it once the task is there, or will not be.
 * Context: neither under pol_lock() nor pol_engine_use(). Return: 0; -ENOENT: no such guest; -EEXIST:
 * the guest has a root, and it does not show what @maps want; -EBUSY (POL_ERR_BUSY); as
 * pol_view_make() and pol_newroot_make().
 */
int pol_own_root_open(struct pol_engine *engine, const char *name, const struct pol_map *maps,
		      size_t maps_cnt, uid_t uid, gid_t gid, struct pol_own_root *ret,
		      struct pol_err *err);
void pol_own_root_close(struct pol_own_root *root);

/**
 * pol_own_root_enter() - pol_enter(), or with a fresh root pol_enter_own().
 * Return: as these; -EBUSY (POL_ERR_BUSY): the policy or the root is not what it was at the open.
 */
int pol_own_root_enter(struct pol_engine *engine, const char *name, const struct pol_own_root *root,
		       struct pol_diags *diags, struct pol_meta **ret_meta,
		       const struct pol_meta_guest **ret_guest, int *ret_cgroup,
		       struct pol_err *err);
