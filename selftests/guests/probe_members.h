/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members: threads or processes that each take steps of their own, by lines on stdin. */
#pragma once

#include <semaphore.h>

#include "probe_tasks.h"

static void run_steps(char **argv);

#define MEMBERS_STEPS STEP("members", 2, members), STEP("fill", 1, fill)

#define MEMBERS_MAX   16
#define MEMBERS_WORDS 32

struct member {
	pthread_t thread;
	pid_t id; /* tid, or pid */
	int in, out;
	sem_t born;
};

static struct member members[MEMBERS_MAX];

/* One line, without its end. Return: false at the end of all. */
static bool member_line(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size - 1 && read(fd, buf + len, 1) == 1) {
		if (buf[len] == '\n') {
			buf[len] = 0;
			return true;
		}
		len++;
	}
	return false;
}

static void member_steps(char *line)
{
	char *words[MEMBERS_WORDS] = { NULL }, *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " ", &save); w && n < MEMBERS_WORDS - 1;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	run_steps(words);
}

static void member_loop(struct member *member)
{
	char line[1024];

	while (member_line(member->in, line, sizeof(line)))
		member_steps(line);
}

static void *member_main(void *arg)
{
	struct member *member = arg;

	member->id = (pid_t)syscall(SYS_gettid);
	sem_post(&member->born);
	member_loop(member);
	return NULL;
}

static int member_start(struct member *member, bool process)
{
	pid_t self = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	member->in = fds[0];
	member->out = fds[1];
	sem_init(&member->born, 0, 0);
	if (!process) {
		int err = pthread_create(&member->thread, NULL, member_main, member);

		return err ?: probe_result(sem_wait(&member->born));
	}
	member->id = fork();
	if (!member->id) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != self)
			_exit(1);
		member_loop(member);
		_exit(0);
	}
	return probe_result(member->id);
}

/*
 * members thread|process COUNT: says their numbers; then each line "N STEP..." is for member N, 0 is
 * the one that reads. Nobody waits for a step's end but who reads its line.
 */
static int do_members(char **a)
{
	long ids[MEMBERS_MAX], cnt = strtol(a[1], NULL, 10);
	char line[1024], *rest;
	int err = 0;

	for (long i = 0; i < cnt && i < MEMBERS_MAX && !err; i++) {
		err = member_start(&members[i], !strcmp(a[0], "process"));
		ids[i] = members[i].id;
	}
	tasks_say("ready", err, ids, (int)cnt);
	while (!err && member_line(STDIN_FILENO, line, sizeof(line))) {
		long i = strtol(line, &rest, 10);

		if (!i)
			member_steps(rest);
		else if (dprintf(members[(i - 1) % MEMBERS_MAX].out, "%s\n", rest) < 0)
			err = errno;
	}
	return err;
}

/* fill PATH: opens until one fails; says how many; closes them */
static int do_fill(char **a)
{
	int fds[1024], cnt = 0, err;

	while (cnt < 1024 && (fds[cnt] = open(a[0], O_RDONLY | O_CLOEXEC)) >= 0)
		cnt++;
	err = cnt < 1024 ? errno : 0;
	for (int i = 0; i < cnt; i++)
		close(fds[i]);
	TASKS_SAY("filled", err, cnt);
	return err;
}
