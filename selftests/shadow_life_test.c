/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What shadows cost, whom, and what is left of them: of thousands, and of those whose makers were killed.
 */
#include "harness.h"

#include "guest_kill.h"
#include "guest_tasks.h"
#include "shadows.h"

static long shmem_kib(void)
{
	char out[64];

	(void)write_file("/proc/sys/vm/stat_refresh", "1");
	run_cmd(out, sizeof(out), "sed -n 's/^Shmem: *\\([0-9]*\\).*/\\1/p' /proc/meminfo");
	return atol(out);
}

/* ---- who pays, and what is left ---- */

/* Some at a time, over and over: what is left is what was there. */
TEST_TIMEOUT(many_made_and_freed, 3600)
{
	long many = test_count(100, 10000), before, after;
	int fds[20];

	load_with("");
	for (int i = 0; i < 20; i++)
		make_sized(text("f%d", i), 4096 * (i + 1));
	before = shmem_kib();
	for (long i = 0; i < many; i++) {
		int *fd = &fds[i % 20];

		if (i >= 20)
			close(*fd);
		ASSERT_EQ(0, utimensat(AT_FDCWD, at(text("f%ld", i % 20)), NULL, 0));
		*fd = shadow("s", at(text("f%ld", i % 20)));
		ASSERT_LE(0, *fd);
	}
	for (int i = 0; i < 20; i++)
		close(fds[i]);
	expect_none_live();
	after = shmem_kib();
	EXPECT_LE(after, before + 64);
}

/* The process that makes it pays for it, not the guest: its cgroup has nothing of it. */
TEST(who_makes_it_pays)
{
	const char *payer = CGROUPS "/../shadow_payer";
	uint64_t before, after;
	int fd;

	load_with("");
	ASSERT_EQ(0, run_cmd(NULL, 0, "head -c 8388608 /dev/zero >%s", at("f")));
	make_dir(payer);
	before = (uint64_t)read_number(text("%s/memory.current", payer));
	ASSERT_EQ(0, run_cmd(NULL, 0, "echo %d >%s/cgroup.procs", getpid(), payer));
	fd = shadow("s", at("f"));
	ASSERT_LE(0, fd);
	after = (uint64_t)read_number(text("%s/memory.current", payer));
	EXPECT_LE(before + 8 * MIB, after);
	EXPECT_EQ(0, ctl("run s --shadow %s=9 -- " PAYLOAD " 9 sum seals", at("f")));
	EXPECT_LE(read_number(CGROUPS "/s/memory.peak"), 4l * MIB);
	close(fd);
	ASSERT_EQ(0, run_cmd(NULL, 0, "echo %d >/sys/fs/cgroup/cgroup.procs", getpid()));
	expect_none_live();
	(void)rmdir(payer);
}

/* Whoever is killed, wherever it is: nothing of it is left. */
static void make_until_killed(void)
{
	for (int i = 0;; i = (i + 1) % 4) {
		int fd = shadow(i % 2 ? "s" : "t", at(text("f%d", i)));

		(void)utimensat(AT_FDCWD, at(text("f%d", i)), NULL, 0);
		close(fd);
	}
}

static void expect_nothing_left(long before)
{
	expect_none_live();
	EXPECT_LE(shmem_kib(), before + 64);
	EXPECT_STREQ("0", guest_value("s", "shadows.count"));
}

TEST_TIMEOUT(whoever_is_killed_leaves_nothing, 3600)
{
	long many = test_count(20, 500), before;
	unsigned int seed = (unsigned int)test_seed();

	load_with("");
	for (int i = 0; i < 4; i++)
		make_sized(text("f%d", i), 65536);
	before = shmem_kib();
	for (long i = 0; i < many; i++) {
		pid_t pid = fork();

		if (!pid)
			make_until_killed();
		usleep((unsigned int)rand_r(&seed) % 60000);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_EQ(0, live(NULL));
	}
	expect_nothing_left(before);
}

/* policyctl at each call that changes something (soak), and at random ones and times. */
TEST_TIMEOUT(run_killed_anywhere, 3600)
{
	struct death whole = { 0 }, death;
	long before, killed = 0;

	load_with("");
	make_sized("f", 65536);
	make_sized("g", 4096);
	const char *const words[] = { "run", "s", "--shadow", text("%s=9", at("f")), "--shadow",
				      text("%s=8", at("g")), "--", PAYLOAD, "9", "map", NULL };

	before = shmem_kib();
	ASSERT_EQ(0, ctl_stepped(words, &whole));
	ASSERT_EQ(0, ctl_timed(words, &death));
	whole.us = death.us;
	printf("# %ld steps\n", whole.stop);
	EXPECT_LE(12, whole.stop);
	for (long i = 0; death_next(i, &whole, test_count(12, 100), &death); i++) {
		killed += ctl_killed(&death, words) < 0;
		EXPECT_EQ(0, tasks_settle("s", 0));
		EXPECT_EQ(0, live_settle());
	}
	printf("# killed %ld times\n", killed);
	EXPECT_LE(6, killed);
	expect_nothing_left(before);
}

/* policyctl run is killed: its guest has what it was given, until it ends. */
TEST(a_guest_outlives_who_started_it)
{
	long before;
	pid_t pid;

	load_with("");
	make_sized("f", 65536);
	before = shmem_kib();
	pid = fork();
	if (!pid) {
		execlp("policyctl", "policyctl", "run", "s", "--shadow", text("%s=9", at("f")), "--", PAYLOAD,
		       "9", "pause", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && strcmp(guest_value("s", "tasks"), "1"); i++)
		usleep(10000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(1, live("s"));
	EXPECT_EQ(0, ctl("stop s --timeout 0"));
	expect_nothing_left(before);
}

/* A policy that takes it all back: what was given stays until it is let go of, and its end is seen. */
TEST(a_policy_without_shadows)
{
	int fd;

	load_with("");
	make_file(at("f"), "hello");
	fd = shadow("s", at("f"));
	ASSERT_LE(0, fd);
	ASSERT_LOAD(BARE("s"));
	EXPECT_EQ(1, live("s"));
	chmod_it();
	EXPECT_TRUE(is_stale("s", fd));
	close(fd);
	expect_none_live();
}

LEAVES_NO_GUEST()
