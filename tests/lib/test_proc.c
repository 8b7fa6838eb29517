/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of 6.12, a zombie whose name is made to deceive. */
static const char zombie[] =
	"71 (a) Z 1 (\n) Z 70 71 69 34816 71 4194316 101 7 2 3 12 34 0 0 20 0 1 0 5678 0 0 "
	"18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 1792\n";

Test(proc, all_that_is_read)
{
	struct pol_proc proc;

	cr_assert_eq(pol_proc_parse(zombie, &proc), 0);
	cr_assert_str_eq(proc.comm, "a) Z 1 (\n");
	cr_assert_eq(proc.state, 'Z');
	cr_assert_eq(proc.parent, 70);
	cr_assert_eq(proc.minflt, 101);
	cr_assert_eq(proc.majflt, 2);
	cr_assert_eq(proc.utime_ns, 120000000);
	cr_assert_eq(proc.stime_ns, 340000000);
	cr_assert_eq(proc.threads, 1);
	cr_assert_eq(proc.start_ns, 56780000000);
	cr_assert_eq(proc.wait_status, 7 << 8);
	cr_assert(pol_proc_ended(&proc));
	cr_assert_not(pol_proc_is_kernel(&proc));
}

Test(proc, a_dead_leader_is_no_dead_process)
{
	cr_assert_not(pol_proc_ended(&(struct pol_proc){ .state = 'Z', .threads = 2 }));
	cr_assert(pol_proc_ended(&(struct pol_proc){ .state = 'Z', .threads = 1 }));
	cr_assert(pol_proc_ended(&(struct pol_proc){ .state = 'X', .threads = 0 }));
	cr_assert_not(pol_proc_ended(&(struct pol_proc){ .state = 'S', .threads = 1 }));
}

Test(proc, what_is_cut_is_refused_and_nothing_written)
{
	char text[sizeof(zombie)];
	struct pol_proc proc = { .state = '?' };
	size_t last = strlen(zombie) - strlen(" 1792\n");

	for (size_t len = 0; len <= last; len++) {
		memcpy(text, zombie, len);
		text[len] = '\0';
		cr_assert_eq(pol_proc_parse(text, &proc), -EBADMSG, "%zu bytes", len);
		cr_assert_eq(proc.state, '?');
	}
}

/* A field more, as a later kernel may have: the 52nd stays what it is. */
Test(proc, a_longer_line)
{
	char text[sizeof(zombie) + 2];
	struct pol_proc proc;

	(void)snprintf(text, sizeof(text), "%.*s 9\n", (int)strlen(zombie) - 1, zombie);
	cr_assert_eq(pol_proc_parse(text, &proc), 0);
	cr_assert_eq(proc.wait_status, 7 << 8);
}

Test(proc, this_process)
{
	struct pol_proc_ids ids;
	struct pol_proc proc;

	cr_assert_eq(pol_proc_read(getpid(), &proc), 0);
	cr_assert_eq(proc.state, 'R');
	cr_assert_eq(proc.parent, getppid());
	cr_assert_gt(proc.start_ns, 0);
	cr_assert_eq(pol_proc_ids(getpid(), &ids), 0);
	cr_assert_eq(ids.tgid, getpid());
	cr_assert_eq(ids.uid, getuid());
	cr_assert_eq(ids.gid, getgid());
}

Test(proc, nobody)
{
	struct pol_proc_ids ids;
	struct pol_proc proc;

	cr_assert_eq(pol_proc_read(1 << 30, &proc), -ESRCH);
	cr_assert_eq(pol_proc_ids(1 << 30, &ids), -ESRCH);
}
