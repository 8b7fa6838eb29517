/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"
#include "resolve_int.h"
#include "str.h"
#include "tmpdir.h"

/* With any of these something can be changed. */
#define CHANGES                                                                            \
	(POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE | POL_RIGHT_CREATE | POL_RIGHT_DELETE |      \
	 POL_RIGHT_RENAME | POL_RIGHT_LINK | POL_RIGHT_METADATA)

void pol_map_done(struct pol_map *map)
{
	free(map->host);
	free(map->guest);
	free(map->dir);
	free(map->name);
}

void pol_view_done(struct pol_view *view)
{
	for (size_t i = 0; i < view->cnt; i++) {
		free(view->items[i].at);
		free(view->items[i].what);
		free(view->items[i].dir);
		free(view->items[i].name);
	}
	free(view->items);
	*view = (struct pol_view){ 0 };
}

/* ------------------------------------------------------------------ what may be done where */

/* A rule of the guest's, by where it is. */
struct spot {
	char *path;
	uint32_t access;
};

struct making {
	const struct pol_meta *meta;
	const struct pol_meta_guest *guest;
	struct spot *spots; /* sorted by path */
	size_t spots_cnt;
	struct pol_view view;
};

static void making_done(struct making *m)
{
	for (size_t i = 0; i < m->spots_cnt; i++)
		free(m->spots[i].path);
	free(m->spots);
	pol_view_done(&m->view);
}

static int spot_order(const void *a, const void *b)
{
	return strcmp(((const struct spot *)a)->path, ((const struct spot *)b)->path);
}

static const struct spot *find(const struct making *m, const char *path)
{
	const struct spot key = { .path = (char *)path };

	return m->spots_cnt ? bsearch(&key, m->spots, m->spots_cnt, sizeof(key), spot_order) : NULL;
}

static bool is_hosts(const struct pol_meta_rule *rule)
{
	return !rule->in_guest && !rule->pending && rule->dir;
}

static int list_spots(struct making *m)
{
	const struct pol_meta *meta = m->meta;
	size_t first = pol_meta_first_rule(meta, m->guest->ruleset), end = first;

	while (end < meta->rules_cnt && meta->rules[end].ruleset == m->guest->ruleset)
		end++;
	m->spots = calloc(end - first + 1, sizeof(*m->spots));
	if (!m->spots)
		return -ENOMEM;
	for (; first < end; first++) {
		const struct pol_meta_rule *rule = &meta->rules[first];
		struct spot *spot = &m->spots[m->spots_cnt];

		if (!is_hosts(rule))
			continue;
		*spot = (struct spot){ pol_path_join(rule->dir, rule->entry), rule->access };
		if (!spot->path)
			return -ENOMEM;
		m->spots_cnt++;
	}
	qsort(m->spots, m->spots_cnt, sizeof(*m->spots), spot_order);
	return 0;
}

/* The rights of the nearest rule. @ret_named: it is on @path itself. */
static int nearest(const struct making *m, const char *path, uint32_t *ret, bool *ret_named)
{
	_cleanup_free_ char *at = strdup(path);
	const struct spot *spot;

	if (!at)
		return -ENOMEM;
	spot = find(m, at);
	*ret_named = spot != NULL;
	while (!spot && pol_key_up(at))
		spot = find(m, at);
	*ret = spot ? spot->access : 0;
	return 0;
}

/* Does a rule beneath @path let something be changed? They stand in one row: "/a/" and what follows. */
static bool is_changed_beneath(const struct making *m, const char *path)
{
	size_t len = path[1] ? strlen(path) : 0, low = 0, high = m->spots_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *at = m->spots[middle].path;
		int order = strncmp(at, path, len);

		if (order < 0 || (!order && (unsigned char)at[len] < '/'))
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < m->spots_cnt && !strncmp(m->spots[low].path, path, len) &&
	       m->spots[low].path[len] == '/';
	     low++)
		if (m->spots[low].access & CHANGES)
			return true;
	return false;
}

/* Does a rule with in = "guest" do so, as far as its path tells, at @at, above or beneath it? */
static bool is_changed_in_guest(const struct making *m, const char *at)
{
	for (size_t i = pol_meta_first_rule(m->meta, m->guest->ruleset);
	     i < m->meta->rules_cnt && m->meta->rules[i].ruleset == m->guest->ruleset; i++) {
		const struct pol_meta_rule *rule = &m->meta->rules[i];

		if (rule->in_guest && rule->access & CHANGES &&
		    (pol_path_lies_in(rule->path, at) || pol_path_lies_in(at, rule->path)))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ items */

/* Takes what @item owns, also on failure. */
static int add(struct making *m, struct pol_view_item *item)
{
	struct pol_view *view = &m->view;

	view->items[view->cnt++] = *item;
	return item->at && item->what && item->dir ? 0 : -ENOMEM;
}

/* By the rights at its place. */
static int judge(const struct making *m, struct pol_view_item *item, bool *ret_create)
{
	_cleanup_free_ char *path = pol_path_join(item->dir, item->name);
	uint32_t access;
	bool named;

	if (!path || nearest(m, path, &access, &named) < 0)
		return -ENOMEM;
	item->ro = !(access & CHANGES) && !is_changed_beneath(m, path) &&
		   !is_changed_in_guest(m, item->at);
	item->device = named;
	*ret_create = access & POL_RIGHT_CREATE;
	return 0;
}

static int add_rule(struct making *m, const struct pol_meta_rule *rule)
{
	struct pol_view_item item = {
		.at = strdup(rule->guest_path ? rule->guest_path : rule->path),
		.what = strdup(rule->path),
		.dir = strdup(rule->dir),
		.name = rule->entry ? strdup(rule->entry) : NULL,
		.ino = rule->entry ? 0 : rule->ino,
		.line = rule->line,
		.asked = rule->guest_path,
		.must = !rule->entry && !rule->optional,
	};
	int r;

	if (rule->entry && !item.name)
		free(TAKE_PTR(item.dir));
	r = item.dir ? judge(m, &item, &item.make) : -ENOMEM;
	return add(m, &item) < 0 ? -ENOMEM : r;
}

static bool is_private_tmp(const struct making *m, const char *path)
{
	_cleanup_free_ char *private = pol_tmp_has(m->guest) ? pol_tmp_path(m->guest->name) : NULL;

	return private && strcmp(private, path) == 0;
}

static int add_tmp(struct making *m, const char *at)
{
	struct pol_view_item item = {
		.at = strdup(at),
		.what = strdup(at),
		.dir = pol_tmp_path(m->guest->name),
		.asked = true,
		.must = true,
	};

	return add(m, &item);
}

/* Behind a private /tmp nothing of the host's is seen. */
static bool is_hidden(const struct making *m, const char *at)
{
	return pol_tmp_has(m->guest) && pol_private_dir(at);
}

static int add_rules(struct making *m)
{
	int r = 0;

	for (size_t i = pol_meta_first_rule(m->meta, m->guest->ruleset);
	     i < m->meta->rules_cnt && m->meta->rules[i].ruleset == m->guest->ruleset && !r; i++) {
		const struct pol_meta_rule *rule = &m->meta->rules[i];

		if (!is_hosts(rule) || (!rule->access && !rule->guest_path) ||
		    is_private_tmp(m, rule->path) || is_hidden(m, rule->guest_path ?: rule->path))
			continue;
		r = add_rule(m, rule);
	}
	if (!r && pol_tmp_has(m->guest))
		r = add_tmp(m, "/tmp");
	if (!r && pol_tmp_has(m->guest))
		r = add_tmp(m, "/var/tmp");
	return r;
}

static int add_map(struct making *m, const struct pol_map *map, struct pol_err *err)
{
	struct pol_view_item item = {
		.at = strdup(map->guest),
		.what = strdup(map->host),
		.dir = strdup(map->dir),
		.name = map->name ? strdup(map->name) : NULL,
		.asked = true,
		.must = true,
	};
	int r = item.dir && (item.name || !map->name) ? judge(m, &item, &item.make) : -ENOMEM;

	item.ro |= map->ro;
	if (add(m, &item) < 0 || r < 0)
		return -ENOMEM;
	if (!is_hidden(m, map->guest))
		return 0;
	return pol_err_say(err, POL_ERR_FAILED, -EINVAL,
			   "'%s' cannot be mapped to '%s': guest '%s' has a %s of its own "
			   "(tmp = \"private\")",
			   map->host, map->guest, m->guest->name, pol_private_dir(map->guest));
}

/* ------------------------------------------------------------------ the whole */

static int item_order(const void *a, const void *b)
{
	const struct pol_view_item *x = a, *y = b;
	int order = strcmp(x->at, y->at);

	if (order)
		return order;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void name_item(const struct pol_view_item *item, char *buf, size_t size)
{
	if (item->line)
		(void)snprintf(buf, size, "'%s' (line %u)", item->what, item->line);
	else
		(void)snprintf(buf, size, "'%s'", item->what);
}

static bool same_thing(const struct pol_view_item *a, const struct pol_view_item *b)
{
	return strcmp(a->dir, b->dir) == 0 && !a->name == !b->name &&
	       (!a->name || strcmp(a->name, b->name) == 0);
}

static int check(const struct making *m, const struct pol_view_item *before,
		 const struct pol_view_item *item, struct pol_err *err)
{
	char one[256], two[256];

	name_item(item, two, sizeof(two));
	if (!item->at[1]) {
		pol_err_say(err, POL_ERR_FAILED, -EINVAL,
			    "guest '%s' is to have a root of its own, and the rule on %s would be all "
			    "of it",
			    m->guest->name, two);
		return pol_err_fix(err, "name the directories that it needs");
	}
	if (!before || strcmp(before->at, item->at) != 0)
		return 0;
	name_item(before, one, sizeof(one));
	pol_err_say(err, POL_ERR_FAILED, -EINVAL, "guest '%s' would see two things at '%s': %s and %s",
		    m->guest->name, item->at, one, two);
	return pol_err_fix(err, "map one of the two to another path");
}

/* The same thing twice is once; of two words on it :ro counts. */
static void drop_twin(struct pol_view *view, size_t i)
{
	struct pol_view_item *kept = &view->items[i - 1], *twin = &view->items[i];

	kept->ro |= twin->ro;
	kept->asked |= twin->asked;
	free(twin->at);
	free(twin->what);
	free(twin->dir);
	free(twin->name);
	memmove(twin, twin + 1, (view->cnt - i - 1) * sizeof(*twin));
	view->cnt--;
}

static int settle(struct making *m, struct pol_err *err)
{
	struct pol_view *view = &m->view;
	int r = 0;

	qsort(view->items, view->cnt, sizeof(*view->items), item_order);
	for (size_t i = 0; i < view->cnt && !r;) {
		struct pol_view_item *before = i ? &view->items[i - 1] : NULL;

		if (before && strcmp(before->at, view->items[i].at) == 0 &&
		    same_thing(before, &view->items[i])) {
			drop_twin(view, i);
			continue;
		}
		r = check(m, before, &view->items[i++], err);
	}
	return r;
}

int pol_view_make(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		  const struct pol_map *maps, size_t maps_cnt, struct pol_view *ret,
		  struct pol_err *err)
{
	_cleanup_(making_done) struct making m = { .meta = meta, .guest = guest };
	int r = list_spots(&m);

	m.view.items = calloc(m.spots_cnt + maps_cnt + 3, sizeof(*m.view.items));
	if (!r)
		r = m.view.items ? add_rules(&m) : -ENOMEM;
	for (size_t i = 0; i < maps_cnt && !r; i++)
		r = add_map(&m, &maps[i], err);
	if (!r)
		r = settle(&m, err);
	if (r == -ENOMEM)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot plan the guest's root");
	if (!r) {
		*ret = m.view;
		m.view = (struct pol_view){ 0 };
	}
	return r;
}
