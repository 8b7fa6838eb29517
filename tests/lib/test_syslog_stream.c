/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue, connections that take some bytes and break, and a receiver that reads what came on each:
 * whole messages, in order, none missing; twice only what it could not be known to have.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "records.h"
#include "syslog_stream.h"

#define MESSAGES 12
#define ROOM	 8192

static char queue[ROOM];
static size_t queue_len;
static struct pol_syslog_stream stream;

/* What the receiver has read on this connection, and the number of the last message in all. */
static char wire[ROOM];
static size_t wire_len;
static int last;
static int twice;

static void init(void)
{
	memset(&stream, 0, sizeof(stream));
	queue_len = wire_len = 0;
	last = twice = 0;
	/* Of one, two and three digits. */
	for (int i = 1; i <= MESSAGES; i++)
		queue_len += (size_t)snprintf(
			queue + queue_len, sizeof(queue) - queue_len, "%02d%.*s\n", i, i % 4 * 40,
			"9 <1>1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxx");
}

TestSuite(syslog_stream, .init = init);

/* Sends up to @max bytes by pieces of up to @piece. Return: bytes sent. */
static size_t send_some(size_t max, size_t piece)
{
	struct pol_syslog_piece next;
	size_t all = 0, n;

	while (all < max && (n = pol_syslog_stream_next(&stream, queue, queue_len, &next))) {
		char bytes[ROOM];
		size_t head = next.iov[0].iov_len;

		memcpy(bytes, next.iov[0].iov_base, head);
		memcpy(bytes + head, next.iov[1].iov_base, next.iov[1].iov_len);
		n = n < piece ? n : piece;
		n = n < max - all ? n : max - all;
		memcpy(wire + wire_len, bytes, n);
		wire_len += n;
		all += n;
		pol_syslog_stream_sent(&stream, queue, queue_len, n);
	}
	return all;
}

/* The receiver's side has all but @pending bytes. */
static void take(size_t pending)
{
	size_t taken = pol_syslog_stream_taken(&stream, queue, pending);

	cr_assert_leq(taken, queue_len);
	queue_len -= taken;
	memmove(queue, queue + taken, queue_len);
}

/* The connection is over; the receiver has read all but @unread bytes, and drops a torn message. */
static void hang_up(size_t unread)
{
	const char *at = wire, *end = wire + wire_len - unread;

	while (at < end) {
		int digits, number, n = 0;

		*(char *)end = '\0';
		if (sscanf(at, "%d %n", &digits, &n) != 1 || !n || end - at - n < digits)
			break;
		cr_assert_eq(sscanf(at + n, "%2d", &number), 1, "torn: %.60s", at);
		cr_assert_leq(number, last + 1, "%d is missing", last + 1);
		twice += number <= last;
		last = number > last ? number : last;
		at += n + digits;
	}
	wire_len = 0;
	stream = (struct pol_syslog_stream){ 0 };
}

static size_t all_bytes(void)
{
	size_t all;

	init();
	all = send_some(SIZE_MAX, SIZE_MAX);
	init();
	return all;
}

Test(syslog_stream, counts_octets)
{
	memcpy(queue, "a\nbc\n", 5);
	queue_len = 5;
	cr_assert_eq(send_some(SIZE_MAX, SIZE_MAX), 7);
	wire[wire_len] = '\0';
	cr_assert_str_eq(wire, "1 a2 bc");
	take(0);
	cr_assert_eq(queue_len, 0);
	cr_assert_eq(stream.sent + stream.part + stream.wire, 0);
}

Test(syslog_stream, keeps_what_is_not_known_to_be_there)
{
	memcpy(queue, "a\nbc\n", 5);
	queue_len = 5;
	cr_assert_eq(send_some(SIZE_MAX, SIZE_MAX), 7);
	take(7);
	cr_assert_eq(queue_len, 5);
	take(100); /* unix sockets count more than the bytes */
	cr_assert_eq(queue_len, 5);
	take(5);
	cr_assert_eq(queue_len, 5, "a part of a message is none");
	take(4);
	cr_assert_eq(queue_len, 3);
	take(1);
	cr_assert_eq(queue_len, 3);
	take(0);
	cr_assert_eq(queue_len, 0);
}

/* Writes of every size, all of it read: each message once. */
Test(syslog_stream, sends_by_pieces_of_any_size)
{
	size_t all = all_bytes();

	for (size_t piece = 1; piece <= all; piece++) {
		init();
		cr_assert_eq(send_some(SIZE_MAX, piece), all);
		take(0);
		cr_assert_eq(queue_len, 0);
		hang_up(0);
		cr_assert_eq(last, MESSAGES);
		cr_assert_eq(twice, 0);
	}
}

/* Broken at each byte, of which the receiver has all: nothing twice, for what was whole was taken. */
Test(syslog_stream, sends_the_cut_message_again_whole)
{
	size_t all = all_bytes();

	for (size_t cut = 0; cut <= all; cut++) {
		init();
		cr_assert_eq(send_some(cut, 7), cut);
		take(0);
		hang_up(0);
		(void)send_some(SIZE_MAX, 5);
		take(0);
		cr_assert_eq(queue_len, 0);
		hang_up(0);
		cr_assert_eq(last, MESSAGES, "cut at %zu", cut);
		cr_assert_eq(twice, 0, "cut at %zu", cut);
	}
}

/* Broken at each byte while each number of them is on the way, and lost: still nothing is missing. */
Test(syslog_stream, sends_again_what_was_on_the_way)
{
	size_t all = all_bytes();

	for (size_t cut = 0; cut <= all; cut += 3) {
		for (size_t pending = 0; pending <= cut; pending++) {
			init();
			cr_assert_eq(send_some(cut, SIZE_MAX), cut);
			take(pending);
			hang_up(pending);
			(void)send_some(SIZE_MAX, SIZE_MAX);
			hang_up(0);
			cr_assert_eq(last, MESSAGES, "cut at %zu, %zu pending", cut, pending);
			cr_assert_eq(twice, 0, "cut at %zu, %zu pending", cut, pending);
		}
	}
}

/* It read more than was known: those come twice, and none is missing. */
Test(syslog_stream, repeats_rather_than_loses)
{
	(void)send_some(SIZE_MAX, SIZE_MAX);
	take(SIZE_MAX);
	hang_up(0);
	cr_assert_eq(last, MESSAGES);
	(void)send_some(SIZE_MAX, SIZE_MAX);
	take(0);
	hang_up(0);
	cr_assert_eq(twice, MESSAGES);
	cr_assert_eq(queue_len, 0);
}

/* Any writes, any breaks, any delay of what is known. */
Test(syslog_stream, loses_nothing_whatever_comes)
{
	uint64_t seed = test_seed("syslog_stream");

	for (int round = 0; round < 2000; round++) {
		init();
		while (queue_len) {
			uint64_t random = test_random(&seed);
			size_t pending;

			(void)send_some(random % 200, 1 + (random >> 16) % 50);
			pending = wire_len ? (random >> 32) % (wire_len + 1) : 0;
			if (pending > stream.wire)
				pending = stream.wire;
			take(pending);
			if ((random >> 48) % 4 == 0)
				hang_up(pending);
		}
		hang_up(0);
		cr_assert_eq(last, MESSAGES);
	}
}
