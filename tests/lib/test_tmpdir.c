/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tmpdir.h"

#include <criterion/criterion.h>
#include <linux/types.h>

#include "abi.h"
#include "tmptree.h"

static struct pol_diags diags;

static struct pol_policy *parse(const char *text)
{
	struct pol_policy *policy = tree_policy("/srv", text, &diags);

	cr_assert(policy, "the policy has errors");
	return policy;
}

static void done(struct pol_policy *policy)
{
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

Test(tmpdir, a_rule_for_whoever_has_the_knob)
{
	struct pol_policy *policy = parse("version = 1\n"
					  "[guest.silent]\n"
					  "[guest.web]\n"
					  "tmp = \"private\"\n"
					  "files = [ { path = \"/etc\", access = \"ro\" },\n"
					  "{ path = \"/usr\", access = \"rx\" } ]\n");
	const struct pol_guest *web = pol_policy_guest(policy, "web");
	const struct pol_rule *rule;

	cr_assert_eq(web->knobs, POL_GUEST_TMP);
	cr_assert_eq(pol_tmp_add_rules(policy), 0);
	cr_assert_eq(pol_policy_guest(policy, "silent")->rules_cnt, 0);
	cr_assert_eq(web->rules_cnt, 3);
	rule = &web->rules[1]; /* sorted by path */
	cr_assert_str_eq(rule->path, "/run/policyctl/tmp/web");
	cr_assert_str_eq(rule->name, "tmp");
	cr_assert_eq(rule->access, POL_ACCESS_RW);
	cr_assert_eq(rule->line, 3);
	cr_assert_eq(pol_guest_rule(web, rule->path), rule);
	done(policy);
}

Test(tmpdir, by_default_and_not)
{
	struct pol_policy *policy = parse("version = 1\n"
					  "[defaults]\n"
					  "tmp = \"private\"\n"
					  "[guest.a]\n"
					  "[guest.b]\n"
					  "tmp = \"none\"\n");

	cr_assert_eq(pol_tmp_add_rules(policy), 0);
	cr_assert_eq(policy->guests[0].rules_cnt, 1);
	cr_assert_eq(policy->guests[1].rules_cnt, 0);
	done(policy);
}

Test(tmpdir, a_rule_of_the_guest_s_own_stands)
{
	struct pol_policy *policy = parse("version = 1\n"
					  "[guest.a]\n"
					  "tmp = \"private\"\n"
					  "[[guest.a.files]]\n"
					  "path = \"/run/policyctl/tmp/a\"\n"
					  "access = \"rwx\"\n");

	cr_assert_eq(pol_tmp_add_rules(policy), 0);
	cr_assert_eq(policy->guests[0].rules_cnt, 1);
	cr_assert(policy->guests[0].rules[0].access & POL_RIGHT_EXECUTE);
	done(policy);
}

static size_t warnings(const char *rules)
{
	char text[512];
	struct pol_policy *policy;
	size_t cnt;

	(void)snprintf(text, sizeof(text),
		       "version = 1\n[guest.a]\ntmp = \"private\"\nfiles = [ %s ]\n"
		       "[guest.b]\nfiles = [ { path = \"/tmp\", access = \"ro\" } ]\n",
		       rules);
	policy = parse(text);
	cnt = diags.warnings;
	done(policy);
	return cnt;
}

Test(tmpdir, rules_that_it_hides)
{
	cr_expect_eq(warnings(""), 0);
	cr_expect_eq(warnings("{ path = \"/tmp\", access = \"ro\" }"), 1);
	cr_expect_eq(warnings("{ path = \"/tmp/a/b\", access = \"none\" }"), 1);
	cr_expect_eq(warnings("{ path = \"/var/tmp/\", access = \"ro\" }"), 1);
	cr_expect_eq(warnings("{ path = \"/tmp/a*\", glob = true, access = \"ro\" }"), 1);
	cr_expect_eq(warnings("{ path = \"/tmpfiles\", access = \"ro\" }"), 0);
	cr_expect_eq(warnings("{ path = \"/var\", access = \"ro\" }"), 0);
	cr_expect_eq(warnings("{ path = \"/srv/tmp\", access = \"ro\" }"), 0);
}
