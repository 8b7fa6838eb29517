/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where syslog messages are sent to, as on the command line. Pure: nothing is looked up. */
#pragma once

#include <sys/un.h>

enum pol_syslog_way {
	POL_SYSLOG_NOWHERE,
	POL_SYSLOG_UNIX,
	POL_SYSLOG_UDP,
	POL_SYSLOG_TCP,
};

/**
 * struct pol_syslog_address - a receiver.
 * @local: of a unix one. @host, @port: of the others; a name or an address, without brackets, and a
 * number from 1 to 65535.
 */
struct pol_syslog_address {
	enum pol_syslog_way way;
	struct sockaddr_un local;
	char host[256];
	char port[6];
};

/**
 * pol_syslog_address_parse() - unix:PATH, udp:HOST:PORT or tcp:HOST:PORT; IPv6 in brackets.
 * @ret_why: set on failure: what was expected.
 *
 * Return: 0; -EINVAL: neither; a path that is not absolute or longer than 107 bytes; no host, one
 * longer than 255 bytes or an IPv6 address with no brackets; no port of 1 to 65535.
 */
int pol_syslog_address_parse(const char *text, struct pol_syslog_address *ret,
			     const char **ret_why);
