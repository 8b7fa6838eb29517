/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syslog_link.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base.h"

/* A peer that does not answer is given up after some two minutes, whether there is data or not. */
#define KEEP_IDLE_S	60
#define KEEP_EVERY_S	10
#define KEEP_CNT	6
#define USER_TIMEOUT_MS 120000

void pol_syslog_link_close(struct pol_syslog_link *link)
{
	if (link->fd >= 0 && link->closing)
		link->closing(link->arg);
	pol_closep(&link->fd);
	link->fd = -EBADF;
	link->connecting = false;
	link->stream = (struct pol_syslog_stream){ 0 };
}

int pol_syslog_link_break(struct pol_syslog_link *link, int error)
{
	pol_syslog_link_close(link);
	/* These have a meaning of their own to the caller. */
	if (error == -EAGAIN || error == -EALREADY || error == -EINPROGRESS || error == -ENOMEM)
		error = -ENOBUFS;
	link->error = error;
	return error;
}

/* ------------------------------------------------------------------ connecting */

static void set_number(int fd, int level, int option, int number)
{
	(void)setsockopt(fd, level, option, &number, sizeof(number));
}

static void set_patience(int fd)
{
	set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
	set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_CNT);
	set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

/* Return: 0; -EALREADY: begun; else negative errno, and no socket is left. */
static int connect_to(struct pol_syslog_link *link, int type, const struct sockaddr *address,
		      socklen_t len)
{
	_cleanup_close_ int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM && address->sa_family != AF_UNIX)
		set_patience(fd);
	link->connecting = false;
	if (connect(fd, address, len) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		link->connecting = true;
	}
	link->fd = TAKE_FD(fd);
	link->is_stream = type == SOCK_STREAM;
	return link->connecting ? -EALREADY : 0;
}

static int connect_unix(struct pol_syslog_link *link)
{
	const struct sockaddr_un *local = &link->to->local;
	int r = connect_to(link, SOCK_DGRAM, (const struct sockaddr *)local, sizeof(*local));

	if (r == -EPROTOTYPE)
		r = connect_to(link, SOCK_STREAM, (const struct sockaddr *)local, sizeof(*local));
	return r;
}

static size_t count(const struct addrinfo *list)
{
	size_t cnt = 0;

	for (; list; list = list->ai_next)
		cnt++;
	return cnt;
}

static const struct addrinfo *at(const struct addrinfo *list, size_t index)
{
	while (index--)
		list = list->ai_next;
	return list;
}

/* A name may have more addresses: each attempt begins at the next one. */
static int connect_any(struct pol_syslog_link *link, const struct addrinfo *list)
{
	size_t cnt = count(list);
	int r = -EADDRNOTAVAIL;

	for (size_t i = 0; i < cnt; i++) {
		const struct addrinfo *one = at(list, (link->attempts + i) % cnt);

		r = connect_to(link, one->ai_socktype, one->ai_addr, one->ai_addrlen);
		if (!r || r == -EALREADY)
			break;
	}
	return r;
}

static int connect_inet(struct pol_syslog_link *link)
{
	const struct addrinfo hints = {
		.ai_socktype = link->to->way == POL_SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *list;
	int r;

	link->lookup = getaddrinfo(link->to->host, link->to->port, &hints, &list);
	if (link->lookup)
		return -EADDRNOTAVAIL;
	r = connect_any(link, list);
	freeaddrinfo(list);
	return r;
}

static int begin(struct pol_syslog_link *link, uint64_t now_ns)
{
	int r;

	if (now_ns < link->next_ns)
		return link->error;
	if (link->wait_ns < POL_SYSLOG_RETRY_NS)
		link->wait_ns = POL_SYSLOG_RETRY_NS;
	link->began_ns = now_ns;
	link->next_ns = now_ns + link->wait_ns;
	link->wait_ns *= 2;
	if (link->wait_ns > POL_SYSLOG_RETRY_MAX_NS)
		link->wait_ns = POL_SYSLOG_RETRY_MAX_NS;
	link->lookup = 0;
	r = link->to->way == POL_SYSLOG_UNIX ? connect_unix(link) : connect_inet(link);
	link->attempts++;
	return r && r != -EALREADY ? pol_syslog_link_break(link, r) : r;
}

/* It has begun: is it there? */
static int go_on(struct pol_syslog_link *link, uint64_t now_ns)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		return pol_syslog_link_break(link, -error);
	len = sizeof(peer);
	if (!getpeername(link->fd, (struct sockaddr *)&peer, &len)) {
		link->connecting = false;
		return 0;
	}
	return now_ns - link->began_ns < POL_SYSLOG_CONNECT_NS
		       ? -EALREADY
		       : pol_syslog_link_break(link, -ETIMEDOUT);
}

/* What arrived is the sign that attempts need not grow apart. */
void pol_syslog_link_arrived(struct pol_syslog_link *link)
{
	link->wait_ns = POL_SYSLOG_RETRY_NS;
}

/* ------------------------------------------------------------------ sending */

/* No receiver answers. What is read is its end, or an error, or not for us. */
static int check_peer(const struct pol_syslog_link *link)
{
	char buf[512];
	ssize_t n;

	do
		n = recv(link->fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (!n)
		return -EPIPE;
	return errno == EAGAIN ? 0 : -errno;
}

static ssize_t send_piece(int fd, struct iovec *iov, size_t cnt)
{
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = cnt };
	ssize_t n;

	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Return: 0: all is out; -EAGAIN; else the connection's error. */
static int send_all(struct pol_syslog_link *link, const char *queue, size_t len)
{
	struct pol_syslog_piece piece;

	while (pol_syslog_stream_next(&link->stream, queue, len, &piece)) {
		ssize_t n = send_piece(link->fd, piece.iov, ARRAY_SIZE(piece.iov));

		if (n < 0)
			return (int)n;
		pol_syslog_stream_sent(&link->stream, queue, len, (size_t)n);
	}
	return 0;
}

/*
 * What a TCP peer has acknowledged it has, whatever became of it then. A unix receiver that dies has
 * nothing pending any more, which must not pass for reading it: first what is pending, then whether
 * anybody is there.
 */
static ssize_t write_stream(struct pol_syslog_link *link, const char *queue, size_t len)
{
	int sent = send_all(link, queue, len), pending = 0, r = 0;
	size_t taken;

	if (ioctl(link->fd, SIOCOUTQ, &pending) < 0)
		return pol_syslog_link_break(link, -errno);
	if (sent < 0 && sent != -EAGAIN)
		r = sent;
	if (!r)
		r = check_peer(link);
	if (r < 0 && link->to->way == POL_SYSLOG_UNIX)
		return pol_syslog_link_break(link, r);
	taken = pol_syslog_stream_taken(&link->stream, queue, (size_t)pending);
	if (taken) {
		pol_syslog_link_arrived(link);
		return (ssize_t)taken;
	}
	if (r < 0)
		return pol_syslog_link_break(link, r);
	return sent < 0 ? sent : -EINPROGRESS;
}

/* The first line; whoever the socket is connected to has it then, or, by UDP, may have. */
static ssize_t write_datagram(struct pol_syslog_link *link, const char *queue, size_t len)
{
	size_t message = (size_t)((const char *)memchr(queue, '\n', len) - queue);
	struct iovec iov = { (char *)queue, message };
	ssize_t n = send_piece(link->fd, &iov, 1);

	if (n == -EAGAIN)
		return n;
	if (n < 0)
		return pol_syslog_link_break(link, (int)n);
	pol_syslog_link_arrived(link);
	return (ssize_t)message + 1;
}

int pol_syslog_link_open(struct pol_syslog_link *link, uint64_t now_ns)
{
	if (link->fd < 0)
		return begin(link, now_ns);
	return link->connecting ? go_on(link, now_ns) : 0;
}

ssize_t pol_syslog_link_write(struct pol_syslog_link *link, const char *queue, size_t len,
			      uint64_t now_ns)
{
	int r = pol_syslog_link_open(link, now_ns);

	if (r < 0)
		return r;
	return link->is_stream ? write_stream(link, queue, len) : write_datagram(link, queue, len);
}

const char *pol_syslog_link_why(const struct pol_syslog_link *link, int error)
{
	return link->lookup && error == link->error ? gai_strerror(link->lookup) : strerror(-error);
}
