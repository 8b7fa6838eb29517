/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's own view of the directories that rules are anchored to: each is held open with
 * O_PATH while an iterator program writes down its key, by the same loads as the walk's.
 */
#pragma once

#include "engine.h"
#include "resolve.h"

/**
 * struct pol_anchor - what the kernel says of one path.
 * @path: canonical. Owned. @record: @fd is meaningless afterwards.
 * @ino: as stat(2) has it.
 */
struct pol_anchor {
	char *path;
	uint64_t ino;
	struct pol_anchor_record record;
};

/* Sorted by path. @above: directories above some of them in their filesystems, some more than once. */
struct pol_anchors {
	struct pol_anchor *items;
	size_t cnt;
	struct pol_dir_key *above;
	size_t above_cnt;
};

void pol_anchors_done(struct pol_anchors *anchors);

/**
 * pol_anchors_take() - keys of every place's directory, of all directories above them, and of
 * mounted files.
 * @root: of their paths, O_PATH.
 *
 * Return: 0; -ESTALE: a place is not what it was when it was resolved: somebody changes the tree;
 * else what openat2 or the iterator gave. @err says which path.
 */
int pol_anchors_take(const struct pol_engine *engine, int root, const struct pol_places *places,
		     struct pol_anchors *ret, struct pol_err *err);

/**
 * pol_anchor_is_exact() - does the key name this directory (of a file: its parent) and no other?
 *
 * false: a layer of overlayfs is on a filesystem without rules, or the subvolume is not known.
 * Nothing is keyed by it then.
 */
bool pol_anchor_is_exact(const struct pol_anchor *anchor);

/* pol_anchors_check() - a diagnostic for each place without an exact key. Return: false: an error. */
bool pol_anchors_check(const struct pol_anchors *anchors, const struct pol_policy *policy,
		       const struct pol_places *places, struct pol_diags *diags);

/* pol_anchors_find() - by path, or NULL. */
const struct pol_anchor *pol_anchors_find(const struct pol_anchors *anchors, const char *path);

/**
 * pol_anchor_of() - what the kernel says of one open descriptor of the caller's process.
 * Return: 0; -ENOENT: it is not open; of the iterator.
 */
int pol_anchor_of(const struct pol_engine *engine, int fd, struct pol_anchor_record *ret);
