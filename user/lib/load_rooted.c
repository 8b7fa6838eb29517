/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a load: rules of a guest's own root (in = "guest"), which outlive a load. */
#include <errno.h>

#include "base.h"
#include "generation.h"
#include "load_int.h"
#include "rooted.h"

/*
 * What a guest's own rules are on stays what it was when it started: looked up again now, it could
 * choose what is found.
 */
static int carry_guest(struct transaction *t, const struct pol_parts *running,
		       struct pol_meta_guest *guest)
{
	const struct pol_meta_guest *before =
		t->running ? pol_meta_guest(t->running, guest->name) : NULL;
	bool runs = before && t->tasks[before->id];
	const struct pol_image *part = before ? pol_parts_find(running, before->id) : NULL;
	struct pol_image raw = { 0 };
	int r;

	if (runs && !pol_rooted_has_all(t->running, before, t->next, guest, t->diags))
		return -EINVAL;
	if (!part || (!runs && (t->options->reanchor || before->own_root)))
		return 0;
	r = pol_meta_carry(t->running, before, t->next, guest);
	if (!r && !pol_rooted_agrees(t->next, guest, t->diags))
		return -EINVAL;
	if (!r)
		r = pol_parts_carry(part, t->running, before, t->next, guest, &raw);
	if (!r)
		r = pol_parts_put(&t->parts, guest->id, &raw);
	pol_image_done(&raw);
	return r;
}

/* Rules of its own root's, or a root that `run` has made for it. */
static bool has_part(const struct transaction *t, size_t guest)
{
	const struct pol_meta_guest *before =
		t->running ? pol_meta_guest(t->running, t->policy->guests[guest].name) : NULL;

	return pol_guest_is_rooted(&t->policy->guests[guest]) || (before && before->own_root);
}

int pol_load_carry_guests(struct transaction *t)
{
	_cleanup_(pol_parts_done) struct pol_parts running = { 0 };
	int r = 0, result = 0;

	if (t->running && pol_parts_stored(t->running->generation))
		r = pol_parts_load(t->running->generation, &running, t->err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->policy->guests_cnt; i++) {
		if (!has_part(t, i))
			continue;
		r = carry_guest(t, &running, &t->next->guests[i]);
		if (r < 0 && r != -EINVAL)
			return pol_err_set(t->err, POL_ERR_FAILED, r, "cannot compile the policy");
		result = r ? r : result;
	}
	if (!result)
		return 0;
	return pol_err_say(t->err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}
