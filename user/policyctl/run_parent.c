/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_parent.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base.h"
#include "members.h"
#include "run_path.h"

static volatile sig_atomic_t child_pid;

/* Sent to us by somebody: meant for the guest. From the terminal: it has it already. */
static void forward(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (child_pid > 0 && info->si_code <= 0)
		(void)kill(child_pid, sig);
}

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

/* What comes while the guest is being started waits: it would end us, and leave the guest. */
void run_hold_signals(sigset_t *ret_before)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&held, forwarded[i]);
	(void)sigprocmask(SIG_BLOCK, &held, ret_before);
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, the kernel would reap it and keep its status */
}

void run_forward_signals(pid_t pid, const sigset_t *before)
{
	struct sigaction action = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };

	child_pid = pid;
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		(void)sigaction(forwarded[i], &action, NULL);
	(void)sigprocmask(SIG_SETMASK, before, NULL);
}

int run_wait_for(pid_t pid)
{
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			return EXIT_OURS;
	child_pid = 0; /* once it is reaped, the number can be another's */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_OURS;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * With on_exceed = "kill" the engine ends the process that passed a ceiling and wakes the ring's
 * readers; the rest of the guest is ours to end. The tick is for a wake-up that another reader of
 * the ring took.
 */
void run_kill_when_exceeded(const struct pol_engine *engine, uint32_t guest, pid_t pid)
{
	struct epoll_event child = { .events = EPOLLIN, .data.u32 = 1 };
	struct epoll_event ring = { .events = EPOLLIN | EPOLLET }, got = {};
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	_cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (pidfd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &child) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, engine->maps[POL_MAP_RING], &ring) < 0)
		return;
	while (!got.data.u32) {
		(void)epoll_wait(epoll, &got, 1, 1000);
		if (engine->states[guest].killed)
			(void)pol_members_signal(engine, guest, SIGKILL);
	}
}
