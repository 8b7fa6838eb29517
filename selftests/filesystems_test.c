/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One list of operations on every filesystem that rules may be on, by a plain path, once more after
 * the caches were dropped, and by guests that see the tree through a bind mount, in a chroot and in a
 * user namespace; what is peculiar to each filesystem; trees that are detached, unmounted or
 * disconnected. The decisions are the same everywhere.
 */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "guest.h"
#include "guest_fds.h"

#define STATIC_BIN "/selftests/guests/end_static"

/* A shell command; ends the test with its words if it fails. */
__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	r = system(cmd);
	if (r) {
		FAIL("status %d: %s", r, cmd);
		END_TEST();
	}
}

/* The images of a suite of these would fill the VM's memory. */
TEARDOWN()
{
	sh("awk '$2 ~ \"^/srv/\" { print $2 }' /proc/self/mounts | sort -r | xargs -r umount -l");
	sh("rm -rf --one-file-system /srv/*");
}

/* A new filesystem of @type on a loop device, mounted. */
static const char *make_fs(const char *type)
{
	const char *dir = scratch_in("/srv"), *at = make_dir(text("%s/m", dir));
	const char *force = strcmp(type, "ext4") ? "-f" : "-F";

	sh("truncate -s 320M %s/img && mkfs.%s -q %s %s/img >/dev/null", dir, type, force, dir);
	sh("mount -t %s -o loop %s/img %s", type, dir, at);
	return at;
}

static const char *make_tmpfs(void)
{
	const char *at = scratch_in("/srv");

	sh("mount -t tmpfs -o mode=0755 tmpfs %s", at);
	return at;
}

/* An overlay of two new directories, the lower one from @lower; both can be had by overlay_dirs. */
static const char *overlay_lower, *overlay_upper;

static const char *make_overlay(const char *lower, const char *upper_fs, const char *options)
{
	const char *at = scratch_in("/srv"), *dir = scratch_in(upper_fs);

	overlay_lower = lower;
	overlay_upper = make_dir(text("%s/upper", dir));
	make_dir(text("%s/work", dir));
	sh("mount -t overlay -o lowerdir=%s,upperdir=%s,workdir=%s/work%s overlay %s", lower,
	   overlay_upper, dir, options, at);
	return at;
}

/* ---- the list ---- */

static void make_tree(const char *root)
{
	static const char *const dirs[] = { "ro", "rw",	  "rw/secret", "rw/hole", "rw/sub",
					    "rx", "less", "conf",      "out",	  "out/sub" };
	static const char *const files[] = {
		"ro/f",	  "ro/g",   "ro/bin",	     "rw/f",	   "rw/sub/f", "rw/secret/key",
		"less/f", "less/g", "conf/app.conf", "conf/other", "out/f",    "out/sub/f"
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(text("%s/%s", root, dirs[i]));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(text("%s/%s", root, files[i]), "content");
	sh("for d in rx rw out; do cp " STATIC_BIN " %s/$d/bin; done", root);
	sh("ln -s ../out/f %s/rw/to_out && ln -s ../ro/f %s/rw/to_ro", root, root);
	sh("ln %s/out/f %s/rw/other_name", root, root);
}

/* Guest "g" by the rules, and "audited" by the same, reported only. */
static int load_rules(const char *root)
{
#define TREE_RULES                                                                       \
	FILES RULE("%s/ro", "ro") RULE("%s/rw", "rw") RULE("%s/rw/secret", "none") RULE( \
		"%s/rw/hole", "none") RULE("%s/rx", "rx") RULE("%s/conf/app.conf", "rw") \
		RULE("%s/conf/app.tmp",                                                  \
		     "rw") "\t{ path = \"%s/less\", access = [\"ro\", \"rename\", \"link\"] },\n" END
#define EIGHT(x) x, x, x, x, x, x, x, x
	return policy_load(GUEST("g") TREE_RULES GUEST("audited") "mode = \"audit\"\n" TREE_RULES,
			   EIGHT(root), EIGHT(root));
}

/*
 * '@' stands for the root of the tree. In this order all of them succeed without confinement; with it
 * the tree is afterwards what it was before.
 */
static const struct step list[] = {
	{ 0, { "open", "r", "@/ro/f" } },
	{ 0, { "list", "@/ro" } },
	{ EACCES, { "open", "w", "@/ro/f" } },
	{ EACCES, { "open", "wc", "@/ro/new" } },
	{ EACCES, { "truncate", "@/ro/f" } },
	{ EACCES, { "chmod", "@/ro/f" } },
	{ EACCES, { "chown", "@/ro/f" } },
	{ EACCES, { "utime", "@/ro/f" } },
	{ EACCES, { "mkdir", "@/ro/d" } },
	{ EACCES, { "unlink", "@/ro/g" } },
	{ EACCES, { "mmap-x", "@/ro/bin" } },
	{ EACCES, { "mprotect-x", "@/ro/bin" } },
	{ 0, { "open", "rw", "@/rw/f" } },
	{ 0, { "open", "rwt", "@/rw/f" } },
	{ 0, { "open", "wc", "@/rw/new" } },
	{ 0, { "truncate", "@/rw/new" } },
	{ 0, { "chmod", "@/rw/new" } },
	{ 0, { "chown", "@/rw/new" } },
	{ 0, { "utime", "@/rw/sub/f" } },
	{ 0, { "chmod", "@/rw/sub" } },
	{ 0, { "mkdir", "@/rw/d" } },
	{ 0, { "rename", "@/rw/new", "@/rw/d/moved" } },
	{ 0, { "link", "@/rw/d/moved", "@/rw/d/again" } },
	{ 0, { "unlink", "@/rw/d/again" } },
	{ 0, { "unlink", "@/rw/d/moved" } },
	{ 0, { "rmdir", "@/rw/d" } },
	{ 0, { "mkfifo", "@/rw/fifo" } },
	{ 0, { "unlink", "@/rw/fifo" } },
	{ 0, { "bind", "@/rw/s" } },
	{ 0, { "unlink", "@/rw/s" } },
	{ 0, { "symlink", "f", "@/rw/link" } },
	{ 0, { "unlink", "@/rw/link" } },
	/* What lies in the lower layer of an overlay goes, and comes again over a whiteout. */
	{ 0, { "rename", "@/rw/sub/f", "@/rw/sub/g" } },
	{ 0, { "rename", "@/rw/sub/g", "@/rw/sub/f" } },
	{ 0, { "unlink", "@/rw/sub/f" } },
	{ 0, { "rmdir", "@/rw/sub" } },
	{ 0, { "mkdir", "@/rw/sub" } },
	{ 0, { "open", "wc", "@/rw/sub/f" } },
	{ EACCES, { "exec", "@/rw/bin" } },
	{ EACCES, { "mmap-x", "@/rw/bin" } },
	{ EACCES, { "mprotect-x", "@/rw/bin" } },
	{ 0, { "exec", "@/rx/bin" } },
	{ 0, { "mmap-x", "@/rx/bin" } },
	{ 0, { "mprotect-x", "@/rx/bin" } },
	{ EACCES, { "open", "w", "@/rx/bin" } },
	{ EACCES, { "open", "r", "@/out/f" } },
	{ EACCES, { "open", "rw", "@/out/sub/f" } },
	{ EACCES, { "list", "@/out" } },
	{ EACCES, { "open", "wc", "@/out/new" } },
	{ EACCES, { "exec", "@/out/bin" } },
	{ EACCES, { "open", "r", "@/rw/to_out" } },
	{ 0, { "open", "r", "@/rw/to_ro" } },
	{ EACCES, { "open", "w", "@/rw/../out/f" } },
	{ 0, { "open", "r", "@/rw/other_name" } },
	{ EACCES, { "open", "r", "@/rw/secret/key" } },
	{ EACCES, { "list", "@/rw/secret" } },
	{ EACCES, { "open", "wc", "@/rw/secret/new" } },
	{ EACCES, { "chmod", "@/rw/secret" } },
	/* Editors: write beside, rename over; the rule goes with the name. */
	{ 0, { "open", "wc", "@/conf/app.tmp" } },
	{ 0, { "rename", "@/conf/app.tmp", "@/conf/app.conf" } },
	{ 0, { "open", "rw", "@/conf/app.conf" } },
	{ 0, { "chmod", "@/conf/app.conf" } },
	{ EACCES, { "open", "r", "@/conf/other" } },
	{ EACCES, { "open", "wc", "@/conf/new" } },
	{ EACCES, { "list", "@/conf" } },
	{ EXDEV, { "link", "@/less/g", "@/rw/g2" } },
	{ EXDEV, { "rename", "@/less/f", "@/rw/f2" } },
	{ EACCES, { "rename", "@/rw/f", "@/out/f2" } },
	{ EACCES, { "rename", "@/out/f", "@/rw/f" } },
	{ EACCES, { "link", "@/out/sub/f", "@/rw/name" } },
	{ EACCES, { "link", "@/rw/bin", "@/out/name" } },
	{ EBUSY, { "rmdir", "@/rw/hole" } },
	{ EBUSY, { "rename", "@/rw/secret", "@/rw/moved" } },
};

/* Where trusted attributes may be written: not in a user namespace. ACLs likewise only there. */
static const struct step attributes[] = {
	{ 0, { "setxattr", "@/rw/f" } },    { 0, { "removexattr", "@/rw/f" } },
	{ 0, { "setacl", "@/rw/f" } },	    { EACCES, { "setxattr", "@/ro/f" } },
	{ EACCES, { "setacl", "@/ro/f" } }, { EACCES, { "setxattr", "@/rw/secret" } },
};

#define CNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEPS_MAX  (CNT(list) + CNT(attributes))

/* @from with @prefix for '@', to @to; with @free as it is met without confinement. */
static size_t fill_in(struct step *to, const struct step *from, size_t cnt, const char *prefix,
		      bool free)
{
	for (size_t i = 0; i < cnt; i++) {
		to[i] = from[i];
		for (int k = 0; k < 6 && from[i].words[k]; k++)
			if (from[i].words[k][0] == '@')
				to[i].words[k] = text("%s%s", prefix, from[i].words[k] + 1);
		if (free)
			to[i].want = 0;
	}
	return cnt;
}

static int denied(const struct step *steps, size_t cnt)
{
	int ret = 0;

	for (size_t i = 0; i < cnt; i++)
		ret += steps[i].want != 0;
	return ret;
}

/*
 * One run as guest "g". Each refusal is one event: what a filesystem does by itself in a guest's
 * context (overlayfs to its layers) makes none.
 */
static void run_list(const char *as, const char *const before[], const char *prefix, bool is_root)
{
	struct step steps[STEPS_MAX];
	size_t cnt = fill_in(steps, list, CNT(list), prefix, false);
	const char *why;
	int events;

	if (is_root)
		cnt += fill_in(steps + cnt, attributes, CNT(attributes), prefix, false);
	events_forget();
	why = before ? probe_batch_after("g", before, steps, cnt) : probe_batch("g", steps, cnt);
	if (why)
		FAIL("%s: %s", as, why);
	events = EVENTS("type=violation", "verdict=denied", "guest.name=g");
	if (events != denied(steps, cnt))
		FAIL("%s: %d events for %d refusals", as, events, denied(steps, cnt));
	EXPECT_EVENT("type=violation", "op=rename", "reason=anchor", "errno=EBUSY",
		     "path$=/secret");
	EXPECT_EVENT("type=violation", "op=rename", "reason=widens", "errno=EXDEV",
		     "path$=/less/f");
	EXPECT_EVENT("type=violation", "op=open", "reason=no_rule", "missing=read", "path$=/out/f");
	EXPECT_EVENT("type=violation", "op=mprotect", "missing=execute", "path$=/rw/bin");
	if (is_root)
		EXPECT_EVENT("type=violation", "op=xattr", "missing=metadata", "path$=/ro/f");
}

static void drop_caches(void)
{
	sync();
	sh("echo 3 >/proc/sys/vm/drop_caches");
}

/*
 * By every view; @root holds make_tree()'s tree. Ends with the control run, which changes the tree.
 * @moved: what a directory's rename meets without confinement: EXDEV on some overlays.
 */
static void run_views(const char *root, int moved)
{
	const char *at = scratch_in("/srv");
	struct step steps[STEPS_MAX];
	size_t cnt;

	if (load_rules(root)) {
		FAIL("policyctl load: %.300s", ctl_said);
		END_TEST();
	}
	run_list("plain", NULL, root, true);
	drop_caches();
	run_list("after drop_caches", NULL, root, true);
	run_list("bind mount", STEPS("mntns", "mount-bind", root, at), at, true);
	run_list("chroot", STEPS("chroot", root), "", true);
	run_list("user namespace", STEPS("userns", "mount-bind", root, at), at, false);
	drop_caches();
	/* Nothing but the engine refuses any of it. */
	cnt = fill_in(steps, list, CNT(list), root, true);
	steps[cnt - 1].want = moved;
	EXPECT_NOTHING(probe_batch(NULL, steps, cnt));
}

/* O_TMPFILE, where the filesystem has it: not overlayfs before 6.6. */
static void try_tmpfile(const char *root)
{
	const char *in = text("%s/rw", root), *out = text("%s/out", root);

	EXPECT_EQ(0, PROBE("g", "tmpfile", in, text("%s/t", in)));
	EXPECT_EQ(EACCES, PROBE("g", "tmpfile", in, text("%s/t", out)));
	EXPECT_EQ(EACCES, PROBE("g", "tmpfile", out, text("%s/t2", in)));
	EXPECT_EQ(EACCES, PROBE("g", "tmpfile", text("%s/ro", root), text("%s/t2", in)));
	EXPECT_EQ(0,
		  PROBE(NULL, "tmpfile", in, text("%s/t", out), "tmpfile", out, text("%s/t2", in)));
	sh("rm %s/t %s/t %s/t2", in, out, in);
}

static void try_fs(const char *root)
{
	make_tree(root);
	if (load_rules(root))
		FAIL("policyctl load: %.300s", ctl_said);
	try_tmpfile(root);
	run_views(root, 0);
}

TEST(ext4)
{
	try_fs(make_fs("ext4"));
}

TEST(xfs)
{
	try_fs(make_fs("xfs"));
}

TEST(btrfs)
{
	try_fs(make_fs("btrfs"));
}

TEST(tmpfs)
{
	try_fs(make_tmpfs());
}

/* ---- names that are not cached ---- */

static void open_again_uncached(const char *guest, const char *file)
{
	struct probe p;

	drop_caches();
	probe_start(&p, guest, STEPS("open", "wc", file, "pause", "open", "wc", file));
	EXPECT_TRUE(probe_until(&p, "paused") != NULL);
	drop_caches();
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
}

/*
 * O_CREAT of a name that is not cached: the kernel asks whether it may be made before it looks
 * whether it is there (lookup_open()), and drops a refusal if it is. So must its event be.
 */
static void try_uncached_names(const char *root)
{
#define LOG_RULE FILES "\t{ path = \"%s/log\", access = [\"read\", \"write\"] },\n" END
	const char *log = make_dir(text("%s/log", root)), *here = make_file(text("%s/f", log), "x");
	const struct step made[] = { { EACCES, { "open", "wc", text("%s/new", log) } } };
	const struct step audited[] = { { 0, { "open", "wc", text("%s/new", log) } } };
	const char *before;

	ASSERT_EQ(0, policy_load(GUEST("g") LOG_RULE GUEST("audited") "mode = \"audit\"\n" LOG_RULE,
				 root, root));
	sh("ln -s f %s/link", log);
	before = text("%s", guest_value("g", "denials"));
	events_forget();
	open_again_uncached("g", here);
	open_again_uncached("g", text("%s/link", log));
	open_again_uncached("audited", here);
	EXPECT_EQ(0, EVENTS("type=violation"));
	EXPECT_STREQ(before, guest_value("g", "denials"));

	drop_caches();
	EXPECT_NOTHING(probe_batch("g", made, 1));
	EXPECT_EQ(1, EVENTS("type=violation"));
	EXPECT_EVENT("type=violation", "verdict=denied", "op=create", "missing=create",
		     text("path=%s/new", log), "guest.name=g");
	EXPECT_EQ(atol(before) + 1, atol(guest_value("g", "denials")));
	EXPECT_FALSE(exists(text("%s/new", log)));

	drop_caches();
	EXPECT_NOTHING(probe_batch("audited", audited, 1));
	EXPECT_EQ(1, EVENTS("type=violation", "verdict=would_deny"));
	EXPECT_EQ(2, EVENTS("type=violation"));
	EXPECT_NOTHING(probe_batch(NULL, audited, 1));
}

TEST(uncached_names_on_ext4)
{
	try_uncached_names(make_fs("ext4"));
}

TEST(uncached_names_on_overlayfs)
{
	const char *fs = make_fs("xfs");

	try_uncached_names(make_overlay(make_dir(text("%s/lower", fs)), fs, ""));
}

/* ---- overlayfs ---- */

/* Without redirect_dir a directory of the lower layer is not renamed. */
static void try_overlay(const char *lower_fs, const char *upper_fs, const char *options)
{
	const char *lower = make_dir(text("%s/lower", lower_fs)), *root;

	make_tree(lower);
	root = make_overlay(lower, upper_fs, options);
	run_views(root, strstr(options, "redirect_dir=on") ? 0 : EXDEV);
	/* The layers by another path are objects of their own filesystems, where no rule is. */
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/ro/f", lower)));
	EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s/ro/f", lower));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/rw/f", overlay_upper)));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/ro/f", lower), "open", "r",
			   text("%s/rw/f", overlay_upper)));
}

/* chattr: overlayfs opens the layer's file for the hook's sake. */
TEST(overlay_chattr)
{
	const char *fs = make_fs("ext4"), *lower = make_dir(text("%s/lower", fs)), *root;

	make_tree(lower);
	root = make_overlay(lower, fs, "");
	ASSERT_EQ(0, load_rules(root));
	events_forget();
	EXPECT_EQ(0, PROBE("g", "chattr", text("%s/rw/f", root)));
	EXPECT_EQ(0, EVENTS("type=violation"));
	EXPECT_EQ(EACCES, PROBE("g", "chattr", text("%s/ro/f", root)));
	EXPECT_EQ(1, EVENTS("type=violation", "op=chattr", text("path=%s/ro/f", root)));
	EXPECT_EQ(1, EVENTS("type=violation"));
	EXPECT_EQ(0, PROBE(NULL, "chattr", text("%s/ro/f", root)));
}

/* A directory of overlayfs holds one of the layer's open, which is no descriptor of the guest's. */
TEST(overlay_descriptors_count_once)
{
	const char *lower = scratch_in("/srv"), *root;
	long held = -1;

	make_dir(text("%s/d", lower));
	make_file(text("%s/d/f", lower), "x");
	root = make_overlay(lower, "/srv", "");
	ASSERT_LOAD(GUEST("g") "limits = { fds = 64 }\n" FILES RULE("%s", "rw") RULE("%s", "rw")
			    END,
		    lower, root);
	for (int i = 0; i < 2; i++) {
		const char *d = text("%s/d", i ? root : lower);
		struct probe p;

		probe_start(&p, "g",
			    STEPS("hold", "0", "r", d, "hold", "1", "rw", text("%s/f", d), "list",
				  d, "pause"));
		ASSERT_TRUE(probe_until(&p, "paused") != NULL);
		if (!i)
			held = guest_number("g", "fds.now");
		EXPECT_EQ(held, guest_settles("g", "fds.now", held));
		EXPECT_EQ(0, probe_end(&p));
	}
}

/*
 * Lent credentials prove nothing for a task that could have put them into a ring before it was
 * adopted: what overlayfs changes on a layer for it is judged there, where it has no right.
 */
TEST(overlay_and_a_ring_of_before)
{
	const char *lower = scratch_in("/srv"), *f;
	struct step steps[] = { { 0, { "open", "rw", NULL } }, { EACCES, { "setxattr", NULL } } };

	make_file(text("%s/f", lower), "x");
	f = text("%s/f", make_overlay(lower, "/srv", ""));
	make_file(f, "copied up");
	steps[0].words[2] = steps[1].words[1] = f;
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, f);
	EXPECT_NOTHING(probe_batch_after("g", STEPS("io-uring"), steps, 2));
	EXPECT_EVENT("type=violation", "op=xattr", "missing=metadata", "reason=no_rule");
	steps[1].want = 0;
	EXPECT_BATCH("g", steps);
	EXPECT_NOTHING(probe_batch_after(NULL, STEPS("io-uring"), steps, 2));
}

/* In audit, too, a layer's part of a call is not reported. */
TEST(overlay_in_audit)
{
	const char *fs = make_fs("ext4"), *lower = make_dir(text("%s/lower", fs)), *root;
	struct step steps[CNT(list)];

	make_tree(lower);
	root = make_overlay(lower, fs, "");
	ASSERT_EQ(0, load_rules(root));
	fill_in(steps, list, CNT(list) - 2, root, true); /* anchors stay in audit, too */
	events_forget();
	EXPECT_NOTHING(probe_batch("audited", steps, CNT(list) - 2));
	EXPECT_EQ(denied(list, CNT(list) - 2), EVENTS("type=violation", "verdict=would_deny"));
	EXPECT_EQ(denied(list, CNT(list) - 2), EVENTS("type=violation"));
}

TEST(overlay_of_one_filesystem)
{
	const char *fs = make_fs("ext4");

	try_overlay(fs, fs, "");
}

/* Here the kernel numbers directories anew each time it reads them. */
TEST(overlay_of_two_filesystems)
{
	try_overlay(make_fs("ext4"), make_tmpfs(), ",xino=off");
}

TEST(overlay_of_two_filesystems_with_xino)
{
	try_overlay(make_fs("xfs"), make_fs("ext4"), ",xino=on,redirect_dir=on,metacopy=on");
}

/*
 * What overlayfs asks of its layers for a guest is not judged, where looking is; but statfs, which it
 * asks with the guest's own credentials.
 */
TEST(overlay_where_looking_is_denied)
{
	const char *lower = scratch_in("/srv"), *root, *in, *out;

	make_dir(text("%s/d", lower));
	make_file(text("%s/d/f", lower), "x");
	make_file(text("%s/out", lower), "x");
	ASSERT_EQ(0, symlink("f", text("%s/d/link", lower)));
	root = make_overlay(lower, "/srv", "");
	in = text("%s/d/f", root);
	out = text("%s/out", root);
	ASSERT_LOAD(GUEST("g") "stat = \"deny\"\n" FILES RULE("%s/d", "rw") END, root);
	for (int i = 0; i < 2; i++) { /* the second time, of a copy */
		EXPECT_EQ(0, PROBE("g", "stat", in));
		EXPECT_EQ(0, PROBE("g", "listxattr", in));
		EXPECT_EQ(0, PROBE("g", "readlink", text("%s/d/link", root)));
		EXPECT_EQ(0, PROBE("g", "open", "rw", in));
		EXPECT_EQ(EACCES, PROBE("g", "stat", out));
		EXPECT_EQ(EACCES, PROBE("g", "listxattr", out));
		EXPECT_EQ(0, PROBE(NULL, "stat", out));
	}
	EXPECT_EVENT("type=violation", "op=stat", text("path=%s", out));
	EXPECT_EQ(EACCES, PROBE("g", "statfs", in));
	EXPECT_EVENT("type=violation", "op=statfs", "reason=no_rule");
}

/* A lower directory of one overlay has the same number in another: two filesystems. */
TEST(two_overlays_of_one_lower)
{
	const char *lower = scratch_in("/srv"), *one, *two;

	make_dir(text("%s/d", lower));
	make_file(text("%s/d/f", lower), "x");
	one = make_overlay(lower, "/srv", "");
	two = make_overlay(lower, "/srv", "");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/d", "rw") END, one);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/d/f", two)));
	EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s/d/f", two));
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/d/f", one)));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/d/f", two)));
}

/* A rule's directory is copied up, by the guest and by the host, and forgotten: it stays the rule's. */
static void copy_up(const char *lower_fs, const char *upper_fs)
{
	const char *lower = make_dir(text("%s/lower", lower_fs)), *root, *d, *hole;

	make_dir(text("%s/d", lower));
	make_dir(text("%s/d/hole", lower));
	make_file(text("%s/d/hole/f", lower), "x");
	root = make_overlay(lower, upper_fs, "");
	d = text("%s/d", root);
	hole = text("%s/hole", d);
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, d, hole);
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/new", d)));
	make_file(text("%s/by_root", hole), "x");
	EXPECT_TRUE(exists(text("%s/d/hole/by_root", overlay_upper)));
	for (int i = 0; i < 3; i++) {
		drop_caches();
		/* What else is read first gets the numbers that are given out in turn. */
		sh("ls -R %s %s >/dev/null", i % 2 ? root : hole, root);
		EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/new", d)));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/f", hole)));
		EXPECT_EVENT("type=violation", "reason=rule", text("path=%s/f", hole),
			     text("rule.path=%s", hole));
		EXPECT_EQ(EBUSY, PROBE("g", "rename", hole, text("%s/moved", d)));
		events_forget();
	}
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/f", hole)));
}

TEST(copy_up_of_a_rules_directory)
{
	const char *fs = make_fs("ext4");

	copy_up(fs, fs);
}

TEST(copy_up_between_two_filesystems)
{
	copy_up(make_fs("ext4"), make_tmpfs());
}

/* Its lower directories have numbers of overlayfs' own. */
TEST(overlay_over_an_overlay_has_no_rules)
{
	const char *lower = scratch_in("/srv"), *root, *below;

	make_dir(text("%s/d", lower));
	root = make_overlay(make_overlay(lower, "/srv", ""), "/srv", "");
	EXPECT_EQ(3, policy_load(GUEST("g") FILES RULE("%s/d", "rw") END, root));
	EXPECT_TRUE(strstr(ctl_said, "P0511") && strstr(ctl_said, "a layer of type 0x794c7630"));
	/* Mounted below a rule it has none: a warning, and refused. */
	make_file(text("%s/d/f", root), "x");
	below = scratch_in("/srv");
	ASSERT_EQ(0, mount(text("%s/d", root), make_dir(text("%s/m", below)), NULL, MS_BIND, NULL));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, below);
	EXPECT_TRUE(strstr(ctl_said, "P0610") != NULL);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/m/f", below)));
	EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s/m/f", below));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/m/f", below)));
	/* Its root has one number as long as it is mounted, and covers what lies beneath. */
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, root);
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/d/f", root)));
}

/* ---- btrfs ---- */

static ino_t ino_of(const char *path)
{
	struct stat st;

	ASSERT_EQ(0, stat(path, &st));
	return st.st_ino;
}

/* A filesystem with make_tree()'s tree in its subvolume "vol". */
static const char *make_subvolume(void)
{
	const char *fs = make_fs("btrfs");

	sh("btrfs subvolume create %s/vol >/dev/null", fs);
	make_tree(text("%s/vol", fs));
	return fs;
}

/* A snapshot has the inode numbers and generations of what it was made from. */
TEST(btrfs_snapshots_are_other_trees)
{
	const char *fs = make_subvolume(), *vol = text("%s/vol", fs);

	sh("btrfs subvolume snapshot %s %s/before >/dev/null", vol, fs);
	ASSERT_EQ(0, load_rules(vol));
	sh("btrfs subvolume snapshot %s %s/snap >/dev/null", vol, fs);
	sh("btrfs subvolume snapshot -r %s %s/frozen >/dev/null", vol, fs);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(ino_of(text("%s/ro", vol)), ino_of(text("%s/snap/ro", fs)));
		EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/ro/f", vol)));
		EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/conf/app.conf", vol)));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/snap/ro/f", fs)));
		EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s/snap/ro/f", fs));
		EXPECT_EQ(EACCES, PROBE("g", "open", "rw", text("%s/snap/conf/app.conf", fs)));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/frozen/rw/f", fs)));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/before/rw/f", fs)));
		drop_caches();
	}
	EXPECT_EQ(0, PROBE(NULL, "open", "rw", text("%s/snap/conf/app.conf", fs), "open", "r",
			   text("%s/frozen/rw/f", fs), "open", "r", text("%s/before/rw/f", fs)));
}

/* Beneath a rule's directory a subvolume is like any directory, and may have rules of its own. */
TEST(btrfs_nested_subvolumes)
{
	const char *fs = make_subvolume(), *vol = text("%s/vol", fs);

	sh("btrfs subvolume create %s/rw/nested >/dev/null", vol);
	sh("btrfs subvolume create %s/rw/secret/nested >/dev/null", vol);
	make_file(text("%s/rw/nested/f", vol), "x");
	make_file(text("%s/rw/secret/nested/f", vol), "x");
	ASSERT_EQ(0, load_rules(vol));
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/rw/nested/f", vol), "open", "wc",
			   text("%s/rw/nested/new", vol)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/rw/secret/nested/f", vol)));
	EXPECT_EVENT("type=violation", "reason=rule", text("path=%s/rw/secret/nested/f", vol),
		     text("rule.path=%s/rw/secret", vol));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s/rw/nested", "none") END, vol, vol);
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/rw/secret/nested/f", vol)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/rw/nested/f", vol)));
	EXPECT_EQ(EBUSY, PROBE("g", "rmdir", text("%s/rw/nested", vol)));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/rw/nested/f", vol)));
}

/* A rule by one mount of the filesystem, the object by another. */
TEST(btrfs_mount_of_a_subvolume)
{
	const char *fs = make_subvolume(), *at = scratch_in("/srv");

	sh("mount -o subvol=/vol $(findmnt -no SOURCE %s 2>/dev/null || "
	   "sed -n 's|^\\([^ ]*\\) %s .*|\\1|p' /proc/mounts) %s",
	   fs, fs, at);
	ASSERT_EQ(0, load_rules(at));
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/vol/rw/f", fs)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/vol/rw/secret/key", fs)));
	EXPECT_EVENT("type=violation", "reason=rule", text("rule.path=%s/rw/secret", at));
	run_list("by the mount", NULL, at, true);
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/vol/rw/secret/key", fs)));
}

/*
 * Subvolumes are made, copied and deleted by ioctls that come to no hook of the tree: a guest's own
 * snapshot would be a tree without the carve-out.
 */
TEST(btrfs_ioctls_are_refused)
{
	const char *fs = make_subvolume(), *vol = text("%s/vol", fs), *in = text("%s/mine", vol);

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s/rw/secret", "none") END, vol, vol);
	EXPECT_EQ(EACCES, PROBE("g", "snapshot", vol, vol, "mine"));
	EXPECT_EVENT("type=violation", "op=ioctl", "reason=builtin", "errno=EACCES",
		     text("path=%s", vol), "verdict=denied");
	EXPECT_EQ(EACCES, PROBE("g", "subvolume", vol, "mine"));
	EXPECT_FALSE(exists(in));
	EXPECT_EQ(0, PROBE("g", "clone", text("%s/rw/f", vol), text("%s/rw/sub/f", vol)));
	EXPECT_EQ(0, PROBE(NULL, "snapshot", vol, vol, "mine", "subvolume", vol, "other"));
	EXPECT_EQ(EACCES, PROBE("g", "subvolume-delete", vol, "other"));
	EXPECT_EQ(0, PROBE(NULL, "subvolume-delete", vol, "other"));
}

TEST(overlay_on_btrfs)
{
	const char *fs = make_subvolume(), *upper = text("%s/upper", fs), *root;

	sh("btrfs subvolume create %s >/dev/null", upper);
	sh("btrfs subvolume snapshot %s/vol %s/snap >/dev/null", fs, fs);
	root = make_overlay(text("%s/vol:%s/snap", fs, fs), upper, "");
	run_views(root, EXDEV);
}

/* ---- trees that no path leads to any more, or never did ---- */

static const char *ok, *no;

static void load_two(void)
{
	const char *dir = scratch();

	ok = make_dir(text("%s/ok", dir));
	no = make_dir(text("%s/no", dir));
	make_file(text("%s/f", ok), "x");
	make_file(text("%s/f", no), "x");
	make_dir(text("%s/m", dir));
	make_dir(text("%s/deep", ok));
	make_file(text("%s/deep/f", ok), "x");
	make_dir(text("%s/deep", no));
	make_file(text("%s/deep/f", no), "x");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, ok);
}

/* The steps @before unconfined, then openat(0, "f"): as a guest @want, without confinement it works. */
static void expect_openat(int want, const char *const before[])
{
	struct step guest[] = { { want, { "openat", "0", "r", "f" } } };
	struct step free[] = { { 0, { "openat", "0", "r", "f" } } };
	const char *why = probe_batch_after("g", before, guest, 1);

	if (!why)
		why = probe_batch_after(NULL, before, free, 1);
	if (why)
		FAIL("%s", why);
}

TEST(detached_tree)
{
	load_two();
	expect_openat(0, STEPS("tree", "0", ok));
	expect_openat(EACCES, STEPS("tree", "0", no));
	EXPECT_EVENT("type=violation", "op=open", "reason=no_rule", "missing=read", "path$=/f");
}

TEST(filesystem_never_attached)
{
	load_two();
	expect_openat(EACCES, STEPS("detached", "0"));
	EXPECT_EVENT("type=violation", "op=open", "reason=no_rule", "missing=read", "path$=/f");
}

TEST(lazily_unmounted_tree)
{
	const char *m;

	load_two();
	m = text("%s/../m", ok);
	expect_openat(0, STEPS("mntns", "mount-bind", ok, m, "hold", "0", "pd", m, "umount", m));
	expect_openat(EACCES,
		      STEPS("mntns", "mount-bind", no, m, "hold", "0", "pd", m, "umount", m));
	EXPECT_EVENT("type=violation", "op=open", "reason=no_rule", "missing=read", "path$=/f");
}

/*
 * A bind mount of @tree; its directory "deep" is held by that, and moved to @to from under it: ".."
 * leads nowhere then. What it is now in its own filesystem decides.
 */
static void expect_disconnected(int want, const char *tree, const char *to)
{
	const char *m = text("%s/../m", ok), *from = text("%s/deep", tree);
	const char *const *before = STEPS("mntns", "mount-bind", tree, m, "hold", "0", "pd",
					  text("%s/deep", m), "rename", from, to);
	struct step steps[] = { { want, { "openat", "0", "r", "f" } } };
	const char *why = probe_batch_after("g", before, steps, 1);

	ASSERT_EQ(0, rename(to, from));
	steps[0].want = 0;
	if (!why)
		why = probe_batch_after(NULL, before, steps, 1);
	if (why)
		FAIL("%s", why);
	ASSERT_EQ(0, rename(to, from));
}

TEST(disconnected_directory)
{
	load_two();
	expect_disconnected(EACCES, no, text("%s/../away", no));
	EXPECT_EVENT("type=violation", "op=open", "reason=no_rule", "missing=read", "path$=/f");
	expect_disconnected(EACCES, ok, text("%s/../away", no));
	expect_disconnected(0, no, text("%s/was_deep", ok));
}

/* ---- inode numbers that are given out again ---- */

/* A directory below @dir that has the inode number @ino; the filesystem reuses it soon. */
static const char *reuse(const char *dir, ino_t ino)
{
	for (int i = 0; i < 2000; i++) {
		const char *path = make_dir(text("%s/again%d", dir, i));
		struct stat st;

		ASSERT_EQ(0, stat(path, &st));
		if (st.st_ino == ino)
			return path;
	}
	return NULL;
}

/* @anchor is deleted from outside; another directory gets its number, but not its rule. */
static void expect_no_rule_by_number(const char *root)
{
	const char *anchor = make_dir(text("%s/anchor", root)), *again;
	struct stat st;

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "ro") RULE("%s", "rw") END, root, anchor);
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/f", anchor)));
	ASSERT_EQ(0, stat(anchor, &st));
	sh("rm -r %s", anchor);
	drop_caches();
	again = reuse(root, st.st_ino);
	ASSERT_TRUE(again != NULL);
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", text("%s/f", again)));
	EXPECT_EVENT("type=violation", "op=create", "reason=rule", text("rule.path=%s", root));
	ASSERT_EQ(0, rename(again, anchor));
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", text("%s/f", anchor)));
	EXPECT_EVENT("type=violation", "op=create", "reason=stale", text("rule.path=%s", anchor));
	EXPECT_EQ(0, PROBE(NULL, "open", "wc", text("%s/f", anchor)));
}

TEST(reused_inode_number_on_ext4)
{
	expect_no_rule_by_number(make_fs("ext4"));
}

/* Inodes of overlayfs itself have no generation. */
TEST(reused_inode_number_on_overlayfs)
{
	const char *fs = make_fs("ext4");

	expect_no_rule_by_number(make_overlay(make_dir(text("%s/lower", fs)), fs, ""));
}

LEAVES_NO_GUEST()
