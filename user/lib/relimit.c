/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relimit.h"

#include <string.h>

#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "enter.h"
#include "foreign.h"
#include "generation.h"
#include "load.h"
#include "nofile.h"
#include "parts.h"

/* A change in the making. Undone by relimit_done() unless @published. */
struct relimit {
	struct pol_engine *engine;
	struct pol_err *err;
	struct pol_meta *running;
	struct pol_meta *next;
	const struct pol_meta_guest *before; /* in @running */
	struct pol_meta_guest *guest;	     /* in @next */
	bool announced;
	bool published;
};

/* ------------------------------------------------------------------ its cgroup, its descriptors */

/* A guest that was stopped has none: who makes it again writes what the meta says. */
static int write_ceilings(const struct relimit *r, const struct pol_limits *from,
			  const struct pol_limits *to, bool raise, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int code = pol_cgroup_open(r->next->cgroup, r->guest->name, &fd);

	if (code == -ENOENT)
		return 0;
	if (code < 0)
		return pol_err_set(err, POL_ERR_FAILED, code, "cannot open the cgroup of '%s'",
				   r->guest->name);
	return pol_ceilings_write(fd, r->guest->name, from, to, raise, err);
}

static int follow_fds(const struct relimit *r, const struct pol_limits *from,
		      const struct pol_limits *to, struct pol_err *err)
{
	int code = pol_held_follow(r->engine, r->guest->id, from, to);

	return code < 0 ? pol_err_set(err, POL_ERR_FAILED, code,
				      "cannot apply the ceiling of descriptors of '%s'",
				      r->guest->name)
			: 0;
}

static void relimit_done(struct relimit *r)
{
	struct pol_err ignored; /* the first failure is what the caller hears of */

	if (r->announced && !r->published) {
		(void)write_ceilings(r, &r->guest->limits, &r->before->limits, false, &ignored);
		pol_generation_sweep(r->running->generation);
	}
	if (!r->published)
		pol_engine_undo_attach(r->engine);
	pol_engine_unuse(r->engine);
	pol_meta_free(r->running);
	pol_meta_free(r->next);
}

/* ------------------------------------------------------------------ what is asked for */

static int open_running(struct relimit *r, const char *name)
{
	uint64_t active = r->engine->control->active;
	const struct pol_meta_guest *guest;
	int code = pol_meta_load(active, &r->running, r->err);

	/* What a load left that died is put right first. */
	if (!code &&
	    (r->engine->control->settled != active || pol_generation_is_announced(active + 1)))
		code = pol_load_finish(r->engine, r->running, r->err);
	if (!code)
		code = pol_meta_load(active, &r->next, r->err);
	if (!code)
		code = pol_guest_named(r->next, name, &guest, r->err);
	if (code < 0)
		return code;
	r->next->generation = active + 1;
	r->guest = &r->next->guests[guest - r->next->guests];
	r->before = pol_meta_guest(r->running, name);
	return 0;
}

static bool same_in_cgroup(const struct pol_limits *a, const struct pol_limits *b)
{
	return a->pids == b->pids && a->memory_bytes == b->memory_bytes &&
	       a->swap_bytes == b->swap_bytes && a->cpu_milli == b->cpu_milli;
}

struct search {
	uint32_t guest;
	bool found;
};

static int look_at_foreign(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct search *search = arg;

	(void)cgroup;
	search->found |= foreign->guest == search->guest;
	return 0;
}

/* In each of these its ceilings stand in full, some of them by systemd. */
static int check_foreign(const struct relimit *r)
{
	struct search search = { .guest = r->guest->id };
	int code = pol_foreign_each(r->engine->maps[POL_MAP_FOREIGN], look_at_foreign, &search);

	if (code < 0)
		return pol_err_set(r->err, POL_ERR_FAILED, code, "cannot list the guests' cgroups");
	if (!search.found)
		return 0;
	pol_err_say(r->err, POL_ERR_FAILED, -EOPNOTSUPP,
		    "guest '%s' lies in cgroups of somebody else's: of its ceilings only that of "
		    "descriptors can be changed alone",
		    r->guest->name);
	return pol_err_fix(r->err, "change the policy, and load it");
}

/* ------------------------------------------------------------------ publishing */

static int carry_parts(const struct relimit *r)
{
	_cleanup_(pol_parts_done) struct pol_parts parts = {};
	int code;

	if (!pol_parts_stored(r->running->generation))
		return 0;
	code = pol_parts_load(r->running->generation, &parts, r->err);
	return code < 0 ? code : pol_parts_store(r->next->generation, &parts, false, r->err);
}

static int stage(struct relimit *r)
{
	int code = pol_has_fds(&r->guest->limits)
			   ? pol_engine_attach(r->engine, POL_GROUP_FDS, r->err)
			   : 0;

	if (code < 0)
		return code;
	r->announced = true;
	code = pol_meta_announce(r->next, false, r->err);
	if (!code)
		code = write_ceilings(r, &r->before->limits, &r->guest->limits, true, r->err);
	if (!code)
		code = pol_generation_carry(r->engine, r->next, r->err);
	if (!code)
		code = pol_meta_store(r->next, false, r->err);
	return code ? code : carry_parts(r);
}

static int publish(struct relimit *r)
{
	const struct pol_limits *from = &r->before->limits, *to = &r->guest->limits;
	uint64_t before = r->running->generation;
	struct pol_err ignored;
	int code;

	pol_generation_publish(r->engine, r->next->generation);
	code = write_ceilings(r, from, to, false, r->err);
	if (!code)
		code = follow_fds(r, from, to, r->err);
	if (code < 0) {
		pol_generation_publish(r->engine, before);
		(void)follow_fds(r, to, from, &ignored);
		return code;
	}
	r->published = true;
	r->engine->control->settled = r->next->generation;
	pol_parts_forget(before);
	pol_generation_sweep(r->next->generation);
	pol_note(r->engine, POL_GUEST_ENGINE, POL_ACTION_REPLACED);
	return 0;
}

static int relimit(struct relimit *r, const char *name,
		   void (*change)(struct pol_limits *limits, const void *arg), const void *arg)
{
	int code = open_running(r, name);
	bool same;

	if (code < 0)
		return code;
	change(&r->guest->limits, arg);
	same = same_in_cgroup(&r->before->limits, &r->guest->limits);
	if (same && r->before->limits.fds == r->guest->limits.fds)
		return 0;
	code = same ? 0 : check_foreign(r);
	if (!code)
		code = stage(r);
	return code ? code : publish(r);
}

int pol_relimit(struct pol_engine *engine, const char *name,
		void (*change)(struct pol_limits *limits, const void *arg), const void *arg,
		struct pol_err *err)
{
	_cleanup_close_ int lock = pol_lock_wait(err);
	int code = lock < 0 ? lock : pol_engine_use(engine, true, err);

	if (code < 0)
		return code;
	{
		_cleanup_(relimit_done) struct relimit r = { .engine = engine, .err = err };

		return relimit(&r, name, change, arg);
	}
}
