/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syslog_stream.h"

#include <stdio.h>
#include <string.h>

#include "base.h"

/* Of the first line, without its newline. */
static size_t message_len(const char *queue, size_t len)
{
	return (size_t)((const char *)memchr(queue, '\n', len) - queue);
}

/* "LENGTH SPACE". Return: its length. */
static size_t write_count(size_t message, char buf[24])
{
	return (size_t)snprintf(buf, 24, "%zu ", message);
}

static size_t frame_len(size_t message)
{
	char count[24];

	return write_count(message, count) + message;
}

size_t pol_syslog_stream_next(const struct pol_syslog_stream *stream, const char *queue, size_t len,
			      struct pol_syslog_piece *ret)
{
	const char *message = queue + stream->sent;
	size_t count, skip = stream->part, rest;

	if (stream->sent == len)
		return 0;
	rest = message_len(message, len - stream->sent);
	count = write_count(rest, ret->count);
	ret->iov[0] = (struct iovec){ ret->count, 0 };
	if (skip < count) {
		ret->iov[0] = (struct iovec){ ret->count + skip, count - skip };
		skip = count;
	}
	skip -= count;
	ret->iov[1] = (struct iovec){ (char *)message + skip, rest - skip };
	return ret->iov[0].iov_len + ret->iov[1].iov_len;
}

void pol_syslog_stream_sent(struct pol_syslog_stream *stream, const char *queue, size_t len,
			    size_t cnt)
{
	size_t message = message_len(queue + stream->sent, len - stream->sent);

	stream->wire += cnt;
	stream->part += cnt;
	if (stream->part < frame_len(message))
		return;
	stream->sent += message + 1;
	stream->part = 0;
}

size_t pol_syslog_stream_taken(struct pol_syslog_stream *stream, const char *queue, size_t pending)
{
	size_t there = stream->wire > pending ? stream->wire - pending : 0, taken = 0;

	while (taken < stream->sent) {
		size_t message = message_len(queue + taken, stream->sent - taken);
		size_t frame = frame_len(message);

		if (frame > there)
			break;
		there -= frame;
		stream->wire -= frame;
		taken += message + 1;
	}
	stream->sent -= taken;
	return taken;
}
