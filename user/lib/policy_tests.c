/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [[test]]: unit tests of a policy, which `policyctl test` runs. Pure. */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"

static int by_name(const void *key, const void *section)
{
	return strcmp(key, ((const struct pol_section *)section)->name);
}

/* The guests are sorted by name when tests are looked at. */
static int parse_guest(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	const struct pol_section *guest = NULL;

	if (!pol_want(p, e, POL_TOML_STRING))
		return 0;
	if (p->guests_cnt)
		guest = bsearch(e->value.string, p->guests, p->guests_cnt, sizeof(*p->guests),
				by_name);
	if (guest)
		((struct pol_test *)into)->guest = (size_t)(guest - p->guests);
	else
		POL_FAULT(p, POL_P_TEST_GUEST, &e->value, NULL, "this policy has no guest '%s'",
			  e->value.string);
	return 0;
}

static int parse_access(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)pol_parse_right(p, e, &((struct pol_test *)into)->right);
	return 0;
}

static int parse_any_path(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_test *test = into;
	bool hex = strcmp(e->key, "path_hex") == 0;

	if (!test->path)
		return pol_parse_path(p, e, hex, &test->path);
	POL_FAULT(p, POL_P_KEYS_BOTH, e, NULL, "'%s' beside '%s': a test has one path", e->key,
		  hex ? "path" : "path_hex");
	return 0;
}

static int parse_expect(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "allow", "deny" };

	((struct pol_test *)into)->allow = pol_word(p, e, words, ARRAY_SIZE(words)) == 0;
	return 0;
}

static bool has_path(const struct pol_toml_node *table)
{
	for (size_t i = 0; i < table->cnt; i++)
		if (strcmp(table->entries[i].key, "path") == 0 ||
		    strcmp(table->entries[i].key, "path_hex") == 0)
			return true;
	return false;
}

static int parse_one(struct pol_parser *p, const struct pol_toml_node *table)
{
	static const struct pol_key keys[] = {
		{ .name = "guest",
		  .parse = parse_guest,
		  .required = "the name of a guest of this policy" },
		{ .name = "access",
		  .parse = parse_access,
		  .required = "one right: read, write, ..." },
		{ .name = "path", .parse = parse_any_path },
		{ .name = "path_hex", .parse = parse_any_path },
		{ .name = "expect", .parse = parse_expect, .required = "\"allow\" or \"deny\"" },
	};
	struct pol_test *test = &p->tests[p->tests_cnt++];
	int r;

	test->line = table->line;
	test->col = table->col;
	r = pol_keys_parse(p, table, "a [[test]]", keys, ARRAY_SIZE(keys), test);
	if (r == 0 && !has_path(table))
		POL_FAULT(p, POL_P_MISSING, table, NULL, "a [[test]] has no 'path'");
	return r;
}

int pol_parse_tests(struct pol_parser *p)
{
	size_t cnt = p->tests_node ? p->tests_node->cnt : 0;
	int r = 0;

	p->tests = calloc(cnt + 1, sizeof(*p->tests));
	if (!p->tests)
		return -ENOMEM;
	for (size_t i = 0; i < cnt && r == 0; i++) {
		const struct pol_toml_node *table = &p->tests_node->items[i];

		if (table->type == POL_TOML_TABLE)
			r = parse_one(p, table);
		else
			POL_FAULT(p, POL_P_TYPE, table, NULL, "a 'test' must be a table");
	}
	return r;
}
