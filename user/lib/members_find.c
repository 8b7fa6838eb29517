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
#include "systemd.h"

/* A look-up under way. */
struct finder {
	const struct pol_policy *policy;
	struct pol_diags *diags;
	struct pol_finds finds;
	struct pol_systemd *systemd; /* NULL: nobody has asked it yet */
};

void pol_finds_done(struct pol_finds *finds)
{
	for (size_t i = 0; i < finds->cnt; i++) {
		pol_closep(&finds->items[i].fd);
		free(finds->items[i].path);
	}
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
static bool holds(const char *cgroup, pid_t pid)
{
	char path[1024];

	return pol_cgroup_name_of_pid(pid, path, sizeof(path)) < 0 || pol_path_lies_in(path, cgroup);
}

static bool is_threaded(int fd)
{
	char type[64];

	return pol_file_read(fd, "cgroup.type", type, sizeof(type)) > 0 &&
	       strncmp(type, "domain\n", 7) != 0 && strncmp(type, "domain threaded", 15) != 0;
}

static bool refuse_cgroup(struct finder *f, const struct pol_member *member, const char *path,
			  int fd)
{
	if (holds(path, 1))
		REFUSE(f, member, "name the cgroup of the service alone",
		       "cgroup '%s' holds pid 1", path);
	else if (holds(path, getpid()))
		REFUSE(f, member, "run the command from elsewhere, or name a cgroup beneath",
		       "cgroup '%s' holds this command", path);
	else if (is_threaded(fd))
		REFUSE(f, member, "name the cgroup above that is the domain",
		       "cgroup '%s' is a threaded one: it holds threads, not processes", path);
	else
		return false;
	return true;
}

static void say_unopened(struct finder *f, const struct pol_member *member, const char *path, int r)
{
	if (r == -ENOENT)
		ABSENT(f, member, "cgroup '%s' is not there: it is not adopted", path);
	else if (r == -ELOOP || r == -EXDEV || r == -ENOTDIR)
		REFUSE(f, member, "write its path in the cgroup2 tree",
		       "'%s' is no plain path to a cgroup: %s", path, strerror(-r));
	else
		REFUSE(f, member,
		       r == -ENOSYS ? "a seccomp filter refuses openat2(2): systemd's "
				      "RestrictSUIDSGID= does, take it away"
				    : NULL,
		       "cannot open cgroup '%s': %s", path, strerror(-r));
}

static int add_cgroup(struct finder *f, size_t guest, const struct pol_member *member,
		      const char *path, int fd)
{
	struct pol_found *found = &f->finds.items[f->finds.cnt];

	*found = (struct pol_found){ .guest = guest, .member = member, .fd = fd };
	f->finds.cnt++;
	for (const char *at = path; *at; at++)
		found->level += *at == '/';
	if (member->kind == POL_MEMBER_UNIT)
		found->unit = member->text;
	found->path = strdup(path);
	return found->path ? pol_cgroup_id(fd, &found->id) : -ENOMEM;
}

static int find_cgroup(struct finder *f, size_t guest, const struct pol_member *member,
		       const char *path)
{
	int fd, r = pol_cgroup_open_path(path, &fd);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		say_unopened(f, member, path, r);
		return 0;
	}
	if (refuse_cgroup(f, member, path, fd)) {
		close(fd);
		return 0;
	}
	return add_cgroup(f, guest, member, path, fd);
}

/* ------------------------------------------------------------------ units */

static bool overlap(const char *a, const char *b)
{
	return pol_path_lies_in(a, b) || pol_path_lies_in(b, a);
}

/* Where a unit lies only systemd knows: what the parser sees of cgroups is looked at here. */
static bool refuse_place(struct finder *f, const struct pol_member *member, const char *path)
{
	if (overlap(path + 1, f->policy->cgroup)) {
		REFUSE(f, member, "give the unit another Slice=, or the policy another 'cgroup'",
		       "unit '%s' has cgroup '%s', and guests' own are made below '%s'",
		       member->text, path, f->policy->cgroup);
		return true;
	}
	for (size_t i = 0; i < f->finds.cnt; i++) {
		const struct pol_found *other = &f->finds.items[i];

		if (!other->path || !overlap(path, other->path))
			continue;
		REFUSE(f, member, "a member is one guest's, once",
		       "unit '%s' has cgroup '%s', which is, lies in or lies above that of line %d",
		       member->text, path, other->member->line);
		return true;
	}
	return false;
}

/* Is there a cgroup of it? */
static bool is_running(struct finder *f, const struct pol_member *member, const struct pol_unit *unit)
{
	if (!strcmp(unit->load, "not-found"))
		ABSENT(f, member, "systemd knows no unit '%s': it is not adopted", member->text);
	else if (!strcmp(unit->load, "masked"))
		ABSENT(f, member, "unit '%s' is masked, it cannot start: it is not adopted",
		       member->text);
	else if (strcmp(unit->load, "loaded") != 0)
		ABSENT(f, member, "systemd cannot load unit '%s' (%s): it is not adopted",
		       member->text, unit->load);
	else if (!*unit->cgroup)
		ABSENT(f, member, "unit '%s' is not running (%s): it is not adopted", member->text,
		       unit->active);
	else
		return true;
	return false;
}

static int find_unit(struct finder *f, size_t guest, const struct pol_member *member)
{
	struct pol_err err = {};
	struct pol_unit unit;
	size_t cnt;
	int r = f->systemd ? 0 : pol_systemd_open(false, &f->systemd, &err);

	if (!r)
		r = pol_systemd_load(f->systemd, member->text, &unit, &err);
	if (r < 0)
		REFUSE(f, member, err.fix[0] ? err.fix : NULL, "unit '%s': %s", member->text,
		       err.message);
	if (r < 0 || !is_running(f, member, &unit) || refuse_place(f, member, unit.cgroup))
		return 0;
	cnt = f->finds.cnt;
	r = find_cgroup(f, guest, member, unit.cgroup);
	if (!r && f->finds.cnt > cnt)
		f->finds.items[cnt].in_place = unit.in_place;
	return r;
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
		return find_cgroup(f, guest, member, member->text);
	case POL_MEMBER_UNIT:
		return find_unit(f, guest, member);
	case POL_MEMBER_PID:
		return find_process(f, guest, member, member->pid);
	case POL_MEMBER_PID_FILE:
		return find_pid_file(f, guest, member);
	}
	return 0;
}

/* Where units lie they are compared with: cgroups come first. */
static int find_all(struct finder *f, bool units)
{
	int r = 0;

	for (size_t i = 0; i < f->policy->guests_cnt; i++) {
		const struct pol_guest *guest = &f->policy->guests[i];

		for (size_t k = 0; k < guest->members_cnt && !r; k++)
			if ((guest->members[k].kind == POL_MEMBER_UNIT) == units)
				r = find_one(f, i, &guest->members[k]);
	}
	return r;
}

int pol_members_find(const struct pol_policy *policy, struct pol_diags *diags,
		     struct pol_finds *ret)
{
	struct finder f = { .policy = policy, .diags = diags };
	size_t errors = diags->errors, cnt = 0;
	int r;

	for (size_t i = 0; i < policy->guests_cnt; i++)
		cnt += policy->guests[i].members_cnt;
	f.finds.items = calloc(cnt + 1, sizeof(*f.finds.items));
	if (!f.finds.items)
		return -ENOMEM;
	r = find_all(&f, false);
	if (!r)
		r = find_all(&f, true);
	pol_systemd_closep(&f.systemd);
	if (!r && diags->errors > errors)
		r = -EINVAL;
	if (r < 0)
		pol_finds_done(&f.finds);
	else
		*ret = f.finds;
	return r;
}
