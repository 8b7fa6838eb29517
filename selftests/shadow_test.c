/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows: sealed snapshots of files, in the hands of guests that cannot open the files themselves: what
 * they may do with one, what they are not given, and how they get it.
 */
#include "harness.h"

#include <bpf/bpf.h>
#include <linux/types.h>

#include "abi.h"
#include "shadows.h"

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
	EXPECT_STREQ(text("write: %d\nmap-write: %d\nseal: %d\n", EBADF, EACCES, EPERM),
		     told("", "write map-write seal"));
	EXPECT_STREQ(text("write-again: %d\nmap-again: %d\ntruncate-again: %d\n", EACCES, EACCES, EACCES),
		     told("", "write-again map-again truncate-again"));
	EXPECT_EVENT("type=violation", "op=open", "reason=memfd", "errno=EACCES");
	expect_none_live();
}

/* Where nothing is refused it has its seals. */
TEST(it_is_sealed_in_audit)
{
	dir = scratch();
	ASSERT_LOAD(BARE("s") "mode = \"audit\"\n[guest.s.shadow]\npaths = [\"%s\"]\n", dir);
	make_file(at("f"), "hello");
	EXPECT_STREQ(text("write-again: %d\nmap-again: %d\ntruncate-again: %d\n", EPERM, EPERM, EPERM),
		     told("", "write-again map-again truncate-again"));
	EXPECT_STREQ("chown: 0\nchmod: 0\n", told("", "chown chmod"));
}

/* Others may have it, too: what one could take away from it. */
TEST(its_attributes_stay)
{
	int fd;

	load_with("exec = true");
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp " PAYLOAD " %s", at("f")));
	fd = pol_shadow_make("t", at("f"), POL_SHADOW_MAKE_EXEC, NULL, NULL, &error);
	ASSERT_LE(0, fd);
	EXPECT_STREQ(text("chmod: %d\nchown: %d\nutime: %d\nxattr: %d\n", EACCES, EACCES, EACCES, EACCES),
		     told(":x", "chmod chown utime xattr"));
	EXPECT_EVENT("type=violation", "op=chmod", "reason=memfd");
	EXPECT_EQ(0, ctl("run t --user nobody --shadow %s=9:x -- " PAYLOAD " 9 exec x 9 seals", at("f")));
	EXPECT_STREQ("seals: 0\n", ctl_said);
	close(fd);
}

/* wx = "deny" has nothing against it as it is; against other bytes in its place it has. */
TEST(its_pages_are_not_filled)
{
	const char *ways = "map-exec dirty-exec fill-exec";

	load_with("exec = true");
	make_sized("f", 4096);
	EXPECT_STREQ("map-exec: 0\ndirty-exec: 0\nfill-exec: 0\n", told(":x", ways));
	ASSERT_LOAD(BARE("s") "wx = \"deny\"\n[guest.s.shadow]\npaths = [\"%s\"]\nexec = true\n", dir);
	events_forget();
	EXPECT_STREQ(text("map-exec: 0\ndirty-exec: %d\nfill-exec: %d\n", EACCES, EACCES),
		     told(":x", ways));
	EXPECT_EVENT("type=violation", "op=mmap", "hook=inode_init_security_anon", "reason=wx");
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
 * A dynamically linked program with more than a dozen libraries: the loader is executed from a shadow, and
 * opens from the handed descriptors what it loads. The guest has a rule for the first program alone.
 */
TEST(a_dynamic_program_from_shadows)
{
	const char *all;
	char out[4096];

	dir = scratch();
	ASSERT_EQ(0, run_cmd(out, sizeof(out),
			     "cd %s && cp -L /lib64/ld-linux-x86-64.so.2 ld.so && cp /usr/bin/policyctl prog && "
			     "cp -L $(./ld.so --list ./prog | sed -n 's,.*=> \\(/[^ ]*\\).*,\\1,p') . && ls",
			     dir));
	EXPECT_STRSTR("libc.so.6", out);
	EXPECT_STRSTR("libelf.so.1", out);
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\nexec = true\n", dir);
	all = text("set --; n=20; pre=; for lib in %s/lib*.so.*; do set -- \"$@\" --shadow $lib=$n:x; "
		   "pre=$pre:/proc/self/fd/$n; n=$((n+1)); done; policyctl run s --shadow %s/ld.so=10:x "
		   "--shadow %s/prog=11:x \"$@\" -- " PAYLOAD " 10 exec ld.so",
		   dir, dir, dir);
	EXPECT_EQ(0, run_cmd(out, sizeof(out), "%s --preload ${pre#:} /proc/self/fd/11 --version", all));
	EXPECT_STRSTR(text("policyctl %s (", pol_library_version()), out);
	/* The loader opens nothing else: without them, and from where they lie. */
	EXPECT_EQ(127, run_cmd(out, sizeof(out), "%s /proc/self/fd/11 --version", all));
	EXPECT_STRSTR("cannot open shared object file", out);
	EXPECT_EQ(127, run_cmd(out, sizeof(out), "%s %s/prog --version", all, dir));
	EXPECT_STRSTR("ermission denied", out);
	expect_none_live();
}

/* Where the host has forbidden memfds that can be executed: said, and others are made as ever. */
TEST(a_host_without_executable_memfds)
{
	const char *knob = "/proc/sys/vm/memfd_noexec";

	if (!exists(knob))
		SKIP("no vm.memfd_noexec before 6.3");
	load_with("exec = true");
	make_file(at("f"), "hello");
	ASSERT_EQ(0, write_file(knob, "2"));
	EXPECT_EQ(-EACCES, pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC, NULL, NULL, &error));
	EXPECT_STRSTR("vm.memfd_noexec = 2", error.fix);
	EXPECT_STREQ("seals: 0\n", told("", "seals"));
	ASSERT_EQ(0, write_file(knob, "0"));
	EXPECT_STREQ("map-exec: 0\n", told(":x", "map-exec"));
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
	int fd;

	load_with("");
	other = make_file(text("%s/f", scratch()), "x");
	make_file(at("f"), "x");
	expect_given(at("f"), 1);
	expect_refused(-EACCES, other, "lies in none of the guest's shadow.paths");
	EXPECT_STRSTR(other, error.fix);
	ASSERT_EQ(0, symlink(other, at("out")) || symlink("f", at("in")));
	expect_refused(-EACCES, at("out"), "lies in none of the guest's shadow.paths");
	fd = shadow("s", at("in"));
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EPERM, pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC, NULL, NULL, &error));
	EXPECT_EQ(-ENOENT, shadow("nobody", at("f")));
	EXPECT_EQ(-EINVAL, pol_shadow_make("s", at("f"), 64, NULL, NULL, &error));
	EXPECT_EQ(-EINVAL, pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC | POL_SHADOW_MAKE_LAZY, NULL,
					   NULL, &error));
	ASSERT_LOAD(BARE("s"));
	expect_refused(-EACCES, at("f"), "guest 's' may have no shadows");
}

/* A guest that may make names where the policy's path lies leads nobody out of it. */
TEST(a_path_that_a_guest_has_moved)
{
	const char *secret = scratch();

	dir = scratch();
	make_dir(at("lib"));
	make_file(at("lib/f"), "x");
	make_file(text("%s/f", secret), "secret");
	ASSERT_LOAD(GUEST("s") FILES RULE("%s", "rw") END "[guest.s.shadow]\npaths = [\"%s/lib\", \"%s/f\"]\n",
		    dir, dir, dir);
	expect_given(at("lib/f"), 1);
	EXPECT_EQ(0, PROBE("s", "symlink", text("%s/f", secret), at("f")));
	expect_refused(-EACCES, at("f"), "lies in none");
	EXPECT_EQ(0, PROBE("s", "rename", at("lib"), at("old")));
	EXPECT_EQ(0, PROBE("s", "symlink", secret, at("lib")));
	expect_refused(-EACCES, at("lib/f"), "lies in none");
}

/* Filled by others' entries: what there is no room for is refused, and said. */
TEST(no_room)
{
	struct pol_memory_file memory = { 0 };
	struct pol_shadow_key key = { .guest = 1u << 20 };
	static struct pol_snapshot snapshot;
	static struct pol_shadow_value value;
	int snapshots = bpf_obj_get(PINS "/maps/snapshots"), shadows = bpf_obj_get(PINS "/maps/shadows");

	load_with("");
	make_file(at("f"), "x");
	ASSERT_LE(0, snapshots);
	ASSERT_LE(0, shadows);
	for (memory.ino = 1; !bpf_map_update_elem(snapshots, &memory, &snapshot, BPF_NOEXIST); memory.ino++)
		;
	EXPECT_EQ(-ENFILE, shadow("s", at("f")));
	EXPECT_STRSTR("there are 4096 snapshots", error.message);
	while (memory.ino--)
		(void)bpf_map_delete_elem(snapshots, &memory);
	close(shadow("s", at("f")));
	for (key.ino = 1; key.ino <= POL_SHADOWS_MAX; key.ino++)
		ASSERT_EQ(0, bpf_map_update_elem(shadows, &key, &value, BPF_NOEXIST));
	events_forget();
	EXPECT_EQ(-ENFILE, shadow("s", at("f")));
	EXPECT_STRSTR("16383 in the hands of guests", error.message);
	EXPECT_EQ(1, EVENTS("type=shadow", "action=refused", "errno=ENFILE"));
	while (key.ino--)
		(void)bpf_map_delete_elem(shadows, &key);
	expect_given(at("f"), 1);
	expect_none_live();
}

/* Sources without a snapshot make room for others; those that have one are watched as before. */
TEST(sources_are_forgotten)
{
	struct pol_dir_key key = { .inode = { .dev = ~0u } };
	struct pol_source source = { 0 };
	int sources = bpf_obj_get(PINS "/maps/sources"), fd, other;

	load_with("");
	make_file(at("f"), "x");
	make_file(at("g"), "x");
	fd = shadow("s", at("f"));
	for (key.inode.ino = 1; !bpf_map_update_elem(sources, &key, &source, BPF_NOEXIST); key.inode.ino++)
		;
	other = shadow("s", at("g"));
	EXPECT_LE(0, other);
	ASSERT_EQ(0, chmod(at("f"), 0600));
	EXPECT_TRUE(is_stale("s", fd));
	EXPECT_FALSE(is_stale("s", other));
	close(fd);
	close(other);
	close(sources);
	expect_none_live();
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
	/* Not by another descriptor, not by another process: it is what the guest has. */
	for (int i = 0; i < 16; i++)
		close(dup(fds[i]));
	if (!fork())
		_exit(0);
	wait(NULL);
	EXPECT_EQ(-ENOSPC, shadow("s", at("f16")));
	/* Another guest's is its own. */
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

/* ---- handing over ---- */

TEST(numbers_and_neighbours)
{
	load_with("");
	make_file(at("f"), "hello");
	make_file(at("g"), "x");
	/* As standard input; at numbers that policyctl itself uses. */
	EXPECT_EQ(0, ctl("run s --shadow %s=0 -- " PAYLOAD " 0 sum", at("f")));
	EXPECT_STREQ("sum: 532 of 5, own 1, at 0\n", ctl_said);
	for (int i = 3; i < 24; i++) {
		EXPECT_EQ(0, ctl("run s --shadow %s=%d --shadow %s=%d -- " PAYLOAD " %d sum", at("f"), i,
				 at("g"), i + 1, i));
		EXPECT_STREQ("sum: 532 of 5, own 1, at 0\n", ctl_said);
	}
	/* As many as can be: the descriptors of whoever starts it are among the numbers. */
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "set --; for i in $(seq 24 87); do set -- \"$@\" --shadow %s=$i; done; "
			     "policyctl run s \"$@\" -- " PAYLOAD " 87 sum",
			     at("f")));
	EXPECT_STREQ("sum: 532 of 5, own 1, at 0\n", ctl_said);
	EXPECT_EQ(0, ctl("run s --keep-fd 5 --shadow %s=6 -- " PAYLOAD " 5 sum 5<%s", at("f"), at("f")));
	EXPECT_EQ(125, ctl("run s --keep-fd 5 --shadow %s=5 -- " PAYLOAD " 5 sum 5<%s", at("f"), at("f")));
	EXPECT_STRSTR("both kept and a shadow", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow %s=2 -- " PAYLOAD " 2 sum", at("f")));
	EXPECT_STRSTR("is for output", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow %s=9 --shadow %s=9 -- " PAYLOAD " 9 sum", at("f"), at("g")));
	EXPECT_STRSTR("given twice", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow %s -- " PAYLOAD " 9 sum", at("f")));
	EXPECT_STRSTR("takes PATH=FD", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow %s=9:w -- " PAYLOAD " 9 sum", at("f")));
	EXPECT_STRSTR("takes PATH=FD", ctl_said);
	EXPECT_EQ(125, ctl("run s --shadow %s=99999999 -- " PAYLOAD " 9 sum", at("f")));
	expect_none_live();
}

/* Whoever else gets the descriptor may read it: what may be executed was given to one guest. */
TEST(received_by_another_guest)
{
	int fd;

	load_with("exec = true");
	make_file(at("f"), "hello");
	fd = pol_shadow_make("s", at("f"), POL_SHADOW_MAKE_EXEC, NULL, NULL, &error);
	ASSERT_LE(0, fd);
	ASSERT_EQ(40, dup2(fd, 40));
	EXPECT_EQ(0, ctl("run s --keep-fd 40 -- " PAYLOAD " 40 map map-exec"));
	EXPECT_STREQ("map: 0\nmap-exec: 0\n", ctl_said);
	EXPECT_EQ(0, ctl("run t --keep-fd 40 -- " PAYLOAD " 40 map map-exec"));
	EXPECT_STREQ(text("map: 0\nmap-exec: %d\n", EACCES), ctl_said);
	EXPECT_EQ(126, ctl("run t --keep-fd 40 -- " PAYLOAD " 40 exec x"));
	EXPECT_STREQ(text("exec: %d\n", EACCES), ctl_said);
	close(fd);
	close(40);
	expect_none_live();
}

/* With inherited_fds = "refuse" and a ceiling of descriptors; as another user. */
TEST(what_a_guest_may_inherit)
{
	dir = scratch();
	ASSERT_LOAD("[guest.s]\ninherited_fds = \"refuse\"\nfiles = [ { path = \"" PAYLOAD
		    "\", access = \"rx\" }, { path = \"/dev/null\", access = \"rw\" } ]\n[guest.s.limits]\nfds = 16\n[guest.s.shadow]\npaths = [\"%s\"]\n",
		    dir);
	make_file(at("f"), "hello");
	EXPECT_EQ(0, ctl("run s --shadow %s=9 --user nobody -- " PAYLOAD " 9 sum write-again </dev/null", at("f")));
	EXPECT_STREQ(text("sum: 532 of 5, own 1, at 0\nwrite-again: %d\n", EACCES), ctl_said);
	EXPECT_EQ(126, ctl("run s --keep-fd 5 -- " PAYLOAD " 5 sum </dev/null 5<%s", at("f")));
}

LEAVES_NO_GUEST()
