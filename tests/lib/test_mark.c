/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "mark.h"

Test(mark, reads_what_it_wrote)
{
	static const struct pol_mark marks[] = { { 1, 0 },
						 { 0xfedcba9876543210, 1 },
						 { UINT64_MAX, UINT64_MAX } };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct pol_mark mark = { 0 };
		char buf[POL_MARK_SIZE];
		size_t len = pol_mark_write(&marks[i], buf);

		cr_assert_eq(strlen(buf), len);
		cr_assert_eq(pol_mark_read(buf, len, &mark), (int)len);
		cr_assert_eq(mark.id, marks[i].id);
		cr_assert_eq(mark.count, marks[i].count);
	}
}

Test(mark, takes_no_more_than_is_its_own)
{
	struct pol_mark mark;
	const char *line = "00000000000000ab-17 {\"schema\":1}";

	cr_assert_eq(pol_mark_read(line, strlen(line), &mark), 19);
	cr_assert_eq(mark.count, 17);
	cr_assert_eq(pol_mark_read(line, 18, &mark), 18, "only what it was given");
	cr_assert_eq(mark.count, 1);
}

Test(mark, refuses_what_is_none)
{
	static const char *const bad[] = {
		"",
		"x",
		"00000000000000ab",
		"00000000000000ab-",
		"00000000000000ab-x",
		"00000000000000AB-1",
		"0000000000000ab-1",
		"000000000000000ab-1",
		"0000000000000000-1",
		"00000000000000ab- 1",
		"00000000000000ab-+1",
		"00000000000000ab-99999999999999999999",
		" 0000000000000ab-1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pol_mark mark = { 7, 7 };

		cr_assert_eq(pol_mark_read(bad[i], strlen(bad[i]), &mark), -EINVAL, "%s", bad[i]);
		cr_assert_eq(mark.id, 7);
	}
}
