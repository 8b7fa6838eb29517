/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file as the sink. It holds whole lines only: what a full disk leaves of a line is taken back at
 * once, and what a crash left is when the file is opened. Rotated by size, by us, or by whoever
 * moves it away and sends a signal.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base.h"
#include "sink.h"

static int fail(const struct policyd *d, int r, const char *what)
{
	policyd_say("cannot %s '%s': %s", what, d->options->file, strerror(-r));
	return r;
}

/* Where the last whole line ends. What has no line's end in a line's length is not ours to cut. */
static int find_end(int fd, uint64_t size, uint64_t *ret)
{
	char tail[POL_EVENT_LINE_SIZE];
	uint64_t from = size > sizeof(tail) ? size - sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail), (off_t)from);
	const char *newline;

	if (n < 0)
		return -errno;
	newline = memrchr(tail, '\n', (size_t)n);
	*ret = newline ? from + (uint64_t)(newline + 1 - tail) : from ? size : 0;
	return 0;
}

static int cut_torn_line(const struct policyd *d, int fd, uint64_t size)
{
	uint64_t end = 0;
	int r = find_end(fd, size, &end);

	if (r < 0)
		return fail(d, r, "read");
	if (end == size)
		return 0;
	if (ftruncate(fd, (off_t)end) < 0)
		return fail(d, -errno, "cut the torn line at the end of");
	policyd_say("'%s' ended with a torn line: cut off", d->options->file);
	return 0;
}

/* Regular, and ours alone: another writer's lines would be cut, and ours be torn by it. */
static int check_file(const struct policyd *d, int fd, uint64_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(d, -errno, "look at");
	if (!S_ISREG(st.st_mode)) {
		policyd_say("'%s' is no regular file\n  help: for a pipe, use standard output",
			    d->options->file);
		return -EINVAL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		policyd_say("'%s' is locked by another process\n  help: end it, or give another "
			    "--file",
			    d->options->file);
		return -EBUSY;
	}
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* The file at its name, made if it is not there. The one before stays if that fails. */
static int open_file(struct policyd *d)
{
	struct sink *sink = d->sink;
	_cleanup_close_ int fd = open(
		d->options->file,
		O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	uint64_t size = 0;
	int r;

	if (fd < 0)
		return fail(d, -errno, "open");
	r = check_file(d, fd, &size);
	if (!r)
		r = cut_torn_line(d, fd, size);
	if (r < 0)
		return r;
	pol_closep(&sink->fd);
	sink->fd = TAKE_FD(fd);
	return 0;
}

static bool is_moved(const struct policyd *d)
{
	struct stat name, file;

	if (fstat(d->sink->fd, &file) < 0 || lstat(d->options->file, &name) < 0)
		return true;
	return name.st_dev != file.st_dev || name.st_ino != file.st_ino;
}

static void reopen(struct policyd *d)
{
	if (is_moved(d))
		(void)open_file(d); /* said; the old one goes on getting events */
}

/* PATH.N-1 to PATH.N and so on; PATH to PATH.1. */
static int move_files(const struct policyd *d)
{
	_cleanup_free_ char *from = NULL, *to = NULL;

	for (unsigned int n = d->options->file_count; n; n--) {
		free(from);
		free(to);
		from = to = NULL;
		if (asprintf(&to, "%s.%u", d->options->file, n) < 0 ||
		    (n > 1 ? asprintf(&from, "%s.%u", d->options->file, n - 1)
			   : asprintf(&from, "%s", d->options->file)) < 0)
			return -ENOMEM;
		if (rename(from, to) < 0 && (n == 1 || errno != ENOENT))
			return -errno;
	}
	return 0;
}

/* What cannot be rotated grows on: said once. */
static void rotate(struct policyd *d)
{
	struct sink *sink = d->sink;
	int r = move_files(d);

	if (r < 0 && !sink->rotation_said)
		(void)fail(d, r, "rotate");
	sink->rotation_said = r < 0;
	if (!r)
		(void)open_file(d);
}

static ssize_t write_some(void *arg, const char *data, size_t len)
{
	struct sink *sink = arg;
	ssize_t n = write(sink->fd, data, len);

	return n < 0 ? -errno : n;
}

/* A part of a line is taken back: a reader of the file meets whole lines only. */
static int take_back(struct policyd *d)
{
	struct sink *sink = d->sink;
	struct stat st;

	if (!sink->outlet.within)
		return 0;
	if (fstat(sink->fd, &st) < 0 ||
	    ftruncate(sink->fd, st.st_size - (off_t)sink->outlet.within) < 0)
		return fail(d, -errno, "take back a part of a line in");
	pol_outlet_rewind(&sink->outlet);
	return 0;
}

static int settle(struct policyd *d, int r)
{
	struct sink *sink = d->sink;
	struct stat st;

	if (take_back(d) < 0)
		return -EIO;
	if (!r && d->options->sync && fdatasync(sink->fd) < 0)
		return fail(d, -errno, "sync");
	if (fstat(sink->fd, &st) < 0)
		return fail(d, -errno, "look at");
	if (d->options->file_size && (uint64_t)st.st_size >= d->options->file_size)
		rotate(d);
	return 0;
}

const struct sink_kind sink_file = {
	.name = "the file",
	.open = open_file,
	.write = write_some,
	.settle = settle,
	.reopen = reopen,
};
