/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifier of this kernel makes of the programs: how many instructions it goes through
 * for each. A program that comes near its limit of a million loads on one kernel and not on the
 * next (threats: a change of clang's, a fix back-ported to a stable kernel).
 */
#include "harness.h"

#include <bpf/bpf.h>
#include <sys/utsname.h>
#include <time.h>

#include "guest.h"

#define LIMIT 1000000 /* BPF_COMPLEXITY_LIMIT_INSNS, include/linux/bpf.h */
#define BASELINE "/selftests/verifier_baseline"

/* Return: what the kernel says of program @id, if it is one of ours. */
static bool program_info(__u32 id, struct bpf_prog_info *ret)
{
	__u32 len = sizeof(*ret);
	int fd = bpf_prog_get_fd_by_id(id), r;

	if (fd < 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	r = bpf_obj_get_info_by_fd(fd, ret, &len);
	close(fd);
	return !r && !strncmp(ret->name, "pol_", 4);
}

/* The series of this kernel, "6.12". */
static const char *series(void)
{
	static char release[65];
	struct utsname name;

	ASSERT_EQ(0, uname(&name));
	snprintf(release, sizeof(release), "%s", name.release);
	release[strcspn(release, ".") + 1 + strcspn(strchr(release, '.') + 1, ".")] = '\0';
	return release;
}

/* What the baseline has for a program on this kernel; 0: nothing. */
static unsigned int baseline_of(const char *program)
{
	static char lines[65536];
	const char *wanted = text("\n%s %s ", series(), program), *at;

	if (!*lines)
		ASSERT_LE(1, read_file(BASELINE, lines, sizeof(lines)));
	at = strstr(lines, wanted);
	return at ? (unsigned int)strtoul(at + strlen(wanted), NULL, 10) : 0;
}

/* No more than a quarter above what it was. */
static void compare(const char *program, unsigned int now)
{
	unsigned int before = baseline_of(program);

	if (!before || now > before + before / 4 + 500)
		FAIL("the baseline has %u; if it is meant: %s %s %u", before, series(), program, now);
}

TEST(far_from_the_verifiers_limit)
{
	struct bpf_prog_info info;
	unsigned int cnt = 0, sum = 0;
	__u32 id = 0;

	ASSERT_LOAD(GUEST("g"));
	while (!bpf_prog_get_next_id(id, &id)) {
		if (!program_info(id, &info))
			continue;
		printf("# %-16s %7u instructions verified\n", info.name, info.verified_insns);
		EXPECT_LE(1, info.verified_insns);
		EXPECT_LE(info.verified_insns, LIMIT / 2);
		sum += info.verified_insns;
		cnt++;
	}
	printf("# %u programs, %u instructions\n", cnt, sum);
	EXPECT_LE(25, cnt);
}

TEST(within_the_baseline)
{
	char clang[16] = "";
	struct bpf_prog_info info;
	__u32 id = 0;

	EXPECT_LE(1, read_file("/selftests/clang", clang, sizeof(clang)));
	if (strcmp(clang, "14\n"))
		SKIP("the programs are by clang %.10s, the baseline by 14", clang);
	ASSERT_LOAD(GUEST("g"));
	while (!bpf_prog_get_next_id(id, &id))
		if (program_info(id, &info))
			compare(info.name, info.verified_insns);
}

/* Enforcement is there the moment that load returns, and how long that took is said. */
TEST(time_of_a_first_load)
{
	struct timespec begin, end;

	EXPECT_NOTHING(engine_down());
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ASSERT_LOAD(GUEST("g"));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("# loaded in %ld s\n", (long)(end.tv_sec - begin.tv_sec));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/tmp"));
}

LEAVES_NO_GUEST()
