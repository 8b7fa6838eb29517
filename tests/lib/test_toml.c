/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tmptree.h"
#include "toml.h"

#define MUTATIONS 4000

static int parse(const char *text, struct pol_toml_node *ret, struct pol_toml_error *err)
{
	return pol_toml_parse(text, strlen(text), ret, err);
}

Test(toml, keeps_the_order_and_the_places_of_the_file)
{
	struct pol_toml_node root;
	struct pol_toml_error err;
	const struct pol_toml_entry *e;

	cr_assert_eq(
		parse("zz = 1\n[b.c]\n\"gr\xc3\xb6\" = { y = 1, x = [true, 1.5] }\n[[a]]\n[[a]]\n",
		      &root, &err),
		0);
	cr_assert_eq(root.cnt, 3);
	cr_assert_str_eq(root.entries[0].key, "zz");
	cr_assert_eq(root.entries[0].value.integer, 1);
	cr_assert_str_eq(root.entries[1].key, "b");
	e = &root.entries[1].value.entries[0];
	cr_assert_str_eq(e->key, "c");
	cr_assert_eq(e->line, 2);
	cr_assert_eq(e->col, 4);
	e = &e->value.entries[0];
	cr_assert_str_eq(e->key, "gr\xc3\xb6");
	cr_assert_eq(e->value.col, 9, "columns count code points, not bytes");
	cr_assert_str_eq(e->value.entries[0].key, "y");
	cr_assert_eq(e->value.entries[1].value.items[0].type, POL_TOML_BOOLEAN);
	cr_assert_eq(e->value.entries[1].value.items[1].type, POL_TOML_FLOAT);
	cr_assert_eq(root.entries[2].value.items[1].line, 5);
	pol_toml_done(&root);
}

Test(toml, strings_may_hold_nul)
{
	struct pol_toml_node root;
	struct pol_toml_error err;

	cr_assert_eq(parse("a = \"x\\u0000y\"\n", &root, &err), 0);
	cr_assert_eq(root.entries[0].value.cnt, 3);
	cr_assert_eq(memcmp(root.entries[0].value.string, "x\0y", 4), 0);
	pol_toml_done(&root);
}

Test(toml, leaves_the_result_alone_on_a_syntax_error)
{
	struct pol_toml_node root = { .line = 42 };
	struct pol_toml_error err;

	cr_assert_eq(parse("a = 1\nb = \n", &root, &err), -EINVAL);
	cr_assert_eq(root.line, 42);
	cr_assert_eq(err.line, 2);
	cr_assert_neq(err.message[0], '\0');
}

struct hostile {
	char before[32];
	char repeated[32];
	size_t cnt;
};

ParameterizedTestParameters(toml, hostile_input_is_an_error_at_once)
{
	/* Each of these ended toml++ 3.3 by a signal, or is the next of kin of one that did. */
	static struct hostile params[] = {
		{ "", "[", 10000000 },		{ "x=", "[", 10000000 },
		{ "x=[\n", "[", 10000000 },	{ "a", ".a", 5000000 },
		{ "[a", ".a", 5000000 },	{ "a", " . \"a\"", 1000000 },
		{ "x=", "{a=", 2000000 },	{ "x=", "{a.b.c.d.e.f=", 500000 },
		{ "x=\"", "a", 10000000 },	{ "", "\xff", 10000000 },
		{ "", "[[", 2000000 },		{ "x=", "[{a=", 2000000 },
		{ "x='''", "'", 10000000 },	{ "", "[a]\n[", 100000 },
		{ "x=\"\"\"", "\"\"\\", 1000 }, { "", "\"a\".", 1000000 },
	};

	return cr_make_param_array(struct hostile, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct hostile *param, toml, hostile_input_is_an_error_at_once, .timeout = 300)
{
	size_t step = strlen(param->repeated), len = strlen(param->before);
	char *text = malloc(len + step * param->cnt + 1);
	struct pol_toml_node root;
	struct pol_toml_error err;

	memcpy(text, param->before, len);
	for (size_t i = 0; i < param->cnt; i++, len += step)
		memcpy(text + len, param->repeated, step);
	cr_assert_eq(pol_toml_parse(text, len, &root, &err), -EINVAL);
	cr_assert_geq(err.line, 1);
	cr_assert_geq(err.col, 1);
	free(text);
}

Test(toml, brackets_in_values_strings_and_comments_are_not_headers)
{
	struct pol_toml_node root;
	struct pol_toml_error err;

	cr_assert_eq(parse("a = [\n[\n[=1]]]\n", &root, &err),
		     -EINVAL); /* the parser's, not ours */
	cr_assert_eq(parse("a = [\n[\n[1,\n2]]\n]\n# [=\n# [[[\nb = \"\"\"\n[=\n[[[\n\"\"\"\n"
			   "c = '''\n[[[\n'''\nd = \"\\\"[\"\n  [ e ]\n [[ f ]]\n",
			   &root, &err),
		     0, "%d:%d %s", err.line, err.col, err.message);
	pol_toml_done(&root);
}

Test(toml, mutated_bytes_never_end_the_process, .timeout = 600)
{
	static const char bits[] = "[]{}=.,\"'\\#\n \t\0\xff\xc3z0-_+e";
	unsigned int seed = getenv("SEED") ? (unsigned int)strtoul(getenv("SEED"), NULL, 10)
					   : (unsigned int)time(NULL);
	size_t len, accepted = 0;
	char *valid = file_read("tests/data/valid/contract.toml", &len), *text;

	cr_assert(valid);
	fprintf(stderr, "toml: SEED=%u\n", seed);
	text = malloc(len);
	for (int i = 0; i < MUTATIONS; i++) {
		struct pol_toml_node root;
		struct pol_toml_error err;
		size_t cut = (size_t)rand_r(&seed) % len + 1;

		memcpy(text, valid, len);
		for (int k = rand_r(&seed) % 4; k >= 0; k--)
			text[(size_t)rand_r(&seed) % len] =
				bits[(size_t)rand_r(&seed) % (sizeof(bits) - 1)];
		if (pol_toml_parse(text, i % 2 ? len : cut, &root, &err) == 0) {
			pol_toml_done(&root);
			accepted++;
		} else {
			cr_assert(!strstr(err.message, "gave up"), "an assertion of toml++: %d", i);
		}
	}
	cr_assert_gt(accepted, 0, "no mutation was valid: the test tests nothing");
	free(text);
	free(valid);
}
