/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"
#include "descriptors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_user.h"
#include "syscalls.h"

Test(ctl, numbers)
{
	cr_assert_eq(ctl_number("0", 10), 0);
	cr_assert_eq(ctl_number("010", 10), 10);
	cr_assert_eq(ctl_number("10", 10), 10);
	cr_assert_eq(ctl_number("11", 10), -EINVAL);
	cr_assert_eq(ctl_number("100", 10), -EINVAL);
	cr_assert_eq(ctl_number("9223372036854775807", INT64_MAX), INT64_MAX);
	cr_assert_eq(ctl_number("9223372036854775806", INT64_MAX - 1), INT64_MAX - 1);
	cr_assert_eq(ctl_number("9223372036854775807", INT64_MAX - 1), -EINVAL);
	cr_assert_eq(ctl_number("99999999999999999999", INT64_MAX - 1), -EINVAL);
}

Test(ctl, what_is_no_number)
{
	const char *const texts[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "one" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cr_assert_eq(ctl_number(texts[i], INT_MAX), -EINVAL, "'%s'", texts[i]);
}

Test(ctl, process_ids)
{
	cr_assert_eq(ctl_pid("1"), 1);
	cr_assert_eq(ctl_pid("2147483647"), INT_MAX);
	cr_assert_eq(ctl_pid("0"), -EINVAL);
	cr_assert_eq(ctl_pid("2147483648"), -EINVAL);
}

/* Return: 0: all three are open; those that were not are closed at an execve(2). */
static int open_standard(void)
{
	close(0);
	close(2);
	if (pol_open_standard() || fcntl(0, F_GETFD) != FD_CLOEXEC ||
	    fcntl(2, F_GETFD) != FD_CLOEXEC)
		return 1;
	if (fcntl(1, F_GETFD) != 0)
		return 2;
	close(1);
	test_refuse(SYS_openat, EIO);
	return pol_open_standard() == -EIO ? 0 : 3;
}

Test(ctl, standard_descriptors)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(open_standard());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "%x", status);
}

/* ---- --user; more in selftests/run_test.c, whose host has a database that is known ---- */

Test(run_user, names_and_numbers)
{
	struct run_user user;
	struct pol_err err = {};

	cr_assert_eq(run_user_parse("root", &user, &err), 0);
	cr_assert_eq(user.uid, 0);
	cr_assert_eq(user.gid, 0);
	cr_assert_geq(user.groups_cnt, 1);
	cr_assert_eq(run_user_parse("0", &user, &err), 0);
	cr_assert_eq(user.uid, 0);
	cr_assert_geq(user.groups_cnt, 1);
	cr_assert_eq(run_user_parse("0:4294967294", &user, &err), 0);
	cr_assert_eq(user.gid, 4294967294);
	cr_assert_eq(user.groups_cnt, 0);
}

Test(run_user, unknown_ones_are_named_and_nothing_written)
{
	struct run_user user = { .uid = 7 };
	struct pol_err err = {};

	cr_assert_eq(run_user_parse("no-such-user", &user, &err), -ENOENT);
	cr_assert_str_eq(err.message, "this host has no user 'no-such-user'");
	cr_assert_eq(run_user_parse("root:no-such-group", &user, &err), -ENOENT);
	cr_assert_str_eq(err.message, "this host has no group 'no-such-group'");
	cr_assert_eq(run_user_parse("4294967294", &user, &err), -ENOENT);
	cr_assert_str_eq(err.fix, "name one: --user 4294967294:GROUP");
	cr_assert_eq(user.uid, 7);
}
