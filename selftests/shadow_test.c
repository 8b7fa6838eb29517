/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows: sealed snapshots of files, in the hands of guests that cannot open the files themselves.
 */
#include "harness.h"

#include <policy/policy.h>
#include <pthread.h>
#include <sys/stat.h>

#include "guest.h"

#define PAYLOAD "/selftests/guests/shadow_static"
#define MIB	(1u << 20)

/* A guest that can start the payload, and open nothing else. */
#define BARE(name) "[guest." name "]\nfiles = [ { path = \"" PAYLOAD "\", access = \"rx\" } ]\n"

static struct pol_error error = { .size = sizeof(error) };
static const char *dir;

static const char *at(const char *name)
{
	return text("%s/%s", dir, name);
}

/* Guests s and t, with what @more says of their shadows. */
static void load_with(const char *more)
{
	dir = scratch();
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\n%s\n" BARE(
			    "t") "[guest.t.shadow]\npaths = [\"%s\"]\n%s\n",
		    dir, more, dir, more);
	events_forget();
}

static const char *make_sized(const char *name, off_t size)
{
	const char *path = make_file(at(name), "");

	ASSERT_EQ(0, truncate(path, size));
	return path;
}

static int shadow(const char *guest, const char *path)
{
	return pol_shadow_make(guest, path, 0, NULL, NULL, &error);
}

static struct pol_shadow look(const char *guest, int fd)
{
	struct pol_shadow ret = { .size = sizeof(ret) };

	if (pol_shadow_get(guest, fd, &ret, &error))
		FAIL("pol_shadow_get: %s", error.message);
	return ret;
}

static bool is_stale(const char *guest, int fd)
{
	return look(guest, fd).flags & POL_SHADOW_IS_STALE;
}

static int count_one(const struct pol_shadow *one, void *arg)
{
	(void)one;
	++*(int *)arg;
	return 0;
}

static int live(const char *guest)
{
	int cnt = 0, r = pol_shadow_list(guest, count_one, &cnt, &error);

	return r < 0 ? r : cnt;
}

/* An inode of a memfd is freed after an RCU grace period at the latest, its entries at once. */
static void expect_none_live(void)
{
	EXPECT_EQ(0, live(NULL));
}

/* ---- what a guest may do with one ---- */

/* The words that the payload prints for @verbs, of the file "f" as descriptor 9. */
static const char *told(const char *suffix, const char *verbs)
{
	int r = ctl("run s --shadow %s=9%s -- " PAYLOAD " 9 %s", at("f"), suffix, verbs);

	if (r)
		FAIL("run: %d: %.200s", r, ctl_said);
	return ctl_said;
}

TEST(it_is_read_only_and_sealed)
{
	load_with("");
	make_file(at("f"), "hello");
	EXPECT_STREQ("sum: 532 of 5, own 1, at 0\n", told("", "sum"));
	EXPECT_STREQ("seals: 0\nmap: 0\nmap-shared: 0\n", told("", "seals map map-shared"));
	EXPECT_STREQ(text("write: %d\nwrite-again: %d\n", EBADF, EPERM), told("", "write write-again"));
	EXPECT_STREQ(text("map-write: %d\nmap-again: %d\n", EACCES, EPERM),
		     told("", "map-write map-again"));
	EXPECT_STREQ(text("truncate-again: %d\nseal: %d\n", EPERM, EPERM), told("", "truncate-again seal"));
	expect_none_live();
}

/* The policy's exec = true, and the asking for it: each is needed. */
TEST(it_is_executable_where_both_say_so)
{
	load_with("exec = true");
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp " PAYLOAD " %s", at("f")));
	EXPECT_STREQ(text("map-exec: %d\nmap-exec-later: %d\n", EACCES, EACCES),
		     told("", "map-exec map-exec-later"));
	EXPECT_STREQ("map-exec: 0\nmap-exec-later: 0\n", told(":x", "map-exec map-exec-later"));
	EXPECT_EQ(126, ctl("run s --shadow %s=9 -- " PAYLOAD " 9 exec x", at("f")));
	EXPECT_STREQ(text("exec: %d\n", EACCES), ctl_said);
	EXPECT_EQ(0, ctl("run s --shadow %s=9:x --shadow %s=8 -- " PAYLOAD " 9 exec x 8 seals", at("f"),
			 at("f")));
	EXPECT_STREQ("seals: 0\n", ctl_said);
}

TEST(it_is_not_executable_by_default)
{
	load_with("");
	make_file(at("f"), "x");
	EXPECT_EQ(125, ctl("run s --shadow %s=9:x -- " PAYLOAD " 9 seals", at("f")));
	EXPECT_STRSTR("guest 's' may have no executable shadows", ctl_said);
	EXPECT_STRSTR("[guest.s.shadow] exec = true", ctl_said);
}

/*
 * A dynamically linked program, with its libraries: the loader is executed from a shadow, and opens from
 * the handed descriptors what it loads. The guest has a rule for the first program alone.
 */
TEST(a_dynamic_program_from_shadows)
{
	char out[4096];

	dir = scratch();
	ASSERT_EQ(0, run_cmd(out, sizeof(out),
			     "cp -L /lib64/ld-linux-x86-64.so.2 %s/ld.so && cp -L /usr/bin/expr %s/expr && "
			     "cp -L $(%s/ld.so --list %s/expr | sed -n 's,.*=> \\(/[^ ]*\\).*,\\1,p') %s && "
			     "ls %s",
			     dir, dir, dir, dir, dir, dir));
	EXPECT_STRSTR("libc.so.6", out);
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\nexec = true\n", dir);
	run_cmd(out, sizeof(out),
		"set --; n=20; pre=; for lib in %s/*.so.*; do set -- \"$@\" --shadow $lib=$n:x; "
		"pre=$pre:/proc/self/fd/$n; n=$((n+1)); done; "
		"policyctl run s --shadow %s/ld.so=10:x --shadow %s/expr=11:x \"$@\" -- " PAYLOAD
		" 10 exec ld.so --preload $pre /proc/self/fd/11 20 + 22; echo $?",
		dir, dir, dir);
	EXPECT_STREQ("42\n0\n", out);
	/* The same without what was handed. */
	run_cmd(out, sizeof(out), "policyctl run s --shadow %s/ld.so=10:x -- " PAYLOAD
				  " 10 exec ld.so %s/expr 20 + 22; echo $?",
		dir, dir);
	EXPECT_STRSTR("cannot open shared object file", out);
	expect_none_live();
}

/* ---- what is refused, each with the same that is not ---- */

static void expect_refused(int want, const char *path, const char *says)
{
	EXPECT_EQ(want, shadow("s", path));
	EXPECT_STRSTR(says, error.message);
	EXPECT_EQ(0, live("s"));
}

static void expect_given(const char *path, uint64_t bytes)
{
	int fd = shadow("s", path);

	if (fd < 0) {
		FAIL("%s: %d, %s", path, fd, error.message);
		return;
	}
	EXPECT_EQ(bytes, look("s", fd).bytes);
	EXPECT_STREQ(path, look("s", fd).path);
	close(fd);
}

TEST(the_cap)
{
	load_with("max_size = \"1MiB\"");
	expect_given(make_sized("fits", MIB), MIB);
	expect_refused(-EFBIG, make_sized("more", MIB + 1), "larger than the cap for a snapshot, 1048576");
	/* A lower one of the caller's; a higher one is the policy's all the same. */
	struct pol_shadow_limits limits = { .size = sizeof(limits), .max_size = MIB - 1 };
	EXPECT_EQ(-EFBIG, pol_shadow_make("s", at("fits"), 0, &limits, NULL, &error));
	limits.max_size = 2 * MIB;
	EXPECT_EQ(-EFBIG, pol_shadow_make("s", at("more"), 0, &limits, NULL, &error));
	EXPECT_EQ(125, ctl("run s --shadow-max 1000KiB --shadow %s=9 -- " PAYLOAD " 9 seals", at("fits")));
	EXPECT_STRSTR("larger than the cap for a snapshot, 1024000", ctl_said);
	EXPECT_EQ(0, ctl("run s --shadow-max 1GiB --shadow %s=9 -- " PAYLOAD " 9 seals", at("fits")));
	EXPECT_STRSTR("warning: --shadow-max 1GiB is more than 512MiB", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow-max many --shadow %s=9 -- " PAYLOAD " 9 seals", at("fits")));
	EXPECT_STRSTR("takes a size", ctl_said);
}

/* What is silent: 256 MiB, of holes, which stay such. */
TEST(the_cap_that_is_silent)
{
	load_with("");
	expect_given(make_sized("fits", 256l * MIB), 256l * MIB);
	expect_refused(-EFBIG, make_sized("more", 256l * MIB + 1), "268435456");
}

TEST(what_is_no_regular_file)
{
	load_with("");
	expect_given(make_sized("empty", 0), 0);
	ASSERT_EQ(0, mkfifo(at("fifo"), 0666));
	make_dir(at("dir"));
	ASSERT_EQ(0, mknod(at("null"), S_IFCHR | 0666, 0x103));
	expect_refused(-ENODEV, at("fifo"), "no regular file");
	expect_refused(-ENODEV, at("dir"), "no regular file");
	expect_refused(-ENODEV, at("null"), "no regular file");
	expect_refused(-ENOENT, at("missing"), "cannot open");
	expect_refused(-EINVAL, "f", "no path of a file");
	expect_refused(-EINVAL, text("%s/../x", dir), "no path of a file");
}

TEST(what_the_kernel_makes_up)
{
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"/proc/version\", \"/sys/kernel\"]\n");
	expect_refused(-ENODEV, "/proc/version", "made up by the kernel");
	expect_refused(-ENODEV, "/sys/kernel/uevent_seqnum", "made up by the kernel");
}

TEST(what_the_policy_has_not)
{
	const char *other;

	load_with("");
	other = make_file(text("%s/f", scratch()), "x");
	make_file(at("f"), "x");
	expect_given(at("f"), 1);
	expect_refused(-EACCES, other, "in none of the guest's shadow.paths");
	EXPECT_STRSTR(other, error.fix);
	ASSERT_EQ(0, symlink(other, at("out")) || symlink("f", at("in")));
	expect_refused(-EACCES, at("out"), "a symlink leads out");
	expect_given(at("in"), 1);
	EXPECT_EQ(-EPERM, pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC, NULL, NULL, &error));
	EXPECT_EQ(-ENOENT, shadow("nobody", at("f")));
	EXPECT_EQ(-EINVAL, pol_shadow_make("s", at("f"), 64, NULL, NULL, &error));
	EXPECT_EQ(-EINVAL, pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC | POL_SHADOW_MAKE_LAZY, NULL,
					   NULL, &error));
	ASSERT_LOAD(BARE("s"));
	expect_refused(-EACCES, at("f"), "guest 's' may have no shadows");
}

TEST(the_budget)
{
	int fds[17];

	load_with("budget = \"64KiB\"");
	for (int i = 0; i < 17; i++) {
		make_sized(text("f%d", i), 4096);
		fds[i] = shadow("s", at(text("f%d", i)));
		EXPECT_EQ(i == 16, fds[i] == -ENOSPC);
	}
	EXPECT_STRSTR("65536 bytes of them, of at most 65536", error.message);
	/* Another guest's is its own. What the guest has is not counted twice, whoever duplicates it. */
	close(shadow("t", at("f16")));
	close(shadow("s", at("f3")));
	close(fds[3]);
	fds[3] = shadow("s", at("f16"));
	EXPECT_LE(0, fds[3]);
	EXPECT_EQ(-ENOSPC, shadow("s", at("f3")));
	for (int i = 0; i < 16; i++)
		close(fds[i]);
	expect_none_live();
}

/* ---- files that change while they are copied ---- */

/* The thread that waits until a copy of ours has begun, and does @change then. */
struct meanwhile {
	void (*change)(const char *path);
	const char *path;
	bool done;
	volatile bool over;
};

static bool is_being_copied(void)
{
	for (int fd = 3; fd < 64; fd++) {
		char link[64], name[64] = "";
		struct stat st;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, name, sizeof(name) - 1) > 0 && strstr(name, "memfd:shadow") &&
		    !fstat(fd, &st) && st.st_blocks && st.st_mode & 0200)
			return true;
	}
	return false;
}

static void *change_it(void *arg)
{
	struct meanwhile *at = arg;

	while (!at->over && !at->done)
		if (is_being_copied()) {
			at->change(at->path);
			at->done = true;
		}
	return NULL;
}

/* A few times: the copy may be faster than the thread. Return: as pol_shadow_make(). */
static int shadow_while(void (*change)(const char *path), struct pol_shadow *ret)
{
	for (int i = 0; i < 20; i++) {
		const char *path = at(text("big%d", i));
		struct meanwhile meanwhile = { .change = change, .path = path };
		pthread_t thread;
		int r;

		ASSERT_EQ(0, run_cmd(NULL, 0, "head -c 33554432 /dev/zero >%s", path));
		ASSERT_EQ(0, pthread_create(&thread, NULL, change_it, &meanwhile));
		r = pol_shadow_make("s", path, 0, NULL, ret, &error);
		meanwhile.over = true;
		pthread_join(thread, NULL);
		(void)unlink(path);
		if (meanwhile.done)
			return r;
		if (r >= 0)
			close(r);
	}
	FAIL("20 copies were faster than the thread");
	return -ETIME;
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

/* ---- staleness ---- */

static void open_rw(void)
{
	close(open(at("f"), O_RDWR));
}

static void truncate_it(void)
{
	ASSERT_EQ(0, truncate(at("f"), 1));
}

static void rename_over(void)
{
	make_file(at("new"), "new");
	ASSERT_EQ(0, rename(at("new"), at("f")));
}

static void rename_away(void)
{
	ASSERT_EQ(0, rename(at("f"), at("elsewhere")));
}

static void chmod_it(void)
{
	ASSERT_EQ(0, chmod(at("f"), 0600));
}

static void chown_it(void)
{
	ASSERT_EQ(0, chown(at("f"), 1, 1));
}

static void unlink_it(void)
{
	ASSERT_EQ(0, unlink(at("f")));
}

static void store_shared(void)
{
	int fd = open(at("f"), O_RDWR);
	char *to = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ASSERT_TRUE(to != MAP_FAILED);
	close(fd);
	memcpy(to, "HELLO", 5);
	munmap(to, 5);
}

static void read_it(void)
{
	char buf[8];
	struct stat st;
	int fd = open(at("f"), O_RDONLY);

	ASSERT_EQ(5, read(fd, buf, sizeof(buf)));
	ASSERT_EQ(0, stat(at("f"), &st));
	close(fd);
}

static void change_others(void)
{
	make_file(at("g"), "x");
	ASSERT_EQ(0, chmod(at("g"), 0600) || rename(at("g"), at("h")) || unlink(at("h")));
}

static const struct {
	const char *op; /* NULL: it stays fresh */
	void (*change)(void);
} changes[] = {
	{ "open", open_rw },	    { "truncate", truncate_it }, { "rename", rename_over },
	{ "rename", rename_away },  { "chmod", chmod_it },	 { "chown", chown_it },
	{ "unlink", unlink_it },    { "open", store_shared },	 { NULL, read_it },
	{ NULL, change_others },
};

static void expect_hello(int fd)
{
	char buf[8] = "";

	EXPECT_EQ(5, pread(fd, buf, sizeof(buf), 0));
	EXPECT_STREQ("hello", buf);
}

/* Each kind of change, seen at once; what was snapshotted stays as it was, a new one is new. */
static void expect_stale(size_t i)
{
	int fd, other;

	make_file(at("f"), "hello");
	fd = shadow("s", at("f"));
	ASSERT_LE(0, fd);
	EXPECT_FALSE(is_stale("s", fd));
	changes[i].change();
	EXPECT_EQ(changes[i].op != NULL, is_stale("s", fd));
	expect_hello(fd);
	make_file(at("f"), "other");
	other = shadow("s", at("f"));
	ASSERT_LE(0, other);
	EXPECT_FALSE(is_stale("s", other));
	EXPECT_NE(look("s", fd).inode, look("s", other).inode);
	close(fd);
	close(other);
}

static void expect_all_stale(const char *where)
{
	dir = scratch_in(where);
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\n", dir);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		expect_stale(i);
	expect_none_live();
}

TEST(a_change_makes_it_stale)
{
	expect_all_stale("/tmp");
}

/* The writer was there before the snapshot: no hook, and no time of the file, tells of its stores. */
TEST(a_writer_that_was_there_before)
{
	char *to;
	int fd, rw;

	load_with("");
	make_file(at("f"), "hello");
	rw = open(at("f"), O_RDWR);
	to = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0);
	ASSERT_TRUE(to != MAP_FAILED);
	close(rw);
	fd = shadow("s", at("f"));
	EXPECT_TRUE(is_stale("s", fd));
	memcpy(to, "HELLO", 5);
	expect_hello(fd);
	munmap(to, 5);
	close(fd);
	fd = shadow("s", at("f"));
	EXPECT_FALSE(is_stale("s", fd));
	close(fd);
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

/* ---- who pays, and what is left ---- */

static long shmem_kib(void)
{
	char out[64];

	run_cmd(out, sizeof(out), "sed -n 's/^Shmem: *\\([0-9]*\\).*/\\1/p' /proc/meminfo");
	return atol(out);
}

/* Some at a time, over and over: what is left is what was there. */
TEST(many_made_and_freed)
{
	long many = test_count(300, 10000), before, after;
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

LEAVES_NO_GUEST()
