/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "textw.h"

static char buf[64];
static struct pol_textw w;

static unsigned int put(const char *data, size_t len, size_t max, pol_textw_escape_t escape)
{
	unsigned int flags;

	pol_textw_init(&w, buf, sizeof(buf));
	flags = pol_textw_bytes(&w, data, len, max, escape);
	cr_assert_geq(pol_textw_finish(&w), 0);
	return flags;
}

#define PUT(text, max, escape) put(text, sizeof(text) - 1, max, escape)

Test(textw, tells_once_that_it_did_not_fit)
{
	pol_textw_init(&w, buf, 8);
	pol_textw_put(&w, "1234567");
	cr_assert_eq(pol_textw_finish(&w), 7);
	pol_textw_put(&w, "8");
	pol_textw_put(&w, "");
	cr_assert_eq(pol_textw_finish(&w), -ENOSPC);
	pol_textw_init(&w, buf, 0);
	cr_assert_eq(pol_textw_finish(&w), -ENOSPC);
}

Test(textw, formats)
{
	pol_textw_init(&w, buf, sizeof(buf));
	pol_textw_fmt(&w, "%s %d", "a", 1);
	cr_assert_eq(pol_textw_finish(&w), 3);
	cr_assert_str_eq(buf, "a 1");
}

Test(textw, shows_everything_exactly)
{
	cr_assert_eq(PUT("a\\\n\t\033\xff\0\u202e\u00e9", 0, pol_textw_shown), 0);
	cr_assert_str_eq(buf, "a\\\\\\n\\t\\x1b\\xff\\x00\\u202e\u00e9");
}

Test(textw, cleans_and_says_so)
{
	cr_assert_eq(PUT("a\\\u00e9", 0, pol_textw_clean), 0);
	cr_assert_str_eq(buf, "a\\\u00e9");
	cr_assert_eq(PUT("\n", 0, pol_textw_clean), POL_TEXTW_LOSSY);
	cr_assert_eq(PUT("a\xff\u202e\0", 0, pol_textw_clean), POL_TEXTW_LOSSY);
	cr_assert_str_eq(buf, "a\ufffd\ufffd\ufffd");
}

Test(textw, cuts_between_characters)
{
	cr_assert_eq(PUT("ab\u00e9", 3, pol_textw_clean), POL_TEXTW_CUT);
	cr_assert_str_eq(buf, "ab");
	cr_assert_eq(PUT("ab\u00e9", 4, pol_textw_clean), 0);
	cr_assert_eq(PUT("ab\xff", 2, pol_textw_clean), POL_TEXTW_CUT, "what is cut is not lossy");
}
