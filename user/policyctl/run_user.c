/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base.h"
#include "ctl.h"

/* (uid_t)-1 is no id: setresuid(2) takes it for "leave it". */
#define ID_MAX (UINT32_MAX - 1)

/* What getpwnam(3) and its like leave in errno where there is simply no such entry. */
static bool is_absent(int error)
{
	return !error || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int cannot_look_up(const char *what, const char *name, int error, struct pol_err *err)
{
	return pol_err_set(err, POL_ERR_FAILED, -error, "cannot look up %s '%s'", what, name);
}

/* @ret_uid without an entry: a number. Return: 1: @ret_entry; 0: a number alone; negative errno. */
static int find_user(const char *name, const struct passwd **ret_entry, uid_t *ret_uid,
		     struct pol_err *err)
{
	int64_t number = ctl_number(name, ID_MAX);

	errno = 0;
	*ret_entry = getpwnam(name);
	if (!*ret_entry && is_absent(errno) && number >= 0) {
		errno = 0;
		*ret_entry = getpwuid((uid_t)number);
	}
	if (*ret_entry || (is_absent(errno) && number >= 0)) {
		*ret_uid = *ret_entry ? (*ret_entry)->pw_uid : (uid_t)number;
		return !!*ret_entry;
	}
	if (!is_absent(errno))
		return cannot_look_up("user", name, errno, err);
	return pol_err_say(err, POL_ERR_USAGE, -ENOENT, "this host has no user '%s'", name);
}

static int find_group(const char *name, gid_t *ret, struct pol_err *err)
{
	int64_t number = ctl_number(name, ID_MAX);
	const struct group *entry;

	errno = 0;
	entry = getgrnam(name);
	if (entry || (is_absent(errno) && number >= 0)) {
		*ret = entry ? entry->gr_gid : (gid_t)number;
		return 0;
	}
	if (!is_absent(errno))
		return cannot_look_up("group", name, errno, err);
	return pol_err_say(err, POL_ERR_USAGE, -ENOENT, "this host has no group '%s'", name);
}

/* The user's own groups. */
static int take_groups(const struct passwd *entry, struct run_user *ret, struct pol_err *err)
{
	int cnt = RUN_GROUPS_MAX;

	if (getgrouplist(entry->pw_name, entry->pw_gid, ret->groups, &cnt) < 0)
		return pol_err_say(err, POL_ERR_FAILED, -E2BIG, "user '%s' has more than %d groups",
				   entry->pw_name, RUN_GROUPS_MAX);
	ret->gid = entry->pw_gid;
	ret->groups_cnt = (size_t)cnt;
	return 0;
}

int run_user_parse(const char *text, struct run_user *ret, struct pol_err *err)
{
	_cleanup_free_ char *name = strdup(text);
	const struct passwd *entry = NULL;
	struct run_user user = {};
	char *group;
	int r;

	if (!name)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot take '%s'", text);
	group = strchr(name, ':');
	if (group)
		*group++ = '\0';
	r = find_user(name, &entry, &user.uid, err);
	if (r < 0)
		return r;
	if (group) {
		r = find_group(group, &user.gid, err);
	} else if (r) {
		r = take_groups(entry, &user, err);
	} else {
		r = pol_err_say(err, POL_ERR_USAGE, -ENOENT,
				"user %s has no entry here, so no group", name);
		(void)pol_err_fix(err, "name one: --user %s:GROUP", name);
	}
	if (!r)
		*ret = user;
	return r;
}
