/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A label that cannot be stored never makes a free task (policy-language.md, semantics 7, 8): the
 * fork is refused. Labels are charged to the memory cgroup of the loader, which moves itself to the
 * root of the cgroup2 mount that it sees: here a box, a cgroup with a namespace of its own.
 */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "guest_tasks.h"

#define BOX CGROUP_ROOT "/box"

/* Children at a time: more than the kernel keeps labels in stock for. */
#define BROOD 400

/* Open files, likewise. */
#define OPENED 900

static void must(int r, const char *what)
{
	if (r < 0) {
		printf("# %s: %s\n", what, strerror(errno));
		fflush(stdout);
		_exit(1);
	}
}

/* From here on the box is all there is of the cgroup tree. */
static void enter_box(void)
{
	must(write_file(BOX "/cgroup.procs", "0"), "entering the box");
	must(unshare(CLONE_NEWCGROUP | CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	must(umount2(CGROUP_ROOT, MNT_DETACH), "umount of " CGROUP_ROOT);
	must(mount("cgroup2", CGROUP_ROOT, "cgroup2", 0, NULL), "mount of cgroup2");
}

/* policyctl with these words, in the box. */
static int ctl_in_box(const char *words)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		enter_box();
		status = ctl("%s", words);
		if (status)
			printf("# policyctl %s: %.500s\n", words, ctl_said);
		fflush(stdout);
		_exit(status);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The first load makes the maps; the box stays until the last test. */
static void load_in_box(const char *limits)
{
	tasks_make_tree();
	if (!exists(BOX)) /* what another suite left is not charged to the box */
		EXPECT_NOTHING(engine_down());
	/*
	 * The box holds processes: of the controllers it has, memory cannot be given on to what lies
	 * in it, and with any other it would become the root of a threaded tree.
	 */
	ASSERT_TRUE(!write_file(CGROUP_ROOT "/cgroup.subtree_control", "+memory -pids -cpu -io"));
	ASSERT_TRUE(!mkdir(BOX, 0755) || errno == EEXIST);
	ASSERT_EQ(0, write_file(BOX "/memory.max", "max"));
	policy_write(GUEST("g") FILES RULE("%s/ok", "rw") END
		     "[guest.g.limits]\nbest_effort = true\n%s",
		     tree.root, limits);
	ASSERT_EQ(0, ctl_in_box("load " POLICY_FILE));
}

/* The payload, and its policyctl, out of the box: what they need themselves is free there. */
static void start_outside(struct probe *p, const char *const steps[])
{
	probe_prepare = enter_box;
	probe_start(p, "g", steps);
	probe_prepare = NULL;
	ASSERT_EQ(0, tasks_move(probe_pid(probe_until(p, "paused")), CGROUP_ROOT));
	ASSERT_EQ(0, tasks_move(p->pid, CGROUP_ROOT));
	EXPECT_EQ(0, read_number(BOX "/cgroup.procs"));
}

/* Next brood: @ret_born children, @ret_refused forks with EAGAIN; none opened what it may not. */
static void next_brood(struct probe *p, int *ret_born, int *ret_refused)
{
	struct numbers said;

	probe_go(p);
	said = tasks_numbers(probe_until(p, "brooded"));
	*ret_born = (int)said.n[1];
	*ret_refused = (int)said.n[2];
	EXPECT_EQ(0, said.n[3]); /* failed otherwise */
	EXPECT_EQ(0, said.n[4]); /* opened it */
	printf("# %d born, %d refused\n", *ret_born, *ret_refused);
	probe_until(p, "paused");
}

static long health(const char *counter)
{
	return strtol(status_value(text("engine.health.%s", counter)), NULL, 10);
}

/*
 * Before 6.4 labels come from kmalloc(GFP_ATOMIC), which memory.max does not stop; since then from
 * stocks that are filled with GFP_NOWAIT, which it does.
 */
static bool memory_max_stops_labels(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	ASSERT_EQ(0, uname(&u));
	ASSERT_EQ(2, sscanf(u.release, "%d.%d", &major, &minor));
	return major > 6 || (major == 6 && minor >= 4);
}

/* How often something was charged at the limit. */
static long at_the_limit(void)
{
	char buf[512] = "", *at;

	read_file(BOX "/memory.events", buf, sizeof(buf));
	at = strstr(buf, "\nmax ");
	return at ? strtol(at + 5, NULL, 10) : -1;
}

static void expect_full(struct probe *p)
{
	int born, refused;

	ASSERT_EQ(0, write_file(BOX "/memory.max", "0"));
	next_brood(p, &born, &refused);
	EXPECT_EQ(BROOD, born + refused);
	EXPECT_EQ(refused, health("no_storage") + health("tasks_full"));
	EXPECT_STREQ("1", guest_value("g", "pids.now"));
	EXPECT_STREQ("1", guest_value("g", "tasks"));
	if (memory_max_stops_labels()) {
		EXPECT_LE(1, health("no_storage"));
	} else {
		EXPECT_EQ(BROOD, born);
		EXPECT_LE(1, at_the_limit());
	}
}

TEST(no_memory_for_labels)
{
	const char *many = text("%d", BROOD);
	int born, refused;
	struct probe p;

	load_in_box("");
	start_outside(&p, STEPS("on-cpu", "0", "pause", "brood", "10", tree.bad, "pause", "brood",
				many, tree.bad, "pause", "brood", "10", tree.bad, "pause", "brood",
				many, tree.bad, "pause"));
	next_brood(&p, &born, &refused);
	EXPECT_EQ(10, born);
	expect_full(&p);
	EXPECT_EQ(0, write_file(BOX "/memory.max", "max"));
	next_brood(&p, &born, &refused); /* it takes a miss to fill the CPU's stock again */
	next_brood(&p, &born, &refused);
	EXPECT_EQ(BROOD, born);
	EXPECT_EQ(0, probe_end(&p));
}

/* A description that cannot be entered is refused, by name; one that was is counted to its end. */
TEST(no_memory_for_files)
{
	const char *dir, *many = text("%d", OPENED);
	int held = 0, err = 0;
	struct probe p;
	long before;

	load_in_box("fds = 1000\n");
	dir = text("%s/ok", tree.root);
	make_file(text("%s/f", dir), "");
	start_outside(&p, STEPS("on-cpu", "0", "pause", "take", "open", dir, "10", "pause", "take",
				"open", dir, many, "pause"));
	before = guest_number("g", "fds.now");
	probe_go(&p);
	EXPECT_STREQ("taken 0 open 10", probe_until(&p, "taken"));
	probe_until(&p, "paused");
	ASSERT_EQ(0, write_file(BOX "/memory.max", "0"));
	probe_go(&p);
	ASSERT_EQ(2, sscanf(probe_until(&p, "taken"), "taken %d open %d", &err, &held));
	printf("# %d held, then errno %d\n", held, err);
	EXPECT_EQ(ENFILE, err);
	EXPECT_LE(1, health("files_full"));
	EXPECT_EQ(before + held, guest_number("g", "fds.now"));
	EXPECT_EQ(0, write_file(BOX "/memory.max", "max"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
}

/* The guest's cgroup is found whatever part of the tree the loader sees. */
TEST(known_by_the_cgroup_alone)
{
	struct probe p;

	load_in_box("");
	probe_start(&p, NULL, STEPS("pause", "open", "r", tree.bad, "open", "rw", tree.good));
	EXPECT_EQ(0, tasks_move(probe_pid(probe_until(&p, "paused")), BOX "/policyctl/g"));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(unload_leaves_nothing)
{
	EXPECT_EQ(0, ctl_in_box("unload --force"));
	EXPECT_EQ(0, rmdir(BOX));
	EXPECT_NOTHING(engine_left());
}
