/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mountpoint.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "resolve_int.h"

/* What of @path follows @root, "" or "/...": or NULL: it does not lie there. */
static const char *below(const char *path, const char *root)
{
	size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
		return NULL;
	return path[len] == '/' && !path[len + 1] ? "" : path + len;
}

static const struct pol_mount *mount_of(const struct pol_mounts *mounts, const char *dev,
					const char *path)
{
	for (size_t i = 0; i < mounts->cnt; i++)
		if (strcmp(mounts->items[i].dev, dev) == 0 && below(path, mounts->items[i].root))
			return &mounts->items[i];
	return NULL;
}

void pol_mountpoint_prefix_in(struct pol_event_view *view, const char *mountinfo)
{
	const struct pol_inode_key *inode = &view->access.inode;
	_cleanup_free_ char *path = NULL;
	struct pol_mounts mounts = {};
	const struct pol_mount *mount;
	char dev[24];
	int len;

	if (!(view->flags & POL_EVENT_NO_MOUNT) || view->path.truncated || !view->path.data ||
	    strlen(view->path.data) != view->path.len)
		return;
	(void)snprintf(dev, sizeof(dev), "%u:%u", inode->dev >> 20, inode->dev & 0xfffff);
	if (pol_mounts_read(mountinfo, &mounts) < 0)
		return;
	mount = mount_of(&mounts, dev, view->path.data);
	len = !mount ? -1
		     : asprintf(&path, "%s%s", mount->point[1] ? mount->point : "",
				below(view->path.data, mount->root));
	if (len > 0 && (size_t)len < sizeof(view->path_buf)) {
		memcpy(view->path_buf, path, (size_t)len + 1);
		view->path.data = view->path_buf;
		view->path.len = (size_t)len;
	}
	if (len < 0)
		path = NULL;
	pol_mounts_done(&mounts);
}

void pol_mountpoint_prefix(struct pol_event_view *view)
{
	if (view->flags & POL_EVENT_NO_MOUNT)
		pol_mountpoint_prefix_in(view, NULL);
}
