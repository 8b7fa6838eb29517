/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside resolve: walking a path, the mounts of this namespace, and looking up what lies above. */
#pragma once

#include <sys/types.h>

#include "resolve.h"

/* resolve_walk.c */

/* A symlink that a walk followed: @path is canonical but for its last component. */
struct pol_link {
	char *path;
	uint64_t mnt_id; /* of the directory it lies in */
};

enum pol_walk_fault {
	POL_WALK_OK = 0,
	POL_WALK_NO_PARENT,
	POL_WALK_NOT_DIRECTORY,
	POL_WALK_LOOP,
	POL_WALK_DANGLING,
	POL_WALK_FAILED, /* @code says why */
};

/**
 * struct pol_walk - where a path leads.
 * @dir, @name: as in struct pol_place; with a fault NULL.
 * @mode: of the object; 0: it does not exist.
 * @dev, @ino, @mnt_id, @magic: of the directory @dir. @object_mnt_id, @object_magic: of the object
 *	(0: it does not exist).
 * @folds_case: in @dir one name has several spellings.
 * @links: symlinks crossed, up to the fault. @at: where the fault is.
 */
struct pol_walk {
	enum pol_walk_fault fault;
	int code;
	char *at;
	char *dir;
	char *name;
	mode_t mode;
	uint64_t dev;
	uint64_t ino;
	uint64_t mnt_id;
	uint64_t object_mnt_id;
	uint64_t magic;
	uint64_t object_magic;
	bool folds_case;
	struct pol_link *links;
	size_t links_cnt;
};

/* pol_walk() - @path is clean and absolute. @ret is zeroed. Return: 0 (see @fault); -ENOMEM. */
int pol_walk(const char *path, struct pol_walk *ret);

/* pol_walk_in() - the same below the directory @root, which no '..' and no symlink leaves. */
int pol_walk_in(int root, const char *path, struct pol_walk *ret);

/* pol_walk_by_name() - turn a walk that found a directory into its parent and name. */
int pol_walk_by_name(int root, struct pol_walk *walk);

void pol_walk_done(struct pol_walk *walk);

/* pol_path_join() - @dir and @name, or @dir alone (@name NULL). To be freed. */
char *pol_path_join(const char *dir, const char *name);

/* resolve_mounts.c */

struct pol_mount {
	uint64_t id;
	char dev[24]; /* major:minor of the superblock */
	char *root;   /* of the mount, in its filesystem */
	char *point;
	char *fstype;
};

struct pol_mounts {
	struct pol_mount *items; /* sorted by id */
	size_t cnt;
};

/* pol_mounts_read() - of /proc/self/mountinfo, or of @text if that is not NULL. */
int pol_mounts_read(const char *text, struct pol_mounts *ret);

/* pol_mounts_read_file() - of a process's mountinfo. */
int pol_mounts_read_file(const char *path, struct pol_mounts *ret);
void pol_mounts_done(struct pol_mounts *mounts);
const struct pol_mount *pol_mount_by_id(const struct pol_mounts *mounts, uint64_t id);

/**
 * pol_mount_key() - a place as its filesystem knows it: "8:1/srv/web", the same by every mount.
 *
 * The kernel decides by the parents within a filesystem, so nearness is asked by these keys.
 * Return: to be freed; NULL: out of memory.
 */
char *pol_mount_key(const struct pol_mounts *mounts, uint64_t mnt_id, const char *path);

/* resolve_glob.c */

/**
 * pol_expand_globs() - rules of their own for what the policy's patterns match.
 *
 * Return: 0; -EINVAL: too many, in @diags, as other errors are, after which it goes on; -ENOMEM.
 */
int pol_expand_globs(struct pol_policy *policy, struct pol_diags *diags);

/* pol_rule_rank() - of two rules on one place, whether the first (< 0) or second (> 0) decides. */
int pol_rule_rank(const struct pol_rule *a, const struct pol_rule *b);

/* resolve_index.c */

struct pol_spot {
	char *key;	/* owned; ends in an absolute path */
	uint32_t guest; /* dense: the policy's guests first, then running ones */
	uint32_t access;
	size_t place; /* index of the place, SIZE_MAX: a region that is running */
};

struct pol_index {
	struct pol_spot *items;
	size_t cnt;
	size_t room;
	uint32_t *seen; /* by guest: the stamp of the look-up that met it */
	uint32_t guests_cnt;
	uint32_t stamp;
};

int pol_index_init(struct pol_index *index, uint32_t guests_cnt);
void pol_index_done(struct pol_index *index);

/* pol_index_add() - takes @key, also on failure; a NULL one is -ENOMEM. */
int pol_index_add(struct pol_index *index, char *key, uint32_t guest, uint32_t access,
		  size_t place);
void pol_index_sort(struct pol_index *index);

typedef int pol_spot_fn(const struct pol_spot *spot, void *arg);

/**
 * pol_index_nearest() - for each guest that has a spot at @key or above it: the nearest one.
 *
 * Return: 0, what @fn returned if not 0, or -ENOMEM.
 */
int pol_index_nearest(struct pol_index *index, const char *key, pol_spot_fn *fn, void *arg);

/* pol_index_find() - the spot of @guest at exactly @key, or NULL. */
const struct pol_spot *pol_index_find(const struct pol_index *index, const char *key,
				      uint32_t guest);

/* pol_key_up() - cut the last component. Return: false at the root. */
bool pol_key_up(char *key);

/* resolve.c and resolve_derive.c */

struct pol_resolver {
	const struct pol_policy *policy;
	const struct pol_root *in; /* the guest's; NULL: the loader's own */
	int root;		   /* where walks begin */
	struct pol_diags *diags;
	struct pol_places *places;
	size_t places_room;
	struct pol_mounts mounts;
	struct pol_walk *walks;
	size_t walks_cnt;
	size_t *walk_of; /* by place: which walk found it */
	size_t *twin_walk_of;
	uint32_t guests_cnt;	  /* dense numbers, running ones included */
	struct pol_index by_path; /* explicit places, by canonical path */
	struct pol_index by_file; /* all places and running regions, by pol_mount_key() */
};

int pol_resolver_add(struct pol_resolver *rs, struct pol_place *place, size_t walk);
const struct pol_rule *pol_place_rule(const struct pol_policy *policy,
				      const struct pol_place *place);

/* resolve_pseudo.c */

/* pol_hold_sysctl() - a directory that lies directly in /proc/sys is held by name. */
int pol_hold_sysctl(int root, const struct pol_mounts *mounts, struct pol_walk *walk);

/* pol_check_pseudo() - errors and warnings of a rule on such a filesystem. @place: gets sysctl. */
int pol_check_pseudo(struct pol_resolver *rs, const struct pol_rule *rule,
		     const struct pol_walk *walk, struct pol_place *place);

/* pol_derive_mounts() - places for the mounts below rules. */
int pol_derive_mounts(struct pol_resolver *rs);

/* pol_check_links() - no symlink of a rule's path where a guest could have put it. */
int pol_check_links(struct pol_resolver *rs, const struct pol_region *running, size_t running_cnt);

/* pol_check_globs() - no guest may make names where globs were looked up; after pol_check_links(). */
int pol_check_globs(struct pol_resolver *rs);

/* resolve_map.c */

/* pol_check_seen() - nothing that a guest sees lies below a file (guest_path). */
int pol_check_seen(struct pol_resolver *rs);

/* pol_lint_places() - rules that repeat others or never match, by what they lead to. */
int pol_lint_places(struct pol_resolver *rs);

/* resolve_shadow.c */

/* pol_resolve_shadows() - warnings of shadow.paths: of symlinks on them, and of what is written there. */
void pol_resolve_shadows(const struct pol_policy *policy, struct pol_diags *diags);
