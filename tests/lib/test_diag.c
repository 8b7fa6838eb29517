/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "str.h"
#include "tmptree.h"

Test(diag, prints_source_caret_and_help)
{
	struct pol_diags diags = { 0 };
	char *text;

	cr_assert_eq(pol_diags_source(&diags, "policy.toml", "a = 1\nacces = \"rw\"\n", 19), 0);
	pol_diag_add(&diags, false, POL_P_KEY, 2, 1, "did you mean 'access'?", "unknown key '%s'",
		     "acces");
	text = text_print(&diags, false);
	cr_assert_str_eq(text, "policy.toml:2:1: error[P0101]: unknown key 'acces'\n"
			       "    2 | acces = \"rw\"\n"
			       "      | ^\n"
			       "   help: did you mean 'access'?\n");
	free(text);
	pol_diags_done(&diags);
}

Test(diag, json_is_one_object_a_line_in_the_contracts_order)
{
	struct pol_diags diags = { 0 };
	char *text;

	cr_assert_eq(pol_diags_source(&diags, "p.toml", "x\ny\nz = 1\n", 10), 0);
	pol_diag_add(&diags, true, POL_P_ROOT, 3, 5, NULL, "say \"%s\"", "x");
	pol_diag_add(&diags, false, POL_P_KEY, 1, 1, "h", "m");
	text = text_print(&diags, true);
	cr_assert_str_eq(
		text,
		"{\"severity\":\"error\",\"code\":\"P0101\",\"file\":\"p.toml\",\"line\":1,\"col\":1,\"message\":\"m\",\"help\":\"h\"}\n"
		"{\"severity\":\"warning\",\"code\":\"P0601\",\"file\":\"p.toml\",\"line\":3,\"col\":5,\"message\":\"say \\\"x\\\"\",\"help\":null}\n");
	free(text);
	pol_diags_done(&diags);
}

Test(diag, the_file_as_a_whole_has_no_place)
{
	struct pol_diags diags = { 0 };
	char *text;

	cr_assert_eq(pol_diags_source(&diags, "none.toml", NULL, 0), 0);
	pol_diag_add(&diags, false, POL_P_READ, 0, 0, NULL, "gone");
	text = text_print(&diags, false);
	cr_assert_str_eq(text, "none.toml: error[P0001]: gone\n");
	free(text);
	text = text_print(&diags, true);
	cr_assert(strstr(text, "\"line\":null,\"col\":null"));
	free(text);
	pol_diags_done(&diags);
}

Test(diag, is_sorted_by_place_and_keeps_one_of_a_kind)
{
	struct pol_diags diags = { 0 };
	const char *at;
	char *text;

	cr_assert_eq(pol_diags_source(&diags, "f", "", 0), 0);
	for (int i = 0; i < 1000; i++)
		pol_diag_add(&diags, false, POL_P_KEY, 1000 - i % 500, 1, NULL, "line %d", i % 500);
	cr_assert_eq(diags.cnt, 500);
	cr_assert_eq(diags.errors, 500);
	text = text_print(&diags, false);
	at = text;
	for (int i = 501; i <= 1000; i++) {
		int line;

		cr_assert_eq(sscanf(at, "f:%d:1:", &line), 1);
		cr_assert_eq(line, i);
		at = strchr(at, '\n') + 1;
	}
	free(text);
	pol_diags_done(&diags);
}

Test(diag, never_passes_control_characters_on)
{
	static const char source[] = "a\x1b[31m\x07\xff = \"\xe2\x80\xae\"\n";
	struct pol_diags diags = { 0 };
	json_error_t err;
	json_t *json;
	char *text;

	cr_assert_eq(pol_diags_source(&diags, "f\x1b\xff", source, sizeof(source) - 1), 0);
	pol_diag_add(&diags, false, POL_P_KEY, 1, 8, "\x9b\n", "key '%s'", "a\x1b[31m\x07\xff\r\n");
	text = text_print(&diags, false);
	for (const char *p = text; *p; p++)
		cr_assert(*p == '\n' || (unsigned char)*p >= ' ', "byte %#x", (unsigned char)*p);
	cr_assert(strstr(text, "key 'a\\x1b[31m\\x07\\xff\\x0d\\x0a'"));
	cr_assert(strstr(text, "\\u{202e}"));
	free(text);
	text = text_print(&diags, true);
	json = json_loads(text, 0, &err);
	cr_assert(json, "%s", err.text);
	json_decref(json);
	free(text);
	pol_diags_done(&diags);
}

Test(diag, strict_makes_warnings_errors)
{
	struct pol_diags diags = { 0 };

	pol_diag_add(&diags, true, POL_P_ROOT, 1, 1, NULL, "m");
	cr_assert_eq(diags.warnings, 1);
	pol_diags_strict(&diags);
	cr_assert_eq(diags.warnings, 0);
	cr_assert_eq(diags.errors, 1);
	cr_assert(!diags.items[0].warning);
	pol_diags_done(&diags);
}

Test(diag, a_column_behind_the_line_is_its_end)
{
	struct pol_diags diags = { 0 };

	cr_assert_eq(pol_diags_source(&diags, "f", "ab\r\ncd", 6), 0);
	pol_diag_add(&diags, false, POL_P_SYNTAX, 1, 99, NULL, "m");
	pol_diag_add(&diags, false, POL_P_SYNTAX, 7, 1, NULL, "m");
	cr_assert_str_eq(diags.items[0].source, "ab");
	cr_assert_eq(diags.items[0].caret, 2);
	cr_assert_null(diags.items[1].source);
	pol_diags_done(&diags);
}

/* Calls @fn for each P-code in @text that has a letter or digit neither before nor after it. */
static size_t each_code(const char *text, const char *prefix,
			void (*fn)(const char *code, void *arg), void *arg)
{
	size_t cnt = 0;

	for (const char *p = text; (p = strstr(p, prefix)); p++) {
		char code[6];

		p += strlen(prefix) - 1;
		if (strspn(p + 1, "0123456789") != 4)
			continue;
		(void)snprintf(code, sizeof(code), "P%.4s", p + 1);
		fn(code, arg);
		cnt++;
	}
	return cnt;
}

static void must_be_in(const char *code, void *text)
{
	cr_expect(strstr(text, code), "%s is missing on one side", code);
}

Test(diag, the_documented_codes_are_the_sources)
{
	char *source = file_read("user/lib/diag_codes.h", NULL);
	char *docs = file_read("Documentation/diagnostics.rst", NULL);

	cr_assert(source && docs);
	cr_assert_gt(each_code(source, "\"P", must_be_in, docs), 40);
	cr_assert_gt(each_code(docs, "\nP", must_be_in, source), 40);
	free(source);
	free(docs);
}

static void must_be_golden(const char *code, void *arg)
{
	static const char *const dirs[] = { "tests/data/invalid", "tests/data/valid" };
	bool found = false;

	(void)arg;
	/* P00: reading; P05 and the warnings of places (test_resolve*.c); the two caps: no data file. */
	if (strncmp(code, "P05", 3) == 0 ||
	    (strncmp(code, "P00", 3) == 0 && strcmp(code, "P0003") != 0) ||
	    strcmp(code, "P0607") == 0 || strcmp(code, "P0621") == 0 || strcmp(code, "P0610") == 0 ||
	    strcmp(code, "P0613") == 0 || strcmp(code, "P0614") == 0 || strcmp(code, "P0616") == 0 ||
	    strcmp(code, "P0605") == 0 || strcmp(code, "P0602") == 0 ||
	    strcmp(code, "P0644") == 0 || strcmp(code, "P0645") == 0 ||
	    strcmp(code, "P0603") == 0 || strcmp(code, "P0112") == 0 || strcmp(code, "P0210") == 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		DIR *dir = opendir(dirs[i]);
		struct dirent *entry;

		cr_assert(dir);
		while ((entry = readdir(dir))) {
			char path[512], *text;

			(void)snprintf(path, sizeof(path), "%s/%s", dirs[i], entry->d_name);
			if (!strstr(entry->d_name, ".err"))
				continue;
			text = file_read(path, NULL);
			found |= text && strstr(text, code);
			free(text);
		}
		closedir(dir);
	}
	cr_expect(found, "no golden file has %s", code);
}

Test(diag, every_code_of_the_parser_is_in_a_golden_file)
{
	char *source = file_read("user/lib/diag_codes.h", NULL);

	cr_assert(source);
	cr_assert_gt(each_code(source, "\"P", must_be_golden, NULL), 40);
	free(source);
}
