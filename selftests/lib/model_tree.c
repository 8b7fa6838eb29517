/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is there: every filesystem read from its root, and paths followed by the kernel itself. */
#include "model.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib_util.h"

static void key_of(const struct statx *st, struct model_key *ret)
{
	ret->dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	ret->ino = st->stx_ino;
}

static void facts_of(const struct statx *st, uint64_t *ret)
{
	ret[0] = st->stx_size;
	ret[1] = st->stx_nlink;
	ret[2] = st->stx_uid;
	ret[3] = (uint64_t)st->stx_ctime.tv_sec * 1000000000 + st->stx_ctime.tv_nsec;
	ret[4] = (uint64_t)st->stx_mtime.tv_sec * 1000000000 + st->stx_mtime.tv_nsec;
}

static int stat_at(int at, const char *name, int flags, struct statx *st)
{
	return statx(at, name, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, st);
}

static struct model_node *add_node(struct model *m, int fs, int parent, const char *name)
{
	struct model_node *node = &m->now.nodes[m->now.cnt];

	if (++m->now.cnt >= MODEL_NODES) {
		printf("# more objects than the model has room for\n");
		fflush(stdout);
		_exit(1);
	}
	memset(node, 0, offsetof(struct model_node, name));
	node->fs = fs;
	node->parent = parent;
	snprintf(node->name, sizeof(node->name), "%s", name);
	return node;
}

static void scan_dir(struct model *m, int self, int fd, uint64_t mount);

static void scan_entry(struct model *m, int parent, int dir, uint64_t mount, const struct dirent *e)
{
	struct model_node *node = add_node(m, m->now.nodes[parent].fs, parent, e->d_name);
	int self = m->now.cnt - 1;
	struct statx st;

	if (stat_at(dir, e->d_name, AT_SYMLINK_NOFOLLOW, &st))
		lib_die("statx", e->d_name);
	node->mode = st.stx_mode;
	if (st.stx_mnt_id != mount) {
		/* What is below the mount can be known by readdir alone. */
		key_of(&st, &node->covers);
		node->mount = st.stx_mnt_id;
		node->key = (struct model_key){ m->now.nodes[parent].key.dev, e->d_ino };
		return;
	}
	key_of(&st, &node->key);
	facts_of(&st, node->facts);
	if (S_ISDIR(st.stx_mode))
		scan_dir(m, self, openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			 mount);
}

/* In the order of names: readdir's differs from one filesystem to its copy. */
static void scan_dir(struct model *m, int self, int fd, uint64_t mount)
{
	struct dirent **entries;
	int cnt = fd < 0 ? -1 : scandirat(fd, ".", &entries, NULL, alphasort);

	if (cnt < 0)
		lib_die("scandir", m->now.nodes[self].name);
	for (int i = 0; i < cnt; i++) {
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			scan_entry(m, self, fd, mount, entries[i]);
		free(entries[i]);
	}
	free(entries);
	close(fd);
}

void model_scan(struct model *m)
{
	m->now.cnt = 0;
	for (int i = 0; i < m->fs_cnt; i++) {
		struct model_node *node = add_node(m, i, -1, "");
		struct statx st;

		if (stat_at(m->fs[i], "", AT_EMPTY_PATH, &st))
			lib_die("statx", m->root);
		key_of(&st, &node->key);
		facts_of(&st, node->facts);
		node->mode = st.stx_mode;
		node->mount = st.stx_mnt_id;
		scan_dir(m, m->now.cnt - 1,
			 openat(m->fs[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), st.stx_mnt_id);
	}
}

bool model_same(const struct model_tree *a, const struct model_tree *b)
{
	for (int i = 0; i < a->cnt && a->cnt == b->cnt; i++) {
		const struct model_node *x = &a->nodes[i], *y = &b->nodes[i];

		if (memcmp(x, y, offsetof(struct model_node, name)) || strcmp(x->name, y->name))
			return false;
	}
	return a->cnt == b->cnt;
}

void model_expand(const struct model *m, const char *from, char *to, size_t size)
{
	size_t len = 0;

	for (; *from && len + sizeof(m->root) < size; from++)
		if (*from == '@')
			len += (size_t)snprintf(to + len, size - len, "%s", m->root);
		else
			to[len++] = *from;
	to[len] = 0;
}

static bool same_key(const struct model_key *a, const struct model_key *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int model_dir(const struct model *m, const struct model_key *key)
{
	for (int i = 0; i < m->now.cnt; i++)
		if (S_ISDIR(m->now.nodes[i].mode) && same_key(&m->now.nodes[i].key, key))
			return i;
	return -1;
}

bool model_is_below(const struct model *m, int node, int dir)
{
	for (; node >= 0; node = m->now.nodes[node].parent)
		if (node == dir)
			return true;
	return false;
}

/* Where the filesystem with this root is mounted; not where a part of it is bound. */
static int mount_of(const struct model *m, const struct model_node *root)
{
	for (int i = 0; i < m->now.cnt; i++)
		if (m->now.nodes[i].covers.ino && m->now.nodes[i].mount == root->mount)
			return i;
	return -1;
}

bool model_path(const struct model *m, int node, int by, char *buf, size_t size)
{
	const struct model_node *at = &m->now.nodes[node];
	size_t len;

	if (by >= 0 && same_key(&m->now.nodes[by].covers, &at->key))
		return model_path(m, by, -1, buf, size);
	if (at->parent < 0 && at->fs == 0)
		return snprintf(buf, size, "@") > 0;
	if (at->parent < 0) {
		int mount = mount_of(m, at);

		return mount >= 0 && model_path(m, mount, -1, buf, size);
	}
	if (!model_path(m, at->parent, by, buf, size))
		return false;
	len = strlen(buf);
	return (size_t)snprintf(buf + len, size - len, "/%s", at->name) < size - len;
}

static int child_of(const struct model *m, int dir, const char *name)
{
	for (int i = dir + 1; i < m->now.cnt; i++)
		if (m->now.nodes[i].parent == dir && !strcmp(m->now.nodes[i].name, name))
			return i;
	return -1;
}

/* The name that a mounted file has in its own filesystem now: the kernel says it. */
static int mounted_file(const struct model *m, const struct model_node *point)
{
	int at = -1, fs = -1;
	char *line = NULL, *save = NULL;
	char root[MODEL_PATH] = "";
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		unsigned long id;

		if (sscanf(line, "%lu %*s %*s %8191s", &id, root) == 2 && id == point->mount)
			break;
		*root = 0;
	}
	free(line);
	if (f)
		fclose(f);
	for (int i = 0; i < m->now.cnt && fs < 0; i++)
		if (m->now.nodes[i].key.dev == point->covers.dev)
			fs = at = i;
	for (char *w = strtok_r(root, "/", &save); w && at >= 0; w = strtok_r(NULL, "/", &save))
		at = child_of(m, at, w);
	return at >= 0 && same_key(&m->now.nodes[at].key, &point->covers) ? at : -1;
}

static int set_node(const struct model *m, int node, struct model_object *ret)
{
	ret->node = node;
	if (node < 0)
		return -1;
	ret->parent = m->now.nodes[node].parent;
	snprintf(ret->name, sizeof(ret->name), "%s", m->now.nodes[node].name);
	return 1;
}

static int dir_of_fd(const struct model *m, int fd)
{
	struct model_key key;
	struct statx st;

	if (fd < 0 || stat_at(fd, "", AT_EMPTY_PATH, &st))
		return -1;
	key_of(&st, &key);
	return model_dir(m, &key);
}

/* Is the mount there by this way, too? A bind mount does not show the mounts in its source. */
static bool is_mounted(const struct model_node *point, int at)
{
	struct statx here, there;

	return point->covers.ino && !stat_at(at, "", AT_EMPTY_PATH, &here) &&
	       !stat_at(at, point->name, AT_SYMLINK_NOFOLLOW, &there) &&
	       there.stx_mnt_id == point->mount && here.stx_mnt_id != point->mount;
}

/* What stands at @name in the directory @dir, open as @fd. */
static int at_name(const struct model *m, int fd, const char *name, bool cross,
		   struct model_object *ret)
{
	int dir = dir_of_fd(m, fd);
	int node = child_of(m, dir, name);
	const struct model_node *at;

	ret->node = -1;
	ret->parent = dir;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	/* By another mount one comes below a mount point, to what the scan has not seen. */
	if (node < 0)
		return dir >= 0 && m->now.nodes[dir].covers.ino ? -1 : 1;
	at = &m->now.nodes[node];
	if (cross && is_mounted(at, fd))
		node = S_ISDIR(at->mode) ? model_dir(m, &at->covers) : mounted_file(m, at);
	return set_node(m, node, ret);
}

/* The mount point of it all lies in a directory that the model does not know. */
static int at_root(const struct model *m, int at, const char *name, struct model_object *ret)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int dir = dir_of_fd(m, fd);

	if (fd >= 0)
		close(fd);
	return set_node(m, dir, ret);
}

/*
 * One component at the end of @path, the directories before it by the kernel. *@at is the directory
 * reached. Return: as model_resolve(); 2: a symlink, @path is its target now.
 */
static int resolve_last(const struct model *m, int *at, char *path, enum model_how how,
			struct model_object *ret)
{
	char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	char name[256], target[4096];
	int fd, dir;
	ssize_t n;

	if (strlen(last) >= sizeof(name))
		return 0;
	strcpy(name, last);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		strcpy(name, ".");
	else
		strcpy(last, ".");
	fd = openat(*at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*at >= 0)
		close(*at);
	*at = fd;
	if (fd < 0)
		return 0;
	dir = dir_of_fd(m, fd);
	if (dir < 0)
		return how == MODEL_LAST ? -1 : at_root(m, fd, name, ret);
	if (!strcmp(name, "."))
		return set_node(m, dir, ret);
	n = how == MODEL_FOLLOW ? readlinkat(fd, name, target, sizeof(target) - 1) : -1;
	if (n < 0)
		return at_name(m, fd, name, how != MODEL_LAST, ret);
	memcpy(path, target, n);
	path[n] = 0;
	return 2;
}

int model_resolve(const struct model *m, const char *path, enum model_how how,
		  struct model_object *ret)
{
	char left[2 * MODEL_PATH];
	int at = AT_FDCWD, r = 2;

	snprintf(left, sizeof(left) - 4, "%s", path);
	for (int links = 0; r == 2 && links <= 40; links++)
		r = resolve_last(m, &at, left, how, ret);
	if (at >= 0)
		close(at);
	return r == 2 ? 0 : r;
}
