/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ring records and rings for tests, made as the kernel's programs make them.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "event_json.h"

/* A record with the largest room; aligned as in a ring. */
union test_record {
	struct pol_event event;
	unsigned char bytes[sizeof(struct pol_event) + POL_PATH_LARGE];
};

/* A refused write on /srv/web/secrets/key by guest 3, as in events.md. */
void test_record_violation(union test_record *record);

/* An exit of the same process by SIGKILL. */
void test_record_exit(union test_record *record);

/* A descriptor refused to the same process at the ceiling, as in events.md. */
void test_record_ceiling(union test_record *record);

/* Guest 3 has a snapshot of /srv/web/lib/libweb.so.1, which the host opens for writing: stale. */
void test_record_shadow(union test_record *record);

/* A head only: no process, no room. */
void test_record_plain(union test_record *record, enum pol_type type);

/* Sets the path as the kernel would: its names in reverse. @path absolute, or without a slash. */
void test_record_path(union test_record *record, const void *path, size_t len);

/* Sets the room and with it the size. */
void test_record_room(union test_record *record, uint16_t room);

/* Names for guest 3, rule 7 of generation 3; nothing else is known. */
extern const struct pol_event_ctx test_record_ctx;

/* A ring of memory, with the producer's side. */
struct test_ring {
	uint64_t consumer;
	uint64_t producer;
	size_t size;
	unsigned char *data; /* twice the size */
};

void test_ring_init(struct test_ring *ring, size_t size);
void test_ring_done(struct test_ring *ring);

/* Reserve as bpf_ringbuf_reserve() does: position + 1, or 0: no room. The record is busy. */
uint64_t test_ring_reserve(struct test_ring *ring, size_t len);

/* Write bytes into a reserved record, and submit or discard it. */
void test_ring_write(struct test_ring *ring, uint64_t ticket, const void *data, size_t len);
void test_ring_submit(struct test_ring *ring, uint64_t ticket, bool discard);

/* xorshift64*: the same numbers from the same seed everywhere. */
uint64_t test_random(uint64_t *state);

/* The seed of this run: $TEST_SEED, or a new one; printed so that it can be given again. */
uint64_t test_seed(const char *name);
