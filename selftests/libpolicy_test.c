/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpolicy as a program has it that is built against what `make install` made: each call, what it
 * does and what it refuses, by exact errno.
 */
#include "harness.h"

#include <grp.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "api.h"

#define NOBODY_PID 4194303 /* above every pid_max in use here */

static const char *dir, *bad;

SETUP()
{
	dir = scratch();
	bad = make_file(text("%s/bad", scratch()), "bad\n");
	make_file(text("%s/ok", dir), "ok\n");
}

static const char *rules(const char *name, const char *limits)
{
	return text(GUEST("%s") FILES RULE("%s", "rw") END "[guest.%s.limits]\n%s\n", name, dir,
		    name, limits);
}

/* ---- who asks ---- */

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* In a child, whose failures are the test's. */
static void in_child(void (*fn)(void))
{
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	ASSERT_EQ(0, end_of(pid));
}

/* ---- nothing loaded, not root ---- */

static int no_shadow(const struct pol_shadow *shadow, void *arg)
{
	(void)shadow;
	(void)arg;
	return 1;
}

static void every_call(int want)
{
	struct pol_guest_info info = { .size = sizeof(info) };
	struct pol_paths *paths;
	pid_t pid;

	EXPECT_RETURN(want, pol_guest_attach("g", getppid(), &error));
	EXPECT_RETURN(want, pol_guest_attach_thread("g", getppid(), &error));
	EXPECT_RETURN(want, pol_guest_attach_self("g", POL_SELF_THREAD, &error));
	EXPECT_RETURN(want, pol_guest_detach(getppid(), &error));
	EXPECT_RETURN(want, run("g", "exit 0", &pid));
	EXPECT_RETURN(want, pol_guest_info("g", &info, &error));
	EXPECT_RETURN(want, pol_guest_wait("g", NULL, &error));
	EXPECT_RETURN(want, pol_shadow_make("g", "/etc/passwd", 0, NULL, NULL, &error));
	EXPECT_RETURN(want, pol_shadow_list(NULL, no_shadow, NULL, &error));
	ASSERT_EQ(0, pol_paths_new(&paths));
	EXPECT_RETURN(want, pol_paths_map_guest(paths, "g", &error));
	pol_paths_free(paths);
}

static void as_nobody(void)
{
	ASSERT_EQ(0, setgroups(0, NULL) || setgid(65534) || setuid(65534));
	every_call(-EPERM);
	EXPECT_KIND(POL_ERROR_HOST, -EPERM, load_text("", 0));
	EXPECT_RETURN(-EPERM, pol_guest_stop("g", 0, NULL, &error));
	EXPECT_EQ(0, pol_policy_check("p", "version = 1\n", 12, 0, NULL, &error));
}

TEST(nothing_loaded)
{
	struct pol_stopped stopped = { .size = sizeof(stopped), .tasks = 9 };

	EXPECT_NOTHING(engine_down());
	every_call(-ENOENT);
	EXPECT_RETURN(0, pol_guest_stop("g", 0, &stopped, &error));
	EXPECT_EQ(0, stopped.tasks);
	in_child(as_nobody);
}

/* ---- load ---- */

static volatile sig_atomic_t children;

static void count_child(int sig)
{
	(void)sig;
	children++;
}

/* What all of the process has, and a library leaves as it is. */
TEST(load_leaves_the_process_alone)
{
	struct sigaction before = { .sa_handler = count_child }, after;
	struct pol_loaded loaded = { .size = sizeof(loaded) };
	const char *policy = text(RUNTIME "%s", rules("g", ""));
	int out[2], saved = dup(STDERR_FILENO);
	char cwd[4096], now[4096], byte;

	ASSERT_EQ(0, sigaction(SIGCHLD, &before, NULL));
	ASSERT_TRUE(getcwd(cwd, sizeof(cwd)) != NULL);
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC | O_NONBLOCK));
	umask(027);
	dup2(out[1], STDERR_FILENO);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, pol_policy_load("test", policy, strlen(policy), 0, &loaded, NULL,
					     &error));
	dup2(saved, STDERR_FILENO);
	EXPECT_EQ(1, loaded.replaced);
	EXPECT_EQ(1, loaded.guests);
	EXPECT_EQ(5, loaded.rules);
	EXPECT_EQ(strtol(status_value("engine.generation"), NULL, 10), loaded.generation);
	EXPECT_EQ(-1, read(out[0], &byte, 1));
	EXPECT_EQ(EAGAIN, errno);
	children = 0;
	EXPECT_EQ(0, load_text(rules("g", ""), 0));
	EXPECT_EQ(0, children);
	EXPECT_EQ(027, umask(022));
	EXPECT_STREQ(cwd, getcwd(now, sizeof(now)));
	ASSERT_EQ(0, sigaction(SIGCHLD, NULL, &after));
	EXPECT_TRUE(after.sa_handler == count_child);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
}

TEST(load_refuses)
{
	struct pol_report *report = NULL;
	const char *generation;
	pid_t pid = sleeper();
	int lock;

	ASSERT_LOADED("%s%s", rules("g", ""), rules("h", ""));
	generation = text("%s", status_value("engine.generation"));
	EXPECT_KIND(POL_ERROR_POLICY, -EINVAL,
		    pol_policy_load("p", "version = 9\n", 12, 0, NULL, &report, &error));
	EXPECT_EQ(1, pol_report_errors(report));
	pol_report_free(report);
	EXPECT_RETURN(0, load_text(rules("g", ""), POL_LOAD_DRY_RUN));
	EXPECT_EQ(0, pol_guest_attach("h", pid, &error));
	EXPECT_KIND(POL_ERROR_FAILED, -EBUSY, load_text(rules("g", ""), 0));
	EXPECT_STRSTR("'h'", error.message);
	lock = open("/sys/fs/bpf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, flock(lock, LOCK_EX));
	EXPECT_KIND(POL_ERROR_BUSY, -EBUSY, load_text(rules("g", ""), POL_LOAD_FORCE));
	close(lock);
	EXPECT_STREQ(generation, status_value("engine.generation"));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, end_of(pid));
}

/* ---- run, wait, stop ---- */

TEST(run_confines_and_wait_tells)
{
	struct pol_exit end = { .size = sizeof(end) };
	pid_t pid;

	ASSERT_LOADED("%s", rules("g", ""));
	EXPECT_RETURN(
		0, run("g", text("cat %s/ok && ! cat %s 2>/dev/null && exit 7", dir, bad), &pid));
	EXPECT_RETURN(0, pol_process_wait(pid, 0, &end, &error));
	EXPECT_EQ(7, end.code);
	EXPECT_EQ(7, end.status);
	EXPECT_EQ(0, end.signal);
	EXPECT_EQ(POL_ENDED_EXIT, end.by);
	EXPECT_STREQ("g", end.guest);
	EXPECT_STREQ("sh", end.command);
	EXPECT_EQ(pid, end.pid);
	EXPECT_EQ(getpid(), end.parent);
	EXPECT_EQ(0, end.uid);
	EXPECT_TRUE(end.start_ns && end.end_ns >= end.start_ns);
	EXPECT_EQ(7, end_of(pid)); /* it was not reaped */
	end = (struct pol_exit){ .size = sizeof(end) };
	EXPECT_RETURN(0, pol_guest_wait("g", &end, &error));
	EXPECT_EQ(pid, end.pid);
	EXPECT_EQ(7, end.code);
	EXPECT_RETURN(0, pol_guest_wait("g", NULL, NULL));
	/* The control: nobody is refused. */
	EXPECT_EQ(0, access(bad, R_OK));
	EXPECT_EQ(0, ctl("events --guest g --type violation --path %s", bad));
	EXPECT_STRSTR("denied", ctl_said);
}

/* With a guest_path: what the guest has is there by that name, and what it has not is not there at all. */
TEST(run_in_a_root_of_its_own)
{
	const char *in_it = text("cat /data/ok && ! test -e %s && ! test -e %s && exit 7", dir, bad);
	struct pol_exit end = { .size = sizeof(end) };
	pid_t pid;

	ASSERT_LOADED(GUEST("g") FILES RULE("/lib", "rx") RULE("/lib64", "rx")
			      "\t{ path = \"%s\", access = \"ro\", guest_path = \"/data\" },\n" END,
		      dir);
	EXPECT_RETURN(0, run("g", in_it, &pid));
	EXPECT_RETURN(0, pol_process_wait(pid, 0, &end, &error));
	EXPECT_EQ(7, end.code);
	EXPECT_STREQ("g", end.guest);
	EXPECT_EQ(7, end_of(pid));
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG | __WALL)); /* who made the root is gone */
	EXPECT_EQ(ECHILD, errno);
	EXPECT_RETURN(-ENOENT, pol_guest_run("g",
					     &(struct pol_run){ .size = sizeof(struct pol_run),
								.path = bad,
								.argv = WORDS("x"),
								.envp = environ },
					     NULL, &error));
	/* The control: a root of everybody's. */
	ASSERT_LOADED("%s", rules("g", ""));
	EXPECT_RETURN(0, run("g", in_it, &pid));
	EXPECT_NE(7, end_of(pid));
	EXPECT_RETURN(0, run("g", text("test -e %s && cat %s/ok", bad, dir), &pid));
	EXPECT_EQ(0, end_of(pid));
}

/* ---- mappings from the loaded policy ---- */

#define MAPPED(path, access, at) \
	"\t{ path = \"" path "\", access = \"" access "\", guest_path = \"" at "\" },\n"

static int opened(const struct pol_paths *paths, const char *guest, int flags)
{
	int fd = pol_guest_path_open(paths, guest, flags, 0600);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void load_mapped(void)
{
	make_dir(text("%s/sub", dir));
	make_file(text("%s/sub/f", dir), "f\n");
	ASSERT_LOADED(GUEST("g") FILES MAPPED("%s/sub", "rw", "/data") MAPPED("%s/ok", "ro", "/etc/ok")
			      MAPPED("%s/new", "rw", "/new") RULE("%s", "ro") END GUEST("plain") FILES
				      RULE("%s", "ro") END,
		      dir, dir, dir, dir, dir);
}

TEST(mappings_of_the_loaded_policy)
{
	struct pol_paths *paths;
	char host[4096];

	load_mapped();
	ASSERT_EQ(0, pol_paths_new(&paths));
	EXPECT_RETURN(0, pol_paths_map_guest(paths, "g", &error));
	EXPECT_LE(1, pol_guest_path_resolve(paths, "data/../data//f", host, sizeof(host)));
	EXPECT_STREQ(text("%s/sub/f", dir), host);
	EXPECT_EQ(0, opened(paths, "/data/f", O_RDWR));
	EXPECT_EQ(0, opened(paths, "/etc/ok", O_RDONLY));
	EXPECT_EQ(-EROFS, opened(paths, "/etc/ok", O_RDWR));
	EXPECT_EQ(-ENOENT, opened(paths, "/new", O_RDONLY));
	EXPECT_EQ(0, opened(paths, "/new", O_RDWR | O_CREAT));
	EXPECT_EQ(0, access(text("%s/new", dir), F_OK));
	EXPECT_EQ(-ENOENT, opened(paths, text("%s/ok", dir), O_RDONLY)); /* it has no guest_path */
	EXPECT_RETURN(-EEXIST, pol_paths_map_guest(paths, "g", &error));
	EXPECT_STRSTR("mapped twice", error.message);
	pol_paths_free(paths);
}

/* What was swapped since the load is not what the policy means. */
TEST(mappings_of_the_loaded_policy_refuse)
{
	struct pol_paths *paths;

	load_mapped();
	ASSERT_EQ(0, pol_paths_new(&paths));
	EXPECT_RETURN(-ENOENT, pol_paths_map_guest(paths, "nobody", &error));
	EXPECT_RETURN(-ENOENT, pol_paths_map_guest(paths, "plain", &error));
	EXPECT_STRSTR("guest_path", error.message);
	EXPECT_RETURN(-EINVAL, pol_paths_map_guest(paths, NULL, &error));
	EXPECT_RETURN(0, pol_paths_map(paths, dir, "/new", 0, &error));
	EXPECT_RETURN(-EEXIST, pol_paths_map_guest(paths, "g", &error));
	EXPECT_EQ(-ENOENT, opened(paths, "/data/f", O_RDONLY)); /* all or none */
	pol_paths_free(paths);

	ASSERT_EQ(0, rename(text("%s/ok", dir), text("%s/was", dir)));
	ASSERT_EQ(0, symlink(bad, text("%s/ok", dir)));
	ASSERT_EQ(0, pol_paths_new(&paths));
	EXPECT_RETURN(0, pol_paths_map_guest(paths, "g", &error));
	EXPECT_EQ(-EACCES, opened(paths, "/etc/ok", O_RDONLY));
	pol_paths_free(paths);

	ASSERT_EQ(0, rename(text("%s/sub", dir), text("%s/gone", dir)));
	make_dir(text("%s/sub", dir));
	ASSERT_EQ(0, pol_paths_new(&paths));
	EXPECT_RETURN(-ESTALE, pol_paths_map_guest(paths, "g", &error));
	EXPECT_STRSTR("load the policy again", error.fix);
	EXPECT_EQ(-ENOENT, opened(paths, "/etc/ok", O_RDONLY));
	pol_paths_free(paths);
}

TEST(run_refuses)
{
	struct pol_run program = { .size = sizeof(program), .argv = WORDS("x"), .envp = environ };
	const char *script = make_file(text("%s/script", scratch()), "#!/usr/bin/sh\n");
	pid_t pid = 77;

	ASSERT_LOADED("%s%s", rules("g", ""), rules("one", "pids = 1"));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.path = "sh";
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.path = "/usr/bin/sh";
	program.flags = POL_RUN_USER;
	program.uid = (uid_t)-1; /* what a look-up that failed gives: root it may not be */
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.uid = 0;
	program.keep_fds_count = 1;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.keep_fds_count = 0;
	program.flags = 4;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.flags = 0;
	program.size = offsetof(struct pol_run, place_fds) - 1;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_run("g", &program, &pid, &error));
	program.size = sizeof(program);
	program.path = "/usr/bin/no-such-program";
	EXPECT_RETURN(-ENOENT, pol_guest_run("g", &program, &pid, &error));
	ASSERT_EQ(0, chmod(script, 0755));
	program.path = script;
	EXPECT_RETURN(-EACCES, pol_guest_run("g", &program, &pid, &error));
	EXPECT_RETURN(-ENOENT, run("nobody", "exit 0", &pid));
	EXPECT_EQ(77, pid);
	EXPECT_RETURN(0, run("one", "read x", &pid));
	EXPECT_RETURN(-EAGAIN, run("one", "exit 0", NULL));
	EXPECT_RETURN(0, pol_guest_stop("one", 0, NULL, &error));
	(void)end_of(pid);
}

TEST(run_as_another_user_with_a_descriptor)
{
	const gid_t groups[] = { 7, 8 };
	int out[2], in = open("/dev/null", O_RDONLY | O_CLOEXEC), keep[] = { 9 };
	struct pol_run program = {
		.size = sizeof(program),
		.path = "/usr/bin/sh",
		.argv = WORDS("sh", "-c", "id -u >&9; id -G >&9; cat <&8 >&9"),
		.envp = environ,
		.keep_fds = keep,
		.keep_fds_count = 1,
		.groups = groups,
		.groups_count = 2,
		.flags = POL_RUN_USER | POL_RUN_NO_NEW_PRIVS,
		.uid = 1000,
		.gid = 1000,
	};
	char said[256] = "";
	pid_t pid;

	ASSERT_LOADED("%s", rules("g", ""));
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	ASSERT_EQ(8, dup3(in, 8, 0));
	ASSERT_EQ(9, dup3(out[1], 9, O_CLOEXEC));
	EXPECT_RETURN(0, pol_guest_run("g", &program, &pid, &error));
	EXPECT_NE(0, end_of(pid)); /* 8 was closed, says its shell */
	EXPECT_LE(1, read(out[0], said, sizeof(said) - 1));
	EXPECT_STREQ("1000\n1000 7 8\n", said);
}

TEST(stop)
{
	struct pol_stopped stopped = { .size = sizeof(stopped) };
	pid_t gentle, stubborn;

	ASSERT_LOADED("%s", rules("g", ""));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_stop("g", -1, NULL, &error));
	stopped.size = 4;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_stop("g", 0, &stopped, &error));
	stopped.size = sizeof(stopped);
	EXPECT_RETURN(-ENOENT, pol_guest_stop("nobody", 0, NULL, &error));
	EXPECT_RETURN(0, run("g", "exec sleep 1000", &gentle));
	EXPECT_RETURN(0, pol_guest_stop("g", 60000, &stopped, &error));
	EXPECT_EQ(1, stopped.tasks);
	EXPECT_EQ(0, stopped.killed);
	EXPECT_EQ(1, stopped.removed);
	EXPECT_EQ(128 + SIGTERM, end_of(gentle));
	EXPECT_RETURN(0,
		      run("g", text("trap '' TERM; echo > %s/deaf; while :; do sleep 1; done", dir),
			  &stubborn));
	while (!exists(text("%s/deaf", dir)))
		usleep(10000);
	EXPECT_RETURN(0, pol_guest_stop("g", 0, &stopped, &error));
	EXPECT_EQ(1, stopped.killed);
	EXPECT_EQ(128 + SIGKILL, end_of(stubborn));
	EXPECT_RETURN(0, pol_guest_stop("g", 0, &stopped, &error));
	EXPECT_EQ(0, stopped.tasks);
}

TEST(process_wait_refuses)
{
	struct pol_exit end = { .size = sizeof(end) - 1 };

	EXPECT_RETURN(-ESRCH, pol_process_wait(NOBODY_PID, 0, NULL, &error));
	EXPECT_RETURN(-EINVAL, pol_process_wait(0, 0, NULL, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_process_wait(1, 0, &end, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_wait("g", &end, &error));
	ASSERT_LOADED("%s", rules("never_ran", ""));
	EXPECT_RETURN(-ENODATA, pol_guest_wait("never_ran", NULL, &error));
	EXPECT_RETURN(-ENOENT, pol_guest_wait("nobody", NULL, &error));
}

/* ---- attach ---- */

TEST(attach_and_detach)
{
	struct pol_guest_info info = { .size = sizeof(info) };
	pid_t pid = sleeper(), other = sleeper();

	ASSERT_LOADED("%s%s%s", rules("g", "pids = 1\nfds = 32"), rules("h", ""),
		      rules("few", "fds = 0\nfds_baseline = \"none\""));
	EXPECT_RETURN(-ESRCH, pol_guest_attach("g", NOBODY_PID, &error));
	EXPECT_RETURN(-EPERM, pol_guest_attach("g", 1, &error));
	EXPECT_RETURN(-EPERM, pol_guest_attach("g", getpid(), &error));
	EXPECT_RETURN(-ENOENT, pol_guest_attach("nobody", pid, &error));
	EXPECT_RETURN(-EMFILE, pol_guest_attach("few", pid, &error));
	EXPECT_RETURN(0, pol_guest_attach("g", pid, &error));
	EXPECT_RETURN(-EALREADY, pol_guest_attach("h", pid, &error));
	EXPECT_RETURN(-EAGAIN, pol_guest_attach("g", other, &error));
	EXPECT_RETURN(0, pol_guest_info("g", &info, &error));
	EXPECT_STREQ("g", info.name);
	EXPECT_EQ(1, info.tasks);
	EXPECT_EQ(1, info.pids.now);
	EXPECT_EQ(1, info.pids.ceiling);
	EXPECT_EQ(0, info.pids.left);
	EXPECT_EQ(POL_HAS_NOW | POL_HAS_PEAK | POL_HAS_CEILING, info.pids.has);
	EXPECT_EQ(0, info.fds.now);
	EXPECT_EQ(32, info.fds.left);
	EXPECT_RETURN(0, pol_guest_detach(pid, &error));
	EXPECT_RETURN(-ENOENT, pol_guest_detach(pid, &error));
	EXPECT_RETURN(-ESRCH, pol_guest_detach(NOBODY_PID, &error));
	EXPECT_RETURN(0, pol_guest_info("h", &info, &error));
	EXPECT_EQ(POL_HAS_NOW | POL_HAS_PEAK, info.fds.has ^ info.pids.has ^ POL_HAS_CEILING);
	EXPECT_RETURN(-ENOENT, pol_guest_info("nobody", &info, &error));
	info.size = 8;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_info("g", &info, &error));
	kill(pid, SIGKILL);
	kill(other, SIGKILL);
	(void)end_of(pid);
	(void)end_of(other);
}

/* ---- threads ---- */

static int open_errno(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), e = errno;

	if (fd < 0)
		return e;
	close(fd);
	return 0;
}

struct vcpu {
	const char *guest;
	const char *ok, *bad;
	int attached, again, read_ok, read_bad;
	pthread_barrier_t *both;
};

static void *be_vcpu(void *arg)
{
	struct vcpu *v = arg;

	v->attached = pol_guest_attach_self(v->guest, POL_SELF_THREAD, NULL);
	pthread_barrier_wait(v->both);
	v->read_ok = open_errno(v->ok);
	v->read_bad = open_errno(v->bad);
	v->again = pol_guest_attach_self(v->guest, POL_SELF_THREAD, NULL);
	pthread_barrier_wait(v->both);
	return NULL;
}

/* Two guests in one process, each with its own whitelist; who starts them is neither. */
TEST(two_guests_in_one_process)
{
	const char *left = make_file(text("%s/l", scratch()), "l"),
		   *right = make_file(text("%s/r", scratch()), "r");
	struct vcpu v[] = { { .guest = "left", .ok = left, .bad = right },
			    { .guest = "right", .ok = right, .bad = left } };
	pthread_barrier_t both;
	pthread_t threads[2];

	ASSERT_LOADED("[guest.left]\n" FILES RULE("%s", "ro") END
		      "[guest.right]\n" FILES RULE("%s", "ro") END,
		      left, right);
	ASSERT_EQ(0, pthread_barrier_init(&both, NULL, 3));
	for (int i = 0; i < 2; i++) {
		v[i].both = &both;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, be_vcpu, &v[i]));
	}
	pthread_barrier_wait(&both);
	EXPECT_STREQ("1", guest_value("left", "tasks"));
	EXPECT_STREQ("1", guest_value("right", "tasks"));
	EXPECT_RETURN(-EBUSY, pol_guest_stop("left", 0, NULL, &error));
	EXPECT_EQ(0, open_errno(left)); /* the control */
	EXPECT_EQ(0, open_errno(right));
	pthread_barrier_wait(&both);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, v[i].attached);
		EXPECT_EQ(0, v[i].read_ok);
		EXPECT_EQ(EACCES, v[i].read_bad);
		EXPECT_EQ(-EPERM, v[i].again);
	}
	EXPECT_EQ(0, open_errno(left));
	EXPECT_EQ(0, ctl("events --guest right --type violation --path %s", left));
	EXPECT_STRSTR("denied", ctl_said);
}

static void *sit(void *arg)
{
	int *pair = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char byte;

	(void)!write(pair[1], &tid, sizeof(tid));
	(void)!read(pair[2], &byte, 1);
	return (void *)(intptr_t)open_errno(bad);
}

TEST(a_thread_of_ours)
{
	pid_t tid, self = (pid_t)syscall(SYS_gettid);
	int pipes[4];
	pthread_t thread;
	void *met;

	ASSERT_LOADED("%s%s%s", rules("g", "pids = 1"), rules("h", ""),
		      rules("heavy", "memory = \"1GiB\""));
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(pipes + 2, O_CLOEXEC));
	ASSERT_EQ(0, pthread_create(&thread, NULL, sit, pipes));
	ASSERT_EQ(sizeof(tid), read(pipes[0], &tid, sizeof(tid)));
	EXPECT_RETURN(-EPERM, pol_guest_attach_thread("g", self, &error));
	EXPECT_RETURN(-EPERM, pol_guest_attach_thread("g", 1, &error));
	EXPECT_RETURN(-ESRCH, pol_guest_attach_thread("g", NOBODY_PID, &error));
	EXPECT_RETURN(-EINVAL, pol_guest_attach_thread("heavy", tid, &error));
	EXPECT_RETURN(0, pol_guest_attach_thread("g", tid, &error));
	EXPECT_RETURN(-EALREADY, pol_guest_attach_thread("h", tid, &error));
	EXPECT_RETURN(-EAGAIN, pol_guest_attach_self("g", POL_SELF_THREAD, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_attach_self("g", 3, &error));
	EXPECT_EQ(1, write(pipes[3], "", 1));
	ASSERT_EQ(0, pthread_join(thread, &met));
	EXPECT_EQ(EACCES, (intptr_t)met);
	EXPECT_EQ(0, open_errno(bad));
}

static void become_guest(void)
{
	EXPECT_EQ(0, open_errno(bad));
	EXPECT_RETURN(0, pol_guest_attach_self("g", POL_SELF_PROCESS, &error));
	EXPECT_EQ(EACCES, open_errno(bad));
	EXPECT_EQ(0, open_errno(text("%s/ok", dir)));
	EXPECT_RETURN(-EPERM, pol_guest_attach_self("h", POL_SELF_PROCESS, &error));
	EXPECT_RETURN(-EPERM, pol_guest_detach(getpid(), &error));
}

TEST(the_whole_process)
{
	struct pol_exit end = { .size = sizeof(end) };

	ASSERT_LOADED("%s%s", rules("g", "fds = 100\nmemory = \"1GiB\""), rules("h", ""));
	in_child(become_guest);
	EXPECT_RETURN(0, pol_guest_wait("g", &end, &error));
	EXPECT_EQ(0, end.code);
}

static pid_t owner;
static volatile sig_atomic_t elsewhere;

static void count_elsewhere(int sig)
{
	(void)sig;
	elsewhere += getpid() != owner;
}

/* The child that makes the caller a guest shares its memory, and its handlers must not run there. */
TEST(no_handler_runs_twice)
{
	pid_t pest;

	ASSERT_LOADED("%s", rules("g", ""));
	owner = getpid();
	signal(SIGUSR1, SIG_IGN);
	pest = fork();
	while (!pest)
		kill(0, SIGUSR1);
	signal(SIGUSR1, count_elsewhere);
	for (int i = 0; i < 20; i++)
		EXPECT_RETURN(-ENOENT, pol_guest_attach_self("nobody", POL_SELF_PROCESS, &error));
	kill(pest, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, end_of(pest));
	EXPECT_EQ(0, elsewhere);
}

/* ---- many at once ---- */

static void *run_some(void *arg)
{
	struct pol_guest_info info = { .size = sizeof(info) };
	struct pol_exit end = { .size = sizeof(end) };
	long failures = 0;

	for (int i = 0; i < test_count(5, 50); i++) {
		pid_t pid;
		int r = run(arg, "exit 3", &pid);

		failures += r || pol_guest_info(arg, &info, NULL) ||
			    pol_process_wait(pid, 0, &end, NULL) || end.code != 3 || end.pid != pid;
		if (!r)
			failures += waitpid(pid, NULL, 0) != pid;
	}
	return (void *)failures;
}

TEST(threads_beside_each_other)
{
	static char names[4][2] = { "a", "b", "c", "a" };
	pthread_t threads[4];

	ASSERT_LOADED("%s%s%s", rules("a", ""), rules("b", "fds = 64"), rules("c", ""));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run_some, names[i]));
	for (int i = 0; i < 4; i++) {
		void *failures;

		ASSERT_EQ(0, pthread_join(threads[i], &failures));
		EXPECT_EQ(0, (long)failures);
	}
}

LEAVES_NO_GUEST()
