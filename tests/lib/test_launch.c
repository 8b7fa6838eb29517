/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Launches without the engine. Those with it are run in the VM. */
#include "launch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base.h"

static const struct pol_limits no_fds = { .fds = POL_LIMIT_UNSET };

struct placed {
	pid_t pid;
	char comm[32];
	int answer;
	int sig;
};

/* What the process is when it is placed: not the program yet. */
static int place(pid_t pid, void *arg)
{
	struct placed *placed = arg;
	char path[64];
	FILE *comm;

	placed->pid = pid;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	comm = fopen(path, "re");
	if (comm) {
		if (!fgets(placed->comm, sizeof(placed->comm), comm))
			placed->comm[0] = '\0';
		(void)fclose(comm);
	}
	if (placed->sig)
		(void)kill(pid, placed->sig);
	return placed->answer;
}

static int run(const struct pol_limits *limits, struct placed *placed, const char *const *argv,
	       pid_t *pid, enum pol_launch_step *step)
{
	const struct pol_launch launch = { .path = argv[0], .argv = (char *const *)argv,
					   .envp = environ };

	return pol_launch_placed(limits, &launch, place, placed, pid, step);
}

static int status_of(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(launch, is_placed_before_its_program_begins, .timeout = 20)
{
	const char *const argv[] = { "/bin/sleep", "0", NULL };
	struct placed placed = {};
	enum pol_launch_step step;
	pid_t pid;

	cr_assert_eq(run(&no_fds, &placed, argv, &pid, &step), 0);
	cr_assert_eq(placed.pid, pid, "the process that was placed is the program");
	cr_assert(placed.comm[0]);
	cr_assert_str_neq(placed.comm, "sleep\n");
	cr_assert_eq(status_of(pid), 0);
}

Test(launch, what_cannot_be_placed_is_not_started, .timeout = 20)
{
	char path[] = "/tmp/pol-launch-XXXXXX";
	const char *const argv[] = { "/bin/rm", path, NULL };
	struct placed placed = { .answer = -ENODEV };
	_cleanup_close_ int fd = mkstemp(path);
	enum pol_launch_step step;
	pid_t pid;

	cr_assert_eq(run(&no_fds, &placed, argv, &pid, &step), -ENODEV);
	cr_assert_eq(step, POL_LAUNCH_PLACE);
	cr_assert_eq(access(path, F_OK), 0, "the program has run");
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
	cr_assert_eq(unlink(path), 0);
}

Test(launch, killed_before_its_program_is_no_start, .timeout = 20)
{
	const char *const argv[] = { "/bin/true", NULL };
	struct placed placed = { .sig = SIGKILL, .answer = -ECANCELED };
	enum pol_launch_step step;
	pid_t pid;

	cr_assert_eq(run(&no_fds, &placed, argv, &pid, &step), -ECANCELED);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

Test(launch, no_such_program, .timeout = 20)
{
	const char *const argv[] = { "/no/such/program", NULL };
	struct placed placed = {};
	enum pol_launch_step step;
	pid_t pid;

	cr_assert_eq(run(&no_fds, &placed, argv, &pid, &step), -ENOENT);
	cr_assert_eq(step, POL_LAUNCH_EXEC);
}

Test(launch, a_ceiling_of_descriptors_caps_their_numbers, .timeout = 20)
{
	const char *const argv[] = { "/bin/sh", "-c", "test $(ulimit -n) = 23 && test $(ulimit -Hn) = 23", NULL };
	const struct pol_limits limits = { .fds = 20 };
	struct placed placed = {};
	enum pol_launch_step step;
	pid_t pid;

	cr_assert_eq(run(&limits, &placed, argv, &pid, &step), 0);
	cr_assert_eq(status_of(pid), 0);
}

Test(launch, descriptors_of_the_caller_are_closed, .timeout = 20)
{
	char script[64];
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	_cleanup_close_ int fd = fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 50);
	struct placed placed = {};
	enum pol_launch_step step;
	pid_t pid;

	(void)snprintf(script, sizeof(script), "test ! -e /proc/self/fd/%d", fd);
	cr_assert_geq(fd, 50);
	cr_assert_eq(run(&no_fds, &placed, argv, &pid, &step), 0);
	cr_assert_eq(status_of(pid), 0);
}

/* A descriptor to read "a" or "b" from. */
static int reader(const char *text)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(write(fds[1], text, 2), 2);
	close(fds[1]);
	return fds[0];
}

static int run_placed(const struct pol_placed_fd *places, size_t cnt, const int *keep, size_t keep_cnt,
		      const char *script, enum pol_launch_step *step)
{
	const char *const argv[] = { "/bin/bash", "-c", script, NULL }; /* numbers above 9 */
	const struct pol_launch launch = { .path = argv[0],
					   .argv = (char *const *)argv,
					   .envp = environ,
					   .placed = places,
					   .placed_cnt = cnt,
					   .keep_fds = keep,
					   .keep_fds_cnt = keep_cnt };
	struct placed placed = {};
	pid_t pid;
	int r = pol_launch_placed(&no_fds, &launch, place, &placed, &pid, step);

	return r < 0 ? r : status_of(pid);
}

/* At every number that launching itself may use; each other's number; standard input. */
Test(launch, descriptors_are_placed, .timeout = 60)
{
	enum pol_launch_step step;
	char script[128];

	for (int as = 3; as < 30; as++) {
		const struct pol_placed_fd places[] = { { reader("a\n"), as }, { reader("b\n"), as + 1 } };

		(void)snprintf(script, sizeof(script),
			       "read x <&%d; read y <&%d; test $x$y = ab && test ! -e /proc/$$/fd/%d", as,
			       as + 1, as + 2);
		cr_expect_eq(run_placed(places, 2, NULL, 0, script, &step), 0, "%d", as);
		close(places[0].fd);
		close(places[1].fd);
	}
}

Test(launch, descriptors_change_places, .timeout = 20)
{
	int a = reader("a\n"), b = reader("b\n"), c = reader("c\n");
	const struct pol_placed_fd places[] = { { a, b }, { b, a }, { c, 0 } };
	enum pol_launch_step step;
	char script[128];

	(void)snprintf(script, sizeof(script), "read x <&%d; read y <&%d; read z; test $x$y$z = bac", a, b);
	cr_expect_eq(run_placed(places, 3, NULL, 0, script, &step), 0);
}

Test(launch, descriptors_that_cannot_be_placed, .timeout = 20)
{
	int a = reader("a\n");
	const struct pol_placed_fd twice[] = { { a, 5 }, { a, 5 } }, closed[] = { { 999, 5 } },
				   negative[] = { { a, -1 } }, kept[] = { { a, a } },
				   far[] = { { a, 1 << 30 } };
	enum pol_launch_step step;

	cr_expect_eq(run_placed(twice, 2, NULL, 0, "exit 0", &step), -EEXIST);
	cr_expect_eq(run_placed(closed, 1, NULL, 0, "exit 0", &step), -EBADF);
	cr_expect_eq(run_placed(negative, 1, NULL, 0, "exit 0", &step), -EBADF);
	cr_expect_eq(run_placed(kept, 1, &a, 1, "exit 0", &step), -EEXIST);
	cr_expect_eq(run_placed(far, 1, NULL, 0, "exit 0", &step), -EINVAL);
	cr_expect_eq(step, POL_LAUNCH_DESCRIPTORS);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}
