/* SPDX-License-Identifier: GPL-2.0-only */
/* The look-ups of guest.bpf.h that are verified once instead of in every hook. */
#include "guest.bpf.h"

__attribute__((noinline)) int pol_guest_of_cgroup_id(u64 id)
{
	u32 at = POL_CGROUP_HASH(id) & (POL_CGROUP_SLOTS - 1);
	const struct pol_cgroup_slot *slot;

	for (u32 i = 0; i < POL_CGROUP_PROBES; i++) {
		slot = bpf_map_lookup_elem(&cgroups, &at);
		if (!slot || slot->id == POL_CGROUP_FREE)
			return 0;
		if (slot->id == id)
			return slot->guest;
		at = (at + 1) & (POL_CGROUP_SLOTS - 1);
	}
	return 0; /* user space builds no longer sequence */
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
