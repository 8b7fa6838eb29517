/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locating rules, in the loader's mount namespace or below a guest's own root: symlinks followed once,
 * component by component, and the conditions of policy-language.md semantics 3-5. Reads the
 * filesystem, changes nothing; needs no BPF. The kernel's keys of the places found are taken later
 * (anchors.c).
 */
#pragma once

#include "policy.h"

/**
 * struct pol_place - where a rule of one guest is anchored.
 * @dir: canonical path without symlinks: of the directory itself (@name NULL), or of the
 *	 directory that holds @name (a file rule: file, missing name, or kept by name). Owned.
 * @name: last component, raw bytes, or NULL. Owned.
 * @where: the place as its filesystem knows it, by whatever mount: "8:1/srv/web". NULL: derived or
 *	   pending. Owned.
 * @guest, @rule: indices into the policy: guests[guest].rules[rule].
 * @derived: made from a mount point below a directory rule; @dir is the mount point (its root is
 *	     the anchor), or, for a mounted file, @dir/@name is the mount point.
 * @sysctl: it is /proc/sys or lies in it.
 * @pending: optional rule whose parent is missing: nothing to anchor; only listed.
 * @dev, @ino: of the directory @dir as stat(2) sees it at resolution; reopening must find the same.
 */
struct pol_place {
	char *dir;
	char *name;
	char *where;
	size_t guest;
	size_t rule;
	bool derived;
	bool sysctl;
	bool pending;
	uint64_t dev;
	uint64_t ino;
};

/**
 * struct pol_places - of a policy; sorted by guest, then rule, derived ones last.
 * @twins: rules on a place that another rule of the same guest has, with the same access (/lib
 *	   and /usr/lib on a merged-usr host). Nothing to anchor; only listed.
 */
struct pol_places {
	struct pol_place *items;
	size_t cnt;
	struct pol_place *twins;
	size_t twins_cnt;
};

void pol_places_done(struct pol_places *places);

/**
 * struct pol_region - a directory tree with the rights some guest has there: what the running
 * generation gives. Used for the symlink condition together with the new policy.
 * @dir: canonical path, which is looked up; @where: not NULL: it is there, whatever @dir leads to
 * (struct pol_place). @guest: any number that tells guests apart; @access: of the nearest rule.
 */
struct pol_region {
	const char *dir;
	const char *where;
	uint32_t guest;
	uint32_t access;
};

/**
 * struct pol_root - where the paths of in = "guest" rules begin: a process's root and mounts.
 * @fd: of its root directory, O_PATH. @mountinfo: file with its mounts, as proc(5) has them.
 * @has_run: the process runs already, and is not confined: it may have made any symlink below its
 * root, so there must be none on a rule's way.
 */
struct pol_root {
	int fd;
	const char *mountinfo;
	bool has_run;
};

/**
 * pol_resolve() - expand the policy's globs, locate every device and every rule of every guest,
 * but those with in = "guest".
 * @running: regions of the running generation (may be NULL, 0).
 * @held_names, @held_cnt: canonical "dir/name" paths that the running generation holds by name:
 *	they stay held by name even when a directory is there now (semantics 4). May be NULL, 0.
 * @diags: errors and warnings, at the rule's line.
 *
 * Return: 0; -EINVAL: errors in @diags; -ENOMEM.
 */
int pol_resolve(struct pol_policy *policy, const struct pol_region *running,
		size_t running_cnt, const char *const *held_names, size_t held_cnt,
		struct pol_diags *diags, struct pol_places *ret);

/**
 * pol_resolve_in() - locate the rules with in = "guest" below @root; without warnings.
 *
 * Otherwise as pol_resolve(). @running: all of what guests may do now, by @where.
 */
int pol_resolve_in(struct pol_policy *policy, const struct pol_root *root,
		   const struct pol_region *running, size_t running_cnt,
		   const char *const *held_names, size_t held_cnt, struct pol_diags *diags,
		   struct pol_places *ret);

/**
 * pol_fs_supported() - do inode and generation of this filesystem name one file for good?
 * @magic: f_type of statfs(2).
 *
 * A list of what was looked at: everything else has no rules in this version.
 */
bool pol_fs_supported(uint64_t magic);

/* pol_fs_pseudo() - procfs and its like: a rule never means the ones mounted below it. */
bool pol_fs_pseudo(uint64_t magic);

/* pol_fs_rights() - rights beyond these no rule gives there; 0: no rule can be made. */
uint32_t pol_fs_rights(uint64_t magic);

/**
 * pol_lint_links() - warn about files with more than one name beneath directory rules.
 * @budget: directory entries to look at in all, at most.
 * @ret_complete: false if it ran out.
 *
 * Return: 0; -ENOMEM.
 */
int pol_lint_links(const struct pol_policy *policy, const struct pol_places *places, size_t budget,
		   struct pol_diags *diags, bool *ret_complete);

/* pol_resolve_devices() - the disks of limits.io. What is none, or twice, is an error in @diags. */
void pol_resolve_devices(struct pol_policy *policy, struct pol_diags *diags);
