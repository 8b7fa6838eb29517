/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * copy - what it costs to copy a file that is in the page cache to a new memfd, by each way that there
 * is: instructions per KiB.
 *
 *	copy WAY TIMES PATH
 *
 *	sendfile		by the kernel's own pipe, 64 KiB at a time
 *	splice			by a pipe of ours of 1 MiB
 *	rw_64, rw_256, rw_1024	read(2) and write(2), by a buffer of so many KiB
 *	map			pread(2) to a shared mapping of the memfd, which faults at each page
 *	map_populate		the same, its pages made by mmap(2), MAP_POPULATE
 *	map_advise		likewise by madvise(2), MADV_POPULATE_WRITE
 *	range			copy_file_range(2): expected to say EXDEV, which is printed
 *
 * A file is never mapped: it may shrink. Says "MIDDLE MEAN LEAST TIMES", as measure does, by the same
 * clock; of each copy also the making of the memfd and its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "sample.h"

#define KIB	1024l
#define PIPE	(1024 * KIB)
#define LARGEST (1024 * KIB)	  /* buffer */
#define WINDOW	(16 * 1024 * KIB) /* of a memfd, mapped at a time */
#define WARM_UP 1

static off_t size;

static void by_sendfile(int from, int to, size_t unused)
{
	(void)unused;
	for (off_t at = 0; at < size;)
		if (sendfile(to, from, &at, (size_t)(size - at)) <= 0)
			bench_die("sendfile");
}

static void by_splice(int from, int to, size_t unused)
{
	static int pipe[2];
	off_t in = 0, out = 0;

	(void)unused;
	if (!pipe[1] && (pipe2(pipe, O_CLOEXEC) || fcntl(pipe[1], F_SETPIPE_SZ, PIPE) < 0))
		bench_die("a pipe of 1 MiB");
	while (in < size) {
		if (splice(from, &in, pipe[1], NULL, PIPE, 0) <= 0)
			bench_die("splice");
		while (out < in)
			if (splice(pipe[0], NULL, to, &out, (size_t)(in - out), 0) <= 0)
				bench_die("splice");
	}
}

static void by_buffer(int from, int to, size_t bytes)
{
	static char buffer[LARGEST];

	for (off_t at = 0; at < size;) {
		ssize_t n = pread(from, buffer, bytes, at);

		if (n <= 0 || pwrite(to, buffer, (size_t)n, at) != n)
			bench_die("read and write");
		at += n;
	}
}

static void read_to(int from, char *window, off_t at, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = pread(from, window + done, bytes - done, at + (off_t)done);

		if (n <= 0)
			bench_die("pread");
		done += (size_t)n;
	}
}

/* @how: of enum how. */
enum how { FAULT, POPULATE, ADVISE };

static void by_map(int from, int to, size_t how)
{
	for (off_t at = 0; at < size; at += WINDOW) {
		size_t bytes = (size_t)(size - at < WINDOW ? size - at : WINDOW);
		char *window = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_SHARED | (how == POPULATE ? MAP_POPULATE : 0), to, at);

		if (window == MAP_FAILED ||
		    (how == ADVISE && madvise(window, bytes, MADV_POPULATE_WRITE)))
			bench_die("a mapping of the memfd");
		read_to(from, window, at, bytes);
		munmap(window, bytes);
	}
}

static void by_range(int from, int to, size_t unused)
{
	off_t in = 0, out = 0;

	(void)unused;
	if (copy_file_range(from, &in, to, &out, (size_t)size, 0) <= 0)
		bench_die("copy_file_range");
}

static const struct way {
	const char *name;
	void (*copy)(int from, int to, size_t how);
	size_t how;
} ways[] = {
	{ "sendfile", by_sendfile, 0 },
	{ "splice", by_splice, 0 },
	{ "rw_64", by_buffer, 64 * KIB },
	{ "rw_256", by_buffer, 256 * KIB },
	{ "rw_1024", by_buffer, 1024 * KIB },
	{ "map", by_map, FAULT },
	{ "map_populate", by_map, POPULATE },
	{ "map_advise", by_map, ADVISE },
	{ "range", by_range, 0 },
};

static bool same(int a, int b)
{
	static char of_a[64 * KIB], of_b[64 * KIB];
	off_t at = 0;
	ssize_t n;

	for (; (n = pread(a, of_a, sizeof(of_a), at)) > 0; at += n)
		if (pread(b, of_b, sizeof(of_b), at) != n || memcmp(of_a, of_b, (size_t)n) != 0)
			return false;
	return !n && at == size && !pread(b, of_b, 1, at);
}

/* @check: whether it is the file that came out. */
static void copy(const struct way *way, int from, bool check)
{
	int to = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (to < 0 || ftruncate(to, size))
		bench_die("memfd_create");
	way->copy(from, to, way->how);
	if (check && !same(from, to)) {
		errno = 0;
		bench_die("the copy is not the file");
	}
	close(to);
}

static void measure(const struct way *way, int from, long times)
{
	uint64_t *samples = bench_samples(times), nothing = bench_overhead(samples, times);

	for (int i = 0; i < WARM_UP; i++)
		copy(way, from, true);
	for (long i = 0; i < times; i++) {
		uint64_t begin = __rdtsc();

		copy(way, from, false);
		samples[i] = (__rdtsc() - begin - nothing) / (uint64_t)(size / KIB);
	}
	bench_say(samples, times, bench_mean(samples, times));
}

int main(int argc, char *argv[])
{
	long times = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	struct stat st;
	int from;

	for (size_t i = 0; times > 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		from = open(argv[3], O_RDONLY | O_CLOEXEC);
		if (from < 0 || fstat(from, &st) || st.st_size < KIB)
			bench_die(argv[3]);
		size = st.st_size;
		measure(&ways[i], from, times);
		return 0;
	}
	fprintf(stderr, "usage: copy WAY TIMES PATH\n");
	return 2;
}
