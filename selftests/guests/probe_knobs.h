/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps for what the policy's knobs are on: executable memory, io_uring, mounts. */
#pragma once

#include <linux/io_uring.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "probe.h"

#define KNOB_STEPS STEP("wx", 6, wx), STEP("uring", 4, uring), STEP("remount", 2, remount)

/* ---- memory ---- */

static int probe_prot(const char *letters)
{
	return (strchr(letters, 'r') ? PROT_READ : 0) | (strchr(letters, 'w') ? PROT_WRITE : 0) |
	       (strchr(letters, 'x') ? PROT_EXEC : 0);
}

/*
 * wx PATH OPEN SHARE PROT WRITE PROT2: map a page of PATH ("-": of no file), opened as OPEN says
 * ("r", "rw"), "private" or "shared", with PROT; with WRITE "1" change it; then, unless it is "-",
 * mprotect to PROT2.
 */
static int do_wx(char **a)
{
	bool anonymous = !strcmp(a[0], "-");
	int fd = anonymous ? -1 : open(a[0], probe_flags(a[1]) | O_CLOEXEC), err = 0;
	int flags = strcmp(a[2], "shared") ? MAP_PRIVATE : MAP_SHARED;
	volatile char *at;

	if (fd < 0 && !anonymous)
		return errno;
	at = mmap(NULL, 4096, probe_prot(a[3]), flags | (anonymous ? MAP_ANONYMOUS : 0), fd, 0);
	if (at == MAP_FAILED)
		err = errno;
	else if (*a[4] == '1')
		at[0] = 'x';
	if (!err && *a[5] != '-')
		err = probe_result(mprotect((void *)at, 4096, probe_prot(a[5])));
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- io_uring, without its library ---- */

struct ring {
	struct io_uring_params params;
	struct io_uring_sqe *sqes;
	char *at; /* both rings: IORING_FEAT_SINGLE_MMAP, 5.4 */
	int fd;
};

static int ring_open(struct ring *ring, unsigned int flags)
{
	size_t size;

	memset(ring, 0, sizeof(*ring));
	ring->params.flags = flags;
	ring->params.sq_thread_idle = 100;
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return errno;
	size = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	ring->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, ring->params.sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->at == MAP_FAILED || ring->sqes == MAP_FAILED ? errno : 0;
}

/* Submit sqes[0] and wait. Return: its result. */
static int ring_run(struct ring *ring)
{
	unsigned int *tail = (void *)(ring->at + ring->params.sq_off.tail);
	unsigned int *array = (void *)(ring->at + ring->params.sq_off.array);
	const struct io_uring_cqe *cqe = (void *)(ring->at + ring->params.cq_off.cqes);
	unsigned int *cq_tail = (void *)(ring->at + ring->params.cq_off.tail);

	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE))
		if (syscall(SYS_io_uring_enter, ring->fd, 1, 1,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0 &&
		    errno != EINTR)
			return -errno;
	return cqe->res;
}

/* uring HOW OP A B: HOW "plain", "async" (by a worker), "sqpoll"; OP "open", "unlink", "rename". */
static int do_uring(char **a)
{
	struct ring ring;
	int r = ring_open(&ring, strcmp(a[0], "sqpoll") ? 0 : IORING_SETUP_SQPOLL);

	if (r)
		return r;
	ring.sqes->fd = AT_FDCWD;
	ring.sqes->addr = (uintptr_t)a[2];
	ring.sqes->flags = strcmp(a[0], "async") ? 0 : IOSQE_ASYNC;
	if (!strcmp(a[1], "open")) {
		ring.sqes->opcode = IORING_OP_OPENAT;
	} else if (!strcmp(a[1], "unlink")) {
		ring.sqes->opcode = IORING_OP_UNLINKAT;
	} else {
		ring.sqes->opcode = IORING_OP_RENAMEAT;
		ring.sqes->addr2 = (uintptr_t)a[3];
		ring.sqes->len = AT_FDCWD;
	}
	r = ring_run(&ring);
	close(ring.fd);
	return r < 0 ? -r : 0;
}

/* remount PATH OPTIONS: of its superblock */
static int do_remount(char **a)
{
	return probe_result(mount("none", a[0], NULL, MS_REMOUNT, a[1]));
}
