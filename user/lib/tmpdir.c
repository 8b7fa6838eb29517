/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "abi.h"
#include "base.h"
#include "empty.h"
#include "file.h"

#define RUN_DIR "/run/policyctl"
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

static int make_dir(const char *path, mode_t mode, struct pol_err *err)
{
	if (!mkdir(path, mode) || errno == EEXIST)
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make '%s'", path);
}

/* Return: 1: something is mounted there. */
static int is_mounted(void)
{
	struct stat above, root;

	if (stat(RUN_DIR, &above) < 0 || lstat(POL_TMP_ROOT, &root) < 0)
		return -errno;
	return above.st_dev != root.st_dev;
}

static int make_root(struct pol_err *err)
{
	int r = make_dir(RUN_DIR, 0755, err);

	if (!r)
		r = make_dir(POL_TMP_ROOT, 0700, err);
	if (r < 0)
		return r;
	r = is_mounted();
	if (!r && mount("policyctl", POL_TMP_ROOT, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		r = -errno;
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot mount a tmpfs on " POL_TMP_ROOT);
	return 0;
}

static int make_dirs(const struct pol_policy *policy, struct pol_err *err)
{
	bool rooted = false;
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt && !r; i++) {
		_cleanup_free_ char *path = NULL;

		if (!wants(&policy->guests[i]))
			continue;
		if (!rooted)
			r = make_root(err);
		rooted = true;
		path = pol_tmp_path(policy->guests[i].name);
		if (!path)
			return pol_err_set(err, POL_ERR_FAILED, -ENOMEM,
					   "cannot make the private tmp of '%s'",
					   policy->guests[i].name);
		if (!r)
			r = make_dir(path, 0700, err);
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
	if (is_mounted() > 0)
		(void)umount2(POL_TMP_ROOT, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (!rmdir(POL_TMP_ROOT))
		(void)rmdir(RUN_DIR); /* unless there is more of ours */
}

void pol_tmp_sweep(const struct pol_meta *meta)
{
	bool any = false;
	struct dirent *entry;
	DIR *root;

	for (size_t i = 0; meta && i < meta->guests_cnt && !any; i++)
		any = pol_tmp_has(&meta->guests[i]);
	if (!any) {
		remove_all();
		return;
	}
	root = opendir(POL_TMP_ROOT);
	while (root && (entry = readdir(root)))
		if (entry->d_name[0] != '.' && !is_needed(meta, entry->d_name))
			remove_dir(dirfd(root), entry->d_name);
	if (root)
		closedir(root);
}
