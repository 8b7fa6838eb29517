/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that change after a snapshot of them was made, in each way, on each filesystem: it is stale at once,
 * and holds what it held.
 */
#include "harness.h"

#include <sys/mount.h>

#include "shadows.h"

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

__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...)
{
	char cmd[4096], out[512];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	r = run_cmd(out, sizeof(out), "%s", cmd);
	if (r) {
		FAIL("status %d: %s: %.200s", r, cmd, out);
		END_TEST();
	}
}

TEARDOWN()
{
	sh("awk '$2 ~ \"^/srv/\" { print $2 }' /proc/self/mounts | sort -r | xargs -r umount -l");
	sh("rm -rf --one-file-system /srv/*");
}

static const char *make_fs(const char *type)
{
	const char *at = scratch_in("/srv"), *image = text("%s/img", scratch_in("/srv"));

	sh("truncate -s 320M %s && mkfs.%s -q %s %s >/dev/null && mount -t %s -o loop %s %s", image, type,
	   strcmp(type, "ext4") ? "-f" : "-F", image, type, image, at);
	return at;
}

TEST(a_change_on_ext4)
{
	expect_all_stale(make_fs("ext4"));
}

TEST(a_change_on_xfs)
{
	expect_all_stale(make_fs("xfs"));
}

TEST(a_change_on_btrfs)
{
	expect_all_stale(make_fs("btrfs"));
}

static const char *lower, *upper;

static const char *make_overlay(void)
{
	const char *at = scratch_in("/srv"), *layers = scratch_in("/srv");

	lower = make_dir(text("%s/lower", layers));
	upper = make_dir(text("%s/upper", layers));
	make_dir(text("%s/work", layers));
	sh("mount -t overlay -o lowerdir=%s,upperdir=%s,workdir=%s/work overlay %s", lower, upper, layers, at);
	return at;
}

TEST(a_change_on_overlayfs)
{
	expect_all_stale(make_overlay());
}

/* A file of the lower layer is copied up by whoever writes to it: through the overlay it is another then. */
TEST(a_copy_up)
{
	int fd;

	dir = make_overlay();
	make_file(text("%s/f", lower), "hello");
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\n", dir);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		sh("umount %s && rm -rf %s/* && echo 3 >/proc/sys/vm/drop_caches && mount -t overlay -o "
		   "lowerdir=%s,upperdir=%s,workdir=%s/../work overlay %s",
		   dir, upper, lower, upper, upper, dir);
		fd = shadow("s", at("f"));
		ASSERT_LE(0, fd);
		changes[i].change();
		if ((changes[i].op != NULL) != is_stale("s", fd))
			FAIL("change %zu (%s)", i, changes[i].op ? changes[i].op : "none");
		expect_hello(fd);
		close(fd);
	}
	expect_none_live();
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

LEAVES_NO_GUEST()
