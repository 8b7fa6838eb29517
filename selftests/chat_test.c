/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of what is not refused: events = ["allow", "exec", "fork"] of a guest, log = true of a rule.
 * Whatever is told of a guest that asks for it, none of it is of one that does not.
 */
#include "harness.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest.h"
#include "guest_fds.h"

#define ALL                                                                                     \
	"[\"read\", \"write\", \"execute\", \"list\", \"create\", \"delete\", \"rename\", "     \
	"\"link\", \"truncate\", \"metadata\", \"ioctl\", \"connect\"]"
#define ALL_WORDS \
	"read,write,execute,list,create,delete,rename,link,truncate,metadata,ioctl,connect"
#define RULES                                                                      \
	"\t{ path = \"%s\", access = " ALL ", name = \"ours\" },\n"                \
	"\t{ path = \"/dev/zero\", access = " ALL ", name = \"zero\" },\n" END
#define ALLOW "type=allow"
#define TOLD "guest.name=told"
#define QUIET "guest.name=quiet"

static const char *root;

static const char *at(const char *name)
{
	return text("%s/%s", root, name);
}

/* Two guests with all rights on a new directory with some files, and on a device. */
static void load_with(const char *knobs)
{
	root = scratch();
	make_file(at("f"), "x");
	make_file(at("g"), "x");
	make_dir(at("d"));
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp /usr/bin/true %s", at("prog")));
	ASSERT_LOAD(GUEST("told") "%s\n" FILES RULES GUEST("quiet") FILES RULES, knobs, root, root);
	events_forget();
}

/* One operation - its last word, or two, are names - and all that is told: "access op hook name". */
struct told {
	const char *words[4];
	const char *records[5];
};

/* A name that begins with '~': on the hook that knows no mount, from the filesystem's root. */
static const struct told ops[] = {
	{ { "open", "r", "f" }, { "read open file_open f" } },
	{ { "open", "w", "f" }, { "write open file_open f" } },
	{ { "open", "rw", "f" }, { "read,write open file_open f" } },
	{ { "open", "wt", "f" }, { "write,truncate open file_open f", "truncate truncate - f" } },
	{ { "open", "wc", "new" },
	  { "write,create create path_mknod new", "write open file_open new" } },
	{ { "open", "wc", "f" }, { "write open file_open f" } },
	{ { "list", "d" }, { "list open file_open d" } },
	{ { "truncate", "g" }, { "truncate truncate path_truncate g" } },
	{ { "mkdir", "d2" }, { "create mkdir path_mkdir d2" } },
	{ { "rmdir", "d2" }, { "delete rmdir path_rmdir d2" } },
	{ { "mkfifo", "fifo" }, { "create mknod path_mknod fifo" } },
	{ { "unlink", "fifo" }, { "delete unlink path_unlink fifo" } },
	{ { "symlink", "f", "sym" }, { "create symlink path_symlink sym" } },
	{ { "bind", "sock" }, { "create bind path_mknod sock" } },
	{ { "link", "f", "f2" }, { "link link path_link f", "link link path_link f2" } },
	{ { "rename", "f2", "f3" },
	  { "rename rename path_rename f2", "rename rename path_rename f3" } },
	{ { "rename", "f3", "new" },
	  { "rename rename path_rename f3", "rename rename path_rename new",
	    "delete rename path_rename new" } },
	{ { "exchange", "f", "g" },
	  { "rename rename path_rename f", "rename rename path_rename g" } },
	{ { "chmod", "f" }, { "metadata chmod path_chmod f" } },
	{ { "chown", "f" }, { "metadata chown path_chown f" } },
	{ { "utime", "f" }, { "metadata utime inode_setattr ~f" } },
	{ { "setxattr", "f" }, { "metadata xattr inode_setxattr ~f" } },
	{ { "inotify", "f" }, { "read notify path_notify f" } },
	{ { "mmap-x", "f" }, { "read open file_open f", "execute mmap mmap_file f" } },
	{ { "mprotect-x", "f" }, { "read open file_open f", "execute mprotect file_mprotect f" } },
	{ { "exec", "prog" }, { "execute exec file_open prog" } },
};
#define OPS (sizeof(ops) / sizeof(*ops))

static bool names_two(const char *step)
{
	return !strcmp(step, "rename") || !strcmp(step, "exchange") || !strcmp(step, "link");
}

/* All of them, one after the other, in one process. */
static void run_ops(const char *guest)
{
	struct step steps[OPS] = { 0 };

	for (size_t i = 0; i < OPS; i++) {
		int last = ops[i].words[2] ? 2 : 1;

		memcpy(steps[i].words, ops[i].words, sizeof(ops[i].words));
		steps[i].words[last] = at(ops[i].words[last]);
		if (names_two(ops[i].words[0]))
			steps[i].words[1] = at(ops[i].words[1]);
	}
	EXPECT_BATCH(guest, steps);
}

static void expect_record(const char *record)
{
	char access[64], op[32], hook[32], name[32];

	ASSERT_EQ(4, sscanf(record, "%63s %31s %31s %31s", access, op, hook, name));
	EXPECT_EVENT(ALLOW, TOLD, "verdict=allowed", text("access=%s", access), text("op=%s", op),
		     *hook == '-' ? ALLOW : text("hook=%s", hook),
		     *name == '~' ? text("path$=/%s", name + 1) : text("path=%s", at(name)),
		     "path_truncated=false", "guest_path=null", "rule.name=ours",
		     text("rule.path=%s", root), "rule.access=" ALL_WORDS, "process.comm=probe",
		     "process.exe=" PROBE_BIN);
}

/* What is told of our directory, whoever makes it. */
static int told_here(const char *guest)
{
	return EVENTS(ALLOW, text("path*=%s/", strrchr(root, '/') + 1), guest);
}

TEST(each_operation_is_told)
{
	int cnt = 0;

	load_with("events = [\"allow\"]");
	run_ops("told");
	EXPECT_NOTHING(events_read());
	for (size_t i = 0; i < OPS; i++)
		for (size_t k = 0; ops[i].records[k]; k++, cnt++)
			expect_record(ops[i].records[k]);
	EXPECT_EQ(cnt, told_here(TOLD));
}

TEST(nothing_is_told_of_who_does_not_ask)
{
	load_with("events = [\"allow\", \"exec\", \"fork\"]");
	run_ops("quiet");
	EXPECT_EQ(0, EVENTS(ALLOW));
	EXPECT_EQ(0, EVENTS("type=exec"));
	EXPECT_EQ(0, EVENTS("type=fork"));
	/* It has made events, and they came: the probe's, and of the program that it executed. */
	EXPECT_EQ(2, EVENTS("type=exit", QUIET));
}

/* The object's own numbers, as stat(2) has them. */
TEST(the_object_is_named)
{
	struct stat st;

	load_with("events = [\"allow\"]");
	ASSERT_EQ(0, stat(at("f"), &st));
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EVENT(ALLOW, TOLD, text("path=%s", at("f")), text("ino=%lu", (unsigned long)st.st_ino),
		     text("dev=%u:%u", major(st.st_dev), minor(st.st_dev)));
}

TEST(devices)
{
	load_with("events = [\"allow\"]");
	EXPECT_EQ(0, PROBE("told", "open", "rw", "/dev/zero"));
	EXPECT_EVENT(ALLOW, TOLD, "access=read,write", "op=open", "path=/dev/zero",
		     "rule.name=zero");
	EXPECT_EQ(ENOTTY, PROBE("told", "ioctl", "/dev/zero"));
	EXPECT_EVENT(ALLOW, TOLD, "access=ioctl", "op=ioctl", "hook=file_ioctl", "path=/dev/zero",
		     "rule.name=zero");
}

/* Before 6.6 tmpfs has no such attributes; the engine is asked first. */
TEST(chattr)
{
	load_with("events = [\"allow\"]");
	EXPECT_EQ(PROBE(NULL, "chattr", at("g")), PROBE("told", "chattr", at("f")));
	EXPECT_EVENT(ALLOW, TOLD, "access=metadata", "op=chattr", "hook=file_ioctl",
		     text("path=%s", at("f")));
}

TEST(sockets)
{
	struct probe server;

	load_with("events = [\"allow\"]");
	probe_start(&server, NULL, STEPS("listen", "stream", at("s"), "listen", "dgram", at("t"),
					 "pause"));
	probe_until(&server, "paused");
	EXPECT_EQ(0, PROBE("told", "connect", "stream", at("s")));
	EXPECT_EVENT(ALLOW, TOLD, "access=connect", "op=connect", "hook=unix_stream_connect",
		     text("path=%s", at("s")));
	EXPECT_EQ(0, PROBE("told", "connect", "dgram", at("t")));
	EXPECT_EVENT(ALLOW, TOLD, "access=connect", "op=connect", "hook=unix_may_send",
		     text("path=%s", at("t")));
	probe_go(&server);
	EXPECT_EQ(0, probe_end(&server));
}

/* A descriptor that comes in a message: of a file; of what no rule is about nothing is told. */
TEST(received_descriptors)
{
	int fd, memory = memfd_create("m", MFD_CLOEXEC);
	struct probe p;

	load_with("events = [\"allow\"]");
	fd = open(at("f"), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	probe_start_socket(&p, "told", STEPS("receive", "2"));
	probe_give(&p, fd);
	probe_give(&p, memory);
	EXPECT_STREQ("received 0 2 0", probe_until(&p, "received"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT(ALLOW, TOLD, "access=read,write", "op=receive", "hook=file_receive",
		     text("path=%s", at("f")));
	EXPECT_EQ(1, EVENTS(ALLOW, "op=receive"));
	close(fd);
	close(memory);
}

/* ---- log = true ---- */

#define LOGGED(path, access, name) \
	"\t{ path = \"" path "\", access = \"" access "\", name = \"" name "\", log = true },\n"

TEST(a_rule_that_logs)
{
	root = scratch();
	make_dir(at("a"));
	make_dir(at("a/b"));
	make_file(at("a/f"), "x");
	make_file(at("a/silent"), "x");
	make_file(at("a/b/f"), "x");
	make_file(at("a/b/loud"), "x");
	ASSERT_LOAD(GUEST("told") FILES LOGGED("%s", "ro", "dir") RULE("%s/silent", "rw")
			    RULE("%s/b", "rw") LOGGED("%s/b/loud", "rw", "file") END,
		    at("a"), at("a"), at("a"), at("a"));
	events_forget();
	EXPECT_EQ(0, PROBE("told", "open", "r", at("a/f"), "open", "rw", at("a/silent"), "open", "rw",
			   at("a/b/f"), "open", "rw", at("a/b/loud"), "list", at("a"), "list",
			   at("a/b")));
	EXPECT_EVENT(ALLOW, TOLD, "access=read", text("path=%s", at("a/f")), "rule.name=dir");
	EXPECT_EVENT(ALLOW, TOLD, "access=list", text("path=%s", at("a")), "rule.name=dir");
	EXPECT_EVENT(ALLOW, TOLD, "access=read,write", text("path=%s", at("a/b/loud")),
		     "rule.name=file");
	EXPECT_EQ(3, EVENTS(ALLOW));
	/* What it refuses is no allowed access. */
	EXPECT_EQ(EACCES, PROBE("told", "open", "w", at("a/f")));
	EXPECT_EVENT("type=violation", "missing=write", text("path=%s", at("a/f")));
	EXPECT_EQ(3, EVENTS(ALLOW));
}

/* The rules stay, what they tell changes: entries that a load takes over follow. */
TEST(a_load_changes_what_is_told)
{
	root = scratch();
	make_file(at("f"), "x");
	ASSERT_LOAD(GUEST("told") FILES RULE("%s", "ro") END, root);
	events_forget();
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(0, EVENTS(ALLOW));
	ASSERT_LOAD(GUEST("told") FILES LOGGED("%s", "ro", "dir") END, root);
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(1, EVENTS(ALLOW));
	ASSERT_LOAD(GUEST("told") FILES RULE("%s", "ro") END, root);
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(1, EVENTS(ALLOW));
	ASSERT_LOAD(GUEST("told") "events = [\"allow\"]\n" FILES RULE("%s", "ro") END, root);
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(2, EVENTS(ALLOW, text("path=%s", at("f"))));
}

/* Guests with the same rules share them; not what is told. */
TEST(guests_with_equal_rules)
{
	load_with("events = [\"allow\"]");
	EXPECT_EQ(0, PROBE("quiet", "open", "r", at("f")));
	EXPECT_EQ(0, EVENTS(ALLOW));
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(1, EVENTS(ALLOW, text("path=%s", at("f"))));
}

TEST(audit)
{
	load_with("events = [\"allow\"]\nmode = \"audit\"");
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EVENT(ALLOW, TOLD, "access=read", "verdict=allowed", text("path=%s", at("f")));
	EXPECT_EQ(0, PROBE("told", "open", "r", "/proc/version"));
	EXPECT_EVENT("type=violation", TOLD, "verdict=would_deny", "path=/proc/version");
	EXPECT_EQ(0, EVENTS(ALLOW, "path=/proc/version"));
}

TEST(the_type_can_be_asked_for)
{
	static const char *const formats[] = { "text", "json", "ecs", "ocsf", "cef", "syslog" };

	load_with("events = [\"allow\", \"exec\", \"fork\"]");
	EXPECT_EQ(0, PROBE("told", "fork", "exec-self", "open", "r", at("f")));
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		EXPECT_CTL(0, at("f"), "events --format %s --type allow", formats[i]);
		EXPECT_CTL(0, PROBE_BIN, "events --format %s --type exec", formats[i]);
		EXPECT_CTL(0, "told", "events --format %s --type fork", formats[i]);
	}
}

/* ---- fork and exec ---- */

/* Every process of the guest: run's own, by the launcher, and what that makes. */
TEST(forks)
{
	const struct {
		const char *step;
		int forks;
	} ways[] = {
		{ "setsid", 1 }, { "thread", 1 }, { "fork", 2 }, { "vfork", 2 }, { "daemon", 3 },
	};

	load_with("events = [\"fork\"]");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		printf("# %s\n", ways[i].step);
		events_forget();
		EXPECT_EQ(0, PROBE("told", ways[i].step, "open", "r", at("f")));
		EXPECT_EQ(ways[i].forks, EVENTS("type=fork", TOLD));
	}
	EXPECT_EQ(0, EVENTS("type=exec"));
	EXPECT_EQ(0, EVENTS(ALLOW));
}

/* The record is about the child, made before it runs: it comes before all else of it. */
TEST(a_fork_is_the_childs)
{
	const char *child, *seq;
	const json_t *fork;

	load_with("events = [\"fork\", \"allow\"]");
	EXPECT_EQ(0, PROBE("told", "fork", "open", "r", at("f")));
	EXPECT_EVENT("type=fork", TOLD, "process.comm=probe", "process.exe=" PROBE_BIN,
		     "process.parent.comm=probe", "process.parent.exe=" PROBE_BIN, "process.uid=0",
		     "process.cgroup$=/told");
	fork = events_find(STEPS("type=fork", TOLD, "process.parent.comm=probe"));
	ASSERT_TRUE(fork != NULL);
	child = text("%s", json_at(fork, "process.pid"));
	seq = text("%s", json_at(fork, "guest.seq"));
	EXPECT_STREQ(child, json_at(fork, "process.tid"));
	EXPECT_EVENT("type=exit", TOLD, text("process.pid=%s", child),
		     text("process.start_ns=%s", json_at(fork, "process.start_ns")));
	fork = events_find(STEPS(ALLOW, TOLD, text("path=%s", at("f"))));
	ASSERT_TRUE(fork != NULL);
	EXPECT_STREQ(child, json_at(fork, "process.pid"));
	EXPECT_TRUE(strtol(seq, NULL, 10) < strtol(json_at(fork, "guest.seq"), NULL, 10));
}

/* A script: its interpreter is what is executed; the process has the script's name. */
TEST(execs)
{
	load_with("events = [\"exec\"]");
	make_file(at("script"), text("#!%s open r %s\n", PROBE_BIN, at("f")));
	ASSERT_EQ(0, chmod(at("script"), 0700));
	EXPECT_EQ(0, PROBE("told", "exec", at("script")));
	EXPECT_EQ(2, EVENTS("type=exec", TOLD, "process.exe=" PROBE_BIN));
	EXPECT_EVENT("type=exec", TOLD, "process.exe=" PROBE_BIN, "process.comm=script",
		     "process.parent.comm=probe");
	EXPECT_EQ(0, PROBE("told", "exec", at("prog")));
	EXPECT_EVENT("type=exec", TOLD, text("process.exe=%s", at("prog")), "process.comm=prog",
		     "process.parent.exe=" PROBE_BIN);
	EXPECT_EQ(0, EVENTS("type=fork"));
	EXPECT_EQ(0, EVENTS(ALLOW));
}

/* What execve refuses is no exec. */
TEST(refused_execs)
{
	load_with("events = [\"exec\"]");
	make_file("/tmp/outside", "#!/bin/sh\n");
	ASSERT_EQ(0, chmod("/tmp/outside", 0700));
	EXPECT_EQ(EACCES, PROBE("told", "exec", "/tmp/outside"));
	EXPECT_EQ(1, EVENTS("type=exec", TOLD));
}

/* A thread that executes takes its process over: the record has the process's number. */
TEST(an_exec_in_a_thread)
{
	load_with("events = [\"exec\"]");
	EXPECT_EQ(0, PROBE("told", "thread", "exec-self", "open", "r", at("f")));
	EXPECT_EQ(2, EVENTS("type=exec", TOLD));
	for (size_t i = 0; i < json_array_size(events_all()); i++) {
		const json_t *event = json_array_get(events_all(), i);

		if (!strcmp(json_at(event, "type"), "exec"))
			EXPECT_STREQ(json_at(event, "process.pid"), json_at(event, "process.tid"));
	}
}

/* Nobody asks any more: the programs are gone from the host's forks and execs. */
TEST(attached_while_somebody_asks)
{
	load_with("events = [\"exec\"]");
	EXPECT_TRUE(exists(PINS "/links/pol_told_exec"));
	EXPECT_FALSE(exists(PINS "/links/pol_told_fork"));
	load_with("");
	EXPECT_FALSE(exists(PINS "/links/pol_told_exec"));
	EXPECT_EQ(0, PROBE("told", "open", "r", at("f")));
	EXPECT_EQ(0, EVENTS("type=exec"));
}

LEAVES_NO_GUEST()
