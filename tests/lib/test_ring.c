/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "records.h"
#include "ring.h"

#define SIZE 4096

static struct test_ring memory;
static struct pol_ring ring;

struct got {
	int cnt;
	size_t len[64];
	unsigned char first[64];
	int refuse_after; /* accepted records until it refuses; < 0: never */
	int refuse_with;
};

static void init(void)
{
	test_ring_init(&memory, SIZE);
	pol_ring_image(&memory.consumer, &memory.producer, memory.data, SIZE, &ring);
}

static void done(void)
{
	test_ring_done(&memory);
}

TestSuite(ring, .init = init, .fini = done);

static int take(void *arg, uint64_t start, uint64_t end, const void *data, size_t len)
{
	struct got *got = arg;

	cr_assert_geq(end - start, len + 8);
	if (got->refuse_after == got->cnt)
		return got->refuse_with;
	got->len[got->cnt] = len;
	got->first[got->cnt++] = len ? *(const unsigned char *)data : 0;
	return 0;
}

static uint64_t send(unsigned char byte, size_t len)
{
	unsigned char data[SIZE];
	uint64_t ticket = test_ring_reserve(&memory, len);

	cr_assert(ticket, "no room");
	memset(data, byte, sizeof(data));
	test_ring_write(&memory, ticket, data, len);
	test_ring_submit(&memory, ticket, false);
	return ticket;
}

static struct got got = { .refuse_after = -1 };

Test(ring, consumes_what_is_there)
{
	send('a', 1);
	send('b', 24);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 2);
	cr_assert_eq(got.len[0], 1);
	cr_assert_eq(got.first[0], 'a');
	cr_assert_eq(got.len[1], 24);
	cr_assert_eq(memory.consumer, memory.producer);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 0);
}

Test(ring, peeks_without_freeing)
{
	send('a', 8);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), 1);
	cr_assert_eq(memory.consumer, 0);
	cr_assert_eq(pol_ring_fill(&ring), 16);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), 0, "not twice");
	pol_ring_release(&ring, ring.pos);
	cr_assert_eq(pol_ring_fill(&ring), 0);
}

Test(ring, stops_at_a_record_that_is_being_written)
{
	uint64_t busy;

	send('a', 8);
	busy = test_ring_reserve(&memory, 8);
	send('c', 8);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 1);
	test_ring_submit(&memory, busy, false);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 2);
	cr_assert_eq(got.first[2], 'c');
}

Test(ring, passes_over_discarded_records)
{
	uint64_t ticket = test_ring_reserve(&memory, 40);

	test_ring_submit(&memory, ticket, true);
	send('b', 8);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 1);
	cr_assert_eq(got.first[0], 'b');
	cr_assert_eq(memory.consumer, memory.producer);
}

/* Who takes from several rings looks at the next of each first. */
Test(ring, looks_at_the_next_and_leaves_it)
{
	struct pol_ring_record record;
	uint64_t end;

	test_ring_submit(&memory, test_ring_reserve(&memory, 8), true);
	send('a', 24);
	end = pol_ring_end(&ring);
	send('b', 8);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(pol_ring_next(&ring, end, &record), 1);
		cr_assert_eq(record.len, 24);
		cr_assert_eq(*(const char *)record.data, 'a');
		cr_assert_eq(record.start, ring.pos);
	}
	cr_assert_eq(memory.consumer, 0);
	ring.pos = record.end;
	cr_assert_eq(pol_ring_next(&ring, end, &record), 0, "what came after the end");
	cr_assert_eq(pol_ring_next(&ring, pol_ring_end(&ring), &record), 1);
	cr_assert_eq(*(const char *)record.data, 'b');
}

Test(ring, does_not_free_what_was_not_accepted)
{
	send('a', 8);
	send('b', 8);
	got.refuse_after = 1;
	got.refuse_with = -ENOBUFS;
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), -ENOBUFS);
	cr_assert_eq(memory.consumer, 16);
	got.refuse_with = 1;
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 0);
	got.refuse_after = -1;
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 1);
	cr_assert_eq(got.first[1], 'b');
}

Test(ring, goes_round_many_times)
{
	for (int i = 0; i < 1000; i++) {
		size_t len = 1 + (size_t)i * 37 % 900;

		got.cnt = 0;
		send((unsigned char)i, len);
		cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 1);
		cr_assert_eq(got.len[0], len);
		cr_assert_eq(got.first[0], (unsigned char)i);
	}
	cr_assert_gt(memory.producer, 10 * SIZE);
}

Test(ring, starts_at_the_consumers_position)
{
	send('a', 8);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_CONSUME, take, &got), 1);
	send('b', 8);
	pol_ring_image(&memory.consumer, &memory.producer, memory.data, SIZE, &ring);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), 1);
	cr_assert_eq(got.first[1], 'b');
}

Test(ring, refuses_a_length_beyond_what_was_produced)
{
	uint32_t len = 4000;

	send('a', 8);
	memcpy(memory.data, &len, sizeof(len));
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), -EBADMSG);
	len = 0x3fffffff;
	memcpy(memory.data, &len, sizeof(len));
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), -EBADMSG);
}

Test(ring, never_releases_backwards_or_ahead)
{
	send('a', 8);
	send('b', 8);
	cr_assert_eq(pol_ring_read(&ring, POL_RING_PEEK, take, &got), 2);
	pol_ring_release(&ring, 32);
	pol_ring_release(&ring, 16);
	cr_assert_eq(memory.consumer, 32);
	pol_ring_release(&ring, 48);
	cr_assert_eq(memory.consumer, 32);
}

Test(ring, waits_no_longer_than_told, .timeout = 300)
{
	struct timespec before, after;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	cr_assert_eq(pol_ring_wait(&ring, 1, 30, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	cr_assert_geq((after.tv_sec - before.tv_sec) * 1000 +
			      (after.tv_nsec - before.tv_nsec) / 1000000,
		      29);
}

Test(ring, does_not_wait_when_there_is_something, .timeout = 300)
{
	send('a', 8);
	cr_assert_eq(pol_ring_wait(&ring, 1, -1, NULL), 1);
}

Test(ring, opens_nothing_but_a_ring_buffer)
{
	struct pol_ring other = POL_RING_INIT;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_lt(pol_ring_open(fd, &other), 0);
	cr_assert_lt(pol_ring_open(-1, &other), 0);
	cr_assert_null(other.data);
	pol_ring_close(&other);
	(void)close(fd);
}
