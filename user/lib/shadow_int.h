/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What giving shadows (shadow.c), handing them on (shadow_share.c) and the maps (shadow_maps.c) share. */
#pragma once

#include "shadow.h"

/* pol_shadow_put_path() - the names in reverse, as records have them; cut where there is no room. */
void pol_shadow_put_path(struct pol_shadow_value *value, const char *path);

/* pol_shadow_get_path() - the reverse. @ret: POL_PATH_SMALL + 8 bytes. */
void pol_shadow_get_path(const struct pol_shadow_value *value, char *ret);

/* pol_memory_file_of() - the memfd behind a descriptor, as programs know it. Return: 0; of fstat(2). */
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
 * know has it.
 */
int pol_snapshot_find(const struct pol_engine *engine, const struct pol_dir_key *source, uint64_t changes,
		      uint32_t flags, struct pol_memory_file *ret_key, struct pol_snapshot *ret);

/* pol_snapshot_hold() - from now on it can be had from this process's descriptor @fd, too. */
void pol_snapshot_hold(const struct pol_engine *engine, const struct pol_memory_file *key,
		       struct pol_snapshot *snapshot, int fd);

/* pol_sources_prune() - forget the files of which there is no snapshot. Return: how many. */
int pol_sources_prune(const struct pol_engine *engine);
