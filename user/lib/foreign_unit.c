/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreign_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "file.h"
#include "foreign_int.h"
#include "systemd.h"

/* What is asked of systemd. @devices: names that @rows borrow. */
struct request {
	struct pol_unit_limit *rows;
	size_t cnt;
	struct pol_limits devices;
};

static void request_done(struct request *request)
{
	free(request->rows);
	pol_limits_done(&request->devices);
}

/* systemd wants a device by its path. Its name: that of the kernel, by which devtmpfs has it. */
static int name_device(struct pol_io_limit *io)
{
	char path[64], text[512];
	const char *name;
	int r;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", io->major, io->minor);
	r = pol_file_read(AT_FDCWD, path, text, sizeof(text));
	name = r < 0 ? NULL : strstr(text, "DEVNAME=");
	if (!name)
		return -ENODEV;
	name += strlen("DEVNAME=");
	return asprintf(&io->device, "/dev/%.*s", (int)strcspn(name, "\n"), name) < 0 ? -ENOMEM : 0;
}

static bool has_device(const struct pol_limits *limits, const struct pol_io_limit *io)
{
	for (size_t i = 0; limits && i < limits->io_cnt; i++)
		if (limits->io[i].major == io->major && limits->io[i].minor == io->minor)
			return true;
	return false;
}

/* The devices that had ceilings of the unit's own, but those that @limits name. */
static int list_devices(const char *saved, const struct pol_limits *limits, struct pol_limits *ret)
{
	const char *next = saved;
	size_t room = 0;

	for (const char *at = saved; *at; at++)
		room += *at == '\n' || !at[1];
	ret->io = calloc(room + 1, sizeof(*ret->io));
	if (!ret->io)
		return -ENOMEM;
	for (const char *line = saved; *line; line = next) {
		struct pol_io_limit *io = &ret->io[ret->io_cnt];

		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (pol_unit_io_before(line, io) && !has_device(limits, io) && !name_device(io))
			ret->io_cnt++; /* one that is gone needs no ceiling */
	}
	return 0;
}

/* A list of devices is set whole: all that are to be in it. */
static int add_io(struct request *request, const struct pol_foreign *foreign,
		  const struct pol_limits *limits)
{
	int r = list_devices(foreign->written & 1u << POL_SAVED_IO ? foreign->saved[POL_SAVED_IO]
								   : "",
			     limits, &request->devices);

	if (r < 0)
		return r;
	request->rows = calloc(POL_SAVED_CNT + POL_IO_CNT + pol_unit_limits_max(&request->devices) +
				       (limits ? pol_unit_limits_max(limits) : 0),
			       sizeof(*request->rows));
	return request->rows ? 0 : -ENOMEM;
}

/* Is it higher than what was set before? */
static bool rises(const struct pol_unit_limit *limit, const struct pol_unit_limit *before,
		  size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!strcmp(limit->property, before[i].property) &&
		    !strcmp(limit->disk, before[i].disk))
			return limit->value > before[i].value;
	return false;
}

static int keep_rising(struct request *request, const struct pol_limits *before)
{
	_cleanup_free_ struct pol_unit_limit *rows = NULL;
	size_t cnt = 0, kept = 0;

	if (before) {
		rows = calloc(pol_unit_limits_max(before), sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		cnt = pol_unit_limits(before, rows);
	}
	for (size_t i = 0; i < request->cnt; i++)
		if (rises(&request->rows[i], rows, cnt))
			request->rows[kept++] = request->rows[i];
	request->cnt = kept;
	return 0;
}

static int fill(struct request *request, const struct pol_foreign *foreign,
		const struct pol_limits *before, const struct pol_limits *limits, uint32_t back,
		bool raise)
{
	bool io = (limits && limits->io_cnt) || back & 1u << POL_SAVED_IO;
	int r = add_io(request, foreign, limits);

	if (r < 0)
		return r;
	for (size_t i = 0; i < POL_SAVED_CNT; i++)
		if (back & 1u << i)
			request->cnt +=
				pol_unit_limit_before(pol_foreign_file(i), foreign->saved[i],
						      &request->rows[request->cnt]);
	if (io && !raise)
		request->cnt += pol_unit_no_io(&request->rows[request->cnt]);
	if (io && !raise)
		request->cnt += pol_unit_limits(&request->devices, &request->rows[request->cnt]);
	if (limits)
		request->cnt += pol_unit_limits(limits, &request->rows[request->cnt]);
	return raise ? keep_rising(request, before) : 0;
}

static int send_request(const char *unit, const struct request *request, struct pol_err *err)
{
	_cleanup_(pol_systemd_closep) struct pol_systemd *systemd = NULL;
	struct pol_unit after;
	int r = pol_systemd_open(false, &systemd, err);

	if (!r)
		r = pol_systemd_limit(systemd, unit, request->rows, request->cnt, err);
	/* Before it takes another message systemd brings the files up to date. */
	return r ? r : pol_systemd_load(systemd, unit, &after, err);
}

int pol_unit_set_limits(const struct pol_foreign *foreign, const struct pol_limits *before,
			const struct pol_limits *limits, uint32_t back, bool raise,
			struct pol_err *err)
{
	_cleanup_(request_done) struct request request = {
		.devices = {
			.pids = POL_LIMIT_UNSET,
			.memory_bytes = POL_LIMIT_UNSET,
			.swap_bytes = POL_LIMIT_UNSET,
			.cpu_milli = POL_LIMIT_UNSET,
		},
	};
	int r = fill(&request, foreign, before, limits, back, raise);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot set the ceilings of unit '%s'",
				   foreign->unit);
	return request.cnt ? send_request(foreign->unit, &request, err) : 0;
}
