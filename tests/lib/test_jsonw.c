/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "jsonw.h"
#include "records.h"

#define AAA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char buf[65536];
static struct pol_jsonw w;

static void begin(void)
{
	pol_jsonw_init(&w, buf, sizeof(buf));
}

static void assert_bytes(const void *data, size_t len, const char *expected, unsigned int flags)
{
	begin();
	cr_assert_eq(pol_jsonw_bytes(&w, data, len, 0), flags, "%s", expected);
	cr_assert_gt(pol_jsonw_finish(&w), 0);
	cr_assert_str_eq(buf, expected);
}

Test(jsonw, writes_values_with_their_commas)
{
	begin();
	pol_jsonw_open(&w, '{');
	pol_jsonw_key(&w, "a");
	pol_jsonw_uint(&w, 1);
	pol_jsonw_key(&w, "b");
	pol_jsonw_open(&w, '[');
	pol_jsonw_bool(&w, true);
	pol_jsonw_null(&w);
	pol_jsonw_text(&w, "x");
	pol_jsonw_text(&w, NULL);
	pol_jsonw_close(&w, ']');
	pol_jsonw_key(&w, "c");
	pol_jsonw_u64_text(&w, UINT64_MAX);
	pol_jsonw_key(&w, "d");
	pol_jsonw_open(&w, '{');
	pol_jsonw_close(&w, '}');
	pol_jsonw_close(&w, '}');
	cr_assert_eq(pol_jsonw_finish(&w), (int)strlen(buf));
	cr_assert_str_eq(buf, "{\"a\":1,\"b\":[true,null,\"x\",null],"
			      "\"c\":\"18446744073709551615\",\"d\":{}}");
}

Test(jsonw, escapes_controls_quotes_and_marks)
{
	assert_bytes("a\"\\\b\t\n\f\r\x01\x1f\x7f/", 12,
		     "\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f/\"", 0);
	assert_bytes("\u2028\u2029\u202e\u200f\u061c", 14,
		     "\"\\u2028\\u2029\\u202e\\u200f\\u061c\"", 0);
	assert_bytes("\xc2\x9b\ufeff", 5, "\"\\u009b\\ufeff\"", 0);
	assert_bytes("\U000e0041", 4, "\"\\udb40\\udc41\"", 0);
	assert_bytes("ä€😀\ufffd", 12, "\"ä€😀\ufffd\"", 0);
}

Test(jsonw, replaces_what_is_no_utf8_byte_by_byte)
{
	assert_bytes("a\xff", 2, "\"a\ufffd\"", POL_JSONW_LOSSY);
	assert_bytes("\xc0\xaf", 2, "\"\ufffd\ufffd\"", POL_JSONW_LOSSY);
	assert_bytes("\xed\xa0\x80", 3, "\"\ufffd\ufffd\ufffd\"", POL_JSONW_LOSSY);
	assert_bytes("\xf4\x90\x80\x80", 4, "\"\ufffd\ufffd\ufffd\ufffd\"", POL_JSONW_LOSSY);
	assert_bytes("\xe2\x82", 2, "\"\ufffd\ufffd\"", POL_JSONW_LOSSY);
	assert_bytes("a\0b", 3, "\"a\ufffdb\"", POL_JSONW_LOSSY);
}

Test(jsonw, cuts_at_a_character)
{
	begin();
	cr_assert_eq(pol_jsonw_bytes(&w, "ab€", 5, 4), POL_JSONW_CUT);
	cr_assert_eq(pol_jsonw_bytes(&w, "ab\n", 3, 3), POL_JSONW_CUT);
	cr_assert_eq(pol_jsonw_bytes(&w, "ab€", 5, 5), 0);
	cr_assert_gt(pol_jsonw_finish(&w), 0);
	cr_assert_str_eq(buf, "\"ab\",\"ab\",\"ab€\"");
}

Test(jsonw, writes_hex_in_whole_bytes)
{
	begin();
	cr_assert_eq(pol_jsonw_hex(&w, "/s\xff", 3, 0), 0);
	cr_assert_eq(pol_jsonw_hex(&w, "/s\xff", 3, 5), POL_JSONW_CUT);
	cr_assert_eq(pol_jsonw_hex(&w, "/s\xff", 3, 6), 0);
	cr_assert_gt(pol_jsonw_finish(&w), 0);
	cr_assert_str_eq(buf, "\"2f73ff\",\"2f73\",\"2f73ff\"");
}

Test(jsonw, never_writes_past_its_buffer)
{
	for (size_t size = 0; size < 45; size++) {
		char *small = malloc(size ? size : 1);

		cr_assert_not_null(small);
		pol_jsonw_init(&w, small, size);
		pol_jsonw_open(&w, '[');
		(void)pol_jsonw_bytes(&w, "a\nb\xff€", 7, 0);
		pol_jsonw_uint(&w, UINT64_MAX);
		pol_jsonw_close(&w, ']');
		/* ["a\nb?€",18446744073709551615], NUL, and what a number wants besides its digits */
		cr_assert_eq(pol_jsonw_finish(&w) > 0, size >= 39, "%zu", size);
		free(small);
	}
}

/* Whatever the byte, the length and the place: as that byte alone is written. */
Test(jsonw, finds_every_byte_at_every_place)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		const char one = (char)byte;
		char alone[16], text[40], expected[128];
		unsigned int flags;

		begin();
		flags = pol_jsonw_bytes(&w, &one, 1, 0);
		cr_assert_lt(pol_jsonw_finish(&w), (int)sizeof(alone));
		snprintf(alone, sizeof(alone), "%.*s", (int)strlen(buf) - 2, buf + 1);
		for (size_t len = 1; len < sizeof(text); len++)
			for (size_t at = 0; at < len; at++) {
				memset(text, 'a', len);
				text[at] = one;
				snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)at, AAA,
					 alone, (int)(len - at - 1), AAA);
				assert_bytes(text, len, expected, flags);
				cr_assert_eq(pol_jsonw_clean(text, len), byte < 0x80 && alone[0] == one &&
								 !alone[1]);
			}
	}
}

/* Any bytes give a string that a JSON reader takes, and gives back where nothing was replaced. */
Test(jsonw, round_trips_random_bytes, .timeout = 300)
{
	uint64_t seed = test_seed("jsonw");

	for (int i = 0; i < 3000; i++) {
		unsigned char data[64];
		size_t len = test_random(&seed) % sizeof(data);
		unsigned int flags;
		json_t *json;

		for (size_t at = 0; at < len; at++) {
			uint64_t bits = test_random(&seed);

			/* Half the runs plain ASCII and controls: those must come back whole. */
			data[at] = i % 2 ? (unsigned char)(1 + bits % 126) : (unsigned char)bits;
		}
		begin();
		flags = pol_jsonw_bytes(&w, data, len, 0);
		cr_assert_gt(pol_jsonw_finish(&w), 0);
		cr_assert_null(strchr(buf, '\n'));
		json = json_loads(buf, JSON_DECODE_ANY, NULL);
		cr_assert_not_null(json, "%s", buf);
		cr_assert_eq(flags == 0, pol_char_valid(data, len));
		if (flags == 0) {
			cr_assert_eq(json_string_length(json), len);
			cr_assert_arr_eq(json_string_value(json), data, len);
		}
		json_decref(json);
	}
}
