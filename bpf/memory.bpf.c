/* SPDX-License-Identifier: GPL-2.0-only */
/* The ceiling on memory, the memory controller's: what is said when it ends a task. */
#include "charge.bpf.h"

struct css_search {
	u64 css;
	u32 guest;
	u32 found;
};

static int look_at_css(u32 i, struct css_search *search)
{
	const struct cgroup_subsys_state *css = (const void *)search->css;

	if (!css)
		return 1;
	if (pol_guest_of_cgroup_id(BPF_CORE_READ(css, cgroup, kn, id)) == (int)search->guest) {
		search->found = 1;
		return 1;
	}
	search->css = (u64)BPF_CORE_READ(css, parent);
	return 0;
}

/* Of the guest's own cgroup, in or beneath which the current task lies; NULL: there is none. */
POL_SUBPROG const struct mem_cgroup *memory_of(u32 guest)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 nr = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct css_search search = { .guest = guest };

	bpf_core_read(&search.css, sizeof(search.css), &task->cgroups->subsys[nr & 15]);
	bpf_loop(POL_CGROUP_LEVELS, look_at_css, &search, 0);
	if (!search.found)
		return NULL;
	return (const void *)(search.css - bpf_core_field_offset(struct mem_cgroup, css));
}

/*
 * How often a charge found no room below the controller's limit, nor could make some: the lower half;
 * of which cgroup: the upper one, the number of its directory. A guest's next cgroup counts anew.
 */
static __always_inline u64 ooms_of(const struct mem_cgroup *memory)
{
	u64 at = (u64)memory + bpf_core_field_offset(struct mem_cgroup, memory_events), ooms = 0;

	at += bpf_core_enum_value(enum memcg_memory_event, MEMCG_OOM) * sizeof(ooms);
	bpf_probe_read_kernel(&ooms, sizeof(ooms), (const void *)at);
	return (u32)ooms | BPF_CORE_READ(memory, css.cgroup, kn, id) << 32;
}

/*
 * Return: whether it is news: several tasks of an instance end for one shortage; and a shortage of the
 * host, or of a cgroup above, is none of the guest's.
 */
static __always_inline bool take_news(struct pol_guest_state *state, u64 ooms)
{
	u32 instance = POL_COUNT_INSTANCE(state->counts) + 1, before = state->oom_instance;

	if (!(u32)ooms || ooms == state->ooms)
		return false;
	state->ooms = ooms;
	return before != instance &&
	       __sync_val_compare_and_swap(&state->oom_instance, before, instance) == before;
}

/* The first to come here has given its memory back before 6.16: what is told is the most there was. */
__attribute__((noinline)) int pol_tell_oom(u32 guest, u64 generation)
{
	struct pol_guest_state *state = pol_state_of(guest);
	const struct mem_cgroup *memory = memory_of(guest);
	struct pol_event_ceiling body = { .resource = POL_RESOURCE_MEMORY };
	const struct pol_report_head head = {
		.guest = guest,
		.generation = generation,
		.type = POL_TYPE_CEILING,
		.verdict = POL_VERDICT_KILLED,
	};

	if (!state || !memory || !take_news(state, ooms_of(memory)))
		return 0;
	body.now = BPF_CORE_READ(memory, memory.watermark) * PAGE_SIZE;
	body.ceiling = BPF_CORE_READ(memory, memory.max) * PAGE_SIZE;
	pol_event_send_ceiling(&head, &body);
	return 0;
}
