/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts of this namespace, places as their filesystems know them, and which of these count. */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>

#include "base.h"
#include "resolve_int.h"

/* Not in <linux/magic.h>: from the filesystems' own sources, 6.12. */
#define MAGIC_MQUEUE	 0x19800202
#define MAGIC_CONFIGFS	 0x62656570
#define MAGIC_FUSECTL	 0x65735543
#define MAGIC_RPC_PIPEFS 0x67596969
#define MAGIC_NFSD	 0x6e667364

/*
 * Inode numbers and generations that stay one file's while it exists, and are not given to another
 * that lives longer than an anchor. ext2 and ext3 share ext4's number, devtmpfs has tmpfs's. Of the
 * last two only with what struct pol_dir_key adds.
 */
static const uint64_t supported[] = {
	EXT4_SUPER_MAGIC,   XFS_SUPER_MAGIC,   TMPFS_MAGIC,	     RAMFS_MAGIC,
	SQUASHFS_MAGIC,	    F2FS_SUPER_MAGIC,  EROFS_SUPER_MAGIC_V1, HUGETLBFS_MAGIC,
	DEVPTS_SUPER_MAGIC, ISOFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,    OVERLAYFS_SUPER_MAGIC,
};

static const uint64_t pseudo[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,	 CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,
	DEBUGFS_MAGIC,	  TRACEFS_MAGIC, SECURITYFS_MAGIC,   MAGIC_CONFIGFS,	  PSTOREFS_MAGIC,
	EFIVARFS_MAGIC,	  MAGIC_MQUEUE,	 AUTOFS_SUPER_MAGIC, MAGIC_FUSECTL,	  BINFMTFS_MAGIC,
	SELINUX_MAGIC,	  NSFS_MAGIC,	 MAGIC_RPC_PIPEFS,   MAGIC_NFSD,
};

static bool among(uint64_t magic, const uint64_t *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (list[i] == magic)
			return true;
	return false;
}

bool pol_fs_supported(uint64_t magic)
{
	return among(magic, supported, ARRAY_SIZE(supported));
}

bool pol_fs_pseudo(uint64_t magic)
{
	return among(magic, pseudo, ARRAY_SIZE(pseudo));
}

/* In place: mountinfo writes space, tab, newline and '\' as three octal digits. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue: proc(5) */
static int parse_line(char *line, struct pol_mount *ret)
{
	char *fields[5], *rest = line, *end;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return -EINVAL;
	}
	rest = strstr(rest, " - ");
	if (!rest || strlen(fields[2]) >= sizeof(ret->dev))
		return -EINVAL;
	rest += 3;
	errno = 0;
	ret->id = strtoull(fields[0], &end, 10);
	if (errno || *end)
		return -EINVAL;
	(void)snprintf(ret->dev, sizeof(ret->dev), "%s", fields[2]);
	unescape(fields[3]);
	unescape(fields[4]);
	ret->root = strdup(fields[3]);
	ret->point = strdup(fields[4]);
	ret->fstype = strndup(rest, strcspn(rest, " "));
	return ret->root && ret->point && ret->fstype ? 0 : -ENOMEM;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct pol_mount *)a)->id, y = ((const struct pol_mount *)b)->id;

	return x < y ? -1 : x > y;
}

static int read_lines(FILE *in, struct pol_mounts *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, room = 0;

	while (getline(&line, &size, in) >= 0) {
		struct pol_mount mount = { 0 }, *items = ret->items;
		int r;

		line[strcspn(line, "\n")] = '\0';
		if (ret->cnt == room) {
			room = room ? room * 2 : 64;
			items = reallocarray(ret->items, room, sizeof(*items));
			if (!items)
				return -ENOMEM;
			ret->items = items;
		}
		r = parse_line(line, &mount);
		items[ret->cnt++] = mount;
		if (r < 0)
			return r;
	}
	if (ret->cnt)
		qsort(ret->items, ret->cnt, sizeof(*ret->items), by_id);
	return 0;
}

static int read_mounts(FILE *in, struct pol_mounts *ret)
{
	int r;

	if (!in)
		return -errno;
	r = read_lines(in, ret);
	(void)fclose(in);
	if (r < 0)
		pol_mounts_done(ret);
	return r;
}

int pol_mounts_read_file(const char *path, struct pol_mounts *ret)
{
	return read_mounts(fopen(path, "re"), ret);
}

int pol_mounts_read(const char *text, struct pol_mounts *ret)
{
	if (!text)
		return pol_mounts_read_file("/proc/self/mountinfo", ret);
	return read_mounts(fmemopen((void *)text, strlen(text), "re"), ret);
}

void pol_mounts_done(struct pol_mounts *mounts)
{
	for (size_t i = 0; i < mounts->cnt; i++) {
		free(mounts->items[i].root);
		free(mounts->items[i].point);
		free(mounts->items[i].fstype);
	}
	free(mounts->items);
	*mounts = (struct pol_mounts){ 0 };
}

const struct pol_mount *pol_mount_by_id(const struct pol_mounts *mounts, uint64_t id)
{
	struct pol_mount key = { .id = id };

	if (!mounts->cnt)
		return NULL;
	return bsearch(&key, mounts->items, mounts->cnt, sizeof(*mounts->items), by_id);
}

char *pol_mount_key(const struct pol_mounts *mounts, uint64_t mnt_id, const char *path)
{
	const struct pol_mount *mount = pol_mount_by_id(mounts, mnt_id);
	size_t len = mount ? strlen(mount->point) : 0;
	const char *root, *rest;
	char *key;

	/* A mount that came after the list was read, or a root outside ours: its path is its key. */
	if (!mount || strncmp(mount->point, path, len) != 0)
		return asprintf(&key, "?%llu%s", (unsigned long long)mnt_id, path) < 0 ? NULL : key;
	root = strcmp(mount->root, "/") == 0 ? "" : mount->root;
	rest = len == 1 ? path : path + len;
	if (strcmp(rest, "/") == 0)
		rest = "";
	return asprintf(&key, "%s%s%s", mount->dev, root, *root || *rest ? rest : "/") < 0 ? NULL
											   : key;
}
