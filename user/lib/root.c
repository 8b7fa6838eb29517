/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "root.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "resolve_int.h"

bool pol_root_same(const struct pol_root_id *a, const struct pol_root_id *b)
{
	return a->mounts == b->mounts && a->mnt_id == b->mnt_id && a->dev == b->dev &&
	       a->ino == b->ino;
}

static void proc_path(pid_t pid, const char *leaf, char *buf, size_t size)
{
	if (pid)
		(void)snprintf(buf, size, "/proc/%d/%s", pid, leaf);
	else
		(void)snprintf(buf, size, "/proc/self/%s", leaf);
}

uint64_t pol_mounts_of(pid_t pid)
{
	struct stat st;
	char path[32];

	proc_path(pid, "ns/mnt", path, sizeof(path));
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* Return: the root directory's descriptor. */
static int look(pid_t pid, struct pol_root_id *ret)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t mounts = pol_mounts_of(pid);
	struct statx stx;
	char path[32];

	proc_path(pid, "root", path, sizeof(path));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!mounts)
		return -ESRCH;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &stx) < 0)
		return -errno;
	*ret = (struct pol_root_id){
		.mounts = mounts,
		.mnt_id = stx.stx_mnt_id,
		.dev = makedev(stx.stx_dev_major, stx.stx_dev_minor),
		.ino = stx.stx_ino,
	};
	return TAKE_FD(fd);
}

/* mountinfo has no line for a mount of which only a part is below the root. */
static int check_mount(const struct pol_home *home)
{
	struct pol_mounts mounts = { 0 };
	int r = pol_mounts_read_file(home->mountinfo, &mounts);

	if (!r && !pol_mount_by_id(&mounts, home->id.mnt_id))
		r = -EXDEV;
	pol_mounts_done(&mounts);
	return r;
}

static int fail(pid_t pid, int code, struct pol_err *err)
{
	char who[32] = "this process";

	if (pid)
		(void)snprintf(who, sizeof(who), "process %d", pid);
	if (code == -ENOENT || code == -ESRCH)
		return pol_err_say(err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	if (code != -EXDEV)
		return pol_err_set(err, POL_ERR_FAILED, code, "cannot look at the root of %s", who);
	pol_err_say(err, POL_ERR_FAILED, code,
		    "the root of %s is no mount, so rules with in = \"guest\" cannot be resolved "
		    "in it", who);
	return pol_err_fix(err, "pivot_root(2) into it, or make it a mount before chroot(2): "
				"mount --bind DIR DIR");
}

int pol_home_open(pid_t pid, struct pol_home *ret, struct pol_err *err)
{
	int r;

	*ret = (struct pol_home){ .pid = pid, .root.has_run = pid != 0 };
	proc_path(pid, "mountinfo", ret->mountinfo, sizeof(ret->mountinfo));
	ret->root.mountinfo = ret->mountinfo;
	ret->root.fd = look(pid, &ret->id);
	r = ret->root.fd < 0 ? ret->root.fd : check_mount(ret);
	if (r < 0) {
		pol_home_close(ret);
		return fail(pid, r, err);
	}
	return 0;
}

void pol_home_close(struct pol_home *home)
{
	pol_closep(&home->root.fd);
	home->root.fd = -EBADF;
}

int pol_home_check(const struct pol_home *home, struct pol_err *err)
{
	struct pol_root_id now;
	_cleanup_close_ int fd = look(home->pid, &now);

	if (fd < 0)
		return fail(home->pid, fd, err);
	if (pol_root_same(&home->id, &now))
		return 0;
	return pol_err_say(err, POL_ERR_FAILED, -ESTALE,
			   "process %d changes its root or its mount namespace", home->pid);
}
