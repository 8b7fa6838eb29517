/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with more than one name beneath a rule (policy-language.md, semantics 15): what the rule
 * gives, it gives on a file that has another name elsewhere too. A bounded look, of one filesystem
 * per rule; only names and inodes are read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "resolve_int.h"

#define DEPTH_MAX 64 /* directories open at once */

struct level {
	DIR *dir;
	size_t path_len; /* of what is above */
};

struct search {
	struct level levels[DEPTH_MAX];
	size_t depth;
	char *path;
	dev_t dev;
	size_t budget;
	bool complete;
	size_t found;
	char *first;
};

static int enter(struct search *s, int fd, const char *path)
{
	DIR *dir;
	char *copy;

	if (s->depth == DEPTH_MAX) {
		s->complete = false;
		close(fd);
		return 0;
	}
	dir = fdopendir(fd);
	copy = strdup(path);
	if (!dir || !copy) {
		if (dir)
			(void)closedir(dir);
		else
			close(fd);
		free(copy);
		return -ENOMEM;
	}
	s->levels[s->depth++] =
		(struct level){ .dir = dir, .path_len = s->path ? strlen(s->path) : 0 };
	free(s->path);
	s->path = copy;
	return 0;
}

static void leave(struct search *s)
{
	struct level *top = &s->levels[--s->depth];

	(void)closedir(top->dir);
	s->path[top->path_len] = '\0';
}

static int look_at(struct search *s, const char *name)
{
	int dir = dirfd(s->levels[s->depth - 1].dir), fd, r = 0;
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 ||
	    st.st_dev != s->dev)
		return 0;
	if (!S_ISDIR(st.st_mode) && !(S_ISREG(st.st_mode) && st.st_nlink > 1))
		return 0;
	path = pol_path_join(s->path, name);
	if (!path)
		return -ENOMEM;
	if (S_ISREG(st.st_mode)) {
		if (!s->found++)
			s->first = TAKE_PTR(path);
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		r = enter(s, fd, path);
	return r;
}

static int run(struct search *s)
{
	int r = 0;

	while (s->depth && r == 0) {
		struct dirent *entry = readdir(s->levels[s->depth - 1].dir);

		if (!entry) {
			leave(s);
		} else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			if (!s->budget) {
				s->complete = false;
				break;
			}
			s->budget--;
			r = look_at(s, entry->d_name);
		}
	}
	while (s->depth)
		leave(s);
	return r;
}

static int search_place(const struct pol_policy *policy, const struct pol_place *place,
			size_t *budget, bool *complete, struct pol_diags *diags)
{
	const struct pol_rule *rule = pol_place_rule(policy, place);
	struct search s = { .budget = *budget, .complete = true };
	struct stat st;
	int fd, r = 0;

	fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		pol_closep(&fd);
		return 0; /* not for us to read, or longer than a path may be here */
	}
	s.dev = st.st_dev;
	r = enter(&s, fd, place->dir);
	if (r == 0)
		r = run(&s);
	if (r == 0 && s.found)
		pol_diag_add(
			diags, true, POL_P_LINKS, rule->line, rule->col, NULL,
			"%zu files beneath '%s' have more than one name, '%s' the first: the rule reaches them by every name",
			s.found, rule->path, s.first);
	*budget = s.budget;
	*complete &= s.complete;
	free(s.first);
	free(s.path);
	return r;
}

static int dir_order(const void *a, const void *b)
{
	const struct pol_place *x = *(const struct pol_place *const *)a;
	const struct pol_place *y = *(const struct pol_place *const *)b;

	return strcmp(x->dir, y->dir);
}

int pol_lint_links(const struct pol_policy *policy, const struct pol_places *places, size_t budget,
		   struct pol_diags *diags, bool *ret_complete)
{
	_cleanup_free_ const struct pol_place **order = calloc(places->cnt + 1, sizeof(*order));
	size_t cnt = 0;
	int r = 0;

	*ret_complete = true;
	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < places->cnt; i++) {
		const struct pol_place *place = &places->items[i];

		if (!place->name && !place->pending && pol_place_rule(policy, place)->access)
			order[cnt++] = place;
	}
	qsort(order, cnt, sizeof(*order), dir_order);
	for (size_t i = 0; i < cnt && r == 0; i++)
		if (!i || strcmp(order[i - 1]->dir, order[i]->dir) != 0)
			r = search_place(policy, order[i], &budget, ret_complete, diags);
	return r;
}
