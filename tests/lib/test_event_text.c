/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "event_text.h"
#include "evil.h"
#include "golden.h"
#include "jsonw.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

static const char *to_line(bool colour)
{
	int len;

	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	len = pol_event_text(&view, &test_record_ctx, colour, line, sizeof(line));
	cr_assert_gt(len, 0);
	cr_assert_eq(strchr(line, '\n'), line + len - 1, "a second line");
	return line;
}

Test(event_text, violation)
{
	test_record_violation(&record);
	test_golden("event_violation.txt", to_line(false));
}

Test(event_text, escape)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_ESCAPE;
	record.event.path_len = 0;
	record.event.flags = POL_EVENT_HAS_PROCESS;
	record.event.access = (struct pol_event_access){ .op = POL_OP_PTRACE, .err = EPERM };
	test_golden("event_escape.txt", to_line(false));
}

Test(event_text, exit)
{
	test_record_exit(&record);
	test_golden("event_exit.txt", to_line(false));
}

Test(event_text, exit_outside_the_engine)
{
	test_record_exit(&record);
	record.event.exit.sender = (struct pol_sender){ 0 };
	record.event.exit.duration_ns = POL_EXIT_UNKNOWN;
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	view.outside = true;
	cr_assert_gt(pol_event_text(&view, &test_record_ctx, false, line, sizeof(line)), 0);
	test_golden("event_exit_outside.txt", line);
}

Test(event_text, ceiling)
{
	test_record_ceiling(&record);
	test_golden("event_ceiling.txt", to_line(false));
}

Test(event_text, ceiling_pressure)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_PRESSURE;
	record.event.ceiling.now = 205;
	record.event.ceiling.percent = 80;
	record.event.ceiling.err = 0;
	test_golden("event_ceiling_pressure.txt", to_line(false));
	cr_assert_not_null(strstr(to_line(true), "\033[33mpressure"));
}

Test(event_text, ceiling_of_memory_has_no_percent)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_KILLED;
	record.event.ceiling.resource = POL_RESOURCE_MEMORY;
	record.event.ceiling.err = 0;
	cr_assert_not_null(strstr(to_line(false), "killed      memory     256 of 256  by sh[71]"));
	cr_assert_not_null(strstr(to_line(true), "\033[31mkilled"));
}

Test(event_text, ceiling_on_what_has_no_word)
{
	test_record_ceiling(&record);
	record.event.ceiling.resource = UINT32_MAX;
	cr_assert_not_null(strstr(to_line(false), "denied      ?          256 of 256"));
}

Test(event_text, shadow)
{
	test_record_shadow(&record);
	test_golden("event_shadow_stale.txt", to_line(false));
	record.event.shadow.op = 0;
	cr_assert_null(strstr(to_line(false), "op="));
}

Test(event_text, shadow_refused)
{
	test_record_shadow(&record);
	record.event.shadow.action = POL_SHADOW_REFUSED;
	record.event.shadow.err = EFBIG;
	record.event.shadow.flags = POL_SHADOW_LAZY;
	cr_assert_not_null(strstr(to_line(false), "refused    /srv/web/lib/libweb.so.1  706904 "
						  "bytes  lazy  EFBIG  by install[812]"));
}

Test(event_text, shadow_without_a_process_or_a_word)
{
	test_record_shadow(&record);
	record.event.flags = POL_EVENT_PATH_TRUNCATED;
	record.event.shadow.action = 9;
	record.event.shadow.flags = 0;
	cr_assert_not_null(
		strstr(to_line(false), "?          .../srv/web/lib/libweb.so.1  706904 bytes\n"));
	record.event.path_len = 0;
	cr_assert_not_null(strstr(to_line(false), "?          -  706904 bytes\n"));
}

Test(event_text, policy)
{
	test_record_plain(&record, POL_TYPE_POLICY);
	record.event.guest = POL_GUEST_ENGINE;
	record.event.note = (struct pol_event_note){
		.action = POL_ACTION_LOADED,
		.by_tgid = 9,
		.generation = 3,
	};
	test_golden("event_policy.txt", to_line(false));
}

Test(event_text, lost)
{
	view = (struct pol_event_view){
		.type = POL_TYPE_LOST,
		.boot_ns = 123456789,
		.guest = 9,
		.lost = { POL_TYPE_VIOLATION, 12, 41, 60 },
	};
	cr_assert_gt(pol_event_text(&view, &test_record_ctx, false, line, sizeof(line)), 0);
	test_golden("event_lost.txt", line);
}

Test(event_text, colours_the_verdict_only_if_asked)
{
	test_record_violation(&record);
	cr_assert_not_null(strstr(to_line(true), "\033[31mdenied"));
	cr_assert_null(strchr(to_line(false), '\033'));
}

/* Whatever a name holds: one line, valid UTF-8, nothing that steers a terminal. */
Test(event_text, evil_names_are_shown_escaped)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++) {
		const unsigned char *p;
		uint32_t c;
		size_t n;

		test_record_violation(&record);
		test_record_path(&record, test_evil[i].data, test_evil[i].len);
		memcpy(record.event.process.comm, test_evil[i].data,
		       test_evil[i].len < 16 ? test_evil[i].len : 16);
		p = (const unsigned char *)to_line(false);
		for (; p[1]; p += n) {
			n = pol_char_next(p, strlen((const char *)p), &c);
			cr_assert_gt(n, 0, "%s: not UTF-8", test_evil[i].what);
			cr_assert_not(pol_char_hidden(c), "%s: U+%04x", test_evil[i].what, c);
		}
	}
}

Test(event_text, cuts_a_long_path)
{
	static char path[POL_PATH_LARGE - 2];

	memset(path, '\xff', sizeof(path));
	path[0] = '/';
	test_record_violation(&record);
	test_record_path(&record, path, sizeof(path));
	cr_assert_not_null(strstr(to_line(false), "..."));
}

Test(event_text, tells_when_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	cr_assert_eq(pol_event_text(&view, &test_record_ctx, false, line, 20), -ENOSPC);
	cr_assert_eq(pol_event_text(&view, &test_record_ctx, false, line, 0), -ENOSPC);
}
