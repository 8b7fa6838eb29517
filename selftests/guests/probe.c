/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe STEP...: what a guest can do, one step after the other, each with its own word and
 * arguments. One line a step: "WORD ERRNO [MORE]", errno a number, 0: it worked.
 *
 * Steps that change who acts (fork, thread, exec-self ...) hand the rest of the steps on. The exit
 * status is 0 whatever the steps met; 2: the steps make no sense.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>

#include "probe.h"

#include "probe_border.h"
#include "probe_catalogue.h"
#include "probe_count.h"
#include "probe_files.h"
#include "probe_hammer.h"
#include "probe_inherit.h"
#include "probe_knobs.h"
#include "probe_members.h"
#include "probe_model.h"
#include "probe_race.h"
#include "probe_sockets.h"
#include "probe_stat.h"
#include "probe_storm.h"
#include "probe_tasks.h"
#include "probe_trees.h"
#include "probe_uring.h"
#include "probe_wild.h"
#include "probe_guard.h"
#include "probe_launch.h"

int probe_fds[SLOTS];

static void run_steps(char **argv);

void probe_say(const char *op, int err, const char *more)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s %d%s%s\n", op, err, *more ? " " : "", more);

	if (write(STDOUT_FILENO, line, n) != n)
		_exit(3);
}

/* ---- who acts ---- */

static void wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void flow_fork(char **rest)
{
	pid_t pid = fork();

	if (pid < 0)
		return probe_say("fork", errno, "");
	if (!pid) {
		run_steps(rest);
		_exit(0);
	}
	wait_for(pid);
}

static void exec_self(char **rest)
{
	static char name[] = "probe";
	static char *argv[64] = { name };

	for (int i = 0; i < 62 && rest[i]; i++)
		argv[i + 1] = rest[i];
	execv("/proc/self/exe", argv);
}

static void flow_exec(char **rest)
{
	exec_self(rest);
	probe_say("exec-self", errno, "");
}

static void flow_vfork(char **rest)
{
	pid_t pid = vfork();

	if (!pid) {
		exec_self(rest);
		_exit(1);
	}
	wait_for(pid);
}

static void flow_setsid(char **rest)
{
	if (setsid() < 0)
		return probe_say("setsid", errno, "");
	run_steps(rest);
}

/* An orphan; its end is seen by the end of the pipe that it alone holds. */
static void flow_daemon(char **rest)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		return probe_say("daemon", errno, "");
	pid = fork();
	if (!pid) {
		setsid();
		if (!fork())
			run_steps(rest);
		_exit(0);
	}
	close(fds[1]);
	wait_for(pid);
	if (read(fds[0], &c, 1) < 0)
		probe_say("daemon", errno, "");
}

static void flow_setuid(char **rest)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return probe_say("setuid", errno, "");
	run_steps(rest);
}

static void *thread_main(void *arg)
{
	run_steps(arg);
	return NULL;
}

static void flow_thread(char **rest)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, thread_main, rest);

	if (err)
		return probe_say("thread", err, "");
	pthread_join(thread, NULL);
}

/* The main thread ends first, the process goes on in another. */
static void flow_leader_gone(char **rest)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, thread_main, rest);

	if (err)
		return probe_say("leader-gone", err, "");
	pthread_exit(NULL);
}

static struct {
	char **steps;
	sem_t done;
} aside;

static void *aside_main(void *arg)
{
	(void)arg;
	run_steps(aside.steps);
	sem_post(&aside.done);
	for (;;)
		pause();
	return NULL;
}

/* aside STEPS -- MORE: STEPS in a thread, which then stays; when it is done, MORE here */
static void flow_aside(char **rest)
{
	pthread_t thread;
	int err;

	sem_init(&aside.done, 0, 0);
	aside.steps = rest;
	while (*rest && strcmp(*rest, "--") != 0)
		rest++;
	if (*rest)
		*rest++ = NULL;
	err = pthread_create(&thread, NULL, aside_main, NULL);
	if (err)
		return probe_say("aside", err, "");
	sem_wait(&aside.done);
	run_steps(rest);
}

/* hand-over: a child drops what it has inherited and is sent it instead; the rest of the steps */
static void flow_hand_over(char **rest)
{
	int pair[2], cnt = held.cnt;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return probe_say("hand-over", errno, "");
	if (fork()) {
		for (int i = 0; i < cnt; i++)
			send_fd(pair[0], held.fds[i]);
		drop_to(0);
		close(pair[0]);
		close(pair[1]);
		return wait_for(-1);
	}
	drop_to(0);
	for (; held.cnt < cnt; held.cnt++)
		if (receive_fd(pair[1], &held.fds[held.cnt]))
			break;
	close(pair[0]);
	close(pair[1]);
	probe_say("hand-over", held.cnt == cnt ? 0 : -1, "");
	run_steps(rest);
	_exit(0);
}

static const struct {
	const char *word;
	void (*run)(char **rest);
} flows[] = {
	{ "fork", flow_fork },	   { "exec-self", flow_exec },
	{ "vfork", flow_vfork },   { "setsid", flow_setsid },
	{ "daemon", flow_daemon }, { "setuid", flow_setuid },
	{ "thread", flow_thread }, { "leader-gone", flow_leader_gone },
	{ "aside", flow_aside },   { "hand-over", flow_hand_over },
};

/* ---- steps that are neither files nor border ---- */

/* One line from stdin; the end of it will do. */
void probe_wait_line(void)
{
	char c = 0;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

bool probe_line_waits(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* pause: say pid and tid, go on at a line on stdin */
static int do_pause(char **a)
{
	char ids[32];

	(void)a;
	snprintf(ids, sizeof(ids), "%d %d", getpid(), gettid());
	probe_say("paused", 0, ids);
	probe_wait_line();
	return 0;
}

static int do_exit(char **a)
{
	_exit((int)strtol(a[0], NULL, 10));
}

static int do_kill(char **a)
{
	kill(getpid(), (int)strtol(a[0], NULL, 10));
	return 0;
}

static int do_block(char **a)
{
	(void)a;
	while (pause() < 0 && errno == EINTR)
		;
	return errno;
}

/* A failed open of @path by anything but @want, over and over until a line comes on stdin. */
static int do_hammer(char **a)
{
	int want = (int)strtol(a[2], NULL, 10), wrong = 0, got;
	long rounds = 0;

	probe_say("hammering", 0, "");
	do {
		got = opened(open(a[1], probe_flags(a[0])));
		if (got != want)
			wrong = got ?: -1;
		rounds++;
	} while (!wrong && !probe_line_waits());
	probe_wait_line();
	return rounds ? wrong : EAGAIN;
}

/* hammer-both GOOD BAD: GOOD always opens, BAD never does (EACCES) */
static int do_hammer_both(char **a)
{
	int good = 0, bad = EACCES;

	probe_say("hammering", 0, "");
	do {
		good = opened(open(a[0], O_RDWR));
		bad = opened(open(a[1], O_RDWR));
	} while (!good && bad == EACCES && !probe_line_waits());
	probe_wait_line();
	return good ?: bad == EACCES ? 0 : bad ?: -1;
}

/* ---- the crew: threads and a child with a thread, all of which try one open at each line ---- */

#define CREW 5

static struct {
	const char *path;
	pthread_barrier_t begin, end;
	int err[CREW];
	int to_child, from_child;
} crew;

static void crew_try(int i)
{
	crew.err[i] = opened(open(crew.path, O_RDONLY | O_CLOEXEC));
}

static void *crew_thread(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&crew.begin);
		crew_try((int)(intptr_t)arg);
		pthread_barrier_wait(&crew.end);
	}
	return NULL;
}

static void crew_start(int first, int threads)
{
	pthread_barrier_init(&crew.begin, NULL, threads + 1);
	pthread_barrier_init(&crew.end, NULL, threads + 1);
	for (int i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, crew_thread, (void *)(intptr_t)(first + i)))
			_exit(3);
	}
}

static void crew_round(int self)
{
	pthread_barrier_wait(&crew.begin);
	crew_try(self);
	pthread_barrier_wait(&crew.end);
}

/* Members 3 and 4: a child and its thread. */
static void crew_child(void)
{
	char c;

	crew_start(4, 1);
	while (read(crew.to_child, &c, 1) == 1) {
		crew_round(3);
		if (write(crew.from_child, &crew.err[3], 2 * sizeof(int)) < 0)
			break;
	}
	_exit(0);
}

static void crew_say(void)
{
	char more[64];

	snprintf(more, sizeof(more), "%d %d %d %d", crew.err[1], crew.err[2], crew.err[3],
		 crew.err[4]);
	probe_say("crew", crew.err[0], more);
}

/* crew PATH: at each line on stdin, what all five met, until its end */
static int do_crew(char **a)
{
	int to[2], from[2];
	char c;

	crew.path = a[0];
	if (pipe(to) || pipe(from))
		return errno;
	if (!fork()) {
		crew.to_child = to[0];
		crew.from_child = from[1];
		close(to[1]);
		crew_child();
	}
	crew_start(1, 2);
	probe_say("ready", 0, "");
	while (read(STDIN_FILENO, &c, 1) == 1) {
		crew_round(0);
		if (write(to[1], "x", 1) != 1 ||
		    read(from[0], &crew.err[3], 2 * sizeof(int)) != 2 * sizeof(int))
			return EIO;
		crew_say();
	}
	return 0;
}

/* ---- the table ---- */

#define STEP(word, args, name)        \
	{                             \
		word, args, do_##name \
	}

static const struct {
	const char *word;
	int args;
	int (*run)(char **args);
} steps[] = {
	STEP("open", 2, open),
	STEP("hold", 3, hold),
	STEP("openat", 3, openat),
	STEP("reopen", 2, reopen),
	STEP("list", 1, list),
	STEP("write", 2, write),
	STEP("ftruncate", 1, ftruncate),
	STEP("truncate", 1, truncate),
	STEP("mkdir", 1, mkdir),
	STEP("rmdir", 1, rmdir),
	STEP("unlink", 1, unlink),
	STEP("symlink", 2, symlink),
	STEP("mkfifo", 1, mkfifo),
	STEP("mkchr", 1, mkchr),
	STEP("mkblk", 1, mkblk),
	STEP("bind", 1, bind),
	STEP("rename", 2, rename),
	STEP("exchange", 2, exchange),
	STEP("whiteout", 2, whiteout),
	STEP("link", 2, link),
	STEP("tmpfile", 2, tmpfile),
	STEP("chmod", 1, chmod),
	STEP("fchmod", 1, fchmod),
	STEP("chown", 1, chown),
	STEP("utime", 1, utime),
	STEP("setxattr", 1, setxattr),
	STEP("removexattr", 1, removexattr),
	STEP("setacl", 1, setacl),
	STEP("mmap-x", 1, mmap_x),
	STEP("mprotect-x", 1, mprotect_x),
	STEP("exec", 1, exec),
	STEP("memfd-exec", 1, memfd_exec),
	STEP("memfd-mmap-x", 0, memfd_mmap_x),
	STEP("memfd-reopen", 0, memfd_reopen),
	STEP("pipe-reopen", 0, pipe_reopen),
	STEP("chdir", 1, chdir),
	STEP("deep", 1, deep),
	STEP("handle", 4, handle),
	STEP("io-uring", 0, io_uring),
	STEP("bpf", 0, bpf),
	STEP("bpf-get", 1, bpf_get),
	STEP("unshare-user", 0, unshare_user),
	STEP("unshare-mnt", 0, unshare_mnt),
	STEP("mount-bind", 2, mount_bind),
	STEP("mount-tmpfs", 1, mount_tmpfs),
	STEP("umount", 1, umount),
	STEP("pivot", 2, pivot),
	STEP("chroot", 1, chroot),
	STEP("ptrace", 1, ptrace),
	STEP("ptrace-child", 0, ptrace_child),
	STEP("vm-read", 1, vm_read),
	STEP("clone-into", 1, clone_into),
	STEP("cgroup-move", 1, cgroup_move),
	STEP("signal", 2, signal),
	STEP("tgkill", 2, tgkill),
	STEP("pidfd-signal", 2, pidfd_signal),
	STEP("pidfd-take", 2, pidfd_take),
	STEP("affinity", 1, affinity),
	STEP("renice", 1, renice),
	STEP("ioprio", 1, ioprio),
	STEP("move-pages", 1, move_pages),
	STEP("bpf-id", 2, bpf_id),
	STEP("perf", 0, perf),
	STEP("init-module", 0, init_module),
	STEP("finit-module", 1, finit_module),
	STEP("kexec", 0, kexec),
	STEP("ioperm", 0, ioperm),
	STEP("pause", 0, pause),
	STEP("exit", 1, exit),
	STEP("kill", 1, kill),
	STEP("block", 0, block),
	STEP("hammer", 3, hammer),
	STEP("hammer-both", 2, hammer_both),
	STEP("race", 4, race),
	STEP("crew", 1, crew),
	TASKS_STEPS,
	GUARD_STEPS,
	LAUNCH_STEPS,
	MEMBERS_STEPS,
	WILD_STEPS,
	HAMMER_STEPS,
	MODEL_STEPS,
	SOCKETS_STEPS,
	TREES_STEPS,
	STAT_STEPS,
	CATALOGUE_STEPS,
	URING_STEPS,
	STEP("take", 3, take),
	STEP("drop", 1, drop),
	STEP("dup", 1, dup),
	STEP("close-never", 1, close_never),
	STEP("mmap-shared", 0, mmap_shared),
	STEP("mmap-drop", 0, mmap_drop),
	STEP("limit", 1, limit),
	STEP("set-limit", 3, set_limit),
	STEP("receive", 1, receive),
	STEP("send", 0, send),
	STEP("in-flight", 1, in_flight),
	STEP("pidfd", 1, pidfd),
	STEP("getfd", 1, getfd),
	STEP("storm", 3, storm),
	STEP("forks", 1, forks),
	STEP("execs", 1, execs),
	STEP("kills", 3, kills),
	STEP("passes", 2, passes),
	STEP("shared-tables", 4, shared_tables),
	STEP("dups", 1, dups),
	STEP("refused", 3, refused),
	STEP("receive-drop", 1, receive_drop),
	STEP("cycles", 1, cycles),
	STEP("churn", 1, churn),
	STEP("pinned", 2, pinned),
	KNOB_STEPS,
	INHERIT_STEPS,
};

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* Return: the arguments after this step; NULL: the rest was handed on. */
static char **run_step(char **argv)
{
	for (size_t i = 0; i < CNT(flows); i++) {
		if (strcmp(flows[i].word, argv[0]))
			continue;
		flows[i].run(argv + 1);
		return NULL;
	}
	for (size_t i = 0; i < CNT(steps); i++) {
		if (strcmp(steps[i].word, argv[0]))
			continue;
		for (int k = 1; k <= steps[i].args; k++)
			if (!argv[k])
				_exit(2);
		probe_say(argv[0], steps[i].run(argv + 1), "");
		return argv + 1 + steps[i].args;
	}
	_exit(2);
}

static void run_steps(char **argv)
{
	while (argv && *argv)
		argv = run_step(argv);
}

int main(int argc, char *argv[])
{
	if (argc < 2)
		return 2;
	run_steps(argv + 1);
	return 0;
}
