/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syslog_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static bool copy(char *to, size_t size, const char *from, size_t len)
{
	if (!len || len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

static int take_path(const char *path, struct pol_syslog_address *ret, const char **ret_why)
{
	if (*path != '/')
		return refuse(ret_why, "expected an absolute path behind unix:");
	if (!copy(ret->path, sizeof(ret->path), path, strlen(path)))
		return refuse(ret_why, "the path is longer than a socket's can be, 107 bytes");
	return 0;
}

static int take_port(const char *port, struct pol_syslog_address *ret, const char **ret_why)
{
	char *end;
	unsigned long number = strtoul(port, &end, 10);

	if (*port < '0' || *port > '9' || *end || !number || number > 65535)
		return refuse(ret_why, "expected a port, 1 to 65535, behind the host");
	(void)snprintf(ret->port, sizeof(ret->port), "%u", (unsigned short)number);
	return 0;
}

/* "[2001:db8::1]:514", "192.0.2.1:514", "logs.example.com:514" */
static int take_host(const char *text, struct pol_syslog_address *ret, const char **ret_why)
{
	bool brackets = *text == '[';
	const char *host = text + brackets;
	const char *end = host + strcspn(host, brackets ? "]" : ":");
	const char *port = end + brackets;

	if (!copy(ret->host, sizeof(ret->host), host, (size_t)(end - host)))
		return refuse(ret_why, "expected a host, up to 255 bytes, and its port: HOST:PORT");
	if (!*end || *port != ':')
		return refuse(ret_why, "expected a port behind the host: HOST:PORT");
	if (!brackets && strchr(port + 1, ':'))
		return refuse(ret_why, "expected brackets around an IPv6 address: [ADDRESS]:PORT");
	return take_port(port + 1, ret, ret_why);
}

int pol_syslog_address_parse(const char *text, struct pol_syslog_address *ret, const char **ret_why)
{
	static const struct {
		const char *prefix;
		enum pol_syslog_way way;
		int (*take)(const char *text, struct pol_syslog_address *ret, const char **ret_why);
	} ways[] = {
		{ "unix:", POL_SYSLOG_UNIX, take_path },
		{ "udp:", POL_SYSLOG_UDP, take_host },
		{ "tcp:", POL_SYSLOG_TCP, take_host },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct pol_syslog_address address = { .way = ways[i].way };
		size_t len = strlen(ways[i].prefix);
		int r;

		if (strncmp(text, ways[i].prefix, len) != 0)
			continue;
		r = ways[i].take(text + len, &address, ret_why);
		if (!r)
			*ret = address;
		return r;
	}
	return refuse(ret_why, "expected unix:PATH, udp:HOST:PORT or tcp:HOST:PORT");
}
