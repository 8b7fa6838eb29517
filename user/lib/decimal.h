/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal digits, eight at a time: snprintf(3) takes ten times the instructions. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Room for any 64-bit number: 20 digits, and what is written beyond them and means nothing. */
#define POL_DECIMAL_ROOM 24

/* pol_decimal_put() - the digits of @value, no NUL. @to: POL_DECIMAL_ROOM bytes. Return: how many. */
size_t pol_decimal_put(char *to, uint64_t value);

/* pol_decimal_8() - exactly eight digits, no NUL. @value: below 10^8. */
void pol_decimal_8(char *to, uint32_t value);

/* Of 00 to 99. */
extern const char pol_decimal_pairs[];

/* pol_decimal_pair() - exactly two digits, no NUL. @value: below 100. */
static inline void pol_decimal_pair(char *to, unsigned int value)
{
	memcpy(to, pol_decimal_pairs + 2 * value, 2);
}
