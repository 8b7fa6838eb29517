/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mountpoint.c: from a filesystem's own path to one of this namespace. */
#include <criterion/criterion.h>
#include <string.h>

#include "mountpoint.h"

static const char mountinfo[] = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
				"22 21 0:40 / /tmp rw - tmpfs tmpfs rw\n"
				"23 21 8:2 /data /srv/a\\040b rw - xfs /dev/sdb rw\n";

static struct pol_event_view view;

static const char *place(unsigned int dev, const char *path, unsigned int flags)
{
	memset(&view, 0, sizeof(view));
	view.type = POL_TYPE_VIOLATION;
	view.flags = flags;
	view.access.inode.dev = dev;
	strncpy(view.path_buf, path, sizeof(view.path_buf) - 1);
	view.path.data = view.path_buf;
	view.path.len = strlen(path);
	pol_mountpoint_prefix_in(&view, mountinfo);
	cr_assert_eq(strlen(view.path.data), view.path.len);
	return view.path.data;
}

Test(mountpoint, puts_the_mount_point_before_the_path)
{
	cr_assert_str_eq(place(40, "/x/f", POL_EVENT_NO_MOUNT), "/tmp/x/f");
	cr_assert_str_eq(place(40, "/", POL_EVENT_NO_MOUNT), "/tmp");
	cr_assert_str_eq(place(8 << 20 | 1, "/etc/f", POL_EVENT_NO_MOUNT), "/etc/f");
	cr_assert_str_eq(place(8 << 20 | 2, "/data/f", POL_EVENT_NO_MOUNT), "/srv/a b/f");
}

Test(mountpoint, leaves_what_no_mount_shows)
{
	cr_assert_str_eq(place(8 << 20 | 2, "/other/f", POL_EVENT_NO_MOUNT), "/other/f");
	cr_assert_str_eq(place(8 << 20 | 2, "/database", POL_EVENT_NO_MOUNT), "/database");
	cr_assert_str_eq(place(77, "/f", POL_EVENT_NO_MOUNT), "/f");
}

Test(mountpoint, leaves_records_that_know_their_mount)
{
	cr_assert_str_eq(place(40, "/x/f", 0), "/x/f");
}
