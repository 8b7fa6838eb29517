/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors that a guest brings along over exec from outside its policy: told, or the exec is
 * refused; and what attach lists, which is decided by the same code.
 */
#include "harness.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "guest.h"

#define KEPT 100 /* above what a shell uses */
#define REFUSE "inherited_fds = \"refuse\"\n"

static const char *root;

static const char *at(const char *name)
{
	return text("%s/%s", root, name);
}

/* ok: rw; ro: ro; no: nothing. A file "f" in each. */
static void make_tree(void)
{
	static const char *const dirs[] = { "ok", "ro", "no" };

	root = scratch();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		make_dir(at(dirs[i]));
		make_file(text("%s/f", at(dirs[i])), "x");
	}
}

#define LOAD(knobs)                                                                        \
	ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\n" knobs FILES RULE("%s/ok", "rw") \
			    RULE("%s/ro", "ro") END,                                       \
		    root, root)

/* `run` with the descriptor as KEPT. Return: its status; 126: refused. */
static int run_with(int fd)
{
	int status;

	ASSERT_EQ(KEPT, dup2(fd, KEPT));
	status = ctl("run g --keep-fd %d -- " PROBE_BIN " fstat %d </dev/null", KEPT, KEPT);
	close(KEPT);
	close(fd);
	return status;
}

static int run_with_file(const char *path, int flags)
{
	int fd = open(path, flags);

	ASSERT_LE(0, fd);
	return run_with(fd);
}

#define INHERIT "type=violation", "op=inherit"

TEST(told_by_default)
{
	make_tree();
	LOAD("");
	events_forget(); /* of the suite before */
	EXPECT_EQ(0, run_with_file(at("ok/f"), O_RDWR));
	EXPECT_STRSTR("fstat 0", ctl_said);
	EXPECT_EQ(0, EVENTS(INHERIT));
	EXPECT_EQ(0, run_with_file(at("no/f"), O_RDONLY));
	EXPECT_STRSTR("fstat 0", ctl_said);
	EXPECT_EVENT(INHERIT, "hook=bprm_committing_creds", "verdict=would_deny", "errno=EACCES",
		     "reason=inherited", "rule=null", "access=read", "missing=read",
		     text("path=%s", at("no/f")), "suggest=null", "process.exe=" PROBE_BIN);
	EXPECT_EQ(1, EVENTS(INHERIT));
	EXPECT_STREQ("0", guest_value("g", "denials"));
}

TEST(refused_by_the_knob)
{
	make_tree();
	LOAD(REFUSE);
	EXPECT_EQ(0, run_with_file(at("ok/f"), O_RDWR));
	EXPECT_STRSTR("fstat 0", ctl_said);
	EXPECT_EQ(0, EVENTS(INHERIT));
	EXPECT_EQ(126, run_with_file(at("no/f"), O_RDWR));
	EXPECT_STRSTR("cannot be executed: Permission denied", ctl_said);
	EXPECT_STRSTR("descriptor", ctl_said);
	EXPECT_EVENT(INHERIT, "hook=bprm_creds_from_file", "verdict=denied", "errno=EACCES",
		     "reason=inherited", "rule=null", "access=read,write", "missing=read,write",
		     text("path=%s", at("no/f")));
	EXPECT_EQ(1, EVENTS(INHERIT));
	EXPECT_STREQ("1", guest_value("g", "denials"));
}

TEST(errno_is_the_policys)
{
	make_tree();
	LOAD("errno = \"ENOENT\"\n" REFUSE);
	EXPECT_NE(0, run_with_file(at("no/f"), O_RDONLY));
	EXPECT_EVENT(INHERIT, "verdict=denied", "errno=ENOENT");
}

TEST(audit_refuses_no_knob)
{
	make_tree();
	LOAD("mode = \"audit\"\n" REFUSE);
	EXPECT_EQ(0, run_with_file(at("no/f"), O_RDONLY));
	EXPECT_EVENT(INHERIT, "verdict=would_deny", "reason=inherited");
	EXPECT_EQ(0, run_with_file("/proc/self/ns/mnt", O_RDONLY));
	EXPECT_EQ(2, EVENTS(INHERIT, "verdict=would_deny"));
}

/* As if it was opened now, in its mode. */
TEST(the_mode_decides)
{
	make_tree();
	LOAD(REFUSE);
	EXPECT_EQ(0, run_with_file(at("ro/f"), O_RDONLY));
	EXPECT_EQ(126, run_with_file(at("ro/f"), O_WRONLY));
	EXPECT_EVENT(INHERIT, "access=write", "missing=write", text("path=%s", at("ro/f")));
	EXPECT_EQ(126, run_with_file(at("ro/f"), O_ACCMODE));
	EXPECT_EVENT(INHERIT, "access=read,write", "missing=write");
	EXPECT_EQ(0, run_with_file(at("ok/f"), O_ACCMODE));
	EXPECT_EQ(0, run_with_file(at("no/f"), O_PATH));
	EXPECT_EQ(0, run_with_file(at("ro"), O_RDONLY | O_DIRECTORY));
	EXPECT_EQ(126, run_with_file(at("no"), O_RDONLY | O_DIRECTORY));
	EXPECT_EVENT(INHERIT, "access=list", "missing=list", text("path=%s", at("no")));
}

/* By the table that received descriptors go by. */
TEST(what_is_no_file)
{
	int pair[2], pipes[2];

	make_tree();
	LOAD(REFUSE);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, run_with(pair[0]));
	EXPECT_EQ(0, run_with(pipes[0]));
	EXPECT_EQ(0, run_with(eventfd(0, 0)));
	EXPECT_EQ(0, run_with(memfd_create("kept", 0)));
	EXPECT_EQ(0, run_with_file("/dev/null", O_RDWR));
	EXPECT_EQ(0, EVENTS(INHERIT));
	EXPECT_EQ(126, run_with_file("/dev/full", O_WRONLY));
	EXPECT_EVENT(INHERIT, "missing=write", "path=/dev/full");
	EXPECT_EQ(126, run_with_file("/proc/self/ns/mnt", O_RDONLY));
	EXPECT_EQ(2, EVENTS(INHERIT));
}

/* ---- of an attached process ---- */

/* A process with @bad in slot 0, and, if @keep, over exec; adopted. It stands before STEPS. */
static void start_attached(struct probe *p, const char *keep, const char *const steps[])
{
	const char *words[32] = { "hold", "0", "r", at("no/f"), keep, "0", "pause" };
	int n = 7;

	if (!keep) {
		words[4] = "pause";
		n = 5;
	}
	for (; *steps && n < 31; steps++)
		words[n++] = *steps;
	probe_start(p, NULL, words);
	ASSERT_TRUE(probe_until(p, "paused") != NULL);
	EXPECT_CTL(0, at("no/f"), "attach g %d", p->pid);
	probe_go(p);
}

TEST(close_on_exec_stays_behind)
{
	struct probe p;

	make_tree();
	LOAD(REFUSE);
	start_attached(&p, NULL, STEPS("exec-self", "open", "r", at("ok/f")));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, EVENTS(INHERIT));
	start_attached(&p, "keep", STEPS("exec-self", "open", "r", at("ok/f")));
	EXPECT_STREQ("exec-self 13", probe_until(&p, "exec-self"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT(INHERIT, "verdict=denied", "missing=read", text("path=%s", at("no/f")));
}

/* Once, until the policy changes; and neither by a child. */
TEST(told_once)
{
	struct probe p;

	make_tree();
	LOAD("");
	start_attached(&p, "keep",
		       STEPS("exec-self", "pause", "exec-self", "fork", "exec-self", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(1, EVENTS(INHERIT, text("path=%s", at("no/f"))));
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(1, EVENTS(INHERIT));
	probe_end(&p);
}

TEST(a_new_policy_is_asked_again)
{
	struct probe p;

	make_tree();
	LOAD("");
	start_attached(&p, "keep",
		       STEPS("exec-self", "pause", "exec-self", "pause", "exec-self", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(1, EVENTS(INHERIT, "verdict=would_deny"));
	LOAD("");
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(2, EVENTS(INHERIT, "verdict=would_deny"));
	LOAD(REFUSE);
	probe_go(&p);
	EXPECT_STREQ("exec-self 13", probe_until(&p, "exec-self"));
	probe_end(&p);
	EXPECT_EQ(1, EVENTS(INHERIT, "verdict=denied"));
}

/* What a guest opens itself is judged when it does; what a newer policy takes from it, here. */
TEST(what_a_newer_policy_does_not_give)
{
	struct probe p;

	make_tree();
	LOAD(REFUSE);
	probe_start(&p, "g",
		    STEPS("hold", "0", "rw", at("ok/f"), "keep", "0", "fork", "exec-self", "pause",
			  "exec-self", "exit", "5"));
	probe_until(&p, "paused");
	ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\n" REFUSE FILES RULE("%s/ok", "ro") END,
		    root);
	probe_go(&p);
	EXPECT_STREQ("exec-self 13", probe_until(&p, "exec-self"));
	probe_end(&p);
	EXPECT_EVENT(INHERIT, "access=read,write", "missing=write", text("path=%s", at("ok/f")));
}

/* Another process that shares the table puts it back between the look and the exec. */
TEST_TIMEOUT(raced_by_a_sharer, 300)
{
	const char *rounds = text("%ld", test_count(40, 50));
	int through, refused, killed;
	const char *brought;
	struct probe p;

	make_tree();
	LOAD(REFUSE);
	start_attached(&p, "keep", STEPS("bring-race", "3", rounds));
	brought = probe_until(&p, "brought");
	ASSERT_TRUE(brought != NULL);
	ASSERT_EQ(3, sscanf(brought, "brought 0 %d %d %d", &through, &refused,
			    &killed));
	printf("# %d without it, %d refused, %d killed\n", through, refused, killed);
	EXPECT_STREQ("bring-race 0", probe_until(&p, "bring-race"));
	EXPECT_LE(1, refused);
	probe_end(&p);
}

/* ---- many ---- */

static int many, many_fd, last_fd;

/* @many of a file inside, and one outside, if there is, above them. */
static void open_many(void)
{
	const struct rlimit limit = { (rlim_t)many + 1000, (rlim_t)many + 1000 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(99);
	for (int i = 0; i < many; i++)
		if (dup(many_fd) < 0)
			_exit(99);
	if (last_fd >= 0 && dup(last_fd) < 0)
		_exit(99);
}

/* Return: what the exec of one that holds them met, "exec-self 13", or the line after it. */
static const char *exec_with_many(int last)
{
	static struct probe p;

	last_fd = last;
	probe_prepare = open_many;
	probe_start(&p, NULL, STEPS("pause", "exec-self", "open", "r", at("ok/f")));
	probe_prepare = NULL;
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	EXPECT_EQ(last >= 0, strstr(ctl_said, at("no/f")) != NULL);
	EXPECT_EQ(NULL, strstr(ctl_said, at("ok/f")));
	probe_go(&p);
	probe_until(&p, "pause"); /* its own end */
	return text("%s", probe_line(&p) ?: "none");
}

TEST_TIMEOUT(many_descriptors, 300)
{
	int bad;

	make_tree();
	LOAD(REFUSE);
	many = (int)test_count(1000, 100);
	many_fd = open(at("ok/f"), O_RDWR | O_CLOEXEC);
	bad = open(at("no/f"), O_RDONLY | O_CLOEXEC);
	EXPECT_STREQ("open 0", exec_with_many(-1));
	EXPECT_STREQ("exec-self 13", exec_with_many(bad));
	EXPECT_EQ(1, EVENTS(INHERIT, text("path=%s", at("no/f"))));
}

/* ---- what attach lists ---- */

static void hold_kinds(void)
{
	dup2(open(at("no/f"), O_ACCMODE), KEPT);
	dup2(open("/dev/full", O_WRONLY), KEPT + 1);
	dup2(open("/proc/self/ns/mnt", O_RDONLY), KEPT + 2);
	dup2(open(at("no/f"), O_PATH), KEPT + 3);
	dup2(memfd_create("listed", 0), KEPT + 4);
	dup2(open(at("ok/f"), O_RDWR), KEPT + 5);
}

static const char *held(pid_t pid, int fd, const char *what)
{
	return text("process %d holds descriptor %d open: %s, outside the policy", pid, fd, what);
}

TEST(attach_lists_by_the_same_decision)
{
	pid_t child;
	struct probe p;

	make_tree();
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/ok", "rw") RULE("/dev", "rw") END, root);
	probe_prepare = hold_kinds;
	probe_start(&p, NULL, STEPS("fork", "pause"));
	probe_prepare = NULL;
	child = probe_pid(probe_until(&p, "paused"));
	EXPECT_CTL(0, "2 processes adopted", "attach g %d", p.pid);
	for (int i = 0; i < 2; i++) {
		pid_t pid = i ? child : p.pid;

		EXPECT_STRSTR(text("%s ([\"read\", \"write\"])", held(pid, KEPT, at("no/f"))), ctl_said);
		EXPECT_STRSTR(text("%s ([\"write\"]; a device that no rule names)",
				   held(pid, KEPT + 1, "/dev/full")),
			      ctl_said);
		EXPECT_STRSTR(text("process %d holds descriptor %d open: mnt:", pid, KEPT + 2),
			      ctl_said);
	}
	EXPECT_STRSTR("([\"read\"]; no rule gives it)", ctl_said);
	EXPECT_EQ(NULL, strstr(ctl_said, text("descriptor %d open", KEPT + 3)));
	EXPECT_EQ(NULL, strstr(ctl_said, text("descriptor %d open", KEPT + 4)));
	EXPECT_EQ(NULL, strstr(ctl_said, text("descriptor %d open", KEPT + 5)));
	probe_kill(&p);
}

/* A thread holds what its process does. */
TEST(attach_lists_for_a_thread)
{
	struct probe p;
	int tid = 0;

	make_tree();
	LOAD("");
	probe_start(&p, NULL, STEPS("hold", "0", "r", at("no/f"), "thread", "pause"));
	ASSERT_EQ(1, sscanf(probe_until(&p, "paused"), "paused 0 %*d %d", &tid));
	EXPECT_CTL(0, held(p.pid, 3, at("no/f")), "attach g --tid %d", tid);
	probe_kill(&p);
}

LEAVES_NO_GUEST()
