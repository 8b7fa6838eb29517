/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "decimal.h"
#include "records.h"

static void assert_number(uint64_t value)
{
	char got[POL_DECIMAL_ROOM + 1], expected[32];
	size_t len = pol_decimal_put(got, value);

	got[len] = '\0';
	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	cr_assert_str_eq(got, expected);
}

Test(decimal, writes_the_edges_of_each_length)
{
	assert_number(0);
	assert_number(UINT64_MAX);
	for (uint64_t power = 1; power && power <= UINT64_MAX / 10; power *= 10) {
		assert_number(power - 1);
		assert_number(power);
		assert_number(10 * power - 1);
	}
}

Test(decimal, writes_as_snprintf_does)
{
	uint64_t seed = test_seed("decimal");

	for (int i = 0; i < 200000; i++)
		assert_number(test_random(&seed) >> i % 64);
}

Test(decimal, writes_leading_zeros)
{
	char got[9] = "", expected[16];

	for (uint32_t value = 0; value < 100000000; value += 99991) {
		pol_decimal_8(got, value);
		snprintf(expected, sizeof(expected), "%08" PRIu32, value);
		cr_assert_str_eq(got, expected);
	}
	for (unsigned int value = 0; value < 100; value++) {
		pol_decimal_pair(got, value);
		snprintf(expected, sizeof(expected), "%02u", value);
		cr_assert_arr_eq(got, expected, 2);
	}
}
