/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The block devices of `io`: which disk a path is, as io.max names it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base.h"
#include "file.h"
#include "resolve_int.h"

static const char say_where[] = "name a disk or a partition, such as /dev/vda";

/* Of a partition, the disk that it is on: io.max knows no partitions. */
static int find_disk(dev_t node, struct pol_io_limit *limit)
{
	char path[96], text[32];
	unsigned int major = major(node), minor = minor(node);
	int r;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major, minor);
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%sdev", major, minor,
		       access(path, F_OK) ? "" : "../");
	r = pol_file_read_line(path, text, sizeof(text));
	if (r < 0)
		return r;
	return sscanf(text, "%u:%u", &limit->major, &limit->minor) == 2 ? 0 : -EINVAL;
}

static void find_device(struct pol_io_limit *limit, struct pol_diags *diags)
{
	const char *why = NULL;
	struct stat st;
	int r;

	if (strncmp(limit->device, "/dev/", strlen("/dev/")) != 0)
		why = "does not lie below /dev";
	else if (stat(limit->device, &st))
		why = strerror(errno);
	else if (!S_ISBLK(st.st_mode))
		why = "is no block device";
	if (!why) {
		r = find_disk(st.st_rdev, limit);
		why = r < 0 ? "has no device behind it (/sys/dev/block)" : NULL;
	}
	if (why)
		pol_diag_add(diags, false, POL_P_DEVICE, limit->line, limit->col, say_where,
			     "the device '%s' of 'io': %s", limit->device, why);
}

/* Two names of one disk: which of them would hold is not for us to guess. */
static void find_twins(const struct pol_limits *limits, struct pol_diags *diags)
{
	for (size_t i = 1; i < limits->io_cnt; i++)
		for (size_t k = 0; k < i; k++) {
			const struct pol_io_limit *a = &limits->io[k], *b = &limits->io[i];

			if (a->major == b->major && a->minor == b->minor && (a->major || a->minor))
				pol_diag_add(diags, false, POL_P_DEVICE_TWICE, b->line, b->col,
					     "put both into one entry",
					     "'%s' and '%s' (line %d) are on one disk, %u:%u",
					     b->device, a->device, a->line, a->major, a->minor);
		}
}

void pol_resolve_devices(struct pol_policy *policy, struct pol_diags *diags)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		struct pol_limits *limits = &policy->guests[i].limits;

		for (size_t k = 0; k < limits->io_cnt; k++)
			find_device(&limits->io[k], diags);
		find_twins(limits, diags);
	}
}
