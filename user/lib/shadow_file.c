/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base.h"
#include "file.h"
#include "resolve.h"
#include "snapshot.h"
#include "str.h"

/* @above: a path of the policy, whose own symlinks are the operator's. O_PATH. */
static int find_beneath(const char *above, const char *path)
{
	const char *rest = path + strlen(above);
	_cleanup_close_ int dir = open(above, O_PATH | O_CLOEXEC);
	int r;

	if (dir < 0)
		return -errno;
	rest += *rest == '/';
	if (!*rest)
		return TAKE_FD(dir);
	do
		r = pol_openat2(dir, rest, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	while (r == -EAGAIN); /* something above was renamed meanwhile */
	return r == -EXDEV ? -EACCES : r;
}

/* By whichever of the paths leads to it: a symlink beneath one may lead out, and not beneath another. */
static int find(const struct pol_shadow_policy *policy, const char *path)
{
	int r = -EACCES;

	for (size_t i = 0; i < policy->paths_cnt && r < 0; i++) {
		const char *above = policy->paths[i];

		if (!above[1] || pol_path_lies_in(path, above))
			r = find_beneath(above, path);
	}
	return r;
}

static int check_kind(int fd, const char *path, struct pol_err *err)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return pol_err_say(err, POL_ERR_FAILED, -ENODEV, "'%s' is no regular file", path);
	if (pol_fs_pseudo((uint64_t)fs.f_type))
		return pol_err_say(err, POL_ERR_FAILED, -ENODEV,
				   "'%s' is made up by the kernel when it is read", path);
	if (!pol_fs_supported((uint64_t)fs.f_type))
		return pol_err_say(err, POL_ERR_HOST, -EOPNOTSUPP,
				   "'%s' is on a filesystem of type %#llx, whose files the kernel does "
				   "not tell apart for good: nobody could say when it changes",
				   path, (unsigned long long)fs.f_type);
	return 0;
}

int pol_shadow_file_open(const struct pol_shadow_policy *policy, const char *path, struct pol_err *err)
{
	_cleanup_close_ int found = find(policy, path);
	int r;

	if (found == -EACCES) {
		pol_err_say(err, POL_ERR_FAILED, -EACCES,
			    "'%s' may not be snapshotted: it lies in none of the guest's shadow.paths, "
			    "or a symlink leads out of them",
			    path);
		return pol_err_fix(err, "a path to add to [guest.NAME.shadow]: paths = [\"%s\"]", path);
	}
	if (found < 0)
		return pol_err_set(err, POL_ERR_FAILED, found, "cannot open '%s'", path);
	r = check_kind(found, path, err);
	if (r < 0)
		return r;
	r = pol_reopen(found, O_RDONLY | O_NONBLOCK);
	if (r == -EAGAIN)
		return pol_err_say(err, POL_ERR_BUSY, -EBUSY, "somebody has a lease on '%s'", path);
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot open '%s'", path) : r;
}
