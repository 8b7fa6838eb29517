/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "tmptree.h"

static struct pol_listen address;
static struct pol_err err;
static char *root;

static void made(void)
{
	root = tree_make();
}

static void gone(void)
{
	tree_remove(root);
}

TestSuite(listen, .init = made, .fini = gone);

struct refused {
	char text[128];
	char why[64];
};

ParameterizedTestParameters(listen, refuses)
{
	static struct refused all[] = {
		{ "", "expected unix:PATH" },
		{ "/run/m.sock", "expected unix:PATH" },
		{ "unix:run/m.sock", "absolute path" },
		{ "unix:", "absolute path" },
		{ "0.0.0.0:9812", "no other address" },
		{ "[::]:9812", "no other address" },
		{ ":9812", "no other address" },
		{ "9812", "no other address" },
		{ "localhost:9812", "no other address" },
		{ "127.0.0.2:9812", "no other address" },
		{ "192.0.2.1:9812", "no other address" },
		{ "::1:9812", "no other address" },
		{ "127.0.0.1", "no other address" },
		{ "127.0.0.1:", "a port" },
		{ "127.0.0.1:0", "a port" },
		{ "127.0.0.1:65536", "a port" },
		{ "127.0.0.1:99999999999999999999", "a port" },
		{ "127.0.0.1:-1", "a port" },
		{ "127.0.0.1: 80", "a port" },
		{ "[::1]:80x", "a port" },
	};

	return cr_make_param_array(struct refused, all, sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct refused *refused, listen, refuses)
{
	const char *why = "";

	cr_assert_eq(pol_listen_parse(refused->text, &address, &why), -EINVAL, "%s", refused->text);
	cr_assert_not_null(strstr(why, refused->why), "%s: %s", refused->text, why);
}

Test(listen, takes_loopback)
{
	const char *why;

	cr_assert_eq(pol_listen_parse("127.0.0.1:65535", &address, &why), 0);
	cr_assert_eq(address.address.inet.sin_family, AF_INET);
	cr_assert_eq(address.address.inet.sin_addr.s_addr, htonl(0x7f000001));
	cr_assert_eq(address.address.inet.sin_port, htons(65535));
	cr_assert_eq(pol_listen_parse("[::1]:1", &address, &why), 0);
	cr_assert_eq(address.address.inet6.sin6_family, AF_INET6);
	cr_assert(IN6_IS_ADDR_LOOPBACK(&address.address.inet6.sin6_addr));
	cr_assert_eq(address.address.inet6.sin6_port, htons(1));
	cr_assert_eq(address.address.inet6.sin6_scope_id, 0);
}

Test(listen, takes_a_path_as_long_as_a_socket_can_have)
{
	char text[128] = "unix:/";
	const char *why;

	memset(text + 6, 'a', 106);
	cr_assert_eq(pol_listen_parse(text, &address, &why), 0);
	cr_assert_str_eq(address.address.local.sun_path, text + 5);
	text[112] = 'a';
	cr_assert_eq(pol_listen_parse(text, &address, &why), -EINVAL);
	cr_assert_not_null(strstr(why, "107 bytes"));
}

static int open_at(const char *name)
{
	static char text[512];
	const char *why;

	(void)snprintf(text, sizeof(text), "unix:%s/%s", root, name);
	cr_assert_eq(pol_listen_parse(text, &address, &why), 0);
	return pol_listen_open(&address, 1, &err);
}

Test(listen, serves_a_socket_that_is_private)
{
	struct stat st;
	int fd, peer = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)umask(0);
	fd = open_at("s");
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_assert_eq(stat(address.address.local.sun_path, &st), 0);
	cr_assert_eq(st.st_mode, S_IFSOCK | 0600);
	cr_assert_eq(umask(0), 0, "the mask was given back");
	cr_assert_eq(connect(peer, &address.address.any, address.len), 0);
	close(peer);
	close(fd);
}

Test(listen, replaces_a_dead_one_and_not_one_that_lives)
{
	int fd = open_at("s"), second;

	cr_assert_geq(fd, 0);
	/* Nor one that is too busy to take who asks: it accepts none of them. */
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(open_at("s"), -EADDRINUSE);
		cr_assert_eq(err.kind, POL_ERR_BUSY);
	}
	close(fd);
	second = open_at("s");
	cr_assert_geq(second, 0, "%s", err.message);
	close(second);
}

Test(listen, leaves_what_is_no_socket)
{
	struct stat st;

	tree_file(root, "f");
	tree_link(root, "l", "f");
	cr_assert_eq(open_at("f"), -EEXIST);
	cr_assert_eq(open_at("l"), -EEXIST);
	cr_assert_not_null(strstr(err.message, "is no socket"));
	cr_assert_eq(lstat(address.address.local.sun_path, &st), 0);
}

Test(listen, says_where_it_could_not)
{
	cr_assert_eq(open_at("none/s"), -ENOENT);
	cr_assert_not_null(strstr(err.message, "/none/s"), "%s", err.message);
}

/* Its own groups, as no other's can be had; as root with one more, by which the kernel's list grows. */
Test(listen, knows_a_peers_groups)
{
	gid_t further = 54321, groups[256];
	int pair[2], cnt;

	if (!geteuid())
		cr_assert_eq(setgroups(1, &further), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert(pol_listen_in_group(pair[0], getegid()));
	cr_assert_not(pol_listen_in_group(pair[0], 54322));
	cnt = getgroups(256, groups);
	for (int i = 0; i < cnt; i++)
		cr_assert(pol_listen_in_group(pair[0], groups[i]), "%u", groups[i]);
	cr_assert(geteuid() || pol_listen_in_group(pair[0], further));
	close(pair[0]);
	close(pair[1]);
}
