/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unload.h"

#include <stdint.h>

#include "base.h"
#include "cgroup.h"
#include "engine.h"
#include "foreign.h"
#include "generation.h"
#include "nofile.h"
#include "load.h"
#include "meta.h"
#include "tmpdir.h"

static int refuse_unload(const struct pol_meta *meta, const uint32_t *tasks, struct pol_err *err)
{
	for (size_t i = 0; i < meta->guests_cnt; i++) {
		if (!tasks[meta->guests[i].id])
			continue;
		pol_err_say(err, POL_ERR_FAILED, -EBUSY, "guest '%s' has %u task%s",
			    meta->guests[i].name, tasks[meta->guests[i].id],
			    tasks[meta->guests[i].id] == 1 ? "" : "s");
		return pol_err_fix(err, "stop it, or 'unload --force': its tasks then go on "
					"unconfined");
	}
	return 0;
}

static void remove_cgroups(const struct pol_meta *meta, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < meta->guests_cnt; i++) {
		(void)pol_cgroup_drain(meta->cgroup, meta->guests[i].name);
		(void)pol_cgroup_remove(meta->cgroup, meta->guests[i].name);
	}
	pol_cgroup_remove_parent(meta->cgroup);
}

/* Foreign cgroups as they were, and guests' own gone. */
static void clear_cgroups(const char *store)
{
	pol_foreign_restore(store);
	pol_meta_each(store, remove_cgroups, NULL);
}

int pol_recover(bool *ret_swept, struct pol_err *err)
{
	int r;

	r = pol_store_revive(err);
	if (!r && pol_store_state(POL_STORE) == POL_STORE_IDLE)
		r = pol_store_retire(err);
	if (r < 0)
		return r;
	/* With a store in its place, guests of the same names may have the cgroups again. */
	if (!pol_engine_loaded()) {
		clear_cgroups(POL_STORE_OLD);
		clear_cgroups(POL_STORE_NEW);
	}
	/* What cannot be removed confines nothing, and is in the way of the next unload only. */
	*ret_swept = !pol_store_remove(POL_STORE_OLD);
	*ret_swept = pol_engine_sweep() || *ret_swept;
	return 0;
}

/* Who goes on unconfined; without @force there must be nobody. */
static int count_running(const struct pol_engine *engine, const struct pol_meta *meta, bool force,
			 size_t *ret, struct pol_err *err)
{
	_cleanup_free_ uint32_t *tasks = NULL;
	size_t running = 0;
	int r;

	r = pol_task_counts(engine, &tasks);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot count the guests' tasks");
	r = force ? 0 : refuse_unload(meta, tasks, err);
	for (size_t i = 0; i < meta->guests_cnt; i++)
		running += tasks[meta->guests[i].id];
	*ret = running;
	return r;
}

/*
 * The rename can fail, the store cannot: until the rename nothing has changed, and dead between the
 * two the engine enforces on and the next command puts it back.
 */
static int unload_engine(bool force, size_t *ret_running, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	int r;

	r = pol_engine_open(&engine, err);
	if (!r)
		r = pol_engine_use(engine, true, err);
	if (!r)
		r = pol_meta_load(engine->control->active, &meta, err);
	if (!r)
		r = count_running(engine, meta, force, ret_running, err);
	if (!r)
		r = pol_store_retire(err);
	if (r < 0)
		return r;
	/* A reader that sees the end finds the repeats in the ring; then those of the meantime. */
	(void)pol_folds(engine, POL_ITER_FLUSH);
	/* One store ends it for everybody; links go only some time after their pins. */
	pol_generation_publish(engine, 0);
	(void)pol_folds(engine, POL_ITER_FLUSH);
	for (size_t i = 0; i < meta->guests_cnt; i++)
		(void)pol_nofile_follow(engine, meta->guests[i].id, POL_LIMIT_MAX);
	clear_cgroups(POL_STORE_OLD);
	return 0;
}

int pol_unload(bool force, struct pol_unload_result *ret, struct pol_err *err)
{
	_cleanup_close_ int lock = pol_lock(err);
	struct pol_unload_result result = {};
	int r;

	r = lock < 0 ? lock : pol_recover(&result.swept, err);
	if (r < 0)
		return r;
	result.loaded = pol_engine_loaded();
	if (result.loaded)
		r = unload_engine(force, &result.running, err);
	if (!r) {
		pol_tmp_sweep(NULL);
		r = pol_store_drop(err);
	}
	if (!r)
		*ret = result;
	return r;
}
