/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load_members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "adopt.h"
#include "adopt_int.h"
#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "diag_codes.h"
#include "foreign.h"
#include "str.h"

#define PATH_SIZE 1024

void pol_joining_done(struct pol_joining *joining)
{
	pol_finds_done(&joining->finds);
}

static bool is_cgroup(const struct pol_found *found)
{
	return found->path;
}

static struct pol_foreign_cgroup place_of(const struct pol_found *found)
{
	return (struct pol_foreign_cgroup){ .fd = found->fd, .id = found->id, .unit = found->unit };
}

static const struct pol_meta_guest *guest_of(const struct pol_joining *joining,
					     const struct pol_found *found)
{
	return &joining->next->guests[found->guest];
}

/* The member of the new policy that an entry of the map is; NULL: it is none. */
static struct pol_found *member_of(const struct pol_joining *joining, uint64_t cgroup,
				   uint32_t guest)
{
	for (size_t i = 0; i < joining->finds.cnt; i++) {
		struct pol_found *found = &joining->finds.items[i];

		if (found->id == cgroup && guest_of(joining, found)->id == guest)
			return found;
	}
	return NULL;
}

/* ------------------------------------------------------------------ before anything is changed */

struct check {
	struct pol_joining *joining;
	struct pol_err *err;
};

static int refuse_leaver(const struct check *check, const struct pol_foreign *foreign,
			 const char *path)
{
	const struct pol_meta_guest *guest =
		pol_meta_guest_by_id(check->joining->running, foreign->guest);

	pol_err_say(check->err, POL_ERR_FAILED, -EBUSY,
		    "cgroup '%s' is no member of guest '%s' any more, and has tasks", path,
		    guest ? guest->name : "?");
	return pol_err_fix(check->err,
			   "stop or detach them, or 'load --force': they then stay the guest, and "
			   "what is started there is none");
}

static int refuse_other(const struct check *check, const struct pol_found *found, const char *path)
{
	pol_err_say(check->err, POL_ERR_FAILED, -EBUSY,
		    "cgroup '%s' is, lies in or lies above '%s', which is another guest's",
		    found->path, path);
	return pol_err_fix(check->err,
			   "load once without it: a member changes guests in two loads");
}

/* A cgroup that the new policy gives to another guest, and that is, lies in or above @path. */
static const struct pol_found *overlapping(const struct pol_joining *joining, const char *path,
					   uint32_t guest)
{
	for (size_t i = 0; i < joining->finds.cnt; i++) {
		const struct pol_found *found = &joining->finds.items[i];

		if (is_cgroup(found) && guest_of(joining, found)->id != guest &&
		    (pol_path_lies_in(path, found->path) ||
		     pol_path_lies_in(found->path, path)))
			return found;
	}
	return NULL;
}

static int check_leaver(const struct check *check, const struct pol_foreign *foreign,
			const char *path, int fd)
{
	if (check->joining->force || pol_cgroup_populated(fd) <= 0 ||
	    !pol_meta_guest_by_id(check->joining->next, foreign->guest))
		return 0;
	return refuse_leaver(check, foreign, path);
}

static int check_entry(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	const struct check *check = arg;
	_cleanup_close_ int fd = -EBADF;
	const struct pol_found *other;
	struct pol_found *found;
	char path[PATH_SIZE];

	if (pol_cgroup_path_of(cgroup, path, sizeof(path)) < 0 ||
	    pol_cgroup_open_path(path, &fd) < 0)
		return 0; /* it is gone */
	/* By force neither: a cgroup has one entry, which says whose it is and how it was. */
	other = overlapping(check->joining, path, foreign->guest);
	if (other)
		return refuse_other(check, other, path);
	found = member_of(check->joining, cgroup, foreign->guest);
	if (!found)
		return check_leaver(check, foreign, path, fd);
	found->known = true;
	return 0;
}

/* May a guest of @meta write the file, or put another one there, or in place of its directories? */
static int guests_may_change(const struct pol_meta *meta, const char *path)
{
	_cleanup_free_ char *at = strdup(path);

	if (!at)
		return -ENOMEM;
	if (pol_meta_may_change(meta, at))
		return 1;
	for (char *slash = strrchr(at, '/'); slash; slash = strrchr(at, '/')) {
		*slash = '\0';
		if (pol_meta_may_change(meta, at[0] ? at : "/"))
			return 1;
	}
	return 0;
}

static int check_pid_file(const struct pol_joining *joining, const char *path, struct pol_err *err)
{
	int r = guests_may_change(joining->next, path);

	if (!r && joining->running)
		r = guests_may_change(joining->running, path);
	if (r <= 0)
		return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "pid file '%s'", path) : 0;
	pol_err_say(err, POL_ERR_FAILED, -EPERM,
		    "a guest may write the pid file '%s', or replace it or a directory above it", path);
	return pol_err_fix(err, "a pid file that no guest reaches; or adopt the service's cgroup");
}

/* One that is gone meanwhile was not there. */
static int check_process(const struct pol_joining *joining, const struct pol_found *found,
			 struct pol_err *err)
{
	int r = 0;

	if (found->member->text)
		r = check_pid_file(joining, found->member->text, err);
	if (!r)
		r = pol_attach_check(joining->engine, guest_of(joining, found), found->pid, err);
	return r == -ESRCH ? 0 : r;
}

int pol_joining_check(struct pol_joining *joining, struct pol_err *err)
{
	struct check check = { .joining = joining, .err = err };
	int r;

	r = joining->running ? pol_foreign_each(joining->engine->maps[POL_MAP_FOREIGN], check_entry,
						&check)
			     : 0;
	for (size_t i = 0; i < joining->finds.cnt && !r; i++) {
		const struct pol_found *found = &joining->finds.items[i];

		if (is_cgroup(found) && !found->known)
			r = pol_foreign_check(joining->engine, guest_of(joining, found), found->fd,
					      found->path, err);
		if (!is_cgroup(found))
			r = check_process(joining, found, err);
	}
	return r;
}

/* ------------------------------------------------------------------ the load itself */

/* What the running policy has written into a member that stays. */
static const struct pol_limits *limits_before(const struct pol_joining *joining,
					      const struct pol_found *found)
{
	const struct pol_meta_guest *before =
		found->known ? pol_meta_guest_by_id(joining->running, guest_of(joining, found)->id)
			     : NULL;

	return before ? &before->limits : NULL;
}

int pol_joining_raise(struct pol_joining *joining, struct pol_err *err)
{
	int r = 0;

	for (size_t i = 0; i < joining->finds.cnt && !r; i++) {
		const struct pol_found *found = &joining->finds.items[i];
		const struct pol_foreign_cgroup place = place_of(found);

		joining->began = i + 1;
		if (is_cgroup(found) && found->known)
			r = pol_foreign_limit(joining->engine, guest_of(joining, found),
					      limits_before(joining, found), &place, true, err);
	}
	return r;
}

/* Asked for room once more: each member fitted, but those before it have taken of it. */
static int adopt_cgroup(struct pol_joining *joining, struct pol_found *found, struct pol_err *err)
{
	const struct pol_meta_guest *guest = guest_of(joining, found);
	const struct pol_foreign_cgroup place = place_of(found);
	int r = 0;

	if (!found->known)
		r = pol_foreign_check(joining->engine, guest, found->fd, found->path, err);
	if (!r)
		r = pol_foreign_limit(joining->engine, guest, limits_before(joining, found), &place,
				      false, err);
	if (!r)
		r = pol_foreign_adopt(joining->engine, guest, found->fd, found->id, found->level,
				      &found->adopted, err);
	return r;
}

static void free_process(const struct pol_joining *joining, struct pol_found *found)
{
	if (found->adopted)
		pol_adopt_undo_tree(joining->engine, guest_of(joining, found), found->pid);
	found->adopted = 0;
}

/* While its pidfd says that it lives the number is its own: who was adopted was the one meant. */
static int adopt_process(struct pol_joining *joining, struct pol_found *found, struct pol_err *err)
{
	const struct pol_meta_guest *guest = guest_of(joining, found);
	_cleanup_close_ int home = -EBADF;
	int r = pol_cgroup_open(joining->next->cgroup, guest->name, &home);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open the cgroup of '%s'",
				   guest->name);
	r = pol_adopt_process(joining->engine, guest, home, found->pid, &found->adopted, err);
	if (!r && syscall(SYS_pidfd_send_signal, found->fd, 0, NULL, 0) < 0)
		free_process(joining, found);
	return r == -ESRCH ? 0 : r;
}

int pol_joining_adopt(struct pol_joining *joining, struct pol_err *err)
{
	int r = 0;

	for (size_t i = 0; i < joining->finds.cnt && !r; i++) {
		struct pol_found *found = &joining->finds.items[i];

		r = is_cgroup(found) ? adopt_cgroup(joining, found, err)
				     : adopt_process(joining, found, err);
	}
	return r;
}

/* A unit that has ended, or started anew, is a member all the same: its entry knows how it was. */
static bool is_named(const struct pol_meta *meta, const struct pol_foreign *foreign)
{
	const struct pol_meta_guest *guest = pol_meta_guest_by_id(meta, foreign->guest);

	for (size_t i = 0; guest && i < guest->members_cnt; i++)
		if (guest->members[i].kind == POL_MEMBER_UNIT &&
		    !strcmp(guest->members[i].text, foreign->unit))
			return true;
	return false;
}

static int let_go(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct pol_joining *joining = arg;

	if (!member_of(joining, cgroup, foreign->guest) && !is_named(joining->next, foreign))
		pol_foreign_leave(joining->engine, foreign->guest, cgroup);
	return 0;
}

void pol_joining_settle(struct pol_joining *joining)
{
	for (size_t i = 0; i < joining->finds.cnt; i++) {
		const struct pol_found *found = &joining->finds.items[i];
		const struct pol_meta_guest *guest = guest_of(joining, found);

		if (is_cgroup(found))
			(void)pol_foreign_settled(joining->engine, guest, found->id);
		else if (found->adopted)
			(void)pol_adopt_finish(joining->engine, guest);
		if (is_cgroup(found) ? !found->known : found->adopted > 0)
			pol_note(joining->engine, guest->id, POL_ACTION_ATTACHED);
	}
}

void pol_joining_finish(struct pol_joining *joining)
{
	pol_joining_settle(joining);
	(void)pol_foreign_each(joining->engine->maps[POL_MAP_FOREIGN], let_go, joining);
}

void pol_joining_warn(const struct pol_joining *joining, struct pol_diags *diags)
{
	for (size_t i = 0; i < joining->finds.cnt; i++) {
		const struct pol_found *found = &joining->finds.items[i];
		const struct pol_meta_guest *guest = guest_of(joining, found);
		const char *file;

		if (!is_cgroup(found))
			continue;
		file = pol_ceilings_lacking(found->fd, &guest->limits);
		if (file)
			pol_diag_add(diags, true, POL_P_CEILING, found->member->line,
				     found->member->col, "have its parent hand the controller on",
				     "guest '%s': cgroup '%s' has no %s, and the ceiling is not "
				     "held there (best_effort)",
				     guest->name, found->path, file);
	}
}

static void undo_cgroup(struct pol_joining *joining, const struct pol_found *found)
{
	const struct pol_meta_guest *guest = guest_of(joining, found), *before = NULL;
	const struct pol_foreign_cgroup place = place_of(found);

	if (!found->known) {
		pol_foreign_undo(joining->engine, guest->id, found->id);
		return;
	}
	before = pol_meta_guest_by_id(joining->running, guest->id);
	if (before)
		(void)pol_foreign_limit(joining->engine, before, &guest->limits, &place, false,
					NULL);
}

/*
 * Cgroups first: where a process goes back to must not be the guest's any more. What is ADOPTING
 * then has come into a cgroup that stays the guest's.
 */
void pol_joining_undo(struct pol_joining *joining)
{
	struct pol_found *items = joining->finds.items;
	const struct pol_meta_guest *before;

	for (size_t i = 0; i < joining->began; i++)
		if (is_cgroup(&items[i]))
			undo_cgroup(joining, &items[i]);
	for (size_t i = 0; i < joining->began; i++)
		if (!is_cgroup(&items[i]))
			free_process(joining, &items[i]);
	for (size_t i = 0; i < joining->began && joining->running; i++) {
		before = pol_meta_guest_by_id(joining->running, guest_of(joining, &items[i])->id);
		if (before)
			(void)pol_adopt_finish(joining->engine, before);
	}
}

/* ------------------------------------------------------------------ after a load that died */

static int recover_one(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct pol_joining *joining = arg;
	const struct pol_meta_guest *guest =
		pol_meta_guest_by_id(joining->running, foreign->guest);
	bool decides = joining->engine->control->settled == joining->engine->control->active;

	if (foreign->flags & POL_FOREIGN_SETTLED)
		return 0;
	if (decides && guest && pol_cgroups_has(joining->engine, cgroup))
		(void)pol_foreign_settled(joining->engine, guest, cgroup);
	else
		pol_foreign_undo(joining->engine, foreign->guest, cgroup);
	return 0;
}

static int see_adopting(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	bool *adopting = arg;

	if (record->flags & POL_LABEL_ADOPTING && record->guest < POL_GUESTS_MAX)
		adopting[record->guest] = true;
	return 0;
}

/* Processes that it had adopted stay the guest; not settled, the next failure would free them. */
static void settle_processes(struct pol_engine *engine, const struct pol_meta *running)
{
	const struct pol_iter_command list = { .action = POL_ITER_LIST };
	bool adopting[POL_GUESTS_MAX] = { 0 };

	(void)pol_iterate(engine, POL_PROG_TASKS, &list, sizeof(struct pol_task_record),
			  see_adopting, adopting);
	for (size_t i = 0; i < running->guests_cnt; i++)
		if (adopting[running->guests[i].id])
			(void)pol_adopt_finish(engine, &running->guests[i]);
}

void pol_joining_recover(struct pol_engine *engine, const struct pol_meta *running)
{
	struct pol_joining joining = { .engine = engine, .running = running };

	(void)pol_foreign_each(engine->maps[POL_MAP_FOREIGN], recover_one, &joining);
	settle_processes(engine, running);
}
