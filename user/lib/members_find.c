/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "members_find.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "adopt.h"
#include "base.h"
#include "cgroup.h"
#include "diag_codes.h"
#include "file.h"
#include "pid_file.h"
#include "str.h"

/* A look-up under way. */
struct finder {
	const struct pol_policy *policy;
	struct pol_diags *diags;
	struct pol_finds finds;
};

void pol_finds_done(struct pol_finds *finds)
{
	for (size_t i = 0; i < finds->cnt; i++)
		pol_closep(&finds->items[i].fd);
	free(finds->items);
	*finds = (struct pol_finds){ 0 };
}

#define REFUSE(f, member, help, ...)                                                            \
	pol_diag_add((f)->diags, false, POL_P_MEMBER, (member)->line, (member)->col, help, \
		     __VA_ARGS__)

#define ABSENT(f, member, ...)                                                                 \
	pol_diag_add((f)->diags, true, POL_P_MEMBER_ABSENT, (member)->line, (member)->col, \
		     "load again once it is there", __VA_ARGS__)

/* ------------------------------------------------------------------ cgroups */

/* Is the process in the cgroup, or beneath it? What cannot be told is taken for it. */
static bool holds(const struct pol_member *member, pid_t pid)
{
	char path[1024];

	return pol_cgroup_name_of_pid(pid, path, sizeof(path)) < 0 ||
	       pol_path_lies_in(path, member->text);
}

static bool is_threaded(int fd)
{
	char type[64];

	return pol_file_read(fd, "cgroup.type", type, sizeof(type)) > 0 &&
	       strncmp(type, "domain\n", 7) != 0 && strncmp(type, "domain threaded", 15) != 0;
}

static bool refuse_cgroup(struct finder *f, const struct pol_member *member, int fd)
{
	if (holds(member, 1))
		REFUSE(f, member, "name the cgroup of the service alone",
		       "cgroup '%s' holds pid 1", member->text);
	else if (holds(member, getpid()))
		REFUSE(f, member, "run the command from elsewhere, or name a cgroup beneath",
		       "cgroup '%s' holds this command", member->text);
	else if (is_threaded(fd))
		REFUSE(f, member, "name the cgroup above that is the domain",
		       "cgroup '%s' is a threaded one: it holds threads, not processes",
		       member->text);
	else
		return false;
	return true;
}

static void say_unopened(struct finder *f, const struct pol_member *member, int r)
{
	if (r == -ENOENT)
		ABSENT(f, member, "cgroup '%s' is not there: it is not adopted", member->text);
	else if (r == -ELOOP || r == -EXDEV || r == -ENOTDIR)
		REFUSE(f, member, "write its path in the cgroup2 tree",
		       "'%s' is no plain path to a cgroup: %s", member->text, strerror(-r));
	else
		REFUSE(f, member, NULL, "cannot open cgroup '%s': %s", member->text, strerror(-r));
}

static int find_cgroup(struct finder *f, size_t guest, const struct pol_member *member)
{
	struct pol_found *found = &f->finds.items[f->finds.cnt];
	int fd, r = pol_cgroup_open_path(member->text, &fd);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		say_unopened(f, member, r);
		return 0;
	}
	if (refuse_cgroup(f, member, fd)) {
		close(fd);
		return 0;
	}
	*found = (struct pol_found){ .guest = guest, .member = member, .fd = fd };
	f->finds.cnt++;
	for (const char *at = member->text; *at; at++)
		found->level += *at == '/';
	return pol_cgroup_id(fd, &found->id);
}

/* ------------------------------------------------------------------ processes */

/* The descriptor first: what is judged after it is the process that it stands for. */
static int find_process(struct finder *f, size_t guest, const struct pol_member *member, pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pol_err err = {};
	int r = fd < 0 ? -errno : pol_attach_target(pid, &err);

	if (fd < 0 && r != -ESRCH)
		pol_err_set(&err, POL_ERR_FAILED, r, "process %d cannot be opened", pid);
	if (r == -ESRCH)
		ABSENT(f, member, "process %d%s%s is not there: it is not adopted", pid,
		       member->text ? " of " : "", member->text ? member->text : "");
	else if (r < 0)
		REFUSE(f, member, NULL, "%s%s%s", member->text ? member->text : "",
		       member->text ? ": " : "", err.message);
	else
		f->finds.items[f->finds.cnt++] = (struct pol_found){
			.guest = guest, .member = member, .fd = TAKE_FD(fd), .pid = pid
		};
	return 0;
}

static int find_pid_file(struct finder *f, size_t guest, const struct pol_member *member)
{
	struct pol_err err = {};
	pid_t pid;
	int r = pol_pid_file_read(member->text, &pid, &err);

	if (r == -ENOENT)
		ABSENT(f, member, "pid file '%s' is not there: nothing is adopted", member->text);
	else if (r < 0)
		REFUSE(f, member, r == -ELOOP ? "write the path that it leads to" : NULL,
		       "pid file: %s", err.message);
	return r < 0 ? 0 : find_process(f, guest, member, pid);
}

/* ------------------------------------------------------------------ */

static int find_one(struct finder *f, size_t guest, const struct pol_member *member)
{
	switch (member->kind) {
	case POL_MEMBER_CGROUP:
		return find_cgroup(f, guest, member);
	case POL_MEMBER_PID:
		return find_process(f, guest, member, member->pid);
	case POL_MEMBER_PID_FILE:
		return find_pid_file(f, guest, member);
	default:
		return 0;
	}
}

int pol_members_find(const struct pol_policy *policy, struct pol_diags *diags,
		     struct pol_finds *ret)
{
	struct finder f = { .policy = policy, .diags = diags };
	size_t errors = diags->errors, cnt = 0;
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt; i++)
		cnt += policy->guests[i].members_cnt;
	f.finds.items = calloc(cnt + 1, sizeof(*f.finds.items));
	if (!f.finds.items)
		return -ENOMEM;
	for (size_t i = 0; i < policy->guests_cnt && !r; i++)
		for (size_t k = 0; k < policy->guests[i].members_cnt && !r; k++)
			r = find_one(&f, i, &policy->guests[i].members[k]);
	if (!r && diags->errors > errors)
		r = -EINVAL;
	if (r < 0)
		pol_finds_done(&f.finds);
	else
		*ret = f.finds;
	return r;
}
