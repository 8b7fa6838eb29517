/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc_tree.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base.h"

/* A child that sleeps until it is killed. */
static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

Test(proc_tree, a_tree_is_a_process_and_its_descendants_but_the_caller)
{
	_cleanup_(pol_proc_tree_done) struct pol_proc_tree tree = {}, leaf = {};
	pid_t first = start_sleeper(), second = start_sleeper();

	cr_assert_eq(pol_proc_tree(getpid(), &tree), 0);
	cr_assert_eq(tree.cnt, 2);
	cr_assert(tree.pids[0] == first || tree.pids[0] == second);
	cr_assert(tree.pids[1] == first || tree.pids[1] == second);
	cr_assert_eq(pol_proc_tree(first, &leaf), 0);
	cr_assert_eq(leaf.cnt, 1);
	cr_assert_eq(leaf.pids[0], first);
	end(first);
	end(second);
}

Test(proc_tree, no_tree_of_nobody_nor_of_the_dead, .timeout = 10)
{
	struct pol_proc_tree tree = {};
	pid_t pid = start_sleeper();
	siginfo_t info;

	cr_assert_eq(pol_proc_tree(1 << 30, &tree), -ESRCH);
	(void)kill(pid, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(pol_proc_tree(pid, &tree), -ESRCH);
	cr_assert_null(tree.pids);
	end(pid);
}
