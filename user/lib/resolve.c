/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locating rules: every path is walked once, whatever number of guests has it; then places that
 * are one, mounts below rules, and the symlink condition, which needs all places to be known.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "resolve_int.h"

/* A rule on its way to a walk; sorted by path, so that equal paths are neighbours. */
struct item {
	const struct pol_rule *rule;
	size_t guest;
	size_t index;
};

struct held {
	const char **sorted;
	size_t cnt;
};

static void place_done(struct pol_place *place)
{
	free(place->dir);
	free(place->name);
	free(place->where);
}

void pol_places_done(struct pol_places *places)
{
	for (size_t i = 0; i < places->cnt; i++)
		place_done(&places->items[i]);
	for (size_t i = 0; i < places->twins_cnt; i++)
		place_done(&places->twins[i]);
	free(places->items);
	free(places->twins);
	*places = (struct pol_places){ 0 };
}

const struct pol_rule *pol_place_rule(const struct pol_policy *policy,
				      const struct pol_place *place)
{
	return &policy->guests[place->guest].rules[place->rule];
}

int pol_resolver_add(struct pol_resolver *rs, struct pol_place *place, size_t walk)
{
	struct pol_places *places = rs->places;

	if (places->cnt == rs->places_room) {
		size_t room = rs->places_room ? rs->places_room * 2 : 64;
		struct pol_place *items = reallocarray(places->items, room, sizeof(*items));
		size_t *walk_of;

		if (!items)
			return -ENOMEM;
		places->items = items;
		walk_of = reallocarray(rs->walk_of, room, sizeof(*walk_of));
		if (!walk_of)
			return -ENOMEM;
		rs->walk_of = walk_of;
		rs->places_room = room;
	}
	rs->walk_of[places->cnt] = walk;
	places->items[places->cnt++] = *place;
	return 0;
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_held(const struct held *held, const char *path)
{
	return held->cnt &&
	       bsearch(&path, held->sorted, held->cnt, sizeof(*held->sorted), text_order);
}

#define FAULT(rs, code, rule, help, ...) \
	pol_diag_add((rs)->diags, false, code, (rule)->line, (rule)->col, help, __VA_ARGS__)

static void report_pending(struct pol_resolver *rs, const struct pol_rule *rule,
			   const struct pol_walk *walk)
{
	pol_diag_add(
		rs->diags, true, POL_P_PENDING, rule->line, rule->col, NULL,
		"'%s' is not there, and the rule on '%s' is optional: it takes effect with the first load that finds it",
		walk->at, rule->path);
}

static void report_fault(struct pol_resolver *rs, const struct pol_rule *rule,
			 const struct pol_walk *walk)
{
	switch (walk->fault) {
	case POL_WALK_NO_PARENT:
		FAULT(rs, POL_P_PARENT, rule, "make the directory, or say optional = true",
		      "the directory '%s' of the rule on '%s' is not there", walk->at, rule->path);
		break;
	case POL_WALK_NOT_DIRECTORY:
		FAULT(rs, POL_P_NOT_DIRECTORY, rule, NULL,
		      "'%s' is no directory: nothing lies at '%s'", walk->at, rule->path);
		break;
	case POL_WALK_LOOP:
		FAULT(rs, POL_P_SYMLINK_LOOP, rule, NULL,
		      "more than 40 symlinks on the way to '%s'", rule->path);
		break;
	case POL_WALK_DANGLING:
		FAULT(rs, POL_P_SYMLINK_DANGLING, rule,
		      "write the path that it shall lead to, or say optional = true",
		      "'%s' is a symlink to nothing: '%s' is not there", rule->path, walk->at);
		break;
	default:
		FAULT(rs, POL_P_LOOKUP, rule,
		      walk->code == EACCES ? "run it as root, or with --offline" : NULL,
		      "cannot look at '%s': %s", walk->at, strerror(walk->code));
	}
}

static bool may_wait(const struct pol_walk *walk)
{
	return walk->fault == POL_WALK_NO_PARENT || walk->fault == POL_WALK_DANGLING;
}

static int check_filesystem(struct pol_resolver *rs, const struct pol_rule *rule,
			    const struct pol_walk *walk, struct pol_place *place)
{
	const struct pol_mount *mount = pol_mount_by_id(&rs->mounts, walk->mnt_id);
	char magic[24];

	if (pol_fs_supported(walk->magic))
		return 0;
	if (pol_fs_pseudo(walk->magic))
		return pol_check_pseudo(rs, rule, walk, place);
	(void)snprintf(magic, sizeof(magic), "type %#llx", (unsigned long long)walk->magic);
	FAULT(rs, POL_P_FILESYSTEM, rule, NULL,
	      "'%s' is on %s: rules on this filesystem are not available in this version",
	      rule->path, mount ? mount->fstype : magic);
	return 0;
}

/*
 * The kernel keeps the spelling that an open has used, and the walk compares bytes: a rule by name
 * would be missed under any other.
 */
static void check_spelling(struct pol_resolver *rs, const struct pol_rule *rule,
			   const struct pol_walk *walk)
{
	if (walk->folds_case)
		FAULT(rs, POL_P_FOLDS_CASE, rule, "make the rule on a directory",
		      "'%s' folds case: '%s' has other spellings, which a rule by name would miss",
		      walk->dir, walk->name);
}

/* A mount that came after the list was read: which files are one place cannot be said. */
static bool mounts_changed(const struct pol_resolver *rs, const struct pol_walk *walk)
{
	if (!walk->fault && !pol_mount_by_id(&rs->mounts, walk->mnt_id))
		return true;
	for (size_t i = 0; i < walk->links_cnt; i++)
		if (!pol_mount_by_id(&rs->mounts, walk->links[i].mnt_id))
			return true;
	return false;
}

/* One rule's place, from the walk of its path. */
static int place_rule(struct pol_resolver *rs, const struct item *item, size_t walk_index)
{
	const struct pol_walk *walk = &rs->walks[walk_index];
	const struct pol_rule *rule = item->rule;
	struct pol_place place = { .guest = item->guest, .rule = item->index };
	int r = 0;

	if (mounts_changed(rs, walk)) {
		FAULT(rs, POL_P_LOOKUP, rule, "run the command again",
		      "the mounts changed while '%s' was looked up", rule->path);
		return 0;
	}
	if (walk->fault && !(rule->optional && may_wait(walk))) {
		report_fault(rs, rule, walk);
		return 0;
	}
	if (walk->fault)
		report_pending(rs, rule, walk);
	else
		r = check_filesystem(rs, rule, walk, &place);
	if (r < 0)
		return r;
	if (!walk->fault)
		check_spelling(rs, rule, walk);
	place.pending = walk->fault != POL_WALK_OK;
	place.dir = strdup(place.pending ? rule->path : walk->dir);
	place.name = walk->name ? strdup(walk->name) : NULL;
	place.dev = walk->dev;
	place.ino = walk->ino;
	r = place.dir && (!walk->name || place.name) ? pol_resolver_add(rs, &place, walk_index)
						     : -ENOMEM;
	if (r < 0)
		place_done(&place);
	return r;
}

static int item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->rule->path, y->rule->path);

	if (order)
		return order;
	return x->guest < y->guest ? -1 : x->guest > y->guest;
}

static int collect(const struct pol_policy *policy, bool in_guest, struct item **ret,
		   size_t *ret_cnt)
{
	struct item *items;
	size_t cnt = 0;

	for (size_t i = 0; i < policy->guests_cnt; i++)
		cnt += policy->guests[i].rules_cnt;
	items = calloc(cnt ? cnt : 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	*ret = items;
	for (size_t i = 0; i < policy->guests_cnt; i++)
		for (size_t k = 0; k < policy->guests[i].rules_cnt; k++)
			if (policy->guests[i].rules[k].in_guest == in_guest)
				*items++ = (struct item){ &policy->guests[i].rules[k], i, k };
	*ret_cnt = (size_t)(items - *ret);
	qsort(*ret, *ret_cnt, sizeof(**ret), item_order);
	return 0;
}

static int walk_one(struct pol_resolver *rs, const char *path, const struct held *held)
{
	struct pol_walk *walk = &rs->walks[rs->walks_cnt];
	int r = pol_walk_in(rs->root, path, walk);

	if (r < 0)
		return r;
	rs->walks_cnt++;
	if (!walk->fault && !walk->name && walk->dir[1] && is_held(held, walk->dir))
		r = pol_walk_by_name(rs->root, walk);
	if (r == 0 && !walk->fault)
		r = pol_hold_sysctl(rs->root, &rs->mounts, walk);
	return r;
}

static int walk_all(struct pol_resolver *rs, const struct held *held)
{
	_cleanup_free_ struct item *items = NULL;
	size_t cnt;
	int r = collect(rs->policy, rs->in, &items, &cnt);

	if (r < 0)
		return r;
	rs->walks = calloc(cnt ? cnt : 1, sizeof(*rs->walks));
	if (!rs->walks)
		return -ENOMEM;
	for (size_t i = 0; i < cnt && r == 0; i++) {
		if (!i || strcmp(items[i - 1].rule->path, items[i].rule->path) != 0)
			r = walk_one(rs, items[i].rule->path, held);
		if (r == 0)
			r = place_rule(rs, &items[i], rs->walks_cnt - 1);
	}
	return r;
}

/* Both keys of every place that there is. */
static int index_places(struct pol_resolver *rs)
{
	int r = 0;

	for (size_t i = 0; i < rs->places->cnt && r == 0; i++) {
		struct pol_place *place = &rs->places->items[i];
		uint32_t access = pol_place_rule(rs->policy, place)->access &
				  pol_fs_rights(rs->walks[rs->walk_of[i]].magic);
		_cleanup_free_ char *path = NULL;

		if (place->pending)
			continue;
		path = pol_path_join(place->dir, place->name);
		if (!path)
			return -ENOMEM;
		free(place->where);
		place->where =
			pol_mount_key(&rs->mounts, rs->walks[rs->walk_of[i]].mnt_id, path);
		r = pol_index_add(&rs->by_file, place->where ? strdup(place->where) : NULL,
				  (uint32_t)place->guest, access, i);
		if (r == 0)
			r = pol_index_add(&rs->by_path, TAKE_PTR(path), (uint32_t)place->guest,
					  access, i);
	}
	pol_index_sort(&rs->by_file);
	pol_index_sort(&rs->by_path);
	return r;
}

/*
 * Which of two rules on one place stands: one that no glob has made, then the one written without a
 * symlink, else the shorter.
 */
static bool is_better(const struct pol_resolver *rs, size_t a, size_t b)
{
	const struct pol_rule *x = pol_place_rule(rs->policy, &rs->places->items[a]);
	const struct pol_rule *y = pol_place_rule(rs->policy, &rs->places->items[b]);
	bool a_plain = !rs->walks[rs->walk_of[a]].links_cnt;
	bool b_plain = !rs->walks[rs->walk_of[b]].links_cnt;

	if (pol_rule_rank(x, y))
		return pol_rule_rank(x, y) < 0;
	if (a_plain != b_plain)
		return a_plain;
	return strlen(x->path) <= strlen(y->path);
}

static void compare_twins(struct pol_resolver *rs, size_t a, size_t b)
{
	const struct pol_rule *x = pol_place_rule(rs->policy, &rs->places->items[a]);
	const struct pol_rule *y = pol_place_rule(rs->policy, &rs->places->items[b]);
	const struct pol_rule *first = x, *second = y;
	char one[256], two[256];

	if ((x->access == y->access && x->log == y->log) || pol_rule_rank(x, y))
		return;
	if (y->line < x->line) {
		first = y;
		second = x;
	}
	if (x->access == y->access) {
		FAULT(rs, POL_P_SAME_PLACE, second, "keep one of the two, or give both the same log",
		      "'%s' (line %d) and '%s' (line %d) are one place, and one of the rules has "
		      "log = true",
		      first->path, first->line, second->path, second->line);
		return;
	}
	(void)pol_access_format(first->access, one, sizeof(one));
	(void)pol_access_format(second->access, two, sizeof(two));
	FAULT(rs, POL_P_SAME_PLACE, second, "keep one of the two, or give both the same access",
	      "'%s' (line %d) and '%s' (line %d) are one place, and the rules differ: %s and %s",
	      first->path, first->line, second->path, second->line, one, two);
}

static bool same_spot(const struct pol_spot *a, const struct pol_spot *b)
{
	return a->guest == b->guest && strcmp(a->key, b->key) == 0;
}

/* Marks in @twin the places that stand behind another of the same guest at the same file. */
static void find_twins(struct pol_resolver *rs, bool *twin)
{
	const struct pol_index *index = &rs->by_file;

	for (size_t first = 0, end; first < index->cnt; first = end) {
		size_t best = index->items[first].place;

		for (end = first + 1;
		     end < index->cnt && same_spot(&index->items[first], &index->items[end]); end++)
			if (is_better(rs, index->items[end].place, best))
				best = index->items[end].place;
		for (size_t i = first; i < end; i++) {
			if (index->items[i].place == best)
				continue;
			compare_twins(rs, best, index->items[i].place);
			twin[index->items[i].place] = true;
		}
	}
}

static int move_twins(struct pol_resolver *rs)
{
	_cleanup_free_ bool *twin = calloc(rs->places->cnt + 1, sizeof(*twin));
	struct pol_places *places = rs->places;
	size_t cnt = 0, kept = 0;

	if (!twin)
		return -ENOMEM;
	find_twins(rs, twin);
	for (size_t i = 0; i < places->cnt; i++)
		cnt += twin[i];
	if (!cnt)
		return 0;
	places->twins = calloc(cnt, sizeof(*places->twins));
	rs->twin_walk_of = calloc(cnt, sizeof(*rs->twin_walk_of));
	if (!places->twins || !rs->twin_walk_of)
		return -ENOMEM;
	for (size_t i = 0; i < places->cnt; i++) {
		if (twin[i]) {
			rs->twin_walk_of[places->twins_cnt] = rs->walk_of[i];
			places->twins[places->twins_cnt++] = places->items[i];
			continue;
		}
		rs->walk_of[kept] = rs->walk_of[i];
		places->items[kept++] = places->items[i];
	}
	places->cnt = kept;
	return 1;
}

/* The indices hold numbers of places: made anew when places went. */
static int index_anew(struct pol_resolver *rs)
{
	int r;

	pol_index_done(&rs->by_file);
	pol_index_done(&rs->by_path);
	r = pol_index_init(&rs->by_file, rs->guests_cnt);
	if (r == 0)
		r = pol_index_init(&rs->by_path, rs->guests_cnt);
	return r < 0 ? r : index_places(rs);
}

static int place_order(const void *a, const void *b)
{
	const struct pol_place *x = a, *y = b;

	if (x->guest != y->guest)
		return x->guest < y->guest ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->derived != y->derived)
		return x->derived ? 1 : -1;
	return strcmp(x->dir, y->dir);
}

static int resolve_all(struct pol_resolver *rs, const struct held *held,
		       const struct pol_region *running, size_t running_cnt)
{
	const char *mountinfo = rs->in ? rs->in->mountinfo : "/proc/self/mountinfo";
	int r = pol_mounts_read_file(mountinfo, &rs->mounts);

	if (r < 0 && r != -ENOMEM) {
		pol_diag_add(rs->diags, false, POL_P_LOOKUP, 0, 0, "mount procfs at /proc",
			     "cannot read %s: %s", mountinfo, strerror(-r));
		return 0;
	}
	if (r == 0)
		r = walk_all(rs, held);
	if (r == 0)
		r = index_anew(rs);
	if (r == 0)
		r = move_twins(rs);
	if (r > 0)
		r = index_anew(rs);
	if (r == 0 && !rs->in)
		r = pol_lint_places(rs);
	if (r == 0)
		r = pol_derive_mounts(rs);
	if (r == 0)
		r = pol_check_links(rs, running, running_cnt);
	if (r == 0)
		r = pol_check_globs(rs);
	if (r == 0 && !rs->in)
		r = pol_check_seen(rs);
	return r;
}

static void resolver_done(struct pol_resolver *rs)
{
	for (size_t i = 0; i < rs->walks_cnt; i++)
		pol_walk_done(&rs->walks[i]);
	free(rs->walks);
	free(rs->walk_of);
	free(rs->twin_walk_of);
	pol_mounts_done(&rs->mounts);
	pol_index_done(&rs->by_file);
	pol_index_done(&rs->by_path);
}

/* @in: NULL: the rules of the host. */
static int locate(const struct pol_policy *policy, const struct pol_root *in, int root,
		  const struct pol_region *running, size_t running_cnt,
		  const char *const *held_names, size_t held_cnt, struct pol_diags *diags,
		  struct pol_places *ret)
{
	struct pol_places places = { 0 };
	struct pol_resolver rs = {
		.policy = policy,
		.in = in,
		.root = root,
		.diags = diags,
		.places = &places,
		/* Every region may be of a guest of its own. */
		.guests_cnt = (uint32_t)(policy->guests_cnt + running_cnt),
	};
	struct held held = { .cnt = held_cnt };
	size_t errors = diags->errors;
	int r;

	held.sorted = calloc(held_cnt ? held_cnt : 1, sizeof(*held.sorted));
	if (!held.sorted)
		return -ENOMEM;
	for (size_t i = 0; i < held_cnt; i++)
		held.sorted[i] = held_names[i];
	qsort(held.sorted, held_cnt, sizeof(*held.sorted), text_order);
	r = resolve_all(&rs, &held, running, running_cnt);
	free(held.sorted);
	resolver_done(&rs);
	if (r == 0 && diags->errors > errors)
		r = -EINVAL;
	if (r < 0) {
		pol_places_done(&places);
		return r;
	}
	if (places.cnt)
		qsort(places.items, places.cnt, sizeof(*places.items), place_order);
	*ret = places;
	return 0;
}

int pol_resolve(struct pol_policy *policy, const struct pol_region *running,
		size_t running_cnt, const char *const *held_names, size_t held_cnt,
		struct pol_diags *diags, struct pol_places *ret)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t errors = diags->errors;
	int r = pol_expand_globs(policy, diags);

	if (r < 0)
		return r;
	pol_resolve_devices(policy, diags);
	pol_resolve_shadows(policy, diags);
	r = locate(policy, NULL, root, running, running_cnt, held_names, held_cnt, diags, ret);
	if (r < 0 || diags->errors == errors)
		return r;
	pol_places_done(ret);
	return -EINVAL;
}

int pol_resolve_in(struct pol_policy *policy, const struct pol_root *root,
		   const struct pol_region *running, size_t running_cnt,
		   const char *const *held_names, size_t held_cnt, struct pol_diags *diags,
		   struct pol_places *ret)
{
	return locate(policy, root, root->fd, running, running_cnt, held_names, held_cnt, diags,
		      ret);
}
