/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enter.h"

#include <errno.h>

#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "generation.h"
#include "store.h"

/* Stops that come between two looks at the cgroup: each time another command was faster. */
#define ENTER_TRIES 8

int pol_guest_named(const struct pol_meta *meta, const char *name,
		    const struct pol_meta_guest **ret, struct pol_err *err)
{
	const struct pol_meta_guest *guest = pol_meta_guest(meta, name);

	*ret = guest;
	if (guest && !guest->ghost)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -ENOENT, "the policy has no guest '%s'", name);
	return pol_err_fix(err, "'policyctl status' lists them");
}

int pol_home_make(struct pol_engine *engine, const char *parent, struct pol_meta_guest *guest,
		  const struct pol_limits *before, bool raise, bool *ret_created,
		  struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	unsigned int level;
	int r;

	*ret_created = false;
	r = pol_cgroup_create(parent, guest->name, &fd, &guest->cgroup_id, &level, ret_created,
			      err);
	if (!r)
		r = pol_ceilings_write(fd, guest->name, before, &guest->limits, raise, err);
	if (r < 0)
		return r;
	r = pol_cgroups_put(engine, guest->cgroup_id, level, guest->id);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot register the cgroup of '%s'",
				   guest->name);
	return 0;
}

/* A cgroup that a stop has removed, once more. */
static int make_again(struct pol_engine *engine, const char *name, struct pol_err *err)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int lock = pol_lock(err);
	const struct pol_meta_guest *guest = NULL;
	struct pol_meta_guest home;
	bool created = false;
	int r;

	r = lock < 0 ? lock : pol_meta_load(engine->control->active, &meta, err);
	if (!r)
		r = pol_guest_named(meta, name, &guest, err);
	if (r < 0)
		return r;
	pol_cgroups_sweep(engine, guest->id);
	home = *guest;
	r = pol_cgroup_enable(meta->cgroup, err);
	if (!r)
		r = pol_home_make(engine, meta->cgroup, &home, NULL, false, &created, err);
	if (r < 0 && created)
		(void)pol_cgroup_remove(meta->cgroup, name);
	if (!r && created)
		pol_note(engine, guest->id, POL_ACTION_CREATED);
	return r;
}

static int look(struct pol_engine *engine, const char *name, struct pol_meta **ret_meta,
		const struct pol_meta_guest **ret_guest, int *ret_cgroup, struct pol_err *err)
{
	int r = pol_engine_use(engine, false, err);

	if (!r)
		r = pol_meta_load(engine->control->active, ret_meta, err);
	if (!r)
		r = pol_guest_named(*ret_meta, name, ret_guest, err);
	if (r < 0)
		return r;
	r = pol_cgroup_open((*ret_meta)->cgroup, name, ret_cgroup);
	if (!r || r == -ENOENT)
		return r ? 1 : 0;
	return pol_err_set(err, POL_ERR_FAILED, r, "cannot open the cgroup of '%s'", name);
}

int pol_enter(struct pol_engine *engine, const char *name, struct pol_meta **ret_meta,
	      const struct pol_meta_guest **ret_guest, int *ret_cgroup, struct pol_err *err)
{
	for (int i = 0; i < ENTER_TRIES; i++) {
		_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
		int r = look(engine, name, &meta, ret_guest, ret_cgroup, err);

		if (!r)
			*ret_meta = TAKE_PTR(meta);
		if (r <= 0)
			return r;
		pol_engine_unuse(engine);
		r = make_again(engine, name, err);
		if (r < 0)
			return r;
	}
	return pol_err_say(err, POL_ERR_BUSY, -EBUSY, "guest '%s' is stopped again and again", name);
}
