/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "members.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base.h"
#include "cgroup.h"

struct member {
	pid_t pid;
	uint64_t cgroup; /* that makes it the guest; 0: its label does */
};

struct members {
	uint32_t guest;
	struct member *items;
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
	    record->flags &
		    (POL_LABEL_THREAD | POL_LABEL_LOOSE | POL_LABEL_LAUNCHER | POL_TASK_EXITING))
		return 0;
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct member *items = reallocarray(list->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->cnt++] = (struct member){
		.pid = (pid_t)record->tgid,
		.cgroup = record->flags & POL_TASK_BY_CGROUP ? record->cgroup : 0,
	};
	return 0;
}

static int list_members(const struct pol_engine *engine, struct members *list)
{
	const struct pol_iter_command command = { .guest = list->guest, .action = POL_ITER_LIST };

	return pol_iterate(engine, POL_PROG_TASKS, &command, sizeof(struct pol_task_record),
			   add_member, list);
}

int pol_members_each(const struct pol_engine *engine, uint32_t guest,
		     int (*fn)(const struct pol_engine *engine, pid_t pid, uint32_t guest,
			       const void *arg),
		     const void *arg)
{
	_cleanup_(members_done) struct members list = { .guest = guest };
	int r = list_members(engine, &list);

	for (size_t i = 0; i < list.cnt && r >= 0; i++) {
		if (list.items[i].cgroup)
			continue;
		r = fn(engine, list.items[i].pid, guest, arg);
		if (r == -ESRCH)
			r = 0;
	}
	return r < 0 ? r : 0;
}

/* The number could be somebody else's by now. */
static bool is_still(const struct pol_engine *engine, int pidfd, const struct member *member,
		     uint32_t guest)
{
	struct pol_label label;
	uint64_t cgroup;

	if (member->cgroup)
		return !pol_cgroup_of_pid(member->pid, &cgroup) && cgroup == member->cgroup;
	return pol_label_get(engine, pidfd, &label) >= 0 && label.guest == guest;
}

static int signal_member(const struct pol_engine *engine, const struct member *member,
			 uint32_t guest, int sig)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, member->pid, 0);

	if (pidfd < 0 || !is_still(engine, pidfd, member, guest) ||
	    !syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) || errno == ESRCH)
		return 0;
	return -errno;
}

int pol_members_signal(const struct pol_engine *engine, uint32_t guest, int sig)
{
	_cleanup_(members_done) struct members list = { .guest = guest };
	int r = list_members(engine, &list);

	for (size_t i = 0; i < list.cnt && r >= 0; i++)
		r = signal_member(engine, &list.items[i], guest, sig);
	return r < 0 ? r : (int)list.cnt;
}
