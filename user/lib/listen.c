/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listen.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include "address.h"
#include "base.h"

#define UNIX  "unix:"
#define INET  "127.0.0.1:"
#define INET6 "[::1]:"

/* Return: whether @text has @prefix; then the rest of it. */
static bool after(const char *text, const char *prefix, const char **ret)
{
	size_t len = strlen(prefix);

	if (strncmp(text, prefix, len) != 0)
		return false;
	*ret = text + len;
	return true;
}

static int parse_unix(const char *path, struct pol_listen *ret, const char **ret_why)
{
	ret->len = sizeof(ret->address.local);
	return pol_address_path(path, &ret->address.local, ret_why);
}

static int parse_port(const char *text, in_port_t *ret, const char **ret_why)
{
	int r = pol_address_port(text, ret, ret_why);

	if (!r)
		*ret = htons(*ret);
	return r;
}

int pol_listen_parse(const char *text, struct pol_listen *ret, const char **ret_why)
{
	const char *rest;

	*ret = (struct pol_listen){ .text = text };
	if (after(text, UNIX, &rest))
		return parse_unix(rest, ret, ret_why);
	if (after(text, INET, &rest)) {
		ret->address.inet.sin_family = AF_INET;
		ret->address.inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ret->len = sizeof(ret->address.inet);
		return parse_port(rest, &ret->address.inet.sin_port, ret_why);
	}
	if (after(text, INET6, &rest)) {
		ret->address.inet6.sin6_family = AF_INET6;
		ret->address.inet6.sin6_addr = in6addr_loopback;
		ret->len = sizeof(ret->address.inet6);
		return parse_port(rest, &ret->address.inet6.sin6_port, ret_why);
	}
	return pol_address_refuse(
		"expected unix:PATH, 127.0.0.1:PORT or [::1]:PORT; no other address is served",
		ret_why);
}

/* ------------------------------------------------------------------ the socket */

static int fail(int r, const struct pol_listen *address, struct pol_err *err)
{
	if (r == -EADDRINUSE)
		return pol_err_say(err, POL_ERR_BUSY, r, "another program serves '%s'",
				   address->text);
	if (r != -EAFNOSUPPORT)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot serve '%s'", address->text);
	(void)pol_err_set(err, POL_ERR_HOST, r, "cannot serve '%s'", address->text);
	return pol_err_fix(err, "of a unit: RestrictAddressFamilies= and IPAddressAllow= have to "
				"allow it");
}

/* A dead program's: nobody takes the connection. */
static int remove_dead(int fd, const struct pol_listen *address, struct pol_err *err)
{
	const char *path = address->address.local.sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail(-errno, address, err);
	if (!S_ISSOCK(st.st_mode)) {
		(void)pol_err_say(err, POL_ERR_FAILED, -EEXIST, "'%s' is there and is no socket",
				  path);
		return pol_err_fix(err, "remove it, or give another path");
	}
	if (!connect(fd, &address->address.any, address->len) || errno != ECONNREFUSED)
		return fail(-EADDRINUSE, address, err);
	return unlink(path) < 0 ? fail(-errno, address, err) : 0;
}

int pol_listen_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	mode_t before = umask(0177);
	int r = bind(fd, address, len) < 0 ? -errno : 0;

	(void)umask(before);
	return r;
}

bool pol_listen_is_root(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.uid == 0;
}

/* Further groups; a kernel's limit is NGROUPS_MAX, 65536. */
static bool has_group(int fd, gid_t group)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t len = 0;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) || errno != ERANGE)
		return false;
	groups = malloc(len);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool pol_listen_in_group(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.gid == group || has_group(fd, group);
}

int pol_listen_open(const struct pol_listen *address, int backlog, struct pol_err *err)
{
	int family = address->address.any.sa_family, on = 1, r = 0;
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(-errno, address, err);
	if (family == AF_UNIX)
		r = remove_dead(fd, address, err);
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r < 0)
		return r;
	r = pol_listen_bind(fd, &address->address.any, address->len);
	if (!r && listen(fd, backlog) < 0)
		r = -errno;
	return r < 0 ? fail(r, address, err) : TAKE_FD(fd);
}
