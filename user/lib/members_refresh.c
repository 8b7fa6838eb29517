/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "members_refresh.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "cgroup.h"
#include "engine.h"
#include "enter.h"
#include "generation.h"
#include "load.h"
#include "load_members.h"
#include "proc.h"
#include "store.h"
#include "str.h"
#include "tmpdir.h"

/* @policy: of the running one, what members are looked up by. @take: pol_lock() or pol_lock_wait(). */
struct refresh {
	struct pol_engine *engine;
	struct pol_meta *meta;
	struct pol_policy policy;
	struct pol_diags *diags;
	struct pol_err *err;
	int (*take)(struct pol_err *err);
	int lock;
};

static void refresh_done(struct refresh *refresh)
{
	free(refresh->policy.guests);
	pol_meta_free(refresh->meta);
	pol_engine_close(refresh->engine);
	pol_closep(&refresh->lock);
}

/* The same guests, in the same order; their members are given one by one. */
static int make_policy(struct refresh *refresh)
{
	const struct pol_meta *meta = refresh->meta;
	struct pol_policy *policy = &refresh->policy;

	policy->guests = calloc(meta->guests_cnt + 1, sizeof(*policy->guests));
	if (!policy->guests)
		return pol_err_set(refresh->err, POL_ERR_FAILED, -ENOMEM,
				   "cannot look for members");
	policy->cgroup = meta->cgroup;
	policy->guests_cnt = meta->guests_cnt;
	for (size_t i = 0; i < meta->guests_cnt; i++)
		policy->guests[i].name = meta->guests[i].name;
	return 0;
}

static int begin(struct refresh *refresh)
{
	int r = 0;

	if (!refresh->engine)
		r = pol_engine_open(&refresh->engine, refresh->err);
	if (!r)
		r = refresh->lock = refresh->take(refresh->err);
	if (r >= 0)
		r = pol_engine_use(refresh->engine, true, refresh->err);
	if (!r)
		r = pol_meta_load(refresh->engine->control->active, &refresh->meta, refresh->err);
	if (!r)
		r = pol_load_finish(refresh->engine, refresh->meta, refresh->err);
	return r ? r : make_policy(refresh);
}

/* Return: 0; -EINVAL: @diags says why. */
static int find(struct refresh *refresh, size_t guest, struct pol_member *member,
		struct pol_finds *ret)
{
	struct pol_guest *at = &refresh->policy.guests[guest];
	int r;

	at->members = member;
	at->members_cnt = 1;
	r = pol_members_find(&refresh->policy, refresh->diags, ret);
	at->members_cnt = 0;
	if (r == -EINVAL)
		return pol_err_say(refresh->err, POL_ERR_FAILED, r,
				   "a member of guest '%s' is refused", at->name);
	return r ? pol_err_set(refresh->err, POL_ERR_FAILED, r, "cannot look for members") : 0;
}

/* Those of @finds, or nobody. The others are not looked at: by force, as if they left. */
static int join(struct refresh *refresh, struct pol_finds *finds, struct pol_refresh_result *ret)
{
	struct pol_joining joining = {
		.engine = refresh->engine,
		.running = refresh->meta,
		.next = refresh->meta,
		.finds = *finds,
		.force = true,
	};
	int r = pol_joining_check(&joining, refresh->err);

	if (!r)
		r = pol_joining_raise(&joining, refresh->err);
	if (!r)
		r = pol_joining_adopt(&joining, refresh->err);
	if (r < 0) {
		pol_joining_undo(&joining);
		return r;
	}
	pol_joining_settle(&joining);
	for (size_t i = 0; i < finds->cnt; i++)
		ret->adopted |= !finds->items[i].known;
	ret->held = true;
	return 0;
}

/*
 * Between its fork and its program a unit's process is systemd's own, by the name "(web)", and sets
 * itself up: confined now it could fail to. "(sd-pam)" stays so.
 */
static bool is_starting(const struct pol_found *found)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct pol_proc process;
	size_t cnt = 0;

	if (!found->unit || pol_cgroup_procs(found->fd, &pids, &cnt) < 0)
		return false;
	for (size_t i = 0; i < cnt; i++)
		if (!pol_proc_read(pids[i], &process) && process.comm[0] == '(' &&
		    strcmp(process.comm, "(sd-pam)") != 0)
			return true;
	return false;
}

static int refresh_member(struct refresh *refresh, size_t guest, struct pol_member *member,
			  struct pol_refresh_result *ret)
{
	_cleanup_(pol_finds_done) struct pol_finds finds = {};
	int r = find(refresh, guest, member, &finds);

	if (!r && finds.cnt && finds.items[0].in_place)
		ret->held = true;
	else if (!r && finds.cnt && is_starting(&finds.items[0]))
		ret->starting = true;
	else if (!r && finds.cnt)
		r = join(refresh, &finds, ret);
	return r;
}

static int refresh_unit(struct refresh *refresh, const char *unit, struct pol_refresh_result *ret)
{
	int r = 0;

	for (size_t i = 0; i < refresh->meta->guests_cnt && !r; i++) {
		const struct pol_meta_guest *guest = &refresh->meta->guests[i];

		for (size_t k = 0; k < guest->members_cnt && !r; k++)
			if (guest->members[k].kind == POL_MEMBER_UNIT &&
			    !strcmp(guest->members[k].text, unit))
				r = refresh_member(refresh, i, &guest->members[k], ret);
	}
	return r;
}

int pol_members_refresh(const char *unit, struct pol_diags *diags, struct pol_refresh_result *ret,
			struct pol_err *err)
{
	_cleanup_(refresh_done) struct refresh refresh = {
		.diags = diags, .err = err, .take = pol_lock, .lock = -EBADF
	};
	int r = begin(&refresh);

	*ret = (struct pol_refresh_result){ 0 };
	return r ? r : refresh_unit(&refresh, unit, ret);
}

/* ------------------------------------------------------------------ here */

/* Where it is, who it becomes. */
struct here {
	const char *guest;
	pid_t pid;
	char path[1024];
};

static int refuse_here(const struct refresh *refresh, const struct here *here)
{
	pol_err_say(refresh->err, POL_ERR_FAILED, -EPERM,
		    "process %d is in cgroup '%s', which is no member of guest '%s'", here->pid,
		    here->path, here->guest);
	return pol_err_fix(refresh->err, "name its unit in members.units, or the cgroup in "
					 "members.cgroups, and load");
}

/* Return: 1: it is this member's, and adopted; 0: it is not. */
static int adopt_here(struct refresh *refresh, size_t guest, struct pol_member *member,
		      const struct here *here)
{
	_cleanup_(pol_finds_done) struct pol_finds finds = {};
	struct pol_refresh_result ignored = {};
	int r = find(refresh, guest, member, &finds);

	if (r < 0 || !finds.cnt || !pol_path_lies_in(here->path, finds.items[0].path))
		return r;
	r = join(refresh, &finds, &ignored);
	return r < 0 ? r : 1;
}

static int adopt_by_member(struct refresh *refresh, const struct here *here)
{
	const struct pol_meta_guest *guest;
	int r = pol_guest_named(refresh->meta, here->guest, &guest, refresh->err);

	if (!r && pol_tmp_has(guest)) {
		pol_err_say(refresh->err, POL_ERR_FAILED, -EOPNOTSUPP,
			    "guest '%s' has tmp = \"private\", which is not made in place",
			    here->guest);
		return pol_err_fix(refresh->err,
				   "set PrivateTmp=yes in the unit, and take tmp away");
	}
	if (!r && pol_meta_is_mapped(refresh->meta, guest)) {
		pol_err_say(refresh->err, POL_ERR_FAILED, -EOPNOTSUPP,
			    "guest '%s' has guest_path in its rules, and no root is made in place",
			    here->guest);
		return pol_err_fix(refresh->err, "take guest_path away, or run without --in-place");
	}
	for (size_t i = 0; !r && i < guest->members_cnt; i++)
		if (guest->members[i].kind == POL_MEMBER_CGROUP ||
		    guest->members[i].kind == POL_MEMBER_UNIT)
			r = adopt_here(refresh, (size_t)(guest - refresh->meta->guests),
				       &guest->members[i], here);
	if (r)
		return r < 0 ? r : 0;
	return refuse_here(refresh, here);
}

/* Rules on the guest's own root are looked up in that of the process. */
static int enter(struct refresh *refresh, const struct here *here)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int cgroup = -EBADF;
	const struct pol_meta_guest *guest;
	int r = pol_engine_open(&refresh->engine, refresh->err);

	if (!r)
		r = pol_enter(refresh->engine, here->guest, here->pid, refresh->diags, &meta,
			      &guest, &cgroup, refresh->err);
	if (!r)
		pol_engine_unuse(refresh->engine);
	return r;
}

int pol_members_adopt_here(const char *guest, pid_t pid, struct pol_diags *diags,
			   struct pol_err *err)
{
	_cleanup_(refresh_done) struct refresh refresh = {
		.diags = diags, .err = err, .take = pol_lock_wait, .lock = -EBADF
	};
	struct here here = { .guest = guest, .pid = pid };
	int r = pol_cgroup_name_of_pid(pid, here.path, sizeof(here.path));

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot see the cgroup of process %d",
				   pid);
	r = enter(&refresh, &here);
	if (!r)
		r = begin(&refresh);
	return r ? r : adopt_by_member(&refresh, &here);
}
