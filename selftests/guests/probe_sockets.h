/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps on unix sockets by name, and ioctl(2). A name that begins with '@' is an abstract one. */
#pragma once

#include <linux/fs.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "probe.h"

#define SOCKETS_STEPS                                                                  \
	STEP("listen", 2, listen), STEP("connect", 2, connect), STEP("send-to", 1, send_to), \
		STEP("ioctl", 1, ioctl), STEP("ioctl-fd", 1, ioctl_fd),                \
		STEP("ioctl-vfs", 1, ioctl_vfs), STEP("chattr", 1, chattr), \
		STEP("file-setattr", 1, file_setattr)

static socklen_t unix_name(const char *name, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name);
	if (*name != '@')
		return sizeof(*ret);
	ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
}

static int socket_type(const char *word)
{
	return !strcmp(word, "dgram") ? SOCK_DGRAM : SOCK_STREAM;
}

/* listen TYPE NAME: until the end of the process */
static int do_listen(char **a)
{
	struct sockaddr_un addr;
	socklen_t len = unix_name(a[1], &addr);
	int fd = socket(AF_UNIX, socket_type(a[0]) | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len))
		return errno;
	return socket_type(a[0]) == SOCK_STREAM ? probe_result(listen(fd, 100)) : 0;
}

/* connect TYPE NAME */
static int do_connect(char **a)
{
	struct sockaddr_un addr;
	socklen_t len = unix_name(a[1], &addr);
	int fd = socket(AF_UNIX, socket_type(a[0]) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	err = probe_result(connect(fd, (struct sockaddr *)&addr, len));
	close(fd);
	return err;
}

/* send-to NAME: a datagram, without connect(2) */
static int do_send_to(char **a)
{
	struct sockaddr_un addr;
	socklen_t len = unix_name(a[0], &addr);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	err = probe_result(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len));
	close(fd);
	return err;
}

static int ioctl_of(const char *path, unsigned long cmd, void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return errno;
	err = probe_result(ioctl(fd, cmd, arg));
	close(fd);
	return err;
}

/* ioctl PATH: one that most drivers do not know */
static int do_ioctl(char **a)
{
	char arg[64];

	return ioctl_of(a[0], TCGETS, arg);
}

/* ioctl-vfs PATH: one that no driver sees */
static int do_ioctl_vfs(char **a)
{
	int on = 1;

	return ioctl_of(a[0], FIONBIO, &on);
}

/* ioctl-fd N: of a descriptor that came with the program */
static int do_ioctl_fd(char **a)
{
	char arg[64];

	return probe_result(ioctl((int)strtol(a[0], NULL, 10), TCGETS, arg));
}

/* chattr PATH: no flags */
static int do_chattr(char **a)
{
	int flags = 0;

	return ioctl_of(a[0], FS_IOC_SETFLAGS, &flags);
}

/* file-setattr PATH: the same by file_setattr(2), 6.17 */
static int do_file_setattr(char **a)
{
	long attr[3] = { 0 }; /* struct file_attr */

	return probe_result(syscall(469, AT_FDCWD, a[0], attr, sizeof(attr), 0));
}
