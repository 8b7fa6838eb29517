/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rooted.h"

#include <string.h>

#include "anchors.h"
#include "base.h"
#include "enter.h"
#include "generation.h"
#include "image.h"
#include "load.h"
#include "trees.h"

/* A guest's start in the making. Undone by start_done() unless @published. */
struct start {
	struct pol_engine *engine;
	const struct pol_home *home;
	bool own; /* @home was made for it */
	struct pol_diags *diags;
	struct pol_err *err;
	struct pol_meta *running;
	struct pol_meta *next;
	struct pol_meta_guest *guest; /* in @next */
	struct pol_policy *policy;    /* the guests of @next, and the rules of @guest */
	struct pol_places places;
	struct pol_anchors anchors;
	struct pol_parts parts;
	struct pol_image image;
	bool published;
	bool announced;
};

static void start_done(struct start *s)
{
	if (s->announced && !s->published)
		pol_generation_sweep(s->running->generation);
	pol_engine_unuse(s->engine);
	pol_meta_free(s->running);
	pol_meta_free(s->next);
	pol_policy_free(s->policy);
	pol_places_done(&s->places);
	pol_anchors_done(&s->anchors);
	pol_parts_done(&s->parts);
	pol_image_done(&s->image);
}

static int count_tasks(const struct pol_engine *engine, uint32_t guest, uint32_t *ret)
{
	_cleanup_free_ uint32_t *tasks = NULL;
	int r = pol_task_counts(engine, &tasks);

	if (!r)
		*ret = tasks[guest];
	return r;
}

int pol_rooted_settled(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		       const struct pol_root_id *root, uint64_t since)
{
	uint32_t tasks = 0;
	int r;

	if (!guest->rooted || !pol_root_same(&guest->root, root))
		return 0;
	if (guest->rooted > since)
		return 1;
	r = count_tasks(engine, guest->id, &tasks);
	return r < 0 ? r : tasks > 0;
}

/* ------------------------------------------------------------------ beside other rules */

static void compare(const struct pol_meta_rule *own, const struct pol_meta_rule *other,
		    struct pol_diags *diags)
{
	char one[256], two[256];

	if (!other->where || !own->where || strcmp(other->where, own->where) != 0 ||
	    other->access == own->access)
		return;
	(void)pol_access_format(own->access, one, sizeof(one));
	(void)pol_access_format(other->access, two, sizeof(two));
	pol_diag_add(
		diags, false, POL_P_SAME_PLACE, (int)own->line, (int)own->col,
		"keep one of the two, or give both the same access",
		"'%s' in the guest and '%s' %s (line %u) are one place, and the rules differ: %s and %s",
		own->path, other->path, other->in_guest ? "in it" : "of the host", other->line, one,
		two);
}

bool pol_rooted_agrees(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		       struct pol_diags *diags)
{
	size_t first = pol_meta_first_rule(meta, guest->ruleset), end = first;
	size_t errors = diags->errors;

	while (end < meta->rules_cnt && meta->rules[end].ruleset == guest->ruleset)
		end++;
	for (size_t i = first; i < end; i++)
		for (size_t k = first; k < end && meta->rules[i].in_guest; k++)
			if (k < i || !meta->rules[k].in_guest) /* each pair once */
				compare(&meta->rules[i], &meta->rules[k], diags);
	return diags->errors == errors;
}

bool pol_rooted_has_all(const struct pol_meta *running, const struct pol_meta_guest *before,
			const struct pol_meta *next, const struct pol_meta_guest *guest,
			struct pol_diags *diags)
{
	size_t errors = diags->errors;

	for (size_t i = pol_meta_first_rule(next, guest->ruleset);
	     i < next->rules_cnt && next->rules[i].ruleset == guest->ruleset; i++) {
		const struct pol_meta_rule *rule = &next->rules[i];

		if (!rule->in_guest ||
		    (before->rooted && pol_meta_same_rule(running, before, rule)))
			continue;
		pol_diag_add(diags, false, POL_P_GUEST_RUNS, (int)rule->line, (int)rule->col,
			     "stop the guest first, load, and start it again",
			     "the rule on '%s' is resolved when guest '%s' starts, and it has tasks",
			     rule->path, guest->name);
	}
	return diags->errors == errors;
}

/* ------------------------------------------------------------------ the guest */

/* Return: 1: it has no task, its rules may be resolved; 0: nothing to do, it is joined. */
static int check_tasks(struct start *s)
{
	uint32_t tasks = 0;
	int r = count_tasks(s->engine, s->guest->id, &tasks);

	if (r < 0)
		return pol_err_set(s->err, POL_ERR_FAILED, r, "cannot count the guests' tasks");
	if (!tasks || (s->own && !pol_meta_is_rooted(s->next, s->guest)))
		return 1;
	if (s->guest->rooted && pol_root_same(&s->guest->root, &s->home->id))
		return 0;
	pol_err_say(s->err, POL_ERR_FAILED, -EBUSY,
		    "guest '%s' has tasks, and its rules with in = \"guest\" are resolved %s",
		    s->guest->name, s->guest->rooted ? "in another root" : "when it starts");
	return pol_err_fix(s->err, "stop it first, or give each root a guest of its own");
}

struct mounter {
	const struct start *start;
	const struct pol_meta_guest *found;
};

static int look_for_mounter(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct mounter *m = arg;
	const struct pol_meta_guest *guest =
		pol_meta_guest_by_id(m->start->running, record->guest);

	if (guest && guest->knobs & POL_GUEST_MOUNTS &&
	    pol_mounts_of((pid_t)record->tid) == m->start->home->id.mounts)
		m->found = guest;
	return 0;
}

/* Who may mount in this namespace chooses what a path leads to. */
static int check_mounters(struct start *s)
{
	const struct pol_iter_command command = { .action = POL_ITER_LIST };
	struct mounter m = { .start = s };
	int r = pol_iterate(s->engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			    look_for_mounter, &m);

	if (r < 0)
		return pol_err_set(s->err, POL_ERR_FAILED, r, "cannot list the guests' tasks");
	if (!m.found)
		return 0;
	pol_err_say(s->err, POL_ERR_FAILED, -EBUSY,
		    "guest '%s' may mount in the namespace in which '%s' starts, and so choose what "
		    "rules with in = \"guest\" lead to",
		    m.found->name, s->guest->name);
	return pol_err_fix(s->err, "stop '%s' first, or give the other a namespace of its own",
			   m.found->name);
}

static int open_running(struct start *s, const char *name)
{
	uint64_t active = s->engine->control->active;
	const struct pol_meta_guest *guest;
	int r = pol_meta_load(active, &s->running, s->err);

	/* What a load left that died is put right first: its cgroups, its ceilings. */
	if (!r && (s->engine->control->settled != active ||
		   pol_generation_is_announced(active + 1)))
		r = pol_load_finish(s->engine, s->running, s->err);
	if (!r)
		r = pol_meta_load(active, &s->next, s->err);
	if (!r)
		r = pol_guest_named(s->next, name, &guest, s->err);
	if (r < 0)
		return r;
	s->next->generation = active + 1;
	s->guest = &s->next->guests[guest - s->next->guests];
	return 0;
}

/* ------------------------------------------------------------------ its rules */

static int copy_rule(const struct pol_meta_rule *from, struct pol_rule *ret)
{
	*ret = (struct pol_rule){
		.path = strdup(from->path),
		.name = from->name ? strdup(from->name) : NULL,
		.access = from->access,
		.in_guest = from->in_guest,
		.optional = from->optional,
		.log = from->log,
		.line = (int)from->line,
		.col = (int)from->col,
	};
	return ret->path && (ret->name || !from->name) ? 0 : -ENOMEM;
}

static int copy_rules(const struct pol_meta *meta, uint32_t ruleset, struct pol_guest *ret)
{
	size_t first = pol_meta_first_rule(meta, ruleset), end = first;
	int r = 0;

	while (end < meta->rules_cnt && meta->rules[end].ruleset == ruleset)
		end++;
	ret->rules = calloc(end - first + 1, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (; first < end && !r; first++)
		r = copy_rule(&meta->rules[first], &ret->rules[ret->rules_cnt++]);
	return r;
}

/* The policy as far as it is needed: what compiles it goes by the numbers of its guests. */
static int make_policy(struct start *s)
{
	struct pol_policy *policy = s->policy = calloc(1, sizeof(*policy));
	int r = 0;

	if (!policy)
		return -ENOMEM;
	policy->guests = calloc(s->next->guests_cnt + 1, sizeof(*policy->guests));
	if (!policy->guests)
		return -ENOMEM;
	for (size_t i = 0; i < s->next->guests_cnt && !s->next->guests[i].ghost && !r; i++) {
		struct pol_guest *guest = &policy->guests[policy->guests_cnt++];

		guest->name = strdup(s->next->guests[i].name);
		if (!guest->name)
			return -ENOMEM;
		if (&s->next->guests[i] == s->guest)
			r = copy_rules(s->next, s->guest->ruleset, guest);
	}
	return r;
}

static int refuse(struct start *s)
{
	char where[64] = "the root of this process";

	if (s->home->pid)
		(void)snprintf(where, sizeof(where), "the root of process %d", s->home->pid);
	return pol_err_say(s->err, POL_ERR_POLICY, -EINVAL,
			   "the rules of guest '%s' with in = \"guest\" cannot be applied in %s",
			   s->guest->name, where);
}

static int locate(struct start *s)
{
	struct pol_region *regions = NULL;
	size_t regions_cnt = 0, held_cnt = 0;
	char **held = NULL;
	int r = pol_meta_regions(s->running, s->guest->ruleset, &regions, &regions_cnt, &held,
				 &held_cnt);

	if (!r)
		r = pol_resolve_in(s->policy, &s->home->root, regions, regions_cnt,
				   (const char *const *)held, held_cnt, s->diags, &s->places);
	for (size_t i = 0; i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	if (r == -EINVAL)
		return refuse(s);
	if (r < 0)
		return pol_err_set(s->err, POL_ERR_FAILED, r, "cannot resolve the guest's paths");
	return 0;
}

static int take_anchors(struct start *s)
{
	int r;

	pol_trees_learn(s->engine->control);
	r = pol_anchors_take(s->engine, s->home->root.fd, &s->places, &s->anchors, s->err);
	if (r < 0)
		return r;
	return pol_anchors_check(&s->anchors, s->policy, &s->places, s->diags) ? 0 : refuse(s);
}

static int note_place(struct start *s, size_t first, const struct pol_place *place)
{
	struct pol_meta_rule *rule = &s->next->rules[first + place->rule];
	const struct pol_anchor *anchor = pol_anchors_find(&s->anchors, place->dir);
	int r = pol_meta_set_place(rule, place);

	if (!r && !place->name && anchor) {
		rule->key = anchor->record.self;
		rule->ino = anchor->ino;
	}
	return r;
}

/* What the running generation knew of another root is forgotten. */
static int note_places(struct start *s)
{
	size_t first = pol_meta_first_rule(s->next, s->guest->ruleset);
	int r = 0;

	for (size_t i = first; i < s->next->rules_cnt; i++)
		if (s->next->rules[i].ruleset == s->guest->ruleset && s->next->rules[i].in_guest)
			pol_meta_unset_place(&s->next->rules[i]);
	for (size_t i = 0; i < s->places.cnt && !r; i++)
		if (!s->places.items[i].derived && !s->places.items[i].pending)
			r = note_place(s, first, &s->places.items[i]);
	for (size_t i = 0; i < s->places.twins_cnt && !r; i++)
		r = note_place(s, first, &s->places.twins[i]);
	s->guest->rooted = s->next->generation;
	s->guest->root = s->home->id;
	s->guest->own_root = s->own;
	return r;
}

/* Of no rule: what a root that was made for the guest holds of its own may be listed, no more. */
static int add_own_root(struct start *s, struct pol_image *raw)
{
	struct pol_place root = { .dir = (char *)"/", .ino = s->home->id.ino };
	const struct pol_places places = { .items = &root, .cnt = 1 };
	struct pol_anchors anchors = { 0 };
	struct pol_dir_entry *dirs;
	int r = pol_anchors_take(s->engine, s->home->root.fd, &places, &anchors, s->err);

	if (!r) {
		dirs = reallocarray(raw->dirs, raw->dirs_cnt + 1, sizeof(*dirs));
		r = dirs ? 0 : -ENOMEM;
	}
	if (!r) {
		raw->dirs = dirs;
		memset(&dirs[raw->dirs_cnt], 0, sizeof(*dirs)); /* compared by its bytes */
		dirs[raw->dirs_cnt].key = anchors.items[0].record.self;
		dirs[raw->dirs_cnt].key.ruleset = s->guest->ruleset;
		dirs[raw->dirs_cnt++].value =
			(struct pol_rule_value){ .access = POL_RIGHT_LIST, .flags = POL_DIR_RULE };
	}
	pol_anchors_done(&anchors);
	return r;
}

static int compile(struct start *s)
{
	struct pol_image raw = { 0 };
	int r = note_places(s);

	if (!r && !pol_rooted_agrees(s->next, s->guest, s->diags))
		return refuse(s);
	if (!r)
		r = pol_image_gather(s->policy, s->next, &s->places, &s->anchors, &raw);
	if (!r && s->own)
		r = add_own_root(s, &raw);
	if (!r)
		r = pol_parts_put(&s->parts, s->guest->id, &raw);
	pol_image_done(&raw);
	if (!r)
		r = pol_parts_merge(&s->parts, &s->image);
	if (r < 0)
		return pol_err_set(s->err, POL_ERR_FAILED, r, "cannot compile the guest's rules");
	return 0;
}

/* ------------------------------------------------------------------ publishing */

static int publish(struct start *s)
{
	uint64_t before = s->running->generation;
	int r;

	s->announced = true;
	r = pol_meta_announce(s->next, false, s->err);
	if (!r)
		r = pol_generation_stage(s->engine, &s->image, s->next, s->err);
	if (!r)
		r = pol_meta_store(s->next, false, s->err);
	if (!r)
		r = pol_parts_store(s->next->generation, &s->parts, false, s->err);
	if (r < 0)
		return r;
	pol_generation_publish(s->engine, s->next->generation);
	s->published = true;
	s->engine->control->settled = s->next->generation;
	pol_parts_forget(before);
	pol_generation_sweep(s->next->generation);
	return 0;
}

static int resolve(struct start *s, const char *name)
{
	int r = open_running(s, name);

	if (!r)
		r = check_tasks(s);
	if (r <= 0)
		return r;
	r = check_mounters(s);
	if (r < 0)
		return r;
	if (pol_diags_source(s->diags, s->next->file, NULL, 0) < 0 || make_policy(s) < 0)
		return pol_err_set(s->err, POL_ERR_FAILED, -ENOMEM, "cannot compile the rules");
	r = locate(s);
	if (!r)
		r = take_anchors(s);
	if (!r)
		r = pol_parts_load(s->running->generation, &s->parts, s->err);
	if (!r)
		r = compile(s);
	if (!r)
		r = pol_home_check(s->home, s->err);
	return r < 0 ? r : publish(s);
}

int pol_rooted_resolve(struct pol_engine *engine, const char *name, const struct pol_home *home,
		       bool own, struct pol_diags *diags, struct pol_err *err)
{
	_cleanup_close_ int lock = pol_lock_wait(err);
	int r = lock < 0 ? lock : pol_engine_use(engine, true, err);

	if (r < 0)
		return r;
	{
		_cleanup_(start_done) struct start start = {
			.engine = engine,
			.home = home,
			.own = own,
			.diags = diags,
			.err = err,
		};

		return resolve(&start, name);
	}
}
