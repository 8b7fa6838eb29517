/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue of messages, each a line, on a stream: octet-counted (RFC 6587, 3.4.1). A line stays in
 * the queue until its receiver's side of the connection has all of it; on the next connection what
 * is still in the queue goes out again, from the beginning of a message. Pure.
 *
 *	queue:	| taken | out, not known to be there | going out | not yet |
 *			^ its first byte	     ^ @sent
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

/**
 * struct pol_syslog_stream - all zero: a new connection.
 * @sent: bytes of the queue, whole lines, that are out. @part: likewise, of the next one's frame.
 * @wire: bytes of frames that are out for what is in the queue.
 */
struct pol_syslog_stream {
	size_t sent;
	size_t part;
	size_t wire;
};

/* What to send next: a frame, or the rest of one. It points into the queue. */
struct pol_syslog_piece {
	char count[24];
	struct iovec iov[2];
};

/**
 * pol_syslog_stream_next() - @queue, @len: whole lines, none empty.
 * Return: bytes of the piece; 0: all is out.
 */
size_t pol_syslog_stream_next(const struct pol_syslog_stream *stream, const char *queue, size_t len,
			      struct pol_syslog_piece *ret);

/* pol_syslog_stream_sent() - so many bytes of the piece, which may be all of it, are out. */
void pol_syslog_stream_sent(struct pol_syslog_stream *stream, const char *queue, size_t len,
			    size_t cnt);

/**
 * pol_syslog_stream_taken() - all that is out has been taken but for the last @pending bytes.
 * Return: bytes of the queue, whole lines, that may be forgotten. They must be: the state is that
 * of the queue behind them.
 */
size_t pol_syslog_stream_taken(struct pol_syslog_stream *stream, const char *queue, size_t pending);
