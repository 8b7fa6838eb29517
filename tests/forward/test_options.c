/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "options.h"
#include "socket_path.h"

static struct forward_options options;

static void done(void)
{
	forward_options_done(&options);
}

TestSuite(forward_options, .init = cr_redirect_stderr, .fini = done);

/* Words by spaces. */
static int parse(const char *line)
{
	static char copy[1024];
	char *argv[64] = { (char *)(uintptr_t) "policyd-forward" }, *at = copy;
	int argc = 1;

	forward_options_done(&options);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((argv[argc] = strsep(&at, " ")))
		argc++;
	return forward_options_parse(argc, argv, &options);
}

Test(forward_options, takes_tls)
{
	cr_assert_eq(
		parse("--tls [2001:db8::1]:6514 --ca /ca --cert /c --key /k --name n --state /s "
		      "--guest web --type violation --verdict denied --path /srv/"),
		-1);
	cr_assert_str_eq(options.tls.host, "2001:db8::1");
	cr_assert_str_eq(options.tls.port, "6514");
	cr_assert_str_eq(options.ca, "/ca");
	cr_assert_str_eq(options.cert, "/c");
	cr_assert_str_eq(options.key, "/k");
	cr_assert_str_eq(options.name, "n");
	cr_assert_str_eq(options.state, "/s");
	cr_assert_str_eq(options.socket, POL_SOCKET);
	cr_assert_str_eq(options.request.format->name, "syslog");
	cr_assert(options.request.kept && options.request.follow && options.request.marks);
	cr_assert_str_eq(options.request.guest, "web");
	cr_assert_eq(options.request.filter.type, POL_TYPE_VIOLATION);
	cr_assert_eq(options.request.filter.verdict, POL_VERDICT_DENIED);
	cr_assert_str_eq(options.request.filter.path, "/srv");
}

Test(forward_options, takes_kafka)
{
	cr_assert_eq(
		parse("--kafka a:1,b --topic t --kafka-conf x=1 --kafka-conf @/f --format ecs"),
		-1);
	cr_assert_str_eq(options.kafka, "a:1,b");
	cr_assert_str_eq(options.topic, "t");
	cr_assert_eq(options.conf_cnt, 2);
	cr_assert_str_eq(options.conf[1], "@/f");
	cr_assert_str_eq(options.request.format->name, "ecs");
	cr_assert_eq(parse("--kafka a --topic t"), -1);
	cr_assert_str_eq(options.request.format->name, "json");
}

Test(forward_options, refuses_what_makes_no_sense)
{
	static const char *const bad[] = {
		"",
		"--tls h:1",
		"--tls h --ca /ca",
		"--tls h:0 --ca /ca",
		"--tls h:1 --ca /ca --kafka b --topic t",
		"--tls h:1 --ca /ca --cert /c",
		"--tls h:1 --ca /ca --key /k",
		"--tls h:1 --ca /ca --format json",
		"--tls h:1 --ca /ca --topic t",
		"--tls h:1 --ca /ca --state mark",
		"--tls h:1 --ca /ca --socket sock",
		"--tls h:1 --ca /ca --path srv",
		"--tls h:1 --ca /ca --type exits",
		"--tls h:1 --ca /ca --verdict no",
		"--tls h:1 --ca /ca more",
		"--tls h:1 --ca /ca --insecure",
		"--tls h:1 --ca ",
		"--kafka b",
		"--kafka b --topic t --ca /ca",
		"--kafka b --topic t --kafka-conf acks",
		"--kafka b --topic t --kafka-conf =1",
		"--kafka b --topic t --format xml",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(parse(bad[i]), POL_ERR_USAGE, "%s", bad[i]);
	cr_assert_eq(parse("--tls h:1 --ca /ca --format syslog"), -1);
}
