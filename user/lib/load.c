/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "anchors.h"
#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "diag_codes.h"
#include "enter.h"
#include "generation.h"
#include "image.h"
#include "load_members.h"
#include "nofile.h"
#include "resolve_int.h"
#include "rooted.h"
#include "tmpdir.h"
#include "trees.h"
#include "unload.h"

/*
 * A load in the making. Owned by pol_load(); undone in reverse by transaction_done() unless
 * @published.
 */
struct transaction {
	struct pol_policy *policy;
	const struct pol_load_options *options;
	struct pol_diags *diags;
	struct pol_err *err;
	struct pol_host host;
	struct pol_engine *engine;
	struct pol_meta *running; /* NULL: nothing is loaded */
	struct pol_meta *next;
	struct pol_places places;
	struct pol_anchors anchors;
	struct pol_parts parts;
	struct pol_image image;
	uint32_t *tasks; /* by guest id, of a running policy */
	uint32_t next_guest;
	struct pol_joining joining;
	bool *made; /* by guest of the policy: its cgroup was made by this load */
	size_t made_cnt;
	bool tmp_made; /* or in part */
	bool published;
	int lock;
};

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

/* ------------------------------------------------------------------ who is who */

/* Ids stay with names while they stay in the policy; a new name gets a number never used. */
static int assign_ids(struct transaction *t)
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

static int check_leavers(struct transaction *t)
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

static int check_members(struct transaction *t)
{
	t->joining.engine = t->engine;
	t->joining.running = t->running;
	t->joining.next = t->next;
	t->joining.force = t->options->force;
	return pol_joining_check(&t->joining, t->err);
}

/* ------------------------------------------------------------------ anchors */

static const struct pol_meta_rule *running_rule(const struct transaction *t, const char *path)
{
	for (size_t i = 0; t->running && i < t->running->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &t->running->rules[i];

		if (!rule->pending && !rule->in_guest && strcmp(rule->path, path) == 0)
			return rule;
	}
	return NULL;
}

static bool steerable(const struct transaction *t, const struct pol_meta_rule *rule)
{
	_cleanup_free_ char *dir = strdup(rule->dir), *where = strdup(rule->where);

	if (!dir || !where)
		return true; /* no memory: refuse */
	(void)pol_key_up(dir);
	(void)pol_key_up(where);
	return pol_meta_steerable(t->running, dir, where) ||
	       pol_meta_steerable(t->next, dir, where);
}

/* A directory that a guest could have put there, or taken away, must not become an anchor. */
static int check_anchor(struct transaction *t, const struct pol_meta_rule *rule)
{
	const struct pol_meta_rule *before = running_rule(t, rule->path);

	if (!before || before->entry || !before->dir || t->options->reanchor)
		return 0;
	if (rule->pending || rule->entry)
		pol_diag_add(t->diags, false, POL_P_ANCHOR_GONE, (int)rule->line, 1,
			     "make it again, or accept the loss with 'load --reanchor'",
			     "the running policy has anchored '%s', which is missing now",
			     rule->path);
	else if (memcmp(&before->key, &rule->key, sizeof(rule->key)) != 0 && steerable(t, rule))
		pol_diag_add(t->diags, false, POL_P_ANCHOR_SWAPPED, (int)rule->line, 1,
			     "if the new directory is yours, 'load --reanchor'",
			     "'%s' is not the directory that the running policy has anchored, and a "
			     "guest can create or rename there",
			     rule->path);
	else
		return 0;
	return pol_err_say(t->err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}

static int check_keys(struct transaction *t)
{
	if (pol_anchors_check(&t->anchors, t->policy, &t->places, t->diags))
		return 0;
	return pol_err_say(t->err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}

static int take_anchors(struct transaction *t)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r, result = 0;

	pol_trees_learn(t->engine->control);
	if (root < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, -errno, "cannot open '/'");
	r = pol_anchors_take(t->engine, root, &t->places, &t->anchors, t->err);
	if (!r)
		r = check_keys(t);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->next->rules_cnt; i++) {
		struct pol_meta_rule *rule = &t->next->rules[i];

		if (rule->in_guest)
			continue;
		if (!rule->pending && !rule->entry) {
			const struct pol_anchor *anchor =
				pol_anchors_find(&t->anchors, rule->dir);

			if (anchor) {
				rule->key = anchor->record.self;
				rule->ino = anchor->ino;
			}
		}
		r = t->running ? check_anchor(t, rule) : 0;
		if (r < 0)
			result = r;
	}
	return result;
}

/* ------------------------------------------------------------------ in = "guest" */

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

static int carry_guests(struct transaction *t)
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

/* ------------------------------------------------------------------ cgroups */

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

/*
 * Ceilings of the guests of @to, fully: after publishing, where some become tighter, and to undo
 * what was written for @from.
 */
static int settle_limits(struct transaction *t, const struct pol_meta *from,
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

static int make_cgroups(struct transaction *t)
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
static void warn_of_ceilings(struct transaction *t)
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
static void undo_cgroups(struct transaction *t)
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
	(void)settle_limits(t, t->next, t->running);
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

struct leavers {
	struct pol_engine *engine;
	const struct pol_meta *now;
};

/* Of another generation, older or never published: guests that are none now lose their cgroups. */
static void drop_leavers_of(const struct pol_meta *meta, void *arg)
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

/* Of the generation that this load replaced. */
static void drop_leavers(struct transaction *t)
{
	struct leavers leavers = { .engine = t->engine, .now = t->next };

	if (t->running) {
		drop_leavers_of(t->running, &leavers);
		pol_parts_forget(t->running->generation);
	}
	pol_generation_sweep(t->next->generation);
}

/* ------------------------------------------------------------------ descriptors */

static bool counts_fds(const struct pol_meta *meta)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (!meta->guests[i].ghost && pol_has_fds(&meta->guests[i].limits))
			return true;
	return false;
}

/* Hooks that are attached while some guest's policy sets a knob. */
static const struct {
	enum pol_group group;
	uint32_t knob;
} knob_groups[] = {
	{ POL_GROUP_STAT, POL_GUEST_STAT },
	{ POL_GROUP_FORK, POL_GUEST_EVENT_FORK },
	{ POL_GROUP_EXEC, POL_GUEST_EVENT_EXEC },
	{ POL_GROUP_SHADOW, POL_GUEST_SHADOW },
};

/* Ghosts, too: what they may not look at they don't see as long as they live. */
static bool some_guest_has(const struct pol_meta *meta, uint32_t knob)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (meta->guests[i].knobs & knob)
			return true;
	return false;
}

/* Before publishing: what is published holds from then on. */
static int attach_groups(struct transaction *t)
{
	int r = 0;

	if (counts_fds(t->next))
		r = pol_engine_attach(t->engine, POL_GROUP_FDS, t->err);
	for (size_t i = 0; i < ARRAY_SIZE(knob_groups) && !r; i++)
		if (some_guest_has(t->next, knob_groups[i].knob))
			r = pol_engine_attach(t->engine, knob_groups[i].group, t->err);
	return r;
}

/* Of a snapshot that outlives the policy it was made by, the end is yet to be seen. */
static bool is_needed_still(const struct pol_engine *engine, enum pol_group group)
{
	struct pol_memory_file first;

	return group == POL_GROUP_SHADOW &&
	       bpf_map_get_next_key(engine->maps[POL_MAP_SNAPSHOTS], NULL, &first) == 0;
}

/* Once @meta decides, also of a load that died before it came to this. */
static void detach_groups(struct transaction *t, const struct pol_meta *meta)
{
	for (size_t i = 0; i < ARRAY_SIZE(knob_groups); i++)
		if (!some_guest_has(meta, knob_groups[i].knob) &&
		    !is_needed_still(t->engine, knob_groups[i].group))
			pol_engine_detach(t->engine, knob_groups[i].group);
}

/*
 * After publishing: what the processes of a guest hold when it gets a ceiling is its baseline, and
 * their RLIMIT_NOFILE follows a ceiling that is another than before.
 */
static int settle_fds(struct transaction *t, const struct pol_meta *from, const struct pol_meta *to)
{
	int r = 0;

	for (size_t i = 0; i < to->guests_cnt && !r; i++) {
		const struct pol_meta_guest *guest = &to->guests[i];
		const struct pol_meta_guest *before = pol_meta_guest(from, guest->name);

		if (!guest->ghost && before)
			r = pol_held_follow(t->engine, guest->id, &before->limits, &guest->limits);
	}
	if (r < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, r,
				   "cannot apply the ceilings of descriptors");
	return 0;
}

/* ------------------------------------------------------------------ publishing */

/* What has to hold, in the kernel and in the cgroups, before the load is said to be done. */
static int settle(struct transaction *t)
{
	int r = pol_engine_selftest(t->engine, t->err);

	if (!r)
		r = settle_limits(t, t->running, t->next);
	if (!r && t->running)
		r = settle_fds(t, t->running, t->next);
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
		(void)settle_fds(t, t->next, t->running);
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
	r = settle_limits(undo->t, meta, undo->t->running);
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
		r = settle_limits(t, before, t->running);
		if (!r)
			r = settle_fds(t, before ? before : t->running, t->running);
		if (!r)
			t->engine->control->settled = active;
	}
	detach_groups(t, t->running);
	pol_joining_recover(t->engine, t->running);
	pol_meta_each(POL_STORE, drop_leavers_of, &leavers);
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
		undo_cgroups(t);
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
	r = take_anchors(t);
	if (!r)
		r = assign_ids(t);
	if (!r)
		r = check_leavers(t);
	if (!r)
		r = check_members(t);
	if (!r)
		r = carry_guests(t);
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
	r = attach_groups(&t); /* first: announce() pins a new engine's links */
	if (!r)
		r = announce(&t);
	if (!r)
		r = make_cgroups(&t);
	if (!r)
		r = pol_joining_raise(&t.joining, err);
	if (!r)
		r = pol_generation_stage(t.engine, &t.image, t.next, err);
	if (!r)
		r = publish(&t);
	if (r < 0)
		return r;
	detach_groups(&t, t.next);
	pol_joining_finish(&t.joining);
	warn_of_ceilings(&t);
	pol_joining_warn(&t.joining, diags);
	drop_leavers(&t);
	pol_tmp_sweep(t.next);
	tell(&t);
	return 0;
}
