/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc_tree.h"

#include <dirent.h>
#include <stdbool.h>

#include "base.h"
#include "proc.h"

struct entry {
	pid_t pid;
	struct pol_proc proc;
	bool in;
};

struct listing {
	struct entry *entries;
	size_t cnt;
	size_t room;
};

static void listing_done(struct listing *list)
{
	free(list->entries);
}

static int add_entry(struct listing *list, pid_t pid)
{
	struct entry entry = { .pid = pid };

	if (pol_proc_read(pid, &entry.proc) < 0 || pol_proc_ended(&entry.proc))
		return 0;
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct entry *entries = reallocarray(list->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->room = room;
	}
	list->entries[list->cnt++] = entry;
	return 0;
}

static int list_processes(struct listing *list)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = dir ? 0 : -errno;

	while (!r && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end)
			r = add_entry(list, (pid_t)pid);
	}
	if (dir)
		closedir(dir);
	return r;
}

static bool child_of_one_in(const struct listing *list, pid_t ppid)
{
	for (size_t i = 0; i < list->cnt; i++)
		if (list->entries[i].in && list->entries[i].pid == ppid)
			return true;
	return false;
}

/* Pass by pass: a child's number can be below its parent's. Return: how many there are. */
static size_t mark_tree(struct listing *list, pid_t pid)
{
	size_t cnt = 0, before;

	do {
		before = cnt;
		for (size_t i = 0; i < list->cnt; i++) {
			struct entry *entry = &list->entries[i];

			if (entry->in ||
			    (entry->pid != pid && !child_of_one_in(list, entry->proc.parent)))
				continue;
			entry->in = true;
			cnt++;
		}
	} while (cnt != before);
	return cnt;
}

void pol_proc_tree_done(struct pol_proc_tree *tree)
{
	free(tree->pids);
}

int pol_proc_tree(pid_t pid, struct pol_proc_tree *ret)
{
	_cleanup_(listing_done) struct listing list = {};
	struct pol_proc_tree tree = {};
	int r = list_processes(&list);
	size_t cnt = r < 0 ? 0 : mark_tree(&list, pid);

	if (r < 0)
		return r;
	if (!cnt)
		return -ESRCH;
	tree.pids = calloc(cnt, sizeof(*tree.pids));
	if (!tree.pids)
		return -ENOMEM;
	/* A shell may attach itself: its policyctl stays out. */
	for (size_t i = 0; i < list.cnt; i++)
		if (list.entries[i].in && list.entries[i].pid != getpid())
			tree.pids[tree.cnt++] = list.entries[i].pid;
	*ret = tree;
	return 0;
}
