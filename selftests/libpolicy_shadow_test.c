/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows by the installed library: made, looked at, listed, handed over at a start and to a guest that
 * runs; each call with what it refuses.
 */
#include "harness.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include "api.h"

static const char *dir, *file;

SETUP()
{
	dir = scratch();
	file = make_file(text("%s/f", dir), "hello\n");
}

static void load(const char *more)
{
	ASSERT_LOADED(GUEST("g") "[guest.g.shadow]\npaths = [\"%s\"]\n%s\n" GUEST("h"), dir, more);
}

static int shadow(void)
{
	int fd = pol_shadow_make("g", file, 0, NULL, NULL, &error);

	if (fd < 0)
		FAIL("pol_shadow_make: %d, %s", fd, error.message);
	return fd;
}

/* ---- make, get, list ---- */

TEST(what_it_is)
{
	struct pol_shadow made = { .size = sizeof(made) }, got = { .size = sizeof(got) };
	int fd, seals;

	load("exec = true");
	fd = pol_shadow_make("g", file, POL_SHADOW_MAKE_EXEC, NULL, &made, &error);
	ASSERT_LE(0, fd);
	EXPECT_EQ(6, made.bytes);
	EXPECT_STREQ("g", made.guest);
	EXPECT_STREQ(file, made.path);
	EXPECT_EQ(POL_SHADOW_IS_EXEC, made.flags);
	EXPECT_RETURN(0, pol_shadow_get("g", fd, &got, &error));
	EXPECT_EQ(0, memcmp(&made, &got, sizeof(got)));
	seals = fcntl(fd, F_GET_SEALS);
	EXPECT_EQ(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
		  seals & (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
	EXPECT_RETURN(-ENOENT, pol_shadow_get("h", fd, &got, &error));
	EXPECT_RETURN(-ENOENT, pol_shadow_get("nobody", fd, &got, &error));
	EXPECT_RETURN(-ENOENT, pol_shadow_get("g", STDOUT_FILENO, &got, &error));
	EXPECT_RETURN(-EBADF, pol_shadow_get("g", -1, &got, &error));
	close(fd);
}

static int collect(const struct pol_shadow *one, void *arg)
{
	EXPECT_EQ(sizeof(*one), one->size);
	EXPECT_STREQ("g", one->guest);
	++*(int *)arg;
	return 0;
}

static int stop_at_once(const struct pol_shadow *one, void *arg)
{
	(void)one;
	++*(int *)arg;
	return 7;
}

TEST(what_there_is)
{
	struct pol_guest_info info = { .size = sizeof(info) };
	int fds[3], cnt = 0;

	load("budget = \"1MiB\"");
	for (int i = 0; i < 3; i++) {
		file = make_file(text("%s/f%d", dir, i), "hello\n");
		fds[i] = shadow();
	}
	EXPECT_RETURN(0, pol_shadow_list("g", collect, &cnt, &error));
	EXPECT_EQ(3, cnt);
	EXPECT_RETURN(0, pol_shadow_list("h", collect, &cnt, &error));
	EXPECT_EQ(3, cnt);
	EXPECT_RETURN(0, pol_shadow_list(NULL, collect, &cnt, &error));
	EXPECT_EQ(6, cnt);
	EXPECT_EQ(7, pol_shadow_list(NULL, stop_at_once, &cnt, &error));
	EXPECT_EQ(7, cnt);
	EXPECT_RETURN(-ENOENT, pol_shadow_list("nobody", collect, &cnt, &error));
	ASSERT_EQ(0, run_cmd(NULL, 0, "chmod 600 %s", file));
	EXPECT_RETURN(0, pol_guest_info("g", &info, &error));
	EXPECT_EQ(3, info.shadows);
	EXPECT_EQ(1, info.shadows_stale);
	EXPECT_EQ(18, info.shadow_bytes);
	EXPECT_EQ(1 << 20, info.shadow_budget);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	EXPECT_RETURN(0, pol_guest_info("g", &info, &error));
	EXPECT_EQ(0, info.shadows);
	EXPECT_RETURN(0, pol_guest_info("h", &info, &error));
	EXPECT_EQ(0, info.shadow_budget);
}

TEST(wrong_arguments)
{
	struct pol_shadow small = { .size = 8 };
	struct pol_shadow_limits limits = { .size = 4 };

	load("");
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_make("g", file, 0, &limits, NULL, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_make("g", file, 0, NULL, &small, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_make("g", file, 1u << 31, NULL, NULL, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_make("g", "f", 0, NULL, NULL, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_get("g", 0, &small, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_shadow_get("g", 0, NULL, &error));
	limits = (struct pol_shadow_limits){ .size = sizeof(limits), .budget = 5 };
	EXPECT_RETURN(-ENOSPC, pol_shadow_make("g", file, 0, &limits, NULL, &error));
	limits.budget = 6;
	close(pol_shadow_make("g", file, 0, &limits, NULL, &error));
}

/* ---- handing over ---- */

static int run_with(const struct pol_run_fd *fds, size_t cnt, const char *script, pid_t *ret_pid)
{
	const struct pol_run program = {
		.size = sizeof(program),
		.path = "/usr/bin/sh",
		.argv = WORDS("sh", "-c", script),
		.envp = environ,
		.place_fds = fds,
		.place_fds_count = cnt,
	};

	return pol_guest_run("g", &program, ret_pid, &error);
}

TEST(handed_over_at_the_start)
{
	struct pol_run_fd places[65] = { 0 };
	pid_t pid;
	int fd;

	load("");
	fd = shadow();
	places[0] = (struct pol_run_fd){ fd, 7 };
	places[1] = (struct pol_run_fd){ fd, 8 };
	EXPECT_RETURN(0, run_with(places, 2, "read x <&7 && test $x = hello && test -e /proc/self/fd/8", &pid));
	EXPECT_EQ(0, end_of(pid));
	EXPECT_RETURN(-EEXIST, run_with((struct pol_run_fd[]){ { fd, 7 }, { fd, 7 } }, 2, "exit 0", &pid));
	EXPECT_RETURN(-EBADF, run_with((struct pol_run_fd[]){ { 999, 7 } }, 1, "exit 0", &pid));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, run_with(places, 65, "exit 0", &pid));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, run_with(NULL, 1, "exit 0", &pid));
	close(fd);
}

/* A program that was built against the first version of the structure. */
TEST(a_shorter_structure)
{
	const struct pol_run program = {
		.size = offsetof(struct pol_run, place_fds),
		.path = "/usr/bin/sh",
		.argv = WORDS("sh", "-c", "exit 3"),
		.envp = environ,
		.place_fds = (void *)1,
		.place_fds_count = 9,
	};
	struct pol_guest_info info = { .size = offsetof(struct pol_guest_info, shadows), .shadows = 77 };
	pid_t pid;

	load("");
	EXPECT_RETURN(0, pol_guest_run("g", &program, &pid, &error));
	EXPECT_EQ(3, end_of(pid));
	EXPECT_RETURN(0, pol_guest_info("g", &info, &error));
	EXPECT_EQ(77, info.shadows);
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(sock, &message, 0));
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(sock, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* The guest: waits to be one, receives, maps. */
static void receive(int sock)
{
	char byte;
	int fd = read(sock, &byte, 1) == 1 ? receive_fd(sock) : -1;
	char *at = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, fd, 0);

	if (open(file, O_RDONLY) >= 0 || errno != EACCES)
		_exit(2);
	_exit(at == MAP_FAILED || memcmp(at, "hello\n", 6) != 0);
}

TEST(handed_over_to_one_that_runs)
{
	int pair[2], fd;
	pid_t pid;

	load("");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pid = fork();
	if (!pid)
		receive(pair[1]);
	EXPECT_RETURN(0, pol_guest_attach("g", pid, &error));
	ASSERT_EQ(1, write(pair[0], "x", 1));
	fd = shadow();
	send_fd(pair[0], fd);
	close(fd);
	EXPECT_EQ(0, end_of(pid));
}

LEAVES_NO_GUEST()
