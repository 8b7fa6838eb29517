/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole walk: every kind of rule, every depth, every failure by name. */
#include "guest.bpf.h"
#include "walk.bpf.h"

/* The state of a walk. */
struct pol_walk {
	void *dirs;   /* inner map of this generation */
	u64 dentry;   /* where the walk is */
	u64 child;    /* the dentry it came from, whose name a file rule may hold; 0: none */
	u32 ruleset;
	u32 depth;    /* steps made from the object's own dentry */
	u32 trees;    /* s_magic, if the filesystem has trees; else 0 */
	u16 slot;
	u16 done;
	struct pol_found *found;
};

/* A dentry's name, as the functions below take it. */
struct name {
	const void *bytes;
	u32 len;
};

static __always_inline void set_found(struct pol_found *found, const struct pol_rule_value *rule)
{
	found->access = rule->access;
	found->rule = rule->rule;
	found->flags = rule->flags;
	found->reason = rule->flags & POL_RULE_STALE ? POL_REASON_STALE : POL_REASON_RULE;
}

POL_SUBPROG int short_name_rule(const struct pol_dir_key *dir, u32 slot, const struct name *name,
				struct pol_found *found)
{
	const struct pol_rule_value *value = NULL;
	struct pol_name_key key = {};
	void *inner;

	key.dir = *dir;
	if (bpf_probe_read_kernel(key.name, name->len & (POL_NAME_SHORT - 1), name->bytes))
		return -1;
	inner = name->len < 32 ? bpf_map_lookup_elem(&names_32, &slot) :
				 bpf_map_lookup_elem(&names_64, &slot);
	if (inner)
		value = bpf_map_lookup_elem(inner, &key);
	if (!value)
		return 0;
	set_found(found, value);
	return 1;
}

#define CHUNK_SIZE 32u
#define NAME_CHUNKS (POL_NAME_SIZE / CHUNK_SIZE)
#define CHUNK_WORDS (CHUNK_SIZE / 8)

/* The @i-th chunk of a name, zero-padded. */
static __always_inline int name_chunk(const struct name *name, u32 i, u64 *words)
{
	u32 at = i * CHUNK_SIZE, len = name->len - at;

	__builtin_memset(words, 0, CHUNK_SIZE);
	if (len >= CHUNK_SIZE)
		return bpf_probe_read_kernel(words, CHUNK_SIZE, name->bytes + at);
	return bpf_probe_read_kernel(words, len & (CHUNK_SIZE - 1), name->bytes + at);
}

POL_SUBPROG int long_name_key(const struct name *name, struct pol_long_key *key)
{
	u64 words[CHUNK_WORDS], hash = POL_NAME_HASH_START;

	for (u32 i = 0; i < NAME_CHUNKS; i++) {
		if (i * CHUNK_SIZE >= name->len)
			break;
		if (name_chunk(name, i, words))
			return -1;
		for (u32 k = 0; k < CHUNK_WORDS; k++)
			hash = POL_NAME_HASH(hash, words[k]);
	}
	key->hash = hash;
	key->len = name->len;
	return 0;
}

POL_SUBPROG int long_name_equal(const struct name *name, const struct pol_long_value *value)
{
	u64 words[CHUNK_WORDS];

	for (u32 i = 0; i < NAME_CHUNKS; i++) {
		if (i * CHUNK_SIZE >= name->len)
			break;
		if (name_chunk(name, i, words))
			return -1;
		for (u32 k = 0; k < CHUNK_WORDS; k++)
			if (words[k] != value->name[i * CHUNK_WORDS + k])
				return 0;
	}
	return 1;
}

/* Global: the walk's paths do not multiply the verifier's work. Return: as name_rule(). */
int pol_long_name_rule(const struct pol_dir_key *dir, u32 slot, const struct name *name,
		       struct pol_found *found);

__attribute__((noinline)) int pol_long_name_rule(const struct pol_dir_key *dir, u32 slot,
						 const struct name *name,
						 struct pol_found *found)
{
	void *inner = bpf_map_lookup_elem(&names_long, &slot);
	const struct pol_long_value *value;
	struct pol_long_key key = {};
	int r;

	if (!dir || !name || !found)
		return -1;
	key.dir = *dir;
	if (!inner || long_name_key(name, &key))
		return -1;
	value = bpf_map_lookup_elem(inner, &key);
	if (!value)
		return 0;
	r = long_name_equal(name, value);
	if (r > 0)
		set_found(found, &value->rule);
	return r;
}

/*
 * The file rule for @child in the directory @dir: 1 and *@found set, 0: none, -1: the name could not
 * be read, refuse.
 */
static __always_inline int name_rule(const struct pol_dir_key *dir, u32 slot, u64 child,
				     struct pol_found *found)
{
	const struct dentry *dentry = (const void *)child;
	struct name name;

	name.len = BPF_CORE_READ(dentry, d_name.len);
	name.bytes = BPF_CORE_READ(dentry, d_name.name);
	if (name.len >= POL_NAME_SIZE)
		return -1;
	if (name.len < POL_NAME_SHORT)
		return short_name_rule(dir, slot, &name, found);
	return pol_long_name_rule(dir, slot, &name, found);
}

/* One directory: its file rule for the child it was reached from, then its own rule. 1: done. */
static __always_inline int try_dir(struct pol_walk *walk, const struct pol_dir_key *key)
{
	const struct pol_rule_value *value = bpf_map_lookup_elem(walk->dirs, key);
	int r;

	if (!value)
		return 0;
	if (value->flags & POL_DIR_NAMES && walk->child) {
		r = name_rule(key, walk->slot, walk->child, walk->found);
		if (r < 0) {
			pol_fail_count(POL_FAIL_READ_FAILED);
			walk->found->reason = POL_REASON_PATH_RACE;
			return 1;
		}
		if (r > 0) {
			walk->found->named = walk->depth <= 1;
			return 1;
		}
	}
	if (!(value->flags & POL_DIR_RULE))
		return 0;
	set_found(walk->found, value);
	walk->found->named = walk->depth == 0;
	return 1;
}

/* The subvolume that a btrfs inode is of. */
static __always_inline u64 subvolume_of(const struct inode *inode)
{
	const struct pol_control *ctl = pol_control_get();
	u64 root = 0, id = 0;

	if (!ctl || !ctl->btrfs_id)
		return POL_TREE_UNKNOWN;
	if (bpf_probe_read_kernel(&root, sizeof(root), (const void *)inode + ctl->btrfs_root) ||
	    bpf_probe_read_kernel(&id, sizeof(id), (const void *)root + ctl->btrfs_id)) {
		pol_fail_count(POL_FAIL_READ_FAILED);
		return POL_TREE_UNKNOWN;
	}
	return id < POL_TREE_UNKNOWN ? id : POL_TREE_UNKNOWN;
}

/*
 * i_private of an overlay's inode is the inode in a layer that overlayfs finds it again by, after
 * memory was reclaimed and after a copy-up alike. The root has none, and stays in memory.
 */
static __always_inline u32 layer_key(const struct inode *inode, struct pol_dir_key *key)
{
	const struct inode *real = (const void *)BPF_CORE_READ(inode, i_private);
	u32 magic = BPF_CORE_READ(real, i_sb, s_magic);
	u64 id;

	if (!real)
		return 0;
	key->tree = BPF_CORE_READ(real, i_sb, s_dev);
	key->inode.ino = BPF_CORE_READ(real, i_ino);
	key->inode.generation = BPF_CORE_READ(real, i_generation);
	if (magic != BTRFS_SUPER_MAGIC)
		return magic;
	id = subvolume_of(real);
	if (id >> POL_LAYER_SUBVOLUME_BITS || key->inode.ino >> POL_LAYER_INO_BITS)
		key->tree = POL_TREE_UNKNOWN;
	else
		key->inode.ino |= id << POL_LAYER_INO_BITS;
	return magic;
}

__attribute__((noinline)) int pol_tree_key(u64 inode, u32 magic, struct pol_dir_key *key)
{
	if (!key)
		return 0;
	if (magic == OVERLAYFS_SUPER_MAGIC)
		return layer_key((const void *)inode, key);
	if (magic == BTRFS_SUPER_MAGIC)
		key->tree = subvolume_of((const void *)inode);
	return 0;
}

/*
 * A directory's key, but the rule set, and its parent, by probe reads. @trees: of struct pol_walk. A
 * frame of its own: the stack is 512 bytes.
 */
POL_SUBPROG int read_dir(u64 at, u32 trees, struct pol_dir_key *key, u64 *parent)
{
	const struct dentry *dentry = (const void *)at;
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	*parent = (u64)BPF_CORE_READ(dentry, d_parent);
	pol_read_inode_key(inode, &key->inode);
	if (inode && trees)
		pol_tree_key((u64)inode, trees, key);
	if (*parent == at && dentry != BPF_CORE_READ(dentry, d_sb, s_root))
		return 1;
	return inode ? 0 : -1;
}

static int step(u32 i, struct pol_walk *walk)
{
	struct pol_dir_key key = {};
	u64 parent;
	int r;

	key.ruleset = walk->ruleset;
	r = read_dir(walk->dentry, walk->trees, &key, &parent);
	if (r < 0 || try_dir(walk, &key))
		goto done;
	if (parent == walk->dentry) {
		if (r)
			walk->found->reason = POL_REASON_DISCONNECTED;
		goto done;
	}
	walk->child = walk->dentry;
	walk->dentry = parent;
	walk->depth++;
	return 0;
done:
	walk->done = 1;
	return 1;
}

/*
 * One walk, whatever else moves meanwhile. Global, so that the tries do not multiply the verifier's
 * work.
 */
int pol_walk_once(u64 at, u32 ruleset, u32 slot, struct pol_found *found);

__attribute__((noinline)) int pol_walk_once(u64 at, u32 ruleset, u32 slot, struct pol_found *found)
{
	struct pol_walk walk = { .ruleset = ruleset, .slot = slot, .found = found };
	const struct dentry *dentry = (const void *)at;
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	u32 magic = BPF_CORE_READ(dentry, d_sb, s_magic);
	long steps;

	if (!found)
		return 0;
	__builtin_memset(found, 0, sizeof(*found));
	found->reason = POL_REASON_NO_RULE;
	walk.dirs = bpf_map_lookup_elem(&dirs, &slot);
	if (!walk.dirs) {
		pol_fail_count(POL_FAIL_NO_RULES_MAP);
		found->reason = POL_REASON_NO_STORAGE;
		return 0;
	}
	walk.dentry = at;
	walk.trees = pol_has_trees(magic) ? magic : 0;
	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFDIR) {
		walk.child = at;
		walk.depth = 1;
		walk.dentry = (u64)BPF_CORE_READ(dentry, d_parent);
		if (walk.dentry == at) {
			found->reason = POL_REASON_DISCONNECTED;
			return 0;
		}
	}
	steps = bpf_loop(POL_WALK_MAX, step, &walk, 0);
	if (steps >= 0 && walk.done)
		return 0;
	pol_fail_count(POL_FAIL_PATH_TOO_DEEP);
	found->reason = POL_REASON_PATH_TOO_DEEP;
	return 0;
}

__attribute__((noinline)) int pol_walk(u64 dentry, u32 ruleset, u64 generation,
				       struct pol_found *found)
{
	u32 slot = generation & (POL_SLOTS - 1), before;

	if (!found)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < POL_WALK_TRIES; i++) {
		before = pol_rename_sequence();
		pol_walk_once(dentry, ruleset, slot, found);
		if (!(before & 1) && pol_rename_sequence() == before)
			return 0;
	}
	pol_fail_count(POL_FAIL_PATH_RACE);
	__builtin_memset(found, 0, sizeof(*found));
	found->reason = POL_REASON_PATH_RACE;
	return 0;
}
