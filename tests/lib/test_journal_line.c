/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "evil.h"
#include "journal_line.h"
#include "records.h"
#include "samples.h"

static struct pol_event_view view;
static struct pol_journal entry, back;
static char line[POL_JOURNAL_LINE_SIZE];

/* Of one line, and what comes out is what went in, field by field. */
static int round_trip(const struct pol_event_ctx *ctx)
{
	int len;

	cr_assert_eq(pol_event_journal(&view, ctx, &entry), 0);
	len = pol_journal_line(&entry, line, sizeof(line));
	cr_assert_gt(len, 0);
	cr_assert_eq(memchr(line, '\n', sizeof(line)), line + len - 1);
	cr_assert_eq(line[len], '\0');
	cr_assert_eq(pol_journal_parse(line, (size_t)len, &back), len);
	cr_assert_eq(back.iov_cnt, entry.iov_cnt);
	for (int i = 0; i < entry.iov_cnt; i++) {
		cr_assert_eq(back.iov[i].iov_len, entry.iov[i].iov_len);
		cr_assert_eq(
			memcmp(back.iov[i].iov_base, entry.iov[i].iov_base, entry.iov[i].iov_len),
			0);
	}
	return len;
}

static int round_trip_evil(const char *data, size_t len)
{
	int longest = 0;

	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++) {
		struct pol_event_ctx ctx;
		int n;

		(void)test_sample_evil(text, data, len, &view, &ctx);
		n = round_trip(&ctx);
		longest = n > longest ? n : longest;
	}
	return longest;
}

Test(journal_line, every_kind_of_event_comes_back)
{
	for (size_t i = 0; test_sample(i, &view); i++)
		(void)round_trip(&test_record_ctx);
}

Test(journal_line, every_evil_name_comes_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++)
		(void)round_trip_evil(test_evil[i].data, test_evil[i].len);
}

Test(journal_line, names_that_double_come_back)
{
	static const char fills[] = { '\n', '\\', '\0', ';' };
	static char name[4097];

	for (size_t i = 0; i < sizeof(fills); i++) {
		memset(name, fills[i], sizeof(name) - 1);
		name[0] = '/';
		cr_assert_gt(round_trip_evil(name, sizeof(name) - 1), 4096);
	}
}

Test(journal_line, knows_where_a_line_ends)
{
	cr_assert_eq(pol_journal_parse("A=1\\;B=\\n\\\\\\;\nC=", 16, &back), 14);
	cr_assert_eq(back.iov_cnt, 2);
	cr_assert_eq(back.iov[1].iov_len, 4);
	cr_assert_eq(memcmp(back.iov[1].iov_base, "B=\n\\", 4), 0);
}

Test(journal_line, refuses_what_it_did_not_write)
{
	static const char *const bad[] = { "", "A=1\\;", "A=1\n", "A=1\\", "A=\\x\\;\n", "\\" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(pol_journal_parse(bad[i], strlen(bad[i]), &back), -EBADMSG, "%s",
			     bad[i]);
}

Test(journal_line, says_that_there_is_no_room)
{
	int len;

	cr_assert(test_sample(0, &view));
	len = round_trip(&test_record_ctx);
	for (int size = 0; size <= len; size++)
		cr_assert_eq(pol_journal_line(&entry, line, (size_t)size), -ENOSPC);
	cr_assert_eq(pol_journal_line(&entry, line, (size_t)len + 1), len);
}
