/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup.c, on directories with files such as cgroups have. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"

static char dir[] = "/tmp/test_cgroup.XXXXXX";
static int fd = -1;

static void put(const char *file, const char *text)
{
	int out = openat(fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(out, 0);
	cr_assert_eq(write(out, text, strlen(text)), (ssize_t)strlen(text));
	close(out);
}

static void init(void)
{
	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(fd, "within", 0755), 0);
}

static void fini(void)
{
	(void)unlinkat(fd, "within/cgroup.procs", 0);
	(void)unlinkat(fd, "within", AT_REMOVEDIR);
	(void)unlinkat(fd, "cgroup.procs", 0);
	(void)unlinkat(fd, "cgroup.threads", 0);
	close(fd);
	(void)rmdir(dir);
}

TestSuite(cgroup, .init = init, .fini = fini);

/* The kernel writes 0 for a task that is reaped meanwhile; as a command it would be every task. */
Test(cgroup, lists_no_task_0)
{
	pid_t *pids = NULL;
	size_t cnt = 0;

	put("cgroup.procs", "12\n0\n13\n");
	put("within/cgroup.procs", "0\n14\n0\n");
	cr_assert_eq(pol_cgroup_procs(fd, &pids, &cnt), 0);
	cr_assert_eq(cnt, 3u);
	cr_assert_eq(pids[0] + pids[1] + pids[2], 12 + 13 + 14);
	free(pids);
	put("cgroup.threads", "0\n12\n");
	cr_assert_eq(pol_cgroup_threads(fd, &cnt), 0);
	cr_assert_eq(cnt, 1u);
}
