/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a description is charged, and to whom; and that the count is back where it was after any
 * interleaving of making, losing, passing and dying (policy-language.md, semantics 13).
 */
#include "harness.h"

#include <sys/mount.h>

#include "guest.h"
#include "guest_fds.h"

#define CEILING	       2000
#define MANY(ci, soak) text("%ld", test_count(ci, soak))

static const char *dir;

/* Guests "g", with these lines, and "h", with a ceiling; rw below dir/, in which there is the file f. */
static void load_lines(const char *lines)
{
	dir = fds_dir();
	ASSERT_HAVE(GUEST("g") "%s" FILES RULE("%s", "rw")
			    END GUEST("h") "limits = { fds = 64 }\n" FILES RULE("%s", "rw") END,
		    lines, dir, dir);
	events_forget();
}

static void load_ceiling(void)
{
	load_lines(text("limits = { fds = %d }\n", CEILING));
}

/* Every line up to the next pause says 0. */
static void expect_done(struct probe *p)
{
	const char *line;

	while ((line = probe_line(p)) && strncmp(line, "paused ", 7) != 0) {
		int err = -1;

		if (sscanf(line, "%*s %d", &err) != 1 || err)
			FAIL("the payload says '%s'", line);
	}
	ASSERT_TRUE(line != NULL);
}

/* Returns what it is charged for: its program, ld.so and libc. */
static long start_paused(struct probe *p, const char *const steps[])
{
	long now = probe_start_paused(p, "g", steps);

	ASSERT_EQ(PROGRAM, now);
	return now;
}

static void expect_empty(void)
{
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
	EXPECT_EQ(0, EVENTS("type=ceiling"));
}

/* The count before and after some steps; the process goes on living. */
static void expect_back(const char *const steps[])
{
	const char *all[32];
	struct probe p;
	long now;
	int n = 0;

	for (; steps[n] && n < 30; n++)
		all[n] = steps[n];
	all[n++] = "pause";
	all[n] = NULL;
	now = start_paused(&p, all);
	probe_go(&p);
	expect_done(&p);
	EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	EXPECT_EQ(0, probe_end(&p));
	expect_empty();
}

/* ---- how long, and to whom ---- */

static const char *mount_overlay(void)
{
	const char *root = scratch();

	make_dir(text("%s/lower", root));
	make_dir(text("%s/upper", root));
	make_dir(text("%s/work", root));
	make_dir(text("%s/merged", root));
	make_file(text("%s/lower/f", root), "content\n");
	ASSERT_EQ(0, mount("overlay", text("%s/merged", root), "overlay", 0,
			   text("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", root, root,
				root)));
	return text("%s/merged", root);
}

/*
 * What overlayfs itself opens below is no descriptor of the guest's; but the last one needs room for
 * both for a moment. In audit: rules on overlayfs are not available.
 */
TEST(overlayfs_counts_once)
{
	struct probe p;

	load_lines("mode = \"audit\"\nlimits = { fds = 64 }\n");
	dir = mount_overlay();
	start_paused(&p, STEPS("take", "open", dir, "10", "pause", "take", "open", dir, "100",
			       "drop", "0", "pause"));
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(PROGRAM + 10, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ(text("taken 24 open %d", 64 - PROGRAM - 1), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(PROGRAM, guest_settles("g", "fds.now", PROGRAM));
	EXPECT_EQ(0, probe_end(&p));
	umount2(dir, MNT_DETACH);
}

TEST(a_mapping_keeps_its_charge)
{
	struct probe p;
	long now;

	load_ceiling();
	now = start_paused(&p, STEPS("take", "memfd", dir, "1", "mmap-drop", "pause"));
	probe_go(&p);
	EXPECT_STREQ("mmap-drop 0", probe_until(&p, "mmap-drop"));
	probe_until(&p, "paused");
	EXPECT_EQ(now + 1, guest_number("g", "fds.now"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(on_its_way_it_keeps_its_charge)
{
	struct probe p;

	load_ceiling();
	start_paused(&p, STEPS("in-flight", "40", "pause", "drop", "0", "pause"));
	probe_go(&p);
	EXPECT_STREQ("in-flight 0", probe_until(&p, "in-flight"));
	probe_until(&p, "paused");
	EXPECT_EQ(PROGRAM + 2 + 40, guest_number("g", "fds.now"));
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(PROGRAM, guest_settles("g", "fds.now", PROGRAM));
	EXPECT_EQ(0, probe_end(&p));
}

/* Given away and closed: it is the guest's as long as somebody has it. */
TEST(given_away)
{
	struct probe p;
	long now;
	int fd;

	load_ceiling();
	now = start_paused(&p, STEPS("take", "eventfd", dir, "1", "send", "drop", "0", "pause"));
	probe_go(&p);
	probe_until(&p, "paused");
	fd = probe_receive(&p);
	EXPECT_LE(0, fd);
	EXPECT_EQ(now + 1, guest_number("g", "fds.now"));
	close(fd);
	EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	EXPECT_EQ(0, probe_end(&p));
}

/* A guest dies and somebody has what it gave away; the next instance may get it back. */
static int orphan(void)
{
	struct probe p;
	int fd;

	probe_start_socket(&p, "g", STEPS("take", "eventfd", dir, "1", "send", "pause"));
	probe_until(&p, "paused");
	fd = probe_receive(&p);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(1, guest_settles("g", "fds.orphaned", 1));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	return fd;
}

TEST(orphaned)
{
	int fd;

	load_ceiling();
	fd = orphan();
	close(fd);
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
}

TEST(orphans_come_back)
{
	struct probe p;
	long now;
	int fd;

	load_ceiling();
	fd = orphan();
	now = start_paused(&p, STEPS("receive", "1", "pause"));
	EXPECT_EQ(1, guest_number("g", "fds.orphaned"));
	probe_go(&p);
	probe_give(&p, fd);
	EXPECT_STREQ("received 0 1 0", probe_until(&p, "received"));
	probe_until(&p, "paused");
	EXPECT_EQ(now + 1, guest_number("g", "fds.now"));
	EXPECT_EQ(0, guest_number("g", "fds.orphaned"));
	close(fd);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
}

/* "h" is given @fd by us. Return: what it is charged for then, besides its program. */
static long give_to_h(struct probe *p, int fd)
{
	EXPECT_EQ(PROGRAM, probe_start_paused(p, "h", STEPS("receive", "1", "pause")));
	probe_go(p);
	probe_give(p, fd);
	close(fd);
	EXPECT_STREQ("received 0 1 0", probe_until(p, "received"));
	probe_until(p, "paused");
	return guest_number("h", "fds.now") - PROGRAM;
}

/* Charged to one guest, another one does not pay for it. */
TEST(given_to_another_guest)
{
	struct probe p, h;

	load_ceiling();
	start_paused(&p, STEPS("take", "eventfd", dir, "1", "send", "drop", "0", "pause"));
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(0, give_to_h(&h, probe_receive(&p)));
	EXPECT_EQ(PROGRAM + 1, guest_number("g", "fds.now"));
	EXPECT_EQ(0, probe_end(&h));
	EXPECT_EQ(PROGRAM, guest_settles("g", "fds.now", PROGRAM));
	EXPECT_EQ(0, probe_end(&p));
}

/* Of a guest that is gone: then the next one to receive it pays. */
TEST(orphans_are_taken_in)
{
	struct probe h;

	load_ceiling();
	EXPECT_EQ(1, give_to_h(&h, orphan()));
	EXPECT_EQ(0, guest_number("g", "fds.orphaned"));
	EXPECT_EQ(0, probe_end(&h));
	EXPECT_EQ(0, guest_settles("h", "fds.orphaned", 0));
}

/* ---- storms ---- */

TEST_TIMEOUT(made_and_closed, 600)
{
	load_ceiling();
	expect_back(STEPS("storm", "open", dir, MANY(3000, 100000)));
	expect_back(STEPS("storm", "pipe", dir, MANY(3000, 100000)));
	expect_back(STEPS("storm", "memfd", dir, MANY(1000, 100000)));
	expect_back(STEPS("storm", "socketpair", dir, MANY(1000, 100000)));
}

TEST_TIMEOUT(forks, 600)
{
	load_ceiling();
	expect_back(STEPS("take", "pipe", dir, "200", "forks", MANY(200, 10000), "drop", "0"));
}

TEST_TIMEOUT(execs, 600)
{
	load_ceiling();
	expect_back(STEPS("take", "open", dir, "50", "execs", MANY(20, 2000), "drop", "0"));
}

TEST_TIMEOUT(kills, 600)
{
	load_ceiling();
	expect_back(STEPS("kills", dir, MANY(20, 2000), "500"));
}

TEST_TIMEOUT(passed_between_processes, 600)
{
	load_ceiling();
	expect_back(STEPS("passes", MANY(2000, 100000), "50"));
}

TEST_TIMEOUT(shared_tables, 600)
{
	load_ceiling();
	expect_back(STEPS("shared-tables", "pipe", dir, MANY(20, 2000), "100"));
}

TEST_TIMEOUT(duplicates, 600)
{
	load_ceiling();
	expect_back(STEPS("dups", MANY(5000, 100000)));
}

TEST_TIMEOUT(pinned_to_one_cpu, 900)
{
	load_ceiling();
	expect_back(STEPS("pinned", dir, MANY(500, 100000)));
}

/*
 * Sockets that hold each other: the kernel's own collector frees them, in another task, some time
 * later. A ceiling above all there ever are.
 */
TEST_TIMEOUT(cycles_of_sockets, 600)
{
	load_lines("limits = { fds = 65536 }\n");
	expect_back(STEPS("cycles", MANY(200, 10000)));
}

TEST_TIMEOUT(received_from_a_non_guest, 600)
{
	int n = (int)test_count(2000, 100000);
	struct probe p;
	long now;

	load_ceiling();
	now = start_paused(&p, STEPS("receive-drop", text("%d", n), "pause"));
	probe_go(&p);
	probe_send(&p, n);
	expect_done(&p);
	EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	EXPECT_EQ(0, probe_end(&p));
	expect_empty();
}

/* One of two processes of the guest is killed, with all that it holds; and again. */
TEST_TIMEOUT(killed_from_outside, 600)
{
	struct probe keeper, p;
	long now;

	load_ceiling();
	now = start_paused(&keeper, STEPS("pause"));
	for (long i = test_count(3, 300); i > 0; i--) {
		pid_t pid;

		probe_start(&p, "g",
			    STEPS("take", "pipe", dir, "600", "take", "open", dir, "600", "pause"));
		pid = probe_pid(probe_until(&p, "paused"));
		EXPECT_EQ(now + PROGRAM + 1200,
			  guest_settles("g", "fds.now", now + PROGRAM + 1200));
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(128 + SIGKILL, probe_end(&p));
		EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	}
	EXPECT_EQ(0, probe_end(&keeper));
	expect_empty();
}

/* Everything at once, in four processes of one guest. */
TEST_TIMEOUT(all_at_once, 900)
{
	const char *some = MANY(200, 10000), *many = MANY(1000, 100000);
	struct probe keeper, p[3];
	long now;

	load_ceiling();
	now = start_paused(&keeper, STEPS("pause"));
	probe_start(
		&p[0], "g",
		STEPS("kills", dir, MANY(10, 500), "100", "storm", "memfd", dir, many, "pause"));
	probe_start(&p[1], "g",
		    STEPS("passes", many, "50", "shared-tables", "open", dir, MANY(10, 500), "100",
			  "pause"));
	probe_start(&p[2], "g",
		    STEPS("take", "pipe", dir, "100", "forks", some, "drop", "0", "cycles", some,
			  "pinned", dir, MANY(100, 10000), "pause"));
	for (int i = 0; i < 3; i++)
		expect_done(&p[i]);
	EXPECT_EQ(now + 3 * PROGRAM, guest_settles("g", "fds.now", now + 3 * PROGRAM));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, probe_end(&p[i]));
	EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	EXPECT_EQ(0, probe_end(&keeper));
	expect_empty();
}

/* After all of the above. */
TEST(no_table_was_full)
{
	EXPECT_STREQ("0", status_value("engine.health.files_full"));
	EXPECT_STREQ("0", status_value("engine.health.tasks_full"));
	EXPECT_STREQ("0", status_value("engine.health.count_race"));
}

LEAVES_NO_GUEST()
