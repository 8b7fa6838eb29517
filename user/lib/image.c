/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "resolve_int.h"

void pol_image_done(struct pol_image *image)
{
	free(image->dirs);
	free(image->names);
	free(image->longs);
	memset(image, 0, sizeof(*image));
}

/* ------------------------------------------------------------------ entries of places */

/* Rule ids by guest, and room for the worst case. */
struct build {
	const struct pol_policy *policy;
	const struct pol_meta *meta;
	const struct pol_anchors *anchors;
	uint32_t *first_rule; /* by guest index; 0: a twin's */
	bool *hides;	      /* by guest index: it or a twin has stat = "deny", or may get it */
	struct pol_image *image;
};

static void add_dir(struct build *build, const struct pol_dir_key *dir, uint32_t ruleset,
		    const struct pol_rule_value *value, bool derived)
{
	struct pol_dir_entry *entry = &build->image->dirs[build->image->dirs_cnt++];

	entry->key = *dir;
	entry->key.ruleset = ruleset;
	entry->value = *value;
	entry->derived = derived;
}

static uint64_t name_hash(const char *name, size_t len)
{
	uint64_t hash = POL_NAME_HASH_START, words[POL_NAME_SIZE / 8] = { 0 };

	memcpy(words, name, len);
	for (size_t i = 0; i < (len + 31) / 32 * 4; i++)
		hash = POL_NAME_HASH(hash, words[i]);
	return hash;
}

static void add_name(struct build *build, const struct pol_dir_key *dir, uint32_t ruleset,
		     const char *name, const struct pol_rule_value *value, bool derived)
{
	const struct pol_rule_value parent = { .flags = POL_DIR_NAMES };
	size_t len = strlen(name);

	add_dir(build, dir, ruleset, &parent, false);
	if (len < POL_NAME_SHORT) {
		struct pol_name_entry *entry = &build->image->names[build->image->names_cnt++];

		entry->key.dir = *dir;
		entry->key.dir.ruleset = ruleset;
		memcpy(entry->key.name, name, len);
		entry->value = *value;
		entry->derived = derived;
	} else {
		struct pol_long_entry *entry = &build->image->longs[build->image->longs_cnt++];

		entry->key.dir = *dir;
		entry->key.dir.ruleset = ruleset;
		entry->key.hash = name_hash(name, len);
		entry->key.len = (uint32_t)len;
		entry->value.rule = *value;
		memcpy(entry->value.name, name, len);
		entry->derived = derived;
	}
}

/* An object by its parent and name as its own filesystem has them. */
static void add_record_name(struct build *build, const struct pol_anchor_record *record,
			    uint32_t ruleset, const struct pol_rule_value *value)
{
	char name[POL_NAME_SIZE];

	if (!record->name_len || record->name_len >= POL_NAME_SIZE)
		return;
	memcpy(name, record->name, record->name_len);
	name[record->name_len] = '\0';
	add_name(build, &record->parent, ruleset, name, value, true);
}

/* A mounted file is anchored by its own parent and name, in its own filesystem. */
static void add_mounted_file(struct build *build, const struct pol_place *place, uint32_t ruleset,
			     const struct pol_rule_value *value)
{
	_cleanup_free_ char *path = NULL;
	const struct pol_anchor *anchor;

	if (asprintf(&path, "%s/%s", place->dir[1] ? place->dir : "", place->name) < 0) {
		path = NULL;
		return;
	}
	anchor = pol_anchors_find(build->anchors, path);
	if (anchor && pol_anchor_is_exact(anchor))
		add_record_name(build, &anchor->record, ruleset, value);
}

/* The name of an anchor, in its own filesystem: what comes to have it is stale. */
static void add_anchor_name(struct build *build, const struct pol_anchor *anchor, uint32_t ruleset,
			    uint32_t rule)
{
	const struct pol_rule_value stale = { .rule = rule, .flags = POL_RULE_STALE };

	if (!anchor->record.is_root)
		add_record_name(build, &anchor->record, ruleset, &stale);
}

/* Whoever may do something at a place may look at the directories on the way there. */
static void add_way(struct build *build, const struct pol_place *place, uint32_t ruleset)
{
	const struct pol_rule_value way = { .flags = POL_DIR_WAY };
	_cleanup_free_ char *dir = strdup(place->dir);
	const struct pol_anchor *anchor;

	do {
		anchor = dir ? pol_anchors_find(build->anchors, dir) : NULL;
		if (anchor)
			add_dir(build, &anchor->record.self, ruleset, &way, false);
	} while (dir && pol_key_up(dir));
}

static void add_place(struct build *build, const struct pol_place *place)
{
	const struct pol_rule *rule = &build->policy->guests[place->guest].rules[place->rule];
	uint32_t ruleset = build->meta->guests[place->guest].ruleset;
	const struct pol_rule_value value = {
		.access = rule->access,
		.rule = build->first_rule[place->guest] + (uint32_t)place->rule,
		.flags = (rule->log ? POL_RULE_LOG : 0) | (place->sysctl ? POL_RULE_SYSCTL : 0),
	};
	struct pol_rule_value anchor_value = value;
	const struct pol_anchor *anchor;

	anchor = pol_anchors_find(build->anchors, place->dir);
	if (!anchor || !pol_anchor_is_exact(anchor))
		return;
	if (rule->access && build->hides[place->guest])
		add_way(build, place, ruleset);
	anchor_value.flags |= POL_DIR_RULE;
	if (!place->name) {
		add_dir(build, &anchor->record.self, ruleset, &anchor_value, place->derived);
		if (!place->derived)
			add_anchor_name(build, anchor, ruleset, value.rule);
	} else if (place->derived) {
		add_mounted_file(build, place, ruleset, &value);
	} else {
		add_name(build, &anchor->record.self, ruleset, place->name, &value, false);
	}
}

/* ------------------------------------------------------------------ one entry a key */

static int by_dir_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pol_dir_key));
}

static int by_name_key(const void *a, const void *b)
{
	const struct pol_name_entry *x = a, *y = b;
	size_t nx = strnlen(x->key.name, POL_NAME_SHORT), ny = strnlen(y->key.name, POL_NAME_SHORT);

	if ((nx < 32) != (ny < 32))
		return nx < 32 ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int by_long_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pol_long_key));
}

/* Explicit beats derived; of two alike only the rights that both give remain. */
static void merge_value(struct pol_rule_value *into, bool *into_derived,
			const struct pol_rule_value *from, bool from_derived)
{
	if (*into_derived && !from_derived) {
		*into = *from;
		*into_derived = false;
		return;
	}
	if (!*into_derived && from_derived)
		return;
	into->access &= from->access;
	into->flags |= from->flags;
}

static void merge_dir(struct pol_dir_entry *into, const struct pol_dir_entry *from)
{
	uint32_t flags = into->value.flags | from->value.flags;

	if (!(from->value.flags & POL_DIR_RULE)) {
		into->value.flags = flags;
	} else if (!(into->value.flags & POL_DIR_RULE)) {
		into->value = from->value;
		into->derived = from->derived;
		into->value.flags = flags;
	} else {
		merge_value(&into->value, &into->derived, &from->value, from->derived);
		into->value.flags = flags;
	}
}

static void merge_dirs(struct pol_image *image)
{
	size_t cnt = 0;

	qsort(image->dirs, image->dirs_cnt, sizeof(*image->dirs), by_dir_key);
	for (size_t i = 0; i < image->dirs_cnt; i++)
		if (cnt && !by_dir_key(&image->dirs[cnt - 1], &image->dirs[i]))
			merge_dir(&image->dirs[cnt - 1], &image->dirs[i]);
		else
			image->dirs[cnt++] = image->dirs[i];
	image->dirs_cnt = cnt;
}

static void merge_names(struct pol_image *image)
{
	size_t cnt = 0;

	qsort(image->names, image->names_cnt, sizeof(*image->names), by_name_key);
	for (size_t i = 0; i < image->names_cnt; i++) {
		struct pol_name_entry *last = cnt ? &image->names[cnt - 1] : NULL;
		const struct pol_name_entry *at = &image->names[i];

		if (last && !by_name_key(last, at))
			merge_value(&last->value, &last->derived, &at->value, at->derived);
		else
			image->names[cnt++] = *at;
	}
	image->names_cnt = cnt;
}

static int merge_longs(struct pol_image *image)
{
	size_t cnt = 0;

	qsort(image->longs, image->longs_cnt, sizeof(*image->longs), by_long_key);
	for (size_t i = 0; i < image->longs_cnt; i++) {
		struct pol_long_entry *last = cnt ? &image->longs[cnt - 1] : NULL;
		const struct pol_long_entry *at = &image->longs[i];

		if (!last || by_long_key(last, at)) {
			image->longs[cnt++] = *at;
			continue;
		}
		if (memcmp(last->value.name, at->value.name, sizeof(at->value.name)) != 0)
			return -EEXIST;
		merge_value(&last->value.rule, &last->derived, &at->value.rule, at->derived);
	}
	image->longs_cnt = cnt;
	return 0;
}

/* ------------------------------------------------------------------ guests */

/* Also what is set, but past all that could be counted. */
static __u32 ceiling_of(uint64_t limit)
{
	return limit < POL_NO_CEILING ? (__u32)limit : POL_NO_CEILING;
}

void pol_image_guest(const struct pol_meta_guest *guest, struct pol_guest_config *ret)
{
	*ret = (struct pol_guest_config){
		.ruleset = guest->ruleset,
		.mode = guest->audit ? POL_MODE_AUDIT : POL_MODE_ENFORCE,
		.err = guest->err,
		.flags = POL_GUEST_KNOWN | (guest->limits.kill ? POL_GUEST_KILL : 0) |
			 guest->knobs,
		.fds = ceiling_of(guest->limits.fds),
		.pids = ceiling_of(guest->limits.pids),
	};
}

/* ------------------------------------------------------------------ the whole */

/* Ids are as in @meta, whose sets are numbered from 1, no more than there are guests. */
static int number_rules(struct build *build)
{
	const struct pol_meta_guest *guests = build->meta->guests;
	_cleanup_free_ uint32_t *first = calloc(build->meta->guests_cnt + 1, sizeof(*first));

	build->first_rule = calloc(build->policy->guests_cnt + 1, sizeof(*build->first_rule));
	build->hides = calloc(build->policy->guests_cnt + 1, sizeof(*build->hides));
	if (!first || !build->first_rule || !build->hides)
		return -ENOMEM;
	for (size_t i = build->meta->rules_cnt; i-- > 0;)
		first[build->meta->rules[i].ruleset] = (uint32_t)i + 1;
	for (size_t i = 0; i < build->policy->guests_cnt; i++) {
		size_t k = 0;

		while (guests[k].ruleset != guests[i].ruleset)
			k++;
		/* What a guest brings stays when a load makes its stat = "deny". */
		build->hides[k] |= guests[i].knobs & POL_GUEST_STAT ||
				   pol_guest_is_rooted(&build->policy->guests[i]);
		if (k == i)
			build->first_rule[i] = first[guests[i].ruleset];
	}
	return 0;
}

static size_t depth(const char *path)
{
	size_t slashes = 0;

	for (; *path; path++)
		slashes += *path == '/';
	return slashes;
}

static int make_room(struct build *build, const struct pol_places *places)
{
	struct pol_image *image = build->image;
	size_t dirs = build->anchors->cnt + build->anchors->above_cnt;

	/* A place: at most two directory entries; an anchor, what is above it: one in rule set 0. */
	for (size_t i = 0; i < places->cnt; i++)
		dirs += 2 + (build->hides[places->items[i].guest] ?
				     depth(places->items[i].dir) + 1 : 0);
	image->dirs = calloc(dirs + 1, sizeof(*image->dirs));
	image->names = calloc(places->cnt + 1, sizeof(*image->names));
	image->longs = calloc(places->cnt + 1, sizeof(*image->longs));
	return image->dirs && image->names && image->longs ? 0 : -ENOMEM;
}

int pol_image_gather(const struct pol_policy *policy, const struct pol_meta *meta,
		     const struct pol_places *places, const struct pol_anchors *anchors,
		     struct pol_image *ret)
{
	const struct pol_rule_value above = { .flags = POL_DIR_ABOVE };
	struct build build = { .policy = policy, .meta = meta, .anchors = anchors, .image = ret };
	int r = number_rules(&build);

	if (!r)
		r = make_room(&build, places);
	for (size_t i = 0; i < places->cnt && !r; i++)
		if (!places->items[i].pending && build.first_rule[places->items[i].guest])
			add_place(&build, &places->items[i]);
	for (size_t i = 0; i < anchors->cnt && !r; i++)
		if (S_ISDIR(anchors->items[i].record.mode) &&
		    pol_anchor_is_exact(&anchors->items[i]))
			add_dir(&build, &anchors->items[i].record.self, 0, &above, false);
	for (size_t i = 0; i < anchors->above_cnt && !r; i++)
		add_dir(&build, &anchors->above[i], 0, &above, false);
	free(build.first_rule);
	free(build.hides);
	return r;
}

/* Room for all; calloc, so that keys compare by their bytes. */
static int make_room_for(const struct pol_image *raw, size_t cnt, struct pol_image *ret)
{
	size_t dirs = 1, names = 1, longs = 1;

	for (size_t i = 0; i < cnt; i++) {
		dirs += raw[i].dirs_cnt;
		names += raw[i].names_cnt;
		longs += raw[i].longs_cnt;
	}
	ret->dirs = calloc(dirs, sizeof(*ret->dirs));
	ret->names = calloc(names, sizeof(*ret->names));
	ret->longs = calloc(longs, sizeof(*ret->longs));
	return ret->dirs && ret->names && ret->longs ? 0 : -ENOMEM;
}

static void append(struct pol_image *into, const struct pol_image *raw)
{
	if (raw->dirs_cnt)
		memcpy(into->dirs + into->dirs_cnt, raw->dirs,
		       raw->dirs_cnt * sizeof(*raw->dirs));
	if (raw->names_cnt)
		memcpy(into->names + into->names_cnt, raw->names,
		       raw->names_cnt * sizeof(*raw->names));
	if (raw->longs_cnt)
		memcpy(into->longs + into->longs_cnt, raw->longs,
		       raw->longs_cnt * sizeof(*raw->longs));
	into->dirs_cnt += raw->dirs_cnt;
	into->names_cnt += raw->names_cnt;
	into->longs_cnt += raw->longs_cnt;
}

int pol_image_copy(const struct pol_image *raw, struct pol_image *ret)
{
	int r = make_room_for(raw, 1, ret);

	if (!r)
		append(ret, raw);
	return r;
}

int pol_image_merge(const struct pol_image *raw, size_t cnt, struct pol_image *ret)
{
	int r = make_room_for(raw, cnt, ret);

	for (size_t i = 0; i < cnt && !r; i++)
		append(ret, &raw[i]);
	if (r < 0)
		return r;
	merge_dirs(ret);
	merge_names(ret);
	return merge_longs(ret);
}

int pol_image_build(const struct pol_policy *policy, const struct pol_meta *meta,
		    const struct pol_places *places, const struct pol_anchors *anchors,
		    struct pol_image *ret)
{
	struct pol_image raw = { 0 };
	int r = pol_image_gather(policy, meta, places, anchors, &raw);

	if (!r)
		r = pol_image_merge(&raw, 1, ret);
	pol_image_done(&raw);
	return r;
}
