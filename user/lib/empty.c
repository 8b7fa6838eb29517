/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "empty.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base.h"
#include "file.h"

struct emptying {
	int top;
	uint64_t next;	/* name for the next directory that is moved up */
	size_t removed; /* or moved up, in this pass */
	int err;	/* of the first that could not be, in this pass */
};

/* What is there by this name itself, on this very mount. */
static int open_within(int dir, const char *name, uint64_t flags)
{
	return pol_openat2(dir, name, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

static void thaw(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Return: 0; -EISDIR: a directory, which can be removed or moved away as far as flags go. */
static int remove_file(int dir, const char *name)
{
	_cleanup_close_ int fd = -EBADF;

	if (!unlinkat(dir, name, 0))
		return 0;
	if (errno != EPERM)
		return -errno;
	thaw(dir);
	fd = open_within(dir, name, 0);
	if (fd >= 0)
		thaw(fd);
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

static int move_up(struct emptying *e, int dir, const char *name)
{
	char fresh[24];
	int r;

	do {
		(void)snprintf(fresh, sizeof(fresh), "%llu", (unsigned long long)e->next++);
		r = renameat2(dir, name, e->top, fresh, RENAME_NOREPLACE);
	} while (r < 0 && errno == EEXIST);
	return r < 0 ? -errno : 0;
}

typedef int entry_fn(struct emptying *e, int dir, const char *name);

/* Takes @dir. */
static int each_entry(struct emptying *e, int dir, entry_fn *fn)
{
	DIR *stream = fdopendir(dir);
	struct dirent *entry;
	int r;

	if (!stream) {
		close(dir);
		return -ENOMEM;
	}
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = fn(e, dirfd(stream), entry->d_name);
		if (!r)
			e->removed++;
		else if (!e->err)
			e->err = r;
	}
	closedir(stream);
	return 0;
}

static int remove_or_move_up(struct emptying *e, int dir, const char *name)
{
	int r = remove_file(dir, name);

	return r == -EISDIR ? move_up(e, dir, name) : r;
}

static int remove_entry(struct emptying *e, int dir, const char *name)
{
	int r = remove_file(dir, name), within;

	if (r != -EISDIR)
		return r;
	within = open_within(dir, name, O_DIRECTORY);
	if (within < 0)
		return within == -EXDEV ? -EBUSY : within;
	r = each_entry(e, within, remove_or_move_up);
	if (!r && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

int pol_dir_empty(int dirfd)
{
	struct emptying e = { .top = dirfd };
	int dir, r;

	do { /* a pass can miss what was moved up in it */
		e.removed = 0;
		e.err = 0;
		dir = open_within(dirfd, ".", O_DIRECTORY);
		r = dir < 0 ? dir : each_entry(&e, dir, remove_entry);
	} while (!r && e.removed);
	return r ? r : e.err;
}
