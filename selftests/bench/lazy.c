/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lazy: what a guest's first byte of a shadow costs, and what it leaves in memory: a shadow that is filled
 * as it is touched, beside one that has all its bytes. A line for each size and kind:
 *
 *	SIZE KIND COPIED MS  MEMFD RSS ANONYMOUS  MEMFD RSS ANONYMOUS  MEMFD RSS ANONYMOUS  MS
 *
 * Bytes of the file; bytes copied and milliseconds passed, since the shadow was asked for, when the guest
 * had its first byte; what the memfd holds, what of the guest's mapping is resident, and what of that is
 * the guest's own memory (the rest is the memfd's): after the first byte, after every hundredth page, and
 * after all; and the milliseconds that touching all has taken after the hundredth. lazy.sh has the VM, in
 * which a millisecond is a million instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lazy.h"
#include "snapshot.h"

#define PAGE   4096ul
#define MIB    (1ul << 20)
#define SOURCE "/tmp/lazy.source"

enum { FIRST, PERCENT, ALL, STEPS };

struct shared {
	struct pol_lazy_region region;
	struct timespec first, percent, all;
	long memfd[STEPS], rss[STEPS], anonymous[STEPS];
	unsigned long sum;
};

static struct shared *shared;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double ms(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) * 1e3 + (double)(b->tv_nsec - a->tv_nsec) / 1e6;
}

static void now(struct timespec *ret)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
}

static void make_file(size_t size)
{
	static unsigned char bytes[MIB];
	int fd = open(SOURCE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memset(bytes, 7, sizeof(bytes));
	for (size_t at = 0; at < size; at += MIB)
		if (write(fd, bytes, MIB) != (ssize_t)MIB)
			die("write");
	close(fd);
}

/* ---- the guest ---- */

/* A number of the mapping in smaps, bytes. */
static long of_mapping(const char *what)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512], begin[32];
	int there = 0;
	long kib = -1;

	snprintf(begin, sizeof(begin), "%lx-", (unsigned long)shared->region.address);
	while (f && kib < 0 && fgets(line, sizeof(line), f)) {
		there |= !strncmp(line, begin, strlen(begin));
		if (there && !strncmp(line, what, strlen(what)))
			kib = strtol(line + strlen(what), NULL, 10);
	}
	if (!f || kib < 0)
		die("smaps");
	fclose(f);
	return kib * 1024;
}

static void look(int memfd, int step)
{
	struct stat st;

	if (fstat(memfd, &st))
		die("fstat");
	shared->memfd[step] = st.st_blocks * 512;
	shared->rss[step] = of_mapping("Rss:");
	shared->anonymous[step] = of_mapping("Anonymous:");
}

static void touch(size_t pages, size_t step)
{
	const volatile unsigned char *at = shared->region.address;

	for (size_t i = 0; i < pages; i += step)
		shared->sum += at[i * PAGE];
}

static void map(int memfd, size_t size, bool lazy)
{
	struct pol_err err = { .message = "map" };

	if (lazy && pol_lazy_region_map(memfd, PROT_READ, &shared->region, &err))
		die(err.message);
	if (!lazy)
		shared->region.address = mmap(NULL, size, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (shared->region.address == MAP_FAILED)
		die("mmap");
}

static void be_guest(int memfd, size_t size, bool lazy, int sock)
{
	map(memfd, size, lazy);
	if (write(sock, "", 1) != 1)
		die("write");
	touch(1, 1);
	now(&shared->first);
	look(memfd, FIRST);
	touch(size / PAGE, 100);
	look(memfd, PERCENT);
	now(&shared->percent);
	touch(size / PAGE, 1);
	now(&shared->all);
	look(memfd, ALL);
	exit(shared->sum % 7 != 0);
}

/* ---- the host ---- */

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void serve(struct pol_pager *pager, pid_t pid, int sock, int file, size_t size)
{
	struct pol_pager_source source = { file, size, never, NULL };
	struct pollfd p[] = { { .events = POLLIN }, { .fd = sock, .events = POLLIN } };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), uffd;
	struct pol_err err;
	char byte;

	if (read(sock, &byte, 1) != 1)
		die("the guest's mapping");
	uffd = (int)syscall(SYS_pidfd_getfd, pidfd, shared->region.uffd, 0);
	if (pol_pager_open(pager, uffd, (uintptr_t)shared->region.address, &source, &err))
		die(err.message);
	p[0].fd = pager->uffd;
	while (poll(p, 2, -1) > 0 && !(p[1].revents & POLLHUP))
		if (p[0].revents && pol_pager_serve(pager, 64, &err) < 0)
			die(err.message);
	close(uffd);
	close(pidfd);
}

static void print(size_t size, bool lazy, uint64_t copied, const struct timespec *begin)
{
	printf("%zu %s %llu %.3f", size, lazy ? "lazy" : "eager", (unsigned long long)copied,
	       ms(begin, &shared->first));
	for (int i = 0; i < STEPS; i++)
		printf(" %ld %ld %ld", shared->memfd[i], shared->rss[i], shared->anonymous[i]);
	printf(" %.3f\n", ms(&shared->percent, &shared->all));
}

/* Only as a lazy one are its bytes copied here. */
static int make_shadow(bool lazy, int *ret_file)
{
	enum pol_snapshot_kind kind = lazy ? POL_SNAPSHOT_LAZY : POL_SNAPSHOT_DATA;
	uint64_t size;
	int memfd = -1;
	bool torn;

	*ret_file = open(SOURCE, O_RDONLY | O_CLOEXEC);
	errno = -pol_snapshot_make(*ret_file, UINT32_MAX, kind, &memfd, &size, &torn);
	if (memfd < 0)
		die("a shadow");
	return memfd;
}

static void measure(size_t size, bool lazy)
{
	struct pol_pager pager = POL_PAGER_INIT;
	uint64_t copied = lazy ? PAGE : size;
	int socks[2], file, memfd, status;
	struct timespec begin;
	pid_t pid;

	make_file(size);
	memset(shared, 0, sizeof(*shared));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks))
		die("socketpair");
	fflush(stdout);
	now(&begin);
	memfd = make_shadow(lazy, &file);
	pid = fork();
	if (!pid) {
		close(socks[0]);
		be_guest(memfd, size, lazy, socks[1]);
	}
	close(socks[1]);
	if (lazy)
		serve(&pager, pid, socks[0], file, size);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the guest");
	if (lazy && pager.copied != size)
		die("not all was served");
	print(size, lazy, copied, &begin);
	pol_pager_close(&pager);
	close(socks[0]);
	close(memfd);
	if (!lazy)
		close(file);
	unlink(SOURCE);
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("mmap");
	for (size_t size = MIB; size <= 512 * MIB; size *= size < 256 * MIB ? 4 : 2)
		for (int lazy = 0; lazy < 2; lazy++)
			measure(size, lazy);
	return 0;
}
