/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base.h"
#include "enter.h"
#include "generation.h"
#include "load_int.h"
#include "tmpdir.h"
#include "unload.h"

/* ------------------------------------------------------------------ what is there */

static int open_engine(struct transaction *t, struct pol_load_result *result)
{
	int r;

	r = pol_recover(&result->swept, t->err);
	if (r < 0)
		return r;
	if (!pol_engine_loaded()) {
		r = pol_host_require_programs(&t->host, t->err);
		return r < 0 ? r : pol_engine_create(&t->host, &t->engine, t->err);
	}
	r = pol_engine_open(&t->engine, t->err);
	if (r < 0)
		return r;
	r = pol_engine_use(t->engine, true, t->err);
	if (!r)
		r = pol_meta_load(t->engine->control->active, &t->running, t->err);
	if (r < 0)
		return r;
	result->replaced = true;
	return 0;
}

static int resolve(struct transaction *t)
{
	struct pol_region *regions = NULL;
	size_t regions_cnt = 0, held_cnt = 0;
	char **held = NULL;
	int r = 0;

	if (t->running)
		r = pol_meta_regions(t->running, 0, &regions, &regions_cnt, &held, &held_cnt);
	if (!r)
		r = pol_resolve(t->policy, regions, regions_cnt, (const char *const *)held,
				held_cnt, t->diags, &t->places);
	for (size_t i = 0; i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	if (!r || r == -EINVAL) {
		int found = pol_members_find(t->policy, t->diags, &t->joining.finds);

		r = found < 0 ? found : r;
	}
	if (r == -EINVAL)
		return pol_err_say(t->err, POL_ERR_POLICY, r, "the policy cannot be applied here");
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r, "cannot resolve the policy's paths");
	return 0;
}

static int check_members(struct transaction *t)
{
	t->joining.engine = t->engine;
	t->joining.running = t->running;
	t->joining.next = t->next;
	t->joining.force = t->options->force;
	return pol_joining_check(&t->joining, t->err);
}

static int compile(struct transaction *t)
{
	struct pol_image raw = { 0 };
	int r = pol_image_gather(t->policy, t->next, &t->places, &t->anchors, &raw);

	if (!r)
		r = pol_parts_put(&t->parts, POL_PART_HOST, &raw);
	pol_image_done(&raw);
	if (!r)
		r = pol_parts_merge(&t->parts, &t->image);
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r, "cannot compile the policy");
	return 0;
}

/* ------------------------------------------------------------------ publishing */

/* What has to hold, in the kernel and in the cgroups, before the load is said to be done. */
static int settle(struct transaction *t)
{
	int r = pol_engine_selftest(t->engine, t->err);

	if (!r)
		r = pol_load_settle_limits(t, t->running, t->next);
	if (!r && t->running)
		r = pol_load_settle_fds(t, t->running, t->next);
	if (!r)
		r = pol_joining_adopt(&t->joining, t->err);
	if (!r && !t->running)
		r = pol_store_publish(t->err);
	if (!r)
		t->engine->control->settled = t->next->generation;
	return r;
}

/* The first failure is what the caller hears of. */
static void unpublish(struct transaction *t, uint64_t before)
{
	struct pol_err ignored, *err = t->err;

	pol_generation_publish(t->engine, before);
	t->err = &ignored;
	if (t->running)
		(void)pol_load_settle_fds(t, t->next, t->running);
	t->err = err;
}

/* Before anything is made: its names, so that the next load can undo what this one left. */
static int announce(struct transaction *t)
{
	int r = t->running ? 0 : pol_engine_pin(t->engine, t->err);

	if (!r)
		r = pol_meta_announce(t->next, !t->running, t->err);
	if (!r)
		t->engine->control->next_guest = t->next_guest;
	return r;
}

/* Which mounts are the host's: those of whoever loads. */
static int note_mounts(struct transaction *t)
{
	struct stat st;

	if (stat("/proc/self/ns/mnt", &st))
		return pol_err_set(t->err, POL_ERR_FAILED, -errno,
				   "cannot look at /proc/self/ns/mnt");
	t->engine->control->mounts = st.st_ino;
	return 0;
}

static int publish(struct transaction *t)
{
	uint64_t before = t->engine->control->active;
	int r;

	r = note_mounts(t);
	if (!r)
		r = pol_meta_store(t->next, !t->running, t->err);
	if (!r)
		r = pol_parts_store(t->next->generation, &t->parts, !t->running, t->err);
	if (r < 0)
		return r;
	pol_generation_publish(t->engine, t->next->generation);
	r = settle(t);
	t->published = !r;
	if (r < 0)
		unpublish(t, before);
	return r;
}

struct undo {
	struct transaction *t;
	int result;
};

/* Ceilings that a load had raised which died before it published. */
static void undo_raised(const struct pol_meta *meta, void *arg)
{
	struct undo *undo = arg;
	int r;

	if (meta->generation <= undo->t->running->generation)
		return;
	r = pol_load_settle_limits(undo->t, meta, undo->t->running);
	if (r < 0)
		undo->result = r;
}

/* What a load left undone that died: its ceilings; its cgroups. */
static int finish_other(struct transaction *t)
{
	struct undo undo = { .t = t };
	struct leavers leavers = { .engine = t->engine, .now = t->running };
	_cleanup_(pol_meta_freep) struct pol_meta *before = NULL;
	uint64_t active = t->engine->control->active;
	int r;

	pol_meta_each(POL_STORE, undo_raised, &undo);
	r = undo.result;
	if (!r && t->engine->control->settled != active) {
		(void)pol_meta_load(active - 1, &before, NULL);
		r = pol_load_settle_limits(t, before, t->running);
		if (!r)
			r = pol_load_settle_fds(t, before ? before : t->running, t->running);
		if (!r)
			t->engine->control->settled = active;
	}
	pol_load_detach_groups(t, t->running);
	pol_joining_recover(t->engine, t->running);
	pol_meta_each(POL_STORE, pol_load_drop_leavers_of, &leavers);
	pol_generation_sweep(active);
	return r;
}

int pol_load_finish(struct pol_engine *engine, struct pol_meta *running, struct pol_err *err)
{
	struct transaction t = { .engine = engine, .running = running, .err = err };

	return finish_other(&t);
}

static void transaction_done(struct transaction *t)
{
	if (!t->published && t->engine)
		pol_engine_undo_attach(t->engine);
	if (!t->published && t->engine)
		pol_joining_undo(&t->joining);
	if (!t->published && t->engine && t->made)
		pol_load_undo_cgroups(t);
	if (!t->published && t->tmp_made)
		pol_tmp_sweep(t->running);
	if (!t->published && t->running && t->next)
		pol_generation_sweep(t->running->generation);
	if (!t->published && !t->running)
		(void)pol_engine_sweep();
	pol_engine_close(t->engine);
	pol_meta_free(t->running);
	pol_meta_free(t->next);
	pol_joining_done(&t->joining);
	pol_places_done(&t->places);
	pol_anchors_done(&t->anchors);
	pol_parts_done(&t->parts);
	pol_image_done(&t->image);
	free(t->tasks);
	free(t->made);
	pol_closep(&t->lock);
}

static int prepare(struct transaction *t, struct pol_load_result *result)
{
	int r;

	r = pol_host_require(&t->host, t->err);
	if (!r)
		r = t->lock = pol_lock(t->err);
	if (r >= 0)
		r = open_engine(t, result);
	if (!r && t->running)
		r = finish_other(t);
	if (!r) {
		t->tmp_made = true;
		r = pol_tmp_make(t->policy, t->err);
	}
	if (!r)
		r = resolve(t);
	if (r < 0)
		return r;
	r = pol_meta_new(t->policy, &t->places, &t->next);
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r, "cannot compile the policy");
	t->next->generation = t->engine->control->active + 1;
	r = pol_load_take_anchors(t);
	if (!r)
		r = pol_load_assign_ids(t);
	if (!r)
		r = pol_load_check_leavers(t);
	if (!r)
		r = check_members(t);
	if (!r)
		r = pol_load_carry_guests(t);
	return r < 0 ? r : compile(t);
}

static void tell(struct transaction *t)
{
	for (size_t i = 0; i < t->policy->guests_cnt; i++)
		if (t->made[i])
			pol_note(t->engine, t->next->guests[i].id, POL_ACTION_CREATED);
	pol_note(t->engine, POL_GUEST_ENGINE,
		 t->running ? POL_ACTION_REPLACED : POL_ACTION_LOADED);
}

int pol_load(struct pol_policy *policy, const struct pol_load_options *options,
	     struct pol_diags *diags, struct pol_load_result *ret, struct pol_err *err)
{
	_cleanup_(transaction_done) struct transaction t = {
		.policy = policy,
		.options = options,
		.diags = diags,
		.err = err,
		.lock = -EBADF,
	};
	struct pol_load_result result = {};
	int r;

	r = prepare(&t, &result);
	if (r < 0)
		return r;
	result.generation = t.next->generation;
	result.guests = policy->guests_cnt;
	result.rules = t.next->rules_cnt;
	*ret = result;
	if (options->dry_run)
		return 0;
	r = pol_load_attach_groups(&t); /* first: announce() pins a new engine's links */
	if (!r)
		r = announce(&t);
	if (!r)
		r = pol_load_make_cgroups(&t);
	if (!r)
		r = pol_joining_raise(&t.joining, err);
	if (!r)
		r = pol_generation_stage(t.engine, &t.image, t.next, err);
	if (!r)
		r = publish(&t);
	if (r < 0)
		return r;
	pol_load_detach_groups(&t, t.next);
	pol_joining_finish(&t.joining);
	pol_load_warn_of_ceilings(&t);
	pol_joining_warn(&t.joining, diags);
	pol_load_drop_leavers(&t);
	pol_tmp_sweep(t.next);
	tell(&t);
	return 0;
}
