/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "abi.h"
#include "base.h"
#include "empty.h"
#include "file.h"

#define RUN_DIR "/run/policyctl"
#define ROOT_NAME "tmp"
_Static_assert(sizeof(POL_TMP_ROOT) == sizeof(RUN_DIR "/" ROOT_NAME), "POL_TMP_ROOT");
#define RULE_NAME "tmp"

static bool wants(const struct pol_guest *guest)
{
	return guest->knobs & POL_GUEST_TMP;
}

bool pol_tmp_has(const struct pol_meta_guest *guest)
{
	return !guest->ghost && guest->knobs & POL_GUEST_TMP;
}

char *pol_tmp_path(const char *guest)
{
	char *path;

	return asprintf(&path, POL_TMP_ROOT "/%s", guest) < 0 ? NULL : path;
}

/* ------------------------------------------------------------------ rules */

static int make_rule(const struct pol_guest *guest, struct pol_rule *ret)
{
	*ret = (struct pol_rule){
		.path = pol_tmp_path(guest->name),
		.name = strdup(RULE_NAME),
		.access = POL_ACCESS_RW,
		.line = guest->line,
		.col = guest->col,
	};
	if (ret->path && ret->name)
		return 0;
	pol_rule_done(ret);
	return -ENOMEM;
}

/* At its place in the sorted list. Takes @rule, also on failure. */
static int insert_rule(struct pol_guest *guest, struct pol_rule *rule)
{
	struct pol_rule *rules =
		reallocarray(guest->rules, guest->rules_cnt + 1, sizeof(*guest->rules));
	size_t at = 0;

	if (!rules) {
		pol_rule_done(rule);
		return -ENOMEM;
	}
	guest->rules = rules;
	while (at < guest->rules_cnt && strcmp(rules[at].path, rule->path) < 0)
		at++;
	memmove(&rules[at + 1], &rules[at], (guest->rules_cnt - at) * sizeof(*rules));
	rules[at] = *rule;
	guest->rules_cnt++;
	return 0;
}

int pol_tmp_add_rules(struct pol_policy *policy)
{
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt && !r; i++) {
		struct pol_guest *guest = &policy->guests[i];
		struct pol_rule rule;

		if (!wants(guest))
			continue;
		r = make_rule(guest, &rule);
		if (!r && pol_guest_rule(guest, rule.path))
			pol_rule_done(&rule);
		else if (!r)
			r = insert_rule(guest, &rule);
	}
	return r;
}

/* ------------------------------------------------------------------ directories */

/*
 * A guest that may make names in /run can have been there first: no name of ours is followed, and
 * what it has made is no mount.
 */
static int open_run(void)
{
	return pol_dir_open(AT_FDCWD, RUN_DIR);
}

static int make_dir(int dirfd, const char *name, mode_t mode, struct pol_err *err)
{
	if (!mkdirat(dirfd, name, mode) || errno == EEXIST)
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make '%s'", name);
}

/* Return: 1: a filesystem of its own is there; 0: a directory; negative errno: neither. */
static int is_mounted(int run)
{
	struct stat above, root;

	if (fstat(run, &above) < 0 || fstatat(run, ROOT_NAME, &root, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(root.st_mode) ? above.st_dev != root.st_dev : -ENOTDIR;
}

static int mount_on(int run)
{
	_cleanup_close_ int dir = pol_dir_open(run, ROOT_NAME);
	char path[32];

	if (dir < 0)
		return dir;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return mount("policyctl", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0 ? -errno : 0;
}

/* Return: its root, to be closed; negative errno. */
static int make_root(struct pol_err *err)
{
	_cleanup_close_ int run = -EBADF;
	int r = make_dir(AT_FDCWD, RUN_DIR, 0755, err);

	if (r < 0)
		return r;
	run = open_run();
	if (run < 0)
		return pol_err_set(err, POL_ERR_FAILED, run, "cannot open the directory " RUN_DIR);
	r = make_dir(run, ROOT_NAME, 0700, err);
	if (r < 0)
		return r;
	r = is_mounted(run);
	if (!r)
		r = mount_on(run);
	if (r >= 0)
		r = pol_tmp_open();
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot mount a tmpfs on " POL_TMP_ROOT);
	return r;
}

int pol_tmp_open(void)
{
	_cleanup_close_ int run = open_run();
	int r;

	if (run < 0)
		return run;
	r = is_mounted(run);
	if (r <= 0)
		return r ? r : -ENOENT;
	return pol_dir_open(run, ROOT_NAME);
}

static int make_dirs(const struct pol_policy *policy, struct pol_err *err)
{
	_cleanup_close_ int root = -EBADF;
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt && !r; i++) {
		if (!wants(&policy->guests[i]))
			continue;
		if (root < 0)
			root = make_root(err);
		r = root < 0 ? root : make_dir(root, policy->guests[i].name, 0700, err);
	}
	return r;
}

int pol_tmp_make(struct pol_policy *policy, struct pol_err *err)
{
	int r = make_dirs(policy, err);

	if (r < 0)
		return r;
	r = pol_tmp_add_rules(policy);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot make the rules on private tmp");
	return 0;
}

static bool is_needed(const struct pol_meta *meta, const char *name)
{
	const struct pol_meta_guest *guest = pol_meta_guest(meta, name);

	return guest && pol_tmp_has(guest);
}

static void remove_dir(int root, const char *name)
{
	_cleanup_close_ int dir = pol_dir_open(root, name);

	if (dir >= 0)
		(void)pol_dir_empty(dir);
	(void)unlinkat(root, name, AT_REMOVEDIR);
}

/* Whoever has one of them as his /tmp keeps it until he ends. */
static void remove_all(void)
{
	_cleanup_close_ int run = open_run();
	char path[48];

	if (run < 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" ROOT_NAME, run);
	if (is_mounted(run) > 0)
		(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (!unlinkat(run, ROOT_NAME, AT_REMOVEDIR))
		(void)rmdir(RUN_DIR); /* unless there is more of ours */
}

static void remove_unneeded(const struct pol_meta *meta)
{
	int root = pol_tmp_open();
	DIR *stream = root < 0 ? NULL : fdopendir(root);
	struct dirent *entry;

	if (!stream) {
		pol_closep(&root);
		return;
	}
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.' && !is_needed(meta, entry->d_name))
			remove_dir(root, entry->d_name);
	closedir(stream);
}

void pol_tmp_sweep(const struct pol_meta *meta)
{
	for (size_t i = 0; meta && i < meta->guests_cnt; i++) {
		if (pol_tmp_has(&meta->guests[i])) {
			remove_unneeded(meta);
			return;
		}
	}
	remove_all();
}
