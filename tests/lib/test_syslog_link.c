/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On this host's own sockets; its clock is what the test says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base.h"
#include "syslog_link.h"

#define S POL_SYSLOG_RETRY_NS

static struct pol_syslog_address to;
static struct pol_syslog_link link_;
static char dir[64];
static int listener = -1, peer = -1;
static uint64_t now;
static int closings;

static void on_closing(void *arg)
{
	closings++;
	cr_assert_eq(fcntl(((struct pol_syslog_link *)arg)->fd, F_GETFD), FD_CLOEXEC);
}

static void init(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test_syslog_link.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	to = (struct pol_syslog_address){ .way = POL_SYSLOG_UNIX, .local.sun_family = AF_UNIX };
	(void)snprintf(to.local.sun_path, sizeof(to.local.sun_path), "%s/in", dir);
	link_ = (struct pol_syslog_link){
		.to = &to, .fd = -EBADF, .closing = on_closing, .arg = &link_
	};
	now = 1000 * S;
	closings = 0;
}

static void done(void)
{
	pol_syslog_link_close(&link_);
	(void)unlink(to.local.sun_path);
	(void)rmdir(dir);
}

TestSuite(syslog_link, .init = init, .fini = done, .timeout = 60);

static void listen_unix(int type)
{
	listener = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&to.local, sizeof(to.local)), 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(listener, 4), 0);
}

static void bind_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	to.way = POL_SYSLOG_TCP;
	(void)snprintf(to.host, sizeof(to.host), "127.0.0.1");
	(void)snprintf(to.port, sizeof(to.port), "%u", ntohs(address.sin_port));
}

static ssize_t put(const char *queue)
{
	return pol_syslog_link_write(&link_, queue, strlen(queue), now);
}

/* As the sink does: again while it is connecting, or not all is known to be there. */
static ssize_t put_all(const char *queue)
{
	ssize_t n;

	while ((n = put(queue)) == -EALREADY || n == -EINPROGRESS)
		(void)poll(NULL, 0, 1);
	return n;
}

static void expect(int fd, const char *text)
{
	char buf[256] = "";
	ssize_t n = recv(fd, buf, strlen(text), MSG_WAITALL);

	cr_assert_eq(n, strlen(text), "'%s', not '%s'", buf, text);
	cr_assert_str_eq(buf, text);
}

static void accept_peer(void)
{
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(peer, 0);
}

Test(syslog_link, sends_a_datagram_for_each_line)
{
	listen_unix(SOCK_DGRAM);
	cr_assert_eq(put("one\ntwo\n"), 4);
	cr_assert_eq(put("two\n"), 4);
	cr_assert_not(link_.is_stream);
	expect(listener, "one");
	expect(listener, "two");
}

Test(syslog_link, a_unix_stream_has_a_line_when_it_has_read_it)
{
	listen_unix(SOCK_STREAM);
	cr_assert_eq(put("one\ntwo\n"), -EINPROGRESS);
	cr_assert(link_.is_stream);
	accept_peer();
	expect(peer, "3 one3 two");
	cr_assert_eq(put("one\ntwo\n"), 8);
}

Test(syslog_link, a_unix_stream_that_dies_has_none_that_it_did_not_read)
{
	listen_unix(SOCK_STREAM);
	cr_assert_eq(put("one\ntwo\n"), -EINPROGRESS);
	accept_peer();
	expect(peer, "3 o");
	close(peer);
	cr_assert_lt(put("one\ntwo\n"), 0);
	cr_assert_eq(link_.fd, -EBADF);
	cr_assert_eq(closings, 1);
	now += S;
	cr_assert_eq(put("one\ntwo\n"), -EINPROGRESS);
	accept_peer();
	expect(peer, "3 one3 two");
}

Test(syslog_link, tcp_has_what_the_peer_acknowledged)
{
	bind_tcp();
	cr_assert_eq(listen(listener, 4), 0);
	cr_assert_eq(put_all("one\ntwo\n"), 8);
	accept_peer();
	expect(peer, "3 one3 two");
}

/* Half open: the first write after the peer's end succeeds, and is lost. Not with us. */
Test(syslog_link, tcp_sends_again_what_a_peer_that_ended_did_not_get)
{
	bind_tcp();
	cr_assert_eq(listen(listener, 4), 0);
	cr_assert_eq(put_all("one\n"), 4);
	accept_peer();
	expect(peer, "3 one");
	close(peer);
	cr_assert_eq(put("two\n"), -EPIPE);
	cr_assert_eq(closings, 1);
	now += S;
	cr_assert_eq(put_all("two\n"), 4);
	accept_peer();
	expect(peer, "3 two");
}

Test(syslog_link, a_full_receiver_is_waited_for)
{
	static char queue[1 << 22];
	ssize_t n;

	listen_unix(SOCK_STREAM);
	memset(queue, 'x', sizeof(queue));
	for (size_t i = 999; i < sizeof(queue); i += 1000)
		queue[i] = '\n';
	queue[sizeof(queue) - 1] = '\n';
	while ((n = pol_syslog_link_write(&link_, queue, sizeof(queue), now)) > 0)
		;
	cr_assert_eq(n, -EAGAIN);
}

Test(syslog_link, attempts_grow_apart_up_to_a_bound)
{
	static const unsigned int apart[] = { 1, 2, 4, 8, 8, 8 };

	cr_assert_eq(put("one\n"), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(apart); i++) {
		now += apart[i] * S - 1;
		cr_assert_eq(put("one\n"), -ENOENT);
		cr_assert_eq(link_.attempts, i + 1);
		now++;
		cr_assert_eq(put("one\n"), -ENOENT);
		cr_assert_eq(link_.attempts, i + 2);
	}
	cr_assert_str_eq(pol_syslog_link_why(&link_, -ENOENT), strerror(ENOENT));
	listen_unix(SOCK_DGRAM);
	now += 8 * S;
	cr_assert_eq(put("one\n"), 4);
	/* It took something: from the beginning. */
	close(listener);
	(void)unlink(to.local.sun_path);
	now += 8 * S;
	cr_assert_lt(put("two\n"), 0);
	cr_assert_eq(put("two\n"), -ENOENT);
	now += S;
	cr_assert_eq(put("two\n"), -ENOENT);
	cr_assert_eq(link_.wait_ns, 4 * S);
}

Test(syslog_link, a_refused_connection_is_an_error)
{
	bind_tcp(); /* and nobody listens */
	cr_assert_eq(put_all("one\n"), -ECONNREFUSED);
	cr_assert_eq(link_.fd, -EBADF);
}

/* The first one is lost: its answer comes by the next. */
Test(syslog_link, udp_that_is_refused_is_an_error)
{
	bind_tcp(); /* no UDP socket has that port, as likely as can be */
	to.way = POL_SYSLOG_UDP;
	cr_assert_eq(put("one\ntwo\n"), 4);
	cr_assert_eq(put("two\n"), -ECONNREFUSED);
	cr_assert_eq(closings, 1);
}

Test(syslog_link, says_that_a_name_is_none)
{
	ssize_t n;

	to.way = POL_SYSLOG_TCP;
	(void)snprintf(to.host, sizeof(to.host), "%s", "no host");
	(void)snprintf(to.port, sizeof(to.port), "514");
	n = put("one\n");
	cr_assert_eq(n, -EADDRNOTAVAIL);
	cr_assert_neq(strcmp(pol_syslog_link_why(&link_, (int)n), strerror(EADDRNOTAVAIL)), 0);
}

/* Of a connection that is never answered: a listener whose queue is full. */
Test(syslog_link, gives_up_an_attempt_that_takes_too_long)
{
	struct pol_syslog_link others[8];
	ssize_t n = 0;

	bind_tcp();
	cr_assert_eq(listen(listener, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = (struct pol_syslog_link){ .to = &to, .fd = -EBADF };
		(void)pol_syslog_link_open(&others[i], now);
	}
	cr_assert_eq(put("one\n"), -EALREADY);
	now += POL_SYSLOG_CONNECT_NS - 1;
	cr_assert_eq(put("one\n"), -EALREADY);
	now++;
	n = put("one\n");
	cr_assert_eq(n, -ETIMEDOUT);
	cr_assert_eq(link_.fd, -EBADF);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		pol_syslog_link_close(&others[i]);
}
