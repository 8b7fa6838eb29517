/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storms: loads one after the other while guests hammer; more events than the ring holds; maps that
 * are full. No verdict is another, no count drifts, what is lost is counted.
 */
#include "harness.h"

#include <bpf/bpf.h>

#include "abi.h"
#include "guest_kill.h"
#include "guest_tasks.h"

#define LEAST	 9
#define MOST	 17
#define POLICY_A "/tmp/a.toml"
#define POLICY_B "/tmp/b.toml"

/* ---- reloads ---- */

/* Of guest "g" the two say the same, but for its ceilings; the others come and go. */
static void make_policies(void)
{
	tasks_make_tree();
	for (int i = 0; i < 40; i++)
		make_file(text("%s/no/f%d", tree.root, i), "");
	policy_write(GUEST("g") FILES RULE("%s/ok", "rw") END "[guest.g.limits]\npids = 6\nfds = %d\n",
		     tree.root, LEAST);
	ASSERT_EQ(0, rename(POLICY_FILE, POLICY_A));

	const char *rules = "";

	for (int i = 0; i < 40; i++)
		rules = text("%s" RULE("%s/no/f%d", "rw"), rules, tree.root, i);
	policy_write("[guest.other]\n" FILES RULE("%s", "rw") END GUEST("g") FILES RULE("%s/ok", "rw")
			     "%s" END "[guest.g.limits]\npids = 9\nfds = %d\n",
		     tree.root, tree.root, rules, MOST);
	ASSERT_EQ(0, rename(POLICY_FILE, POLICY_B));
}

TEST_TIMEOUT(reloads_while_a_guest_hammers, 7200)
{
	long cnt = test_count(24, 200), rounds = 0, denials;
	struct probe p;

	make_policies();
	EXPECT_CTL(0, "", "load " POLICY_A);
	hammer_start(&p, tree.good, tree.bad, LEAST, MOST);
	for (long i = 0; i < cnt; i++)
		EXPECT_CTL(0, "replaced", "load %s", i % 2 ? POLICY_A : POLICY_B);
	EXPECT_NOTHING(hammer_end(&p, &rounds));
	EXPECT_LE(10 * cnt, rounds);
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
	EXPECT_EQ(0, tasks_settle("g", 0));
	/* Every refusal by the policy was one of the forbidden file, and each of those was one. */
	denials = guest_number("g", "denials");
	EXPECT_EQ(rounds, denials);
}

/* ---- more events than there is room for ---- */

/* Nobody reads: the verdicts stay, and what was delivered and what was lost is what was refused. */
TEST_TIMEOUT(a_ring_that_is_full, 600)
{
	long lost, refused = 40000;

	make_policies();
	EXPECT_CTL(0, "", "load " POLICY_A);
	events_forget();
	lost = guest_number("g", "events.lost");
	EXPECT_EQ(EACCES, PROBE("g", "names", text("%ld", refused), tree.bad));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", tree.bad));
	EXPECT_EQ(0, PROBE("g", "open", "r", tree.good));
	lost = guest_number("g", "events.lost") - lost;
	printf("# %ld lost\n", lost);
	EXPECT_LE(1000, lost);
	EXPECT_LE(lost, strtol(status_value("engine.health.ring_full"), NULL, 10));
	EXPECT_EQ(refused + 1, events_accounted("violation"));
	/* Once it is read there is room again. */
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", tree.bad));
	EXPECT_EVENT("type=violation", text("path=%s", tree.bad));
}

/* ---- maps that are full ---- */

/* Entries that nobody's address has, up to the map's size. Return: its descriptor. */
static int fill_map(const char *name, uint32_t cnt, size_t value_size)
{
	int fd = bpf_obj_get(text(PINS "/maps/%s", name));
	char *values = calloc(cnt, value_size);
	uint64_t *keys = calloc(cnt, sizeof(*keys));
	uint32_t done = cnt;

	ASSERT_LE(0, fd);
	for (uint32_t i = 0; i < cnt; i++)
		keys[i] = i + 1;
	if (bpf_map_update_batch(fd, keys, values, &done, NULL))
		EXPECT_EQ(E2BIG, errno);
	printf("# %u of %u\n", done, cnt);
	free(keys);
	free(values);
	return fd;
}

static void empty_map(int fd, uint32_t cnt)
{
	for (uint64_t key = 1; key <= cnt; key++)
		bpf_map_delete_elem(fd, &key);
	close(fd);
}

static long health(const char *name)
{
	return strtol(status_value(text("engine.health.%s", name)), NULL, 10);
}

TEST_TIMEOUT(no_room_for_files, 600)
{
	struct probe p;
	int fd;

	make_policies();
	EXPECT_CTL(0, "", "load " POLICY_A);
	probe_start(&p, "g", STEPS("pause", "open", "r", tree.good, "pause", "open", "r", tree.good));
	probe_until(&p, "paused");
	fd = fill_map("files", POL_FILES_MAX, sizeof(struct pol_file_charge));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", tree.good));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", ENFILE), probe_until(&p, "open"));
	EXPECT_LE(1, health("files_full"));
	empty_map(fd, POL_FILES_MAX);
	probe_until(&p, "paused");
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
}

TEST_TIMEOUT(no_room_for_tasks, 600)
{
	struct probe p;
	int fd;

	make_policies();
	EXPECT_CTL(0, "", "load " POLICY_A);
	probe_start(&p, "g", STEPS("pause", "spawn", "1", "pause", "spawn", "1"));
	probe_until(&p, "paused");
	fd = fill_map("tasks", POL_TASKS_MAX, sizeof(struct pol_task_charge));
	probe_go(&p);
	EXPECT_STREQ(text("spawn %d", EAGAIN), probe_until(&p, "spawn "));
	EXPECT_LE(1, health("tasks_full"));
	empty_map(fd, POL_TASKS_MAX);
	probe_until(&p, "paused");
	probe_go(&p);
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn "));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("g", 0));
}

LEAVES_NO_GUEST()
