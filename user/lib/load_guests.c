/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a load: who is which guest, and what becomes of those that the policy lacks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "load_int.h"

static int count_task(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	uint32_t *counts = arg;

	if (record->guest < POL_GUESTS_MAX &&
	    !(record->flags & (POL_LABEL_LAUNCHER | POL_TASK_EXITING)))
		counts[record->guest]++;
	return 0;
}

int pol_task_counts(const struct pol_engine *engine, uint32_t **ret)
{
	const struct pol_iter_command command = { .action = POL_ITER_LIST };
	uint32_t *counts = calloc(POL_GUESTS_MAX, sizeof(*counts));
	int r;

	if (!counts)
		return -ENOMEM;
	r = pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			count_task, counts);
	if (r < 0)
		free(counts);
	else
		*ret = counts;
	return r;
}

/* Ids stay with names while they stay in the policy; a new name gets a number never used. */
int pol_load_assign_ids(struct transaction *t)
{
	t->next_guest = t->engine->control->next_guest;
	for (size_t i = 0; i < t->next->guests_cnt; i++) {
		struct pol_meta_guest *guest = &t->next->guests[i];
		const struct pol_meta_guest *before =
			t->running ? pol_meta_guest(t->running, guest->name) : NULL;

		if (before) {
			guest->id = before->id;
			continue;
		}
		if (t->next_guest >= POL_GUESTS_MAX) {
			pol_err_say(t->err, POL_ERR_FAILED, -ENOSPC,
				    "all %u guest ids are used since the first load",
				    POL_GUESTS_MAX);
			return pol_err_fix(t->err, "policyctl unload, then load");
		}
		guest->id = t->next_guest++;
	}
	return 0;
}

/* A guest that goes but has tasks: an error that names it, or a ghost. */
static int keep_ghost(struct transaction *t, const struct pol_meta_guest *gone, uint32_t tasks)
{
	struct pol_meta_guest *guests, *ghost;

	if (!t->options->force && !gone->ghost) {
		pol_err_say(t->err, POL_ERR_FAILED, -EBUSY,
			    "guest '%s' is not in the policy and has %u task%s", gone->name, tasks,
			    tasks == 1 ? "" : "s");
		return pol_err_fix(t->err, "stop it, or 'load --force': its tasks then may open "
					   "nothing");
	}
	guests = reallocarray(t->next->guests, t->next->guests_cnt + 2, sizeof(*guests));
	if (!guests)
		return pol_err_set(t->err, POL_ERR_FAILED, -ENOMEM, "cannot keep '%s'", gone->name);
	t->next->guests = guests;
	ghost = &guests[t->next->guests_cnt];
	*ghost = *gone;
	ghost->ghost = true;
	ghost->ruleset = 0;
	ghost->members = NULL;
	ghost->members_cnt = 0;
	ghost->shadow = (struct pol_shadow_policy){ 0 };
	ghost->knobs &= ~(POL_GUEST_SHADOW | POL_GUEST_SHADOW_EXEC);
	ghost->name = strdup(gone->name);
	t->next->guests_cnt++;
	if (pol_io_copy(gone->limits.io, gone->limits.io_cnt, &ghost->limits) < 0 || !ghost->name)
		return pol_err_set(t->err, POL_ERR_FAILED, -ENOMEM, "cannot keep '%s'", gone->name);
	return 0;
}

/* Its tasks would stay where they are, under the old ceilings. */
static int refuse_move(struct transaction *t, const struct pol_meta_guest *guest)
{
	pol_err_say(t->err, POL_ERR_FAILED, -EBUSY,
		    "the guests' cgroups are below '%s', the policy has '%s', and guest '%s' has "
		    "tasks",
		    t->running->cgroup, t->next->cgroup, guest->name);
	return pol_err_fix(t->err, "leave 'cgroup' as it is, or unload first");
}

int pol_load_check_leavers(struct transaction *t)
{
	const uint32_t *tasks;
	int r;

	if (!t->running)
		return 0;
	r = pol_task_counts(t->engine, &t->tasks);
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r, "cannot count the guests' tasks");
	tasks = t->tasks;
	for (size_t i = 0; i < t->running->guests_cnt; i++) {
		const struct pol_meta_guest *guest = &t->running->guests[i];

		if (tasks[guest->id] && strcmp(t->running->cgroup, t->next->cgroup) != 0)
			return refuse_move(t, guest);
		if (pol_meta_guest(t->next, guest->name) || !tasks[guest->id])
			continue;
		r = keep_ghost(t, guest, tasks[guest->id]);
		if (r < 0)
			return r;
	}
	return 0;
}
