/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The knobs wx, memfd_exec, io_uring, userns and mounts, at both values. Their defaults are tested
 * in bypass_test.c and files_test.c, too.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"

static const char *root, *ok, *no, *good, *bad, *program;

/* One guest, "g", with these knobs and rwx below @ok; @no is outside. Both have a file "f". */
static void load_with(const char *knobs)
{
	if (!root) {
		root = scratch();
		ok = make_dir(text("%s/ok", root));
		no = make_dir(text("%s/no", root));
		good = make_file(text("%s/f", ok), "good\n");
		bad = make_file(text("%s/f", no), "bad\n");
		program = PROBE_BIN;
	}
	ASSERT_LOAD(GUEST("g") "%s" FILES RULE("%s", "rwx") END, knobs, ok);
}

/* ---- executable memory ---- */

/* How memory that was, is or can be written becomes executable. */
static const struct {
	const char *name;
	const char *op;
	bool of_file;
	const char *words[5];
} ways[] = {
	{ "anonymous, at once", "mmap", false, { "r", "private", "rwx", "0", "-" } },
	{ "anonymous, never written", "mmap", false, { "r", "private", "rx", "0", "-" } },
	{ "anonymous, written", "mprotect", false, { "r", "private", "rw", "1", "rx" } },
	{ "anonymous, may be written", "mprotect", false, { "r", "private", "r", "0", "rwx" } },
	{ "a file's, both at once", "mmap", true, { "r", "private", "rwx", "0", "-" } },
	{ "a file's, written", "mprotect", true, { "r", "private", "rw", "1", "rx" } },
	{ "a file's, still writable", "mprotect", true, { "r", "private", "rw", "0", "rwx" } },
	{ "shared, opened for writing", "mmap", true, { "rw", "shared", "rx", "0", "-" } },
	{ "shared, written", "mprotect", true, { "rw", "shared", "rw", "1", "rx" } },
	{ "shared, may be written", "mprotect", true, { "rw", "shared", "r", "0", "rx" } },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static int try_way(const char *guest, size_t i)
{
	const char *const *w = ways[i].words;

	return PROBE(guest, "wx", ways[i].of_file ? good : "-", w[0], w[1], w[2], w[3], w[4]);
}

TEST(wx_denied)
{
	load_with("wx = \"deny\"\nerrno = \"EROFS\"\n");
	for (size_t i = 0; i < WAYS; i++) {
		printf("# %s\n", ways[i].name);
		events_forget();
		EXPECT_EQ(EROFS, try_way("g", i));
		EXPECT_EVENT("type=violation", text("op=%s", ways[i].op), "reason=wx",
			     "errno=EROFS", "verdict=denied", "path=null");
		EXPECT_EQ(0, try_way(NULL, i));
	}
	/* What is a file's and never written is none of it. */
	EXPECT_EQ(0, PROBE("g", "mmap-x", good));
	EXPECT_EQ(0, PROBE("g", "mprotect-x", good));
	EXPECT_EQ(0, PROBE("g", "wx", good, "r", "shared", "rx", "0", "-"));
	EXPECT_EQ(0, PROBE("g", "wx", "-", "r", "private", "rw", "1", "r"));
	EXPECT_EQ(0, PROBE("g", "exec", program));
}

TEST(wx_allowed)
{
	load_with("");
	for (size_t i = 0; i < WAYS; i++)
		EXPECT_EQ(0, try_way("g", i));
}

TEST(wx_in_audit)
{
	load_with("wx = \"deny\"\nmode = \"audit\"\n");
	for (size_t i = 0; i < WAYS; i++) {
		events_forget();
		EXPECT_EQ(0, try_way("g", i));
		EXPECT_EVENT("type=violation", text("op=%s", ways[i].op), "reason=wx",
			     "verdict=would_deny");
	}
}

/* A tracer writes into memory that is not writable. */
TEST(wx_and_tracers)
{
	load_with("wx = \"deny\"\n");
	EXPECT_EQ(EPERM, PROBE("g", "ptrace-child"));
	EXPECT_EVENT("type=escape", "op=ptrace", "errno=EPERM");
	load_with("");
	EXPECT_EQ(0, PROBE("g", "ptrace-child"));
}

TEST(memfds_executed)
{
	load_with("");
	EXPECT_EQ(EACCES, PROBE("g", "memfd-exec", program));
	EXPECT_EQ(EACCES, PROBE("g", "memfd-mmap-x"));
	load_with("memfd_exec = \"allow\"\n");
	EXPECT_EQ(0, PROBE("g", "memfd-exec", program));
	EXPECT_EQ(0, PROBE("g", "memfd-mmap-x"));
	load_with("memfd_exec = \"allow\"\nwx = \"deny\"\n");
	EXPECT_EQ(0, PROBE("g", "memfd-exec", program));
	EXPECT_EQ(EACCES, PROBE("g", "memfd-mmap-x"));
	EXPECT_EVENT("type=violation", "op=mmap", "reason=wx");
}

/* ---- io_uring: each operation is the guest's, whoever of the kernel's threads does it ---- */

TEST(io_uring_allowed)
{
	static const char *const hows[] = { "plain", "async", "sqpoll" };
	const char *to = text("%s/to", root ? root : "");

	load_with("");
	EXPECT_EQ(EPERM, PROBE("g", "uring", "plain", "open", good, "-"));
	load_with("io_uring = \"allow\"\n");
	for (int i = 0; i < 3; i++) {
		printf("# %s\n", hows[i]);
		events_forget();
		EXPECT_EQ(0, PROBE("g", "uring", hows[i], "open", good, "-"));
		EXPECT_EQ(EACCES, PROBE("g", "uring", hows[i], "open", bad, "-"));
		EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", text("path=%s", bad),
			     "guest.name=g");
		EXPECT_EQ(0, PROBE(NULL, "uring", hows[i], "open", bad, "-"));
		EXPECT_EQ(EACCES, PROBE("g", "uring", hows[i], "unlink", bad, "-"));
		EXPECT_EVENT("type=violation", "op=unlink", "errno=EACCES", text("path=%s", bad));
		to = text("%s/taken", no);
		EXPECT_EQ(EACCES, PROBE("g", "uring", hows[i], "rename", good, to));
		EXPECT_EVENT("type=violation", "op=rename", "errno=EACCES");
		to = make_file(text("%s/%s", ok, hows[i]), "");
		EXPECT_EQ(0, PROBE("g", "uring", hows[i], "rename", to, text("%s.2", to)));
		EXPECT_EQ(0, PROBE("g", "uring", hows[i], "unlink", text("%s.2", to), "-"));
	}
}

/* ---- user namespaces ---- */

TEST(userns_allowed)
{
	load_with("");
	EXPECT_EQ(EPERM, PROBE("g", "unshare-user"));
	load_with("userns = \"allow\"\n");
	EXPECT_EQ(0, PROBE("g", "unshare-user"));
	EXPECT_EQ(EACCES, PROBE("g", "unshare-user", "open", "r", bad));
	EXPECT_EVENT("type=violation", "op=open", text("path=%s", bad));
	EXPECT_EQ(0, PROBE("g", "unshare-user", "open", "r", good));
	EXPECT_EQ(EPERM, PROBE("g", "unshare-user", "unshare-mnt", "mount-bind", no, ok));
	EXPECT_EVENT("type=escape", "op=mount");
}

/* ---- mounts ---- */

#define IN_ITS_OWN "unshare-mnt", "mount-private"

TEST(mounts_allowed_in_its_own_namespace)
{
	const char *to, *there;

	load_with("");
	to = make_dir(text("%s/to", ok));
	there = text("%s/f", to);
	EXPECT_EQ(EPERM, PROBE("g", IN_ITS_OWN, "mount-bind", ok, to));
	load_with("mounts = \"allow\"\n");
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "mount-bind", ok, to, "open", "r", there));
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "mount-bind", ok, to, "mount-ro", to));
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "mount-bind", ok, to, "umount", to));
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "mount-tmpfs", to, "umount", to));
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "open-tree", ok, "attach-tree", to, "open", "r", there));
	/* What an object is does not change with where it is seen. */
	events_forget();
	EXPECT_EQ(EACCES, PROBE("g", IN_ITS_OWN, "mount-bind", no, to, "open", "r", there));
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "reason=no_rule");
	EXPECT_EQ(EACCES, PROBE("g", IN_ITS_OWN, "open-tree", no, "attach-tree", to, "open", "r", there));
	EXPECT_EQ(EACCES, PROBE("g", IN_ITS_OWN, "mount-tmpfs", to, "mkdir", text("%s/d", to)));
	EXPECT_EQ(0, PROBE(NULL, IN_ITS_OWN, "mount-bind", no, to, "open", "r", there));
	EXPECT_TRUE(!exists(there));
}

TEST(mounts_never_reach_the_host)
{
	const char *to;

	load_with("mounts = \"allow\"\n");
	to = make_dir(text("%s/host", ok));
	EXPECT_EQ(EPERM, PROBE("g", "mount-bind", ok, to));
	EXPECT_EVENT("type=escape", "op=mount", "errno=EPERM");
	EXPECT_EQ(EPERM, PROBE("g", "mount-tmpfs", to));
	EXPECT_EQ(EPERM, PROBE("g", "open-tree", ok));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_SHARED, NULL));
	EXPECT_EQ(EPERM, PROBE("g", "unshare-mnt", "mount-bind", ok, to));
	EXPECT_EQ(0, PROBE("g", IN_ITS_OWN, "mount-bind", ok, to));
	EXPECT_EQ(0, PROBE(NULL, "unshare-mnt", "mount-bind", ok, to, "umount", to));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	EXPECT_TRUE(!exists(text("%s/f", to)));
	EXPECT_EQ(EPERM, PROBE("g", IN_ITS_OWN, "remount", "/tmp", "size=50%"));
	EXPECT_EVENT("type=escape", "op=mount");
	EXPECT_EQ(EPERM, PROBE("g", IN_ITS_OWN, "mount-bind", ok, "/sys/fs/cgroup"));
	EXPECT_EQ(EPERM, PROBE("g", IN_ITS_OWN, "umount", "/sys/fs/bpf"));
	EXPECT_EVENT("type=escape", "op=umount");
	/* Of directories that it may use; of others its layers are refused before. */
	EXPECT_EQ(EPERM, PROBE("g", IN_ITS_OWN, "mount-overlay", to,
			       make_dir(text("%s/upper", ok)), make_dir(text("%s/work", ok)), to));
	EXPECT_EVENT("type=escape", "op=mount");
	EXPECT_EQ(0, PROBE(NULL, IN_ITS_OWN, "mount-overlay", to, text("%s/upper", ok),
			   text("%s/work", ok), to));
}

LEAVES_NO_GUEST()
