/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Becoming a guest and ceasing to be one: pol_guest_attach() and its kin, run, stop. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "adopt.h"
#include "base.h"
#include "enter.h"
#include "handback.h"
#include "launch.h"
#include "ownroot.h"
#include "quiet.h"
#include "stop.h"
#include "tmpdir.h"
#include "unlimited.h"

/* The engine in use, and the guest that somebody is to become. */
struct entered {
	struct pol_engine *engine;
	struct pol_meta *meta;
	const struct pol_meta_guest *guest;
	int cgroup;
};

static void entered_done(struct entered *entered)
{
	pol_closep(&entered->cgroup);
	pol_meta_free(entered->meta);
	pol_engine_close(entered->engine);
}

/* Diagnostics are of the rules that are resolved when a guest starts: the first one is told. */
static void tell_first(int r, struct pol_diags *diags, struct pol_err *err)
{
	if (r < 0 && diags->errors)
		(void)pol_err_fix(err, "%s", diags->items[0].message);
	pol_diags_done(diags);
}

/* @pid: as for pol_enter(). */
static int enter(const char *guest, pid_t pid, struct entered *ret, struct pol_err *err)
{
	struct pol_diags diags = {};
	int r = pol_engine_open(&ret->engine, err);

	if (r < 0)
		return r;
	pol_quiet_begin();
	r = pol_enter(ret->engine, guest, pid, &diags, &ret->meta, &ret->guest, &ret->cgroup, err);
	pol_quiet_end();
	tell_first(r, &diags, err);
	return r;
}

/* ------------------------------------------------------------------ attach */

static int attach_process(const char *guest, pid_t pid, struct pol_err *err)
{
	_cleanup_(entered_done) struct entered entered = { .cgroup = -EBADF };
	size_t cnt;
	int r = enter(guest, pid, &entered, err);

	return r ? r : pol_attach(entered.engine, entered.guest, entered.cgroup, pid, &cnt, err);
}

static int attach_thread(const char *guest, pid_t tid, struct pol_err *err)
{
	_cleanup_(entered_done) struct entered entered = { .cgroup = -EBADF };
	int r = enter(guest, tid, &entered, err);

	return r ? r : pol_attach_thread(entered.engine, entered.guest, tid, err);
}

int pol_guest_attach(const char *guest, pid_t pid, struct pol_error *error)
{
	struct pol_err err = {};
	int r = attach_process(guest, pid, &err);

	return r < 0 ? pol_fail(error, r, &err) : 0;
}

int pol_guest_attach_thread(const char *guest, pid_t tid, struct pol_error *error)
{
	struct pol_err err = {};
	int r = attach_thread(guest, tid, &err);

	return r < 0 ? pol_fail(error, r, &err) : 0;
}

/* The caller's thread, or its process, as seen by the child that does it. */
struct self {
	int (*attach)(const char *guest, pid_t id, struct pol_err *err);
	const char *guest;
	pid_t id;
	struct pol_err err;
};

static int attach_self(void *arg)
{
	struct self *self = arg;

	return self->attach(self->guest, self->id, &self->err);
}

int pol_guest_attach_self(const char *guest, uint32_t whom, struct pol_error *error)
{
	struct self self = { .guest = guest };
	int r;

	switch (whom) {
	case POL_SELF_THREAD:
		self.attach = attach_thread;
		self.id = (pid_t)syscall(SYS_gettid);
		break;
	case POL_SELF_PROCESS:
		self.attach = attach_process;
		self.id = getpid();
		break;
	default:
		return pol_fail_usage(error, "who of the caller: POL_SELF_THREAD or _PROCESS");
	}
	r = pol_unlimited(attach_self, &self);
	if (r < 0 && !self.err.code)
		pol_err_set(&self.err, POL_ERR_FAILED, r, "cannot start the child that adopts us");
	return r < 0 ? pol_fail(error, r, &self.err) : 0;
}

int pol_guest_detach(pid_t pid, struct pol_error *error)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_err err = {};
	uint32_t guest;
	size_t cnt;
	int r = pol_engine_open(&engine, &err);

	if (!r)
		r = pol_engine_use(engine, false, &err);
	if (!r)
		r = pol_detach(engine, pid, &cnt, &guest, &err);
	return r < 0 ? pol_fail(error, r, &err) : 0;
}

/* ------------------------------------------------------------------ run */

static uid_t uid_of(const struct pol_launch *launch)
{
	return launch->set_user ? launch->uid : geteuid();
}

static gid_t gid_of(const struct pol_launch *launch)
{
	return launch->set_user ? launch->gid : getegid();
}

/* enter() for a program to be started: with guest_path in its rules the guest has a root of its own. */
static int enter_root(const char *guest, struct pol_launch *launch, struct pol_own_root *root,
		      struct entered *ret, struct pol_err *err)
{
	struct pol_diags diags = {};
	int r = pol_engine_open(&ret->engine, err);

	if (r < 0)
		return r;
	pol_quiet_begin();
	r = pol_own_root_open(ret->engine, guest, NULL, 0, uid_of(launch), gid_of(launch), root,
			      err);
	if (!r)
		r = pol_own_root_enter(ret->engine, guest, root, &diags, &ret->meta, &ret->guest,
				       &ret->cgroup, err);
	pol_quiet_end();
	tell_first(r, &diags, err);
	launch->root = root->in.root >= 0 ? &root->in : NULL;
	return r;
}

static const char *const steps[] = {
	[POL_LAUNCH_SETUP] = "nothing could be prepared",
	[POL_LAUNCH_DESCRIPTORS] = "inherited descriptors cannot be closed",
	[POL_LAUNCH_CLONE] = "no task can be started in the guest",
	[POL_LAUNCH_LABEL] = "the kernel gave the new task no label",
	[POL_LAUNCH_PLACE] = "the new task has died",
	[POL_LAUNCH_TMP] = "its private /tmp cannot be made",
	[POL_LAUNCH_ROOT] = "its root cannot be entered",
	[POL_LAUNCH_USER] = "it cannot become the user",
	[POL_LAUNCH_EXEC] = "it cannot be executed",
};

static int explain_launch(const struct pol_launch *launch, const char *guest, int code,
			  enum pol_launch_step step, struct pol_err *err)
{
	pol_err_set(err, POL_ERR_FAILED, code, "cannot start '%s' as guest '%s', %s", launch->path,
		    guest, steps[step]);
	if (step == POL_LAUNCH_EXEC)
		(void)pol_err_fix(err, "is it in the guest's rules, with its interpreter? "
				       "'policyctl events' names what was refused");
	else if (step == POL_LAUNCH_CLONE && code == -EAGAIN)
		(void)pol_err_fix(err, "its task ceiling is reached (limits.pids)");
	return code;
}

static void fill_launch(const struct pol_run *run, struct pol_placed_fd *placed,
			struct pol_launch *ret)
{
	for (size_t i = 0; i < run->place_fds_count; i++)
		placed[i] = (struct pol_placed_fd){ run->place_fds[i].fd, run->place_fds[i].as };
	*ret = (struct pol_launch){
		.path = run->path,
		.argv = run->argv,
		.envp = run->envp,
		.keep_fds = run->keep_fds,
		.keep_fds_cnt = run->keep_fds_count,
		.placed = placed,
		.placed_cnt = run->place_fds_count,
		.set_user = run->flags & POL_RUN_USER,
		.uid = run->uid,
		.gid = run->gid,
		.groups = run->groups,
		.groups_cnt = run->groups_count,
		.no_new_privs = run->flags & POL_RUN_NO_NEW_PRIVS,
	};
}

static const char *wrong_with(const struct pol_run *run)
{
	if (!run->path || run->path[0] != '/')
		return "the program's path is not absolute";
	if (!run->argv || !run->envp)
		return "a program has arguments and an environment, empty or not";
	if (run->flags & ~(uint32_t)(POL_RUN_USER | POL_RUN_NO_NEW_PRIVS))
		return "a flag that is not known";
	if (run->flags & POL_RUN_USER && (run->uid == (uid_t)-1 || run->gid == (gid_t)-1))
		return "(uid_t)-1 is nobody";
	if ((run->keep_fds_count && !run->keep_fds) || (run->groups_count && !run->groups) ||
	    (run->place_fds_count && !run->place_fds))
		return "a count of what is NULL";
	if (run->place_fds_count > POL_PLACED_MAX)
		return "more than 64 descriptors to be placed";
	if ((run->groups_count && !(run->flags & POL_RUN_USER)) || run->reserved)
		return "groups without a user, or something reserved";
	return NULL;
}

/* @ret_tmp: what keeps the guest's directory as it is until the guest is there. */
static int take_tmp(const struct entered *entered, struct pol_launch *launch, char **ret_path,
		    int *ret_tmp, struct pol_err *err)
{
	if (!pol_tmp_has(entered->guest))
		return 0;
	*ret_path = pol_tmp_path(entered->guest->name);
	if (!*ret_path)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot run '%s'",
				   entered->guest->name);
	if (!launch->root) /* else it is mounted there already */
		launch->tmp = *ret_path;
	*ret_tmp = pol_tmp_enter(entered->engine, entered->meta, entered->guest, uid_of(launch),
				 gid_of(launch), err);
	return *ret_tmp < 0 ? *ret_tmp : 0;
}

static int run_guest(const char *guest, struct pol_launch *launch, pid_t *ret_pid,
		     struct pol_err *err)
{
	_cleanup_(entered_done) struct entered entered = { .cgroup = -EBADF };
	_cleanup_(pol_own_root_close) struct pol_own_root root = POL_OWN_ROOT_NONE;
	_cleanup_close_ int tmp = -EBADF;
	_cleanup_free_ char *path = NULL;
	enum pol_launch_step step;
	int r = enter_root(guest, launch, &root, &entered, err);

	if (!r)
		r = take_tmp(&entered, launch, &path, &tmp, err);
	if (r < 0)
		return r;
	r = pol_launch(entered.engine, entered.guest, entered.cgroup, launch, ret_pid, &step);
	return r < 0 ? explain_launch(launch, guest, r, step, err) : 0;
}

int pol_guest_run(const char *guest, const struct pol_run *run, pid_t *ret_pid,
		  struct pol_error *error)
{
	struct pol_placed_fd placed[POL_PLACED_MAX];
	struct pol_launch launch;
	struct pol_err err = {};
	struct pol_run taken;
	const char *wrong;
	pid_t pid;
	int r;

	if (pol_take_in(run, offsetof(struct pol_run, place_fds), &taken, sizeof(taken)) < 0)
		return pol_fail_usage(error, "the size of struct pol_run is not set");
	wrong = wrong_with(&taken);
	if (wrong)
		return pol_fail_usage(error, wrong);
	fill_launch(&taken, placed, &launch);
	r = run_guest(guest, &launch, &pid, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	if (ret_pid)
		*ret_pid = pid;
	return 0;
}

/* ------------------------------------------------------------------ stop */

int pol_guest_stop(const char *guest, int64_t grace_ms, struct pol_stopped *ret,
		   struct pol_error *error)
{
	struct pol_stop_result result = {};
	struct pol_stopped stopped = {};
	struct pol_err err = {};
	int r;

	if (grace_ms < 0 || grace_ms > INT64_MAX / 2000000)
		return pol_fail_usage(error, "the grace is negative, or longer than a century");
	if (ret && ret->size < sizeof(stopped))
		return pol_fail_usage(error, "the size of struct pol_stopped is not set");
	r = pol_stop(guest, grace_ms * 1000000, &result, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	stopped.tasks = result.running;
	stopped.killed = result.killed;
	stopped.removed = result.removed;
	return ret ? pol_hand_back(ret, sizeof(stopped), &stopped, sizeof(stopped)) : 0;
}
