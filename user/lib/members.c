/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "members.h"

#include <signal.h>
#include <sys/syscall.h>

#include "base.h"

struct members {
	uint32_t guest;
	pid_t *items;
	size_t cnt;
	size_t room;
};

static void members_done(struct members *list)
{
	free(list->items);
}

static int add_member(const void *data, void *arg)
{
	const struct pol_task_record *record = data;
	struct members *list = arg;

	if (record->guest != list->guest || record->tid != record->tgid ||
	    record->flags & (POL_LABEL_THREAD | POL_LABEL_LOOSE | POL_LABEL_LAUNCHER |
			     POL_TASK_BY_CGROUP))
		return 0;
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		pid_t *items = reallocarray(list->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->cnt++] = (pid_t)record->tgid;
	return 0;
}

int pol_members_each(const struct pol_engine *engine, uint32_t guest,
		     int (*fn)(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			       const void *arg),
		     const void *arg)
{
	const struct pol_iter_command command = { .guest = guest, .action = POL_ITER_LIST };
	_cleanup_(members_done) struct members list = { .guest = guest };
	int r = pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			    add_member, &list);

	for (size_t i = 0; i < list.cnt && r >= 0; i++) {
		r = fn(engine, list.items[i], guest, arg);
		if (r == -ESRCH)
			r = 0;
	}
	return r < 0 ? r : 0;
}

/* By pidfd, and only while it still is the guest: the number could be somebody else's by now. */
static int kill_member(const struct pol_engine *engine, pid_t pid, uint32_t guest, const void *arg)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_label label;

	(void)arg;
	if (pidfd < 0 || pol_label_get(engine, pidfd, &label) < 0 || label.guest != guest)
		return 0;
	return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}

int pol_members_kill(const struct pol_engine *engine, uint32_t guest)
{
	return pol_members_each(engine, guest, kill_member, NULL);
}
