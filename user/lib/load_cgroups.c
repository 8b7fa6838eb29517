/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a load: the guests' cgroups and the ceilings in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "diag_codes.h"
#include "enter.h"
#include "generation.h"
#include "load_int.h"

/* What @meta (or NULL) has written for a guest into the cgroup that it has below @parent. */
static const struct pol_limits *limits_of(const struct pol_meta *meta, const char *parent,
					  const char *name)
{
	const struct pol_meta_guest *guest = NULL;

	if (meta && strcmp(meta->cgroup, parent) == 0)
		guest = pol_meta_guest(meta, name);
	return guest ? &guest->limits : NULL;
}

static int make_cgroup(struct transaction *t, size_t i)
{
	struct pol_meta_guest *guest = &t->next->guests[i];
	const struct pol_limits *before = limits_of(t->running, t->next->cgroup, guest->name);
	int r = pol_home_make(t->engine, t->next->cgroup, guest, before, true, &t->made[i], t->err);

	if (!r || t->made[i])
		t->made_cnt = i + 1;
	return r;
}

int pol_load_settle_limits(struct transaction *t, const struct pol_meta *from,
			   const struct pol_meta *to)
{
	int r, result = 0;

	for (size_t i = 0; i < to->guests_cnt; i++) {
		const struct pol_meta_guest *guest = &to->guests[i];
		_cleanup_close_ int fd = -EBADF;

		if (guest->ghost || pol_cgroup_open(to->cgroup, guest->name, &fd) < 0)
			continue;
		r = pol_ceilings_write(fd, guest->name, limits_of(from, to->cgroup, guest->name),
				       &guest->limits, false, t->err);
		if (r < 0 && !result)
			result = r;
	}
	return result;
}

int pol_load_make_cgroups(struct transaction *t)
{
	int r = pol_cgroup_enable(t->next->cgroup, t->err);

	t->made = calloc(t->next->guests_cnt + 1, sizeof(*t->made));
	if (!t->made)
		return pol_err_set(t->err, POL_ERR_FAILED, -ENOMEM, "cannot make the cgroups");
	for (size_t i = 0; i < t->policy->guests_cnt && !r; i++)
		r = make_cgroup(t, i);
	return r;
}

/* best_effort: what the policy asks for and is not held must be known all the same. */
void pol_load_warn_of_ceilings(struct transaction *t)
{
	for (size_t i = 0; i < t->policy->guests_cnt; i++) {
		const struct pol_guest *guest = &t->policy->guests[i];
		_cleanup_close_ int fd = -EBADF;
		const char *file;

		if (pol_cgroup_open(t->next->cgroup, guest->name, &fd) < 0)
			continue;
		file = pol_ceilings_lacking(fd, &guest->limits);
		if (file)
			pol_diag_add(t->diags, true, POL_P_CEILING, guest->line, guest->col,
				     "'policyctl doctor' lists the controllers",
				     "guest '%s': this host has no %s, and the ceiling is not held "
				     "(best_effort)",
				     guest->name, file);
	}
}

/* What running guests have; nobody else is registered any more. */
void pol_load_undo_cgroups(struct transaction *t)
{
	struct pol_err ignored;

	for (size_t i = t->made_cnt; i-- > 0;) {
		const struct pol_meta_guest *guest = &t->next->guests[i];

		if (!t->running || !pol_meta_guest(t->running, guest->name))
			pol_cgroups_drop(t->engine, guest->cgroup_id);
		if (t->made[i])
			(void)pol_cgroup_remove(t->next->cgroup, guest->name);
	}
	if (!t->running) {
		pol_cgroup_remove_parent(t->next->cgroup);
		return;
	}
	t->err = &ignored; /* the first failure is what the caller hears of */
	(void)pol_load_settle_limits(t, t->next, t->running);
}

/* A guest's cgroup by its name, for a load that died before it wrote the number down. */
static uint64_t look_up_cgroup(const char *parent, const char *name)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t id = POL_CGROUP_FREE;

	if (!pol_cgroup_open(parent, name, &fd))
		(void)pol_cgroup_id(fd, &id);
	return id;
}

void pol_load_drop_leavers_of(const struct pol_meta *meta, void *arg)
{
	struct leavers *leavers = arg;
	bool moved = strcmp(meta->cgroup, leavers->now->cgroup) != 0;

	for (size_t i = 0; i < meta->guests_cnt; i++) {
		const char *name = meta->guests[i].name;
		uint64_t id;

		if (!moved && pol_meta_guest(leavers->now, name))
			continue;
		id = look_up_cgroup(meta->cgroup, name);
		if (id > POL_CGROUP_GONE)
			pol_cgroups_drop(leavers->engine, id);
		(void)pol_cgroup_remove(meta->cgroup, name);
	}
	if (moved)
		pol_cgroup_remove_parent(meta->cgroup);
}

void pol_load_drop_leavers(struct transaction *t)
{
	struct leavers leavers = { .engine = t->engine, .now = t->next };

	if (t->running) {
		pol_load_drop_leavers_of(t->running, &leavers);
		pol_parts_forget(t->running->generation);
	}
	pol_generation_sweep(t->next->generation);
}
