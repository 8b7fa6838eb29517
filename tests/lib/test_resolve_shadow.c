/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is warned of in shadow.paths where it is looked at on this host. */
#include <criterion/criterion.h>

#include "resolve_fixture.h"

TestSuite(resolve_shadow, .init = init, .fini = fini, .timeout = 300);

static void use(const char *guests)
{
	char text[4096];

	need_tree();
	cr_assert_lt((size_t)snprintf(text, sizeof(text), "version = 1\n%s", guests), sizeof(text));
	tree_dir(tree, "lib");
	tree_dir(tree, "lib/sub");
	tree_link(tree, "link", "lib");
	policy = tree_policy(tree, text, &diags);
	cr_assert(policy);
	resolve_ok();
}

static size_t count(const char *code)
{
	size_t cnt = 0;

	for (size_t i = 0; i < diags.cnt; i++)
		cnt += strcmp(diags.items[i].code, code) == 0;
	return cnt;
}

Test(resolve_shadow, a_symlink_is_named_with_what_it_leads_to)
{
	use("[guest.a.shadow]\npaths = [\"@/link\", \"@/link/sub\", \"@/lib\", \"@/missing\"]\n");
	cr_expect_eq(count("P0644"), 2);
	cr_expect_eq(diags.cnt, 2);
	cr_expect(diags.items[0].warning);
	cr_expect(strstr(diags.items[0].message, "/link'"));
	cr_expect(strstr(diags.items[0].message, "/lib'"));
	cr_expect_eq(diags.items[0].line, 2);
}

#define RULE(path, access) "files = [ { path = \"@/" path "\", access = \"" access "\" } ]\n"
#define SHADOW(exec)	   "[guest.a.shadow]\npaths = [\"@/lib\"]\nexec = " exec "\n"

Test(resolve_shadow, what_a_guest_writes_another_should_not_execute)
{
	use("[guest.b]\n" RULE("lib", "rw") SHADOW("true"));
	cr_expect_eq(count("P0645"), 1);
	cr_expect(strstr(diags.items[0].message, "guest 'a' may be given to execute"));
	cr_expect(strstr(diags.items[0].message, "guest 'b'"));
}

Test(resolve_shadow, above_it_and_beneath_it_and_by_itself)
{
	use("[guest.b]\nfiles = [ { path = \"@\", access = \"rw\" } ]\n"
	    "[guest.c]\n" RULE("lib/sub", "rw") "[guest.a]\n" RULE("lib", "rw") SHADOW("true"));
	cr_expect_eq(count("P0645"), 3);
}

Test(resolve_shadow, not_what_nobody_writes)
{
	use("[guest.b]\n" RULE("lib", "rx") "[guest.c]\nfiles = [ { path = \"@\", access = \"rw\" },\n"
	    "{ path = \"@/lib\", access = \"ro\" } ]\n" SHADOW("true"));
	cr_expect_eq(count("P0645"), 0);
}

Test(resolve_shadow, not_where_nothing_is_executed)
{
	use("[guest.b]\n" RULE("lib", "rw") SHADOW("false"));
	cr_expect_eq(count("P0645"), 0);
}
