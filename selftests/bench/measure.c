/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure - do one operation many times, and say what one of them costs in instructions.
 *
 *	measure [--landlock DIR]... OPERATION TIMES [PATH]
 *
 *	clock			the clock itself, see below
 *	open PATH		open + close
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
 * freeing). Not the median: forks come in two kinds, half and half, 1100 instructions apart.
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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

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
static char (*paths)[256]; /* of touch */
static long times;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- operations ---- */

static void open_one(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(name);
	close(fd);
}

static void do_open(long i)
{
	(void)i;
	open_one(path);
}

static void do_touch(long i)
{
	open_one(paths[i]);
}

/* O_NOATIME is what the benchmark's own refusing program goes by (empty.bpf.c). */
static void be_refused(const char *name)
{
	if (open(name, O_RDONLY | O_CLOEXEC | O_NOATIME) >= 0) {
		errno = 0;
		die("the open that should be refused");
	}
	if (errno != EACCES)
		die(name);
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
		die("fork");
}

static void do_pipe(long i)
{
	int fds[2];

	(void)i;
	if (pipe2(fds, O_CLOEXEC))
		die("pipe2");
	close(fds[0]);
	close(fds[1]);
}

static void do_stat(long i)
{
	struct stat st;

	(void)i;
	if (stat(path, &st))
		die(path);
}

static void do_read(long i)
{
	static int fd = -1;
	char byte;

	(void)i;
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd, &byte, 1, 0) != 1)
		die(path);
}

static void do_rename(long i)
{
	static char other[4096];

	if (!*other)
		snprintf(other, sizeof(other), "%s~", path);
	if (i % 2 ? rename(other, path) : rename(path, other))
		die(path);
}

static void do_mount(long i)
{
	(void)i;
	if (mount("none", "/", NULL, MS_PRIVATE, NULL))
		die("mount");
}

static void do_ioctl(long i)
{
	static int fd = -1;
	char answer[64];

	(void)i;
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, TCGETS, answer) != -1 || errno != ENOTTY)
		die("ioctl");
}

static void do_send(long i)
{
	static int fds[2];
	char byte = 0;

	(void)i;
	if (!fds[0] && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds))
		die("socketpair");
	if (send(fds[0], &byte, 1, 0) != 1 || recv(fds[1], &byte, 1, 0) != 1)
		die("send");
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
		die("nobody said go");
}

static const struct operation operations[] = {
	{ "clock", do_clock, NULL, false },   { "open", do_open, NULL, false },
	{ "refuse", do_refuse, NULL, false }, { "touch", do_touch, wait_ready, false },
	{ "fork", do_fork, NULL, true },      { "pipe", do_pipe, NULL, false },
	{ "stat", do_stat, NULL, false },     { "read", do_read, NULL, false },
	{ "rename", do_rename, NULL, false }, { "mount", do_mount, NULL, false },
	{ "ioctl", do_ioctl, NULL, false },   { "send", do_send, NULL, false },
	{ "repeat", do_repeat, NULL, false },
};

static void make_paths(bool directories)
{
	long cnt = times + WARM_UP;

	paths = calloc((size_t)cnt, sizeof(*paths));
	if (!paths)
		die("calloc");
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
		die(dir);
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
		die("landlock");
	close(ruleset);
	return n;
}

/* ---- statistics ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort(uint64_t *samples, long n)
{
	qsort(samples, (size_t)n, sizeof(*samples), by_value);
}

static double mean(const uint64_t *samples, long n)
{
	double sum = 0;

	for (long i = 0; i < n; i++)
		sum += (double)samples[i];
	return sum / (double)n;
}

/* The mean of the middle half of sorted samples. */
static double middle(const uint64_t *samples, long n)
{
	return mean(samples + n / 4, n - 2 * (n / 4));
}

/* Shared memory: a page that fork marks for copying would be paid for by the next sample. */
static uint64_t *samples_new(long n)
{
	size_t size = (size_t)n * sizeof(uint64_t);
	uint64_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	memset(at, 0, size);
	return at;
}

/* What a sample of nothing takes. */
static uint64_t overhead(uint64_t *samples, long n)
{
	for (long i = 0; i < n; i++) {
		uint64_t begin = __rdtsc();

		samples[i] = __rdtsc() - begin;
	}
	sort(samples, n);
	return samples[n / 2];
}

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
	uint64_t *samples = samples_new(times), nothing = overhead(samples, times);
	double all;

	for (long i = 0; i < (op->before ? times : WARM_UP); i++)
		op->once(i);
	if (op->before)
		op->before();
	sample(op, samples, nothing, false);
	all = mean(samples, times);
	if (op->settles)
		sample(op, samples, nothing, true);
	sort(samples, times);
	printf("%.1f %.1f %llu %ld\n", middle(samples, times), all, (unsigned long long)samples[0],
	       times);
}

int main(int argc, char *argv[])
{
	int skip = landlock(argv + 1);

	argc -= skip;
	argv += skip;
	times = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	path = argc > 3 ? argv[3] : "";
	for (size_t i = 0; times > 0 && i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, argv[1]))
			continue;
		if (operations[i].once == do_touch || operations[i].once == do_refuse)
			make_paths(operations[i].once == do_touch);
		measure(&operations[i]);
		return 0;
	}
	fprintf(stderr, "usage: measure [--landlock DIR]... OPERATION TIMES [PATH]\n");
	return 2;
}
