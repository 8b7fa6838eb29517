/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What giving shadows (shadow.c), handing them on (shadow_share.c) and the maps (shadow_maps.c) share. */
#pragma once

#include <errno.h>

#include "shadow.h"

/**
 * struct giving - a shadow that is being given.
 * @generation, @guest: of the policy by which it is. @path: clean. @file: open for reading.
 * @source: of the file. @changes: the source's when copying began. @writers: somebody had it open for
 * writing then. @torn: it changed while it was copied.
 * @memory, @snapshot: once there is one. @item: once it is the guest's.
 */
struct giving {
	struct pol_engine *engine;
	const struct pol_shadow_wish *wish;
	uint64_t generation;
	const struct pol_meta_guest *guest;
	const char *path;
	int file;
	struct pol_dir_key source;
	uint64_t changes;
	bool writers;
	bool torn;
	struct pol_memory_file memory;
	struct pol_snapshot snapshot;
	struct pol_shadow_item item;
};

#define NEEDS_COPY (-ENODATA) /* of pol_shadow_enter() */

/**
 * pol_shadow_enter() - into the maps, and told.
 * @memfd: our copy; -EBADF: there is none yet. One that is there, of this very version, is taken instead.
 *
 * On failure nothing is entered.
 * Return: descriptor; NEEDS_COPY; -EAGAIN: all once more; as pol_shadow_give().
 */
int pol_shadow_enter(struct giving *g, int memfd, struct pol_err *err);

/* pol_shadow_refuse() - tell that it was not given. @code: why, a negative errno. */
void pol_shadow_refuse(struct giving *g, int code);

/* pol_shadow_cap() - how large the file may be. pol_shadow_flags() - POL_SHADOW_EXEC, POL_SHADOW_LAZY. */
uint64_t pol_shadow_cap(const struct giving *g);
uint32_t pol_shadow_flags(const struct giving *g);

/* pol_shadow_too_large() - -EFBIG, with its words. */
int pol_shadow_too_large(const struct giving *g, struct pol_err *err);

/* pol_snapshots_lock() - while maps of snapshots are changed. Return: 0; -EBUSY: waited for seconds. */
int pol_snapshots_lock(const struct pol_engine *engine, struct pol_err *err);
void pol_snapshots_unlock(const struct pol_engine *engine);

/* pol_shadow_put_path() - the names in reverse, as records have them; cut where there is no room. */
void pol_shadow_put_path(struct pol_shadow_value *value, const char *path);

/* pol_shadow_get_path() - the reverse. @ret: POL_PATH_SMALL + 8 bytes. */
void pol_shadow_get_path(const struct pol_shadow_value *value, char *ret);

/*
 * pol_memory_file_of() - the memfd behind a descriptor, as programs know it. What else may be behind one of
 * a guest's is not asked, and so cannot make us wait. Return: 0; of statx(2).
 */
int pol_memory_file_of(int fd, struct pol_memory_file *ret);

/**
 * pol_map_read_all() - all entries of a hash, each as it was at some time meanwhile.
 * @room: max_entries. Return: how many, in arrays to be freed; -ENOMEM; of the map.
 */
int pol_map_read_all(int map, __u32 room, size_t key_size, size_t value_size, void **ret_keys,
		     void **ret_values);

/* pol_shadow_tell() - run pol_shadow_note (bpf/shadow.bpf.c). Return: what it returned; negative errno. */
int pol_shadow_tell(const struct pol_engine *engine, const struct pol_shadow_note *note);

/* pol_snapshot_take() - the snapshot behind a link of /proc/PID. Return: descriptor; -ENOENT: it is another. */
int pol_snapshot_take(const char *path, const struct pol_memory_file *key);

/* Context of these: under the lock of snapshots. */

/* pol_snapshot_seek() - among what guests that were given it have open, or mapped. Return: likewise. */
int pol_snapshot_seek(const struct pol_engine *engine, const struct pol_memory_file *key);

/**
 * pol_snapshot_find() - one that is there: of @source, of its version @changes, and of that kind.
 * @flags: POL_SHADOW_EXEC and POL_SHADOW_LAZY count.
 * Return: descriptor as of pol_snapshot_make(), with @ret and @ret_key; -ENOENT: none, or nobody whom we
 * know has it: they are as they were.
 */
int pol_snapshot_find(const struct pol_engine *engine, const struct pol_dir_key *source, uint64_t changes,
		      uint32_t flags, struct pol_memory_file *ret_key, struct pol_snapshot *ret);

/* pol_snapshot_hold() - from now on it can be had from this process's descriptor @fd, too. */
void pol_snapshot_hold(const struct pol_engine *engine, const struct pol_memory_file *key,
		       struct pol_snapshot *snapshot, int fd);

/* pol_sources_prune() - forget the files of which there is no snapshot. Return: how many. */
int pol_sources_prune(const struct pol_engine *engine);
