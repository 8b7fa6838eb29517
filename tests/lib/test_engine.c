/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine.c: the table of the guests' cgroups, as the programs search it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "engine.h"

static struct pol_control control;
static struct pol_cgroup_slot slots[POL_CGROUP_SLOTS];
static struct pol_engine engine = { .control = &control, .cgroups = slots };

/* As pol_guest_of_cgroup_id() in the kernel. @ret_looks: slots looked at. */
static uint32_t search(uint64_t id, unsigned int *ret_looks)
{
	uint32_t at = POL_CGROUP_HASH(id);

	for (*ret_looks = 1; *ret_looks <= POL_CGROUP_PROBES; ++*ret_looks, at++) {
		const struct pol_cgroup_slot *slot = &slots[at & (POL_CGROUP_SLOTS - 1)];

		if (slot->id == POL_CGROUP_FREE)
			return 0;
		if (slot->id == id)
			return slot->guest;
	}
	return 0;
}

static uint32_t guest_of(uint64_t id)
{
	unsigned int looks;

	return search(id, &looks);
}

/* The @n-th id, from 2 on, whose search begins at @at. */
static uint64_t id_at(uint32_t at, int n)
{
	uint64_t id = POL_CGROUP_GONE;

	while (n >= 0)
		if ((POL_CGROUP_HASH(++id) & (POL_CGROUP_SLOTS - 1)) == at)
			n--;
	return id;
}

Test(engine_cgroups, one_in_the_middle_goes_and_the_next_is_found)
{
	uint64_t ids[3];

	for (int i = 0; i < 3; i++) {
		ids[i] = id_at(POL_CGROUP_SLOTS - 1, i); /* on to the table's head */
		cr_assert_eq(pol_cgroups_put(&engine, ids[i], 2, (uint32_t)i + 1), 0);
	}
	pol_cgroups_drop(&engine, ids[1]);
	cr_assert_eq(guest_of(ids[0]), 1);
	cr_assert_eq(guest_of(ids[1]), 0);
	cr_assert_eq(guest_of(ids[2]), 3);
	pol_cgroups_drop(&engine, ids[1]);
	cr_assert_eq(guest_of(ids[2]), 3);
}

/* What is stopped and started again for ever costs a search of others nothing. */
Test(engine_cgroups, slots_that_were_given_up_are_free_again)
{
	unsigned int looks;

	for (uint64_t id = 2; id < 200000; id++) {
		cr_assert_eq(pol_cgroups_put(&engine, id, 2, 7), 0);
		cr_assert_eq(guest_of(id), 7);
		pol_cgroups_drop(&engine, id);
	}
	for (uint64_t id = 2; id < 1000; id++) {
		cr_assert_eq(search(id, &looks), 0);
		cr_assert_eq(looks, 1);
	}
}

Test(engine_cgroups, at_random_as_a_set_of_them_would)
{
	enum { IDS = 4096, ROUNDS = 200000 };
	static uint32_t guests[IDS];
	unsigned int seed = 20261122, looks;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t at = (uint32_t)rand_r(&seed) % IDS;
		uint64_t id = 2 + at * 4099ull;

		cr_assert_eq(guest_of(id), guests[at]);
		if (guests[at])
			pol_cgroups_drop(&engine, id);
		else
			cr_assert_eq(pol_cgroups_put(&engine, id, 2, at + 1), 0);
		guests[at] = guests[at] ? 0 : at + 1;
	}
	for (uint32_t at = 0; at < IDS; at++)
		if (guests[at])
			pol_cgroups_drop(&engine, 2 + at * 4099ull);
	for (uint32_t at = 0; at < POL_CGROUP_SLOTS; at++)
		cr_assert_eq(slots[at].id, POL_CGROUP_FREE);
	cr_assert_eq(search(2, &looks), 0);
}

Test(engine_cgroups, a_full_stretch_is_said)
{
	for (uint32_t i = 0; i < POL_CGROUP_PROBES; i++)
		cr_assert_eq(pol_cgroups_put(&engine, id_at(5, (int)i), 2, 1), 0);
	cr_assert_eq(pol_cgroups_put(&engine, id_at(5, POL_CGROUP_PROBES), 2, 1), -ENOSPC);
	cr_assert_eq(pol_cgroups_put(&engine, 3, POL_CGROUP_LEVELS, 1), -ERANGE);
}
