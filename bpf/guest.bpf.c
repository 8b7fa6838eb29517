/* SPDX-License-Identifier: GPL-2.0-only */
/* The look-ups of guest.bpf.h that are verified once instead of in every hook. */
#include "guest.bpf.h"

struct slot_search {
	u64 id;
	u32 at;
	u32 guest;
};

/* Return: 1: the search is over. */
static __always_inline int search_slot(struct slot_search *search)
{
	u32 at = search->at & (POL_CGROUP_SLOTS - 1);
	const struct pol_cgroup_slot *slot = bpf_map_lookup_elem(&cgroups, &at);

	if (!slot || slot->id == POL_CGROUP_FREE)
		return 1;
	if (slot->id == search->id) {
		search->guest = slot->guest;
		return 1;
	}
	search->at = at + 1;
	return 0;
}

static int search_next_slot(u32 i, struct slot_search *search)
{
	return search_slot(search);
}

/* Mostly the first slot decides; user space builds no sequence longer than POL_CGROUP_PROBES. */
__attribute__((noinline)) int pol_guest_of_cgroup_id(u64 id)
{
	struct slot_search search = { .id = id, .at = POL_CGROUP_HASH(id) };

	if (!search_slot(&search))
		bpf_loop(POL_CGROUP_PROBES - 1, search_next_slot, &search, 0);
	return search.guest;
}

struct ancestor_search {
	u64 cgroup;
	u64 level_mask;
	u32 level;
	u32 guest;
};

static int search_level(u32 i, struct ancestor_search *search)
{
	u64 ancestors = search->cgroup + bpf_core_field_offset(struct cgroup, ancestors);
	const struct cgroup *ancestor = NULL;

	if (i >= search->level)
		return 1;
	if (!(search->level_mask & (1ull << (i & (POL_CGROUP_LEVELS - 1)))))
		return 0;
	if (bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)(ancestors + i * 8ull)))
		return 0;
	search->guest = pol_guest_of_cgroup_id(BPF_CORE_READ(ancestor, kn, id));
	return !!search->guest;
}

__attribute__((noinline)) int pol_guest_of_ancestors(u64 cgroup, u32 level, u64 level_mask)
{
	struct ancestor_search search = {
		.cgroup = cgroup, .level = level, .level_mask = level_mask
	};

	bpf_loop(POL_CGROUP_LEVELS, search_level, &search, 0);
	return search.guest;
}
