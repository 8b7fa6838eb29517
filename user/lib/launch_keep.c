/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors that a program begins with, as the process sees to it that becomes the program. */
#include <fcntl.h>

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

/* Above all numbers that are wanted. */
static int first_free(const struct pol_launch *launch)
{
	int top = 3;

	for (size_t i = 0; i < launch->placed_cnt; i++)
		if (launch->placed[i].as >= top)
			top = launch->placed[i].as + 1;
	return top;
}

/* Out of the way of what is placed, and both out of each other's. */
static int place(const struct pol_launch *launch, int *const *own, size_t own_cnt)
{
	int moved[POL_PLACED_MAX], top = first_free(launch);

	for (size_t i = 0; i < own_cnt; i++) {
		if (!is_wanted(launch, *own[i]))
			continue;
		*own[i] = fcntl(*own[i], F_DUPFD_CLOEXEC, top);
		if (*own[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < launch->placed_cnt; i++) {
		moved[i] = fcntl(launch->placed[i].fd, F_DUPFD_CLOEXEC, top);
		if (moved[i] < 0)
			return -errno;
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
	if (launch->keep_fds_cnt > POL_KEEP_MAX || launch->placed_cnt > POL_PLACED_MAX)
		return -E2BIG;
	for (size_t i = 0; i < launch->keep_fds_cnt; i++)
		if (fcntl(launch->keep_fds[i], F_GETFD) < 0)
			return -EBADF;
	for (size_t i = 0; i < launch->placed_cnt; i++) {
		if (launch->placed[i].as < 0 || fcntl(launch->placed[i].fd, F_GETFD) < 0)
			return -EBADF;
		if (is_twice(launch, i))
			return -EEXIST;
	}
	return 0;
}
