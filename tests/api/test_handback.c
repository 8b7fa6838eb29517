/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structures of callers that were compiled with another version of the header. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "handback.h"

struct now {
	size_t size;
	uint64_t a;
	uint64_t b;
};

struct later {
	struct now now;
	uint64_t c;
};

Test(handback, takes_what_an_older_caller_has)
{
	const struct now from = { offsetof(struct now, b), 1, 2 };
	struct now to;

	cr_assert_eq(pol_take_in(&from, offsetof(struct now, b), &to, sizeof(to)), 0);
	cr_assert_eq(to.a, 1);
	cr_assert_eq(to.b, 0);
	cr_assert_eq(pol_take_in(&from, sizeof(from), &to, sizeof(to)), -EINVAL);
	cr_assert_eq(pol_take_in(NULL, sizeof(from), &to, sizeof(to)), -EINVAL);
}

/* What it asks for and we do not know is not left out unsaid. */
Test(handback, refuses_what_a_newer_caller_asks_for)
{
	struct later from = { { sizeof(from), 1, 2 }, 0 };
	struct now to;

	cr_assert_eq(pol_take_in(&from, sizeof(to), &to, sizeof(to)), 0);
	cr_assert_eq(to.b, 2);
	from.c = 1;
	cr_assert_eq(pol_take_in(&from, sizeof(to), &to, sizeof(to)), -EINVAL);
}
