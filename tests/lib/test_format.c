/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "format.h"
#include "records.h"

static union test_record record;
static struct pol_event_view view;
static char line[POL_EVENT_LINE_SIZE];

Test(format, are_found_by_name)
{
	cr_assert_str_eq(pol_format_at(0)->name, "text");
	for (size_t i = 0; pol_format_at(i); i++)
		cr_assert_eq(pol_format_find(pol_format_at(i)->name), pol_format_at(i));
	cr_assert_null(pol_format_find(""));
	cr_assert_null(pol_format_find("tex"));
	cr_assert_null(pol_format_find("JSON"));
}

Test(format, each_writes_one_line_or_tells_that_there_is_no_room)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	for (size_t i = 0; pol_format_at(i); i++) {
		const struct pol_format *format = pol_format_at(i);
		int len = format->write(&view, &test_record_ctx, 0, line, sizeof(line));

		cr_assert_gt(len, 0, "%s", format->name);
		cr_assert_eq((size_t)len, strlen(line));
		cr_assert_eq(strchr(line, '\n'), line + len - 1, "%s", format->name);
		cr_assert_eq(format->write(&view, &test_record_ctx, 0, line, 40), -ENOSPC, "%s",
			     format->name);
	}
}

/* Each beginning of its line, as a crash may leave it. */
Test(format, each_is_known_by_its_beginning)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	for (size_t i = 0; pol_format_at(i); i++) {
		const struct pol_format *format = pol_format_at(i);
		int len = format->write(&view, &test_record_ctx, 0, line, sizeof(line));

		for (int cut = 0; cut <= len; cut++)
			cr_assert(pol_format_begins(line, (size_t)cut), "%s: %.*s", format->name,
				  cut, line);
	}
}

Test(format, what_others_write_is_known_as_such)
{
	static const char *const others[] = {
		"root:x:0:0",
		"{\"version\":1}",
		"{}",
		"[Unit]",
		"#!/bin/sh",
		"<html>",
		"\n",
		"CEF:1|",
		"2026-11-21 01:02:03",
		"Nov 21 01:02:03 h1 x: y",
		"{ ",
		"<1>1 2026",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert_not(pol_format_begins(others[i], strlen(others[i])), "%s", others[i]);
	cr_assert_not(pol_format_begins("\0", 1));
}

Test(format, only_text_has_colours)
{
	test_record_violation(&record);
	cr_assert_eq(pol_event_decode(&record, record.event.size, &view), 0);
	for (size_t i = 0; pol_format_at(i); i++) {
		const struct pol_format *format = pol_format_at(i);

		cr_assert_gt(format->write(&view, &test_record_ctx, POL_FORMAT_COLOUR, line,
					   sizeof(line)),
			     0);
		cr_assert_eq(strchr(line, '\033') != NULL, strcmp(format->name, "text") == 0, "%s",
			     format->name);
	}
}

/* Of another version's records, should one pass the decoder: no word, and no line that is wrong. */
Test(format, copes_with_numbers_that_no_list_has)
{
	for (uint32_t type = 0; type < 256; type++)
		for (size_t i = 0; pol_format_at(i); i++) {
			int len;

			memset(&view, 0, sizeof(view));
			memset(&view.access, 0xff, sizeof(view.access));
			memset(&view.exit, 0x7f, sizeof(view.exit));
			view.type = type;
			view.verdict = type;
			view.guest = UINT32_MAX;
			view.boot_ns = view.seq = UINT64_MAX;
			view.has_process = true;
			len = pol_format_at(i)->write(&view, &test_record_ctx, 0, line,
						      sizeof(line));
			cr_assert_gt(len, 0, "%s of type %u", pol_format_at(i)->name, type);
			cr_assert_eq(memchr(line, '\n', (size_t)len), line + len - 1);
		}
}
