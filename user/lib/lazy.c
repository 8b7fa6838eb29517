/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's side of lazy shadows. The userfaultfd is one open file description with the guest's:
 * it may take events, make it block, unregister, unmap and end at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "base.h"
#include "file.h"
#include "lazy.h"

#define BATCH 16 /* events that are taken at once */
/* UFFDIO_COPY says -EAGAIN while the guest's address space changes; then it is asked anew. */
#define COPY_TRIES 16

/* linux/userfaultfd.h of 6.6; Debian 12's headers are older. */
struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON _IOWR(UFFDIO, 0x08, struct poison)

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------------ open */

/* There is no other way to tell; and an ioctl(2) to what it is not may do anything. */
static bool is_userfaultfd(int fd)
{
	char name[64];

	return !pol_fd_place(fd, name, sizeof(name)) && !strcmp(name, "anon_inode:[userfaultfd]");
}

static bool can_be_there(uint64_t base, uint64_t size)
{
	uint64_t page = page_size();

	return base && base % page == 0 && size && size <= UINT64_MAX - page + 1 - base;
}

static int refuse(struct pol_err *err, const char *what)
{
	return pol_err_say(err, POL_ERR_FAILED, -EPROTO, "lazy shadow: %s", what);
}

/* It says so of one that is made to block, or without its handshake. */
static bool is_odd(int uffd)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 || p.revents & (POLLERR | POLLNVAL);
}

static int take_uffd(struct pol_pager *pager, int uffd, struct pol_err *err)
{
	int flags = fcntl(uffd, F_GETFL);

	if (!is_userfaultfd(uffd))
		return refuse(err, "what the guest has sent is no userfaultfd");
	if (flags < 0 || fcntl(uffd, F_SETFL, flags | O_NONBLOCK) < 0 || is_odd(uffd))
		return refuse(err, "the guest's userfaultfd has not done its handshake, "
				   "or is made to block again");
	pager->uffd = fcntl(uffd, F_DUPFD_CLOEXEC, 3);
	return pager->uffd < 0 ? pol_err_set(err, POL_ERR_FAILED, -errno, "lazy shadow") : 0;
}

int pol_pager_open(struct pol_pager *pager, int uffd, uint64_t base,
		   const struct pol_pager_source *source, struct pol_err *err)
{
	_cleanup_free_ void *page = malloc(page_size());
	int r;

	if (!page)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "lazy shadow");
	if (!can_be_there(base, source->size))
		return refuse(err, "no mapping of the file can be where the guest says it is");
	r = take_uffd(pager, uffd, err);
	if (r < 0)
		return r;
	pager->base = base;
	pager->source = *source;
	pager->page = TAKE_PTR(page);
	return 0;
}

void pol_pager_close(struct pol_pager *pager)
{
	pol_closep(&pager->uffd);
	pol_closep(&pager->source.fd);
	free(pager->page);
	*pager = (struct pol_pager)POL_PAGER_INIT;
}

/* ------------------------------------------------------------------ one fault */

static int answer(struct pol_pager *pager, unsigned long request, void *arg)
{
	int r = ioctl(pager->uffd, request, arg) < 0 ? -errno : 0;

	for (int i = 1; r == -EAGAIN && i < COPY_TRIES; i++)
		r = ioctl(pager->uffd, request, arg) < 0 ? -errno : 0;
	return r;
}

/* Who waits there looks again: at what is there by now, or it asks anew. */
static void wake(struct pol_pager *pager, uint64_t address)
{
	struct uffdio_range range = { .start = address, .len = page_size() };

	(void)ioctl(pager->uffd, UFFDIO_WAKE, &range);
}

/* Return: 1: done; 0: there is nothing to do any more; negative errno. */
static int judge(struct pol_pager *pager, uint64_t address, int r)
{
	switch (r) {
	case 0:
		return 1;
	case -EEXIST: /* another thread has asked for the same page */
	case -EAGAIN:
		break;
	case -ENOENT: /* it is not registered there any more */
	case -EINVAL:
		pager->gone++;
		break;
	case -ESRCH:
		pager->ended = r;
		return r;
	default: /* -ENOMEM, the guest's */
		wake(pager, address);
		return r;
	}
	wake(pager, address);
	return 0;
}

/* The whole page, zeros behind the end of the file. Return: 0; -ESTALE; negative errno. */
static int read_page(struct pol_pager *pager, uint64_t offset)
{
	uint64_t left = pager->source.size - offset;
	size_t want = left < page_size() ? left : page_size(), got = 0;

	while (got < want) {
		ssize_t n = pread(pager->source.fd, (char *)pager->page + got, want - got,
				  (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ESTALE; /* it was longer */
		got += (size_t)n;
	}
	memset((char *)pager->page + want, 0, page_size() - want);
	/* Now, not before: what was read by now was read before whatever comes next. */
	return pager->source.stale(pager->source.arg) ? -ESTALE : 0;
}

/* The page is not to be had. An older kernel knows no way to say so. */
static void poison(struct pol_pager *pager, uint64_t address)
{
	struct poison page = { .range = { .start = address, .len = page_size() } };

	if (!answer(pager, POISON, &page))
		wake(pager, address);
}

/* Return: 1: copied; 0; negative errno, as pol_pager_serve(). */
static int fill(struct pol_pager *pager, uint64_t address)
{
	struct uffdio_copy copy = {
		.dst = address,
		.src = (uintptr_t)pager->page,
		.len = page_size(),
	};
	int r = read_page(pager, address - pager->base);

	if (r < 0) {
		poison(pager, address);
		return r;
	}
	r = judge(pager, address, answer(pager, UFFDIO_COPY, &copy));
	if (r > 0)
		pager->copied += page_size();
	return r;
}

/* ------------------------------------------------------------------ serve */

static int take(struct pol_pager *pager, const struct uffd_msg *msg)
{
	uint64_t address = msg->arg.pagefault.address & ~(page_size() - 1);

	/* To read of a fork has made a descriptor, of ours. */
	if (msg->event == UFFD_EVENT_FORK)
		close((int)msg->arg.fork.ufd);
	if (msg->event != UFFD_EVENT_PAGEFAULT || address < pager->base ||
	    address - pager->base >= pager->source.size ||
	    msg->arg.pagefault.flags & (UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_MINOR)) {
		pager->ended = -EPROTO;
		return -EPROTO;
	}
	return fill(pager, address);
}

/* Return: events; 0: there is none; negative errno. Before 6.10: -EOPNOTSUPP, by the plain read. */
static int next(struct pol_pager *pager, struct uffd_msg *msgs, unsigned int max)
{
	struct iovec room = { .iov_base = msgs, .iov_len = max * sizeof(*msgs) };
	ssize_t n;

	if (is_odd(pager->uffd))
		return -EPROTO;
	n = preadv2(pager->uffd, &room, 1, -1, RWF_NOWAIT);
	if (n < 0 && errno == EOPNOTSUPP)
		n = read(pager->uffd, msgs, room.iov_len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return (int)((size_t)n / sizeof(*msgs));
}

static int say(struct pol_err *err, int code)
{
	switch (code) {
	case -ESTALE:
		return pol_err_say(err, POL_ERR_FAILED, code,
				   "lazy shadow: the file has changed since the shadow was made");
	case -EPROTO:
		return refuse(err,
			      "the guest's userfaultfd asks for what is not in the mapping, or "
			      "was made to block");
	case -ESRCH:
		return pol_err_say(err, POL_ERR_FAILED, code, "lazy shadow: the guest has ended");
	default:
		return pol_err_set(err, POL_ERR_FAILED, code, "lazy shadow");
	}
}

int pol_pager_serve(struct pol_pager *pager, unsigned int max, struct pol_err *err)
{
	struct uffd_msg msgs[BATCH];
	int cnt = 1, copied = 0, failed = pager->ended;

	while (!pager->ended && max && cnt > 0) {
		cnt = next(pager, msgs, max < BATCH ? max : BATCH);
		if (cnt < 0)
			pager->ended = failed = cnt;
		for (int i = 0; i < cnt; i++) {
			int r = take(pager, &msgs[i]);

			copied += r > 0;
			if (r < 0 && !failed)
				failed = r;
		}
		max -= cnt > 0 ? (unsigned int)cnt : 0;
	}
	return failed < 0 ? say(err, failed) : copied;
}
