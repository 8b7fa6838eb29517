/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifier of this kernel makes of the programs: how many instructions it goes through
 * for each. A program that comes near its limit of a million loads on one kernel and not on the
 * next (threats: a change of clang's, a fix back-ported to a stable kernel).
 */
#include "harness.h"

#include <bpf/bpf.h>
#include <time.h>

#include "guest.h"

#define LIMIT 1000000 /* BPF_COMPLEXITY_LIMIT_INSNS, include/linux/bpf.h */

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

UNLOADS_CLEAN()
