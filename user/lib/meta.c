/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "str.h"

void pol_meta_free(struct pol_meta *meta)
{
	if (!meta)
		return;
	for (size_t i = 0; i < meta->guests_cnt; i++) {
		free(meta->guests[i].name);
		pol_limits_done(&meta->guests[i].limits);
		pol_members_done(meta->guests[i].members, meta->guests[i].members_cnt);
		pol_shadow_done(&meta->guests[i].shadow);
	}
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		free(meta->rules[i].path);
		free(meta->rules[i].name);
		free(meta->rules[i].dir);
		free(meta->rules[i].entry);
		free(meta->rules[i].where);
		free(meta->rules[i].guest_path);
	}
	free(meta->guests);
	free(meta->rules);
	free(meta->file);
	free(meta->sha256);
	free(meta->cgroup);
	free(meta);
}

void pol_meta_freep(struct pol_meta **meta)
{
	pol_meta_free(*meta);
}

/* ------------------------------------------------------------------ from a policy */

static int copy_string(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Equal in everything that a decision or an event shows. */
static bool same_rules(const struct pol_guest *a, const struct pol_guest *b)
{
	if (a->rules_cnt != b->rules_cnt)
		return false;
	for (size_t i = 0; i < a->rules_cnt; i++) {
		const struct pol_rule *x = &a->rules[i], *y = &b->rules[i];

		if (x->access != y->access || x->line != y->line ||
		    x->in_guest != y->in_guest || !same_text(x->path, y->path) ||
		    !same_text(x->name, y->name) || !same_text(x->guest_path, y->guest_path))
			return false;
	}
	return true;
}

/* A cheap fingerprint first: 10 000 guests are compared with those of equal rules only. */
static uint64_t rules_hash(const struct pol_guest *guest)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < guest->rules_cnt; i++) {
		for (const char *at = guest->rules[i].path; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3ull;
		hash = (hash ^ guest->rules[i].access) * 0x100000001b3ull;
		hash = (hash ^ (unsigned int)guest->rules[i].line) * 0x100000001b3ull;
	}
	return hash;
}

/*
 * Return: the index of an earlier guest with the same rules, or @at itself. Below a guest's own root
 * equal rules are other places.
 */
static size_t twin_of(const struct pol_policy *policy, const uint64_t *hashes, size_t at)
{
	if (pol_guest_is_rooted(&policy->guests[at]))
		return at;
	for (size_t i = 0; i < at; i++)
		if (hashes[i] == hashes[at] &&
		    same_rules(&policy->guests[i], &policy->guests[at]))
			return i;
	return at;
}

static int add_rules(struct pol_meta *meta, const struct pol_guest *guest, uint32_t ruleset)
{
	int r;

	for (size_t i = 0; i < guest->rules_cnt; i++) {
		struct pol_meta_rule *rule = &meta->rules[meta->rules_cnt++];

		r = copy_string(guest->rules[i].path, &rule->path);
		if (!r)
			r = copy_string(guest->rules[i].name, &rule->name);
		if (!r)
			r = copy_string(guest->rules[i].guest_path, &rule->guest_path);
		if (r < 0)
			return r;
		rule->ruleset = ruleset;
		rule->access = guest->rules[i].access;
		rule->line = (uint32_t)guest->rules[i].line;
		rule->col = (uint32_t)guest->rules[i].col;
		rule->in_guest = guest->rules[i].in_guest;
		rule->optional = guest->rules[i].optional;
		rule->log = guest->rules[i].log;
		rule->pending = true; /* until a place says otherwise */
	}
	return 0;
}

int pol_meta_set_place(struct pol_meta_rule *rule, const struct pol_place *place)
{
	int r = copy_string(place->dir, &rule->dir);

	if (!r)
		r = copy_string(place->name, &rule->entry);
	if (!r)
		r = copy_string(place->where, &rule->where);
	rule->pending = r < 0;
	return r;
}

void pol_meta_unset_place(struct pol_meta_rule *rule)
{
	free(TAKE_PTR(rule->dir));
	free(TAKE_PTR(rule->entry));
	free(TAKE_PTR(rule->where));
	rule->key = (struct pol_dir_key){ 0 };
	rule->ino = 0;
	rule->pending = true;
}

static int add_places(struct pol_meta *meta, const struct pol_place *places, size_t cnt,
		      const uint32_t *first_rule)
{
	int r;

	for (size_t i = 0; i < cnt; i++) {
		const struct pol_place *place = &places[i];

		if (place->derived || place->pending || first_rule[place->guest] == UINT32_MAX)
			continue;
		r = pol_meta_set_place(&meta->rules[first_rule[place->guest] + place->rule], place);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_members(const struct pol_guest *from, struct pol_meta_guest *guest)
{
	int r = 0;

	guest->members = calloc(from->members_cnt + 1, sizeof(*guest->members));
	if (!guest->members)
		return -ENOMEM;
	for (size_t i = 0; i < from->members_cnt && !r; i++) {
		guest->members[guest->members_cnt++] = from->members[i];
		r = copy_string(from->members[i].text, &guest->members[i].text);
	}
	return r;
}

static int fill_guests(struct pol_meta *meta, const struct pol_policy *policy, uint32_t *first_rule)
{
	_cleanup_free_ uint64_t *hashes = calloc(policy->guests_cnt + 1, sizeof(*hashes));
	uint32_t rulesets = 0;
	int r;

	if (!hashes)
		return -ENOMEM;
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *from = &policy->guests[i];
		struct pol_meta_guest *guest = &meta->guests[i];
		size_t twin;

		hashes[i] = rules_hash(from);
		twin = twin_of(policy, hashes, i);
		r = copy_string(from->name, &guest->name);
		if (r < 0)
			return r;
		meta->guests_cnt++;
		guest->audit = from->audit;
		guest->err = (uint32_t)from->err;
		guest->knobs = from->knobs;
		guest->limits = from->limits;
		r = pol_io_copy(from->limits.io, from->limits.io_cnt, &guest->limits);
		if (!r)
			r = add_members(from, guest);
		if (!r)
			r = pol_shadow_copy(&from->shadow, &guest->shadow);
		if (r < 0)
			return r;
		first_rule[i] = UINT32_MAX;
		guest->ruleset = twin < i ? meta->guests[twin].ruleset : ++rulesets;
		if (twin < i)
			continue;
		first_rule[i] = (uint32_t)meta->rules_cnt;
		r = add_rules(meta, from, guest->ruleset);
		if (r < 0)
			return r;
	}
	return 0;
}

int pol_meta_new(const struct pol_policy *policy, const struct pol_places *places,
		 struct pol_meta **ret)
{
	_cleanup_free_ uint32_t *first_rule = calloc(policy->guests_cnt + 1, sizeof(*first_rule));
	_cleanup_(pol_meta_freep) struct pol_meta *meta = calloc(1, sizeof(*meta));
	size_t rules = 0;
	int r;

	if (!meta || !first_rule)
		return -ENOMEM;
	for (size_t i = 0; i < policy->guests_cnt; i++)
		rules += policy->guests[i].rules_cnt;
	meta->guests = calloc(policy->guests_cnt + 1, sizeof(*meta->guests));
	meta->rules = calloc(rules + 1, sizeof(*meta->rules));
	if (!meta->guests || !meta->rules)
		return -ENOMEM;
	r = copy_string(policy->file, &meta->file);
	if (!r)
		r = copy_string(policy->sha256, &meta->sha256);
	if (!r)
		r = copy_string(policy->cgroup, &meta->cgroup);
	if (!r)
		r = fill_guests(meta, policy, first_rule);
	if (!r)
		r = add_places(meta, places->items, places->cnt, first_rule);
	if (!r)
		r = add_places(meta, places->twins, places->twins_cnt, first_rule);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(meta);
	return 0;
}

/* ------------------------------------------------------------------ bytes */

static void put_u64(FILE *out, uint64_t value)
{
	(void)fwrite(&value, sizeof(value), 1, out);
}

/* Length + 1, then the bytes; 0: NULL. */
static void put_string(FILE *out, const char *text)
{
	put_u64(out, text ? strlen(text) + 1 : 0);
	if (text)
		(void)fwrite(text, 1, strlen(text), out);
}

static void put_io(FILE *out, const struct pol_limits *limits)
{
	put_u64(out, limits->io_cnt);
	for (size_t i = 0; i < limits->io_cnt; i++) {
		put_string(out, limits->io[i].device);
		put_u64(out, limits->io[i].major);
		put_u64(out, limits->io[i].minor);
		for (size_t k = 0; k < POL_IO_CNT; k++)
			put_u64(out, limits->io[i].max[k]);
	}
}

static void put_members(FILE *out, const struct pol_meta_guest *guest)
{
	put_u64(out, guest->members_cnt);
	for (size_t i = 0; i < guest->members_cnt; i++) {
		put_u64(out, guest->members[i].kind);
		put_string(out, guest->members[i].text);
		put_u64(out, (uint64_t)guest->members[i].pid);
		put_u64(out, (uint64_t)guest->members[i].line);
		put_u64(out, (uint64_t)guest->members[i].col);
	}
}

static void put_shadow(FILE *out, const struct pol_shadow_policy *shadow)
{
	put_u64(out, shadow->max_size);
	put_u64(out, shadow->budget);
	put_u64(out, shadow->exec);
	put_u64(out, shadow->paths_cnt);
	for (size_t i = 0; i < shadow->paths_cnt; i++)
		put_string(out, shadow->paths[i]);
}

static void put_guest(FILE *out, const struct pol_meta_guest *guest)
{
	put_string(out, guest->name);
	put_u64(out, guest->cgroup_id);
	put_u64(out, guest->id);
	put_u64(out, guest->ruleset);
	put_u64(out, guest->err);
	put_u64(out, guest->knobs);
	put_u64(out, guest->audit);
	put_u64(out, guest->ghost);
	put_u64(out, guest->limits.pids);
	put_u64(out, guest->limits.memory_bytes);
	put_u64(out, guest->limits.swap_bytes);
	put_u64(out, guest->limits.cpu_milli);
	put_u64(out, guest->limits.best_effort);
	put_u64(out, guest->limits.fds);
	put_u64(out, guest->limits.fds_all);
	put_u64(out, guest->limits.kill);
	put_io(out, &guest->limits);
	put_u64(out, guest->rooted);
	put_u64(out, guest->root.mounts);
	put_u64(out, guest->root.mnt_id);
	put_u64(out, guest->root.dev);
	put_u64(out, guest->root.ino);
	put_u64(out, guest->own_root);
	put_members(out, guest);
	put_shadow(out, &guest->shadow);
}

static void put_rule(FILE *out, const struct pol_meta_rule *rule)
{
	put_string(out, rule->path);
	put_string(out, rule->name);
	put_string(out, rule->dir);
	put_string(out, rule->entry);
	put_string(out, rule->where);
	put_string(out, rule->guest_path);
	put_u64(out, rule->key.inode.ino);
	put_u64(out, rule->key.inode.dev);
	put_u64(out, rule->key.inode.generation);
	put_u64(out, rule->key.tree);
	put_u64(out, rule->ino);
	put_u64(out, rule->ruleset);
	put_u64(out, rule->access);
	put_u64(out, rule->line);
	put_u64(out, rule->col);
	put_u64(out, rule->pending);
	put_u64(out, rule->in_guest);
	put_u64(out, rule->optional);
	put_u64(out, rule->log);
}

int pol_meta_encode(const struct pol_meta *meta, char **ret, size_t *ret_len)
{
	char *buf = NULL;
	size_t len = 0;
	bool failed;
	FILE *out = open_memstream(&buf, &len);

	if (!out)
		return -ENOMEM;
	put_u64(out, POL_META_MAGIC);
	put_u64(out, POL_ABI_VERSION);
	put_string(out, meta->file);
	put_string(out, meta->sha256);
	put_string(out, meta->cgroup);
	put_u64(out, meta->generation);
	put_u64(out, meta->guests_cnt);
	put_u64(out, meta->rules_cnt);
	for (size_t i = 0; i < meta->guests_cnt; i++)
		put_guest(out, &meta->guests[i]);
	for (size_t i = 0; i < meta->rules_cnt; i++)
		put_rule(out, &meta->rules[i]);
	failed = ferror(out) != 0;
	if (fclose(out) || failed) {
		free(buf);
		return -ENOMEM;
	}
	*ret = buf;
	*ret_len = len;
	return 0;
}

/* What is left to read; @bad once anything did not fit. */
struct cut {
	const char *at;
	size_t left;
	bool bad;
};

static uint64_t get_u64(struct cut *cut)
{
	uint64_t value = 0;

	if (cut->left < sizeof(value)) {
		cut->bad = true;
		return 0;
	}
	memcpy(&value, cut->at, sizeof(value));
	cut->at += sizeof(value);
	cut->left -= sizeof(value);
	return value;
}

static char *get_string(struct cut *cut)
{
	uint64_t len = get_u64(cut);
	char *text;

	if (!len || cut->bad)
		return NULL;
	if (--len > cut->left) {
		cut->bad = true;
		return NULL;
	}
	text = strndup(cut->at, len);
	if (!text)
		cut->bad = true;
	cut->at += len;
	cut->left -= len;
	return text;
}

#define IO_BYTES 56 /* the least that one takes, so that a count can be checked */

static void get_io(struct cut *cut, struct pol_limits *ret)
{
	uint64_t cnt = get_u64(cut);

	if (!cnt)
		return;
	ret->io = cnt > cut->left / IO_BYTES ? NULL : calloc(cnt, sizeof(*ret->io));
	cut->bad |= !ret->io;
	while (!cut->bad && ret->io_cnt < cnt) {
		struct pol_io_limit *io = &ret->io[ret->io_cnt++];

		io->device = get_string(cut);
		io->major = (uint32_t)get_u64(cut);
		io->minor = (uint32_t)get_u64(cut);
		for (size_t k = 0; k < POL_IO_CNT; k++)
			io->max[k] = get_u64(cut);
		cut->bad |= !io->device;
	}
}

#define MEMBER_BYTES 40 /* likewise */

static void get_members(struct cut *cut, struct pol_meta_guest *ret)
{
	uint64_t cnt = get_u64(cut);

	if (!cnt)
		return;
	ret->members = cnt > cut->left / MEMBER_BYTES ? NULL : calloc(cnt, sizeof(*ret->members));
	cut->bad |= !ret->members;
	while (!cut->bad && ret->members_cnt < cnt) {
		struct pol_member *member = &ret->members[ret->members_cnt++];

		member->kind = (enum pol_member_kind)get_u64(cut);
		member->text = get_string(cut);
		member->pid = (pid_t)get_u64(cut);
		member->line = (int)get_u64(cut);
		member->col = (int)get_u64(cut);
		cut->bad |= member->kind > POL_MEMBER_PID ||
			    (member->kind == POL_MEMBER_PID) != !member->text;
	}
}

#define PATH_BYTES 8 /* likewise */

static void get_shadow(struct cut *cut, struct pol_shadow_policy *ret)
{
	uint64_t cnt;

	ret->max_size = get_u64(cut);
	ret->budget = get_u64(cut);
	ret->exec = get_u64(cut) != 0;
	cnt = get_u64(cut);
	if (!cnt)
		return;
	ret->paths = cnt > cut->left / PATH_BYTES ? NULL : calloc(cnt, sizeof(*ret->paths));
	cut->bad |= !ret->paths;
	while (!cut->bad && ret->paths_cnt < cnt) {
		ret->paths[ret->paths_cnt] = get_string(cut);
		cut->bad |= !ret->paths[ret->paths_cnt++];
	}
}

static void get_guest(struct cut *cut, struct pol_meta_guest *ret)
{
	ret->name = get_string(cut);
	ret->cgroup_id = get_u64(cut);
	ret->id = (uint32_t)get_u64(cut);
	ret->ruleset = (uint32_t)get_u64(cut);
	ret->err = (uint32_t)get_u64(cut);
	ret->knobs = (uint32_t)get_u64(cut);
	ret->audit = get_u64(cut) != 0;
	ret->ghost = get_u64(cut) != 0;
	ret->limits.pids = get_u64(cut);
	ret->limits.memory_bytes = get_u64(cut);
	ret->limits.swap_bytes = get_u64(cut);
	ret->limits.cpu_milli = get_u64(cut);
	ret->limits.best_effort = get_u64(cut) != 0;
	ret->limits.fds = get_u64(cut);
	ret->limits.fds_all = get_u64(cut) != 0;
	ret->limits.kill = get_u64(cut) != 0;
	get_io(cut, &ret->limits);
	ret->rooted = get_u64(cut);
	ret->root.mounts = get_u64(cut);
	ret->root.mnt_id = get_u64(cut);
	ret->root.dev = get_u64(cut);
	ret->root.ino = get_u64(cut);
	ret->own_root = get_u64(cut) != 0;
	get_members(cut, ret);
	get_shadow(cut, &ret->shadow);
	if (!ret->name)
		cut->bad = true;
}

static void get_rule(struct cut *cut, struct pol_meta_rule *ret)
{
	ret->path = get_string(cut);
	ret->name = get_string(cut);
	ret->dir = get_string(cut);
	ret->entry = get_string(cut);
	ret->where = get_string(cut);
	ret->guest_path = get_string(cut);
	ret->key.inode.ino = get_u64(cut);
	ret->key.inode.dev = (uint32_t)get_u64(cut);
	ret->key.inode.generation = (uint32_t)get_u64(cut);
	ret->key.tree = (uint32_t)get_u64(cut);
	ret->ino = get_u64(cut);
	ret->ruleset = (uint32_t)get_u64(cut);
	ret->access = (uint32_t)get_u64(cut);
	ret->line = (uint32_t)get_u64(cut);
	ret->col = (uint32_t)get_u64(cut);
	ret->pending = get_u64(cut) != 0;
	ret->in_guest = get_u64(cut) != 0;
	ret->optional = get_u64(cut) != 0;
	ret->log = get_u64(cut) != 0;
	if (!ret->path)
		cut->bad = true;
}

#define GUEST_BYTES 144 /* likewise */
#define RULE_BYTES 80

static int decode_lists(struct cut *cut, uint64_t guests, uint64_t rules, struct pol_meta *meta)
{
	if (cut->bad || guests > cut->left / GUEST_BYTES || rules > cut->left / RULE_BYTES)
		return -EPROTO;
	meta->guests = calloc(guests + 1, sizeof(*meta->guests));
	meta->rules = calloc(rules + 1, sizeof(*meta->rules));
	if (!meta->guests || !meta->rules)
		return -ENOMEM;
	while (meta->guests_cnt < guests && !cut->bad)
		get_guest(cut, &meta->guests[meta->guests_cnt++]);
	while (meta->rules_cnt < rules && !cut->bad)
		get_rule(cut, &meta->rules[meta->rules_cnt++]);
	return cut->bad ? -EPROTO : 0;
}

int pol_meta_decode(const char *bytes, size_t len, struct pol_meta **ret)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = calloc(1, sizeof(*meta));
	struct cut cut = { bytes, len, false };
	uint64_t guests, rules;
	int r;

	if (!meta)
		return -ENOMEM;
	if (get_u64(&cut) != POL_META_MAGIC || get_u64(&cut) != POL_ABI_VERSION)
		return -EPROTO;
	meta->file = get_string(&cut);
	meta->sha256 = get_string(&cut);
	meta->cgroup = get_string(&cut);
	meta->generation = get_u64(&cut);
	guests = get_u64(&cut);
	rules = get_u64(&cut);
	if (!meta->file || !meta->sha256 || !meta->cgroup)
		return -EPROTO;
	r = decode_lists(&cut, guests, rules, meta);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(meta);
	return 0;
}

/* ------------------------------------------------------------------ questions */

const struct pol_meta_guest *pol_meta_guest(const struct pol_meta *meta, const char *name)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (strcmp(meta->guests[i].name, name) == 0)
			return &meta->guests[i];
	return NULL;
}

const struct pol_meta_guest *pol_meta_guest_by_id(const struct pol_meta *meta, uint32_t id)
{
	for (size_t i = 0; i < meta->guests_cnt; i++)
		if (meta->guests[i].id == id)
			return &meta->guests[i];
	return NULL;
}

/* Length of the rule's place if it covers @dir (of the host's rules) or @where, else 0. */
static size_t covers(const struct pol_meta_rule *rule, const char *dir, const char *where)
{
	const char *place = rule->in_guest ? rule->where : rule->dir;
	const char *at = rule->in_guest ? where : dir;
	size_t len;

	if (rule->pending || !place || rule->entry || !at)
		return 0;
	len = strlen(place);
	if (strncmp(place, at, len) != 0)
		return 0;
	return place[len - 1] == '/' || !at[len] || at[len] == '/' ? len : 0;
}

bool pol_meta_steerable(const struct pol_meta *meta, const char *dir, const char *where)
{
	const uint32_t steers = POL_RIGHT_CREATE | POL_RIGHT_RENAME | POL_RIGHT_LINK;

	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &meta->rules[i];
		size_t len = covers(rule, dir, where);
		bool nearer = false;

		if (!len || !(rule->access & steers))
			continue;
		for (size_t k = 0; k < meta->rules_cnt && !nearer; k++)
			nearer = meta->rules[k].ruleset == rule->ruleset &&
				 meta->rules[k].in_guest == rule->in_guest &&
				 covers(&meta->rules[k], dir, where) > len;
		if (!nearer)
			return true;
	}
	return false;
}

static bool region_covers(const struct pol_region *region, const char *path)
{
	return !region->dir[1] || pol_path_lies_in(path, region->dir);
}

/* The nearest of the same rules as @i covers nothing nearer. */
static bool is_nearest(const struct pol_region *regions, size_t cnt, size_t i, const char *path)
{
	for (size_t k = 0; k < cnt; k++)
		if (regions[k].guest == regions[i].guest && region_covers(&regions[k], path) &&
		    strlen(regions[k].dir) > strlen(regions[i].dir))
			return false;
	return true;
}

bool pol_meta_may_change(const struct pol_meta *meta, const char *path)
{
	const uint32_t changes = POL_RIGHT_WRITE | POL_RIGHT_CREATE | POL_RIGHT_DELETE |
				 POL_RIGHT_RENAME | POL_RIGHT_LINK | POL_RIGHT_TRUNCATE;
	struct pol_region *regions;
	size_t cnt, held_cnt;
	bool found = false;
	char **held;

	if (pol_meta_regions(meta, 0, &regions, &cnt, &held, &held_cnt) < 0)
		return true; /* no memory: it may */
	for (size_t i = 0; i < cnt && !found; i++)
		found = regions[i].access & changes && region_covers(&regions[i], path) &&
			is_nearest(regions, cnt, i, path);
	for (size_t i = 0; i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	return found;
}

bool pol_meta_is_rooted(const struct pol_meta *meta, const struct pol_meta_guest *guest)
{
	for (size_t i = 0; i < meta->rules_cnt; i++)
		if (meta->rules[i].in_guest && meta->rules[i].ruleset == guest->ruleset)
			return true;
	return false;
}

bool pol_meta_is_mapped(const struct pol_meta *meta, const struct pol_meta_guest *guest)
{
	for (size_t i = pol_meta_first_rule(meta, guest->ruleset);
	     i < meta->rules_cnt && meta->rules[i].ruleset == guest->ruleset; i++)
		if (meta->rules[i].guest_path)
			return true;
	return false;
}

size_t pol_meta_first_rule(const struct pol_meta *meta, uint32_t ruleset)
{
	size_t i = 0;

	while (i < meta->rules_cnt && meta->rules[i].ruleset != ruleset)
		i++;
	return i;
}

const struct pol_meta_rule *pol_meta_same_rule(const struct pol_meta *meta,
					       const struct pol_meta_guest *guest,
					       const struct pol_meta_rule *rule)
{
	for (size_t i = pol_meta_first_rule(meta, guest->ruleset);
	     i < meta->rules_cnt && meta->rules[i].ruleset == guest->ruleset; i++)
		if (meta->rules[i].in_guest && strcmp(meta->rules[i].path, rule->path) == 0)
			return &meta->rules[i];
	return NULL;
}

static int carry_rule(const struct pol_meta_rule *from, struct pol_meta_rule *to)
{
	const struct pol_place place = { .dir = from->dir, .name = from->entry, .where = from->where };

	to->key = from->key;
	to->ino = from->ino;
	return pol_meta_set_place(to, &place);
}

int pol_meta_carry(const struct pol_meta *before, const struct pol_meta_guest *from,
		   struct pol_meta *next, struct pol_meta_guest *to)
{
	int r = 0;

	to->rooted = from->rooted;
	to->root = from->root;
	to->own_root = from->own_root;
	for (size_t i = pol_meta_first_rule(next, to->ruleset);
	     i < next->rules_cnt && next->rules[i].ruleset == to->ruleset && !r; i++) {
		struct pol_meta_rule *rule = &next->rules[i];
		const struct pol_meta_rule *old =
			rule->in_guest ? pol_meta_same_rule(before, from, rule) : NULL;

		if (old && !old->pending)
			r = carry_rule(old, rule);
	}
	return r;
}

/* The names that stay names where rules are resolved now: in the loader's root, or in one guest's. */
static bool is_held(const struct pol_meta_rule *rule, uint32_t ruleset)
{
	return rule->entry && (ruleset ? rule->in_guest && rule->ruleset == ruleset
				       : !rule->in_guest);
}

int pol_meta_regions(const struct pol_meta *meta, uint32_t ruleset, struct pol_region **ret,
		     size_t *ret_cnt, char ***ret_held, size_t *ret_held_cnt)
{
	struct pol_region *regions = calloc(meta->rules_cnt + 1, sizeof(*regions));
	char **held = calloc(meta->rules_cnt + 1, sizeof(*held));
	size_t cnt = 0, held_cnt = 0;

	if (!regions || !held)
		goto fail;
	for (size_t i = 0; i < meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &meta->rules[i];

		if (rule->pending || !rule->dir)
			continue;
		regions[cnt].dir = rule->dir;
		/* The loader looks its own paths up: what is there now counts. */
		if (ruleset || rule->in_guest)
			regions[cnt].where = rule->where;
		if (is_held(rule, ruleset)) {
			if (asprintf(&held[held_cnt], "%s/%s", rule->dir[1] ? rule->dir : "",
				     rule->entry) < 0)
				goto fail;
			regions[cnt].dir = held[held_cnt++];
		}
		regions[cnt].guest = rule->ruleset;
		regions[cnt++].access = rule->access;
	}
	*ret = regions;
	*ret_cnt = cnt;
	*ret_held = held;
	*ret_held_cnt = held_cnt;
	return 0;
fail:
	for (size_t i = 0; held && i < held_cnt; i++)
		free(held[i]);
	free(held);
	free(regions);
	return -ENOMEM;
}
