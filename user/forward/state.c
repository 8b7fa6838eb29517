/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state.h"

#include <fcntl.h>
#include <limits.h>

#include "base.h"
#include "file.h"

int state_load(const char *path, struct pol_mark *ret, struct pol_err *err)
{
	char text[POL_MARK_SIZE + 2];
	int len = pol_file_read(AT_FDCWD, path, text, sizeof(text));
	int used;

	*ret = (struct pol_mark){ 0 };
	if (len == -ENOENT || !len) /* empty: a power cut's, and a mark is of one boot */
		return 0;
	if (len < 0)
		return pol_err_set(err, POL_ERR_HOST, len, "cannot read '%s'", path);
	used = pol_mark_read(text, (size_t)len, ret);
	if (used > 0 && used == len - 1 && text[used] == '\n')
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EINVAL, "'%s' is not what --state writes", path);
	return pol_err_fix(err,
			   "remove it: then what policyd keeps is sent again; or name another");
}

static int write_new(const char *path, const char *text, size_t len)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -ENOSPC;
	return fdatasync(fd) < 0 ? -errno : 0;
}

int state_save(const char *path, const struct pol_mark *mark)
{
	char text[POL_MARK_SIZE + 1], aside[PATH_MAX];
	size_t len = pol_mark_write(mark, text);
	int r;

	if (snprintf(aside, sizeof(aside), "%s.new", path) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	text[len++] = '\n';
	r = write_new(aside, text, len);
	if (!r && rename(aside, path) < 0)
		r = -errno;
	return r;
}
