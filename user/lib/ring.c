/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base.h"

/* Record header: struct bpf_ringbuf_hdr (kernel/bpf/ringbuf.c): length and flags, page offset. */
#define HEADER_SIZE 8

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/*
 * bpf(BPF_OBJ_GET_INFO_BY_FD) by hand: keeps this file free of libbpf, so that its test links
 * nothing else.
 */
static int map_info(int fd, struct bpf_map_info *ret)
{
	union bpf_attr attr = { 0 };

	memset(ret, 0, sizeof(*ret));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*ret);
	attr.info.info = (uint64_t)(uintptr_t)ret;
	if (syscall(__NR_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int pol_ring_open(int fd, struct pol_ring *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	struct bpf_map_info info;
	void *consumer, *producer;
	int r;

	r = map_info(fd, &info);
	if (r < 0)
		return r;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	/* The kernel refuses PROT_WRITE here: only producers write there. */
	size = page + 2 * (size_t)info.max_entries;
	producer = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		r = -errno;
		(void)munmap(consumer, page);
		return r;
	}
	pol_ring_image(consumer, producer, (unsigned char *)producer + page, info.max_entries, ret);
	ret->fd = fd;
	ret->page = page;
	ret->mapped = size;
	return 0;
}

void pol_ring_image(uint64_t *consumer, const uint64_t *producer, const unsigned char *data,
		    size_t size, struct pol_ring *ret)
{
	*ret = (struct pol_ring){
		.consumer = consumer,
		.producer = producer,
		.data = data,
		.mask = size - 1,
		.pos = load(consumer),
		.fd = -EBADF,
	};
}

void pol_ring_close(struct pol_ring *ring)
{
	if (ring->mapped) {
		(void)munmap(ring->consumer, ring->page);
		(void)munmap((void *)(uintptr_t)ring->producer, ring->mapped);
	}
	*ring = (struct pol_ring)POL_RING_INIT;
}

size_t pol_ring_size(const struct pol_ring *ring)
{
	return (size_t)ring->mask + 1;
}

size_t pol_ring_fill(const struct pol_ring *ring)
{
	uint64_t consumer = load(ring->consumer);

	return (size_t)(load(ring->producer) - consumer);
}

void pol_ring_release(struct pol_ring *ring, uint64_t pos)
{
	/* Release: our reads of the records are done before the kernel may write over them. */
	if (pos > load(ring->consumer) && pos <= ring->pos)
		__atomic_store_n(ring->consumer, pos, __ATOMIC_RELEASE);
}

/*
 * The record at ring->pos. Return: 1: there is one; 0: none, or it is still being written;
 * -EBADMSG. @ret_len: with the flag bits; @ret_end: position of the next one.
 */
static int look(const struct pol_ring *ring, uint64_t end, uint32_t *ret_len, uint64_t *ret_end)
{
	const unsigned char *header = ring->data + (ring->pos & ring->mask);
	uint64_t used;
	uint32_t len;

	if (ring->pos >= end)
		return 0;
	/* Acquire: the record's bytes were written before the busy bit went away. */
	len = __atomic_load_n((const uint32_t *)(const void *)header, __ATOMIC_ACQUIRE);
	if (len & BPF_RINGBUF_BUSY_BIT)
		return 0;
	used = (uint64_t)(len & ~BPF_RINGBUF_DISCARD_BIT) + HEADER_SIZE;
	used = (used + 7) & ~(uint64_t)7;
	if (used > ring->mask + 1 || used > end - ring->pos)
		return -EBADMSG;
	*ret_len = len;
	*ret_end = ring->pos + used;
	return 1;
}

uint64_t pol_ring_end(const struct pol_ring *ring)
{
	return load(ring->producer);
}

int pol_ring_next(struct pol_ring *ring, uint64_t end, struct pol_ring_record *ret)
{
	uint64_t next = 0;
	uint32_t len = 0;
	int r;

	while ((r = look(ring, end, &len, &next)) > 0 && len & BPF_RINGBUF_DISCARD_BIT)
		ring->pos = next;
	if (r <= 0)
		return r;
	*ret = (struct pol_ring_record){
		.start = ring->pos,
		.end = next,
		.data = ring->data + (ring->pos & ring->mask) + HEADER_SIZE,
		.len = len,
	};
	return 1;
}

int pol_ring_read(struct pol_ring *ring, enum pol_ring_mode mode, pol_ring_fn fn, void *arg)
{
	uint64_t end = load(ring->producer);
	struct pol_ring_record record;
	int cnt = 0, r;

	/* The end is taken once: a producer that never pauses can't keep us here. */
	while ((r = pol_ring_next(ring, end, &record)) > 0) {
		r = fn(arg, record.start, record.end, record.data, record.len);
		if (r)
			return r < 0 ? r : cnt;
		cnt++;
		ring->pos = record.end;
		if (mode == POL_RING_CONSUME)
			pol_ring_release(ring, record.end);
	}
	if (mode == POL_RING_CONSUME)
		pol_ring_release(ring, ring->pos); /* discarded ones at the end */
	return r < 0 ? r : cnt;
}

static bool has_new(const struct pol_ring *ring)
{
	uint64_t next;
	uint32_t len;

	return look(ring, load(ring->producer), &len, &next) != 0;
}

static bool any_new(const struct pol_ring *rings, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (has_new(&rings[i]))
			return true;
	return false;
}

bool pol_ring_caught_up(const struct pol_ring *ring)
{
	return ring->fd >= 0 && load(ring->consumer) == ring->pos &&
	       load(ring->producer) == ring->pos;
}

#define WAIT_RINGS_MAX 8

int pol_ring_wait(struct pol_ring *rings, size_t cnt, int timeout_ms, const sigset_t *mask)
{
	struct pollfd fds[WAIT_RINGS_MAX];
	struct timespec timeout;
	nfds_t fds_cnt = 0;

	if (any_new(rings, cnt))
		return 1;
	for (size_t i = 0; i < cnt && i < WAIT_RINGS_MAX; i++) {
		if (pol_ring_caught_up(&rings[i]))
			fds[fds_cnt++] = (struct pollfd){ .fd = rings[i].fd, .events = POLLIN };
		else if (timeout_ms < 0 || timeout_ms > POL_RING_NAP_MS)
			timeout_ms = POL_RING_NAP_MS;
	}
	timeout.tv_sec = timeout_ms / 1000;
	timeout.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
	if (ppoll(fds, fds_cnt, timeout_ms < 0 ? NULL : &timeout, mask) < 0)
		return -errno;
	return any_new(rings, cnt);
}
