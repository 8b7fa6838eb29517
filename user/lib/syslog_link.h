/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to a receiver of syslog messages: made when there is something to send, made again
 * when it broke, by attempts that grow apart. Never blocks, but for looking up a host's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syslog_address.h"
#include "syslog_stream.h"

/* Between two attempts: at least the first; twice as much after each that came to nothing. */
#define POL_SYSLOG_RETRY_NS	UINT64_C(1000000000)
#define POL_SYSLOG_RETRY_MAX_NS (8 * POL_SYSLOG_RETRY_NS)

/* An attempt that takes longer is given up. */
#define POL_SYSLOG_CONNECT_NS (10 * UINT64_C(1000000000))

/**
 * struct pol_syslog_link - all zero but @to and @fd, -EBADF: there is none yet.
 * @fd: the socket; -EBADF: none. @closing: called before it is closed, with @arg; may be NULL.
 * @connecting: it is not there yet. @is_stream: messages are counted and kept until they are there.
 * @error: why there is none. @lookup: of getaddrinfo(3), if it is that.
 * @attempts: of them @next_ns is the earliest time of the next one, @wait_ns what is between.
 */
struct pol_syslog_link {
	const struct pol_syslog_address *to;
	int fd;
	void (*closing)(void *arg);
	void *arg;
	bool connecting;
	bool is_stream;
	int error;
	int lookup;
	unsigned int attempts;
	uint64_t began_ns;
	uint64_t next_ns;
	uint64_t wait_ns;
	struct pol_syslog_stream stream;
};

/**
 * pol_syslog_link_open() - connect, if it is time to. pol_syslog_link_write() does so by itself.
 * Return: 0; -EALREADY: begun; else why there is none.
 */
int pol_syslog_link_open(struct pol_syslog_link *link, uint64_t now_ns);

/**
 * pol_syslog_link_write() - send lines, each a message without its newline.
 * @now_ns: CLOCK_BOOTTIME.
 *
 * Return: bytes of @queue, whole lines, that are sent; on a stream, that its receiver's side has
 * acknowledged (TCP) or read (unix). Else negative errno: -EAGAIN: no room, wait for EPOLLOUT;
 * -EALREADY: connecting, likewise; -EINPROGRESS: all is out, not all known to be there; others: there
 * is no receiver, the reason is pol_syslog_link_why().
 */
ssize_t pol_syslog_link_write(struct pol_syslog_link *link, const char *queue, size_t len,
			      uint64_t now_ns);

/* pol_syslog_link_why() - a text for what pol_syslog_link_write() failed with. */
const char *pol_syslog_link_why(const struct pol_syslog_link *link, int error);

/* pol_syslog_link_break() - the connection failed with @error, to who sends by itself. Return: it. */
int pol_syslog_link_break(struct pol_syslog_link *link, int error);

/* pol_syslog_link_arrived() - something has: attempts begin with short waits again. */
void pol_syslog_link_arrived(struct pol_syslog_link *link);

void pol_syslog_link_close(struct pol_syslog_link *link);
