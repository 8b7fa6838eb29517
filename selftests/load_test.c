/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load is a transaction (policy-language.md, semantics 4 and 10): one generation or the other for
 * every decision, a bad policy changes nothing, and no guest steers the next load.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest.h"

static const char *root, *ok, *no, *good, *bad;

static void make_two(void)
{
	root = scratch();
	ok = make_dir(text("%s/ok", root));
	no = make_dir(text("%s/no", root));
	good = make_file(text("%s/f", ok), "good\n");
	bad = make_file(text("%s/f", no), "bad\n");
}

#define ONE GUEST("g") FILES RULE("%s", "rw") END
#define SHADOW(guest) "[guest." guest ".shadow]\npaths = [\"/tmp\"]\n"

static long generation(void)
{
	return strtol(status_value("engine.generation"), NULL, 10);
}

TEST(load_makes_a_generation)
{
	long before;

	make_two();
	EXPECT_EQ(0, engine_down() ? 1 : 0);
	EXPECT_STREQ("false", status_value("engine.loaded"));
	ASSERT_LOAD(ONE, ok);
	EXPECT_STREQ("true", status_value("engine.loaded"));
	before = generation();
	EXPECT_LE(1, before);
	ASSERT_LOAD(ONE, ok);
	EXPECT_EQ(before + 1, generation());
	EXPECT_EVENT("type=policy", "action=loaded", "guest.id=0", "guest.name=null",
		     text("policy.generation=%ld", before), "by.uid=0");
	EXPECT_EVENT("type=policy", "action=replaced", text("policy.generation=%ld", before + 1));
}

/* Wrong verdicts during reloads: the payload stops at the first and says which. */
TEST_TIMEOUT(no_wrong_verdict_during_reloads, 600)
{
	struct probe p;

	make_two();
	ASSERT_LOAD(ONE, ok);
	probe_start(&p, "g", STEPS("hammer-both", good, bad));
	ASSERT_STREQ("hammering 0", probe_until(&p, "hammering"));
	for (long i = test_count(20, 1000); i > 0; i--)
		ASSERT_LOAD("# %ld\n" ONE, i, ok);
	probe_go(&p);
	EXPECT_STREQ("hammer-both 0", probe_until(&p, "hammer-both"));
	EXPECT_EQ(0, probe_end(&p));
	events_forget(); /* some ten thousand refusals: the ring is full */
}

/* Two rule sets in turn: what both allow and what neither does. */
TEST_TIMEOUT(alternating_policies, 600)
{
	struct probe p;

	make_two();
	ASSERT_LOAD(ONE, ok);
	probe_start(&p, "g", STEPS("hammer-both", good, bad));
	ASSERT_STREQ("hammering 0", probe_until(&p, "hammering"));
	for (long i = test_count(10, 500); i > 0; i--) {
		ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, root, no);
		ASSERT_LOAD(ONE, ok);
	}
	probe_go(&p);
	EXPECT_STREQ("hammer-both 0", probe_until(&p, "hammer-both"));
	EXPECT_EQ(0, probe_end(&p));
	events_forget(); /* some ten thousand refusals: the ring is full */
}

TEST(new_rules_hold_at_once)
{
	make_two();
	ASSERT_LOAD(ONE, ok);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	ASSERT_LOAD(ONE, root);
	EXPECT_EQ(0, PROBE("g", "open", "r", bad));
	ASSERT_LOAD(GUEST("g"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", good));
}

TEST(a_broken_policy_changes_nothing)
{
	struct probe p;
	long before;

	make_two();
	ASSERT_LOAD(ONE, ok);
	before = generation();
	probe_start(&p, "g", STEPS("pause", "open", "rw", good, "open", "r", bad));
	probe_until(&p, "paused");
	EXPECT_EQ(3, policy_load(ONE "unknown_key = 1\n", root));
	EXPECT_STRSTR("error[P0101]", ctl_said);
	EXPECT_EQ(3, policy_load(ONE, "/tmp/is/not/there"));
	EXPECT_STRSTR("error[P0501]", ctl_said);
	EXPECT_EQ(3, policy_load("]["));
	EXPECT_STRSTR("error[P0003]", ctl_said);
	EXPECT_EQ(before, generation());
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(dry_run_changes_nothing)
{
	long before;

	make_two();
	ASSERT_LOAD(ONE, ok);
	before = generation();
	policy_write(ONE GUEST("other"), root);
	EXPECT_EQ(0, ctl("load --dry-run " POLICY_FILE));
	EXPECT_EQ(before, generation());
	EXPECT_STREQ("absent", guest_value("other", "tasks"));
	EXPECT_FALSE(exists(CGROUPS "/other"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	policy_write("nonsense = 1\n");
	EXPECT_EQ(3, ctl("load --dry-run " POLICY_FILE));
}

TEST(json_of_load)
{
	json_error_t err;
	json_t *said;

	make_two();
	policy_write(ONE, ok);
	ASSERT_EQ(0, ctl("load --json " POLICY_FILE " 2>/dev/null"));
	said = json_loads(ctl_said, 0, &err);
	ASSERT_TRUE(said != NULL);
	EXPECT_STREQ("policyctl/v1", json_at(said, "schema"));
	EXPECT_STREQ("true", json_at(said, "ok"));
	EXPECT_STREQ("0", json_at(said, "errors"));
	EXPECT_EQ(generation(), strtol(json_at(said, "generation"), NULL, 10));
	policy_write("nonsense = 1\n");
	EXPECT_EQ(3, ctl("load --json " POLICY_FILE " 2>/dev/null"));
	said = json_loads(ctl_said, 0, &err);
	EXPECT_STREQ("false", json_at(said, "ok"));
	EXPECT_EQ(0, ctl("load --json " POLICY_FILE " 2>&1 >/dev/null | grep -q '\"P0101\"'"));
}

/* ---- a guest that the policy lacks ---- */

TEST(a_guest_with_tasks_is_not_dropped)
{
	struct probe p;

	make_two();
	ASSERT_LOAD(ONE GUEST("h"), ok);
	probe_start(&p, "g",
		    STEPS("hold", "0", "rw", good, "pause", "open", "r", good, "open", "r",
			  "/etc/passwd", "write", "0", "x"));
	probe_until(&p, "paused");
	EXPECT_EQ(1, policy_load(GUEST("h")));
	EXPECT_STRSTR("'g'", ctl_said);
	EXPECT_STREQ("1", guest_value("g", "tasks"));
	EXPECT_EQ(0, ctl("load --force " POLICY_FILE));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("write 0", probe_until(&p, "write"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", good), "reason=no_rule");
}

/* Its tasks would stay under the old ceilings. */
TEST(another_parent_of_the_cgroups)
{
	const char *const other = GUEST("g") FILES RULE("/tmp", "rw") END;
	struct probe p;

	ASSERT_LOAD("%s", other);
	probe_start(&p, "g", STEPS("pause"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	policy_write("[defaults]\ncgroup = \"elsewhere\"\n%s", other);
	EXPECT_CTL(1, "guest 'g' has tasks", "load " POLICY_FILE);
	EXPECT_TRUE(exists(CGROUPS "/g"));
	EXPECT_FALSE(exists("/sys/fs/cgroup/elsewhere"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_CTL(0, "replaced", "load " POLICY_FILE);
	EXPECT_TRUE(exists("/sys/fs/cgroup/elsewhere/g"));
	EXPECT_FALSE(exists(CGROUPS));
	ASSERT_LOAD("%s", other);
	EXPECT_FALSE(exists("/sys/fs/cgroup/elsewhere"));
}

/* What its shadow table says goes as the guest does, and comes back with it. */
TEST(a_guest_that_comes_back_has_its_rules_again)
{
	struct probe p;

	make_two();
	ASSERT_LOAD(ONE GUEST("h") SHADOW("g"), ok);
	probe_start(&p, "g", STEPS("pause", "open", "r", good, "pause", "open", "r", good));
	probe_until(&p, "paused");
	policy_write(GUEST("h"));
	ASSERT_EQ(0, ctl("load --force " POLICY_FILE));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	ASSERT_LOAD(ONE GUEST("h") SHADOW("g"), ok);
	probe_until(&p, "paused");
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

/* ---- two loads ---- */

TEST(two_loads_at_once)
{
	int done = 0, busy = 0, other = 0;
	long before;

	make_two();
	ASSERT_LOAD(ONE, ok);
	before = generation();
	policy_write(ONE, ok);
	for (int i = 0; i < 5; i++) {
		ctl("load " POLICY_FILE " >/dev/null 2>&1 & a=$!; policyctl load " POLICY_FILE
		    " >/dev/null 2>&1; b=$?; wait $a; echo $? $b");
		for (const char *c = ctl_said; *c; c++) {
			done += *c == '0';
			busy += *c == '5';
			other += *c != '0' && *c != '5' && *c != ' ' && *c != '\n';
		}
	}
	EXPECT_EQ(0, other);
	EXPECT_EQ(10, done + busy);
	EXPECT_LE(5, done);
	EXPECT_EQ(before + done, generation());
	EXPECT_EQ(0, PROBE("g", "open", "rw", good));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
}

/* ---- steering ---- */

#define SUB GUEST("g") FILES RULE("%s", "rw") RULE("%s", "ro") END

TEST(a_directory_swapped_for_a_symlink)
{
	const char *sub, *aside;
	long before;

	make_two();
	sub = make_dir(text("%s/sub", ok));
	aside = text("%s/aside", ok);
	ASSERT_LOAD(SUB, ok, sub);
	before = generation();
	EXPECT_NE(0, PROBE("g", "rename", sub, aside));
	/* What the guest can't do, done for it: the next load has to see it all the same. */
	ASSERT_EQ(0, rename(sub, aside));
	ASSERT_EQ(0, symlink(no, sub));
	EXPECT_EQ(3, policy_load(SUB, ok, sub));
	EXPECT_STRSTR(sub, ctl_said);
	EXPECT_EQ(before, generation());
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	policy_write(SUB, ok, sub);
	EXPECT_EQ(3, ctl("load --reanchor " POLICY_FILE));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/f", sub)));
}

TEST(a_directory_swapped_for_another)
{
	const char *sub, *mine;
	long before;

	make_two();
	sub = make_dir(text("%s/sub", ok));
	mine = make_dir(text("%s/mine", ok));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, ok, sub);
	before = generation();
	ASSERT_EQ(0, run_cmd(NULL, 0, "mv %s %s/gone && mv %s %s", sub, ok, mine, sub));
	policy_write(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, ok, sub);
	EXPECT_EQ(3, ctl("load " POLICY_FILE));
	EXPECT_STRSTR("reanchor", ctl_said);
	EXPECT_EQ(before, generation());
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", text("%s/gone/new", ok)));
	EXPECT_EQ(0, ctl("load --reanchor " POLICY_FILE));
	EXPECT_EQ(before + 1, generation());
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", text("%s/new", sub)));
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/gone/new", ok)));
}

/* A rule held by name stays held by name, though the guest made a directory there. */
TEST(a_name_taken_by_the_guests_directory)
{
	const char *later;

	make_two();
	later = text("%s/later", ok);
	ASSERT_LOAD(SUB, ok, later);
	EXPECT_EQ(EACCES, PROBE("g", "mkdir", later));
	ASSERT_EQ(0, mkdir(later, 0755));
	make_file(text("%s/x", later), "x");
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/x", later)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", text("%s/x", later)));
	ASSERT_LOAD(SUB, ok, later);
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/x", later)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", text("%s/x", later)));
}

/* A symlink where a guest of the old policy may write, named by the new one. */
TEST(a_symlink_that_the_guest_made_is_not_followed)
{
	const char *trap;

	make_two();
	trap = text("%s/trap", ok);
	ASSERT_LOAD(ONE, ok);
	EXPECT_EQ(0, PROBE("g", "symlink", no, trap));
	EXPECT_EQ(3, policy_load(GUEST("g") FILES RULE("%s", "rw") END, trap));
	EXPECT_STRSTR("P0504", ctl_said);
	EXPECT_EQ(3, policy_load(GUEST("g") FILES RULE("%s/f", "rw") END, trap));
	EXPECT_EQ(3, policy_load(GUEST("g") FILES RULE("%s/../no", "rw") END, ok));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
}

/* The same symlink where no guest may write is followed. */
TEST(a_symlink_of_the_operators_is_followed)
{
	const char *way;

	make_two();
	way = text("%s/way", root);
	ASSERT_EQ(0, symlink(ok, way));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, way);
	EXPECT_EQ(0, PROBE("g", "open", "rw", good));
}

TEST(an_anchored_path_that_is_gone)
{
	const char *sub;

	make_two();
	sub = make_dir(text("%s/sub", ok));
	ASSERT_LOAD(SUB, ok, sub);
	ASSERT_EQ(0, rmdir(sub));
	EXPECT_EQ(3, policy_load(SUB, ok, sub));
	EXPECT_EQ(0, ctl("load --reanchor " POLICY_FILE));
}

LEAVES_NO_GUEST()
