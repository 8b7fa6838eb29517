/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base.h"
#include "descriptors.h"
#include "launch_int.h"
#include "nofile.h"

#define LABEL_TRIES 8 /* a third of the children had none in the worst storm seen */

/* What a child tells its parent: which step failed, enum pol_launch_step and errno; or: */
#define SAY_PID	  -1 /* the new process's pid, by the one that made it */
#define SAY_READY -2 /* its pid, by itself: it holds nothing but what is its own, and waits */
struct report {
	int step;
	int value;
};

/* ------------------------------------------------------------------ the child's side */

static void say(int pipe, int step, int value)
{
	const struct report report = { .step = step, .value = value };
	ssize_t n;

	do
		n = write(pipe, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
}

/*
 * By the system calls themselves: what glibc has around them deals with the threads of a process
 * that this is not. Ambient capabilities would outlive the change with SECBIT_NO_SETUID_FIXUP.
 */
int pol_launch_become(const struct pol_launch *launch)
{
	uid_t uid = launch->uid;
	gid_t gid = launch->gid;

	if (launch->set_user &&
	    (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_setgroups, launch->groups_cnt, launch->groups) < 0 ||
	    syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0))
		return -errno;
	if (launch->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* those that cannot be set stay as they are */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

struct helper {
	const struct pol_launch *launch;
	struct pol_label label; /* the guest's, but for the flag */
	struct rlimit floor;	/* RLIMIT_NOFILE; 0: as it is */
	int labels;
	int cgroup; /* -EBADF: it is started where it is, without a label */
	int pipe;
	int go; /* a byte: it has its label and what it holds is known, it may execve(2) */
	const struct pol_limits *limits;
	struct pol_launch_root root; /* -EBADF: none */
};

/* Until the parent has seen what we hold. Return: 0; -ECANCELED: it is gone. */
static int wait_for_go(const struct helper *helper)
{
	ssize_t n;
	char byte;

	if (helper->cgroup >= 0)
		close(helper->cgroup); /* not the guest's; the pipe and the socket go at execve(2) */
	say(helper->pipe, SAY_READY, (int)syscall(SYS_getpid));
	do
		n = read(helper->go, &byte, sizeof(byte));
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -ECANCELED;
}

/* The guest, confined already. */
static _Noreturn void run_guest(const struct helper *helper)
{
	const struct pol_launch *launch = helper->launch;
	int pipe = helper->pipe, r;

	reset_signals();
	r = wait_for_go(helper);
	if (r < 0) {
		say(pipe, POL_LAUNCH_SETUP, -r);
		_exit(125);
	}
	r = pol_launch_become(launch);
	if (r < 0) {
		say(pipe, POL_LAUNCH_USER, -r);
		_exit(125);
	}
	execve(launch->path, launch->argv, launch->envp);
	say(pipe, POL_LAUNCH_EXEC, errno);
	_exit(126);
}

static int label_self(const struct helper *helper)
{
	struct pol_engine engine = { .maps = { [POL_MAP_LABELS] = helper->labels } };
	struct pol_label label = helper->label;
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int r;

	if (pidfd < 0)
		return -errno;
	label.flags = POL_LABEL_LAUNCHER;
	r = pol_label_set(&engine, pidfd, &label);
	close(pidfd);
	return r;
}

/* What was inherited goes; numbers are capped. Does not return if that fails. */
static void keep_only_its_own(struct helper *helper)
{
	int *const all[] = { &helper->pipe, &helper->go, &helper->cgroup, &helper->root.mounts,
			     &helper->root.root };
	int *own[ARRAY_SIZE(all)];
	size_t cnt = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (*all[i] >= 0)
			own[cnt++] = all[i];
	r = pol_launch_keep(helper->launch, own, cnt);
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_DESCRIPTORS, -r);
		_exit(125);
	}
	if (helper->floor.rlim_max && setrlimit(RLIMIT_NOFILE, &helper->floor) < 0) {
		say(helper->pipe, POL_LAUNCH_SETUP, errno);
		_exit(125);
	}
}

/*
 * Nothing that is mounted here reaches the host, what the host mounts later still comes in. A
 * directory that the host lacks needs no other in its place.
 */
static int private_tmp(const char *tmp)
{
	static const char *const dirs[] = { "/tmp", "/var/tmp" };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mount(tmp, dirs[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

/* The last before the guest is born: what it took to come so far is not there. */
static int enter_root(const struct pol_launch_root *root)
{
	if (setns(root->mounts, CLONE_NEWNS) < 0 || fchdir(root->root) < 0 || chroot(".") < 0)
		return -errno;
	close(root->mounts);
	close(root->root);
	return 0;
}

/*
 * The one between: not a guest, but labelled so that its child is. It cleans the descriptor table
 * while it still may open things, and makes the guest its own parent's child.
 */
static _Noreturn void run_helper(struct helper *helper)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP | CLONE_PARENT };
	int r;
	long pid;

	r = helper->launch->tmp ? private_tmp(helper->launch->tmp) : 0;
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_TMP, -r);
		_exit(125);
	}
	r = label_self(helper);
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_SETUP, -r);
		_exit(125);
	}
	keep_only_its_own(helper);
	r = helper->root.root >= 0 ? enter_root(&helper->root) : 0;
	if (r < 0) {
		say(helper->pipe, POL_LAUNCH_ROOT, -r);
		_exit(125);
	}
	args.cgroup = (uint64_t)helper->cgroup; /* by now it may have another number */
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		run_guest(helper);
	if (pid < 0)
		say(helper->pipe, POL_LAUNCH_CLONE, errno);
	else
		say(helper->pipe, SAY_PID, (int)pid);
	_exit(0);
}

/* ------------------------------------------------------------------ the parent's side */

/* Above the highest number that the program is given. */
static uint32_t first_above(const struct pol_launch *launch)
{
	int first = 3;

	for (size_t i = 0; i < launch->keep_fds_cnt; i++)
		if (launch->keep_fds[i] >= first)
			first = launch->keep_fds[i] + 1;
	for (size_t i = 0; i < launch->placed_cnt; i++)
		if (launch->placed[i].as >= first)
			first = launch->placed[i].as + 1;
	return (uint32_t)first;
}

/* RLIMIT_NOFILE under the ceiling: above what the program is given. */
static void floor_of(struct helper *helper)
{
	struct pol_label *label = &helper->label;
	struct pol_nofile before;
	struct rlimit now;

	if (!pol_has_fds(helper->limits) || getrlimit(RLIMIT_NOFILE, &now) < 0)
		return;
	before = (struct pol_nofile){ now.rlim_cur, now.rlim_max, first_above(helper->launch) };
	label->nofile_soft = before.soft;
	label->nofile_hard = before.hard;
	label->nofile_base = before.base;
	helper->floor = pol_nofile_floor(&before, helper->limits->fds);
}

static int prepare(struct helper *helper, enum pol_launch_step *ret_step)
{
	const struct pol_launch_root *root = helper->launch->root;
	int r = pol_launch_check(helper->launch);

	if (r < 0) {
		*ret_step = POL_LAUNCH_GIVEN;
		return r;
	}
	helper->root = root ? *root : (struct pol_launch_root){ -EBADF, -EBADF };
	floor_of(helper);
	return 0;
}

static int read_report(int pipe, struct report *ret)
{
	ssize_t n;

	do
		n = read(pipe, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret) ? 1 : 0;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * What the parent has of a launch. @place: called when the new process stands still before its
 * execve(2), with @arg.
 */
struct launching {
	int (*place)(struct launching *at, enum pol_launch_step *ret_step);
	const struct pol_engine *engine;
	const struct pol_meta_guest *guest;
	int (*caller)(pid_t pid, void *arg); /* of pol_launch_placed() */
	void *arg;
	int report; /* read end */
	int go;	    /* write end */
	pid_t pid;
};

/*
 * Its label is looked up by the syscall, which waits for the lock that a program may give up on:
 * before 6.2 the child of a launcher that somebody holds up can come to be without one.
 */
static int check_label(const struct launching *at, enum pol_launch_step *ret_step)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, at->pid, 0);
	struct pol_label label;

	if (pidfd < 0)
		return -errno;
	if (!pol_label_get(at->engine, pidfd, &label) && label.guest == at->guest->id)
		return 0;
	*ret_step = POL_LAUNCH_LABEL;
	return -EAGAIN;
}

/* What it holds now is the baseline. */
static int place_guest(struct launching *at, enum pol_launch_step *ret_step)
{
	int r = check_label(at, ret_step);

	if (!r && pol_has_fds(&at->guest->limits))
		r = pol_held_take(at->engine, at->pid, at->guest->id, &at->guest->limits);
	return r;
}

static int place_by_caller(struct launching *at, enum pol_launch_step *ret_step)
{
	int r = at->caller(at->pid, at->arg);

	if (r)
		*ret_step = POL_LAUNCH_PLACE;
	return r;
}

static int let_go(struct launching *at, enum pol_launch_step *ret_step)
{
	int r = at->place(at, ret_step);

	if (!r && send(at->go, "", 1, MSG_NOSIGNAL) != 1)
		r = -errno;
	close(at->go); /* without a byte it ends */
	at->go = -EBADF;
	return r;
}

/* Until the pipe closes: the pid, and after it nothing (exec went well) or a failure. */
static int collect(struct launching *at, enum pol_launch_step *ret_step)
{
	struct report report;
	bool ready = false;
	int r = 0;

	/* The helper's word and its child's come in any order; either may be killed before its own. */
	while (read_report(at->report, &report)) {
		ready = ready || report.step == SAY_READY;
		if (report.step < 0)
			at->pid = report.value;
		else if (!r)
			*ret_step = (enum pol_launch_step)report.step;
		if (report.step >= 0)
			r = r ? r : -report.value;
		else if (report.step == SAY_READY)
			r = let_go(at, ret_step);
	}
	if (!r && (!at->pid || !ready))
		r = -ECHILD; /* the helper, or its child, died without a word */
	if (r < 0 && at->pid)
		reap(at->pid);
	return r;
}

/* Without a helper: it is the new process itself. */
static _Noreturn void run_directly(struct helper *helper)
{
	keep_only_its_own(helper);
	run_guest(helper);
}

static int start(struct helper *helper, struct launching *at, enum pol_launch_step *ret_step)
{
	bool direct = helper->cgroup < 0;
	int r = prepare(helper, ret_step);
	pid_t pid = r < 0 ? 0 : fork();

	if (!r && !pid && direct)
		run_directly(helper);
	if (!r && !pid)
		run_helper(helper);
	if (pid < 0)
		r = -errno;
	pol_closep(&helper->pipe);
	pol_closep(&helper->go);
	if (r < 0)
		return r;
	at->pid = direct ? pid : 0;
	r = collect(at, ret_step);
	if (!direct)
		reap(pid);
	return r;
}

/* The two channels, and all that happens over them. */
static int launch_by(struct helper *helper, struct launching *at, const struct pol_launch *launch,
		     pid_t *ret_pid, enum pol_launch_step *ret_step)
{
	int report[2], go[2], r;

	helper->launch = launch;
	*ret_step = POL_LAUNCH_SETUP;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	/* A socket: to a child that has died, no SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) < 0) {
		r = -errno;
		close(report[0]);
		close(report[1]);
		return r;
	}
	helper->pipe = report[1];
	helper->go = go[0];
	at->report = report[0];
	at->go = go[1];
	r = start(helper, at, ret_step);
	pol_closep(&at->report);
	pol_closep(&at->go);
	*ret_pid = at->pid;
	return r;
}

static int launch_once(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		       int cgroup_fd, const struct pol_launch *launch, pid_t *ret_pid,
		       enum pol_launch_step *ret_step)
{
	struct helper helper = {
		.labels = engine->maps[POL_MAP_LABELS],
		.label = { .guest = guest->id },
		.cgroup = cgroup_fd,
		.limits = &guest->limits,
	};
	struct launching at = { .place = place_guest, .engine = engine, .guest = guest };

	return launch_by(&helper, &at, launch, ret_pid, ret_step);
}

int pol_launch_placed(const struct pol_limits *limits, const struct pol_launch *launch,
		      int (*place)(pid_t pid, void *arg), void *arg, pid_t *ret_pid,
		      enum pol_launch_step *ret_step)
{
	struct helper helper = { .cgroup = -EBADF, .limits = limits };
	struct launching at = { .place = place_by_caller, .caller = place, .arg = arg };

	return launch_by(&helper, &at, launch, ret_pid, ret_step);
}

int pol_launch(const struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup_fd,
	       const struct pol_launch *launch, pid_t *ret_pid, enum pol_launch_step *ret_step)
{
	int r;

	for (unsigned int i = 0; i < LABEL_TRIES; i++) {
		r = launch_once(engine, guest, cgroup_fd, launch, ret_pid, ret_step);
		if (r != -EAGAIN || *ret_step != POL_LAUNCH_LABEL)
			break;
	}
	return r;
}
