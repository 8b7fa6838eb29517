/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows: snapshots of files in the hands of guests. Made here, one for all guests that ask for the
 * same version of a file; kept in the engine's maps as long as the kernel has the memfd, and reported
 * stale by it (bpf/shadow.bpf.c). There is nothing to free but descriptors and mappings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "err.h"
#include "meta.h"

/**
 * struct pol_shadow_wish - what is asked for.
 * @guest: by name. @path: of the file, absolute. @exec, @lazy: not both.
 * @max_size, @budget: bytes; lower than the policy's, else those hold.
 */
struct pol_shadow_wish {
	const char *guest;
	const char *path;
	bool exec;
	bool lazy;
	uint64_t max_size;
	uint64_t budget;
};

/**
 * struct pol_shadow_item - a shadow as it is now. @path: as in struct pol_shadow_wish; begins with "…/"
 * where it was too long to be kept whole.
 */
struct pol_shadow_item {
	struct pol_shadow_key key;
	struct pol_shadow_value value;
	char path[POL_PATH_SMALL + 8];
};

/**
 * pol_shadow_give() - a snapshot of a file, for a guest.
 * @ret_item: or NULL. May be stale from the start: it was open for writing, or changed all the time.
 *
 * Context: neither under pol_lock() nor pol_engine_use(). Not given: a refused record says so.
 * Return: descriptor, read-only, rewound, close-on-exec; -EACCES: not in the guest's shadow.paths;
 * -EPERM: @exec, and the policy does not give it; -EINVAL: @path is not absolute or has "..", @exec and
 * @lazy; -EFBIG: past the cap for a file; -ENOSPC: past the guest's budget; -ENFILE: the engine's maps of
 * snapshots are full; -ENOENT: no such guest, or no such file; -EBUSY: a load goes on, or the file or the
 * policy changes all the time; -ESTALE: just unloaded; else as pol_shadow_file_open() and
 * pol_snapshot_make().
 */
int pol_shadow_give(struct pol_engine *engine, const struct pol_shadow_wish *wish,
		    struct pol_shadow_item *ret_item, struct pol_err *err);

/**
 * pol_shadow_each() - all that are live. @guest: of it alone; 0: of all.
 * @fn: a negative return stops and is returned.
 *
 * Return: how many there are, those of other guests included.
 */
int pol_shadow_each(const struct pol_engine *engine, uint32_t guest,
		    int (*fn)(const struct pol_shadow_item *item, void *arg), void *arg);

/**
 * pol_shadow_of() - the shadow behind a descriptor of ours.
 * Return: 0; -ENOENT: it is no snapshot that @guest was given; -EBADF.
 */
int pol_shadow_of(const struct pol_engine *engine, uint32_t guest, int fd, struct pol_shadow_item *ret);

/* struct pol_shadow_sum - what a guest has. @bytes: of those that are not lazy. @stale: of @cnt. */
struct pol_shadow_sum {
	uint64_t cnt;
	uint64_t bytes;
	uint64_t stale;
};

/*
 * pol_shadow_add() - one more. pol_shadow_sum() - all of a guest.
 * Return: as pol_shadow_each().
 */
void pol_shadow_add(const struct pol_shadow_item *item, struct pol_shadow_sum *sum);
int pol_shadow_sum(const struct pol_engine *engine, uint32_t guest, struct pol_shadow_sum *ret);
