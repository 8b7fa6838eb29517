/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an object to its nearest rule: upwards by d_parent to the root of the object's own
 * filesystem, one look-up per directory. Mounts never enter. Layer 2.
 *
 * Invariants:
 * 1. No rename happened during a walk whose result is used: the kernel's rename_lock is sampled
 *    before and after; after POL_WALK_TRIES the answer is a refusal (path_race).
 * 2. No silent bound: past POL_WALK_MAX the answer is a refusal (path_too_deep).
 * 3. A name decides only by its bytes, read to the stack and compared by the hash map.
 */
#pragma once

#include "config.bpf.h"
#include "fail.bpf.h"

/**
 * struct pol_found - what a walk found.
 * @access: rights of the nearest rule, 0 without one. @rule: its id. @flags: its POL_*.
 * @reason: POL_REASON_RULE, or why there is none: NO_RULE, DISCONNECTED, or a failure.
 * @named: the rule names this very object (not a directory above it).
 */
struct pol_found {
	u32 access;
	u32 rule;
	u16 flags;
	u8 reason;
	u8 named;
};

/**
 * pol_walk() - the nearest rule of @ruleset for an object.
 * @dentry: address of the object's dentry; may be negative (a name about to be created).
 * @generation: whose maps to read. @found: always filled.
 *
 * Context: any program that is not sleepable (the chain is RCU-protected). Verified once.
 * Return: 0.
 */
int pol_walk(u64 dentry, u32 ruleset, u64 generation, struct pol_found *found);

static __always_inline u32 pol_rename_sequence(void)
{
	u32 sequence;

	if (bpf_probe_read_kernel(&sequence, sizeof(sequence), (const void *)pol_rename_lock)) {
		pol_fail_count(POL_FAIL_READ_FAILED);
		return 1; /* odd: never equal to a good sample */
	}
	return sequence;
}

static __always_inline void pol_inode_key_of(const struct inode *inode, struct pol_inode_key *key)
{
	key->ino = inode->i_ino;
	key->dev = inode->i_sb->s_dev;
	key->generation = inode->i_generation;
}

/* The same by probe reads, of an inode known by its address. */
static __always_inline void pol_read_inode_key(const struct inode *inode,
					       struct pol_inode_key *key)
{
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key->generation = BPF_CORE_READ(inode, i_generation);
}

/* Filesystems where that does not name a directory alone (struct pol_dir_key). */
static __always_inline bool pol_has_trees(u32 magic)
{
	return magic == BTRFS_SUPER_MAGIC || magic == OVERLAYFS_SUPER_MAGIC;
}

/**
 * pol_tree_key() - the rest of a directory's key on a filesystem that has trees.
 * @inode: address of its inode. @magic: of its superblock. @key: what pol_inode_key_of() gives.
 *
 * Return: 0; on overlayfs s_magic of the layer.
 */
int pol_tree_key(u64 inode, u32 magic, struct pol_dir_key *key);

/* Filesystems on which some rights are given by no rule, whatever it says: pol_never(). */
static __always_inline bool pol_is_kernels(u32 magic)
{
	return magic == PROC_SUPER_MAGIC || magic == SYSFS_MAGIC || magic == CGROUP_SUPER_MAGIC ||
	       magic == CGROUP2_SUPER_MAGIC;
}

static __always_inline bool is_for_the_whole_walk(u32 magic)
{
	return pol_has_trees(magic) || pol_is_kernels(magic);
}

/**
 * pol_walk_allows() - the fast half: do directory rules near the object give all of @need?
 *
 * Direct loads in a loop that the verifier unrolls: a third of what probe reads in bpf_loop cost.
 * Return: true: allowed; false: not known here (a refusal, a file rule on the way, a rule that tells
 * what it allows, a rename meanwhile, a deep tree, btrfs, overlayfs, procfs and its like): pol_check()
 * has the answer.
 */
POL_SUBPROG bool pol_walk_allows(struct dentry *dentry, bool is_dir, u32 ruleset, u64 generation,
				 u32 need)
{
	u32 slot = generation & (POL_SLOTS - 1), before;
	void *inner = bpf_map_lookup_elem(&dirs, &slot);
	struct dentry *at = is_dir ? dentry : dentry->d_parent, *parent;
	const struct pol_rule_value *value;
	struct pol_dir_key key = { .ruleset = ruleset };

	if (!inner || (!is_dir && at == dentry) || is_for_the_whole_walk(dentry->d_sb->s_magic))
		return false;
	before = pol_rename_sequence();
	for (int i = 0; i < POL_WALK_FAST; i++) {
		struct inode *inode = at->d_inode;

		if (!inode)
			return false;
		pol_inode_key_of(inode, &key.inode);
		value = bpf_map_lookup_elem(inner, &key);
		if (value) {
			if (value->flags & POL_DIR_NAMES && (i || !is_dir))
				return false;
			/* One test of both: each is a path more for the verifier at each step. */
			if (value->flags & POL_DIR_RULE)
				return !((need & ~value->access) | (value->flags & POL_RULE_LOG)) &&
				       !(before & 1) && pol_rename_sequence() == before;
		}
		parent = at->d_parent;
		if (parent == at)
			return false;
		at = parent;
	}
	return false;
}
