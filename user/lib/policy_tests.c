/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [[test]]: read and validated whole, though nothing runs them yet. Pure. */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"

struct test {
	struct pol_parser *p;
	bool has_path;
};

static int by_name(const void *key, const void *section)
{
	return strcmp(key, ((const struct pol_section *)section)->name);
}

/* The guests are sorted by name when tests are looked at. */
static int parse_guest(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)into;
	if (!pol_want(p, e, POL_TOML_STRING))
		return 0;
	if (!p->guests_cnt ||
	    !bsearch(e->value.string, p->guests, p->guests_cnt, sizeof(*p->guests), by_name))
		POL_FAULT(p, POL_P_TEST_GUEST, &e->value, NULL, "this policy has no guest '%s'",
			  e->value.string);
	return 0;
}

static int parse_access(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	uint32_t right;

	(void)into;
	(void)pol_parse_right(p, e, &right);
	return 0;
}

static int parse_any_path(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	_cleanup_free_ char *path = NULL;

	((struct test *)into)->has_path = true;
	return pol_parse_path(p, e, strcmp(e->key, "path_hex") == 0, &path);
}

static int parse_expect(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "allow", "deny" };

	(void)into;
	(void)pol_word(p, e, words, ARRAY_SIZE(words));
	return 0;
}

int pol_parse_tests(struct pol_parser *p)
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
	int r = 0;

	for (size_t i = 0; p->tests && i < p->tests->cnt && r == 0; i++) {
		const struct pol_toml_node *table = &p->tests->items[i];
		struct test test = { .p = p };

		if (table->type != POL_TOML_TABLE) {
			POL_FAULT(p, POL_P_TYPE, table, NULL, "a 'test' must be a table");
			continue;
		}
		r = pol_keys_parse(p, table, "a [[test]]", keys, ARRAY_SIZE(keys), &test);
		if (r == 0 && !test.has_path)
			POL_FAULT(p, POL_P_MISSING, table, NULL, "a [[test]] has no 'path'");
	}
	if (p->tests && p->tests->cnt)
		POL_WARN(
			p, POL_P_TESTS, &p->tests->items[0], NULL,
			"`policyctl test` is not in this version: the tests are checked for mistakes, and not run");
	return r;
}
