/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors that a program begins with, as the process sees to it that becomes the program. */
#include <fcntl.h>
#include <sys/resource.h>

#include "base.h"
#include "descriptors.h"
#include "launch_int.h"

/* By insertion: few, and qsort(3) may allocate. */
static void sort(int *fds, size_t cnt)
{
	for (size_t i = 1; i < cnt; i++) {
		int fd = fds[i];
		size_t at = i;

		for (; at && fds[at - 1] > fd; at--)
			fds[at] = fds[at - 1];
		fds[at] = fd;
	}
}

static bool is_wanted(const struct pol_launch *launch, int fd)
{
	for (size_t i = 0; i < launch->placed_cnt; i++)
		if (launch->placed[i].as == fd)
			return true;
	return false;
}

/* A free number that nobody wants. Return: the descriptor once more; negative errno. */
static int move(const struct pol_launch *launch, int fd)
{
	int from = 3, moved;

	while ((moved = fcntl(fd, F_DUPFD_CLOEXEC, from)) >= 0 && is_wanted(launch, moved)) {
		close(moved);
		from = moved + 1;
	}
	return moved < 0 ? -errno : moved;
}

/* Out of the way of what is placed, and both out of each other's. */
static int place(const struct pol_launch *launch, int *const *own, size_t own_cnt)
{
	int moved[POL_PLACED_MAX], r;

	for (size_t i = 0; i < own_cnt; i++) {
		if (!is_wanted(launch, *own[i]))
			continue;
		r = move(launch, *own[i]);
		if (r < 0)
			return r;
		*own[i] = r;
	}
	for (size_t i = 0; i < launch->placed_cnt; i++) {
		moved[i] = move(launch, launch->placed[i].fd);
		if (moved[i] < 0)
			return moved[i];
	}
	for (size_t i = 0; i < launch->placed_cnt; i++)
		if (dup2(moved[i], launch->placed[i].as) < 0)
			return -errno;
	return 0;
}

int pol_launch_keep(const struct pol_launch *launch, int *const *own, size_t own_cnt)
{
	int keep[POL_KEEP_MAX + POL_PLACED_MAX + POL_OWN_MAX];
	size_t cnt = 0;
	int r = place(launch, own, own_cnt);

	if (r < 0)
		return r;
	for (size_t i = 0; i < launch->keep_fds_cnt; i++)
		keep[cnt++] = launch->keep_fds[i];
	for (size_t i = 0; i < launch->placed_cnt; i++)
		keep[cnt++] = launch->placed[i].as;
	for (size_t i = 0; i < own_cnt; i++)
		keep[cnt++] = *own[i];
	sort(keep, cnt);
	r = pol_close_others(keep, cnt);
	return r < 0 ? r : pol_keep_over_exec(launch->keep_fds, launch->keep_fds_cnt);
}

static bool is_twice(const struct pol_launch *launch, size_t at)
{
	int as = launch->placed[at].as;

	for (size_t i = 0; i < at; i++)
		if (launch->placed[i].as == as)
			return true;
	for (size_t i = 0; i < launch->keep_fds_cnt; i++)
		if (launch->keep_fds[i] == as)
			return true;
	return false;
}

int pol_launch_check(const struct pol_launch *launch)
{
	struct rlimit numbers;

	if (getrlimit(RLIMIT_NOFILE, &numbers) < 0)
		return -errno;
	if (launch->keep_fds_cnt > POL_KEEP_MAX || launch->placed_cnt > POL_PLACED_MAX)
		return -E2BIG;
	for (size_t i = 0; i < launch->keep_fds_cnt; i++)
		if (fcntl(launch->keep_fds[i], F_GETFD) < 0)
			return -EBADF;
	for (size_t i = 0; i < launch->placed_cnt; i++) {
		if (launch->placed[i].as < 0 || fcntl(launch->placed[i].fd, F_GETFD) < 0)
			return -EBADF;
		if ((rlim_t)launch->placed[i].as >= numbers.rlim_cur)
			return -EMFILE;
		if (is_twice(launch, i))
			return -EEXIST;
	}
	return 0;
}
