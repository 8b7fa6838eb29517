/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that change while a snapshot of them is made; and that one version of a file is one snapshot.
 */
#include "harness.h"

#include <pthread.h>
#include <sched.h>

#include "shadows.h"

/* ---- files that change while they are copied ---- */

#define BIG (32 * MIB)

/*
 * The thread that waits until a copy of ours has begun, and does @change then: on the same CPU and before
 * all others, so that the copy stands still meanwhile.
 */
struct meanwhile {
	void (*change)(const char *path);
	const char *path;
	bool done;
	volatile bool over;
};

/* Begun, and far from its end. */
static bool is_being_copied(void)
{
	for (int fd = 3; fd < 64; fd++) {
		char link[64], name[64] = "";
		struct stat st;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, name, sizeof(name) - 1) > 0 && strstr(name, "memfd:shadow") &&
		    !fstat(fd, &st) && st.st_blocks && st.st_blocks < (BIG - MIB) / 512)
			return true;
	}
	return false;
}

static void *change_it(void *arg)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct meanwhile *at = arg;

	EXPECT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &first));
	while (!at->over && !at->done) {
		usleep(500);
		if (is_being_copied()) {
			at->change(at->path);
			at->done = true;
		}
	}
	return NULL;
}

static int shadow_beside(struct meanwhile *meanwhile, struct pol_shadow *ret)
{
	pthread_t thread;
	int r;

	ASSERT_EQ(0, run_cmd(NULL, 0, "head -c %u /dev/zero >%s", BIG, meanwhile->path));
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_it, meanwhile));
	r = pol_shadow_make("s", meanwhile->path, 0, NULL, ret, &error);
	meanwhile->over = true;
	pthread_join(thread, NULL);
	(void)unlink(meanwhile->path);
	return r;
}

/* A few times: the copy may be faster than the thread. Return: as pol_shadow_make(). */
static int shadow_while(void (*change)(const char *path), struct pol_shadow *ret)
{
	cpu_set_t before, one;
	int r = -ETIME;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(before), &before));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	for (int i = 0; i < 20 && r == -ETIME; i++) {
		struct meanwhile meanwhile = { .change = change, .path = at(text("big%d", i)) };

		r = shadow_beside(&meanwhile, ret);
		if (meanwhile.done)
			break;
		if (r >= 0)
			close(r);
		r = -ETIME;
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(before), &before));
	if (r == -ETIME)
		FAIL("20 copies were faster than the thread");
	return r;
}

static void shrink(const char *path)
{
	ASSERT_EQ(0, truncate(path, 4096));
}

static void grow(const char *path)
{
	ASSERT_EQ(0, truncate(path, 33 * MIB));
}

static void vanish(const char *path)
{
	ASSERT_EQ(0, unlink(path));
}

TEST(a_file_that_shrinks)
{
	struct pol_shadow ret = { .size = sizeof(ret) };

	load_with("max_size = \"34MiB\"");
	EXPECT_EQ(-EIO, shadow_while(shrink, &ret));
	EXPECT_STRSTR("shrank while it was copied", error.message);
	expect_none_live();
}

/* It is copied once more, whole. */
TEST(a_file_that_grows)
{
	struct pol_shadow ret = { .size = sizeof(ret) };
	int fd;

	load_with("max_size = \"34MiB\"");
	fd = shadow_while(grow, &ret);
	EXPECT_LE(0, fd);
	EXPECT_EQ(33 * MIB, ret.bytes);
	EXPECT_EQ(0, ret.flags);
	close(fd);
	load_with("max_size = \"32MiB\"");
	EXPECT_EQ(-EFBIG, shadow_while(grow, &ret));
	expect_none_live();
}

TEST(a_file_that_vanishes)
{
	struct pol_shadow ret = { .size = sizeof(ret) };

	load_with("max_size = \"34MiB\"");
	EXPECT_EQ(-ENOENT, shadow_while(vanish, &ret));
	expect_none_live();
}

static void replace(const char *path)
{
	make_file(at("other"), "other");
	ASSERT_EQ(0, rename(at("other"), path));
}

TEST(a_file_that_is_replaced)
{
	struct pol_shadow ret = { .size = sizeof(ret) };
	int fd;

	load_with("max_size = \"34MiB\"");
	fd = shadow_while(replace, &ret);
	EXPECT_LE(0, fd);
	EXPECT_EQ(5, ret.bytes);
	EXPECT_EQ(0, ret.flags);
	close(fd);
	expect_none_live();
}

/*
 * Another file gets its name beside the making: that is snapshotted, or the one before, which is stale
 * then, also where no hook told it because the kernel did not count yet.
 */
static void *rename_once(void *arg)
{
	usleep(*(unsigned int *)arg);
	EXPECT_EQ(0, rename(at("new"), at("f")));
	return NULL;
}

static void race_with_rename(unsigned int delay)
{
	char before[8] = "", after[8] = "";
	pthread_t thread;
	int fd;

	make_file(at("f"), "hello");
	make_file(at("new"), "other");
	ASSERT_EQ(0, pthread_create(&thread, NULL, rename_once, &delay));
	fd = shadow("s", at("f"));
	pthread_join(thread, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, pread(fd, before, sizeof(before), 0));
	EXPECT_LE(5, read_file(at("f"), after, sizeof(after)));
	EXPECT_TRUE(is_stale("s", fd) || !strcmp(before, after));
	close(fd);
}

TEST(a_rename_beside_it)
{
	unsigned int seed = (unsigned int)test_seed();

	load_with("");
	for (long i = test_count(100, 20000); i; i--)
		race_with_rename((unsigned int)rand_r(&seed) % 20000);
}

/* ---- one for all ---- */

static int holder(int in, int out)
{
	char byte;
	int fd = shadow("t", at("f"));

	return write(out, &fd, sizeof(fd)) < 0 || read(in, &byte, 1) < 0 || fd < 0;
}

TEST(one_version_is_one_snapshot)
{
	int to[2], from[2], mine, its, again;
	uint64_t inode;
	pid_t pid;

	load_with("");
	make_file(at("f"), "hello");
	ASSERT_EQ(0, pipe(to) || pipe(from));
	pid = fork();
	if (!pid) {
		close(to[1]);
		_exit(holder(to[0], from[1]));
	}
	ASSERT_EQ(sizeof(its), read(from[0], &its, sizeof(its)));
	ASSERT_LE(0, its);
	/* From another process, and for another guest. */
	mine = shadow("s", at("f"));
	inode = look("s", mine).inode;
	expect_hello(mine);
	EXPECT_EQ(EBADF, write(mine, "x", 1) < 0 ? errno : 0);
	again = shadow("t", at("f"));
	EXPECT_EQ(inode, look("t", again).inode);
	EXPECT_EQ(1, live("s"));
	EXPECT_EQ(1, live("t"));
	/* Who made it goes, it stays; the last one takes it along. */
	close(to[1]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	close(again);
	EXPECT_EQ(2, live(NULL));
	again = shadow("t", at("f"));
	EXPECT_EQ(inode, look("t", again).inode);
	close(again);
	chmod_it();
	again = shadow("t", at("f"));
	EXPECT_NE(inode, look("t", again).inode);
	EXPECT_TRUE(is_stale("s", mine));
	EXPECT_FALSE(is_stale("t", again));
	close(again);
	close(mine);
	expect_none_live();
}

/* A guest that has "f" as descriptor 9, does @verb and stays; whoever started it is killed. */
static void start_alone(const char *verb)
{
	char said[64] = "";
	int out[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		execlp("policyctl", "policyctl", "run", "s", "--shadow", text("%s=9", at("f")), "--", PAYLOAD,
		       "9", verb, "pause", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	ASSERT_LE(1, read(out[0], said, sizeof(said) - 1));
	EXPECT_STREQ(text("%s: 0\n", verb), said);
	close(out[0]);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* It is had from the guest then, which has it open, or has only mapped it. */
static void expect_had_from(const char *verb)
{
	uint64_t inode = 0;
	int fd, other;

	start_alone(verb);
	fd = shadow("t", at("f"));
	ASSERT_LE(0, fd);
	inode = look("t", fd).inode;
	EXPECT_EQ(inode, look("s", fd).inode);
	expect_hello(fd);
	close(fd);
	chmod_it();
	other = shadow("t", at("f"));
	EXPECT_NE(inode, look("t", other).inode);
	close(other);
	EXPECT_EQ(0, ctl("stop s --timeout 0"));
	expect_none_live();
}

/* Who made it has another descriptor of it, of which we know nothing: it is copied once more. */
TEST(not_had_from_anybody)
{
	int fd, kept;
	uint64_t inode;

	load_with("");
	make_file(at("f"), "hello");
	fd = shadow("s", at("f"));
	inode = look("s", fd).inode;
	kept = dup(fd);
	close(fd);
	for (int i = 0; i < 2; i++) {
		fd = shadow("t", at("f"));
		ASSERT_LE(0, fd);
		EXPECT_NE(inode, look("t", fd).inode);
		expect_hello(fd);
		close(fd);
	}
	close(kept);
	expect_none_live();
}

/* Nor does a guest make others wait: it has a lease on what is its alone, and does not let go. */
TEST(a_guest_with_a_lease)
{
	int fd;

	load_with("");
	ASSERT_EQ(0, run_cmd(NULL, 0, "echo 3600 >/proc/sys/fs/lease-break-time"));
	make_file(at("f"), "hello");
	start_alone("lease");
	fd = shadow("t", at("f"));
	EXPECT_LE(0, fd);
	expect_hello(fd);
	close(fd);
	EXPECT_EQ(0, ctl("stop s --timeout 0"));
	ASSERT_EQ(0, run_cmd(NULL, 0, "echo 45 >/proc/sys/fs/lease-break-time"));
	expect_none_live();
}

/* It is not looked for without an end. */
TEST(a_guest_that_hides_it)
{
	struct pol_shadow none = { .size = sizeof(none) };
	int fd;

	load_with("");
	make_file(at("f"), "hello");
	start_alone("hide");
	fd = shadow("t", at("f"));
	ASSERT_LE(0, fd);
	expect_hello(fd);
	EXPECT_EQ(2, live(NULL));
	EXPECT_EQ(-ENOENT, pol_shadow_get("s", fd, &none, &error));
	close(fd);
	EXPECT_EQ(0, ctl("stop s --timeout 0"));
	expect_none_live();
}

TEST(had_from_a_guest)
{
	load_with("");
	make_file(at("f"), "hello");
	expect_had_from("seals");
	expect_had_from("map-alone");
}

LEAVES_NO_GUEST()
