/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base.h"
#include "file.h"
#include "resolve.h"
#include "snapshot.h"
#include "str.h"

#define FIND_TRIES 3

/*
 * @above: a path of the policy, @place: beneath it. Neither has a symlink on it: who may make names there
 * leads nobody elsewhere.
 */
static int open_beneath(const char *above, const char *place)
{
	const uint64_t none = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	const char *rest = place + (above[1] ? strlen(above) : 0);
	_cleanup_close_ int dir = pol_openat2(AT_FDCWD, above, O_PATH, 0, none);

	if (dir < 0)
		return dir;
	rest += *rest == '/';
	return *rest ? pol_openat2(dir, rest, O_PATH, 0, none | RESOLVE_BENEATH) : TAKE_FD(dir);
}

/*
 * Whatever @path leads to, by symlinks or not, is looked for once more, from the policy's paths: what lies
 * in none of them is not given. O_PATH.
 */
static int find_once(const struct pol_shadow_policy *policy, const char *path)
{
	_cleanup_close_ int led_to = pol_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	char place[PATH_MAX];
	int r = led_to < 0 ? led_to : pol_fd_place(led_to, place, sizeof(place));

	if (r < 0)
		return r;
	for (size_t i = 0; i < policy->paths_cnt; i++)
		if (pol_path_is_beneath(place, policy->paths[i]))
			return open_beneath(policy->paths[i], place);
	return -EACCES;
}

/* Once more where another file got its name in between: the place that it was at is nobody's then. */
static int find(const struct pol_shadow_policy *policy, const char *path)
{
	int r = -ENOENT;

	for (unsigned int i = 0; i < FIND_TRIES && r == -ENOENT; i++)
		r = find_once(policy, path);
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
			    "'%s' may not be snapshotted: what it leads to lies in none of the guest's "
			    "shadow.paths, or cannot be reached",
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
