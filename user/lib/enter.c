/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enter.h"

#include <errno.h>

#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "generation.h"
#include "root.h"
#include "rooted.h"
#include "store.h"

/* Stops and starts that come between two looks: each time another command was faster. */
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

int pol_guest_read(struct pol_engine *engine, const char *name, struct pol_meta **ret,
		   const struct pol_meta_guest **ret_guest, struct pol_err *err)
{
	int r = pol_engine_use(engine, false, err);

	if (!r)
		r = pol_meta_load(engine->control->active, ret, err);
	pol_engine_unuse(engine);
	return r < 0 ? r : pol_guest_named(*ret, name, ret_guest, err);
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

/* What has to be done before a process can become the guest. */
enum step { STEP_NONE, STEP_CGROUP, STEP_RULES };

/* The command at work. @home: open once it is needed; @since: the generation it began with. */
struct enter {
	struct pol_engine *engine;
	const char *name;
	pid_t pid;
	bool own; /* a root made for it */
	struct pol_home home;
	uint64_t since;
	struct pol_diags *diags;
	struct pol_err *err;
};

static int open_home(struct enter *enter)
{
	int r;

	if (enter->home.root.fd >= 0)
		return 0;
	r = pol_home_open(enter->pid, &enter->home, enter->err);
	enter->home.root.has_run = enter->pid && !enter->own;
	return r;
}

/* Return: enum step; negative errno. */
static int look_at_rules(struct enter *enter, const struct pol_meta *meta,
			 const struct pol_meta_guest *guest)
{
	int r;

	if (!enter->own && !pol_meta_is_rooted(meta, guest))
		return STEP_NONE;
	r = open_home(enter);
	if (r < 0)
		return r;
	/* By another's root with the same numbers it is not settled. */
	if (enter->own && guest->rooted <= enter->since)
		return STEP_RULES;
	r = pol_rooted_settled(enter->engine, guest, &enter->home.id, enter->since);
	if (r < 0)
		return pol_err_set(enter->err, POL_ERR_FAILED, r, "cannot count the guest's tasks");
	return r ? STEP_NONE : STEP_RULES;
}

/* Return: enum step; negative errno. */
static int look(struct enter *enter, struct pol_meta **ret_meta,
		const struct pol_meta_guest **ret_guest, int *ret_cgroup)
{
	struct pol_engine *engine = enter->engine;
	int r = pol_engine_use(engine, false, enter->err);

	if (!r)
		r = pol_meta_load(engine->control->active, ret_meta, enter->err);
	if (!r)
		r = pol_guest_named(*ret_meta, enter->name, ret_guest, enter->err);
	if (r < 0)
		return r;
	r = pol_cgroup_open((*ret_meta)->cgroup, enter->name, ret_cgroup);
	if (r == -ENOENT)
		return STEP_CGROUP;
	if (r < 0)
		return pol_err_set(enter->err, POL_ERR_FAILED, r, "cannot open the cgroup of '%s'",
				   enter->name);
	r = look_at_rules(enter, *ret_meta, *ret_guest);
	if (r)
		pol_closep(ret_cgroup);
	return r;
}

static int take_step(struct enter *enter, int step)
{
	pol_engine_unuse(enter->engine);
	if (step == STEP_CGROUP)
		return make_again(enter->engine, enter->name, enter->err);
	return pol_rooted_resolve(enter->engine, enter->name, &enter->home, enter->own,
				  enter->diags, enter->err);
}

static int enter_guest(struct enter *enter, struct pol_meta **ret_meta,
		       const struct pol_meta_guest **ret_guest, int *ret_cgroup)
{
	for (int i = 0; i < ENTER_TRIES; i++) {
		_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
		int r = look(enter, &meta, ret_guest, ret_cgroup);

		if (!r)
			*ret_meta = TAKE_PTR(meta);
		if (r <= 0)
			return r;
		r = take_step(enter, r);
		if (r < 0)
			return r;
	}
	return pol_err_say(enter->err, POL_ERR_BUSY, -EBUSY,
			   "guest '%s' is stopped or started elsewhere again and again",
			   enter->name);
}

static int enter_from(struct enter *enter, struct pol_meta **ret_meta,
		      const struct pol_meta_guest **ret_guest, int *ret_cgroup)
{
	int r;

	enter->home.root.fd = -EBADF;
	enter->since = enter->engine->control->active;
	r = enter_guest(enter, ret_meta, ret_guest, ret_cgroup);
	pol_home_close(&enter->home);
	return r;
}

int pol_enter(struct pol_engine *engine, const char *name, pid_t pid, struct pol_diags *diags,
	      struct pol_meta **ret_meta, const struct pol_meta_guest **ret_guest, int *ret_cgroup,
	      struct pol_err *err)
{
	struct enter enter = {
		.engine = engine, .name = name, .pid = pid, .diags = diags, .err = err
	};

	return enter_from(&enter, ret_meta, ret_guest, ret_cgroup);
}

int pol_enter_own(struct pol_engine *engine, const char *name, pid_t pid, struct pol_diags *diags,
		  struct pol_meta **ret_meta, const struct pol_meta_guest **ret_guest,
		  int *ret_cgroup, struct pol_err *err)
{
	struct enter enter = {
		.engine = engine, .name = name, .pid = pid, .own = true, .diags = diags, .err = err
	};

	return enter_from(&enter, ret_meta, ret_guest, ret_cgroup);
}

int pol_enter_too(const struct pol_meta *meta, const struct pol_meta_guest *guest, pid_t pid,
		  struct pol_err *err)
{
	struct pol_home home;
	bool same;
	int r;

	if (!pol_meta_is_rooted(meta, guest))
		return 0;
	r = pol_home_open(pid, &home, err);
	if (r < 0)
		return r;
	same = pol_root_same(&home.id, &guest->root);
	pol_home_close(&home);
	if (same)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EBUSY,
		    "the rules of guest '%s' with in = \"guest\" are resolved in another root than "
		    "that of process %d",
		    guest->name, pid);
	return pol_err_fix(err, "give each root a guest of its own");
}
