/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "anchors.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "file.h"

#define BATCH 256 /* descriptors held at once: well below the usual soft limit of 1024 */

void pol_anchors_done(struct pol_anchors *anchors)
{
	for (size_t i = 0; i < anchors->cnt; i++)
		free(anchors->items[i].path);
	free(anchors->items);
	free(anchors->above);
	memset(anchors, 0, sizeof(*anchors));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct pol_anchor *)a)->path, ((const struct pol_anchor *)b)->path);
}

const struct pol_anchor *pol_anchors_find(const struct pol_anchors *anchors, const char *path)
{
	const struct pol_anchor key = { .path = (char *)path };

	if (!anchors->cnt)
		return NULL;
	return bsearch(&key, anchors->items, anchors->cnt, sizeof(key), by_path);
}

bool pol_anchor_is_exact(const struct pol_anchor *anchor)
{
	const struct pol_anchor_record *record = &anchor->record;
	bool is_dir = (record->mode & S_IFMT) == S_IFDIR;

	if (record->layer_magic == OVERLAYFS_SUPER_MAGIC)
		return false;
	if (record->layer_magic && !pol_fs_supported(record->layer_magic))
		return false;
	return (is_dir ? &record->self : &record->parent)->tree != POL_TREE_UNKNOWN;
}

/* On btrfs and overlayfs a directory's number is not all; what the rest rests on may lack. */
static void say_inexact(const struct pol_rule *rule, const struct pol_place *place, uint32_t layer,
			struct pol_diags *diags)
{
	if (place->derived)
		pol_diag_add(diags, true, POL_P_MOUNT, rule->line, 1, NULL,
			     "the mount '%s' below '%s' has no key (P0511): this version has no "
			     "rules there, and refuses everything",
			     place->dir, rule->path);
	else if (layer)
		pol_diag_add(diags, false, POL_P_TREE, rule->line, 1, NULL,
			     "'%s' is on overlayfs with a layer of type %#x: rules there are not "
			     "available in this version",
			     place->dir, layer);
	else
		pol_diag_add(diags, false, POL_P_TREE, rule->line, 1,
			     "this needs a kernel with types for btrfs (/sys/kernel/btf/btrfs, or "
			     "built in)",
			     "'%s' is on btrfs, and its subvolume cannot be told", place->dir);
}

bool pol_anchors_check(const struct pol_anchors *anchors, const struct pol_policy *policy,
		       const struct pol_places *places, struct pol_diags *diags)
{
	size_t errors = diags->errors;

	for (size_t i = 0; i < places->cnt; i++) {
		const struct pol_place *place = &places->items[i];
		const struct pol_anchor *anchor = pol_anchors_find(anchors, place->dir);

		if (anchor && !pol_anchor_is_exact(anchor))
			say_inexact(&policy->guests[place->guest].rules[place->rule], place,
				    anchor->record.layer_magic, diags);
	}
	return diags->errors == errors;
}

/* ------------------------------------------------------------------ which paths */

struct path_list {
	char **items;
	size_t cnt;
	size_t room;
};

static int add_path(struct path_list *list, const char *path, size_t len)
{
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		char **items = reallocarray(list->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->cnt] = strndup(path, len);
	if (!list->items[list->cnt])
		return -ENOMEM;
	list->cnt++;
	return 0;
}

/* A directory and all above it: "/a/b" gives "/a/b", "/a", "/". */
static int add_with_parents(struct path_list *list, const char *path)
{
	size_t len = strlen(path);
	int r = 0;

	while (len > 1 && !r) {
		r = add_path(list, path, len);
		while (len > 1 && path[len - 1] != '/')
			len--;
		len -= len > 1;
	}
	return r ? r : add_path(list, "/", 1);
}

static int add_place(struct path_list *list, const struct pol_place *place, const char *last_dir)
{
	_cleanup_free_ char *file = NULL;
	int r = 0;

	if (!last_dir || strcmp(last_dir, place->dir) != 0)
		r = add_with_parents(list, place->dir);
	if (r < 0 || !place->derived || !place->name)
		return r;
	if (asprintf(&file, "%s/%s", place->dir[1] ? place->dir : "", place->name) < 0)
		return -ENOMEM;
	return add_path(list, file, strlen(file));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void path_list_done(struct path_list *list)
{
	for (size_t i = 0; i < list->cnt; i++)
		free(list->items[i]);
	free(list->items);
}

/* Unique paths, sorted, moved into @ret. */
static int collect(const struct pol_places *places, struct pol_anchors *ret)
{
	_cleanup_(path_list_done) struct path_list list = {};
	const char *last = NULL;
	int r;

	for (size_t i = 0; i < places->cnt; i++) {
		if (places->items[i].pending)
			continue;
		r = add_place(&list, &places->items[i], last);
		if (r < 0)
			return r;
		last = places->items[i].dir;
	}
	if (!list.cnt)
		return 0;
	qsort(list.items, list.cnt, sizeof(*list.items), by_text);
	ret->items = calloc(list.cnt, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < list.cnt; i++)
		if (!ret->cnt || strcmp(ret->items[ret->cnt - 1].path, list.items[i]) != 0)
			ret->items[ret->cnt++].path = TAKE_PTR(list.items[i]);
	return 0;
}

/* ------------------------------------------------------------------ their keys */

struct batch {
	struct pol_anchors *all;
	struct pol_anchor *anchors;
	int fds[BATCH];
	size_t cnt;
	size_t found;
};

static int add_above(struct pol_anchors *all, const struct pol_dir_key *key)
{
	struct pol_dir_key *above;

	above = reallocarray(all->above, all->above_cnt + 1, sizeof(*above));
	if (!above)
		return -ENOMEM;
	all->above = above;
	all->above[all->above_cnt++] = *key;
	return 0;
}

static int take_record(const void *data, void *arg)
{
	const struct pol_anchor_record *record = data;
	struct batch *batch = arg;

	for (size_t i = 0; i < batch->cnt; i++) {
		if (batch->fds[i] != (int)record->fd)
			continue;
		if (record->above)
			return add_above(batch->all, &record->self);
		batch->anchors[i].record = *record;
		batch->found++;
		break;
	}
	return 0;
}

/* A symlink anywhere on a canonical path: somebody swapped it since. */
static int open_anchor(int root, const char *path)
{
	return pol_openat2(root, path, O_PATH, 0,
			   RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static void close_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->cnt; i++)
		close(batch->fds[i]);
	batch->cnt = 0;
}

static int take_batch(const struct pol_engine *engine, int root, struct pol_anchors *all,
		      size_t first, size_t cnt, struct pol_err *err)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)getpid() };
	struct pol_anchor *anchors = all->items + first;
	_cleanup_(close_batch) struct batch batch = { .all = all, .anchors = anchors };
	struct stat st;
	int r;

	for (size_t i = 0; i < cnt; i++) {
		r = open_anchor(root, anchors[i].path);
		if (r < 0)
			return pol_err_set(err, POL_ERR_FAILED, r == -ELOOP ? -ESTALE : r,
					   "cannot open '%s'", anchors[i].path);
		batch.fds[batch.cnt++] = r;
		if (fstat(r, &st) < 0)
			return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot look at '%s'",
					   anchors[i].path);
		anchors[i].ino = st.st_ino;
	}
	r = pol_iterate(engine, POL_PROG_ANCHOR, &command, sizeof(struct pol_anchor_record),
			take_record, &batch);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the kernel's inode keys");
	if (batch.found != cnt)
		return pol_err_say(err, POL_ERR_FAILED, -EIO,
				   "the kernel gave %zu of %zu inode keys", batch.found, cnt);
	return 0;
}

/* What the resolver saw must be what is anchored. */
static int verify(const struct pol_places *places, const struct pol_anchors *anchors,
		  struct pol_err *err)
{
	for (size_t i = 0; i < places->cnt; i++) {
		const struct pol_place *place = &places->items[i];
		const struct pol_anchor *anchor;

		if (place->pending)
			continue;
		anchor = pol_anchors_find(anchors, place->dir);
		if (!anchor || anchor->ino != place->ino)
			return pol_err_say(err, POL_ERR_FAILED, -ESTALE,
					   "'%s' was replaced while the policy was loaded",
					   place->dir);
	}
	return 0;
}

int pol_anchors_take(const struct pol_engine *engine, int root, const struct pol_places *places,
		     struct pol_anchors *ret, struct pol_err *err)
{
	int r = collect(places, ret);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot list the anchors");
	for (size_t i = 0; i < ret->cnt; i += BATCH) {
		size_t cnt = ret->cnt - i < BATCH ? ret->cnt - i : BATCH;

		r = take_batch(engine, root, ret, i, cnt, err);
		if (r < 0)
			return r;
	}
	return verify(places, ret, err);
}

/* ------------------------------------------------------------------ one descriptor */

struct one {
	int fd;
	bool found;
	struct pol_anchor_record *ret;
};

static int take_one(const void *data, void *arg)
{
	const struct pol_anchor_record *record = data;
	struct one *one = arg;

	if ((int)record->fd != one->fd || record->above)
		return 0;
	*one->ret = *record;
	one->found = true;
	return 0;
}

int pol_anchor_of(const struct pol_engine *engine, int fd, struct pol_anchor_record *ret)
{
	const struct pol_iter_command command = { .tgid = (uint32_t)getpid() };
	struct one one = { .fd = fd, .ret = ret };
	int r = pol_iterate(engine, POL_PROG_ANCHOR, &command, sizeof(*ret), take_one, &one);

	if (r < 0)
		return r;
	return one.found ? 0 : -ENOENT;
}
