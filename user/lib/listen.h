/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a program of root's may serve on this host alone: unix:PATH, for root only, or loopback, by
 * TCP, for whoever is on the host.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "err.h"

/* struct pol_listen - a parsed address. @text: as it was written, borrowed. @len: of the address. */
struct pol_listen {
	const char *text;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in inet;
		struct sockaddr_in6 inet6;
	} address;
};

/**
 * pol_listen_parse() - "unix:PATH" (absolute, at most 107 bytes), "127.0.0.1:PORT" or "[::1]:PORT";
 * names are not looked up. Pure.
 * @ret_why: what is wrong with it, a sentence. Return: 0; -EINVAL.
 */
int pol_listen_parse(const char *text, struct pol_listen *ret, const char **ret_why);

/* pol_listen_bind() - bind(2); a name that it makes has mode 0600. Return: 0; -errno. */
int pol_listen_bind(int fd, const struct sockaddr *address, socklen_t len);

/*
 * pol_listen_is_root() - whether the peer of a unix socket is root. The mode of its name says the
 * same; this holds where a descriptor was handed on, too.
 */
bool pol_listen_is_root(int fd);

/* pol_listen_in_group() - whether the peer's group is @group, or one of its further groups. */
bool pol_listen_in_group(int fd, gid_t group);

/**
 * pol_listen_open() - a socket that listens there, not blocking. One of unix: has mode 0600; a dead
 * program's is replaced, and who made it removes it.
 * Return: descriptor; -EADDRINUSE (kind POL_ERR_BUSY): somebody serves there; -EEXIST: what is there
 * is no socket; -EAFNOSUPPORT: not of this kernel or unit (kind POL_ERR_HOST); else of bind(2).
 */
int pol_listen_open(const struct pol_listen *address, int backlog, struct pol_err *err);
