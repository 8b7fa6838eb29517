/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The random world: trees, and the mounts among them. */
#include "model_make.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest.h"
#include "lib_util.h"

/* splitmix64, https://prng.di.unimi.it/splitmix64.c */
static uint64_t state;

uint64_t model_random(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

int model_pick(int cnt)
{
	return (int)(model_random() % (uint64_t)cnt);
}

bool model_chance(int percent)
{
	return model_pick(100) < percent;
}

/* Few, so that they meet; at the bounds of the engine's tables, alike but for the last byte. */
const char *model_any_name(void)
{
	static const int lens[] = { 31, 32, 63, 64, 255 };
	static char name[256];
	int len = model_chance(12) ? lens[model_pick(5)] : 1;

	memset(name, 'n', len);
	name[len - 1] = (char)('a' + model_pick(len == 1 ? 12 : 2));
	name[len] = 0;
	return name;
}

/* ---- the tree ---- */

static void full_path(const struct model *m, int node, char *buf, size_t size)
{
	char path[MODEL_PATH] = "@/gone";

	model_path(m, node, -1, path, sizeof(path));
	model_expand(m, path, buf, size);
}

int model_any_node(const struct model *m, mode_t type)
{
	for (int i = 0; i < 400; i++) {
		int node = model_pick(m->now.cnt);

		if (!type || (m->now.nodes[node].mode & S_IFMT) == type)
			return node;
	}
	return 0;
}

/* A mount point is no place for what nobody would see. */
int model_any_dir(const struct model *m)
{
	int node;

	do
		node = model_any_node(m, S_IFDIR);
	while (m->now.nodes[node].covers.ino);
	return node;
}

static void new_path(const struct model *m, char *buf, size_t size)
{
	size_t len;

	full_path(m, model_any_dir(m), buf, size);
	len = strlen(buf);
	snprintf(buf + len, size - len, "/%s", model_any_name());
}

static void make_symlink(const struct model *m, const char *path)
{
	char target[MODEL_PATH];

	full_path(m, model_any_node(m, 0), target, sizeof(target));
	if (model_chance(30))
		snprintf(target, sizeof(target), "%s%s", model_chance(50) ? "../" : "",
			 model_any_name());
	if (symlink(target, path) && model_chance(0))
		printf("# %s\n", path);
}

/* What fails for a name that is taken has been tried. */
static void make_object(struct model *m)
{
	char path[MODEL_PATH], other[MODEL_PATH];
	int kind = model_pick(100), fd = -1, r = 0;

	new_path(m, path, sizeof(path));
	if (kind < 40) {
		r = mkdir(path, 0755);
	} else if (kind < 75) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd >= 0 && write(fd, "content", 7) == 7)
			r = close(fd);
	} else if (kind < 87) {
		make_symlink(m, path);
	} else if (kind < 95) {
		full_path(m, model_any_node(m, S_IFREG), other, sizeof(other));
		r = link(other, path);
	} else if (kind < 98) {
		r = mkfifo(path, 0644);
	} else {
		r = mknod(path, S_IFCHR | 0666, makedev(1, 3));
	}
	(void)r;
	model_scan(m);
}

static void make_deep(struct model *m)
{
	char path[MODEL_PATH];
	size_t len;

	new_path(m, path, sizeof(path));
	for (int i = 0; i < 70 && !mkdir(path, 0755); i++) {
		len = strlen(path);
		snprintf(path + len, sizeof(path) - len, "/d");
	}
	model_scan(m);
}

/* ---- mounts ---- */

static void mount_or_die(const char *from, const char *to, const char *type, unsigned long flags)
{
	if (mount(from, to, type, flags, NULL))
		lib_die("mount", to);
}

/* ext4 gives up cached names when asked to, tmpfs cannot. Once made, copied. */
static void mount_ext4(const char *path)
{
	char said[512];

	if (lib_shell(text("{ [ -e /tmp/model.ext4 ] || { truncate -s 4M /tmp/model.ext4 && "
			   "mkfs.ext4 -q -F -O ^has_journal /tmp/model.ext4; }; } && "
			   "cp /tmp/model.ext4 %s.ext4 && mount -o loop %s.ext4 %s && rm %s.ext4",
			   path, path, path, path),
		      said, sizeof(said))) {
		printf("# ext4: %s\n", said);
		lib_die("mount", path);
	}
}

static void add_fs(struct model *m, const char *path, bool ext4)
{
	if (ext4)
		mount_ext4(path);
	else
		mount_or_die("none", path, "tmpfs", 0);
	/* Not shared: a mount is where it was made, and nowhere else. */
	mount_or_die(NULL, path, NULL, MS_PRIVATE);
	m->fs[m->fs_cnt] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->fs[m->fs_cnt++] < 0)
		lib_die("open", path);
	model_scan(m);
}

static void mount_point(const struct model *m, const char *name, char *buf, size_t size)
{
	size_t len;

	full_path(m, model_any_dir(m), buf, size);
	len = strlen(buf);
	snprintf(buf + len, size - len, "/%s", name);
}

static void make_bind(struct model *m, const char *name, mode_t type)
{
	char from[MODEL_PATH], to[MODEL_PATH];
	int source = type == S_IFDIR ? model_any_dir(m) : model_any_node(m, type);

	if ((m->now.nodes[source].mode & S_IFMT) != type)
		return;
	full_path(m, source, from, sizeof(from));
	mount_point(m, name, to, sizeof(to));
	if (type == S_IFDIR)
		make_dir(to);
	else
		make_file(to, "");
	mount_or_die(from, to, NULL, MS_BIND);
	mount_or_die(NULL, to, NULL, MS_PRIVATE);
	model_scan(m);
}

void model_make(struct model *m, uint64_t seed)
{
	char path[MODEL_PATH];

	state = seed;
	m->fs_cnt = m->rules_cnt = 0;
	snprintf(m->root, sizeof(m->root), "%s", scratch_in("/srv"));
	add_fs(m, m->root, false);
	for (int i = 0; i < 24; i++)
		make_object(m);
	for (int i = model_pick(3); i > 0; i--) {
		mount_point(m, i == 1 ? "m1" : "m2", path, sizeof(path));
		make_dir(path);
		add_fs(m, path, model_chance(40));
	}
	if (model_chance(15))
		make_deep(m);
	for (int i = 0; i < 20; i++)
		make_object(m);
	for (int i = model_pick(4); i > 0; i--)
		make_bind(m, i == 1 ? "b1" : i == 2 ? "b2" : "b4", S_IFDIR);
	if (model_chance(50))
		make_bind(m, "b3", S_IFREG);
}

void model_unmake(struct model *m)
{
	for (int i = 0; i < m->fs_cnt; i++)
		close(m->fs[i]);
	if (umount2(m->root, MNT_DETACH) || rmdir(m->root))
		lib_die("umount", m->root);
	m->fs_cnt = 0;
}
