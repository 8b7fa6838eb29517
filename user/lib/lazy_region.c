/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's side of lazy shadows: what it has to do once, in the right order. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base.h"
#include "lazy.h"

static int fail_host(struct pol_err *err, int code)
{
	pol_err_set(err, POL_ERR_HOST, code, "no userfaultfd(2)");
	return pol_err_fix(err, code == -ENOSYS ? "a kernel with CONFIG_USERFAULTFD"
						: "allow userfaultfd(2) in the seccomp filter");
}

/*
 * What is moved by mremap(2) would not be registered any more, and zeros be read from it; so it is
 * told, which ends the service.
 */
#define FEATURES (UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_EVENT_REMAP)

/* One that answers to the kernel's accesses too, if we may. */
static int make_uffd(struct pol_lazy_region *region, struct pol_err *err)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int flags = O_CLOEXEC | O_NONBLOCK;

	region->uffd = (int)syscall(SYS_userfaultfd, flags);
	region->user_only = region->uffd < 0 && errno == EPERM;
	if (region->user_only)
		region->uffd = (int)syscall(SYS_userfaultfd, flags | UFFD_USER_MODE_ONLY);
	if (region->uffd < 0 && (errno == EPERM || errno == ENOSYS))
		return fail_host(err, -errno);
	if (region->uffd < 0 || ioctl(region->uffd, UFFDIO_API, &api) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make a userfaultfd");
	return 0;
}

static int map_it(struct pol_lazy_region *region, int fd, int prot, struct pol_err *err)
{
	region->address = mmap(NULL, region->length, prot, MAP_PRIVATE, fd, 0);
	if (region->address == MAP_FAILED)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot map descriptor %d", fd);
	if (madvise(region->address, region->length, MADV_DONTFORK) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot keep it from children");
	return 0;
}

static int register_it(struct pol_lazy_region *region, int fd, struct pol_err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct uffdio_register reg = {
		.range.start = (uintptr_t)region->address,
		.range.len = (region->length + page - 1) & ~(page - 1),
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (!ioctl(region->uffd, UFFDIO_REGISTER, &reg))
		return 0;
	if (errno == EINVAL)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "descriptor %d is no lazy shadow: not in memory", fd);
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot register the mapping");
}

static int check(int fd, int prot, size_t *ret_length, struct pol_err *err)
{
	struct stat st;

	if (!(prot & PROT_READ) || prot & ~(PROT_READ | PROT_WRITE))
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "a lazy shadow is mapped PROT_READ, or with PROT_WRITE");
	if (fstat(fd, &st) < 0)
		return pol_err_set(err, POL_ERR_USAGE, -errno, "descriptor %d", fd);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "descriptor %d is no lazy shadow: empty, or no file", fd);
	*ret_length = (size_t)st.st_size;
	return 0;
}

void pol_lazy_region_unmap(struct pol_lazy_region *region)
{
	if (region->address && region->address != MAP_FAILED)
		(void)munmap(region->address, region->length);
	pol_closep(&region->uffd);
	*region = (struct pol_lazy_region){ .uffd = -EBADF };
}

int pol_lazy_region_map(int fd, int prot, struct pol_lazy_region *ret, struct pol_err *err)
{
	_cleanup_(pol_lazy_region_unmap) struct pol_lazy_region region = { .uffd = -EBADF };
	int r = check(fd, prot, &region.length, err);

	if (!r)
		r = make_uffd(&region, err);
	if (!r)
		r = map_it(&region, fd, prot, err);
	if (!r)
		r = register_it(&region, fd, err);
	if (r < 0)
		return r;
	*ret = region;
	region = (struct pol_lazy_region){ .uffd = -EBADF };
	return 0;
}
