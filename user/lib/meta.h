/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What user space must know of a generation when the policy file is gone: guests and their ids,
 * rules and where they stand, what was anchored. Kept as bytes in a pinned map beside the
 * generation; this file is the pure part, model and bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "abi.h"
#include "policy.h"
#include "resolve.h"

#define POL_META_MAGIC 0x314c4f50u /* "POL1" */

/**
 * struct pol_meta_guest - @id: guest id. @ruleset: its rules, from 1; guests with equal rules
 * share one. @cgroup_id: of its cgroup. @ghost: not in the policy any more, but its tasks live:
 * they keep their identity and may do nothing.
 */
struct pol_meta_guest {
	char *name;
	uint64_t cgroup_id;
	struct pol_limits limits;
	uint32_t id;
	uint32_t ruleset;
	uint32_t err;
	uint32_t knobs;
	bool audit;
	bool ghost;
};

/**
 * struct pol_meta_rule - rule id is the index + 1.
 * @dir, @entry: canonical directory, and name in it (NULL: the directory itself is the anchor).
 * @key: of the anchor as the kernel had it at load; zero for pending and by-name rules. @ino: its
 *	number as stat(2) had it.
 */
struct pol_meta_rule {
	char *path;
	char *name;
	char *dir;
	char *entry;
	struct pol_dir_key key;
	uint64_t ino;
	uint32_t ruleset;
	uint32_t access;
	uint32_t line;
	bool pending;
};

struct pol_meta {
	char *file;
	char *sha256;
	char *cgroup;
	uint64_t generation;
	struct pol_meta_guest *guests;
	size_t guests_cnt;
	struct pol_meta_rule *rules;
	size_t rules_cnt;
};

void pol_meta_free(struct pol_meta *meta);
void pol_meta_freep(struct pol_meta **meta);

/**
 * pol_meta_new() - from a policy and its places; ids, cgroups, keys and the generation are filled
 * in by the loader.
 */
int pol_meta_new(const struct pol_policy *policy, const struct pol_places *places,
		 struct pol_meta **ret);

/* pol_meta_encode() - to bytes, to be freed. pol_meta_decode(): -EPROTO: not such bytes. */
int pol_meta_encode(const struct pol_meta *meta, char **ret, size_t *ret_len);
int pol_meta_decode(const char *bytes, size_t len, struct pol_meta **ret);

const struct pol_meta_guest *pol_meta_guest(const struct pol_meta *meta, const char *name);
const struct pol_meta_guest *pol_meta_guest_by_id(const struct pol_meta *meta, uint32_t id);

/* pol_meta_steerable() - may a guest of @meta create, rename or link in the directory @dir? */
bool pol_meta_steerable(const struct pol_meta *meta, const char *dir);

/* pol_meta_may_change() - may a guest of @meta write, replace or remove what is at @path? */
bool pol_meta_may_change(const struct pol_meta *meta, const char *path);

/**
 * pol_meta_regions() - what guests may do where, for pol_resolve(); strings are borrowed.
 * @ret_held: the "dir/name" paths held by name; both to be freed, @ret_held's strings, too.
 */
int pol_meta_regions(const struct pol_meta *meta, struct pol_region **ret, size_t *ret_cnt,
		     char ***ret_held, size_t *ret_held_cnt);
