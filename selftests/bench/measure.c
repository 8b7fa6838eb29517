/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure - do one operation many times, and say what one of them costs in instructions.
 *
 *	measure [--landlock DIR]... OPERATION TIMES [PATH]
 *
 *	clock			the clock itself, see below
 *	open PATH		open + close
 *	write PATH		the same, for writing
 *	rewrite PATH		the same of PATH000, PATH001, ..., once each
 *	create PATH		PATH~ created, closed, removed
 *	chmod PATH		to the mode that it has
 *	refuse PATH		an open that must fail with EACCES
 *	touch PATH		open + close of PATH/c00/f, PATH/c01/f, ... once each; after a
 *				round that warms the dentries, says "ready" and waits for a byte
 *				on stdin
 *	fork			fork + exit + wait
 *	pipe			pipe + close of both
 *	stat PATH		stat
 *	read PATH		a read of one byte on a descriptor that is open
 *	rename PATH		a rename to PATH~ or back
 *	mount			mount(2) that makes the root private, as it is
 *	ioctl			one that /dev/null does not know
 *	send			send + receive of a byte, a datagram between two unix sockets
 *
 * --landlock: restrict itself before, one rule (everything ABI 1 has) for each DIR.
 * Says "MIDDLE MEAN LEAST TIMES": of single operations the mean of the middle half and the least;
 * the mean over the whole loop, with what the kernel does later on their behalf (timer ticks, RCU,
 * freeing).
 *
 * The clock is the time stamp counter: in a VM with -icount shift=0 it counts instructions. "clock"
 * says what a loop of 200 000 instructions takes by it.
 *
 * Knows nothing of the engine and is statically linked: as a guest it needs no more rules than the
 * policy of the benchmark has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "sample.h"

#define WARM_UP		  200 /* operations before the first one that counts */
#define LOOP_INSTRUCTIONS 200000
#define SETTLE_US	  20000 /* five ticks: RCU has freed the last child, its stack is at hand */

struct operation {
	const char *name;
	void (*once)(long i);
	void (*before)(void); /* after the warm-up */
	bool settles;	      /* what the last one left is freed before the next one begins */
};

static const char *path;
static char other[4096];   /* of rename and create */
static char (*paths)[256]; /* of touch, refuse and rewrite */
static long times;

/* ---- operations ---- */

static void open_one(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		bench_die(name);
	close(fd);
}

static void do_open(long i)
{
	(void)i;
	open_one(path, O_RDONLY);
}

static void do_write(long i)
{
	(void)i;
	open_one(path, O_WRONLY);
}

static void do_rewrite(long i)
{
	static long next;

	(void)i;
	open_one(paths[next++], O_WRONLY);
}

static void do_touch(long i)
{
	open_one(paths[i], O_RDONLY);
}

/* O_NOATIME is what the benchmark's own refusing program goes by (empty.bpf.c). */
static void be_refused(const char *name)
{
	if (open(name, O_RDONLY | O_CLOEXEC | O_NOATIME) >= 0) {
		errno = 0;
		bench_die("the open that should be refused");
	}
	if (errno != EACCES)
		bench_die(name);
}

/* Each by another name (in-vm.sh links them): a second one of a kind is folded. */
static void do_refuse(long i)
{
	static long next;

	(void)i;
	be_refused(paths[next++]);
}

static void do_repeat(long i)
{
	(void)i;
	be_refused(path);
}

static void do_fork(long i)
{
	pid_t pid = fork();

	(void)i;
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		bench_die("fork");
}

static void do_pipe(long i)
{
	int fds[2];

	(void)i;
	if (pipe2(fds, O_CLOEXEC))
		bench_die("pipe2");
	close(fds[0]);
	close(fds[1]);
}

static void do_stat(long i)
{
	struct stat st;

	(void)i;
	if (stat(path, &st))
		bench_die(path);
}

static void do_read(long i)
{
	static int fd = -1;
	char byte;

	(void)i;
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd, &byte, 1, 0) != 1)
		bench_die(path);
}

static void do_rename(long i)
{
	if (i % 2 ? rename(other, path) : rename(path, other))
		bench_die(path);
}

static void do_create(long i)
{
	(void)i;
	open_one(other, O_WRONLY | O_CREAT | O_EXCL);
	if (unlink(other))
		bench_die(other);
}

static void do_chmod(long i)
{
	(void)i;
	if (chmod(path, 0644))
		bench_die(path);
}

static void do_mount(long i)
{
	(void)i;
	if (mount("none", "/", NULL, MS_PRIVATE, NULL))
		bench_die("mount");
}

static void do_ioctl(long i)
{
	static int fd = -1;
	char answer[64];

	(void)i;
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, TCGETS, answer) != -1 || errno != ENOTTY)
		bench_die("ioctl");
}

static void do_send(long i)
{
	static int fds[2];
	char byte = 0;

	(void)i;
	if (!fds[0] && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds))
		bench_die("socketpair");
	if (send(fds[0], &byte, 1, 0) != 1 || recv(fds[1], &byte, 1, 0) != 1)
		bench_die("send");
}

static void do_clock(long i)
{
	uint32_t left = LOOP_INSTRUCTIONS / 2;

	(void)i;
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(left) : : "cc");
}

static void wait_ready(void)
{
	char byte;

	if (write(STDOUT_FILENO, "ready\n", 6) != 6 || read(STDIN_FILENO, &byte, 1) != 1)
		bench_die("nobody said go");
}

static const struct operation operations[] = {
	{ "clock", do_clock, NULL, false },	{ "open", do_open, NULL, false },
	{ "refuse", do_refuse, NULL, false },	{ "touch", do_touch, wait_ready, false },
	{ "fork", do_fork, NULL, true },	{ "pipe", do_pipe, NULL, false },
	{ "stat", do_stat, NULL, false },	{ "read", do_read, NULL, false },
	{ "rename", do_rename, NULL, false },	{ "mount", do_mount, NULL, false },
	{ "ioctl", do_ioctl, NULL, false },	{ "send", do_send, NULL, false },
	{ "repeat", do_repeat, NULL, false },	{ "write", do_write, NULL, false },
	{ "create", do_create, NULL, false },	{ "chmod", do_chmod, NULL, false },
	{ "rewrite", do_rewrite, NULL, false },
};

static void make_paths(bool directories)
{
	long cnt = times + WARM_UP;

	paths = calloc((size_t)cnt, sizeof(*paths));
	if (!paths)
		bench_die("calloc");
	for (long i = 0; i < cnt; i++)
		snprintf(paths[i], sizeof(paths[i]), directories ? "%s/c%02ld/f" : "%s%03ld", path,
			 i);
}

/* ---- Landlock ---- */

static void restrict_to(int ruleset, const char *dir)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
		.parent_fd = open(dir, O_PATH | O_CLOEXEC),
	};

	if (rule.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		bench_die(dir);
	close(rule.parent_fd);
}

/* Takes the leading "--landlock DIR" of argv. Return: how many words. */
static int landlock(char *argv[])
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int n = 0, ruleset = -1;

	for (; argv[n] && !strcmp(argv[n], "--landlock") && argv[n + 1]; n += 2) {
		if (!n)
			ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
					       sizeof(attr.handled_access_fs), 0);
		restrict_to(ruleset, argv[n + 1]);
	}
	if (!n)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0))
		bench_die("landlock");
	close(ruleset);
	return n;
}

/* ---- measuring ---- */

/* @settle: idle for some ticks before each; costs next to nothing, time leaps over idleness. */
static void sample(const struct operation *op, uint64_t *samples, uint64_t nothing, bool settle)
{
	for (long i = 0; i < times; i++) {
		uint64_t begin;

		if (settle)
			usleep(SETTLE_US);
		begin = __rdtsc();
		op->once(i);
		samples[i] = __rdtsc() - begin - nothing;
	}
}

static void measure(const struct operation *op)
{
	uint64_t *samples = bench_samples(times), nothing = bench_overhead(samples, times);
	double all;

	for (long i = 0; i < (op->before ? times : WARM_UP); i++)
		op->once(i);
	if (op->before)
		op->before();
	sample(op, samples, nothing, false);
	all = bench_mean(samples, times);
	if (op->settles)
		sample(op, samples, nothing, true);
	bench_say(samples, times, all);
}

int main(int argc, char *argv[])
{
	int skip = landlock(argv + 1);

	argc -= skip;
	argv += skip;
	times = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	path = argc > 3 ? argv[3] : "";
	snprintf(other, sizeof(other), "%s~", path);
	for (size_t i = 0; times > 0 && i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, argv[1]))
			continue;
		if (operations[i].once == do_touch || operations[i].once == do_refuse ||
		    operations[i].once == do_rewrite)
			make_paths(operations[i].once == do_touch);
		measure(&operations[i]);
		return 0;
	}
	fprintf(stderr, "usage: measure [--landlock DIR]... OPERATION TIMES [PATH]\n");
	return 2;
}
