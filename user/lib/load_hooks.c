/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a load: hooks that some policies need, and what they count. */
#include <bpf/bpf.h>

#include "base.h"
#include "load_int.h"
#include "nofile.h"

static bool counts_fds(const struct pol_meta *meta)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (!meta->guests[i].ghost && pol_has_fds(&meta->guests[i].limits))
			return true;
	return false;
}

/* Hooks that are attached while some guest's policy sets a knob. */
static const struct {
	enum pol_group group;
	uint32_t knob;
} knob_groups[] = {
	{ POL_GROUP_STAT, POL_GUEST_STAT },
	{ POL_GROUP_FORK, POL_GUEST_EVENT_FORK },
	{ POL_GROUP_EXEC, POL_GUEST_EVENT_EXEC },
	{ POL_GROUP_SHADOW, POL_GUEST_SHADOW },
};

/* Ghosts, too: what they may not look at they don't see as long as they live. */
static bool some_guest_has(const struct pol_meta *meta, uint32_t knob)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (meta->guests[i].knobs & knob)
			return true;
	return false;
}

int pol_load_attach_groups(struct transaction *t)
{
	int r = 0;

	if (counts_fds(t->next))
		r = pol_engine_attach(t->engine, POL_GROUP_FDS, t->err);
	for (size_t i = 0; i < ARRAY_SIZE(knob_groups) && !r; i++)
		if (some_guest_has(t->next, knob_groups[i].knob))
			r = pol_engine_attach(t->engine, knob_groups[i].group, t->err);
	return r;
}

/* Of a snapshot that outlives the policy it was made by, the end is yet to be seen. */
static bool is_needed_still(const struct pol_engine *engine, enum pol_group group)
{
	struct pol_memory_file first;

	return group == POL_GROUP_SHADOW &&
	       bpf_map_get_next_key(engine->maps[POL_MAP_SNAPSHOTS], NULL, &first) == 0;
}

void pol_load_detach_groups(struct transaction *t, const struct pol_meta *meta)
{
	for (size_t i = 0; i < ARRAY_SIZE(knob_groups); i++)
		if (!some_guest_has(meta, knob_groups[i].knob) &&
		    !is_needed_still(t->engine, knob_groups[i].group))
			pol_engine_detach(t->engine, knob_groups[i].group);
}

int pol_load_settle_fds(struct transaction *t, const struct pol_meta *from, const struct pol_meta *to)
{
	int r = 0;

	for (size_t i = 0; i < to->guests_cnt && !r; i++) {
		const struct pol_meta_guest *guest = &to->guests[i];
		const struct pol_meta_guest *before = pol_meta_guest(from, guest->name);

		if (!guest->ghost && before)
			r = pol_held_follow(t->engine, guest->id, &before->limits, &guest->limits);
	}
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r,
				   "cannot apply the ceilings of descriptors");
	return 0;
}
