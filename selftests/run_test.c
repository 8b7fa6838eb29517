/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program started with `policyctl run` has and has not of its caller: descriptors, ids,
 * privileges, signals; each way to close what was inherited, and none.
 */
#include "harness.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "guest.h"
#include "refuse.h"

static const char *root;

static void load_one(void)
{
	root = scratch_in("/"); /* /tmp is nosuid */
	ASSERT_EQ(0, chmod(root, 0755));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rwx") END, root);
}

/* The line of the payload, run by policyctl with these options, that begins with @word. */
static void expect_line(const char *options, const char *step, const char *word, const char *rest)
{
	EXPECT_EQ(0, ctl("run g %s -- " PROBE_BIN " %s", options, step));
	EXPECT_STRSTR(text("%s 0 %s\n", word, rest), ctl_said);
}

/* ---- descriptors ---- */

/* Low and high, and the limit below the high ones. */
static void many_descriptors(void)
{
	struct rlimit limit = { 65536, 65536 };
	int fd = open("/dev/null", O_RDONLY);

	if (setrlimit(RLIMIT_NOFILE, &limit) || dup2(fd, 9) < 0 || dup2(fd, 333) < 0 ||
	    dup2(fd, 65000) < 0)
		_exit(99);
	limit.rlim_cur = limit.rlim_max = 256;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(98);
}

static void no_close_range(void)
{
	many_descriptors();
	if (refuse_call(SYS_close_range, ENOSYS))
		_exit(97);
}

static void no_way_to_close(void)
{
	no_close_range();
	if (refuse_call(SYS_getdents64, EIO))
		_exit(96);
}

/* A shell command, @prepare called before it; output in ctl_said. Return: its status. */
static int prepared(void (*prepare)(void), const char *command)
{
	char script[1024];
	int status;
	pid_t pid;

	snprintf(script, sizeof(script), "{ %s; } >/tmp/said 2>&1", command);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prepare();
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(95);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said), "cat /tmp/said"));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void expect_descriptors(void (*prepare)(void))
{
	EXPECT_EQ(0, prepared(prepare, "policyctl run g -- " PROBE_BIN " inherited"));
	EXPECT_STRSTR("has 0 0 1 2 \n", ctl_said);
	EXPECT_EQ(0,
		  prepared(prepare,
			   "policyctl run g --keep-fd 65000 --keep-fd 9 --keep-fd 9 -- " PROBE_BIN
			   " inherited"));
	EXPECT_STRSTR("has 0 0 1 2 9 65000 \n", ctl_said);
	EXPECT_EQ(0, prepared(prepare, "policyctl run g --keep-fd 0 -- " PROBE_BIN " inherited"));
	EXPECT_STRSTR("has 0 0 1 2 \n", ctl_said);
}

/* The control: a program that a shell runs has them all. */
TEST(inherited_descriptors_are_closed)
{
	load_one();
	EXPECT_EQ(0, prepared(many_descriptors, PROBE_BIN " inherited"));
	EXPECT_STRSTR(" 9 333 65000 \n", ctl_said);
	expect_descriptors(many_descriptors);
}

TEST(inherited_descriptors_are_closed_by_proc)
{
	load_one();
	expect_descriptors(no_close_range);
}

TEST(no_way_to_close_them_is_no_start)
{
	load_one();
	EXPECT_EQ(125, prepared(no_way_to_close, "policyctl run g -- " PROBE_BIN " inherited"));
	EXPECT_STRSTR("inherited descriptors cannot be closed, not started", ctl_said);
	EXPECT_FALSE(strstr(ctl_said, "has 0"));
}

TEST(what_is_closed_stays_closed)
{
	load_one();
	EXPECT_EQ(0, ctl("run g -- " PROBE_BIN " inherited 0<&- 2>&-"));
	EXPECT_STRSTR("has 0 1 \n", ctl_said);
}

TEST(keep_fd_that_is_wrong)
{
	load_one();
	EXPECT_CTL(125, "descriptor 9 is not open", "run g --keep-fd 9 -- /usr/bin/true");
	EXPECT_CTL(125, "descriptor 2147483647 is not open",
		   "run g --keep-fd 2147483647 -- /usr/bin/true");
	EXPECT_CTL(125, "not '2147483648'", "run g --keep-fd 2147483648 -- /usr/bin/true");
	EXPECT_CTL(125, "not '-1'", "run g --keep-fd=-1 -- /usr/bin/true");
	EXPECT_CTL(125, "not ''", "run g --keep-fd '' -- /usr/bin/true");
	EXPECT_CTL(125, "not '2x'", "run g --keep-fd 2x -- /usr/bin/true");
	EXPECT_CTL(125, "64 times",
		   "run g $(printf -- '--keep-fd 1 %%.0s' $(seq 65)) -- /usr/bin/true");
	EXPECT_EQ(0, ctl("run g $(printf -- '--keep-fd 1 %%.0s' $(seq 64)) -- /usr/bin/true"));
}

/* ---- who it is ---- */

static void make_groups(void)
{
	const char *groups = "extra:x:77:user\\nmore:x:78:root,user\\n";

	ASSERT_EQ(0, run_cmd(NULL, 0, "grep -q ^extra: /etc/group || printf '%s' >>/etc/group",
			     groups));
}

TEST(user_and_groups)
{
	load_one();
	make_groups();
	expect_line("", "ids", "is", "uid 0 0 0 gid 0 0 0 groups caps some");
	expect_line("--user user", "ids", "is",
		    "uid 1000 1000 1000 gid 1000 1000 1000 groups 77 78 1000 caps none");
	expect_line("--user 1000", "ids", "is",
		    "uid 1000 1000 1000 gid 1000 1000 1000 groups 77 78 1000 caps none");
	expect_line("--user user:extra", "ids", "is",
		    "uid 1000 1000 1000 gid 77 77 77 groups caps none");
	expect_line("--user 4242:4243", "ids", "is",
		    "uid 4242 4242 4242 gid 4243 4243 4243 groups caps none");
	expect_line("--user user:0", "ids", "is", "uid 1000 1000 1000 gid 0 0 0 groups caps none");
}

TEST(user_that_is_wrong)
{
	load_one();
	EXPECT_CTL(125, "no user 'stranger'", "run g --user stranger -- /usr/bin/true");
	EXPECT_CTL(125, "no group 'strangers'", "run g --user user:strangers -- /usr/bin/true");
	EXPECT_CTL(125, "no group ''", "run g --user user: -- /usr/bin/true");
	EXPECT_CTL(125, "no user ''", "run g --user :user -- /usr/bin/true");
	EXPECT_CTL(125, "--user 4242:GROUP", "run g --user 4242 -- /usr/bin/true");
	EXPECT_CTL(125, "no user '-1'", "run g --user=-1:0 -- /usr/bin/true");
	EXPECT_CTL(125, "no user '4294967295'", "run g --user 4294967295:0 -- /usr/bin/true");
	EXPECT_CTL(125, "no group '4294967295'", "run g --user user:4294967295 -- /usr/bin/true");
}

/* A set-user-ID program gains, as it does outside; with the option it does not. */
TEST(no_new_privs)
{
	const char *program;

	load_one();
	program = text("%s/suid", root);
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp " PROBE_BIN " %s", program));
	ASSERT_EQ(0, chmod(program, 04755));
	EXPECT_EQ(0, ctl("run g --user user -- %s new-privs ids", program));
	EXPECT_STRSTR("no-new-privs 0 not set\n", ctl_said);
	EXPECT_STRSTR("is 0 uid 1000 0 0 ", ctl_said);
	EXPECT_EQ(0, ctl("run g --user user --no-new-privs -- %s new-privs ids", program));
	EXPECT_STRSTR("no-new-privs 0 set\n", ctl_said);
	EXPECT_STRSTR("is 0 uid 1000 1000 1000 ", ctl_said);
	EXPECT_STRSTR("caps none", ctl_said);
}

/* ---- the rest ---- */

static void odd_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void no_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
}

/* Mask and dispositions are the default ones, umask and session the caller's. */
TEST(signals_umask_session)
{
	struct probe p;

	load_one();
	probe_prepare = odd_signals;
	probe_start(&p, NULL, STEPS("signals"));
	EXPECT_STRSTR("blocked 1 ignored 1 blocked 2 ", probe_until(&p, "signals 0"));
	EXPECT_EQ(0, probe_end(&p));
	probe_start(&p, "g", STEPS("signals"));
	EXPECT_STREQ("signals 0 default", probe_until(&p, "signals 0"));
	EXPECT_EQ(0, probe_end(&p));
	probe_prepare = NULL;
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "umask 027; policyctl run g -- " PROBE_BIN " umask"));
	EXPECT_STRSTR("mask 0 027\n", ctl_said);
	expect_line("", "session", "session", text("%d %d", getsid(0), getpgrp()));
}

/* Its parent ignores SIGCHLD, so that its children would be reaped by the kernel. */
TEST(the_status_is_had_all_the_same)
{
	load_one();
	EXPECT_EQ(7, prepared(no_sigchld, "exec policyctl run g -- " PROBE_BIN " signals exit 7"));
	EXPECT_STRSTR("signals 0 default\n", ctl_said);
}

/* Of policyctl's end nobody may be left: it dies before the guest is, or passes the signal on. */
TEST(a_signal_while_it_starts_is_not_lost)
{
	struct timespec delay = { 0 };

	load_one();
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			execlp("policyctl", "policyctl", "run", "g", "--", PROBE_BIN, "block",
			       NULL);
			_exit(94);
		}
		delay.tv_nsec = i * 15000000;
		nanosleep(&delay, NULL);
		ASSERT_EQ(0, kill(pid, SIGTERM));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM
						: WEXITSTATUS(status) == 128 + SIGTERM);
	}
	EXPECT_STREQ("0", guest_value("g", "tasks"));
}

/* A program without a loader, or a script without its interpreter, is there and cannot run: 126. */
TEST(what_cannot_be_executed)
{
	load_one();
	make_file(text("%s/script", root), "#!/no/such/interpreter\n");
	ASSERT_EQ(0, chmod(text("%s/script", root), 0755));
	EXPECT_CTL(126, "cannot be executed: No such file", "run g -- %s/script", root);
	EXPECT_CTL(127, "command not found", "run g -- ./no-such-file");
	EXPECT_CTL(125, "no guest 'none'", "run none -- /usr/bin/true");
}

LEAVES_NO_GUEST()
