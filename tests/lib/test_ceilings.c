/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ceilings.c, on a directory with files such as a cgroup has. What the kernel makes of it: selftests. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "ceilings.h"
#include "file.h"

static char dir[] = "/tmp/test_ceilings.XXXXXX";
static const char *const files[] = { "pids.max",	 "memory.max", "memory.swap.max",
				     "memory.oom.group", "cpu.max",    "io.max" };
static int fd = -1;
static struct pol_err err;

static void put(const char *file, const char *text)
{
	int out = openat(fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(out, 0);
	cr_assert_eq(write(out, text, strlen(text)), (ssize_t)strlen(text));
	close(out);
}

/* Each text is longer than what is written over it: kernfs takes whole values, a file bytes. */
static void expect(const char *file, const char *text)
{
	char buf[1024];

	cr_assert_geq(pol_file_read(fd, file, buf, sizeof(buf)), 0, "%s", file);
	cr_assert(strncmp(buf, text, strlen(text)) == 0, "%s has '%s', not '%s'", file, buf, text);
}

static void none_is_set(void)
{
	put("pids.max", "max\n");
	put("memory.max", "max\n");
	put("memory.swap.max", "max\n");
	put("memory.oom.group", "0\n");
	put("cpu.max", "max 100000\n");
	put("io.max", "");
}

static void init(void)
{
	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	none_is_set();
}

static void fini(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlinkat(fd, files[i], 0);
	close(fd);
	(void)rmdir(dir);
}

TestSuite(ceilings, .init = init, .fini = fini);

static struct pol_io_limit disk = { .device = (char *)"/dev/a",
				    .major = 8,
				    .minor = 16,
				    .max = { 1048576, POL_LIMIT_MAX, 5000, 7 } };
static const struct pol_limits all = { .pids = 1024,
				       .memory_bytes = 4831838208,
				       .swap_bytes = 0,
				       .cpu_milli = 1500,
				       .io = &disk,
				       .io_cnt = 1 };

static const struct pol_limits nothing = { .pids = POL_LIMIT_UNSET,
					   .memory_bytes = POL_LIMIT_UNSET,
					   .swap_bytes = POL_LIMIT_UNSET,
					   .cpu_milli = POL_LIMIT_UNSET };

static int write_all(const struct pol_limits *before, const struct pol_limits *limits, bool raise)
{
	return pol_ceilings_write(fd, "g", before, limits, raise, &err);
}

Test(ceilings, are_written_as_the_kernel_takes_them)
{
	cr_assert_eq(write_all(NULL, &all, false), 0);
	expect("pids.max", "1024");
	expect("memory.max", "4831838208");
	expect("memory.swap.max", "0");
	expect("memory.oom.group", "1");
	expect("cpu.max", "150000 100000");
	expect("io.max", "8:16 rbps=1048576 wbps=max riops=5000 wiops=7");
}

Test(ceilings, raising_leaves_what_would_become_tighter)
{
	cr_assert_eq(write_all(NULL, &all, true), 0);
	expect("pids.max", "max");
	expect("memory.max", "max");
	expect("memory.swap.max", "max");
	expect("cpu.max", "max 100000");
	expect("io.max", "");
}

Test(ceilings, raising_takes_the_looser_of_two)
{
	put("pids.max", "10  ");
	put("memory.max", "4096      ");
	put("cpu.max", "100 1000     "); /* a tenth of a core, in another period */
	put("io.max", "8:16 rbps=100 wbps=200 riops=9000 wiops=max   ");
	cr_assert_eq(write_all(NULL, &all, true), 0);
	expect("pids.max", "1024");
	expect("memory.max", "4831838208");
	expect("cpu.max", "150000 100000");
	expect("io.max", "8:16 rbps=1048576 wbps=max riops=9000 wiops=max");
}

Test(ceilings, the_same_again_is_not_written)
{
	static const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat st;

	cr_assert_eq(write_all(NULL, &all, false), 0);
	put("io.max", "8:0 rbps=1 wbps=1 riops=1 wiops=1\n"
		      "8:16 rbps=1048576 wbps=max riops=5000 wiops=7\n");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		cr_assert_eq(utimensat(fd, files[i], long_ago, 0), 0);
	cr_assert_eq(write_all(&all, &all, false), 0);
	cr_assert_eq(write_all(NULL, &all, true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cr_assert_eq(fstatat(fd, files[i], &st, 0), 0);
		cr_assert_eq(st.st_mtim.tv_sec, 1, "%s was written", files[i]);
	}
}

/* The defect that was: what had been unset stayed as a failed or an older policy had set it. */
Test(ceilings, what_is_set_no_more_is_lifted)
{
	struct pol_limits left = nothing;

	left.pids = 1024;
	for (int raise = 0; raise < 2; raise++) {
		none_is_set();
		cr_assert_eq(write_all(NULL, &all, false), 0);
		cr_assert_eq(write_all(&all, &left, raise), 0);
		expect("pids.max", "1024");
		expect("memory.max", "max");
		expect("memory.swap.max", "max");
		expect("memory.oom.group", raise ? "1" : "0");
		expect("cpu.max", "max 100000");
		expect("io.max", "8:16 rbps=max wbps=max riops=max wiops=max");
	}
}

Test(ceilings, what_nobody_set_is_let_alone)
{
	put("memory.max", "4096\n");
	put("memory.oom.group", "1\n");
	put("cpu.max", "1000 100000\n");
	put("io.max", "8:0 rbps=1 wbps=1 riops=1 wiops=1\n");
	cr_assert_eq(write_all(NULL, &nothing, false), 0);
	cr_assert_eq(write_all(&nothing, &nothing, false), 0);
	expect("memory.max", "4096\n");
	expect("memory.oom.group", "1\n");
	expect("cpu.max", "1000 100000\n");
	expect("io.max", "8:0 rbps=1 wbps=1 riops=1 wiops=1\n");
}

static void lacks(const char *file, const char *controller)
{
	none_is_set();
	cr_assert_eq(unlinkat(fd, file, 0), 0);
	cr_assert_eq(write_all(NULL, &all, false), -ENODEV, "%s", file);
	cr_assert(strstr(err.message, file) && strstr(err.message, controller) &&
			  strstr(err.message, "'g'"),
		  "%s", err.message);
	cr_assert(strstr(err.fix, "best_effort"));
}

Test(ceilings, a_controller_that_lacks_is_an_error)
{
	lacks("pids.max", "'pids'");
	lacks("memory.max", "'memory'");
	lacks("memory.swap.max", "'memory'");
	lacks("cpu.max", "'cpu'");
	lacks("io.max", "'io'");
}

Test(ceilings, a_controller_that_lacks_with_best_effort)
{
	struct pol_limits limits = all;

	limits.best_effort = true;
	(void)unlinkat(fd, "memory.max", 0);
	(void)unlinkat(fd, "memory.oom.group", 0);
	(void)unlinkat(fd, "io.max", 0);
	cr_assert_eq(write_all(NULL, &limits, false), 0);
	expect("cpu.max", "150000 100000");
}

Test(ceilings, what_is_lifted_needs_no_controller)
{
	static const struct pol_limits lifted = { .pids = POL_LIMIT_UNSET,
						  .memory_bytes = POL_LIMIT_MAX,
						  .swap_bytes = POL_LIMIT_MAX,
						  .cpu_milli = POL_LIMIT_MAX };

	fini();
	cr_assert(mkdir(dir, 0755) == 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(write_all(NULL, &lifted, false), 0);
	cr_assert_eq(write_all(&all, &lifted, false), 0);
}

Test(ceilings, a_write_that_fails)
{
	cr_assert_eq(unlinkat(fd, "cpu.max", 0), 0);
	cr_assert_eq(mkdirat(fd, "cpu.max", 0755), 0);
	cr_assert_eq(write_all(NULL, &all, false), -EISDIR);
	cr_assert_eq(unlinkat(fd, "cpu.max", AT_REMOVEDIR), 0);
	cr_assert(strstr(err.message, "150000 100000") && strstr(err.message, "cpu.max"), "%s",
		  err.message);
}
