/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

struct size_case {
	char text[32];
	int r;
	uint64_t bytes;
};

ParameterizedTestParameters(str, sizes)
{
	static struct size_case params[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "512B", 0, 512 },
		{ "2KiB", 0, 2048 },
		{ "2KB", 0, 2000 },
		{ "512MiB", 0, 536870912 },
		{ "3MB", 0, 3000000 },
		{ "2GiB", 0, 2147483648 },
		{ "2 GB", 0, 2000000000 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "8589934592GiB", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "B", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "1.5GiB", -EINVAL, 0 },
		{ "1gib", -EINVAL, 0 },
		{ "1 GiB ", -EINVAL, 0 },
		{ " 1GiB", -EINVAL, 0 },
		{ "1TiB", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	return cr_make_param_array(struct size_case, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct size_case *param, str, sizes)
{
	uint64_t bytes = 0;

	cr_assert_eq(pol_str_size(param->text, &bytes), param->r, "%s", param->text);
	cr_assert_eq(bytes, param->bytes, "%s", param->text);
}

struct path_case {
	char path[32];
	int r;
	char clean[32];
};

ParameterizedTestParameters(str, paths)
{
	static struct path_case params[] = {
		{ "/", 0, "/" },
		{ "//", 0, "/" },
		{ "/.", 0, "/" },
		{ "/a", 0, "/a" },
		{ "/a/", 0, "/a" },
		{ "//a//./b/.", 0, "/a/b" },
		{ "/...", 0, "/..." },
		{ "/..a/b..", 0, "/..a/b.." },
		{ "/.a", 0, "/.a" },
		{ "/\xff\n", 0, "/\xff\n" },
		{ "", POL_PATH_EMPTY, "" },
		{ "a", POL_PATH_RELATIVE, "" },
		{ "./a", POL_PATH_RELATIVE, "" },
		{ "/..", POL_PATH_DOTDOT, "" },
		{ "/a/../b", POL_PATH_DOTDOT, "" },
		{ "/a/..", POL_PATH_DOTDOT, "" },
	};

	return cr_make_param_array(struct path_case, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct path_case *param, str, paths)
{
	char *clean = NULL;

	cr_assert_eq(pol_path_clean(param->path, strlen(param->path), &clean), param->r, "%s",
		     param->path);
	if (param->r == POL_PATH_OK)
		cr_assert_str_eq(clean, param->clean);
	else
		cr_assert_null(clean);
	free(clean);
}

Test(str, names_over_255_bytes_and_nul_are_faults)
{
	char path[300], *clean = NULL;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	cr_assert_eq(pol_path_clean(path, 257, &clean), POL_PATH_NAME_TOO_LONG);
	cr_assert_eq(pol_path_clean(path, 256, &clean), POL_PATH_OK);
	free(clean);
	cr_assert_eq(pol_path_clean("/a\0b", 4, &clean), POL_PATH_NUL);
}

Test(str, nearest_word)
{
	static const char *const words[] = { "path", "access", "name", "optional", "io", "in" };

	cr_assert_str_eq(pol_str_nearest("acces", words, 6), "access");
	cr_assert_str_eq(pol_str_nearest("accses", words, 6), "access");
	cr_assert_str_eq(pol_str_nearest("paht", words, 6), "path");
	cr_assert_str_eq(pol_str_nearest("optionally", words, 6), "optional");
	cr_assert_null(pol_str_nearest("colour", words, 6));
	cr_assert_null(pol_str_nearest("", words, 6));
	cr_assert_null(pol_str_nearest(
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", words, 6));
}

Test(str, utf8)
{
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff", "\xc3("
	};
	uint32_t cp;

	cr_assert_eq(pol_utf8_next("\xf0\x9f\x98\x80", 4, &cp), 4);
	cr_assert_eq(cp, 0x1f600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_lt(pol_utf8_next(bad[i], strlen(bad[i]), &cp), 0, "%zu", i);
		cr_assert_eq(cp, 0xfffd);
	}
}

Test(str, hex)
{
	char *bytes = NULL;
	size_t len;

	cr_assert_eq(pol_hex_decode("2f73FF", &bytes, &len), 0);
	cr_assert_eq(len, 3);
	cr_assert_eq(memcmp(bytes, "/s\xff", 4), 0);
	free(bytes);
	bytes = NULL;
	cr_assert_eq(pol_hex_decode("2f7", &bytes, &len), -EINVAL);
	cr_assert_eq(pol_hex_decode("2fgg", &bytes, &len), -EINVAL);
	cr_assert_null(bytes);
}
