/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * make cost: what opening a guest's path costs beside a plain open(2) of the same file, by depth below
 * the mapping and by the number of mappings. Times: the least of many rounds, of this machine. Judges
 * nothing.
 */
#include <fcntl.h>
#include <policy/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define ROUNDS	  300
#define OPENS	  200

static int plain(const struct pol_paths *paths, const char *path)
{
	(void)paths;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int mapped(const struct pol_paths *paths, const char *path)
{
	return pol_guest_path_open(paths, path, O_RDONLY, 0);
}

/* Nanoseconds of one open and close. */
static double cost_of(int (*fn)(const struct pol_paths *, const char *),
		      const struct pol_paths *paths, const char *path)
{
	double least = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		struct timespec from, to;
		double ns;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < OPENS; k++) {
			int fd = fn(paths, path);

			if (fd < 0)
				exit(1);
			close(fd);
		}
		clock_gettime(CLOCK_MONOTONIC, &to);
		ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
		least = ns / OPENS < least ? ns / OPENS : least;
	}
	return least;
}

/* "a/a/.../f": a file at each depth. */
static void make_tree(const char *root)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s", root);

	for (int depth = 0; depth <= DEPTH_MAX; depth++) {
		snprintf(path + len, sizeof(path) - (size_t)len, "/f");
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		len += snprintf(path + len, sizeof(path) - (size_t)len, "/a");
		mkdir(path, 0700);
	}
}

static void print_row(const struct pol_paths *paths, const char *root, int mappings, int depth)
{
	char host[4096], guest[4096];
	int h = snprintf(host, sizeof(host), "%s", root);
	int g = snprintf(guest, sizeof(guest), "/m/%d", mappings / 2);
	double without, with;

	for (int i = 0; i < depth; i++) {
		h += snprintf(host + h, sizeof(host) - (size_t)h, "/a");
		g += snprintf(guest + g, sizeof(guest) - (size_t)g, "/a");
	}
	snprintf(host + h, sizeof(host) - (size_t)h, "/f");
	snprintf(guest + g, sizeof(guest) - (size_t)g, "/f");
	without = cost_of(plain, NULL, host);
	with = cost_of(mapped, paths, guest);
	printf("%8d  %5d  %8.0f  %8.0f  %+8.0f\n", mappings, depth, without, with, with - without);
}

static int run(const char *root)
{
	static const int counts[] = { 1, 10, 100, 1000 }, depths[] = { 0, 4, 16, 64 };
	struct pol_paths *paths;
	char guest[64];
	int made = 0;

	if (pol_paths_new(&paths) < 0)
		return 1;
	printf("mappings  depth  open, ns  ours, ns  differ by\n");
	for (int i = 0; i < 4; i++) {
		for (; made < counts[i]; made++) {
			snprintf(guest, sizeof(guest), "/m/%d", made);
			if (pol_paths_map(paths, root, guest, 0, NULL) < 0)
				return 1;
		}
		for (int k = 0; k < 4; k++)
			if (i == 0 || k == 1)
				print_row(paths, root, counts[i], depths[k]);
	}
	pol_paths_free(paths);
	return 0;
}

int main(void)
{
	char root[] = "/tmp/pol-cost-XXXXXX", command[64];
	int status;

	if (!mkdtemp(root))
		return 1;
	make_tree(root);
	status = run(root);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) || status;
}
