/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ways around a whitelist. Each is refused with the policy's errno and an event; the same way to
 * an allowed object works (nothing is refused for its shape), and so does the same operation
 * without confinement (nothing but the engine refuses it).
 */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest.h"

/* One guest, "g", with rw below @ok; @no beside it is outside. Both have a file "f". */
static const char *ok, *no, *good, *bad;

static void load_two(void)
{
	const char *dir = scratch();

	ok = make_dir(text("%s/ok", dir));
	no = make_dir(text("%s/no", dir));
	good = make_file(text("%s/f", ok), "good\n");
	bad = make_file(text("%s/f", no), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, ok);
}

/* The event of a refused open of @bad for reading. */
static void expect_refused(const char *path_condition)
{
	struct stat st;

	stat(bad, &st);
	EXPECT_EVENT("type=violation", "op=open", "hook=file_open", "verdict=denied",
		     "errno=EACCES", "access=read", "missing=read", "reason=no_rule", "rule=null",
		     "guest.name=g", path_condition, text("ino=%lu", (unsigned long)st.st_ino),
		     text("dev=%u:%u", major(st.st_dev), minor(st.st_dev)),
		     "process.exe=" PROBE_BIN, "process.comm=probe", "process.uid=0",
		     "process.cgroup=/policyctl/g", "repeats=0");
}

/* One step of a word and its arguments, to @bad: refused as a guest, works without. */
#define EXPECT_BYPASS_REFUSED(...)                          \
	do {                                                \
		EXPECT_EQ(EACCES, PROBE("g", __VA_ARGS__)); \
		EXPECT_EQ(0, PROBE(NULL, __VA_ARGS__));     \
	} while (0)

TEST(plain_path)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "open", "rw", good));
	EXPECT_BYPASS_REFUSED("open", "r", bad);
	expect_refused(text("path=%s", bad));
}

TEST(event_says_who)
{
	const json_t *event;
	struct probe p;
	pid_t pid;

	load_two();
	probe_start(&p, "g", STEPS("pause", "open", "r", bad));
	pid = probe_pid(probe_until(&p, "paused"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), text("process.pid=%d", pid),
		     text("process.tid=%d", pid), "process.gid=0",
		     text("process.parent.pid=%d", p.pid), "process.parent.comm=policyctl",
		     "schema=policyctl/v1", "path_truncated=false", "guest_path=null",
		     text("suggest={ path = \"%s\", access = [\"read\"] }", bad));
	event = events_find(STEPS("type=violation", text("process.pid=%d", pid)));
	ASSERT_TRUE(event != NULL);
	EXPECT_STREQ(status_value("engine.generation"), json_at(event, "policy.generation"));
	EXPECT_STREQ(status_value("engine.policy_sha256"), json_at(event, "policy.sha256"));
	EXPECT_LE(1, atoi(json_at(event, "guest.id")));
	EXPECT_LE(1, atoi(json_at(event, "guest.seq")));
}

TEST(symlink)
{
	const char *to_bad, *to_good;

	load_two();
	to_bad = text("%s/to_bad", ok);
	to_good = text("%s/to_good", ok);
	ASSERT_EQ(0, symlink(bad, to_bad));
	ASSERT_EQ(0, symlink(good, to_good));
	EXPECT_EQ(0, PROBE("g", "open", "rw", to_good));
	EXPECT_BYPASS_REFUSED("open", "r", to_bad);
	expect_refused(text("path=%s", bad));
}

TEST(symlink_made_by_the_guest)
{
	load_two();
	EXPECT_EQ(EACCES,
		  PROBE("g", "symlink", bad, text("%s/s", ok), "open", "r", text("%s/s", ok)));
	expect_refused(text("path=%s", bad));
	EXPECT_EQ(0,
		  PROBE("g", "symlink", good, text("%s/s2", ok), "open", "r", text("%s/s2", ok)));
}

TEST(symlink_out_of_the_whitelist_to_inside)
{
	load_two();
	ASSERT_EQ(0, symlink(good, text("%s/to_good", no)));
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/to_good", no)));
}

TEST(dotdot)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/../ok/f", no)));
	EXPECT_BYPASS_REFUSED("open", "r", text("%s/../no/f", ok));
	expect_refused(text("path=%s", bad));
	EXPECT_EQ(EACCES, PROBE("g", "chdir", ok, "open", "r", "../no/f"));
	EXPECT_EQ(0, PROBE(NULL, "chdir", ok, "open", "r", "../no/f"));
	EXPECT_EQ(0, PROBE("g", "chdir", no, "open", "r", "../ok/f"));
}

TEST(proc_self_root)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("/proc/self/root%s", good)));
	EXPECT_BYPASS_REFUSED("open", "r", text("/proc/self/root%s", bad));
	expect_refused(text("path=%s", bad));
	EXPECT_BYPASS_REFUSED("chdir", ok, "open", "r", "/proc/self/cwd/../no/f");
}

/* In a mount namespace that only this guest has: @no is at ok/m, @ok at no/m. */
static void bind_across(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(no, text("%s/m", ok), NULL, MS_BIND, NULL) ||
	    mount(ok, text("%s/m", no), NULL, MS_BIND, NULL))
		_exit(99);
}

TEST(bind_mount_in_its_own_namespace)
{
	load_two();
	make_dir(text("%s/m", ok));
	make_dir(text("%s/m", no));
	probe_prepare = bind_across;
	EXPECT_BYPASS_REFUSED("open", "r", text("%s/m/f", ok));
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/m/f", no)));
	probe_prepare = NULL;
	expect_refused("path$=/f");
}

TEST(chroot_spoofs_no_path)
{
	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "chroot", no, "open", "r", "/f"));
	EXPECT_EQ(0, PROBE(NULL, "chroot", no, "open", "r", "/f"));
	EXPECT_EQ(0, PROBE("g", "chroot", ok, "open", "rw", "/f"));
	expect_refused("path$=/f");
}

TEST(path_descriptor_reopened)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "hold", "0", "p", good, "reopen", "0", "rw"));
	EXPECT_BYPASS_REFUSED("hold", "0", "p", bad, "reopen", "0", "r");
	expect_refused(text("path=%s", bad));
}

TEST(openat_from_a_path_descriptor)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "hold", "0", "pd", ok, "openat", "0", "rw", "f"));
	EXPECT_BYPASS_REFUSED("hold", "0", "pd", no, "openat", "0", "r", "f");
	expect_refused(text("path=%s", bad));
	EXPECT_BYPASS_REFUSED("hold", "0", "pd", ok, "openat", "0", "r", "../no/f");
}

/* More rights by /proc/self/fd than the open had. */
TEST(descriptor_reopened_for_writing)
{
	const char *dir = scratch(), *f = make_file(text("%s/f", dir), "x");

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "ro") END, dir);
	EXPECT_EQ(0, PROBE("g", "hold", "0", "r", f, "reopen", "0", "r"));
	EXPECT_BYPASS_REFUSED("hold", "0", "r", f, "reopen", "0", "rw");
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "access=read,write",
		     "missing=write", "reason=rule", "rule.access=read,list",
		     text("rule.path=%s", dir), text("path=%s", f),
		     text("rule.where$=policy.toml:%d", RUNTIME_LINES + 4));
}

/* The handle of @path in two words for the payload. */
static void handle_of(const char *path, const char **ret_type, const char **ret_hex)
{
	static union {
		struct file_handle head;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h;
	static char hex[2][2 * MAX_HANDLE_SZ + 1];
	static int next;
	char *out = hex[next++ % 2];
	int mount_id;

	h.head.handle_bytes = MAX_HANDLE_SZ;
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, path, &h.head, &mount_id, 0));
	for (unsigned int i = 0; i < h.head.handle_bytes; i++)
		sprintf(out + 2 * i, "%02x", h.bytes[sizeof(struct file_handle) + i]);
	*ret_type = text("%d", h.head.handle_type);
	*ret_hex = out;
}

TEST(open_by_handle)
{
	const char *type, *hex;

	load_two();
	handle_of(good, &type, &hex);
	EXPECT_EQ(0, PROBE("g", "handle", ok, "rw", type, hex));
	handle_of(bad, &type, &hex);
	EXPECT_BYPASS_REFUSED("handle", ok, "r", type, hex);
	expect_refused("path$=/f");
}

TEST(io_uring_is_refused_at_setup)
{
	load_two();
	EXPECT_EQ(EPERM, PROBE("g", "io-uring"));
	EXPECT_EQ(0, PROBE(NULL, "io-uring"));
	EXPECT_EVENT("type=escape", "op=io_uring", "verdict=denied", "errno=EPERM", "guest.name=g",
		     "process.exe=" PROBE_BIN);
}

/* A name given to an object of the forbidden tree before the guest came. */
TEST(hard_link_decides_by_the_name_used)
{
	load_two();
	ASSERT_EQ(0, link(bad, text("%s/name", ok)));
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/name", ok)));
	EXPECT_BYPASS_REFUSED("open", "r", bad);
}

TEST(pipes_and_memfds_reopen)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "pipe-reopen"));
	EXPECT_EQ(0, PROBE("g", "memfd-reopen"));
}

TEST(memfd_is_not_executed)
{
	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "memfd-exec", PROBE_BIN));
	EXPECT_EQ(0, PROBE(NULL, "memfd-exec", PROBE_BIN));
	EXPECT_EVENT("type=violation", "op=exec", "reason=memfd", "errno=EACCES", "rule=null");
	EXPECT_EQ(EACCES, PROBE("g", "memfd-mmap-x"));
	EXPECT_EQ(0, PROBE(NULL, "memfd-mmap-x"));
	EXPECT_EVENT("type=violation", "op=mmap", "hook=mmap_file", "reason=memfd");
}

/* A descriptor that the launcher left open does not reach the guest. */
static int left_open;

static void leave_open(void)
{
	if (dup2(left_open, 100) < 0)
		_exit(99);
}

TEST(inherited_descriptor_is_closed)
{
	load_two();
	left_open = open(bad, O_RDWR);
	probe_prepare = leave_open;
	EXPECT_EQ(ENOENT, PROBE("g", "open", "r", "/proc/self/fd/100"));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", "/proc/self/fd/100"));
	probe_prepare = NULL;
	close(left_open);
}

TEST(mounts_and_namespaces)
{
	load_two();
	EXPECT_EQ(EPERM, PROBE("g", "mount-bind", no, ok));
	EXPECT_EVENT("type=escape", "op=mount", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(0, PROBE(NULL, "unshare-mnt", "mount-bind", no, ok, "umount", ok));
	EXPECT_EQ(EPERM, PROBE("g", "unshare-mnt", "mount-tmpfs", ok));
	EXPECT_EQ(EPERM, PROBE("g", "umount", "/tmp"));
	EXPECT_EVENT("type=escape", "op=umount", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("g", "unshare-user"));
	EXPECT_EVENT("type=escape", "op=userns", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(0, PROBE(NULL, "unshare-user"));
}

TEST(bpf_is_refused)
{
	load_two();
	EXPECT_EQ(EPERM, PROBE("g", "bpf"));
	EXPECT_EQ(0, PROBE(NULL, "bpf"));
	EXPECT_EVENT("type=escape", "op=bpf", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("g", "bpf-get", PINS));
}

TEST(strangers_are_not_traced)
{
	const char *pid;
	struct probe p;

	load_two();
	probe_start(&p, NULL, STEPS("pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(EPERM, PROBE("g", "ptrace", pid));
	EXPECT_EVENT("type=escape", "op=ptrace", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("g", "vm-read", pid));
	EXPECT_EQ(0, PROBE(NULL, "ptrace", pid));
	EXPECT_EQ(0, PROBE(NULL, "vm-read", pid));
	EXPECT_EQ(0, PROBE("g", "ptrace-child"));
	EXPECT_NE(0, PROBE("g", "open", "r", text("/proc/%s/root%s", pid, bad)));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("/proc/%s/root%s", pid, bad)));
	probe_kill(&p);
}

LEAVES_NO_GUEST()
