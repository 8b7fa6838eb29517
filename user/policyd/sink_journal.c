/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The systemd journal as the sink: an entry with the fields of the event. Entries wait as lines
 * (journal_line.h), as those of other sinks do.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Where in our source it is said is nobody's business. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base.h"
#include "journal_line.h"
#include "sink.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct pol_journal entry; /* too large for a stack */

static int write_line(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		      unsigned int flags, char *buf, size_t size)
{
	int r = pol_event_journal(view, ctx, &entry);

	(void)flags;
	return r < 0 ? r : pol_journal_line(&entry, buf, size);
}

static const struct pol_format format = {
	.name = "journal",
	.write = write_line,
	.size = POL_JOURNAL_LINE_SIZE,
};

/*
 * Whether the journal is there, and takes an entry now: sd_journal_sendv(3) says 0 where it is not,
 * and blocks while it does not read.
 */
static int look(void)
{
	static const struct sockaddr_un address = { AF_UNIX, JOURNAL_SOCKET };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return poll(&room, 1, 0) == 1 ? 0 : -EAGAIN;
}

static ssize_t write_some(void *sink, const char *data, size_t len)
{
	int used = pol_journal_parse(data, len, &entry), r;

	(void)sink;
	if (used < 0)
		return used;
	r = look();
	if (!r)
		r = sd_journal_sendv(entry.iov, entry.iov_cnt);
	return r < 0 ? r : used;
}

/* Whoever starts this is told now, not by the first event, that it is not there. */
static int open_journal(struct policyd *d)
{
	sink_say(d, look());
	return 0;
}

const struct sink_kind sink_journal = {
	.name = "the journal",
	.word = "journal",
	.waits = true,
	.format = &format,
	.open = open_journal,
	.write = write_some,
};
