/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Becoming a program as a guest, in the same process. A guest cannot make itself one: the engine's
 * maps are closed to it. So a helper does it, from outside, while the process stands still.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "cgroup.h"
#include "descriptors.h"
#include "launch_int.h"

struct in_place {
	const struct pol_launch *launch;
	int (*adopt)(pid_t pid, void *arg);
	void *arg;
	pid_t pid; /* who becomes the program */
};

/* ------------------------------------------------------------------ the helper */

static _Noreturn void help(const struct in_place *at, int sock)
{
	char ready;
	int r;

	if (read(sock, &ready, 1) != 1)
		_exit(1); /* it has ended */
	r = at->adopt(at->pid, at->arg);
	_exit(send(sock, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r));
}

/* Nobody's child that the program would know of: its parent has ended. */
static _Noreturn void start_helper(const struct in_place *at, int sock)
{
	pid_t pid = fork();

	if (!pid)
		help(at, sock);
	_exit(pid < 0 ? errno : 0);
}

/*
 * Born in the root cgroup: it is not to be adopted with the rest, and this one may have no room for
 * another task, since systemd keeps the ceilings of the time before.
 */
static pid_t fork_outside(void)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_close_ int root = -EBADF;
	int r = pol_cgroup_open("", NULL, &root);
	long pid;

	if (r < 0)
		return r;
	args.cgroup = (uint64_t)root;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : (pid_t)pid;
}

static int fork_helper(const struct in_place *at, int own, int its)
{
	pid_t pid = fork_outside();
	int status;

	if (!pid) {
		close(own);
		start_helper(at, its);
	}
	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* ------------------------------------------------------------------ the process itself */

/* It holds what is its own: from here to its return somebody else's. */
static int be_adopted(int sock)
{
	ssize_t n;
	int r;

	if (send(sock, "", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	do
		n = read(sock, &r, sizeof(r));
	while (n < 0 && errno == EINTR);
	return n == sizeof(r) ? r : -ECHILD;
}

static int become(const struct in_place *at, int *sock, enum pol_launch_step *ret_step)
{
	const struct pol_launch *launch = at->launch;
	int r;

	*ret_step = POL_LAUNCH_DESCRIPTORS;
	r = pol_launch_check(launch);
	if (!r)
		r = pol_launch_keep(launch, &sock, 1);
	if (r < 0)
		return r;
	*ret_step = POL_LAUNCH_PLACE;
	r = be_adopted(*sock);
	if (r < 0)
		return r;
	*ret_step = POL_LAUNCH_USER;
	r = pol_launch_become(launch);
	if (r < 0)
		return r;
	*ret_step = POL_LAUNCH_EXEC;
	execve(launch->path, launch->argv, launch->envp);
	return -errno;
}

int pol_launch_in_place(const struct pol_launch *launch, int (*adopt)(pid_t pid, void *arg),
			void *arg, enum pol_launch_step *ret_step)
{
	const struct in_place at = {
		.launch = launch, .adopt = adopt, .arg = arg, .pid = getpid()
	};
	int pair[2], r;

	*ret_step = POL_LAUNCH_SETUP;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = fork_helper(&at, pair[0], pair[1]);
	close(pair[1]);
	if (!r)
		r = become(&at, &pair[0], ret_step);
	pol_closep(&pair[0]);
	return r;
}
