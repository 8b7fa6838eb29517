/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest with a lazy shadow, and its host, for the suites of both. The guest is a child of the test
 * that shares a struct with it, and sends its userfaultfd as a guest would; what it does then is its
 * job, an honest one or not. Included behind harness.h; static, and unused where a suite needs only
 * some.
 */
#pragma once

#include <dirent.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "guest_tasks.h"
#include "lazy.h"

#define LAZY_FN __attribute__((unused)) static

#define PAGE   4096ul
#define PAGES  64ul
#define TAIL   100 /* bytes in the last page */
#define SIZE   ((PAGES - 1) * PAGE + TAIL)
#define USER   1000
#define ENOUGH 1000 /* faults that a call may answer */

/* What the two sides have in common. */
struct shared {
	struct pol_lazy_region region;
	int memory;	   /* the shadow's descriptor, in both */
	int mapped;	   /* what pol_lazy_region_map() said */
	long out[8];	   /* what the guest found */
	volatile int step; /* how far it is */
	volatile bool stale;
	char file[128];
};
static struct shared *shared;

/* ---- the file, and its shadow ---- */

/* No page is like another, no byte is zero. */
LAZY_FN unsigned char byte_of(size_t i)
{
	return (unsigned char)(i % 251 + i / PAGE + 1) | 1;
}

LAZY_FN void write_bytes(const char *path, size_t size)
{
	unsigned char *bytes = malloc(size);
	FILE *f = fopen(path, "we");

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_of(i);
	ASSERT_EQ(size, fwrite(bytes, 1, size, f));
	ASSERT_EQ(0, fclose(f));
	free(bytes);
}

/* A sealed memfd without a page, opened for reading. */
LAZY_FN int make_shadow(size_t size)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int fd = memfd_create("shadow", MFD_CLOEXEC | MFD_ALLOW_SEALING), ro;

	ASSERT_EQ(0, ftruncate(fd, (off_t)size));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, seals));
	ro = open(text("/proc/self/fd/%d", fd), O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ro);
	close(fd);
	return ro;
}

/* Bytes that the shadow has of its own. */
LAZY_FN long memory_bytes(void)
{
	struct stat st;

	ASSERT_EQ(0, fstat(shared->memory, &st));
	return st.st_blocks * 512;
}

LAZY_FN void lazy_setup(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ASSERT_TRUE(shared != MAP_FAILED);
	snprintf(shared->file, sizeof(shared->file), "%s/source", scratch());
	write_bytes(shared->file, SIZE);
	shared->memory = make_shadow(SIZE);
}

LAZY_FN bool is_stale(void *arg)
{
	return ((struct shared *)arg)->stale;
}

LAZY_FN struct pol_pager_source source_of(const char *path)
{
	struct pol_pager_source source = {
		.fd = open(path, O_RDONLY | O_CLOEXEC),
		.size = SIZE,
		.stale = is_stale,
		.arg = shared,
	};

	ASSERT_LE(0, source.fd);
	return source;
}

LAZY_FN bool kernel_is(int major, int minor)
{
	struct utsname uts;
	int a = 0, b = 0;

	ASSERT_EQ(0, uname(&uts));
	ASSERT_EQ(2, sscanf(uts.release, "%d.%d", &a, &b));
	return a > major || (a == major && b >= minor);
}

/* ---- between the two ---- */

LAZY_FN void send_fd(int sock, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_len = CMSG_LEN(sizeof(int));
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) != 1)
		_exit(91);
}

LAZY_FN int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

LAZY_FN int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int cnt = 0;

	while (readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}

/* ---- the guest ---- */

/*
 * Who is to be the guest. @name: of the policy; NULL: nobody's. @map: how it maps; NULL: as it should.
 */
struct who {
	const char *name;
	uid_t uid;
	int (*map)(void);
	void (*job)(void);
};

LAZY_FN int map_shadow(void)
{
	struct pol_err err = {};
	int r = pol_lazy_region_map(shared->memory, PROT_READ | PROT_WRITE, &shared->region, &err);

	if (r)
		printf("# %s (%s)\n", err.message, err.fix);
	return r;
}

LAZY_FN void be_guest(int sock, const struct who *who)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (who->uid && setresuid(who->uid, who->uid, who->uid))
		_exit(90);
	if (read(sock, &byte, 1) != 1)
		_exit(92);
	shared->mapped = who->map ? who->map() : map_shadow();
	send_fd(sock, shared->mapped ? -1 : shared->region.uffd);
	if (read(sock, &byte, 1) != 1)
		_exit(93);
	who->job();
	_exit(0);
}

LAZY_FN unsigned char *at_page(size_t i)
{
	return (unsigned char *)shared->region.address + i * PAGE;
}

/* Touch a page. Return: 1: it is the file's; 0. */
LAZY_FN int touch(size_t i)
{
	const volatile unsigned char *at = at_page(i);

	return at[0] == byte_of(i * PAGE) && at[TAIL - 1] == byte_of(i * PAGE + TAIL - 1);
}

/* ---- its host ---- */

struct side {
	pid_t pid;
	int sock;
	int had; /* descriptors before it began */
	int uffd;
	struct pol_pager pager;
	struct pol_err err;
};

/* A child has sent its userfaultfd, and stands still. */
LAZY_FN void begin(struct side *side, const struct who *who)
{
	int socks[2];

	*side = (struct side){ .pager = POL_PAGER_INIT, .had = descriptors() };
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks));
	fflush(stdout);
	side->pid = fork();
	if (!side->pid) {
		close(socks[0]);
		be_guest(socks[1], who);
	}
	close(socks[1]);
	side->sock = socks[0];
	if (who->name && ctl("attach %s %d", who->name, side->pid))
		FAIL("attach: %s", ctl_said);
	ASSERT_EQ(1, write(side->sock, "", 1));
	side->uffd = receive_fd(side->sock);
	ASSERT_EQ(0, shared->mapped);
	ASSERT_LE(0, side->uffd);
}

/* It does its job, and is served. */
LAZY_FN void go(struct side *side, struct pol_pager_source source)
{
	ASSERT_EQ(0, pol_pager_open(&side->pager, side->uffd, (uintptr_t)shared->region.address,
				    &source, &side->err));
	close(side->uffd);
	ASSERT_EQ(1, write(side->sock, "", 1));
}

LAZY_FN void begin_and_go(struct side *side, const struct who *who)
{
	begin(side, who);
	go(side, source_of(shared->file));
}

LAZY_FN int serve_once(struct side *side, unsigned int max)
{
	return pol_pager_serve(&side->pager, max, &side->err);
}

/* Until it asks for something, or has ended. Return: whether it asks. */
LAZY_FN bool is_asked(struct side *side)
{
	struct pollfd p[] = { { .fd = side->pager.uffd, .events = POLLIN },
			      { .fd = side->sock, .events = POLLIN } };

	ASSERT_LE(1, poll(p, 2, 30000));
	return p[0].revents;
}

/* Until it has ended, or an error. Return: that, or 0. */
LAZY_FN int serve(struct side *side)
{
	while (is_asked(side)) {
		int r = serve_once(side, ENOUGH);

		if (r < 0)
			return r;
	}
	return 0;
}

/* It is over, and nothing of it is left here. Return: its status, 128 + signal. */
LAZY_FN int end(struct side *side)
{
	int status;

	close(side->sock);
	pol_pager_close(&side->pager);
	ASSERT_EQ(side->pid, waitpid(side->pid, &status, 0));
	EXPECT_EQ(side->had, descriptors());
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

LAZY_FN int end_by_kill(struct side *side)
{
	ASSERT_EQ(0, kill(side->pid, SIGKILL));
	return end(side);
}

/* Until it has come to a step. */
LAZY_FN void await_step(int step)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	for (int i = 0; i < 30000 && shared->step < step; i++)
		nanosleep(&tick, NULL);
	ASSERT_LE(step, shared->step);
}

/* Until all of its threads sleep. */
LAZY_FN void await_sleep(pid_t pid, int threads)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	char out[64];

	for (int i = 0; i < 1000; i++) {
		/* 1: none sleeps yet. */
		EXPECT_LE(run_cmd(out, sizeof(out),
				  "cat /proc/%d/task/*/stat | grep -c ' [SD] '", pid), 1);
		if (strtol(out, NULL, 10) == threads)
			return;
		nanosleep(&tick, NULL);
	}
	FAIL("not %d threads of it wait: %s", threads, out);
}
