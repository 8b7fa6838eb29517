/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with more than one name beneath a rule (policy-language.md, semantics 15): what the rule
 * gives, it gives on a file that has another name elsewhere too. Nothing to say of a file whose names
 * were all found where that rule decides. A bounded look, of one filesystem per rule; only names and
 * inodes are read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "resolve_int.h"

#define DEPTH_MAX 64 /* directories open at once */

struct level {
	DIR *dir;
	size_t path_len; /* of what is above */
};

/* One name of a file that has several. */
struct linked {
	ino_t ino;
	nlink_t links;
	char *path;
};

struct search {
	const struct pol_places *places;
	struct level levels[DEPTH_MAX];
	size_t depth;
	char *path;
	dev_t dev;
	size_t budget;
	bool complete;
	struct linked *found;
	size_t found_cnt;
};

static void search_done(struct search *s)
{
	for (size_t i = 0; i < s->found_cnt; i++)
		free(s->found[i].path);
	free(s->found);
	free(s->path);
}

/* A rule of its own, of whichever guest, decides there: that is another look. */
static bool is_place(const struct search *s, const char *path, const char *name)
{
	for (size_t i = 0; i < s->places->cnt; i++) {
		const struct pol_place *place = &s->places->items[i];

		if (place->name && strcmp(place->name, name) != 0)
			continue;
		if (strcmp(place->dir, place->name ? s->path : path) == 0)
			return true;
	}
	return false;
}

static int note(struct search *s, const struct stat *st, char *path)
{
	struct linked *more = reallocarray(s->found, s->found_cnt + 1, sizeof(*more));

	if (!more) {
		free(path);
		return -ENOMEM;
	}
	s->found = more;
	more[s->found_cnt++] =
		(struct linked){ .ino = st->st_ino, .links = st->st_nlink, .path = path };
	return 0;
}

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
	if (is_place(s, path, name))
		return 0;
	if (S_ISREG(st.st_mode))
		return note(s, &st, TAKE_PTR(path));
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

static int by_inode(const void *a, const void *b)
{
	const struct linked *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* The files of which not every name was found; the first of these names. */
static size_t elsewhere(struct search *s, const char **ret_first)
{
	size_t files = 0, next;

	if (s->found_cnt)
		qsort(s->found, s->found_cnt, sizeof(*s->found), by_inode);
	for (size_t i = 0; i < s->found_cnt; i = next) {
		const struct linked *file = &s->found[i];

		for (next = i; next < s->found_cnt && s->found[next].ino == file->ino;)
			next++;
		if (next - i >= file->links)
			continue;
		files++;
		if (!*ret_first || strcmp(file->path, *ret_first) < 0)
			*ret_first = file->path;
	}
	return files;
}

static int search_place(const struct pol_policy *policy, const struct pol_places *places,
			const struct pol_place *place, size_t *budget, bool *complete,
			struct pol_diags *diags)
{
	const struct pol_rule *rule = pol_place_rule(policy, place);
	struct search s = { .places = places, .budget = *budget, .complete = true };
	const char *first = NULL;
	struct stat st;
	size_t files;
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
	files = elsewhere(&s, &first);
	if (r == 0 && files)
		pol_diag_add(
			diags, true, POL_P_LINKS, rule->line, rule->col, NULL,
			"%zu files beneath '%s' have names that were not found there, '%s' the first: the rule reaches them all the same",
			files, rule->path, first);
	*budget = s.budget;
	*complete &= s.complete;
	search_done(&s);
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
			r = search_place(policy, places, order[i], &budget, ret_complete, diags);
	return r;
}
