/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ceilings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "cgroup.h"
#include "file.h"

#define CPU_PERIOD_US 100000u /* the kernel's default */
#define IO_TEXT_SIZE  16384 /* io.max of 150 devices; of one past that the line is written again */

static const char *const io_words[] = {
	[POL_IO_RBPS] = "rbps",
	[POL_IO_WBPS] = "wbps",
	[POL_IO_RIOPS] = "riops",
	[POL_IO_WIOPS] = "wiops",
};
_Static_assert(ARRAY_SIZE(io_words) == POL_IO_CNT, "each has its word");

/* Where ceilings are written, and for whom. */
struct target {
	int fd;
	const char *guest;
	bool raise;
	bool best_effort;
	struct pol_err *err;
};

/*
 * What one write sets: the numbers in @file, UINT64_MAX for "max". @device: "8:0" in io.max; else
 * empty.
 */
struct line {
	const char *file;
	char device[24];
	uint64_t values[POL_IO_CNT];
	size_t cnt;
};

/* ------------------------------------------------------------------ text */

static uint64_t number_in(const char *text)
{
	return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

static const char *number_text(uint64_t value, char *buf, size_t size)
{
	(void)snprintf(buf, size, value == UINT64_MAX ? "max" : "%" PRIu64, value);
	return buf;
}

/* "8:0 rbps=1 wbps=max riops=max wiops=max" for each device that has a ceiling. */
static void io_in(const char *text, const char *device, uint64_t *ret)
{
	size_t len = strlen(device);

	for (size_t i = 0; i < POL_IO_CNT; i++)
		ret[i] = UINT64_MAX;
	while (strncmp(text, device, len) != 0 || text[len] != ' ') {
		text = strchr(text, '\n');
		if (!text)
			return;
		text++;
	}
	for (size_t i = 0; i < POL_IO_CNT; i++) {
		const char *at = strstr(text, io_words[i]);

		if (at && at < text + strcspn(text, "\n"))
			ret[i] = number_in(at + strlen(io_words[i]) + 1);
	}
}

/* "50000 100000": a quota in a period. */
static uint64_t cpu_in(const char *text)
{
	uint64_t quota = number_in(text), period = number_in(text + strcspn(text, " "));

	return quota == UINT64_MAX || !period ? UINT64_MAX : quota * CPU_PERIOD_US / period;
}

static bool is_cpu(const struct line *line)
{
	return strcmp(line->file, "cpu.max") == 0;
}

static int read_line(int fd, const struct line *line, uint64_t *ret)
{
	_cleanup_free_ char *text = malloc(IO_TEXT_SIZE);
	int r = text ? pol_file_read(fd, line->file, text, IO_TEXT_SIZE) : -ENOMEM;

	if (r < 0)
		return r;
	if (line->device[0])
		io_in(text, line->device, ret);
	else
		*ret = is_cpu(line) ? cpu_in(text) : number_in(text);
	return 0;
}

static void format_line(const struct line *line, char *buf, size_t size)
{
	char number[24];
	int len;

	if (!line->device[0]) {
		len = snprintf(buf, size, "%s",
			       number_text(line->values[0], number, sizeof(number)));
		if (is_cpu(line))
			(void)snprintf(buf + len, size - (size_t)len, " %u", CPU_PERIOD_US);
		return;
	}
	len = snprintf(buf, size, "%s", line->device);
	for (size_t i = 0; i < line->cnt; i++)
		len += snprintf(buf + len, size - (size_t)len, " %s=%s", io_words[i],
				number_text(line->values[i], number, sizeof(number)));
}

/* ------------------------------------------------------------------ one line */

static bool lifts(const struct line *line)
{
	for (size_t i = 0; i < line->cnt; i++)
		if (line->values[i] != UINT64_MAX)
			return false;
	return true;
}

static int say_lack(const struct target *to, const struct line *line)
{
	char controller[16], above[256];
	const char *fix = "set best_effort = true in the guest's limits";
	int r;

	(void)snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(line->file, "."),
		       line->file);
	r = pol_cgroup_lacks(to->fd, controller, above, sizeof(above));
	if (!r || r == -ENOENT) {
		pol_err_say(
			to->err, POL_ERR_HOST, -ENODEV,
			"guest '%s': %s cannot be set, this kernel has no such file of controller "
			"'%s'",
			to->guest, line->file, controller);
		return pol_err_fix(to->err, "take a kernel that has it, or %s", fix);
	}
	pol_err_say(to->err, POL_ERR_HOST, -ENODEV,
		    "guest '%s': %s cannot be set, no controller '%s': '%s' %s%s", to->guest,
		    line->file, controller, above,
		    r == -ENODEV ? "has none" : "does not hand it on: ",
		    r == -ENODEV ? "" : strerror(-r));
	if (r == -ENODEV)
		return pol_err_fix(to->err,
				   "boot without cgroup_disable=%s, unmount a cgroup v1 hierarchy "
				   "that has it, have it delegated; or %s",
				   controller, fix);
	return pol_err_fix(to->err, "%s, or %s",
			   r == -EBUSY ? "move the processes in it to a cgroup beneath"
				       : "have it delegated",
			   fix);
}

/* What keeps a ceiling from being there keeps it from being lifted, too: nothing to do. */
static int judge(const struct target *to, const struct line *line, const char *text, int r)
{
	if (r >= 0 || ((r == -ENOENT || r == -ENODEV) && lifts(line)))
		return 0;
	if (r == -ENOENT)
		return to->best_effort ? 0 : say_lack(to, line);
	return pol_err_set(to->err, POL_ERR_FAILED, r, "guest '%s': cannot write '%s' to %s",
			   to->guest, text, line->file);
}

static int write_line(const struct target *to, struct line *line)
{
	uint64_t now[POL_IO_CNT] = { 0 };
	char text[160];
	int r = read_line(to->fd, line, now);

	if (r == -ENOENT)
		return judge(to, line, "", r);
	for (size_t i = 0; i < line->cnt && to->raise; i++)
		if (now[i] > line->values[i])
			line->values[i] = now[i];
	if (!r && memcmp(now, line->values, line->cnt * sizeof(*now)) == 0)
		return 0;
	format_line(line, text, sizeof(text));
	return judge(to, line, text, pol_file_write(to->fd, line->file, text));
}

/* ------------------------------------------------------------------ all of them */

static uint64_t kernel_value(uint64_t limit)
{
	return limit == POL_LIMIT_MAX ? UINT64_MAX : limit;
}

static int write_number(const struct target *to, const char *file, uint64_t before, uint64_t value)
{
	struct line line = { .file = file, .cnt = 1 };

	if (value == POL_LIMIT_UNSET && before == POL_LIMIT_UNSET)
		return 0;
	line.values[0] = value == POL_LIMIT_UNSET ? UINT64_MAX : kernel_value(value);
	if (is_cpu(&line) && line.values[0] != UINT64_MAX)
		line.values[0] = line.values[0] * CPU_PERIOD_US / 1000;
	return write_line(to, &line);
}

/* A VM's processes die together: half a guest is none. Where memory.max is, this is. */
static int write_oom_group(const struct target *to, uint64_t before, uint64_t value)
{
	struct line line = { .file = "memory.oom.group", .cnt = 1 };
	uint64_t now;

	if (value == POL_LIMIT_UNSET && before == POL_LIMIT_UNSET)
		return 0;
	if (read_line(to->fd, &line, &now) == -ENOENT)
		return 0;
	line.values[0] = value != POL_LIMIT_UNSET;
	return write_line(to, &line);
}

static int write_device(const struct target *to, const struct pol_io_limit *io, bool lift)
{
	struct line line = { .file = "io.max", .cnt = POL_IO_CNT };

	(void)snprintf(line.device, sizeof(line.device), "%u:%u", io->major, io->minor);
	for (size_t i = 0; i < POL_IO_CNT; i++)
		line.values[i] = lift ? UINT64_MAX : kernel_value(io->max[i]);
	return write_line(to, &line);
}

static bool has_device(const struct pol_limits *limits, const struct pol_io_limit *io)
{
	for (size_t i = 0; i < limits->io_cnt; i++)
		if (limits->io[i].major == io->major && limits->io[i].minor == io->minor)
			return true;
	return false;
}

static int write_io(const struct target *to, const struct pol_limits *before,
		    const struct pol_limits *limits)
{
	int r = 0;

	for (size_t i = 0; i < before->io_cnt && !r; i++)
		if (!has_device(limits, &before->io[i]))
			r = write_device(to, &before->io[i], true);
	for (size_t i = 0; i < limits->io_cnt && !r; i++)
		r = write_device(to, &limits->io[i], false);
	return r;
}

const char *pol_ceilings_lacking(int fd, const struct pol_limits *limits)
{
	const struct {
		const char *file;
		uint64_t value;
	} rows[] = {
		{ "pids.max", limits->pids },
		{ "memory.max", limits->memory_bytes },
		{ "memory.swap.max", limits->swap_bytes },
		{ "cpu.max", limits->cpu_milli },
		{ "io.max", limits->io_cnt ? 1 : POL_LIMIT_UNSET },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value < POL_LIMIT_MAX && faccessat(fd, rows[i].file, F_OK, 0))
			return rows[i].file;
	return NULL;
}

int pol_ceilings_write(int fd, const char *guest, const struct pol_limits *before,
		       const struct pol_limits *limits, bool raise, struct pol_err *err)
{
	static const struct pol_limits nothing = {
		.pids = POL_LIMIT_UNSET,
		.memory_bytes = POL_LIMIT_UNSET,
		.swap_bytes = POL_LIMIT_UNSET,
		.cpu_milli = POL_LIMIT_UNSET,
	};
	const struct target to = { fd, guest, raise, limits->best_effort, err };
	int r;

	before = before ? before : &nothing;
	r = write_number(&to, "pids.max", before->pids, limits->pids);
	if (!r)
		r = write_number(&to, "memory.max", before->memory_bytes, limits->memory_bytes);
	if (!r)
		r = write_number(&to, "memory.swap.max", before->swap_bytes, limits->swap_bytes);
	if (!r)
		r = write_oom_group(&to, before->memory_bytes, limits->memory_bytes);
	if (!r)
		r = write_number(&to, "cpu.max", before->cpu_milli, limits->cpu_milli);
	return r ? r : write_io(&to, before, limits);
}
