/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a BPF_MAP_TYPE_RINGBUF. Side effects: mappings, poll, and the consumer's position.
 *
 * Not libbpf's ring_buffer: that one always consumes what its callback saw, one record after the
 * other. `policyctl events` with a filter must look without consuming, and the reader (reader.h)
 * frees space only once what came before is delivered and the cursors are saved.
 *
 *	offset 0           consumer page, ours to write: consumer_pos
 *	offset page        producer page, read only: producer_pos
 *	offset 2 * page    data, size bytes, mapped twice in a row so that no record is split
 *
 * Each record: an 8-byte header (length and two flag bits, page offset), the bytes, padding to 8.
 * Source: Documentation/bpf/ringbuf.rst, kernel/bpf/ringbuf.c (v6.1).
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct pol_ring - one ring, mapped.
 * @consumer, @producer: the two positions. @data: the data, twice. @mask: its size - 1.
 * @pos: up to where this process has looked; at or after *@consumer.
 * @fd: of the map, borrowed for polling; -EBADF: none (a memory image in a test).
 * @page, @mapped: what pol_ring_close() unmaps; 0: the memory is the caller's.
 */
struct pol_ring {
	uint64_t *consumer;
	const uint64_t *producer;
	const unsigned char *data;
	uint64_t mask;
	uint64_t pos;
	int fd;
	size_t page;
	size_t mapped;
};

#define POL_RING_INIT        \
	{                    \
		.fd = -EBADF \
	}

/**
 * pol_ring_open() - map the ring of map @fd; the fd stays the caller's and must outlive the ring.
 * Return: 0; -EINVAL: no ring buffer; else what bpf(2) or mmap(2) gave.
 */
int pol_ring_open(int fd, struct pol_ring *ret);

/**
 * pol_ring_image() - a ring over memory of the caller's: for tests.
 * @data: 2 * @size bytes (the second half repeats the first); @size: a power of two.
 */
void pol_ring_image(uint64_t *consumer, const uint64_t *producer, const unsigned char *data,
		    size_t size, struct pol_ring *ret);

/* pol_ring_close() - unmap; the descriptor stays open. A ring that is not open is left alone. */
void pol_ring_close(struct pol_ring *ring);

/**
 * pol_ring_fn - takes one record. @start, @end: positions of it and of what follows.
 * Return: 0: accepted; anything else: not accepted, stop there.
 */
typedef int (*pol_ring_fn)(void *arg, uint64_t start, uint64_t end, const void *data, size_t len);

enum pol_ring_mode {
	POL_RING_PEEK,	  /* look, leave everything in the ring; see pol_ring_release() */
	POL_RING_CONSUME, /* free each record once it was accepted */
};

/**
 * struct pol_ring_record - one record where it lies. @start, @end: positions of it and of the next.
 */
struct pol_ring_record {
	uint64_t start;
	uint64_t end;
	const void *data;
	size_t len;
};

/* pol_ring_end() - the producers' position now, up to where pol_ring_next() may look. */
uint64_t pol_ring_end(const struct pol_ring *ring);

/**
 * pol_ring_next() - the record at @ring->pos, left there: it is taken by setting that to @ret->end.
 * Discarded ones are passed over.
 *
 * Return: 1; 0: there is none before @end, or it is still being written; -EBADMSG.
 */
int pol_ring_next(struct pol_ring *ring, uint64_t end, struct pol_ring_record *ret);

/**
 * pol_ring_read() - hand on every record from @ring->pos to the end, or to the first one that is
 * still being written. Discarded ones are passed over.
 *
 * Return: number of records accepted; -EBADMSG: the ring's contents make no sense; else what @fn
 * returned, if that is negative (a positive answer of @fn just stops).
 */
int pol_ring_read(struct pol_ring *ring, enum pol_ring_mode mode, pol_ring_fn fn, void *arg);

/* pol_ring_release() - free the space up to @pos (never backwards, never past what was read). */
void pol_ring_release(struct pol_ring *ring, uint64_t pos);

/* pol_ring_fill() - bytes that producers have taken and no reader has freed. */
size_t pol_ring_fill(const struct pol_ring *ring);

/* pol_ring_size() - bytes of data the ring holds. */
size_t pol_ring_size(const struct pol_ring *ring);

/**
 * pol_ring_caught_up() - whether the kernel would wake a poll(2) on @fd: it does when the consumer
 * had caught up with everything before the new record (bpf_ringbuf_commit()), and only then does
 * poll sleep at all.
 */
bool pol_ring_caught_up(const struct pol_ring *ring);

/**
 * pol_ring_wait() - sleep until a ring has something new, for at most @timeout_ms.
 * @mask: signal mask while asleep, as in ppoll(2); NULL: unchanged.
 *
 * Where something was read and not released the kernel neither wakes (it does so only when the
 * reader had caught up) nor would poll ever sleep (it is level triggered): this then sleeps for
 * POL_RING_NAP_MS and looks.
 *
 * Return: 1: something new; 0: not; -EINTR; else what ppoll(2) gave.
 */
int pol_ring_wait(struct pol_ring *rings, size_t cnt, int timeout_ms, const sigset_t *mask);

#define POL_RING_NAP_MS 50
