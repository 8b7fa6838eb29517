/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outlet.h"
#include "records.h"

/* "N TYPE GUEST SEQ COUNT\n", padded to some length, is enough of a format. */
static size_t padding;

static int write_plain(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		       unsigned int flags, char *buf, size_t size)
{
	uint64_t count = view->type == POL_TYPE_LOST ? view->lost.count : 1;

	(void)ctx;
	(void)flags;
	return snprintf(buf, size, "%u %u %llu %0*llu\n", view->type, view->guest,
			(unsigned long long)view->seq, (int)padding, (unsigned long long)count);
}

static const struct pol_format plain = {
	.name = "plain",
	.write = write_plain,
	.size = POL_EVENT_LINE_SIZE,
};

/* A receiver that takes @room bytes, at most @piece at once. */
static struct {
	char data[1 << 22];
	size_t len;
	size_t room;
	size_t piece;
	int error;
} receiver;

static ssize_t take(void *arg, const char *data, size_t len)
{
	size_t n = len < receiver.piece ? len : receiver.piece;

	(void)arg;
	if (receiver.error)
		return -receiver.error;
	if (n > receiver.room)
		n = receiver.room;
	if (!n)
		return -EAGAIN;
	memcpy(receiver.data + receiver.len, data, n);
	receiver.len += n;
	receiver.room -= n;
	return (ssize_t)n;
}

static struct pol_outlet outlet;
static uint64_t next;

static void init(void)
{
	outlet = (struct pol_outlet){ .format = &plain, .max = 4 * POL_EVENT_LINE_SIZE };
	receiver.piece = SIZE_MAX;
	receiver.len = receiver.room = 0;
	receiver.error = 0;
	padding = 0;
	next = 0;
}

static void done(void)
{
	pol_outlet_done(&outlet);
}

TestSuite(outlet, .init = init, .fini = done);

static void put(void)
{
	struct pol_event_view view = { .guest = 3, .type = POL_TYPE_EXIT, .seq = ++next };

	cr_assert_eq(pol_outlet_put(&outlet, &view, &test_record_ctx), 0);
}

static void tell(void)
{
	cr_assert_eq(pol_outlet_tell(&outlet, &test_record_ctx, 1, 1), 0);
}

/* What the receiver has: whole lines in order, nothing twice. Return: records and losses. */
static uint64_t accounted(uint64_t *ret_lost)
{
	uint64_t sum = 0, last = 0;

	*ret_lost = 0;
	for (char *at = receiver.data; at < receiver.data + receiver.len;
	     at = strchr(at, '\n') + 1) {
		unsigned long long type, guest, seq, count;

		receiver.data[receiver.len] = '\0';
		cr_assert_eq(sscanf(at, "%llu %llu %llu %llu", &type, &guest, &seq, &count), 4,
			     "torn: %.80s", at);
		cr_assert_gt(seq, last, "out of order");
		last = seq;
		sum += count;
		*ret_lost += type == POL_TYPE_LOST ? count : 0;
	}
	return sum;
}

Test(outlet, hands_on_what_it_gets)
{
	uint64_t lost;

	put();
	put();
	receiver.room = SIZE_MAX;
	cr_assert_not(pol_outlet_empty(&outlet));
	cr_assert_eq(pol_outlet_lines(&outlet), 2);
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert(pol_outlet_empty(&outlet));
	cr_assert_eq(pol_outlet_lines(&outlet), 0);
	cr_assert_null(outlet.data, "keeps memory for nothing");
	cr_assert_eq(accounted(&lost), 2);
	cr_assert_eq(lost, 0);
	cr_assert_eq(outlet.delivered, 2);
}

Test(outlet, knows_how_much_of_a_line_is_out)
{
	put();
	put();
	receiver.room = 3;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), -EAGAIN);
	cr_assert_eq(outlet.within, 3);
	receiver.room = strlen("1 3 1 1\n") - 3;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), -EAGAIN);
	cr_assert_eq(outlet.within, 0);
	receiver.room = receiver.piece = 2;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), -EAGAIN);
	cr_assert_eq(outlet.within, 2);
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert_eq(outlet.within, 0);
}

Test(outlet, counts_what_does_not_fit_and_tells_it)
{
	uint64_t lost;

	padding = 4000;
	for (int i = 0; i < 100; i++)
		put();
	cr_assert_leq(outlet.size, outlet.max);
	cr_assert_gt(outlet.dropped, 0);
	cr_assert_eq(outlet.delivered + outlet.dropped, 100);
	tell();
	cr_assert_eq(outlet.loss.open, 1, "told while there was no room");
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert_not(pol_outlet_empty(&outlet), "a loss is not told yet");
	put(); /* not before the loss */
	tell();
	put();
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert(pol_outlet_empty(&outlet));
	cr_assert_eq(accounted(&lost), 102);
	cr_assert_eq(lost, outlet.dropped);
	cr_assert_eq(outlet.delivered, 102 - lost);
}

Test(outlet, passes_on_an_error_and_keeps_the_rest)
{
	put();
	receiver.error = ENOSPC;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), -ENOSPC);
	cr_assert_not(pol_outlet_empty(&outlet));
	receiver.error = 0;
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert_eq(receiver.len, strlen("1 3 1 1\n"));
}

Test(outlet, takes_lines_that_are_no_events)
{
	char big[POL_EVENT_LINE_SIZE];

	memset(big, 'x', sizeof(big));
	cr_assert_eq(pol_outlet_text(&outlet, "hello\n", 6), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pol_outlet_text(&outlet, big, sizeof(big)), 0);
	cr_assert_eq(pol_outlet_text(&outlet, big, sizeof(big)), -ENOBUFS);
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert_eq(receiver.len, 6 + 3 * sizeof(big));
}

/* Any receiver, any burst: what it has and what it is told add up, in order, within the bound. */
Test(outlet, adds_up_whatever_comes)
{
	uint64_t seed = test_seed("outlet"), lost;

	padding = 700;
	for (int i = 0; i < 20000 && receiver.len < sizeof(receiver.data) / 2; i++) {
		uint64_t random = test_random(&seed);

		for (uint64_t n = random % 8; n; n--)
			put();
		receiver.room = (random >> 8) % 3 ? 0 : (random >> 16) % 40000;
		receiver.piece = 1 + (random >> 32) % 5000;
		tell();
		(void)pol_outlet_flush(&outlet, take, NULL);
		cr_assert_leq(outlet.size, outlet.max);
	}
	receiver.room = receiver.piece = SIZE_MAX;
	while (!pol_outlet_empty(&outlet)) {
		cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
		tell();
	}
	cr_assert_eq(accounted(&lost), next);
	cr_assert_eq(lost, outlet.dropped);
	cr_assert_gt(lost, 0, "the test met no full queue");
	cr_assert_gt(outlet.delivered, lost / 1000);
}

Test(outlet, writes_again_what_was_taken_back)
{
	uint64_t lost;

	put();
	put();
	receiver.room = strlen("1 3 1 1\n") + 3;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), -EAGAIN);
	cr_assert_eq(outlet.within, 3);
	receiver.len -= 3;
	pol_outlet_rewind(&outlet);
	cr_assert_eq(outlet.within, 0);
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	cr_assert_eq(accounted(&lost), 2);
}

/* ---- marks ---- */

static void put_at(uint32_t type, uint64_t count)
{
	struct pol_event_view view = { .guest = 3, .type = type, .seq = ++next };

	outlet.mark = (struct pol_mark){ 0xab, count };
	cr_assert_eq(pol_outlet_put(&outlet, &view, &test_record_ctx), 0);
}

static unsigned long long mark_of(const char *line)
{
	unsigned long long id, count;

	cr_assert_eq(sscanf(line, "%16llx-%llu ", &id, &count), 2, "%.60s", line);
	cr_assert_eq(id, 0xab);
	return count;
}

/* Who stops within the losses is told all of them again. */
Test(outlet, marks_each_line_and_losses_only_by_the_last)
{
	unsigned long long queued;
	const char *line;

	outlet.marks = true;
	padding = 8000;
	for (uint64_t count = 1; count <= 10; count++)
		put_at(count % 2 ? POL_TYPE_EXIT : POL_TYPE_VIOLATION, count);
	cr_assert_eq(outlet.loss.open, 2);
	queued = outlet.delivered;
	receiver.room = SIZE_MAX;
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	tell();
	cr_assert_eq(pol_outlet_flush(&outlet, take, NULL), 0);
	receiver.data[receiver.len] = '\0';
	line = receiver.data;
	for (unsigned long long want = 1; want <= queued; want++, line = strchr(line, '\n') + 1)
		cr_assert_eq(mark_of(line), want);
	cr_assert_eq(mark_of(line), queued, "the first of two losses");
	line = strchr(line, '\n') + 1;
	cr_assert_eq(mark_of(line), 10, "the last one");
	cr_assert_eq(line[strcspn(line, "\n") + 1], '\0');
}
