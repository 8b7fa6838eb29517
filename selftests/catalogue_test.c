/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalogue of Documentation/threat-model.rst, past another name for a file (bypass_test): what
 * watches, signals, dumps, mounts and runs for a guest. Each is refused with its errno and event,
 * and works for who is no guest.
 */
#include "harness.h"

#include <linux/fs.h>
#include <linux/io_uring.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "guest.h"
#include "lib_util.h"

/* Guests "g", and "a" in audit, with rw below @ok; @no beside it is outside. Both have an "f". */
static const char *ok, *no, *good, *bad;

static void load_in(const char *dir)
{
	ok = make_dir(text("%s/ok", dir));
	no = make_dir(text("%s/no", dir));
	good = make_file(text("%s/f", ok), "good\n");
	bad = make_file(text("%s/f", no), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw")
			    END GUEST("a") "mode = \"audit\"\n" FILES RULE("%s", "rw") END,
		    ok, ok);
}

static void load_two(void)
{
	load_in(scratch());
}

/* One step at what is outside: the policy's errno as a guest, works without. */
#define EXPECT_REFUSED(...)                                 \
	do {                                                \
		EXPECT_EQ(EACCES, PROBE("g", __VA_ARGS__)); \
		EXPECT_EQ(0, PROBE(NULL, __VA_ARGS__));     \
	} while (0)

#define EXPECT_ESCAPE(op, without, ...)                                                       \
	do {                                                                                  \
		events_forget();                                                              \
		EXPECT_EQ(EPERM, PROBE("g", __VA_ARGS__));                                    \
		EXPECT_EVENT("type=escape", "op=" op, "verdict=denied", "errno=EPERM",        \
			     "guest.name=g", "process.exe=" PROBE_BIN, "process.comm=probe"); \
		EXPECT_EQ(without, PROBE(NULL, __VA_ARGS__));                                 \
	} while (0)

static const char *start_stranger(struct probe *p)
{
	probe_start(p, NULL, STEPS("pause", "block"));
	return text("%d", probe_pid(probe_until(p, "paused")));
}

static bool lives(const struct probe *p)
{
	return waitpid(p->pid, NULL, WNOHANG) == 0;
}

/* ---- watching ---- */

static void expect_watch(const char *path, const char *right)
{
	EXPECT_EVENT("type=violation", "op=notify", "hook=path_notify", "verdict=denied",
		     "errno=EACCES", "guest.name=g", text("missing=%s", right), "reason=no_rule",
		     text("path=%s", path));
}

TEST(watching_needs_the_right_to_read)
{
	struct probe p;

	load_two();
	EXPECT_EQ(0, PROBE("g", "inotify", good, "inotify", ok, "fanotify", "inode", good));
	EXPECT_REFUSED("inotify", bad);
	expect_watch(bad, "read");
	EXPECT_REFUSED("inotify", no);
	expect_watch(no, "list");
	events_forget();
	EXPECT_REFUSED("fanotify", "inode", bad);
	expect_watch(bad, "read");

	/* A directory that was open before. */
	events_forget();
	probe_start(&p, NULL,
		    STEPS("hold", "0", "r", no, "hold", "1", "r", ok, "dnotify", "0", "pause",
			  "dnotify", "0", "dnotify", "1"));
	EXPECT_STREQ("dnotify 0", probe_until(&p, "dnotify"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	EXPECT_STREQ("dnotify 13", probe_until(&p, "dnotify"));
	EXPECT_STREQ("dnotify 0", probe_until(&p, "dnotify"));
	EXPECT_EQ(0, probe_end(&p));
	expect_watch(no, "list");
}

/* What no rule can be asked for, and what makes others wait. */
TEST(watching_everything)
{
	load_two();
	EXPECT_ESCAPE("fanotify", 0, "fanotify", "mount", good);
	EXPECT_ESCAPE("fanotify", 0, "fanotify", "fs", good);
	EXPECT_ESCAPE("fanotify", 0, "fanotify", "perm", good);
}

TEST(watching_in_audit)
{
	load_two();
	EXPECT_EQ(0, PROBE("a", "inotify", bad, "fanotify", "mount", good));
	EXPECT_EVENT("guest.name=a", "op=notify", "verdict=would_deny", text("path=%s", bad));
	EXPECT_EVENT("guest.name=a", "op=fanotify", "verdict=would_deny");
	EXPECT_EQ(EACCES, PROBE("a", "inotify", PINS));
	EXPECT_EQ(EPERM, PROBE("a", "fanotify", "mount", "/sys/fs/bpf"));
	EXPECT_EQ(0, PROBE(NULL, "inotify", PINS, "fanotify", "mount", "/sys/fs/bpf"));
}

/* ---- signals by a file's owner ---- */

/* By @how a signal 9 for @who, a stranger: not sent, said in an event; from no guest it kills. */
static void expect_no_signal(const char *guest, const char *how, bool group)
{
	struct probe p;
	const char *pid, *who;

	events_forget();
	probe_start(&p, NULL, STEPS("setsid", "pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	who = text("%s%s", group ? "-" : "", pid);
	EXPECT_EQ(0, PROBE(guest, "owner", how, who, "set-signal", "9", "fire"));
	EXPECT_TRUE(lives(&p));
	EXPECT_EVENT(text("guest.name=%s", guest), "type=escape", "op=signal", "errno=EPERM",
		     "verdict=denied", "process.comm=probe");
	EXPECT_EQ(0, PROBE(NULL, "owner", how, who, "set-signal", "9", "fire"));
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
}

TEST(a_files_owner_outside_is_sent_nothing)
{
	load_two();
	expect_no_signal("g", "fcntl", false);
	expect_no_signal("g", "ex", false);
	expect_no_signal("g", "ioctl", false);
	expect_no_signal("g", "fcntl", true);
	expect_no_signal("g", "ex", true);
	expect_no_signal("a", "fcntl", false);
}

TEST(a_files_owner_within_is_sent_its_signal)
{
	struct probe p;
	const char *pid;

	load_two();
	EXPECT_EQ(0, PROBE("g", "owner", "fcntl", "0", "fire-self", "29"));
	EXPECT_EQ(0, PROBE("g", "owner", "ex", "0", "set-signal", "10", "fire-self", "10"));
	probe_start(&p, "g", STEPS("pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(0, PROBE("g", "owner", "fcntl", pid, "fire"));
	EXPECT_EQ(128 + SIGIO, probe_end(&p));
	EXPECT_EQ(0, EVENTS("op=signal"));
	/* It is no guest any more when the signal comes. */
	probe_start(&p, NULL,
		    STEPS("pause", "owner", "fcntl", "0", "set-signal", "10", "pause", "fire-self",
			  "10", "set-signal", "0", "fire-self", "29"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	probe_go(&p);
	EXPECT_STREQ("fire-self 0", probe_until(&p, "fire-self"));
	EXPECT_STREQ("fire-self 0", probe_until(&p, "fire-self"));
	EXPECT_EQ(0, probe_end(&p));
}

static pid_t group; /* 0: one of its own */

static void join_group(void)
{
	if (setpgid(0, group))
		_exit(99);
}

/* A group is not the process that leads it. */
TEST(a_group_that_a_stranger_is_in)
{
	struct probe victim, p;

	load_two();
	probe_prepare = join_group;
	for (int by_guest = 1; by_guest >= 0; by_guest--) {
		group = 0;
		probe_start(&p, NULL, STEPS("pause", "owner", "fcntl", "group", "fire"));
		group = probe_pid(probe_until(&p, "paused"));
		if (by_guest)
			EXPECT_EQ(0, ctl("attach g %d", group));
		start_stranger(&victim);
		probe_go(&p);
		EXPECT_EQ(128 + SIGIO, probe_end(&p));
		if (by_guest) {
			EXPECT_TRUE(lives(&victim));
			EXPECT_EVENT("guest.name=g", "type=escape", "op=signal", "errno=EPERM");
			probe_kill(&victim);
		} else {
			EXPECT_EQ(128 + SIGIO, probe_end(&victim));
		}
	}
	probe_prepare = NULL;
}

/* Sent when somebody else writes: that one has nothing to do with it, and is not named. */
TEST(a_signal_that_another_sets_off)
{
	struct probe victim, p;
	const char *pid;

	load_two();
	pid = start_stranger(&victim);
	probe_start(&p, "g", STEPS("owner", "stdin", pid, "pause"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_TRUE(lives(&victim));
	EXPECT_EVENT("guest.name=g", "type=escape", "op=signal", "errno=EPERM", "process=null");
	probe_start(&p, NULL, STEPS("owner", "stdin", pid, "pause"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(128 + SIGIO, probe_end(&victim));
}

/* The owner is somebody else's doing and stays so; the signal is the guest's choice. */
TEST(a_signal_chosen_for_the_owner_of_another)
{
	struct probe victim, p;
	const char *pid;

	load_two();
	for (int by_guest = 1; by_guest >= 0; by_guest--) {
		pid = start_stranger(&victim);
		probe_start(&p, NULL,
			    STEPS("owner", "fcntl", pid, "pause", "set-signal", "9", "fire"));
		ASSERT_TRUE(probe_until(&p, "paused") != NULL);
		if (by_guest)
			EXPECT_EQ(0, ctl("attach g %d", p.pid));
		probe_go(&p);
		EXPECT_STREQ("fire 0", probe_until(&p, "fire"));
		EXPECT_EQ(0, probe_end(&p));
		if (by_guest) {
			EXPECT_TRUE(lives(&victim));
			EXPECT_EVENT("guest.name=g", "type=escape", "op=signal", "errno=EPERM");
			probe_kill(&victim);
		} else {
			EXPECT_EQ(128 + SIGKILL, probe_end(&victim));
		}
	}
	pid = start_stranger(&victim);
	probe_start(&p, NULL, STEPS("owner", "fcntl", pid, "pause", "fire"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(128 + SIGIO, probe_end(&victim));
}

/* ---- the terminal that it came with ---- */

static int terminal;

static void on_terminal(void)
{
	if (dup2(terminal, STDIN_FILENO) < 0)
		_exit(99);
}

TEST(nothing_is_typed_into_a_terminal)
{
	int master;

	load_two();
	(void)write_file("/proc/sys/dev/tty/legacy_tiocsti", "1"); /* 6.2; before, always on */
	ASSERT_EQ(0, openpty(&master, &terminal, NULL, NULL, NULL));
	probe_prepare = on_terminal;
	EXPECT_ESCAPE("device", 0, "tty-ioctl", "5412");      /* TIOCSTI */
	EXPECT_ESCAPE("device", ENOTTY, "tty-ioctl", "541c"); /* TIOCLINUX: no console */
	EXPECT_EQ(EPERM, PROBE("g", "tty-ioctl", "541d"));    /* TIOCCONS */
	EXPECT_EQ(EPERM, PROBE("a", "tty-ioctl", "5412"));
	EXPECT_EQ(0, PROBE("g", "ioctl-fd", "0"));
	probe_prepare = NULL;
	close(master);
	close(terminal);
}

/* ---- audit: what holds there, too ---- */

TEST(mount_attributes_in_audit)
{
	load_two();
	EXPECT_EQ(EPERM, PROBE("a", "mount-setattr", "/sys/fs/bpf"));
	EXPECT_EVENT("guest.name=a", "type=escape", "op=mount", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("a", "mount-setattr", "/tmp"));
	EXPECT_EQ(PROBE(NULL, "open-tree-attr", "/tmp") == ENOSYS ? ENOSYS : EPERM,
		  PROBE("a", "open-tree-attr", "/tmp"));
	EXPECT_EQ(0, PROBE("a", "unshare-mnt", "mount-private", "mount-setattr", "/tmp"));
	EXPECT_EVENT("guest.name=a", "op=mount", "verdict=would_deny");
	EXPECT_EQ(0, PROBE(NULL, "unshare-mnt", "mount-private", "mount-setattr", "/sys/fs/bpf"));
}

TEST(block_devices_in_audit)
{
	char said[64];

	load_two();
	ASSERT_EQ(0, lib_shell("modprobe -q loop; losetup -f", said, sizeof(said)));
	EXPECT_EQ(EACCES, PROBE("a", "open", "r", "/dev/loop0"));
	EXPECT_EVENT("guest.name=a", "op=open", "verdict=denied", "errno=EACCES", "reason=no_rule",
		     "path=/dev/loop0", "missing=read");
	EXPECT_EQ(EACCES, PROBE("a", "open", "w", "/dev/loop0"));
	EXPECT_EQ(0, PROBE("a", "open", "r", "/dev/full"));
	EXPECT_EVENT("guest.name=a", "verdict=would_deny", "path=/dev/full");
	EXPECT_EQ(0, PROBE(NULL, "open", "rw", "/dev/loop0"));
	ASSERT_LOAD(GUEST("a") "mode = \"audit\"\n" FILES RULE("/dev/loop0", "ro") END);
	EXPECT_EQ(0, PROBE("a", "open", "r", "/dev/loop0"));
	EXPECT_EQ(EACCES, PROBE("a", "open", "w", "/dev/loop0"));
}

/* ---- namespaces, io_uring, keyrings from elsewhere ---- */

TEST(namespaces_of_strangers)
{
	struct probe p;
	const char *pid, *file;

	load_two();
	pid = start_stranger(&p);
	file = text("/proc/%s/ns/uts", pid);
	EXPECT_ESCAPE("ptrace", 0, "setns-pidfd", pid);
	events_forget();
	EXPECT_EQ(EACCES, PROBE("g", "setns-file", file)); /* what procfs makes of EPERM */
	EXPECT_EVENT("type=escape", "op=ptrace", "verdict=denied");
	EXPECT_EQ(0, PROBE(NULL, "setns-file", file));
	EXPECT_EQ(EACCES, PROBE("g", "setns-file", "/proc/self/ns/uts"));
	EXPECT_EVENT("type=violation", "op=open", "verdict=denied", "errno=EACCES", "rule=null");
	EXPECT_EQ(0, PROBE(NULL, "setns-file", "/proc/self/ns/uts"));
	if (PROBE(NULL, "pidfd-ns", pid) == 0)
		EXPECT_EQ(EACCES, PROBE("g", "pidfd-ns", pid));
	else
		EXPECT_EQ(ENOTTY, PROBE("g", "pidfd-ns", pid)); /* before 6.11 */
	probe_kill(&p);
	probe_start(&p, "g", STEPS("pause", "block"));
	EXPECT_EQ(0, PROBE("g", "setns-pidfd", text("%d", probe_pid(probe_until(&p, "paused")))));
	probe_kill(&p);
}

static void bring_a_ring(void)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 8, &params);

	if (fd < 0 || dup2(fd, 100) < 0)
		_exit(99);
}

/* Not over `run`. The kernel itself never opens one by /proc: ENXIO. */
TEST(io_uring_is_not_inherited)
{
	load_two();
	probe_prepare = bring_a_ring;
	EXPECT_EQ(ENOENT, PROBE("g", "open", "r", "/proc/self/fd/100"));
	EXPECT_EQ(ENXIO, PROBE(NULL, "open", "r", "/proc/self/fd/100"));
	probe_prepare = NULL;
}

/* Its own, from before it was adopted: what that opens is decided as if it opened it. */
TEST(io_uring_of_before)
{
	static const char *const hows[] = { "inline", "async", "poll" };
	struct probe p;

	load_two();
	for (int i = 0; i < 3; i++) {
		events_forget();
		probe_start(&p, NULL,
			    STEPS("uring-make", hows[i], "uring-open", hows[i], bad, "pause",
				  "uring-open", hows[i], bad, "uring-open", hows[i], good));
		EXPECT_STREQ("uring-open 0", probe_until(&p, "uring-open"));
		ASSERT_TRUE(probe_until(&p, "paused") != NULL);
		EXPECT_CTL(0, "[io_uring]", "attach g %d", p.pid);
		probe_go(&p);
		EXPECT_STREQ("uring-open 13", probe_until(&p, "uring-open"));
		EXPECT_STREQ("uring-open 0", probe_until(&p, "uring-open"));
		EXPECT_EQ(0, probe_end(&p));
		EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", text("path=%s", bad),
			     text("process.pid=%d", p.pid));
	}
}

TEST(session_keyrings)
{
	load_two();
	EXPECT_ESCAPE("keyctl", 0, "keyring-to-parent"); /* the parent is policyctl run */
	EXPECT_EQ(EPERM, PROBE("a", "keyring-to-parent"));
	/* Replaced credentials: the same guest. */
	EXPECT_EQ(0, PROBE("g", "keyring-from-child"));
	EXPECT_EQ(EACCES, PROBE("g", "keyring-from-child", "open", "r", bad));
	EXPECT_EQ(EACCES, PROBE("g", "keyring-from-child", "fork", "open", "r", bad));
	EXPECT_EQ(0, PROBE("g", "keyring-from-child", "open", "rw", good));
}

TEST(message_queues)
{
	load_two();
	EXPECT_REFUSED("mq", "catalogue");
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "reason=no_rule",
		     "path$=/catalogue");
}

/* ---- execution ---- */

TEST(script_and_interpreter)
{
	const char *dir = scratch(), *script = text("%s/run", dir), *sh = text("%s/sh", dir);

	ASSERT_EQ(0, run_cmd(NULL, 0, "cp /usr/bin/true %s", sh));
	make_file(script, text("#!%s\n", sh));
	ASSERT_EQ(0, chmod(script, 0755));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rx") RULE("%s", "ro") END, dir, sh);
	EXPECT_REFUSED("exec", script);
	EXPECT_EVENT("type=violation", "op=exec", "hook=file_open", "missing=execute",
		     "errno=EACCES", text("path=%s", sh));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rx") RULE("%s", "ro") END, dir, script);
	EXPECT_REFUSED("exec", script);
	EXPECT_EVENT("type=violation", "op=exec", "missing=execute", text("path=%s", script));
	EXPECT_EQ(0, PROBE("g", "exec", sh));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rx") END, dir);
	EXPECT_EQ(0, PROBE("g", "exec", script));
}

/* PT_INTERP: what a program names as its ld.so is executed, too. */
TEST(the_interpreter_of_a_program)
{
	const char *dir = scratch(), *ld = text("%s/ld.so", dir), *exe = text("%s/exe", dir);

	/* In place of its own, of the same length. */
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp -L /lib64/ld-linux-x86-64.so.2 %s", ld));
	ASSERT_LE(strlen(ld), sizeof("/lib64/ld-linux-x86-64.so.2") - 1);
	ASSERT_EQ(0, run_cmd(NULL, 0,
			     "cp /usr/bin/true %s && at=$(grep -abo /lib64/ld-linux-x86-64.so.2 %s"
			     " | head -n 1 | cut -d: -f1) && printf '%s\\0' |"
			     " dd of=%s bs=1 seek=$at conv=notrunc status=none",
			     exe, exe, ld, exe));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rx") RULE("%s", "ro") END, dir, ld);
	EXPECT_REFUSED("exec", exe);
	EXPECT_EVENT("type=violation", "op=exec", "missing=execute", "errno=EACCES",
		     text("path=%s", ld));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rx") END, dir);
	EXPECT_EQ(0, PROBE("g", "exec", exe));
}

/* Its own table of binfmt_misc would need a mount; without one the type is not even looked at. */
TEST(binfmt_misc_of_its_own)
{
	load_two();
	EXPECT_ESCAPE("mount", ENODEV, "mount-type", "no_such_type", ok);
	EXPECT_EQ(EPERM, PROBE("g", "mount-type", "binfmt_misc", ok));
	EXPECT_EQ(EPERM, PROBE("g", "unshare-mnt", "mount-type", "binfmt_misc", ok));
}

/* A small ext4 made with @make, mounted with @options on a new directory. */
static const char *mount_ext4(const char *make, const char *options)
{
	const char *image = text("%s/image", scratch()), *dir = scratch();
	char said[512];

	if (lib_shell(text("truncate -s 8M %s && mkfs.ext4 -q -F %s %s && mount -o loop%s %s %s",
			   image, make, image, options, image, dir),
		      said, sizeof(said))) {
		FAIL("%s", said);
		END_TEST();
	}
	return dir;
}

/* ---- another spelling ---- */

/* In an empty directory "SECRET" becomes the same name as "secret". */
static void fold_case(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = FS_CASEFOLD_FL;

	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
}

/*
 * The spelling of the open decides what the kernel's name for the object is: a rule by name, which
 * "SECRET" would miss, is refused; one on a directory holds under every spelling.
 */
TEST(names_where_case_is_folded)
{
	const char *dir = mount_ext4("-O casefold -E encoding=utf8", ""), *folds, *secret;

	folds = make_dir(text("%s/folds", dir));
	fold_case(folds);
	secret = make_dir(text("%s/secret", folds));
	bad = make_file(text("%s/f", secret), "bad\n");
	good = make_file(text("%s/good", folds), "good\n");
	policy_write(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, folds, good);
	EXPECT_CTL(3, "P0513", "load " POLICY_FILE);
	EXPECT_CTL(3, "P0513", "check " POLICY_FILE);
	policy_write(GUEST("g") FILES RULE("%s/none-yet", "rw") END, folds);
	EXPECT_CTL(3, "P0513", "load " POLICY_FILE);
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, folds, secret);
	EXPECT_EQ(0, PROBE("g", "open", "rw", text("%s/GOOD", folds)));
	EXPECT_REFUSED("open", "r", text("%s/SECRET/F", folds));
	EXPECT_EVENT("type=violation", "op=open", "reason=rule", text("rule.path=%s", secret));
	EXPECT_REFUSED("list", text("%s/Secret", folds));
	EXPECT_REFUSED("open", "r", bad);
	EXPECT_NOTHING(engine_down());
	EXPECT_EQ(0, umount2(dir, MNT_DETACH));
}

/* ---- what the kernel reads and writes by itself ---- */

/* By what the descriptors may, whatever the rule: EOPNOTSUPP is past that check. */
TEST(clones_of_files)
{
	const char *to;

	load_two();
	to = make_file(text("%s/to", ok), "to");
	EXPECT_EQ(EBADF,
		  PROBE("g", "hold", "0", "r", good, "hold", "1", "r", to, "clone-file", "0", "1"));
	EXPECT_EQ(EBADF,
		  PROBE("g", "hold", "0", "w", good, "hold", "1", "w", to, "clone-file", "0", "1"));
	EXPECT_EQ(EOPNOTSUPP,
		  PROBE("g", "hold", "0", "r", good, "hold", "1", "w", to, "clone-file", "0", "1"));
	EXPECT_REFUSED("hold", "0", "r", bad);
}

TEST(asynchronous_io)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "hold", "0", "w", good, "aio-write", "0"));
	EXPECT_EQ(EBADF, PROBE("g", "hold", "0", "r", good, "aio-write", "0"));
}

TEST(swap_and_accounting)
{
	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "swapon", bad));
	EXPECT_EVENT("type=violation", "op=open", "access=read,write", text("path=%s", bad));
	EXPECT_EQ(EINVAL, PROBE("g", "swapon", good)); /* no swap is in it */
	EXPECT_EQ(EINVAL, PROBE(NULL, "swapon", bad));
	events_forget();
	EXPECT_REFUSED("acct", bad);
	EXPECT_EVENT("type=violation", "op=open", "missing=write", text("path=%s", bad));
	EXPECT_EQ(0, PROBE("g", "acct", good));
}

TEST(core_dumps)
{
	load_two();
	ASSERT_EQ(0, write_file("/proc/sys/kernel/core_pattern", "core"));
	ASSERT_EQ(0, write_file("/proc/sys/kernel/core_uses_pid", "0"));
	EXPECT_EQ(EACCES, PROBE("g", "core", no));
	EXPECT_FALSE(exists(text("%s/core", no)));
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", text("path=%s/core", no));
	EXPECT_EQ(0, PROBE("g", "core", ok));
	EXPECT_TRUE(exists(text("%s/core", ok)));
	EXPECT_EQ(0, PROBE(NULL, "core", no));
}

/* The kernel would read and write the file by itself; ESRCH: of no format that is there. */
TEST(quota_files)
{
	const char *dir = mount_ext4("", ",usrquota"), *device;
	struct stat st;

	ASSERT_EQ(0, stat(dir, &st));
	device = text("/dev/loop%u", minor(st.st_dev));
	load_in(dir);
	EXPECT_EQ(EACCES, PROBE("g", "quotaon", device, bad));
	EXPECT_EVENT("type=violation", "op=open", "hook=quota_on", "missing=read,write",
		     "errno=EACCES", "path$=/no/f");
	EXPECT_EQ(ESRCH, PROBE("g", "quotaon", device, good));
	EXPECT_EQ(ESRCH, PROBE(NULL, "quotaon", device, bad));
	EXPECT_NOTHING(engine_down());
	EXPECT_EQ(0, umount2(dir, MNT_DETACH));
}

/* The path in the guest's memory is read by the kernel once, and by us never. */
TEST(a_path_that_changes_meanwhile)
{
	load_two();
	EXPECT_EQ(0, PROBE("g", "flip", "5000", good, bad));
	EXPECT_EQ(EUCLEAN, PROBE(NULL, "flip", "5000", good, bad));
}

/* ---- identity ---- */

/* 22nd field of /proc/PID/stat: clock ticks since boot. */
static long long start_ticks(pid_t pid)
{
	char line[1024], *at;

	ASSERT_LE(1, read_file(text("/proc/%d/stat", pid), line, sizeof(line)));
	at = strrchr(line, ')');
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -1;
}

TEST(a_pid_is_told_with_its_start)
{
	const json_t *event;
	struct probe p;
	long long ticks;
	pid_t pid;

	load_two();
	probe_start(&p, "g", STEPS("pause", "open", "r", bad, "pause"));
	pid = probe_pid(probe_until(&p, "paused"));
	ticks = start_ticks(pid);
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EVENT("type=violation", text("process.pid=%d", pid));
	event = events_find(STEPS("type=violation", text("process.pid=%d", pid)));
	ASSERT_TRUE(event != NULL);
	EXPECT_EQ(ticks, strtoll(json_at(event, "process.start_ns"), NULL, 10) / 10000000);
	probe_kill(&p);
}

TEST(a_cgroup_namespace_of_its_own)
{
	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "unshare-cgroup", "open", "r", bad));
	EXPECT_EQ(EACCES, PROBE("g", "unshare-cgroup", "fork", "open", "r", bad));
	EXPECT_EQ(0, PROBE("g", "unshare-cgroup", "open", "rw", good));
	EXPECT_EVENT("type=violation", text("path=%s", bad), "process.cgroup=/policyctl/g");
}

/* One thread of a guest's process in a cgroup of its own. */
TEST(a_threaded_cgroup)
{
	const char *cgroup = CGROUPS "/g/t", *said;
	struct probe p;
	int pid, tid;

	load_two();
	probe_start(&p, "g", STEPS("thread", "pause", "open", "r", bad, "open", "rw", good));
	said = probe_until(&p, "paused");
	ASSERT_TRUE(said && sscanf(said, "paused 0 %d %d", &pid, &tid) == 2);
	ASSERT_EQ(0, mkdir(cgroup, 0755));
	ASSERT_EQ(0, write_file(text("%s/cgroup.type", cgroup), "threaded"));
	ASSERT_EQ(0, write_file(text("%s/cgroup.threads", cgroup), text("%d", tid)));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), text("process.tid=%d", tid),
		     "process.cgroup=/policyctl/g/t");
	EXPECT_EQ(0, rmdir(cgroup));
}

#define DEEP 70 /* past POL_CGROUP_LEVELS */

/* Make, or remove, DEEP cgroups below @top. Return: the deepest. */
static const char *deep_cgroup(const char *top, bool make)
{
	static char path[64 + 2 * DEEP];

	snprintf(path, sizeof(path), "%s", top);
	for (int i = 0; i < DEEP; i++) {
		strcat(path, "/d");
		if (make)
			ASSERT_EQ(0, mkdir(path, 0755));
	}
	for (int i = 0; !make && i < DEEP; i++) {
		EXPECT_EQ(0, rmdir(path));
		*strrchr(path, '/') = '\0';
	}
	return path;
}

/* A guest that somebody moves far down elsewhere; and one who is a guest by that cgroup alone. */
TEST(cgroups_past_the_levels_that_are_looked_at)
{
	static const char *const top = "/sys/fs/cgroup/deep";
	struct probe p;

	load_two();
	ASSERT_EQ(0, mkdir(top, 0755));
	probe_start(&p, "g", STEPS("pause", "open", "r", bad, "fork", "open", "r", bad));
	EXPECT_EQ(0, write_file(text("%s/cgroup.procs", deep_cgroup(top, true)),
				text("%d", probe_pid(probe_until(&p, "paused")))));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	probe_start(&p, NULL, STEPS("pause", "open", "rw", bad));
	EXPECT_EQ(0, write_file(text("%s/cgroup.procs", deep_cgroup(CGROUPS "/g", true)),
				text("%d", probe_pid(probe_until(&p, "paused")))));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), "guest.name=g", "access=read,write",
		     "process.cgroup*=/policyctl/g/d/d/d");
	deep_cgroup(CGROUPS "/g", false);
	deep_cgroup(top, false);
	EXPECT_EQ(0, rmdir(top));
}

/* ---- the end: the table of owners is full until the engine goes ---- */

TEST(no_room_for_owners)
{
	load_two();
	EXPECT_EQ(0, PROBE(NULL, "owners", "17000"));
	EXPECT_EQ(EPERM, PROBE("g", "owners", "17000"));
	EXPECT_EVENT("type=escape", "op=signal", "verdict=denied", "errno=EPERM");
	EXPECT_EQ(0, ctl("status -v"));
	EXPECT_STRSTR("owners_full", ctl_said);
	EXPECT_NOTHING(engine_down());
	load_two();
	EXPECT_EQ(0, PROBE("g", "owner", "fcntl", "0", "fire-self", "29"));
}

LEAVES_NO_GUEST()
