/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decimal.h"

#include <endian.h>

#define EIGHT UINT32_C(100000000)

const char pol_decimal_pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
				 "3536373839404142434445464748495051525354555657585960616263646566676869"
				 "707172737475767778798081828384858687888990919293949596979899";

/*
 * The eight digits as bytes 0 to 9, the first one lowest: split into two halves of four digits, these
 * into pairs, these into digits, all halves at once. 10486 / 2^20 is 1 / 100 below 10^4, 103 / 2^10 is
 * 1 / 10 below 100.
 */
static inline __attribute__((always_inline)) uint64_t split(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t high = fours * 10486 >> 20 & 0x7f0000007f;
	uint64_t pairs = high | (fours - 100 * high) << 16;
	uint64_t tens = pairs * 103 >> 10 & 0xf000f000f000f;

	return tens | (pairs - 10 * tens) << 8;
}

static void store(char *to, uint64_t digits)
{
	digits = htole64(digits);
	memcpy(to, &digits, sizeof(digits));
}

void pol_decimal_8(char *to, uint32_t value)
{
	store(to, split(value) | 0x3030303030303030);
}

size_t pol_decimal_put(char *to, uint64_t value)
{
	uint64_t digits;
	int zeros;

	if (value < 100) {
		size_t one = value < 10;

		memcpy(to, pol_decimal_pairs + 2 * value + one, 2);
		return 2 - one;
	}
	if (value < 10000) {
		size_t n = pol_decimal_put(to, value / 100);

		pol_decimal_pair(to + n, (unsigned int)(value % 100));
		return n + 2;
	}
	if (value >= EIGHT) {
		size_t n = pol_decimal_put(to, value / EIGHT);

		pol_decimal_8(to + n, (uint32_t)(value % EIGHT));
		return n + 8;
	}
	digits = split((uint32_t)value);
	zeros = __builtin_ctzll(digits) / 8;
	store(to, (digits | 0x3030303030303030) >> 8 * zeros);
	return 8 - (size_t)zeros;
}
