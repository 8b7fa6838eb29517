/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams of random records: each line is, byte by byte, the one that a writer would write who has kept
 * nothing. What may differ differs often but by little, so that a piece is found, is another's, or is
 * nearly the right one; and what a context says differs with each of the numbers it is asked by.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_pieces.h"
#include "evil.h"
#include "records.h"

#define EVENTS	60000
#define A_WHILE 200 /* events until all is forgotten, and names are unknown once more */

static uint64_t seed;
static union test_record record;
static struct pol_pieces pieces;
static bool known; /* whether the context knows names yet */

static uint64_t below(uint64_t limit)
{
	return test_random(&seed) % limit;
}

/* One of few numbers: mostly small ones, and what is special about 32 and 64 bits. */
static uint64_t some_number(void)
{
	static const uint64_t special[] = { 9, 10, 9999, 10000, UINT32_MAX, INT64_MAX, UINT64_MAX };

	return below(4) ? below(3) : special[below(ARRAY_SIZE(special))];
}

static const char *guest_name(void *arg, uint64_t generation, uint32_t guest)
{
	static char name[64];

	(void)arg;
	(void)snprintf(name, sizeof(name), "g%u-%ju", guest, (uintmax_t)generation);
	return known && guest != 2 ? name : NULL;
}

static int rule_of(void *arg, uint64_t generation, uint32_t rule, struct pol_event_rule *ret)
{
	static char path[64];

	(void)arg;
	if (!known || rule == 2)
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "/r%u\n%ju", rule, (uintmax_t)generation);
	*ret = (struct pol_event_rule){ .where = path + 1, .path = path, .path_len = strlen(path) };
	return 0;
}

static const char *sha256(void *arg, uint64_t generation)
{
	static char sum[32];

	(void)arg;
	(void)snprintf(sum, sizeof(sum), "%jx", (uintmax_t)generation);
	return known && generation != 2 ? sum : NULL;
}

static const char *cgroup(void *arg, uint64_t id)
{
	static char path[32];

	(void)arg;
	(void)snprintf(path, sizeof(path), "/c\"%ju", (uintmax_t)id);
	return known && id != 2 ? path : NULL;
}

/* ------------------------------------------------------------------ records */

static void set_head(void)
{
	struct pol_event *event = &record.event;

	/* A second is over after three events or so; sometimes nonsense. */
	event->boot_ns = below(20) ? 123456789 + 333333333 * below(4) : some_number();
	event->seq = 1 + some_number() % UINT32_MAX;
	event->generation = below(2) ? 3 : 1 + below(4);
	event->guest = (uint32_t)below(4);
	event->verdict = (uint8_t)below(7);
	event->flags ^= (uint32_t)(below(4) ? 0 : below(256));
}

static void set_text(char *to, size_t size, uint16_t *len)
{
	static const char *const plain[] = { "dash/bin/usr/", "bash/bin/usr/", "dash/bin/usr", "" };
	const struct test_evil *evil = &test_evil[below(ARRAY_SIZE(test_evil))];
	const char *text = below(4) ? plain[below(ARRAY_SIZE(plain))] : evil->data;
	size_t used = text == evil->data ? evil->len : strlen(text);

	if (!below(20)) { /* a text that fills its room, or nearly */
		used = size - below(40);
		memset(to, 'x', used);
		to[below(used)] = '/';
	} else {
		memcpy(to, text, used);
	}
	*len = (uint16_t)used;
}

static void new_process(struct pol_event *event)
{
	event->process = (struct pol_event_process){
		.start_ns = below(2),
		.cgroup = 1 + below(2),
		.tgid = (uint32_t)below(2),
		.tid = 70 + 16 * (uint32_t)below(2),
		.uid = (uint32_t)below(2),
		.gid = (uint32_t)some_number(),
		.parent_tgid = (uint32_t)below(2),
		.comm = { 's', below(2) ? 'h' : '"' },
		.parent_comm = { 'v', (char)('m' + below(2)) },
	};
	set_text(event->exe, sizeof(event->exe), &event->exe_len);
	set_text(event->parent_exe, sizeof(event->parent_exe), &event->parent_exe_len);
}

/* Mostly the one of the event before. */
static void set_process(void)
{
	static struct pol_event last;
	struct pol_event *event = &record.event;

	if (!below(4))
		new_process(&last);
	event->flags |= below(20) ? POL_EVENT_HAS_PROCESS : 0;
	event->process = last.process;
	memcpy(event->exe, last.exe, sizeof(event->exe));
	memcpy(event->parent_exe, last.parent_exe, sizeof(event->parent_exe));
	event->exe_len = last.exe_len;
	event->parent_exe_len = last.parent_exe_len;
}

static const uint32_t ops[] = { POL_OP_OPEN, POL_OP_OPEN + 16, POL_OP_PTRACE, 0, 9999 };
static const uint32_t errors[] = { 0, EACCES, EPERM, 9999 };

static void set_path(void)
{
	uint16_t room = below(20) ? POL_PATH_SMALL : below(2) ? POL_PATH_LARGE : 0;

	test_record_room(&record, room);
	if (room)
		set_text(record.event.path, room, &record.event.path_len);
}

static void set_access(void)
{
	record.event.access = (struct pol_event_access){
		.inode = { .ino = some_number(), .dev = below(3) << 20 | 4 * below(2) },
		.access = 1u << below(2),
		.missing = (uint32_t)(below(8) ? below(4) : test_random(&seed)),
		.rule = (uint32_t)below(3) + 16 * (uint32_t)below(2),
		.rule_access = (uint32_t)below(2),
		.op = ops[below(ARRAY_SIZE(ops))],
		.hook = (uint32_t)below(3),
		.reason = below(2) ? POL_REASON_RULE : (uint32_t)below(18),
		.err = errors[below(ARRAY_SIZE(errors))],
		.repeats = (uint32_t)some_number(),
	};
	record.event.flags |= below(4) ? POL_EVENT_HAS_RULE : 0;
	set_path();
}

static void set_shadow(void)
{
	record.event.shadow = (struct pol_event_shadow){
		.size = some_number(),
		.action = (uint32_t)below(6),
		.op = ops[below(ARRAY_SIZE(ops))],
		.err = errors[below(ARRAY_SIZE(errors))],
		.flags = (uint32_t)below(16),
	};
	set_path();
}

static void set_exit(void)
{
	static const uint32_t codes[] = { 0, 9, 0x80 | 11, 3 << 8, 0xff00, 9 << 8 };

	record.event.exit = (struct pol_event_exit){
		.duration_ns = some_number(),
		.utime_ns = some_number(),
		.stime_ns = some_number(),
		.maxrss_bytes = some_number(),
		.minflt = some_number(),
		.majflt = some_number(),
		.read_bytes = some_number(),
		.write_bytes = some_number(),
		.code = codes[below(ARRAY_SIZE(codes))],
		.cause = below(4) ? POL_CAUSE_SIGNAL : (uint32_t)below(8),
		.fds_peak = (uint32_t)some_number(),
		.sender = { .tgid = 7 * (uint32_t)below(3), .guest = 3 * (uint32_t)below(2) },
	};
	record.event.exit.sender.comm[15] = (char)('a' + below(2));
}

static void make_record(void)
{
	uint32_t type;

	do
		type = 1 + (uint32_t)below(POL_TYPES_CNT - 1);
	while (type == POL_TYPE_LOST);
	test_record_plain(&record, type);
	if (below(2)) /* half are of the two that there are most of */
		record.event.type = type = below(2) ? POL_TYPE_VIOLATION : POL_TYPE_EXIT;
	set_head();
	set_process();
	if (pol_event_has_access(type))
		set_access();
	else if (type == POL_TYPE_EXIT)
		set_exit();
	else if (type == POL_TYPE_SHADOW)
		set_shadow();
	else
		for (size_t i = 0; i < ARRAY_SIZE(record.event.body); i++)
			record.event.body[i] = some_number();
}

/* ------------------------------------------------------------------ */

Test(event_pieces_random, lines_are_the_same, .timeout = 300)
{
	static char with[POL_EVENT_LINE_SIZE], without[POL_EVENT_LINE_SIZE];
	static struct pol_event_view view;
	struct pol_event_ctx plain = test_record_ctx, keeping;

	seed = test_seed("event_pieces_random");
	plain.guest_name = guest_name;
	plain.rule = rule_of;
	plain.sha256 = sha256;
	plain.cgroup = cgroup;
	keeping = plain;
	keeping.pieces = &pieces;
	for (int i = 0; i < EVENTS; i++) {
		int len;

		if (i % A_WHILE == 0)
			memset(&pieces, 0, sizeof(pieces));
		known = i % A_WHILE >= A_WHILE / 4;
		make_record();
		cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
		view.inside = !below(10);
		view.outside = !below(10);
		len = pol_event_json(&view, &plain, without, sizeof(without));
		cr_assert_gt(len, 0);
		memset(with, 'x', sizeof(with));
		cr_assert_eq(pol_event_json(&view, &keeping, with, sizeof(with)), len);
		cr_assert_arr_eq(with, without, (size_t)len + 1, "event %d:\n%s%s", i, with,
				 without);
	}
}
