/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syslog_address.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "base.h"

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
	return pol_address_path(path, &ret->local, ret_why);
}

static int take_port(const char *text, struct pol_syslog_address *ret, const char **ret_why)
{
	uint16_t port;
	int r = pol_address_port(text, &port, ret_why);

	if (!r)
		(void)snprintf(ret->port, sizeof(ret->port), "%u", port);
	return r;
}

/* "[2001:db8::1]:514", "192.0.2.1:514", "logs.example.com:514" */
static int take_host(const char *text, struct pol_syslog_address *ret, const char **ret_why)
{
	bool brackets = *text == '[';
	const char *host = text + brackets;
	const char *end = host + strcspn(host, brackets ? "]" : ":");
	const char *port = end + brackets;

	if (!copy(ret->host, sizeof(ret->host), host, (size_t)(end - host)))
		return pol_address_refuse(
			"expected a host, up to 255 bytes, and its port: HOST:PORT", ret_why);
	if (!*end || *port != ':')
		return pol_address_refuse("expected a port behind the host: HOST:PORT", ret_why);
	if (!brackets && strchr(port + 1, ':'))
		return pol_address_refuse(
			"expected brackets around an IPv6 address: [ADDRESS]:PORT", ret_why);
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
	return pol_address_refuse("expected unix:PATH, udp:HOST:PORT or tcp:HOST:PORT", ret_why);
}
