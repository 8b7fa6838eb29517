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

/* Enough to tell our lines by. */
#define HEAD_SIZE 64

static int fail(const char *path, int r, const char *what)
{
	policyd_say("cannot %s '%s': %s", what, path, strerror(-r));
	return r;
}

/* ------------------------------------------------------------------ opening it */

static int refuse(const char *path)
{
	policyd_say("'%s' is no file of events\n  help: give another --file; this one was left as "
		    "it is",
		    path);
	return -EINVAL;
}

/* A path with a typing error must not cost a file of somebody else's. */
static int check_events(const char *path, int fd)
{
	char head[HEAD_SIZE];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return fail(path, -errno, "read");
	return pol_format_begins(head, (size_t)n) ? 0 : refuse(path);
}

/* Where the last whole line ends. Return: 0; -EBADMSG: there is no line's end in a line's length. */
static int find_end(int fd, uint64_t size, uint64_t *ret)
{
	char tail[POL_EVENT_LINE_SIZE];
	uint64_t from = size > sizeof(tail) ? size - sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail), (off_t)from);
	const char *newline;

	if (n < 0)
		return -errno;
	newline = memrchr(tail, '\n', (size_t)n);
	if (!newline && from)
		return -EBADMSG;
	*ret = newline ? from + (uint64_t)(newline + 1 - tail) : 0;
	return 0;
}

static int cut_torn_line(const char *path, int fd, uint64_t size)
{
	uint64_t end = 0;
	int r = find_end(fd, size, &end);

	if (r < 0)
		return r == -EBADMSG ? refuse(path) : fail(path, r, "read");
	if (end == size)
		return 0;
	if (ftruncate(fd, (off_t)end) < 0)
		return fail(path, -errno, "cut the torn line at the end of");
	policyd_say("'%s' ended with a torn line: cut off", path);
	return 0;
}

/* Regular, and ours alone: another writer's lines would be cut, and ours be torn by it. */
static int check_file(const char *path, int fd, uint64_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(path, -errno, "look at");
	if (!S_ISREG(st.st_mode)) {
		policyd_say("'%s' is no regular file\n  help: for a pipe, use standard output",
			    path);
		return -EINVAL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		policyd_say("'%s' is locked by another process\n  help: end it, or give another "
			    "--file",
			    path);
		return -EBUSY;
	}
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* Made if it is not there. Return: a descriptor; negative errno, said. */
static int open_path(const char *path, uint64_t *ret_size)
{
	_cleanup_close_ int fd = open(
		path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		0600);
	int r;

	if (fd < 0)
		return fail(path, -errno, "open");
	r = check_file(path, fd, ret_size);
	return r < 0 ? r : TAKE_FD(fd);
}

static void use(struct policyd *d, int fd)
{
	pol_closep(&d->sink->fd);
	d->sink->fd = fd;
	d->sink->rotate_at = d->options->file_size;
}

/* The file at its name. The one before stays if that fails. */
static int open_file(struct policyd *d)
{
	const char *path = d->options->file;
	uint64_t size = 0;
	_cleanup_close_ int fd = open_path(path, &size);
	int r;

	if (fd < 0)
		return fd;
	r = check_events(path, fd);
	if (!r)
		r = cut_torn_line(path, fd, size);
	if (r < 0)
		return r;
	use(d, TAKE_FD(fd));
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

/* ------------------------------------------------------------------ rotating it */

/* PATH.N, or PATH itself. Return: to be freed; NULL: out of memory. */
static char *name_of(const struct policyd *d, unsigned int n)
{
	char *name = NULL;
	int r = n ? asprintf(&name, "%s.%u", d->options->file, n)
		  : asprintf(&name, "%s", d->options->file);

	return r < 0 ? NULL : name;
}

static int shift(const struct policyd *d, unsigned int n)
{
	_cleanup_free_ char *from = name_of(d, n - 1), *to = name_of(d, n);

	if (!from || !to)
		return -ENOMEM;
	return rename(from, to) < 0 ? -errno : 0;
}

/* The first number that no file has, or the last one there may be. */
static int find_gap(const struct policyd *d, unsigned int *ret)
{
	for (*ret = 1; *ret < d->options->file_count; ++*ret) {
		_cleanup_free_ char *name = name_of(d, *ret);
		struct stat st;

		if (!name)
			return -ENOMEM;
		if (lstat(name, &st) < 0)
			return errno == ENOENT ? 0 : -errno;
	}
	return 0;
}

/*
 * PATH.N-1 to PATH.N and so on; PATH to PATH.1. Up to the first gap: one that was broken off goes on
 * where it was, and shifts nothing twice.
 */
static int shift_all(const struct policyd *d)
{
	unsigned int n = 0;
	int r = find_gap(d, &n);

	for (; !r && n; n--)
		r = shift(d, n);
	return r;
}

/* What can fail for want of room comes first: the next file, under a name of its own. */
static int replace(struct policyd *d)
{
	_cleanup_free_ char *next = NULL;
	_cleanup_close_ int fd = -EBADF;
	uint64_t size = 0;
	int r;

	if (asprintf(&next, "%s.new", d->options->file) < 0)
		return fail(d->options->file, -ENOMEM, "rotate");
	fd = open_path(next, &size);
	if (fd < 0)
		return fd;
	if (size)
		return fail(next, -EEXIST, "use");
	r = shift_all(d);
	if (!r && rename(next, d->options->file) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(next);
		return fail(d->options->file, r, "rotate");
	}
	use(d, TAKE_FD(fd));
	return 0;
}

/* What cannot be rotated grows on, and is tried again when it has grown by as much. */
static void rotate(struct policyd *d, uint64_t size)
{
	/* What is at its name is not what was written to it: nobody's to be shifted. */
	int r = is_moved(d) ? open_file(d) : replace(d);

	if (r < 0)
		d->sink->rotate_at = size + d->options->file_size;
}

/* ------------------------------------------------------------------ writing it */

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
		return fail(d->options->file, -errno, "take back a part of a line in");
	pol_outlet_rewind(&sink->outlet);
	return 0;
}

static int settle(struct policyd *d, int r)
{
	struct sink *sink = d->sink;
	struct stat st;

	if (take_back(d) < 0)
		return -EIO;
	if (d->options->sync && sink_lets_go(sink, r) && fdatasync(sink->fd) < 0)
		return fail(d->options->file, -errno, "sync");
	if (fstat(sink->fd, &st) < 0)
		return fail(d->options->file, -errno, "look at");
	if (sink->rotate_at && (uint64_t)st.st_size >= sink->rotate_at)
		rotate(d, (uint64_t)st.st_size);
	return 0;
}

const struct sink_kind sink_file = {
	.name = "the file",
	.word = "file",
	.open = open_file,
	.write = write_some,
	.settle = settle,
	.reopen = reopen,
};
