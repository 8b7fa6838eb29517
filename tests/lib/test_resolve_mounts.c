/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts, in a namespace of the test's own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolve_fixture.h"
#include "resolve_int.h"

TestSuite(resolve_mounts, .init = init, .fini = fini, .timeout = 300);

static void need_mounts(void)
{
	need_tree();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("a mount namespace needs root");
}

static void bind(const char *from, const char *to)
{
	char source[4096], target[4096];

	(void)snprintf(source, sizeof(source), "%s/%s", tree, from);
	(void)snprintf(target, sizeof(target), "%s/%s", tree, to);
	cr_assert_eq(mount(source, target, NULL, MS_BIND, NULL), 0, "bind %s: %m", target);
}

static void mount_fs(const char *type, const char *to)
{
	char target[4096];

	(void)snprintf(target, sizeof(target), "%s/%s", tree, to);
	cr_assert_eq(mount(type, target, type, 0, NULL), 0, "mount %s: %m", target);
}

Test(resolve_mounts, mounts_below_a_rule_get_it_too)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/with space");
	tree_dir(tree, "data/proc");
	tree_dir(tree, "data/own");
	tree_dir(tree, "beside");
	tree_file(tree, "data/file");
	tree_file(tree, "source");
	mount_fs("tmpfs", "data/with space");
	mount_fs("tmpfs", "data/own");
	mount_fs("tmpfs", "beside");
	mount_fs("proc", "data/proc");
	bind("source", "data/file");
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/data/own\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 4);
	place_is(0, "data", NULL);
	place_is(1, "data", "file");
	cr_assert(places.items[1].derived);
	cr_assert_eq(places.items[1].rule, 0);
	place_is(2, "data/with space", NULL);
	cr_assert(places.items[2].derived);
	place_is(3, "data/own", NULL);
	cr_assert(!places.items[3].derived);
}

Test(resolve_mounts, a_mounted_file_under_its_own_rule_is_derived_too)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_file(tree, "data/file");
	tree_file(tree, "source");
	bind("source", "data/file");
	use_rules("{ path = \"@/data/file\", access = \"rw\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 2);
	cr_assert(!places.items[0].derived && places.items[1].derived);
}

Test(resolve_mounts, an_explicit_rule_on_what_is_mounted_beats_the_derived_one)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/mnt");
	tree_dir(tree, "secret");
	bind("secret", "data/mnt");
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/secret\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 2);
	place_is(0, "data", NULL);
	place_is(1, "secret", NULL);
}

Test(resolve_mounts, a_mount_under_another_is_not_there)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/a");
	tree_dir(tree, "data/a/b");
	mount_fs("tmpfs", "data/a/b");
	mount_fs("tmpfs", "data/a");
	use_rules("{ path = \"@/data\", access = \"rw\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 2);
	place_is(1, "data/a", NULL);
}

Test(resolve_mounts, a_bind_mount_does_not_hide_who_can_steer)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/sub");
	tree_dir(tree, "target");
	tree_dir(tree, "view");
	tree_link(tree, "data/sub/link", "@/target");
	bind("data/sub", "view");
	/* By its path the symlink lies in view, where no rule is; by its file in data/sub. */
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/view/link\", access = \"ro\" },\n");
	resolve_fails(POL_P_SYMLINK_STEERED, 5);
}

Test(resolve_mounts, one_directory_by_two_mounts_is_one_place)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "view");
	bind("data", "view");
	use_rules(
		"{ path = \"@/data\", access = \"rw\" },\n{ path = \"@/view\", access = \"ro\" },\n");
	resolve_fails(POL_P_SAME_PLACE, 5);
}

Test(resolve_mounts, mountinfo_is_unescaped)
{
	struct pol_mounts mounts = { 0 };
	char *key;

	cr_assert_eq(
		pol_mounts_read(
			"36 35 98:0 /mnt1 /with\\040space\\011\\134 rw shared:1 master:2 - ext3 /dev/root rw\n"
			"20 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
			&mounts),
		0);
	cr_assert_eq(mounts.cnt, 2);
	cr_assert_eq(mounts.items[0].id, 20);
	cr_assert_str_eq(mounts.items[1].point, "/with space\t\\");
	cr_assert_str_eq(mounts.items[1].fstype, "ext3");
	key = pol_mount_key(&mounts, 36, "/with space\t\\/x");
	cr_assert_str_eq(key, "98:0/mnt1/x");
	free(key);
	key = pol_mount_key(&mounts, 36, "/with space\t\\");
	cr_assert_str_eq(key, "98:0/mnt1");
	free(key);
	key = pol_mount_key(&mounts, 20, "/");
	cr_assert_str_eq(key, "8:1/");
	free(key);
	key = pol_mount_key(&mounts, 20, "/srv");
	cr_assert_str_eq(key, "8:1/srv");
	free(key);
	pol_mounts_done(&mounts);
	cr_assert_eq(pol_mounts_read("nonsense\n", &mounts), -EINVAL);
}

/* A FUSE filesystem with an empty root; the child serves it while this process lives. */
static void serve_fuse(int fd)
{
	static char buf[1 << 18];
	const struct fuse_in_header *in = (const void *)buf;

	while (read(fd, buf, sizeof(buf)) > 0) {
		struct {
			struct fuse_out_header head;
			union {
				struct fuse_init_out init;
				struct fuse_attr_out attr;
				struct fuse_statfs_out statfs;
			};
		} out = { .head = { .unique = in->unique } };
		size_t len = sizeof(out.statfs);

		if (in->opcode == FUSE_INIT) {
			out.init.major = FUSE_KERNEL_VERSION;
			out.init.minor = FUSE_KERNEL_MINOR_VERSION;
			out.init.max_write = 4096;
			len = sizeof(out.init);
		} else if (in->opcode == FUSE_GETATTR) {
			out.attr.attr.ino = 1;
			out.attr.attr.mode = S_IFDIR | 0755;
			out.attr.attr.nlink = 2;
			len = sizeof(out.attr);
		}
		out.head.len = (uint32_t)(sizeof(out.head) + len);
		if (write(fd, &out, out.head.len) < 0)
			break;
	}
	_exit(0);
}

static void mount_fuse(const char *at)
{
	char target[4096], options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		cr_skip_test("no FUSE here: %m");
	(void)snprintf(target, sizeof(target), "%s/%s", tree, at);
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	cr_assert_eq(mount("fuse", target, "fuse", 0, options), 0, "%m");
	if (!fork()) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve_fuse(fd);
	}
	(void)close(fd);
}

Test(resolve_mounts, a_filesystem_without_rules_below_a_rule_is_a_warning)
{
	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/mnt");
	mount_fuse("data/mnt");
	use_rules("{ path = \"@/data\", access = \"rw\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 1);
	cr_assert(find_code(POL_P_MOUNT));
	cr_assert(strstr(find_code(POL_P_MOUNT)->message, "is fuse"));
}

Test(resolve_mounts, a_rule_on_such_a_filesystem_is_an_error)
{
	need_mounts();
	tree_dir(tree, "mnt");
	mount_fuse("mnt");
	use_rules("{ path = \"@/mnt\", access = \"rw\" },\n");
	resolve_fails(POL_P_FILESYSTEM, 4);
}

Test(resolve_mounts, an_overlay_is_a_filesystem_like_others)
{
	char target[4096], options[16384];

	need_mounts();
	tree_dir(tree, "data");
	tree_dir(tree, "data/mnt");
	tree_dir(tree, "low");
	tree_dir(tree, "up");
	tree_dir(tree, "work");
	(void)snprintf(target, sizeof(target), "%s/data/mnt", tree);
	(void)snprintf(options, sizeof(options), "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work",
		       tree, tree, tree);
	if (mount("overlay", target, "overlay", 0, options) < 0)
		cr_skip_test("no overlayfs here: %m");
	use_rules("{ path = \"@/data\", access = \"rw\" },\n");
	resolve_ok();
	cr_assert_eq(places.cnt, 2);
}
