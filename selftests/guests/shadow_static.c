/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest does with a descriptor that it was handed: a program that opens no file by itself.
 *
 *	shadow_static FD VERB [WORD]...
 *
 * Prints "VERB: 0" or its errno, or what it found; "exec" becomes what is behind FD, with the words.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1 /* include/uapi/linux/userfaultfd.h */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20 /* include/uapi/linux/fcntl.h */
#endif

static int fd;
static size_t size;

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static int map(int prot, int flags)
{
	return result((long)mmap(NULL, size ? size : 1, prot, flags, fd, 0) == -1 ? -1 : 0);
}

static int again(int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static int write_again(void)
{
	int other = again(O_RDWR);

	if (other < 0)
		return errno;
	return write(other, "x", 1) < 0 ? errno : 0;
}

static int map_again(void)
{
	int other = again(O_RDWR);
	void *at;

	if (other < 0)
		return errno;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	return at == MAP_FAILED ? errno : 0;
}

static int truncate_again(void)
{
	int other = again(O_RDWR);

	if (other < 0)
		return errno;
	return result(ftruncate(other, 0));
}

static int executable_later(void)
{
	void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	return at == MAP_FAILED ? errno : result(mprotect(at, size, PROT_READ | PROT_EXEC));
}

/* The bytes, by mapping; a private store changes nothing but ours. */
static void sum(void)
{
	unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	unsigned long sum = 0, after = 0;
	char byte = 0;

	for (size_t i = 0; i < size; i++)
		sum += at[i];
	at[0] ^= 1;
	(void)!pread(fd, &byte, 1, 0);
	after = (unsigned char)byte == (at[0] ^ 1);
	printf("sum: %lu of %zu, own %lu, at %ld\n", sum, size, after, (long)lseek(fd, 0, SEEK_CUR));
}

/*
 * Pages of an executable mapping that nobody has touched yet, filled with ours: without a write, and
 * without a writable mapping.
 */
static int fill_executable(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (uintptr_t)at, 4096 },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .dst = (uintptr_t)at, .src = (uintptr_t)own, .len = 4096 };

	if (at == MAP_FAILED || own == MAP_FAILED || uffd < 0)
		return errno;
	memset(own, 0xc3, 4096);
	if (ioctl(uffd, UFFDIO_API, &api) < 0 || ioctl(uffd, UFFDIO_REGISTER, &range) < 0 ||
	    ioctl(uffd, UFFDIO_COPY, &copy) < 0)
		return errno;
	return memcmp(at, own, 4096) ? -1 : 0;
}

static int dirty_executable(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return errno;
	memset(at, 0xc3, 4096);
	return result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static int change_attribute(void)
{
	return result(fsetxattr(fd, "trusted.x", "x", 1, 0));
}

static int map_alone(void)
{
	int r = map(PROT_READ, MAP_PRIVATE);

	return r ? r : result(close(fd));
}

/* Behind more descriptors of its name than anybody reads through. */
static int hide(void)
{
	const struct rlimit many = { 20000, 20000 };
	int own = memfd_create("shadow", 0);

	if (own < 0 || setrlimit(RLIMIT_NOFILE, &many) < 0 || dup2(fd, 19999) < 0)
		return errno;
	while (dup(own) >= 0)
		;
	return result(close(fd));
}

static int seals(void)
{
	int has = fcntl(fd, F_GET_SEALS);
	int want = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	return has < 0 ? errno : (has & want) == want ? 0 : -1;
}

static const struct {
	const char *verb;
	int prot;
	int flags;
} maps[] = {
	{ "map", PROT_READ, MAP_PRIVATE },
	{ "map-shared", PROT_READ, MAP_SHARED },
	{ "map-write", PROT_READ | PROT_WRITE, MAP_SHARED },
	{ "map-exec", PROT_READ | PROT_EXEC, MAP_PRIVATE },
};

static int answer(const char *verb)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		if (!strcmp(verb, maps[i].verb))
			return map(maps[i].prot, maps[i].flags);
	if (!strcmp(verb, "map-alone"))
		return map_alone();
	if (!strcmp(verb, "write"))
		return result(write(fd, "x", 1));
	if (!strcmp(verb, "write-again"))
		return write_again();
	if (!strcmp(verb, "map-again"))
		return map_again();
	if (!strcmp(verb, "truncate-again"))
		return truncate_again();
	if (!strcmp(verb, "map-exec-later"))
		return executable_later();
	if (!strcmp(verb, "seals"))
		return seals();
	if (!strcmp(verb, "seal"))
		return result(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	if (!strcmp(verb, "chmod"))
		return result(fchmod(fd, 0));
	if (!strcmp(verb, "chown"))
		return result(fchown(fd, 1, 1));
	if (!strcmp(verb, "utime"))
		return result(futimens(fd, NULL));
	if (!strcmp(verb, "xattr"))
		return change_attribute();
	if (!strcmp(verb, "hide"))
		return hide();
	if (!strcmp(verb, "lease")) {
		(void)signal(SIGIO, SIG_IGN);
		return result(fcntl(fd, F_SETLEASE, F_WRLCK));
	}
	if (!strcmp(verb, "fill-exec"))
		return fill_executable();
	if (!strcmp(verb, "dirty-exec"))
		return dirty_executable();
	return -1;
}

int main(int argc, char *argv[])
{
	struct stat st;

	if (argc < 3)
		return 2;
	fd = atoi(argv[1]);
	if (fstat(fd, &st) < 0) {
		printf("no descriptor: %d\n", errno);
		return 1;
	}
	size = (size_t)st.st_size;
	if (!strcmp(argv[2], "exec")) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		execv(path, argv + 3);
		printf("exec: %d\n", errno);
		return 126;
	}
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "sum"))
			sum();
		else if (!strcmp(argv[i], "pause"))
			pause();
		else
			printf("%s: %d\n", argv[i], answer(argv[i]));
		fflush(stdout);
	}
	return 0;
}
