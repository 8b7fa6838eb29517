/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk against renames. An unconfined process moves directories about as fast as it can; a
 * guest opens a file below them through a descriptor that it holds, on the other CPU.
 */
#include "harness.h"

#include <sys/stat.h>
#include <time.h>

#include "guest_kill.h"

static const char *root, *yes, *no;

/* yes/ rw, no/ none; in each the directories a/b/m/x, and in x the file f. */
static void make_trees(void)
{
	static const char *const below[] = { "a", "a/b", "a/b/m", "a/b/m/x", "a/c" };
	const char *trees[2];

	root = scratch();
	trees[0] = yes = make_dir(text("%s/yes", root));
	trees[1] = no = make_dir(text("%s/no", root));
	for (int t = 0; t < 2; t++) {
		for (int i = 0; i < 5; i++)
			make_dir(text("%s/%s", trees[t], below[i]));
		make_file(text("%s/a/b/m/x/f", trees[t]), "content");
	}
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, root, no);
}

/* Moves @a/m to @b/m and back, until killed. */
static pid_t storm(const char *a, const char *b)
{
	const char *here = text("%s/m", a), *there = text("%s/m", b);
	pid_t pid = fork();

	if (pid)
		return pid;
	while (!rename(here, there) && !rename(there, here))
		;
	_exit(1);
}

struct tally {
	long opens, refused, gone;
	int err;
};

/* The payload's counts, after it has raced for some time. */
static void tally_up(struct probe *p, struct tally *ret)
{
	long ms = test_count(3000, 60000);
	const struct timespec duration = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	const char *line;

	nanosleep(&duration, NULL);
	probe_go(p);
	line = probe_until(p, "raced");
	ASSERT_TRUE(line != NULL);
	ASSERT_EQ(3, sscanf(line, "raced 0 %ld %ld %ld", &ret->opens, &ret->refused, &ret->gone));
	line = probe_until(p, "race");
	ASSERT_TRUE(line != NULL);
	ASSERT_EQ(1, sscanf(line, "race %d", &ret->err));
}

/* Opens of f in @held, a descriptor of the guest's, while "m" moves from @a to @b and back. */
static void run_race(const char *held, const char *a, const char *b, struct tally *ret)
{
	struct probe p;
	pid_t mover;

	events_forget();
	probe_start(&p, "g", STEPS("hold", "0", "pd", held, "race", "0", "f"));
	ASSERT_STREQ("hold 0", probe_until(&p, "hold"));
	ASSERT_STREQ("hammering 0", probe_until(&p, "hammering"));
	mover = storm(a, b);
	tally_up(&p, ret);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, waitpid(mover, NULL, WNOHANG)); /* it moved to the end */
	kill(mover, SIGKILL);
	waitpid(mover, NULL, 0);
	printf("# %ld opened, %ld refused, %ld not found\n", ret->opens, ret->refused, ret->gone);
}

/* Forbidden wherever it is: never opens. */
TEST_TIMEOUT(forbidden_moved_within_the_forbidden, 600)
{
	struct tally tally;

	make_trees();
	run_race(text("%s/a/b/m/x", no), text("%s/a/b", no), text("%s/a/c", no), &tally);
	EXPECT_EQ(0, tally.opens);
	EXPECT_LE(100, tally.refused);
	EXPECT_EQ(0, tally.err);
}

/* Allowed wherever it is: refused only because the walk raced, and then it says so. */
TEST_TIMEOUT(allowed_moved_within_the_allowed, 600)
{
	struct tally tally;

	make_trees();
	run_race(text("%s/a/b/m/x", yes), text("%s/a/b", yes), text("%s/a/c", yes), &tally);
	EXPECT_LE(1, tally.opens);
	EXPECT_EQ(0, tally.err);
	EXPECT_EQ(tally.refused, EVENTS("type=violation", "op=open", "reason=path_race"));
	EXPECT_EQ(0, EVENTS("type=violation", "reason!=path_race"));
}

/*
 * Forbidden and allowed change places, never seen from inside: the guest holds a directory below
 * the one in no/ while others of the same name are exchanged above it in the allowed tree only.
 */
TEST_TIMEOUT(forbidden_while_the_allowed_move, 600)
{
	struct tally tally;

	make_trees();
	run_race(text("%s/a/b/m/x", no), text("%s/a/b", yes), text("%s/a/c", yes), &tally);
	EXPECT_EQ(0, tally.opens);
	EXPECT_LE(100, tally.refused);
}

/* To and fro over the border: whatever comes out, each refusal has an event and no third errno. */
TEST_TIMEOUT(moved_over_the_border, 600)
{
	struct tally tally;

	make_trees();
	ASSERT_EQ(0, rename(text("%s/a/b/m", no), text("%s/aside", root)));
	run_race(text("%s/a/b/m/x", yes), text("%s/a/b", yes), text("%s/a/b", no), &tally);
	EXPECT_EQ(0, tally.err);
	EXPECT_EQ(0, tally.gone);
	EXPECT_EQ(tally.refused, events_accounted("violation"));
}

UNLOADS_CLEAN()
