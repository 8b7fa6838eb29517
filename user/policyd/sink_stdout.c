/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard output as the sink. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base.h"
#include "sink.h"

static ssize_t write_some(void *arg, const char *data, size_t len)
{
	const struct sink *sink = arg;
	ssize_t n = sink->is_socket ? send(sink->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				    : write(sink->fd, data, len);

	return n < 0 ? -errno : n;
}

/*
 * A pipe or a terminal is opened again: O_NONBLOCK on the one we got would be on everybody's who
 * shares it. A socket is asked not to block at each send, and a file does not block.
 */
static int open_stdout(struct policyd *d)
{
	struct sink *sink = d->sink;
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0)
		st.st_mode = 0;
	sink->is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDOUT_FILENO))
		sink->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	/* It may be another user's, too. */
	if (sink->fd < 0)
		sink->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (sink->fd >= 0)
		return 0;
	policyd_say("cannot write events to standard output: %s", strerror(errno));
	return -errno;
}

const struct sink_kind sink_stdout = {
	.name = "standard output",
	.word = "stdout",
	.open = open_stdout,
	.write = write_some,
};
