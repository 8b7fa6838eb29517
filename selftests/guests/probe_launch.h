/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that tell what the process was started with: descriptors, ids, signals and the like. */
#pragma once

#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "probe.h"

#define LAUNCH_STEPS                                                                           \
	STEP("inherited", 0, inherited), STEP("ids", 0, ids), STEP("new-privs", 0, new_privs), \
		STEP("signals", 0, signals), STEP("umask", 0, umask), STEP("session", 0, session)

#define LAUNCH_FDS 70000

static void launch_add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

/* inherited: the numbers of all open descriptors; '!': FD_CLOEXEC */
static int do_inherited(char **a)
{
	char text[200] = "";

	(void)a;
	for (int fd = 0; fd < LAUNCH_FDS; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0)
			launch_add(text, sizeof(text), "%d%s ", fd, flags & FD_CLOEXEC ? "!" : "");
	}
	probe_say("has", 0, text);
	return 0;
}

/* ids: real, effective and saved, supplementary groups, effective capabilities */
static int do_ids(char **a)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };
	gid_t groups[64], gid[3];
	char text[200] = "";
	uid_t uid[3];
	int cnt = getgroups(64, groups);

	(void)a;
	if (getresuid(&uid[0], &uid[1], &uid[2]) || getresgid(&gid[0], &gid[1], &gid[2]) ||
	    syscall(SYS_capget, &head, caps))
		return errno;
	launch_add(text, sizeof(text), "uid %u %u %u gid %u %u %u groups", uid[0], uid[1], uid[2],
		   gid[0], gid[1], gid[2]);
	for (int i = 0; i < cnt; i++)
		launch_add(text, sizeof(text), " %u", groups[i]);
	launch_add(text, sizeof(text), " caps %s",
		   caps[0].effective || caps[1].effective ? "some" : "none");
	probe_say("is", 0, text);
	return 0;
}

static int do_new_privs(char **a)
{
	(void)a;
	probe_say("no-new-privs", 0, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ? "set" : "not set");
	return 0;
}

/* signals: those that are blocked or ignored */
static int do_signals(char **a)
{
	char text[200] = "";
	struct sigaction now;
	sigset_t blocked;

	(void)a;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int sig = 1; sig < 65; sig++) {
		if (sigismember(&blocked, sig) == 1)
			launch_add(text, sizeof(text), "blocked %d ", sig);
		if (!sigaction(sig, NULL, &now) && now.sa_handler == SIG_IGN)
			launch_add(text, sizeof(text), "ignored %d ", sig);
	}
	probe_say("signals", 0, *text ? text : "default");
	return 0;
}

static int do_umask(char **a)
{
	char text[16];

	(void)a;
	snprintf(text, sizeof(text), "%03o", umask(0));
	probe_say("mask", 0, text);
	return 0;
}

/* session: its session and process group */
static int do_session(char **a)
{
	char text[64];

	(void)a;
	snprintf(text, sizeof(text), "%d %d", getsid(0), getpgrp());
	probe_say("session", 0, text);
	return 0;
}
