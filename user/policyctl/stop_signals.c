/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop_signals.h"

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

void pol_stop_catch(sigset_t *ret_asleep)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &blocked, ret_asleep);
	(void)sigdelset(ret_asleep, SIGINT);
	(void)sigdelset(ret_asleep, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

bool pol_stopped(void)
{
	return stopped;
}
