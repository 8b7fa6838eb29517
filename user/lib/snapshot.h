/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot: a file's bytes in a sealed memfd, which nobody can change any more, whoever maps it.
 * System calls, no engine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * enum pol_snapshot_kind - @EXEC: may be executed, as far as its file mode says so. @LAZY: of the file's
 * size, and without its bytes, which somebody else fills in (lazy.h).
 */
enum pol_snapshot_kind { POL_SNAPSHOT_DATA, POL_SNAPSHOT_EXEC, POL_SNAPSHOT_LAZY };

/**
 * pol_snapshot_make() - copy a file that others may be changing.
 * @file: open for reading. @max: bytes.
 * @ret: read-only, rewound, close-on-exec; mode 0444, with @EXEC 0555. @ret_size: bytes.
 * @ret_torn: it grew, or its times moved, while it was copied: of two versions, maybe.
 *
 * Holes stay holes. The pages are charged to the caller's memory cgroup.
 * Return: 0; -ENODEV: no regular file; -EFBIG: larger than @max, or became so; -EIO: it shrank, or cannot
 * be read; -ENOMEM, -ENOSPC: no memory for it; -EACCES: vm.memfd_noexec = 2 and @EXEC; -ENOENT: no /proc.
 */
int pol_snapshot_make(int file, uint64_t max, enum pol_snapshot_kind kind, int *ret, uint64_t *ret_size,
		      bool *ret_torn);

/* pol_snapshot_is_sealed() - has @fd, a memfd, all the seals that a snapshot has? */
bool pol_snapshot_is_sealed(int fd);

/**
 * pol_reopen() - the object behind a descriptor, O_PATH or not, once more. @flags: of open(2);
 * O_CLOEXEC is added. Return: descriptor; negative errno: of open(2), -ENOENT also: no /proc.
 */
int pol_reopen(int fd, int flags);
