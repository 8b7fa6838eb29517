/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void test_golden(const char *name, const char *text)
{
	static char expected[65536];
	char path[256];
	size_t len;
	FILE *file;

	(void)snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("GOLDEN_UPDATE")) {
		file = fopen(path, "we");
		cr_assert_not_null(file, "cannot write %s", path);
		(void)fputs(text, file);
		(void)fclose(file);
		return;
	}
	file = fopen(path, "re");
	cr_assert_not_null(file, "no %s; GOLDEN_UPDATE=1 makes it", path);
	len = fread(expected, 1, sizeof(expected) - 1, file);
	(void)fclose(file);
	expected[len] = '\0';
	cr_assert_str_eq(text, expected, "%s differs:\n%s", path, text);
}
