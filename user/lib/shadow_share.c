/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One snapshot for all who ask for the same version of a file: found, and had from who has it. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base.h"
#include "shadow_int.h"

#define KIND (POL_SHADOW_EXEC | POL_SHADOW_LAZY)

static bool is_same_file(const struct pol_dir_key *a, const struct pol_dir_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int take_from(const struct pol_holder *holder, const struct pol_memory_file *key)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u/fd/%u", holder->tgid, holder->fd);
	return pol_snapshot_take(path, key);
}

static int take(const struct pol_engine *engine, const struct pol_snapshot *snapshot,
		const struct pol_memory_file *key)
{
	int fd = -ENOENT;

	for (size_t i = 0; i < POL_SHADOW_HOLDERS && fd < 0; i++)
		if (snapshot->holders[i].tgid)
			fd = take_from(&snapshot->holders[i], key);
	return fd < 0 ? pol_snapshot_seek(engine, key) : fd;
}

int pol_snapshot_find(const struct pol_engine *engine, const struct pol_dir_key *source, uint64_t changes,
		      uint32_t flags, struct pol_memory_file *ret_key, struct pol_snapshot *ret)
{
	_cleanup_free_ void *keys = NULL, *values = NULL;
	int cnt = pol_map_read_all(engine->maps[POL_MAP_SNAPSHOTS], POL_SNAPSHOTS_MAX,
				   sizeof(*ret_key), sizeof(*ret), &keys, &values);
	int fd = -ENOENT;

	for (int i = 0; i < cnt && fd < 0; i++) {
		const struct pol_snapshot *snapshot = (const struct pol_snapshot *)values + i;
		const struct pol_memory_file *key = (const struct pol_memory_file *)keys + i;

		if (!is_same_file(&snapshot->source, source) || snapshot->changes != changes ||
		    (snapshot->flags ^ flags) & KIND)
			continue;
		fd = take(engine, snapshot, key);
		*ret = *snapshot;
		*ret_key = *key;
	}
	return cnt < 0 ? cnt : fd;
}

static bool is_gone(const struct pol_holder *holder, const struct pol_memory_file *key)
{
	_cleanup_close_ int fd = -EBADF;

	if (!holder->tgid)
		return true;
	fd = take_from(holder, key);
	return fd < 0;
}

void pol_snapshot_hold(const struct pol_engine *engine, const struct pol_memory_file *key,
		       struct pol_snapshot *snapshot, int fd)
{
	const struct pol_holder me = { .tgid = (__u32)getpid(), .fd = (__u32)fd };

	for (size_t i = 0; i < POL_SHADOW_HOLDERS; i++) {
		if (!is_gone(&snapshot->holders[i], key))
			continue;
		snapshot->holders[i] = me;
		/* Not there any more: no descriptor of it is, which cannot be while we have one. */
		(void)bpf_map_update_elem(engine->maps[POL_MAP_SNAPSHOTS], key, snapshot, BPF_EXIST);
		return;
	}
}

int pol_sources_prune(const struct pol_engine *engine)
{
	_cleanup_free_ void *keys = NULL, *values = NULL, *memories = NULL, *snapshots = NULL;
	int sources = pol_map_read_all(engine->maps[POL_MAP_SOURCES], POL_SNAPSHOTS_MAX,
				       sizeof(struct pol_dir_key), sizeof(struct pol_source), &keys,
				       &values);
	int cnt = pol_map_read_all(engine->maps[POL_MAP_SNAPSHOTS], POL_SNAPSHOTS_MAX,
				   sizeof(struct pol_memory_file), sizeof(struct pol_snapshot),
				   &memories, &snapshots);
	int pruned = 0;

	for (int i = 0; i < sources && cnt >= 0; i++) {
		const struct pol_dir_key *source = (const struct pol_dir_key *)keys + i;
		bool used = false;

		for (int k = 0; k < cnt && !used; k++)
			used = is_same_file(source, &((const struct pol_snapshot *)snapshots)[k].source);
		if (!used && !bpf_map_delete_elem(engine->maps[POL_MAP_SOURCES], source))
			pruned++;
	}
	return pruned;
}
