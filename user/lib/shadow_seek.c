/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot whose makers have let it go, had from a guest that has it: of a descriptor, or of a mapping
 * whose descriptor is closed, as a dynamic linker leaves it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base.h"
#include "shadow_int.h"
#include "snapshot.h"

#define LINK "/memfd:shadow"

/* Links that are read. A guest may have any number: then there is another copy, and nobody waits for it. */
#define LINKS_MAX 16384u

/*
 * Whatever the link leads to by now: only looked at (O_PATH) until it is known to be the memfd, which
 * nobody can make another of. A guest may have a lease on that: it is not waited for.
 */
int pol_snapshot_take(const char *path, const struct pol_memory_file *key)
{
	_cleanup_close_ int found = open(path, O_PATH | O_CLOEXEC), fd = -EBADF;
	struct pol_memory_file memory;

	if (found < 0 || pol_memory_file_of(found, &memory) < 0 ||
	    memcmp(&memory, key, sizeof(memory)) != 0)
		return -ENOENT;
	fd = pol_reopen(found, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0 || !pol_snapshot_is_sealed(fd))
		return -ENOENT;
	return TAKE_FD(fd);
}

/* By their texts first: to look at a file may ask whoever serves it. */
static int seek_in(uint32_t tgid, const char *links, const struct pol_memory_file *key,
		   unsigned int *left)
{
	char path[64], link[384], text[sizeof(LINK)];
	struct dirent *entry;
	int fd = -ENOENT;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%u/%s", tgid, links);
	dir = opendir(path);
	for (; dir && fd < 0 && *left && (entry = readdir(dir)); --*left) {
		(void)snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		if (readlink(link, text, sizeof(text) - 1) == sizeof(text) - 1 &&
		    memcmp(text, LINK, sizeof(text) - 1) == 0)
			fd = pol_snapshot_take(link, key);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* Processes of guests that were given it. */
struct owners {
	const struct pol_engine *engine;
	const struct pol_memory_file *key;
	uint32_t *tgids;
	size_t cnt;
};

static bool is_owner(const struct owners *owners, const struct pol_task_record *task)
{
	const struct pol_shadow_key key = { owners->key->ino, owners->key->dev, task->guest };
	struct pol_shadow_value value;

	if (owners->cnt && owners->tgids[owners->cnt - 1] == task->tgid)
		return false; /* known: another thread of it */
	return bpf_map_lookup_elem(owners->engine->maps[POL_MAP_SHADOWS], &key, &value) == 0;
}

static int add_owner(const void *record, void *arg)
{
	const struct pol_task_record *task = record;
	struct owners *owners = arg;
	uint32_t *tgids;

	if (!is_owner(owners, task))
		return 0;
	tgids = reallocarray(owners->tgids, owners->cnt + 1, sizeof(*tgids));
	if (!tgids)
		return -ENOMEM;
	owners->tgids = tgids;
	owners->tgids[owners->cnt++] = task->tgid;
	return 0;
}

int pol_snapshot_seek(const struct pol_engine *engine, const struct pol_memory_file *key)
{
	const struct pol_iter_command command = { .action = POL_ITER_LIST };
	struct owners owners = { .engine = engine, .key = key };
	unsigned int left = LINKS_MAX;
	int fd = -ENOENT;

	if (pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record), add_owner,
			&owners) < 0)
		owners.cnt = 0; /* without it there will be another copy */
	for (size_t i = 0; i < owners.cnt && fd < 0 && left; i++) {
		fd = seek_in(owners.tgids[i], "fd", key, &left);
		if (fd < 0)
			fd = seek_in(owners.tgids[i], "map_files", key, &left);
	}
	free(owners.tgids);
	return fd;
}
