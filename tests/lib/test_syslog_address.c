/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "syslog_address.h"

static struct pol_syslog_address address;
static const char *why;

static int parse(const char *text)
{
	memset(&address, 0, sizeof(address));
	why = NULL;
	return pol_syslog_address_parse(text, &address, &why);
}

Test(syslog_address, takes_each_way)
{
	cr_assert_eq(parse("unix:/dev/log"), 0);
	cr_assert_eq(address.way, POL_SYSLOG_UNIX);
	cr_assert_str_eq(address.local.sun_path, "/dev/log");
	cr_assert_eq(parse("udp:logs.example.com:514"), 0);
	cr_assert_eq(address.way, POL_SYSLOG_UDP);
	cr_assert_str_eq(address.host, "logs.example.com");
	cr_assert_str_eq(address.port, "514");
	cr_assert_eq(parse("tcp:192.0.2.1:65535"), 0);
	cr_assert_eq(address.way, POL_SYSLOG_TCP);
	cr_assert_str_eq(address.host, "192.0.2.1");
	cr_assert_str_eq(address.port, "65535");
	cr_assert_null(why);
}

Test(syslog_address, takes_ipv6_in_brackets)
{
	cr_assert_eq(parse("tcp:[2001:db8::1]:601"), 0);
	cr_assert_str_eq(address.host, "2001:db8::1");
	cr_assert_str_eq(address.port, "601");
	cr_assert_eq(parse("udp:[fe80::1%eth0]:514"), 0);
	cr_assert_str_eq(address.host, "fe80::1%eth0");
}

Test(syslog_address, knows_the_longest)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "unix:/%0106d", 0);
	cr_assert_eq(parse(text), 0);
	(void)snprintf(text, sizeof(text), "unix:/%0107d", 0);
	cr_assert_eq(parse(text), -EINVAL);
	cr_assert(strstr(why, "107 bytes"));
	(void)snprintf(text, sizeof(text), "tcp:%0255d:1", 0);
	cr_assert_eq(parse(text), 0);
	(void)snprintf(text, sizeof(text), "tcp:%0256d:1", 0);
	cr_assert_eq(parse(text), -EINVAL);
	cr_assert(strstr(why, "255 bytes"));
}

Test(syslog_address, refuses_what_is_none_and_says_what_it_wants)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "unix:PATH, udp:HOST:PORT or tcp:HOST:PORT" },
		{ "/dev/log", "unix:PATH" },
		{ "logs:514", "unix:PATH" },
		{ "TCP:logs:514", "unix:PATH" },
		{ "unix:", "absolute" },
		{ "unix:dev/log", "absolute" },
		{ "tcp:", "a host" },
		{ "tcp::514", "a host" },
		{ "tcp:[]:514", "a host" },
		{ "tcp:logs", "a port behind" },
		{ "tcp:[::1]", "a port behind" },
		{ "tcp:[::1", "a port behind" },
		{ "tcp:[::1]514", "a port behind" },
		{ "tcp:[::1]x:514", "a port behind" },
		{ "tcp:::1:514", "a host" },
		{ "tcp:2001:db8::1:514", "brackets" },
		{ "tcp:logs:", "1 to 65535" },
		{ "tcp:logs:0", "1 to 65535" },
		{ "tcp:logs:65536", "1 to 65535" },
		{ "tcp:logs:99999999999999999999", "1 to 65535" },
		{ "tcp:logs:+1", "1 to 65535" },
		{ "tcp:logs: 1", "1 to 65535" },
		{ "tcp:logs:-1", "1 to 65535" },
		{ "tcp:logs:514x", "1 to 65535" },
		{ "tcp:logs:syslog", "1 to 65535" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(parse(cases[i].text), -EINVAL, "%s", cases[i].text);
		cr_assert(strstr(why, cases[i].why), "%s: %s", cases[i].text, why);
		cr_assert_eq(address.way, POL_SYSLOG_NOWHERE, "%s: touched", cases[i].text);
	}
}
