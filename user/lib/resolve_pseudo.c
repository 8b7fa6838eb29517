/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules on procfs, sysfs and cgroupfs: where they may be made, and which of their rights the kernel
 * side gives (bpf/pseudo.bpf.c, semantics 11).
 *
 * The inodes of tasks and those below /proc/sys are made anew with new numbers whenever memory is
 * reclaimed. So no rule is anchored to one: on tasks there are none (a rule on the root covers the
 * guest's own), and what lies directly in /proc/sys is held by its name.
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "procfs.h"
#include "resolve_int.h"

#define READ_AND_LIST (POL_RIGHT_READ | POL_RIGHT_LIST)

/* Where in its filesystem a walk ended: "/", "/sys/kernel"; to be freed. */
static char *place_in_fs(const struct pol_mounts *mounts, const struct pol_walk *walk)
{
	_cleanup_free_ char *path = pol_path_join(walk->dir, walk->name);
	_cleanup_free_ char *key = path ? pol_mount_key(mounts, walk->mnt_id, path) : NULL;
	const char *at = key ? strchr(key, '/') : NULL;

	return at ? strdup(at) : NULL;
}

static bool is_task(const char *place)
{
	size_t digits = strspn(place + 1, "0123456789");

	return digits && (!place[digits + 1] || place[digits + 1] == '/');
}

/* /proc/sys: 1; directly in it: 2; deeper: 3; elsewhere: 0. */
static int depth_in_sys(const char *place)
{
	const char *rest = place + 4;

	if (strncmp(place, "/sys", 4) != 0 || (*rest && *rest != '/'))
		return 0;
	if (!*rest)
		return 1;
	return strchr(rest + 1, '/') ? 3 : 2;
}

static bool is_public(const char *place)
{
#define P1(a)	       "/" a,
#define P2(a, b)       "/" a "/" b,
#define P3(a, b, c)    "/" a "/" b "/" c,
#define P4(a, b, c, d) "/" a "/" b "/" c "/" d,
	static const char *const public[] = { POL_PROC_PUBLIC(P1, P2, P3, P4) };

	for (size_t i = 0; i < ARRAY_SIZE(public); i++)
		if (strcmp(public[i], place) == 0)
			return true;
	return false;
}

static uint32_t procfs_rights(const char *place)
{
	if (!place[1])
		return READ_AND_LIST | POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE;
	return depth_in_sys(place) || is_public(place) ? READ_AND_LIST : 0;
}

uint32_t pol_fs_rights(uint64_t magic)
{
	switch (magic) {
	case PROC_SUPER_MAGIC:
		return READ_AND_LIST | POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE;
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return READ_AND_LIST;
	}
	return pol_fs_pseudo(magic) ? 0 : POL_RIGHTS_ALL;
}

int pol_hold_sysctl(int root, const struct pol_mounts *mounts, struct pol_walk *walk)
{
	const struct pol_mount *mount = pol_mount_by_id(mounts, walk->mnt_id);
	_cleanup_free_ char *place = NULL;

	if (walk->magic != PROC_SUPER_MAGIC || walk->name || !mount)
		return 0;
	place = place_in_fs(mounts, walk);
	if (!place)
		return -ENOMEM;
	/* A mount of that very directory: its name is in another filesystem. */
	if (depth_in_sys(place) != 2 || strcmp(mount->point, walk->dir) == 0)
		return 0;
	return pol_walk_by_name(root, walk);
}

static void warn_never(struct pol_resolver *rs, const struct pol_rule *rule, uint32_t gives,
		       const char *fstype)
{
	char words[256];

	if (!gives && rule->access) {
		pol_diag_add(
			rs->diags, true, POL_P_NEVER, rule->line, rule->col, "take the rule out",
			"'%s' is on %s, and no rule opens it: a built-in refusal in every mode",
			rule->path, fstype);
		return;
	}
	if (!(rule->access & ~gives))
		return;
	(void)pol_access_format(rule->access & ~gives, words, sizeof(words));
	pol_diag_add(
		rs->diags, true, POL_P_NEVER, rule->line, rule->col, "take them out of 'access'",
		"'%s' is on %s, where no rule gives these rights: %s", rule->path, fstype, words);
}

static int check_procfs(struct pol_resolver *rs, const struct pol_rule *rule,
			const struct pol_walk *walk, struct pol_place *place)
{
	_cleanup_free_ char *at = place_in_fs(&rs->mounts, walk);
	int depth;

	if (!at)
		return -ENOMEM;
	depth = depth_in_sys(at);
	if (is_task(at)) {
		pol_diag_add(rs->diags, false, POL_P_PROCFS, rule->line, rule->col,
			     "write a rule on /proc: it covers the guest's own processes",
			     "'%s' is of one process (%s in procfs): no rule can be held there",
			     rule->path, at);
		return 0;
	}
	if (depth > 2 || (depth == 2 && !walk->name)) {
		pol_diag_add(
			rs->diags, false, POL_P_PROCFS, rule->line, rule->col,
			"write a rule on /proc/sys or on a directory directly in it",
			"'%s' is %s in procfs: so deep no rule can be held, inode numbers change there",
			rule->path, at);
		return 0;
	}
	place->sysctl = depth > 0;
	warn_never(rs, rule, procfs_rights(at), "procfs");
	return 0;
}

int pol_check_pseudo(struct pol_resolver *rs, const struct pol_rule *rule,
		     const struct pol_walk *walk, struct pol_place *place)
{
	const struct pol_mount *mount = pol_mount_by_id(&rs->mounts, walk->mnt_id);
	uint32_t gives = pol_fs_rights(walk->magic);
	const char *fstype = mount ? mount->fstype : "a filesystem of the kernel's";

	if (walk->magic == PROC_SUPER_MAGIC)
		return check_procfs(rs, rule, walk, place);
	if (gives)
		warn_never(rs, rule, gives, fstype);
	else
		pol_diag_add(
			rs->diags, false, POL_P_FILESYSTEM, rule->line, rule->col, NULL,
			"'%s' is on %s, a face of the kernel: no rule can be made there, and a guest is refused everything",
			rule->path, fstype);
	return 0;
}
