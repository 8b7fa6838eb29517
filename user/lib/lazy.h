/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows whose bytes come when they are asked for: userfaultfd(2). The guest maps the shadow, a
 * sealed memfd of the file's size without a page in it, MAP_PRIVATE; who touches a page waits until
 * the host has copied the file's into it. So the pages are the guest's own memory, and its cgroup's.
 *
 * The guest's side is struct pol_lazy_region; it may be anybody's. The host's side is struct
 * pol_pager, which believes nothing that the guest says: a wrong address, an event that was not
 * asked for or a descriptor that was made to block end the service, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* ---- the guest's side ---- */

/**
 * struct pol_lazy_region - a mapping, and who is asked for its pages.
 * @length: of the file, bytes. @uffd: to be sent to the host with @address, and kept open: when the
 * last descriptor of it is closed the kernel fills with zeros what is not there yet.
 * @user_only: see pol_lazy_region_map().
 */
struct pol_lazy_region {
	void *address;
	size_t length;
	int uffd;
	bool user_only;
};

/**
 * pol_lazy_region_map() - map a lazy shadow. Touch nothing of it until the host serves @ret->uffd.
 * @fd: its descriptor. @prot: PROT_READ, or with PROT_WRITE: a page that is written to is a copy.
 *
 * A child of fork(2) has no such mapping (MADV_DONTFORK): it would read zeros.
 *
 * Without CAP_SYS_PTRACE, and vm.unprivileged_userfaultfd = 0, only the process' own accesses are
 * answered (@user_only): a system call that the kernel does on a page that was not touched before,
 * like write(2) from it, is -EFAULT.
 *
 * Return: 0; -EINVAL: @prot, @fd is empty or no shadow (POL_ERR_USAGE); -ENOSYS, -EPERM: no
 * userfaultfd(2) here, or not for this user (POL_ERR_HOST); -EMFILE, -ENFILE, -ENOMEM; else what
 * mmap(2) gave.
 */
int pol_lazy_region_map(int fd, int prot, struct pol_lazy_region *ret, struct pol_err *err);

/* pol_lazy_region_unmap() - and close its descriptor. */
void pol_lazy_region_unmap(struct pol_lazy_region *region);

/* ---- the host's side ---- */

/**
 * struct pol_pager_source - whose bytes are served.
 * @fd: of the file, for pread(2); the pager's from then on. @size: bytes that it had when the shadow
 * was made.
 * @stale: whether the file may have changed since then; asked after each read of it, with @arg.
 */
struct pol_pager_source {
	int fd;
	uint64_t size;
	bool (*stale)(void *arg);
	void *arg;
};

/**
 * struct pol_pager - fills one mapping.
 * @copied: bytes, over all pages. @gone: faults of pages that were not mapped any more when their
 * answer came. @ended: what pol_pager_serve() returns from now on; 0: it serves.
 */
struct pol_pager {
	struct pol_pager_source source;
	int uffd;
	int ended;
	uint64_t base;
	uint64_t copied;
	uint64_t gone;
	void *page;
};
#define POL_PAGER_INIT                              \
	{                                           \
		.source.fd = -EBADF, .uffd = -EBADF \
	}

/**
 * pol_pager_open() - begin to serve.
 * @uffd: as it came from the guest; the caller's. @base: the address that came with it.
 *
 * Return: 0, and the source's descriptor is the pager's; -EPROTO: @uffd is no userfaultfd, has not
 * done its handshake, or @base cannot be an address of the mapping; -EMFILE, -ENOMEM.
 */
int pol_pager_open(struct pol_pager *pager, int uffd, uint64_t base,
		   const struct pol_pager_source *source, struct pol_err *err);

/**
 * pol_pager_serve() - answer what is asked now.
 * @max: faults, at most; from 1.
 *
 * Never waits for the guest to ask; but for the file's bytes, and for the lock of the guest's
 * address space, which its mmap(2) and the like hold. Before 6.10 a read cannot be told not to wait: a
 * guest that clears O_NONBLOCK in just that moment holds the caller until it asks next.
 *
 * A page that cannot be had is SIGBUS to who touched it (from 6.6; before, it waits), as it is of a
 * file that is mapped; the pager goes on.
 *
 * Return: pages copied; 0: nothing is asked, or nothing had to be done; -ESTALE: the file has
 * changed, nothing of it is served any more; -EPROTO: the guest did what it may not, -ESRCH: its
 * process has ended: for good, there is nothing more to serve; -ENOMEM: the guest's; else what
 * pread(2) gave. Of several faults the first failure; the others are answered all the same.
 */
int pol_pager_serve(struct pol_pager *pager, unsigned int max, struct pol_err *err);

/* pol_pager_close() - whoever waits in the guest, waits on. */
void pol_pager_close(struct pol_pager *pager);
