/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl killed half-way, and what the next command makes of it: all is as it was before, or the
 * dead one's work is finished (store.h). Never confined and called unloaded, nor the reverse.
 */
#include "harness.h"

#include <sys/stat.h>
#include <bpf/bpf.h>

#include "abi.h"
#include "guest_kill.h"

#define PINS_OLD PINS "_old"

static const char *bad;

static void load_one(void)
{
	const char *root = scratch();

	bad = make_file(text("%s/f", root), "bad\n");
	make_dir(text("%s/ok", root));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/ok", "rw") END, root);
}

/* What an unload stores when it takes effect. */
static void end_enforcement(void)
{
	struct pol_control control = { 0 };
	int fd = bpf_obj_get(PINS "/maps/control");
	uint32_t zero = 0;

	ASSERT_EQ(0, bpf_map_lookup_elem(fd, &zero, &control));
	ASSERT_NE(0, control.active);
	control.active = 0;
	ASSERT_EQ(0, bpf_map_update_elem(fd, &zero, &control, 0));
	close(fd);
}

/* A guest that opens what it may not, each time it is told to go on. */
static void start_prober(struct probe *p)
{
	probe_start(p, "g",
		    STEPS("pause", "open", "r", bad, "pause", "open", "r", bad, "pause", "open",
			  "r", bad));
	probe_until(p, "paused");
}

static const char *probe_again(struct probe *p)
{
	const char *line;

	probe_go(p);
	line = text("%s", probe_until(p, "open"));
	probe_until(p, "paused");
	return line;
}

TEST(unload_killed_before_it_took_effect)
{
	const char *before;
	struct probe p;

	load_one();
	before = status_value("engine.generation");
	start_prober(&p);
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_STREQ("open 13", probe_again(&p));
	EXPECT_STREQ(before, status_value("engine.generation"));
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_CTL(0, "replaced", "load " POLICY_FILE);
	EXPECT_STREQ("open 13", probe_again(&p));
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_CTL(1, "'g'", "unload");
	EXPECT_CTL(0, "unconfined", "unload --force");
	EXPECT_STREQ("open 0", probe_again(&p));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_NOTHING(engine_left());
}

TEST(unload_killed_after_it_took_effect)
{
	struct probe p;

	load_one();
	end_enforcement();
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_CTL(0, "that died", "load " POLICY_FILE);
	EXPECT_FALSE(exists(PINS_OLD));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	start_prober(&p);
	end_enforcement();
	ASSERT_EQ(0, rename(PINS, PINS_OLD));
	EXPECT_STREQ("open 0", probe_again(&p));
	EXPECT_STREQ("false", status_value("engine.loaded"));
	EXPECT_EQ(125, ctl("run g -- /usr/bin/true"));
	EXPECT_CTL(0, "nothing was confined any more", "unload");
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_NOTHING(engine_left());
}

/* Enforcement ended, the pins where they were: as a policyctl before this one could leave it. */
TEST(pins_that_confine_nothing)
{
	struct probe p;

	load_one();
	end_enforcement();
	EXPECT_CTL(0, "that died", "load " POLICY_FILE);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	start_prober(&p);
	end_enforcement();
	EXPECT_CTL(1, "nothing is confined", "status");
	EXPECT_CTL(125, "nothing is confined", "run g -- /usr/bin/true");
	EXPECT_CTL(0, "nothing was confined any more", "unload");
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_NOTHING(engine_left());
}

/*
 * At every step either all is as before, or nothing is confined and the next unload ends it. Some of
 * the steps; in soak runs each.
 */
TEST_TIMEOUT(unload_killed_at_each_step, 600)
{
	static const char *const words[] = { "unload", "--force", NULL };
	int confined = 0, unconfined = 0, status;
	bool killed = true;
	struct probe p;

	for (int stop = 0; killed; stop += test_count(0, 1) ? 1 : 3 * stop + 3) {
		load_one();
		start_prober(&p);
		status = ctl_killed(&(struct death){ .stop = stop }, words);
		EXPECT_TRUE(status <= 0);
		killed = status < 0;
		if (!strcmp(status_value("engine.loaded"), "true")) {
			EXPECT_STREQ("open 13", probe_again(&p));
			EXPECT_CTL(1, "'g'", "unload");
			confined++;
		} else {
			EXPECT_STREQ("open 0", probe_again(&p));
			EXPECT_EQ(0, ctl("unload"));
			unconfined++;
		}
		EXPECT_EQ(0, probe_end(&p)); /* its policyctl holds the programs to its end */
		if (!exists(PINS))
			EXPECT_NOTHING(engine_left());
	}
	printf("# still confined %d times, unconfined %d times\n", confined, unconfined);
	EXPECT_LE(2, confined); /* before the rename and after it */
	EXPECT_LE(3, unconfined);
}

LEAVES_NO_GUEST()
