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

#define POL_META_MAGIC 0x334c4f50u /* "POL3": of other bytes, another number */

/**
 * struct pol_root_id - which root, to tell one from another while a task is in it.
 * @mounts: inode number of the mount namespace. @mnt_id, @dev, @ino: of the root directory.
 */
struct pol_root_id {
	uint64_t mounts;
	uint64_t mnt_id;
	uint64_t dev;
	uint64_t ino;
};

/**
 * struct pol_meta_guest - @id: guest id. @ruleset: its rules, from 1; guests with equal rules
 * share one. @cgroup_id: of its cgroup. @ghost: not in the policy any more, but its tasks live:
 * they keep their identity and may do nothing. @rooted: the generation in which its in = "guest"
 * rules were resolved, 0: they were not; @root: below which root. @own_root: `run` has made it.
 * @members, @shadow: as in struct pol_guest; a ghost has none.
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
	uint64_t rooted;
	struct pol_root_id root;
	bool own_root;
	struct pol_member *members;
	size_t members_cnt;
	struct pol_shadow_policy shadow;
};

/**
 * struct pol_meta_rule - rule id is the index + 1.
 * @dir, @entry: canonical directory, and name in it (NULL: the directory itself is the anchor).
 * @key: of the anchor as the kernel had it at load; zero for pending and by-name rules. @ino: its
 *	number as stat(2) had it.
 * @where: as in struct pol_place. @pending: of in = "guest" rules also before their guest starts.
 * @guest_path: as in struct pol_rule.
 */
struct pol_meta_rule {
	char *path;
	char *name;
	char *dir;
	char *entry;
	char *where;
	char *guest_path;
	struct pol_dir_key key;
	uint64_t ino;
	uint32_t ruleset;
	uint32_t access;
	uint32_t line;
	uint32_t col;
	bool pending;
	bool in_guest;
	bool optional;
	bool log;
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

/**
 * pol_meta_steerable() - may a guest of @meta create, rename or link in the directory @dir?
 * @where: the same as struct pol_place has it, by which rules with in = "guest" are asked; or NULL.
 */
bool pol_meta_steerable(const struct pol_meta *meta, const char *dir, const char *where);

/* pol_meta_may_change() - may a guest of @meta write, replace or remove what is at @path? */
bool pol_meta_may_change(const struct pol_meta *meta, const char *path);

/**
 * pol_meta_regions() - what guests may do where, for pol_resolve(); strings are borrowed.
 * @ruleset: 0: for the loader's paths; else for pol_resolve_in() and the guest with that set.
 * @ret_held: the "dir/name" paths held by name; both to be freed, @ret_held's strings, too.
 */
int pol_meta_regions(const struct pol_meta *meta, uint32_t ruleset, struct pol_region **ret,
		     size_t *ret_cnt, char ***ret_held, size_t *ret_held_cnt);

/* pol_meta_is_rooted() - has a guest rules with in = "guest"? */
bool pol_meta_is_rooted(const struct pol_meta *meta, const struct pol_meta_guest *guest);

/* pol_meta_is_mapped() - has a guest a rule with guest_path, and so a root of its own? */
bool pol_meta_is_mapped(const struct pol_meta *meta, const struct pol_meta_guest *guest);

/* pol_meta_first_rule() - index of the first rule of a set, whose others follow; none: rules_cnt. */
size_t pol_meta_first_rule(const struct pol_meta *meta, uint32_t ruleset);

/* pol_meta_set_place() - where a rule is, from its place. Return: 0; -ENOMEM. */
int pol_meta_set_place(struct pol_meta_rule *rule, const struct pol_place *place);

/* pol_meta_same_rule() - the guest's rule with in = "guest" on the same path as @rule, or NULL. */
const struct pol_meta_rule *pol_meta_same_rule(const struct pol_meta *meta,
					       const struct pol_meta_guest *guest,
					       const struct pol_meta_rule *rule);

/**
 * pol_meta_carry() - where the in = "guest" rules of @from are, for those of @to on the same paths.
 * @from, @to: one guest, in two generations. Return: 0; -ENOMEM.
 */
int pol_meta_carry(const struct pol_meta *before, const struct pol_meta_guest *from,
		   struct pol_meta *next, struct pol_meta_guest *to);

/* pol_meta_unset_place() - the rule waits to be resolved. */
void pol_meta_unset_place(struct pol_meta_rule *rule);
