/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "event.h"
#include "event_json.h"
#include "event_text.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;

/* Decodes a copy that ends where the record ends: reading one byte more is an ASan error. */
static int decode_exact(const void *data, size_t len)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct pol_event_head head;
	int r;

	cr_assert_not_null(copy);
	memcpy(copy, data, len);
	r = pol_event_decode(copy, len, &view);
	cr_assert_eq(pol_event_check(copy, len, &head), r);
	free(copy);
	return r;
}

static void assert_path(const char *expected)
{
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_not_null(view.path.data);
	cr_assert_str_eq(view.path.data, expected);
	cr_assert_eq(view.path.len, strlen(expected));
}

Test(event, decodes_a_violation)
{
	test_record_violation(&record);
	assert_path("/srv/web/secrets/key");
	cr_assert_eq(view.type, POL_TYPE_VIOLATION);
	cr_assert_eq(view.seq, 41);
	cr_assert_eq(view.guest, 3);
	cr_assert_eq(view.generation, 3);
	cr_assert_eq(view.access.rule, 7);
	cr_assert_eq(view.process.tgid, 71);
	cr_assert_str_eq(view.exe.data, "/usr/bin/dash");
	cr_assert_str_eq(view.parent_exe.data, "/usr/bin/vmm");
	cr_assert_not(view.path.truncated);
}

Test(event, decodes_a_ceiling)
{
	test_record_ceiling(&record);
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_eq(view.type, POL_TYPE_CEILING);
	cr_assert_eq(view.verdict, POL_VERDICT_DENIED);
	cr_assert_eq(view.ceiling.now, 256);
	cr_assert_eq(view.ceiling.ceiling, 256);
	cr_assert_eq(view.ceiling.resource, POL_RESOURCE_FDS);
	cr_assert_eq(view.ceiling.percent, 100);
	cr_assert_eq(view.ceiling.err, EMFILE);
	cr_assert_eq(view.process.tgid, 71);
	cr_assert_null(view.path.data);
}

Test(event, decodes_a_shadow)
{
	test_record_shadow(&record);
	record.event.shadow.err = EFBIG;
	assert_path("/srv/web/lib/libweb.so.1");
	cr_assert_eq(view.type, POL_TYPE_SHADOW);
	cr_assert_eq(view.shadow.size, 706904);
	cr_assert_eq(view.shadow.action, POL_SHADOW_STALE);
	cr_assert_eq(view.shadow.op, POL_OP_OPEN);
	cr_assert_eq(view.shadow.err, EFBIG);
	cr_assert_eq(view.shadow.flags, POL_SHADOW_EXEC | POL_SHADOW_OLD);
	cr_assert_eq(view.process.tgid, 812);
	cr_assert_str_eq(view.exe.data, "/usr/bin/install");
}

/* Who let go last is nobody's business, and the text may have lost its beginning. */
Test(event, decodes_a_shadow_without_a_process)
{
	test_record_shadow(&record);
	record.event.flags = POL_EVENT_PATH_TRUNCATED;
	assert_path("srv/web/lib/libweb.so.1");
	cr_assert(view.path.truncated);
	cr_assert_not(view.has_process);
	cr_assert_null(view.exe.data);
	record.event.path_len = 0;
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_null(view.path.data, "a snapshot is of a file, and the root is none");
}

Test(event, a_shadow_has_an_op_or_an_errno_or_neither)
{
	struct pol_event_shadow *event = &view.shadow;

	view.type = POL_TYPE_SHADOW;
	*event = (struct pol_event_shadow){ .op = POL_OP_RENAME, .err = EFBIG };
	for (event->action = 0; event->action < 10; event->action++) {
		cr_assert_eq(pol_event_shadow_op(event),
			     event->action == POL_SHADOW_STALE ? POL_OP_RENAME : 0);
		cr_assert_eq(pol_event_err(&view), event->action == POL_SHADOW_REFUSED ? EFBIG : 0);
	}
	event->action = POL_SHADOW_STALE;
	event->op = POL_OP_PTRACE;
	cr_assert_eq(pol_event_shadow_op(event), 0, "an escape changes no file");
}

Test(event, decodes_the_peak_of_an_exit)
{
	test_record_exit(&record);
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_eq(view.exit.fds_peak, 9);
}

Test(event, reverses_paths_of_every_shape)
{
	test_record_violation(&record);
	test_record_path(&record, "/a", 2);
	assert_path("/a");
	test_record_path(&record, "/", 1);
	assert_path("/");
	test_record_path(&record, "/a b/c\nd/\xff", 10);
	assert_path("/a b/c\nd/\xff");
}

Test(event, takes_a_path_that_fills_its_room)
{
	char path[POL_PATH_LARGE];

	test_record_violation(&record);
	memset(path, 'x', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 200)
		path[i] = '/';
	test_record_path(&record, path, sizeof(path));
	cr_assert_eq(record.event.path_len, POL_PATH_LARGE);
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_eq(view.path.len, sizeof(path));
	cr_assert_arr_eq(view.path.data, path, sizeof(path));
}

/* The same name by name: empty ones left out, no '/' behind the last. Return: length. */
static size_t reversed(const char *text, size_t len, char *out)
{
	size_t used = 0;

	while (len) {
		const char *slash = memrchr(text, '/', len);
		size_t from = slash ? (size_t)(slash - text) + 1 : 0, name = len - from;

		if (name && used)
			out[used++] = '/';
		memcpy(out + used, text + from, name);
		used += name;
		len = from ? from - 1 : 0;
	}
	return used;
}

/* Names that end anywhere in the blocks by which they are read, and at the room's end. */
Test(event, reverses_random_names)
{
	static const uint16_t rooms[] = { POL_PATH_SMALL, POL_PATH_LARGE };
	uint64_t seed = test_seed("event");
	char expected[POL_PATH_LARGE + 1];

	for (int i = 0; i < 20000; i++) {
		uint16_t room = rooms[i & 1];
		size_t len = test_random(&seed) % (i & 2 ? 40 : room + 1u);
		unsigned int rare = 1 + (unsigned int)(test_random(&seed) % 40);

		test_record_violation(&record);
		test_record_room(&record, room);
		record.event.flags |= POL_EVENT_DETACHED;
		record.event.path_len = (uint16_t)len;
		for (size_t at = 0; at < room; at++)
			record.event.path[at] =
				test_random(&seed) % rare ? (char)('a' + at % 26) : '/';
		cr_assert_eq(decode_exact(&record, record.event.size), 0);
		cr_assert_eq(view.path.len, reversed(record.event.path, len, expected));
		if (view.path.len) {
			cr_assert_arr_eq(view.path.data, expected, view.path.len);
			cr_assert_eq(view.path.data[view.path.len], '\0');
		}
	}
}

Test(event, leaves_detached_names_without_a_slash)
{
	test_record_violation(&record);
	test_record_path(&record, "memfd:x", 7);
	record.event.flags |= POL_EVENT_DETACHED;
	assert_path("memfd:x");
	/* A disconnected directory: the text ends in the filesystem's root, whose name is "/". */
	memcpy(record.event.path, "b/a///", 6);
	record.event.path_len = 6;
	assert_path("a/b");
}

Test(event, has_no_path_for_an_object_without_a_name)
{
	test_record_violation(&record);
	record.event.flags |= POL_EVENT_DETACHED;
	record.event.path[0] = '/';
	record.event.path_len = 1;
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_null(view.path.data);
}

Test(event, has_no_path_where_there_is_no_object)
{
	test_record_violation(&record);
	record.event.path_len = 0;
	record.event.access.inode = (struct pol_inode_key){ 0 };
	cr_assert_eq(decode_exact(&record, record.event.size), 0);
	cr_assert_null(view.path.data);
}

Test(event, marks_a_path_that_lost_its_beginning)
{
	test_record_violation(&record);
	record.event.flags |= POL_EVENT_PATH_TRUNCATED;
	memcpy(record.event.path, "c/b/pa", 6);
	record.event.path_len = 6;
	assert_path("pa/b/c");
	cr_assert(view.path.truncated);
}

Test(event, refuses_every_shorter_record)
{
	test_record_violation(&record);
	for (size_t len = 0; len < record.event.size; len++)
		cr_assert_eq(decode_exact(&record, len), -EBADMSG, "%zu bytes", len);
	test_record_ceiling(&record);
	for (size_t len = 0; len < record.event.size; len++)
		cr_assert_eq(decode_exact(&record, len), -EBADMSG, "%zu bytes", len);
	test_record_shadow(&record);
	for (size_t len = 0; len < record.event.size; len++)
		cr_assert_eq(decode_exact(&record, len), -EBADMSG, "%zu bytes", len);
}

Test(event, refuses_a_longer_record)
{
	test_record_violation(&record);
	cr_assert_eq(decode_exact(&record, record.event.size + 8), -EBADMSG);
}

Test(event, refuses_another_abi)
{
	test_record_violation(&record);
	record.event.abi = POL_ABI_VERSION + 1;
	cr_assert_eq(decode_exact(&record, record.event.size), -EPROTO);
}

Test(event, refuses_types_that_the_kernel_does_not_send)
{
	static const uint8_t types[] = { 0, POL_TYPE_LOST, POL_TYPES_CNT, 255 };

	test_record_violation(&record);
	for (size_t i = 0; i < sizeof(types); i++) {
		record.event.type = types[i];
		cr_assert_eq(decode_exact(&record, record.event.size), -ENOMSG, "%u", types[i]);
	}
}

Test(event, refuses_a_room_that_is_none)
{
	test_record_violation(&record);
	test_record_room(&record, 300);
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
}

Test(event, refuses_a_size_that_is_not_the_records)
{
	test_record_violation(&record);
	record.event.size++;
	cr_assert_eq(decode_exact(&record, record.event.size - 1), -EBADMSG);
}

Test(event, refuses_lengths_beyond_their_room)
{
	test_record_violation(&record);
	record.event.path_len = POL_PATH_SMALL + 1;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
	test_record_violation(&record);
	record.event.exe_len = POL_EXE_SIZE + 1;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
	test_record_violation(&record);
	record.event.parent_exe_len = 0xffff;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
	test_record_shadow(&record);
	record.event.path_len = POL_PATH_SMALL + 1;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
}

Test(event, refuses_a_guest_or_number_out_of_range)
{
	test_record_violation(&record);
	record.event.guest = POL_GUESTS_MAX;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
	test_record_violation(&record);
	record.event.seq = 0;
	cr_assert_eq(decode_exact(&record, record.event.size), -EBADMSG);
}

Test(event, leaves_the_view_alone_on_failure)
{
	memset(&view, 0x5a, sizeof(view));
	cr_assert_lt(pol_event_decode("x", 1, &view), 0);
	cr_assert_eq(view.type, 0x5a5a5a5a);
}

Test(event, splits_the_wait_status)
{
	static const struct {
		uint32_t code, cause;
		int exit_code, sig, status;
	} rows[] = {
		{ 0, POL_CAUSE_EXIT, 0, -1, 0 },
		{ 3 << 8, POL_CAUSE_EXIT, 3, -1, 3 },
		{ 9, POL_CAUSE_SIGNAL, -1, 9, 137 },
		{ 9, POL_CAUSE_OOM, -1, 9, 137 },
		{ 0x80 | 11, POL_CAUSE_SIGNAL, -1, 11, 139 },
		{ 0, POL_CAUSE_UNKNOWN, -1, -1, -1 },
		{ 0xff00, POL_CAUSE_EXIT, 255, -1, 255 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pol_event_exit event = { .code = rows[i].code, .cause = rows[i].cause };
		int code, sig;

		cr_assert_eq(pol_event_status(&event, &code, &sig), rows[i].status, "row %zu", i);
		cr_assert_eq(code, rows[i].exit_code, "row %zu", i);
		cr_assert_eq(sig, rows[i].sig, "row %zu", i);
	}
}

/* Nothing that fits the lengths may crash, whatever the bytes; formatters included. */
static void format_both(void)
{
	char line[POL_EVENT_LINE_SIZE];
	int len = pol_event_json(&view, &test_record_ctx, line, sizeof(line));

	cr_assert_gt(len, 0);
	cr_assert_lt(len, POL_EVENT_LINE_SIZE);
	cr_assert_eq(strchr(line, '\n'), line + len - 1);
	len = pol_event_text(&view, &test_record_ctx, false, line, sizeof(line));
	cr_assert_gt(len, 0);
	cr_assert_eq(strchr(line, '\n'), line + len - 1);
}

Test(event, survives_random_bytes, .timeout = 300)
{
	static const uint16_t rooms[] = { 0, POL_PATH_SMALL, POL_PATH_LARGE };
	uint64_t seed = test_seed("random bytes");
	int good = 0;

	for (int i = 0; i < 4000; i++) {
		for (size_t at = 0; at < sizeof(record); at += 8) {
			uint64_t bits = test_random(&seed);

			memcpy(record.bytes + at, &bits, 8);
		}
		if (i % 4) { /* make the head plausible: else nearly all stop at the first check */
			record.event.abi = POL_ABI_VERSION;
			record.event.type = (uint8_t)(1 + test_random(&seed) % 11);
			record.event.guest %= 8;
			record.event.exe_len %= POL_EXE_SIZE + 2;
			record.event.parent_exe_len %= POL_EXE_SIZE + 1;
			test_record_room(&record, rooms[test_random(&seed) % ARRAY_SIZE(rooms)]);
			record.event.path_len =
				(uint16_t)(record.event.path_len % (record.event.path_room + 1));
		}
		if (decode_exact(&record, i % 4 ? record.event.size
						: test_random(&seed) % sizeof(record)) < 0)
			continue;
		good++;
		format_both();
	}
	cr_assert_gt(good, 1000);
}
