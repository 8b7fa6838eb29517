/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An io_uring with one request at a time, by the system calls alone. */
#pragma once

#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "probe.h"

static struct {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
} uring;

static void *uring_map(size_t size, off_t what)
{
	void *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring.fd, what);

	return p == MAP_FAILED ? NULL : p;
}

/* uring-make HOW: "poll": with a thread of the kernel's that takes the requests */
static int do_uring_make(char **a)
{
	struct io_uring_params *p = &uring.params;

	if (!strcmp(a[0], "poll"))
		p->flags = IORING_SETUP_SQPOLL;
	p->sq_thread_idle = 1000;
	uring.fd = (int)syscall(SYS_io_uring_setup, 8, p);
	if (uring.fd < 0)
		return errno;
	uring.sq =
		uring_map(p->sq_off.array + p->sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	uring.cq = uring_map(p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			     IORING_OFF_CQ_RING);
	uring.sqes = uring_map(p->sq_entries * sizeof(*uring.sqes), IORING_OFF_SQES);
	return uring.sq && uring.cq && uring.sqes ? 0 : errno;
}

static uint32_t *uring_word(char *ring, uint32_t off)
{
	return (uint32_t *)(void *)(ring + off);
}

static int uring_result(void)
{
	const struct io_uring_cqe *cqes = (const void *)(uring.cq + uring.params.cq_off.cqes);
	uint32_t head = *uring_word(uring.cq, uring.params.cq_off.head);
	int res;

	if (__atomic_load_n(uring_word(uring.cq, uring.params.cq_off.tail), __ATOMIC_ACQUIRE) ==
	    head)
		return -EIO;
	res = cqes[head & *uring_word(uring.cq, uring.params.cq_off.ring_mask)].res;
	__atomic_store_n(uring_word(uring.cq, uring.params.cq_off.head), head + 1,
			 __ATOMIC_RELEASE);
	return res;
}

/* uring-open HOW PATH: for reading; "async": by a worker of the kernel's, "poll": by its thread */
static int do_uring_open(char **a)
{
	uint32_t tail = *uring_word(uring.sq, uring.params.sq_off.tail);
	uint32_t at = tail & *uring_word(uring.sq, uring.params.sq_off.ring_mask);
	unsigned int flags = IORING_ENTER_GETEVENTS;
	int res;

	uring.sqes[at] = (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.flags = !strcmp(a[0], "async") ? IOSQE_ASYNC : 0,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)a[1],
		.open_flags = O_RDONLY | O_CLOEXEC,
	};
	uring_word(uring.sq, uring.params.sq_off.array)[at] = at;
	__atomic_store_n(uring_word(uring.sq, uring.params.sq_off.tail), tail + 1,
			 __ATOMIC_SEQ_CST);
	if (!strcmp(a[0], "poll"))
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(SYS_io_uring_enter, uring.fd, 1, 1, flags, NULL, 0) < 0)
		return errno;
	res = uring_result();
	if (res >= 0)
		close(res);
	return res < 0 ? -res : 0;
}

#define URING_STEPS STEP("uring-make", 1, uring_make), STEP("uring-open", 2, uring_open)
