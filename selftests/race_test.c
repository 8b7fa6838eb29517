/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The walk against renames. An unconfined process moves or exchanges directories as fast as it can;
 * a guest opens a file below them through a descriptor that it holds: on the other CPU, and with
 * 16 threads on the same one, where only preemption can tear a walk (variants/race_preempted.sh).
 */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest_kill.h"

static const char *root, *yes, *no;

/*
 * Eight races against what is forbidden: a million opens in a soak, a twentieth of it in CI. The others,
 * in which no open is a leak by itself, are for what is refused without need.
 */
#define TRIES	    test_count(6250, 125000)
#define OTHER_TRIES test_count(6250, 25000)

static const struct shape {
	const char *name;
	int threads;
	bool one_cpu;
	bool exchange;
} shapes[] = {
	{ "rename, two CPUs", 1, false, false },
	{ "exchange, two CPUs", 1, false, true },
	{ "rename, 16 threads on one CPU", 16, true, false },
	{ "exchange, 16 threads on one CPU", 16, true, true },
};

/* yes/ rw, no/ none; in each the directories a/b/m/x and a/c/m/x, and in both x a file f. */
static void make_trees(void)
{
	static const char *const below[] = { "a", "a/b", "a/b/m", "a/b/m/x", "a/c", "a/c/m",
					     "a/c/m/x" };
	const char *trees[2];

	root = scratch();
	trees[0] = yes = make_dir(text("%s/yes", root));
	trees[1] = no = make_dir(text("%s/no", root));
	for (int t = 0; t < 2; t++) {
		for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
			make_dir(text("%s/%s", trees[t], below[i]));
		make_file(text("%s/a/b/m/x/f", trees[t]), "content");
		make_file(text("%s/a/c/m/x/f", trees[t]), "content");
	}
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, root, no);
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Moves @a/m to @b/n and back, or exchanges @a/m with @b/m, until killed. */
static pid_t storm(const struct shape *shape, const char *a, const char *b)
{
	const char *here = text("%s/m", a), *there = text("%s/%c", b, shape->exchange ? 'm' : 'n');
	unsigned int flags = shape->exchange ? RENAME_EXCHANGE : 0;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (shape->one_cpu)
		pin();
	while (!renameat2(AT_FDCWD, here, AT_FDCWD, there, flags) &&
	       !renameat2(AT_FDCWD, there, AT_FDCWD, here, flags))
		;
	_exit(1);
}

struct tally {
	long opens, refused, gone;
	int no_thread;
};

static void read_tally(struct probe *p, struct tally *ret)
{
	const char *line = NULL;

	/* Sixteen threads and a mover on one CPU of a busy machine: more than one line's patience. */
	for (int i = 0; i < 10 && !line && !p->ended; i++)
		line = probe_until(p, "raced");
	if (!line)
		printf("# the payload's status: %d\n", probe_end(p));
	ASSERT_TRUE(line != NULL);
	ASSERT_EQ(4, sscanf(line, "raced 0 %ld %ld %ld %d", &ret->opens, &ret->refused, &ret->gone,
			    &ret->no_thread));
	EXPECT_STREQ("race 0", probe_until(p, "race"));
}

/* Opens of f in a/b/m/x below @held, the guest's descriptor, while "m" moves between @a and @b. */
static void run_race(const struct shape *shape, long tries, const char *held, const char *a,
		     const char *b, struct tally *ret)
{
	const char *dir = text("%s/a/b/m/x", held);
	struct probe p;
	pid_t mover;

	events_forget();
	probe_start(&p, "g",
		    STEPS("hold", "0", "pd", dir, shape->one_cpu ? "on-cpu" : "idle", "0", "race",
			  text("%d", shape->threads), "0", "f", text("%ld", tries)));
	EXPECT_STREQ("hold 0", probe_until(&p, "hold"));
	mover = storm(shape, a, b);
	read_tally(&p, ret);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, waitpid(mover, NULL, WNOHANG)); /* it moved to the end */
	kill(mover, SIGKILL);
	waitpid(mover, NULL, 0);
	(void)rename(text("%s/n", b), text("%s/m", a)); /* where it may have been left */
	EXPECT_EQ(tries, ret->opens + ret->refused + ret->gone);
	printf("# %s: %ld opened, %ld refused, %ld not found; %d tries at a thread refused\n",
	       shape->name, ret->opens, ret->refused, ret->gone, ret->no_thread);
}

#define FOR_EACH_SHAPE(at) \
	for (const struct shape *(at) = shapes; (at) < shapes + sizeof(shapes) / sizeof(*shapes); (at)++)

/* Forbidden wherever it is: never opens. */
TEST_TIMEOUT(forbidden_moved_within_the_forbidden, 600)
{
	struct tally tally;

	make_trees();
	FOR_EACH_SHAPE(at) {
		run_race(at, TRIES, no, text("%s/a/b", no), text("%s/a/c", no), &tally);
		EXPECT_EQ(TRIES, tally.refused);
	}
}

/* Forbidden, while others of the same names move in the allowed tree: never opens. */
TEST_TIMEOUT(forbidden_while_the_allowed_move, 600)
{
	struct tally tally;

	make_trees();
	FOR_EACH_SHAPE(at) {
		run_race(at, TRIES, no, text("%s/a/b", yes), text("%s/a/c", yes), &tally);
		EXPECT_EQ(TRIES, tally.refused);
	}
}

/* Allowed wherever it is: refused only where the walk never came to rest, and then it says so. */
TEST_TIMEOUT(allowed_moved_within_the_allowed, 600)
{
	struct tally tally;

	make_trees();
	FOR_EACH_SHAPE(at) {
		run_race(at, OTHER_TRIES, yes, text("%s/a/b", yes), text("%s/a/c", yes), &tally);
		EXPECT_LE(OTHER_TRIES - OTHER_TRIES / 100, tally.opens);
		EXPECT_EQ(tally.refused, EVENTS("type=violation", "op=open", "reason=path_race"));
		EXPECT_EQ(0, EVENTS("type=violation", "reason!=path_race"));
	}
}

/* To and fro over the border: whatever comes out, each refusal has an event and no third errno. */
TEST_TIMEOUT(moved_over_the_border, 600)
{
	struct tally tally;

	make_trees();
	FOR_EACH_SHAPE(at) {
		run_race(at, OTHER_TRIES, yes, text("%s/a/b", yes), text("%s/a/b", no), &tally);
		EXPECT_EQ(0, tally.gone);
		EXPECT_EQ(tally.refused, events_accounted("violation"));
	}
}

/* Return: how many of a round of mounts and renames failed. */
static int busy_round(const char *dir, const char *other, const char *at)
{
	int failed = 0;

	failed += !!mount(dir, at, NULL, MS_BIND, NULL);
	failed += !!mount("none", at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
	failed += !!umount2(at, MNT_DETACH);
	failed += !!mount("tmpfs", at, "tmpfs", 0, NULL);
	failed += !!umount(at);
	for (int i = 0; i < 10; i++) {
		failed += !!renameat2(AT_FDCWD, dir, AT_FDCWD, other, RENAME_EXCHANGE);
		failed += !!rename(dir, text("%s.moved", dir));
		failed += !!rename(text("%s.moved", dir), dir);
		failed += !!renameat2(AT_FDCWD, dir, AT_FDCWD, other, RENAME_EXCHANGE);
	}
	return failed;
}

/* Who is no guest mounts, unmounts and renames what it wants, rules' directories included. */
TEST_TIMEOUT(a_busy_host_is_unaffected, 600)
{
	const char *at;
	int failed = 0;

	make_trees();
	at = make_dir(text("%s/at", root));
	events_forget();
	for (long i = 0; i < test_count(100, 2000); i++)
		failed += busy_round(yes, no, at);
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, EVENTS("type=violation"));
	EXPECT_EQ(0, EVENTS("type=escape"));
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/a/b/m/x/f", yes)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/a/b/m/x/f", no)));
}

LEAVES_NO_GUEST()
