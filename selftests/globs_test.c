/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Globs in rules: what is there when the policy is loaded, as ordinary rules. */
#include "harness.h"

#include "guest.h"

static const char *root;

static const char *at(const char *name)
{
	return text("%s/%s", root, name);
}

static void make_tree(void)
{
	root = scratch();
	make_dir(at("d"));
	make_file(at("d/a.conf"), "x");
	make_file(at("d/b.txt"), "x");
	for (const char *const *user = STEPS("one", "two"); *user; user++) {
		make_dir(at(*user));
		make_file(text("%s/%s/f", root, *user), "x");
		make_file(text("%s/%s/secret", root, *user), "x");
	}
}

#define GLOB(path, access) "\t{ path = \"" path "\", access = \"" access "\", glob = true },\n"

TEST(what_is_there_at_the_load)
{
	make_tree();
	ASSERT_LOAD(GUEST("g") FILES GLOB("%s/d/*.conf", "ro") END, root);
	EXPECT_EQ(0, PROBE("g", "open", "r", at("d/a.conf")));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", at("d/a.conf")));
	EXPECT_EVENT("type=violation", "missing=write", "reason=rule",
		     text("rule.path=%s", at("d/a.conf")),
		     text("rule.where=" POLICY_FILE ":%d", RUNTIME_LINES + 4));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", at("d/b.txt")));
	EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s", at("d/b.txt")));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", at("d/b.txt")));
	make_file(at("d/c.conf"), "x");
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", at("d/c.conf")));
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	EXPECT_EQ(0, PROBE("g", "open", "r", at("d/c.conf")));
	EXPECT_CTL(0, text("d/*.conf matches %s", at("d/c.conf")), "check " POLICY_FILE);
	EXPECT_CTL(0, "which --offline does not look up", "check --offline " POLICY_FILE);
}

/* Holes in many places, and the name itself beside them. */
TEST(carve_outs)
{
	make_tree();
	ASSERT_LOAD(GUEST("g") FILES RULE("%1$s", "ro") GLOB("%1$s/*/secret", "none") END, root);
	EXPECT_EQ(0, PROBE("g", "open", "r", at("one/f")));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", at("one/secret")));
	EXPECT_EVENT("type=violation", "reason=rule",
		     "rule.access=", text("rule.path=%s", at("one/secret")));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", at("two/secret")));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", at("two/secret")));
}

/* Who could make names there would choose what the next load gives. */
TEST(a_guest_does_not_choose)
{
	make_tree();
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/d", "rw") END, root);
	EXPECT_EQ(0, PROBE("g", "open", "wc", at("d/evil.conf")));
	EXPECT_EQ(3, policy_load(GUEST("g") FILES GLOB("%s/d/*.conf", "rwx") END, root));
	EXPECT_TRUE(strstr(ctl_said, "P0522"));
	EXPECT_EQ(0, PROBE("g", "open", "r", at("d/b.txt")));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/d", "ro") END, root);
	ASSERT_LOAD(GUEST("g") FILES GLOB("%s/d/*.conf", "ro") END, root);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", at("d/b.txt")));
}

LEAVES_NO_GUEST()
