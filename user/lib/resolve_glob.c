/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Globs in rules (`glob = true`): looked up once, at load, and turned into ordinary rules on what is
 * there. So the kernel decides by inodes and exact names as ever, and no pattern is matched against
 * a name that a guest chooses: pol_check_globs() refuses a directory in which one could.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "resolve_int.h"

#define FAULT(diags, code, glob, help, ...) \
	pol_diag_add(diags, false, code, (glob)->line, (glob)->col, help, __VA_ARGS__)

/* Paths, unique or not; all owned. */
struct paths {
	char **items;
	size_t cnt;
	size_t room;
};

static void paths_done(struct paths *paths)
{
	for (size_t i = 0; i < paths->cnt; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct paths){ 0 };
}

/* Takes @path, also on failure; a NULL one is -ENOMEM. */
static int paths_add(struct paths *paths, char *path)
{
	if (path && paths->cnt == paths->room) {
		size_t room = paths->room ? paths->room * 2 : 16;
		char **items = reallocarray(paths->items, room, sizeof(*items));

		if (!items) {
			free(path);
			return -ENOMEM;
		}
		paths->items = items;
		paths->room = room;
	}
	if (!path)
		return -ENOMEM;
	paths->items[paths->cnt++] = path;
	return 0;
}

/* ------------------------------------------------------------------ what a pattern matches */

struct expansion {
	struct pol_glob *glob;
	struct pol_diags *diags;
	struct paths now; /* what the components so far match */
	struct paths next;
	bool wild; /* one of them was no plain name */
};

static bool is_wild(const char *component)
{
	return strpbrk(component, "*?[") != NULL;
}

static int note_dir(struct pol_glob *glob, const struct pol_walk *walk)
{
	struct pol_glob_dir *dirs = reallocarray(glob->dirs, glob->dirs_cnt + 1, sizeof(*dirs));

	if (!dirs)
		return -ENOMEM;
	glob->dirs = dirs;
	dirs[glob->dirs_cnt] =
		(struct pol_glob_dir){ .path = strdup(walk->dir), .mnt_id = walk->mnt_id };
	return dirs[glob->dirs_cnt].path ? (glob->dirs_cnt++, 0) : -ENOMEM;
}

static void report(struct expansion *x, const char *path, int code)
{
	FAULT(x->diags, POL_P_LOOKUP, x->glob,
	      code == EACCES ? "run it as root, or with --offline" : NULL,
	      "cannot look at '%s', where '%s' is looked up: %s", path, x->glob->pattern,
	      strerror(code));
}

/* The directory that a walk came to, open for reading. Return: descriptor, negative errno. */
static int open_dir(const struct pol_walk *walk)
{
	_cleanup_close_ int fd = open(walk->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != walk->ino || st.st_dev != walk->dev)
		return -ESTALE;
	return TAKE_FD(fd);
}

static int add_entry(struct expansion *x, const char *path, const char *name, const char *component)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    fnmatch(component, name, FNM_NOESCAPE) != 0)
		return 0;
	if (x->next.cnt == POL_RULES_MAX)
		return -E2BIG;
	return paths_add(&x->next, pol_path_join(path, name));
}

/* Every name in the directory @fd (taken) that matches; part of them only is a failure. */
static int list(struct expansion *x, int fd, const char *path, const char *component)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	do {
		errno = 0;
		entry = readdir(dir);
		r = entry ? add_entry(x, path, entry->d_name, component) : -errno;
	} while (entry && !r);
	(void)closedir(dir);
	return r;
}

static int look_for(struct expansion *x, int fd, const char *path, const char *name)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0)
		return paths_add(&x->next, pol_path_join(path, name));
	return errno == ENOENT || errno == ENAMETOOLONG ? 0 : -errno;
}

/* Nothing of the kind there: no match, and no fault of the policy's. */
static bool is_nothing(const struct pol_walk *walk)
{
	switch (walk->fault) {
	case POL_WALK_OK:
		return walk->name != NULL;
	case POL_WALK_NO_PARENT:
	case POL_WALK_NOT_DIRECTORY:
	case POL_WALK_DANGLING:
		return true;
	default:
		return false;
	}
}

/* One component in one directory. */
static int step_into(struct expansion *x, const char *path, const char *component)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = { 0 };
	int r = pol_walk(path, &walk), fd;

	if (r < 0 || is_nothing(&walk))
		return r;
	if (walk.fault) {
		report(x, path, walk.fault == POL_WALK_LOOP ? ELOOP : walk.code);
		return 0;
	}
	if (!pol_fs_supported(walk.magic)) {
		FAULT(x->diags, POL_P_FILESYSTEM, x->glob, NULL,
		      "'%s', where '%s' is looked up, is on a filesystem (type %#llx) that rules are not available on in this version",
		      path, x->glob->pattern, (unsigned long long)walk.magic);
		return 0;
	}
	r = note_dir(x->glob, &walk);
	if (r < 0)
		return r;
	fd = open_dir(&walk);
	r = fd < 0 ? fd : 0;
	if (!r && is_wild(component)) {
		r = list(x, fd, path, component);
	} else if (!r) {
		r = look_for(x, fd, path, component);
		close(fd);
	}
	if (r < 0 && r != -ENOMEM && r != -E2BIG) {
		report(x, path, -r);
		r = 0;
	}
	return r;
}

/* Before the first wildcard there is nothing to choose from: names are only put together. */
static int step(struct expansion *x, const char *component)
{
	int r = 0;

	x->wild |= is_wild(component);
	for (size_t i = 0; i < x->now.cnt && !r; i++)
		r = x->wild ? step_into(x, x->now.items[i], component)
			    : paths_add(&x->next, pol_path_join(x->now.items[i], component));
	paths_done(&x->now);
	x->now = x->next;
	x->next = (struct paths){ 0 };
	return r;
}

/* Something that is there, symlinks followed; before '**', a directory. */
static int is_match(struct expansion *x, const char *path, bool dirs_only, bool *ret)
{
	_cleanup_(pol_walk_done) struct pol_walk walk = { 0 };
	int r = pol_walk(path, &walk);

	*ret = !r && !walk.fault && (!walk.name || (walk.mode && !dirs_only));
	if (!r && walk.fault && !is_nothing(&walk))
		report(x, path, walk.fault == POL_WALK_LOOP ? ELOOP : walk.code);
	return r;
}

static int keep_matches(struct expansion *x, bool dirs_only)
{
	struct paths all = x->now;
	int r = 0;

	x->now = (struct paths){ 0 };
	for (size_t i = 0; i < all.cnt && !r; i++) {
		bool match;

		r = is_match(x, all.items[i], dirs_only, &match);
		if (!r && match)
			r = paths_add(&x->now, TAKE_PTR(all.items[i]));
	}
	paths_done(&all);
	return r;
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int look_up(struct pol_glob *glob, struct pol_diags *diags)
{
	struct expansion x = { .glob = glob, .diags = diags };
	_cleanup_free_ char *text = strdup(glob->pattern);
	bool dirs_only = false;
	char *save = NULL;
	int r = paths_add(&x.now, text ? strdup("/") : NULL);

	for (char *c = text ? strtok_r(text, "/", &save) : NULL; c && !r;
	     c = strtok_r(NULL, "/", &save)) {
		dirs_only = strcmp(c, "**") == 0; /* the parser: only as the last one */
		if (!dirs_only)
			r = step(&x, c);
	}
	if (!r)
		r = keep_matches(&x, dirs_only);
	if (r < 0) {
		paths_done(&x.now);
		paths_done(&x.next);
		return r;
	}
	if (x.now.cnt)
		qsort(x.now.items, x.now.cnt, sizeof(*x.now.items), text_order);
	glob->matches = x.now.items;
	glob->matches_cnt = x.now.cnt;
	return 0;
}

static void report_none(const struct pol_glob *glob, bool optional, struct pol_diags *diags)
{
	if (optional)
		pol_diag_add(
			diags, true, POL_P_GLOB_WAITS, glob->line, glob->col, NULL,
			"'%s' matches nothing, and the rule is optional: it takes effect with the first load that finds something",
			glob->pattern);
	else
		FAULT(diags, POL_P_GLOB_NONE, glob, "say optional = true if that may be",
		      "'%s' matches nothing", glob->pattern);
}

/* ------------------------------------------------------------------ the policy's list of them */

static struct pol_glob *find_glob(struct pol_policy *policy, const struct pol_rule *rule)
{
	for (size_t i = 0; i < policy->globs_cnt; i++) {
		struct pol_glob *glob = &policy->globs[i];

		if (glob->line == rule->line && glob->col == rule->col &&
		    strcmp(glob->pattern, rule->path) == 0)
			return glob;
	}
	return NULL;
}

/* A profile's glob is looked up once, whatever number of guests includes it. */
static int expand_once(struct pol_policy *policy, const struct pol_rule *rule,
		       struct pol_diags *diags)
{
	size_t errors = diags->errors;
	struct pol_glob *globs;
	int r;

	if (find_glob(policy, rule))
		return 0;
	globs = reallocarray(policy->globs, policy->globs_cnt + 1, sizeof(*globs));
	if (!globs)
		return -ENOMEM;
	policy->globs = globs;
	globs += policy->globs_cnt;
	*globs = (struct pol_glob){ .pattern = strdup(rule->path),
				    .line = rule->line,
				    .col = rule->col };
	if (!globs->pattern)
		return -ENOMEM;
	policy->globs_cnt++;
	r = look_up(globs, diags);
	if (!r && !globs->matches_cnt && diags->errors == errors)
		report_none(globs, rule->optional, diags);
	return r;
}

/* ------------------------------------------------------------------ rules made of them */

/* What was written beats what a glob made, and that of the guest's own list a profile's. */
static int rank(const struct pol_rule *rule)
{
	return !rule->glob ? 0 : rule->profile ? 2 : 1;
}

int pol_rule_rank(const struct pol_rule *a, const struct pol_rule *b)
{
	return rank(a) - rank(b);
}

static int rule_order(const void *a, const void *b)
{
	const struct pol_rule *x = a, *y = b;
	int order = pol_rule_order(x, y);

	if (!order)
		order = pol_rule_rank(x, y);
	if (!order)
		order = (x->line > y->line) - (x->line < y->line);
	return order ? order : (x->col > y->col) - (x->col < y->col);
}

static int make_rule(const struct pol_rule *from, const char *path, struct pol_rule *ret)
{
	*ret = *from;
	ret->pattern = false;
	ret->path = strdup(path);
	ret->glob = strdup(from->path);
	ret->name = from->name ? strdup(from->name) : NULL;
	ret->profile = from->profile ? strdup(from->profile) : NULL;
	if (ret->path && ret->glob && (ret->name || !from->name) &&
	    (ret->profile || !from->profile))
		return 0;
	pol_rule_done(ret);
	return -ENOMEM;
}

static void compare(const struct pol_rule *first, const struct pol_rule *second,
		    struct pol_diags *diags)
{
	char one[256], two[256];

	if (pol_rule_rank(first, second) || first->access == second->access)
		return;
	(void)pol_access_format(first->access, one, sizeof(one));
	(void)pol_access_format(second->access, two, sizeof(two));
	FAULT(diags, POL_P_GLOBS_DIFFER, second, "give the guest a rule without glob on this path",
	      "'%s' (line %d) and '%s' (line %d) both match '%s', and differ: %s and %s",
	      first->glob, first->line, second->glob, second->line, second->path, one, two);
}

/* Of rules on one path the first stays. */
static void drop_beaten(struct pol_guest *guest, struct pol_diags *diags)
{
	size_t kept = 0;

	qsort(guest->rules, guest->rules_cnt, sizeof(*guest->rules), rule_order);
	for (size_t i = 0; i < guest->rules_cnt; i++) {
		struct pol_rule *rule = &guest->rules[i];

		if (kept && pol_rule_order(&guest->rules[kept - 1], rule) == 0) {
			compare(&guest->rules[kept - 1], rule, diags);
			pol_rule_done(rule);
			continue;
		}
		guest->rules[kept++] = *rule;
	}
	guest->rules_cnt = kept;
}

/* Looks up what the guest's patterns match. *ret: how many rules that makes, they themselves apart. */
static int expand_patterns(struct pol_policy *policy, const struct pol_guest *guest, size_t room,
			   struct pol_diags *diags, size_t *ret)
{
	int r;

	*ret = 0;
	for (size_t i = 0; i < guest->rules_cnt; i++) {
		if (!guest->rules[i].pattern)
			continue;
		r = expand_once(policy, &guest->rules[i], diags);
		if (r < 0)
			return r;
		*ret += find_glob(policy, &guest->rules[i])->matches_cnt;
		if (*ret > room)
			return -E2BIG;
	}
	return 0;
}

/* A rule for each match in the pattern's place. Takes the guest's rules, also on failure. */
static int make_rules(struct pol_policy *policy, struct pol_guest *guest, struct pol_rule *rules)
{
	struct pol_rule *before = guest->rules;
	size_t cnt = guest->rules_cnt;
	int r = 0;

	guest->rules = rules;
	guest->rules_cnt = 0;
	for (size_t i = 0; i < cnt; i++) {
		const struct pol_glob *glob;

		if (!before[i].pattern) {
			guest->rules[guest->rules_cnt++] = before[i];
			continue;
		}
		glob = find_glob(policy, &before[i]);
		for (size_t k = 0; k < glob->matches_cnt && !r; k++) {
			r = make_rule(&before[i], glob->matches[k],
				      &guest->rules[guest->rules_cnt]);
			guest->rules_cnt += !r;
		}
		pol_rule_done(&before[i]);
	}
	free(before);
	return r;
}

static int expand_guest(struct pol_policy *policy, struct pol_guest *guest, size_t *total,
			struct pol_diags *diags)
{
	struct pol_rule *rules;
	size_t made;
	int r = expand_patterns(policy, guest, POL_RULES_MAX - *total, diags, &made);

	if (r < 0)
		return r;
	rules = calloc(guest->rules_cnt + made + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	r = make_rules(policy, guest, rules);
	if (!r)
		drop_beaten(guest, diags);
	*total += made;
	return r;
}

static size_t count_rules(const struct pol_policy *policy)
{
	size_t cnt = 0;

	for (size_t i = 0; i < policy->guests_cnt; i++)
		cnt += policy->guests[i].rules_cnt;
	return cnt;
}

int pol_expand_globs(struct pol_policy *policy, struct pol_diags *diags)
{
	size_t total = count_rules(policy); /* of which there are not too many, says the parser */
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt && !r; i++)
		r = expand_guest(policy, &policy->guests[i], &total, diags);
	if (r != -E2BIG)
		return r;
	FAULT(diags, POL_P_RULES_MAX, &policy->globs[policy->globs_cnt - 1], NULL,
	      "more than %u rules, with what '%s' matches", POL_RULES_MAX,
	      policy->globs[policy->globs_cnt - 1].pattern);
	return -EINVAL;
}
