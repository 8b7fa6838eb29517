/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "abi.h"
#include "base.h"

#define LOCK_TICKS 500 /* of 20 ms: a load takes seconds at most */

int pol_lock(struct pol_err *err)
{
	_cleanup_close_ int fd = open(POL_BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return pol_err_set(err, POL_ERR_HOST, -errno, "cannot open " POL_BPFFS);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return TAKE_FD(fd);
	if (errno != EWOULDBLOCK)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot lock " POL_BPFFS);
	pol_err_say(err, POL_ERR_BUSY, -EBUSY, "another policyctl is changing the engine");
	return pol_err_fix(err, "wait for it and try again");
}

int pol_lock_wait(struct pol_err *err)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	int r = pol_lock(err);

	for (int i = 0; r == -EBUSY && i < LOCK_TICKS; i++) {
		nanosleep(&tick, NULL);
		r = pol_lock(err);
	}
	return r;
}

bool pol_engine_loaded(void)
{
	return access(POL_STORE, F_OK) == 0;
}

enum pol_store_state pol_store_state(const char *store)
{
	enum pol_store_state state = POL_STORE_ENFORCES;
	_cleanup_close_ int fd = -EBADF;
	const struct pol_control *control;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/maps/control", store);
	fd = bpf_obj_get(path);
	if (fd < 0) /* no memory, say: what cannot be looked at is not taken away */
		return fd == -ENOENT ? POL_STORE_NONE : POL_STORE_ENFORCES;
	/* Not by a look-up: another version's value may be larger than ours. */
	control = mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		return POL_STORE_ENFORCES;
	if (control->abi == POL_ABI_VERSION && !control->active)
		state = POL_STORE_IDLE;
	(void)munmap((void *)control, sizeof(*control));
	return state;
}

/* ------------------------------------------------------------------ */

static int remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0)
			(void)remove_tree(fd, entry->d_name);
	}
	closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int pol_store_remove(const char *path)
{
	return remove_tree(AT_FDCWD, path);
}

bool pol_engine_sweep(void)
{
	return pol_store_remove(POL_STORE_NEW) == 0;
}

static int move_store(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int pol_store_publish(struct pol_err *err)
{
	if (!move_store(POL_STORE_NEW, POL_STORE))
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot publish " POL_STORE);
}

int pol_store_retire(struct pol_err *err)
{
	if (!move_store(POL_STORE, POL_STORE_OLD))
		return 0;
	pol_err_set(err, POL_ERR_FAILED, -errno, "cannot rename " POL_STORE " to " POL_STORE_OLD);
	return pol_err_fix(err, "nothing has changed; unmount what is mounted there, and remove "
				"what is in the latter");
}

int pol_store_revive(struct pol_err *err)
{
	if (pol_engine_loaded() || pol_store_state(POL_STORE_OLD) != POL_STORE_ENFORCES ||
	    !move_store(POL_STORE_OLD, POL_STORE))
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno,
			   "cannot rename " POL_STORE_OLD " back to " POL_STORE);
}

int pol_store_drop(struct pol_err *err)
{
	int r = pol_store_remove(POL_STORE_OLD);

	if (!r || r == -ENOENT)
		return 0;
	pol_err_set(err, POL_ERR_FAILED, r,
		    "nothing is confined any more, but cannot remove " POL_STORE_OLD);
	return pol_err_fix(err, "unmount what is mounted there, then 'policyctl unload' again");
}
