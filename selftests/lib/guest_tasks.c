/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees, ceilings of tasks, and payloads of many tasks. */
#include "guest_tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tasks_tree tree;

void tasks_make_tree(void)
{
	tree.root = scratch();
	make_dir(text("%s/ok", tree.root));
	make_dir(text("%s/no", tree.root));
	tree.good = make_file(text("%s/ok/f", tree.root), "good\n");
	tree.bad = make_file(text("%s/no/f", tree.root), "bad\n");
}

const char *tasks_guest(const char *name, int pids, const char *more)
{
	return text("[guest.%s]\ninclude = [\"runtime\"]\n" FILES RULE("%s/ok", "rw") END
		    "[guest.%s.limits]\npids = %d\n%s\n",
		    name, tree.root, name, pids, more);
}

const char *tasks_cgroup(const char *guest, const char *file)
{
	return text(CGROUPS "/%s/%s", guest, file);
}

int tasks_move(pid_t pid, const char *cgroup)
{
	int fd = open(text("%s/cgroup.procs", cgroup), O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%d", pid) < 0)
		r = -errno;
	close(fd);
	return r;
}

const char *tasks_cgroup_of(pid_t pid)
{
	char *buf = calloc(1, 512);
	int fd = open(text("/proc/%d/cgroup", pid), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !buf ? 0 : read(fd, buf, 511);

	if (fd >= 0)
		close(fd);
	if (n < 3)
		return "";
	buf[strcspn(buf, "\n")] = 0;
	return buf + 3; /* "0::" */
}

void tasks_order(struct probe *p, int nr, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	signal(SIGPIPE, SIG_IGN);
	if (dprintf(p->in, "%d %s\n", nr, line) < 0)
		printf("# the payload has gone\n");
	signal(SIGPIPE, SIG_DFL);
}

struct numbers tasks_numbers(const char *line)
{
	struct numbers ret;
	const char *at = line ? strchr(line, ' ') : NULL;

	for (size_t i = 0; i < sizeof(ret.n) / sizeof(ret.n[0]); i++) {
		char *end = NULL;

		ret.n[i] = at ? strtol(at, &end, 10) : -1;
		if (at && end == at)
			ret.n[i] = -1;
		at = end == at ? NULL : end;
	}
	return ret;
}
