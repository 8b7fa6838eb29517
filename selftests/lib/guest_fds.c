/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts of descriptors, and descriptors in messages. */
#include "guest_fds.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib_util.h"

#define SETTLE_TRIES 100

static const char *policy_text(void)
{
	static char buf[65536];
	FILE *f = fopen(POLICY_FILE, "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = 0;
	return text("%s", buf);
}

int policy_have(const char *fmt, ...)
{
	const char *before = policy_text();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ctl_said, sizeof(ctl_said), fmt, ap);
	va_end(ap);
	policy_write("%s", ctl_said);
	return exists(PINS) && !strcmp(before, policy_text()) ? 0 : ctl("load " POLICY_FILE);
}

const char *fds_dir(void)
{
	static const char dir[] = "/tmp/fds";

	if (exists(dir))
		return dir;
	make_file(text("%s/f", make_dir(dir)), "content\n");
	return dir;
}

long guest_number(const char *guest, const char *key)
{
	const char *value = guest_value(guest, key);
	char *end;
	long n = strtol(value, &end, 10);

	return end == value ? -1 : n;
}

long guest_settles(const char *guest, const char *key, long want)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	long n = guest_number(guest, key);

	for (int i = 0; n != want && i < SETTLE_TRIES; i++) {
		nanosleep(&tick, NULL);
		n = guest_number(guest, key);
	}
	return n;
}

/* Lines of one file come one after the other. */
static long mapped_by(pid_t pid)
{
	char line[4096], last[4096] = "";
	FILE *f = fopen(text("/proc/%d/maps", pid), "re");
	long n = 0;

	if (!f)
		lib_die("fopen", "maps");
	while (fgets(line, sizeof(line), f)) {
		const char *path = strchr(line, '/');

		if (!path || !strcmp(path, last))
			continue;
		snprintf(last, sizeof(last), "%s", path);
		n++;
	}
	fclose(f);
	return n;
}

long held_by(pid_t pid)
{
	DIR *d = opendir(text("/proc/%d/fd", pid));
	struct dirent *e;
	long n = 0;

	if (!d)
		lib_die("opendir", "fd");
	while ((e = readdir(d)))
		n += e->d_name[0] != '.' && strtol(e->d_name, NULL, 10) > STDERR_FILENO;
	closedir(d);
	return n + mapped_by(pid);
}

static int guest_end;

static void socket_for_stdin(void)
{
	dup2(guest_end, STDIN_FILENO);
}

void probe_start_socket(struct probe *p, const char *guest, const char *const steps[])
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		lib_die("socketpair", "");
	guest_end = ends[1];
	probe_prepare = socket_for_stdin;
	probe_start(p, guest, steps);
	probe_prepare = NULL;
	close(ends[1]);
	close(p->in);
	p->in = ends[0];
}

long probe_start_paused(struct probe *p, const char *guest, const char *const steps[])
{
	const char *all[64] = { "pause" };
	pid_t pid;
	long held;

	for (int i = 0; steps[i] && i < 62; i++)
		all[i + 1] = steps[i];
	probe_start_socket(p, guest, all);
	pid = probe_pid(probe_until(p, "paused"));
	if (pid < 0)
		return -1;
	held = held_by(pid);
	return guest_settles(guest, "fds.now", held) == held ? held : -1;
}

union rights {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

void probe_give(struct probe *p, int fd)
{
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	union rights rights = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS } };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };

	memcpy(CMSG_DATA(&rights.head), &fd, sizeof(fd));
	if (sendmsg(p->in, &msg, 0) != 1)
		lib_die("sendmsg", "");
}

void probe_send(struct probe *p, int n)
{
	for (; n > 0; n--) {
		int fd = memfd_create("sent", MFD_CLOEXEC);

		if (fd < 0)
			lib_die("memfd_create", "");
		probe_give(p, fd);
		close(fd);
	}
}

int probe_receive(struct probe *p)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union rights rights = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };
	int fd = -1;

	if (recvmsg(p->in, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg) &&
	    rights.head.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(&rights.head), sizeof(fd));
	return fd;
}
