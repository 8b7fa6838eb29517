/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run --shadow: snapshots of files, made before CMD starts and placed at the numbers that it expects. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launch.h"
#include "shadow.h"

/* struct run_shadow - @path: owned. @as: number in CMD. @fd: of the snapshot; -EBADF: not made yet. */
struct run_shadow {
	char *path;
	int as;
	bool exec;
	int fd;
};

/* struct run_shadows - of one run. @max_size, @budget: bytes; UINT64_MAX: the policy's. */
struct run_shadows {
	struct run_shadow items[POL_PLACED_MAX];
	struct pol_placed_fd placed[POL_PLACED_MAX];
	size_t cnt;
	uint64_t max_size;
	uint64_t budget;
};

void run_shadows_done(struct run_shadows *shadows);

/**
 * run_shadows_add() - "PATH=FD" or "PATH=FD:x"; there may be a '=' in PATH.
 * Return: 0; -EINVAL: another form, or a number that is taken; -E2BIG; -ENOMEM. @err says it.
 */
int run_shadows_add(struct run_shadows *shadows, const char *text, struct pol_err *err);

/* run_shadows_has() - is one placed at that number? */
bool run_shadows_has(const struct run_shadows *shadows, int as);

/**
 * run_shadows_size() - a size as in a policy, "64MiB", for option @name.
 * @most: 0, or what a larger one is clamped to; then *ret_clamped.
 * Return: 0; -EINVAL.
 */
int run_shadows_size(const char *name, const char *text, uint64_t most, uint64_t *ret, bool *ret_clamped,
		     struct pol_err *err);

/* run_shadows_make() - all of them, or the first that fails. @placed says where they go then. */
int run_shadows_make(struct pol_engine *engine, const char *guest, struct run_shadows *shadows,
		     struct pol_err *err);
