/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * send ADDRESS <LINES: messages to a syslog receiver, as policyd's sink sends them. Ends when the
 * receiver's side has them all.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "here.h"
#include "syslog_link.h"

static char lines[8 << 20];

static int send_all(struct pol_syslog_link *link, const char *queue, size_t len)
{
	while (len) {
		ssize_t n = pol_syslog_link_write(link, queue, len, pol_boot_ns());
		struct pollfd room = { .fd = link->fd, .events = POLLOUT };

		if (n == -EINPROGRESS) /* nothing tells of its arrival */
			(void)poll(NULL, 0, 10);
		else if (n == -EAGAIN || n == -EALREADY)
			(void)poll(&room, 1, -1);
		else if (n < 0)
			return (int)n;
		queue += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct pol_syslog_address to;
	struct pol_syslog_link link = { .to = &to, .fd = -EBADF };
	const char *why = "usage: send ADDRESS <LINES";
	size_t len;
	int r;

	if (argc != 2 || pol_syslog_address_parse(argv[1], &to, &why) < 0) {
		(void)fprintf(stderr, "send: %s\n", why);
		return 2;
	}
	len = fread(lines, 1, sizeof(lines), stdin);
	r = send_all(&link, lines, len);
	if (r < 0)
		(void)fprintf(stderr, "send: %s\n", pol_syslog_link_why(&link, r));
	pol_syslog_link_close(&link);
	return r < 0;
}
