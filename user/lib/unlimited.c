/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unlimited.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base.h"
#include "cgroup.h"
#include "file.h"

#define STACK_SIZE (8u << 20) /* as a program's main thread has: libbpf is called on it */

struct call {
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static void enter_root(void)
{
	_cleanup_close_ int root = -EBADF;
	char mount[256];

	if (pol_cgroup_mount(mount, sizeof(mount)) < 0)
		return;
	root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		(void)pol_file_write(root, "cgroup.procs", "0");
}

static int run_call(void *data)
{
	struct call *call = data;

	/* Who kills the caller means us, too; without it we would go on in its memory. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_root();
	call->result = call->fn(call->arg);
	return 0;
}

int pol_unlimited(int (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg, .result = -ECHILD };
	sigset_t all, before;
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;
	int r = 0;

	if (stack == MAP_FAILED)
		return -errno;
	/*
	 * CLONE_VFORK: this thread stands still until it has ended, so its stack has one user. No
	 * SIGCHLD: it is nobody's business, and no wait for any child takes it. No signal there: a
	 * handler of ours would run in the memory of all.
	 */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(run_call, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, &call);
	if (pid < 0)
		r = -errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0)
		if (errno != EINTR)
			break; /* somebody waits for all that there is */
	(void)munmap(stack, STACK_SIZE);
	return r ? r : call.result;
}
