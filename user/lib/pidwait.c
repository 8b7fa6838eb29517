/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pidwait_int.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base.h"
#include "cgroup.h"
#include "exits.h"
#include "here.h"
#include "proc.h"

#define POLL_NS (100 * 1000 * 1000)
/* PIDFD_GET_INFO has the code once the process is reaped: how long its parent may take. */
#define REAP_MS 1000

/* linux/pidfd.h of 6.15; Debian's headers are older. */
struct info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
_Static_assert(sizeof(struct info) == 64, "PIDFD_INFO_SIZE_VER0");
#define INFO_GET  _IOWR(0xff, 11, struct info)
#define INFO_EXIT (1u << 3)

/* ------------------------------------------------------------------ who it is */

static void read_exe(pid_t pid, char buf[POL_EXE_SIZE])
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlinkat(AT_FDCWD, path, buf, POL_EXE_SIZE);
	buf[n < 0 || n == POL_EXE_SIZE ? 0 : n] = '\0'; /* rather none than a cut one */
}

/* What is lost once it has ended. What cannot be read stays unknown. */
static void describe(struct pol_pidwait *wait)
{
	struct pol_event_process *process = &wait->process;
	struct pol_proc_ids ids;
	struct pol_proc parent;
	uint64_t cgroup;

	wait->was_over = pol_proc_ended(&wait->proc);
	if (!pol_proc_ids(wait->pid, &ids)) {
		process->uid = ids.uid;
		process->gid = ids.gid;
	}
	if (!pol_cgroup_of_pid(wait->pid, &cgroup))
		process->cgroup = cgroup;
	read_exe(wait->pid, wait->exe);
	if (!wait->proc.parent || pol_proc_read(wait->proc.parent, &parent) < 0)
		return;
	process->parent_tgid = (uint32_t)wait->proc.parent;
	memcpy(process->parent_comm, parent.comm, sizeof(process->parent_comm));
	read_exe(wait->proc.parent, wait->parent_exe);
}

/*
 * Field 52 of stat is 0 for who may not see it. The link, of which the kernel asks the same, says
 * so; read before, it is of the process that stat is of. Return: 0; 1: the number is another's now;
 * negative errno.
 */
static int look(struct pol_pidwait *wait)
{
	struct pol_proc proc;
	char path[64], byte;
	bool may;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", wait->pid);
	may = readlinkat(AT_FDCWD, path, &byte, 1) >= 0 || errno == ENOENT;
	r = pol_proc_read(wait->pid, &proc);
	if (r < 0)
		return r;
	if (wait->seen && proc.start_ns != wait->proc.start_ns)
		return 1;
	wait->proc = proc;
	wait->seen = true;
	wait->may_see_code = may;
	return 0;
}

static bool exists(pid_t pid)
{
	return !kill(pid, 0) || errno != ESRCH;
}

/* Return: 0; -ESRCH: nobody; -EACCES, other negative errno. */
static int identify_by_pidfd(struct pol_pidwait *wait)
{
	int r = look(wait);

	if (r < 0)
		return r == -ESRCH ? 0 : r; /* hidden: the pidfd is enough */
	if (pol_pidfd_is_reaped(wait->pidfd))
		wait->seen = false; /* it may have been another's */
	else
		describe(wait);
	return 0;
}

static int identify_by_proc(struct pol_pidwait *wait)
{
	struct pol_proc_ids ids;
	int r = look(wait);

	if (r == -ESRCH && exists(wait->pid))
		return -EACCES;
	if (r < 0)
		return r;
	r = pol_proc_ids(wait->pid, &ids);
	if (r < 0 && r != -ESRCH) /* it has just ended */
		return r;
	if (!r && ids.tgid != wait->pid)
		return -EINVAL;
	describe(wait);
	return 0;
}

static int identify(struct pol_pidwait *wait)
{
	wait->pidfd = (int)syscall(SYS_pidfd_open, wait->pid, 0);
	wait->is_guest = wait->pidfd >= 0 && pol_exits_guest_by_pidfd(wait->pidfd);
	if (wait->pidfd >= 0)
		return identify_by_pidfd(wait);
	if (errno == ENOSYS || errno == EPERM)
		return identify_by_proc(wait);
	/* A thread's number: EINVAL, later ENOENT. */
	return errno == ENOENT ? -EINVAL : -errno;
}

/* ------------------------------------------------------------------ its end */

static int wait_by_pidfd(const struct pol_pidwait *wait, short events, int timeout_ms)
{
	struct pollfd pollfd = { .fd = wait->pidfd, .events = events };
	int r;

	do
		r = poll(&pollfd, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int wait_by_proc(struct pol_pidwait *wait)
{
	const struct timespec tick = { .tv_nsec = POLL_NS };

	for (;;) {
		int r;

		if (pol_proc_ended(&wait->proc))
			return 0;
		(void)nanosleep(&tick, NULL);
		r = look(wait);
		if (r == -ESRCH && exists(wait->pid))
			r = look(wait) == 1 ? 1 : -EACCES;
		if (r) /* an error is not an end */
			return r == 1 || r == -ESRCH ? 0 : r;
	}
}

/* ------------------------------------------------------------------ its status */

static void know(struct pol_pidwait *wait, uint32_t wait_status, enum pol_pidwait_step step)
{
	wait->exit.code = wait_status;
	wait->exit.cause = wait_status & 0x7f ? POL_CAUSE_SIGNAL : POL_CAUSE_EXIT;
	wait->step = step;
}

/* By its number only while that was last seen to be the zombie's. */
static bool ask_child(struct pol_pidwait *wait)
{
	idtype_t type = wait->pidfd >= 0 ? P_PIDFD : P_PID;
	id_t id = (id_t)(wait->pidfd >= 0 ? wait->pidfd : wait->pid);
	siginfo_t info = {};
	uint32_t status;

	if (wait->pidfd < 0 && !pol_proc_ended(&wait->proc))
		return false;
	if (waitid(type, id, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) < 0 || !info.si_pid)
		return false;
	status = (uint32_t)info.si_status;
	know(wait,
	     info.si_code == CLD_EXITED	  ? (status & 0xff) << 8
	     : info.si_code == CLD_DUMPED ? status | 0x80
					  : status,
	     POL_PIDWAIT_CHILD);
	return true;
}

static bool ask_zombie(struct pol_pidwait *wait)
{
	if (!wait->seen || look(wait) || !pol_proc_ended(&wait->proc) || wait->proc.threads != 1 ||
	    !wait->may_see_code)
		return false;
	know(wait, wait->proc.wait_status, wait->pidfd >= 0 ? POL_PIDWAIT_PIDFD : POL_PIDWAIT_PROC);
	return true;
}

/* Return: 1: told; 0: not reaped yet; -1: this kernel does not say. */
static int ask_info(struct pol_pidwait *wait)
{
	struct info info = { .mask = INFO_EXIT };

	if (ioctl(wait->pidfd, INFO_GET, &info) < 0)
		return -1;
	if (!(info.mask & INFO_EXIT))
		return 0;
	know(wait, (uint32_t)info.exit_code, POL_PIDWAIT_INFO);
	return 1;
}

/* @start_ns: 0: whoever had the number last. */
static bool ask_engine(struct pol_pidwait *wait, uint64_t start_ns)
{
	int guest = wait->there && wait->is_guest ? wait->pidfd : -EBADF;

	if (pol_exits_ask(wait->pid, start_ns, guest, &wait->record) < 0)
		return false;
	if (wait->record.process.parent_tgid != wait->process.parent_tgid)
		wait->parent_exe[0] = '\0';
	wait->step = POL_PIDWAIT_ENGINE;
	return true;
}

static void ask_status(struct pol_pidwait *wait)
{
	wait->step = wait->pidfd >= 0 ? POL_PIDWAIT_PIDFD : POL_PIDWAIT_PROC;
	/* Who is not seen could be anybody who had the number before. */
	if (wait->seen && ask_engine(wait, wait->proc.start_ns))
		return;
	if (ask_child(wait) || ask_zombie(wait) || wait->pidfd < 0)
		return;
	if (!ask_info(wait) && wait_by_pidfd(wait, 0, REAP_MS) > 0)
		(void)ask_info(wait);
}

/* ------------------------------------------------------------------ the two steps */

/* Is it the one that is meant? Return: 1; 0: it is gone; -EACCES: nobody can say. */
static int is_meant(const struct pol_pidwait *wait, uint64_t start_ns)
{
	if (!start_ns)
		return 1;
	if (!wait->seen)
		return pol_pidfd_is_reaped(wait->pidfd) ? 0 : -EACCES;
	return start_ns - wait->proc.start_ns < pol_proc_tick_ns();
}

int pol_pidwait_begin(pid_t pid, uint64_t start_ns, struct pol_pidwait **ret)
{
	_cleanup_(pol_pidwait_freep) struct pol_pidwait *wait = NULL;
	int r;

	if (pid <= 0)
		return -EINVAL;
	wait = calloc(1, sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	pol_pidwait_init(wait, pid);
	r = identify(wait);
	if (!r)
		r = is_meant(wait, start_ns);
	if (r < 0 && r != -ESRCH)
		return r;
	wait->there = r > 0;
	wait->start_ns = start_ns;
	*ret = TAKE_PTR(wait);
	return 0;
}

static int wait_for(struct pol_pidwait *wait)
{
	int r = wait->pidfd >= 0 ? wait_by_pidfd(wait, POLLIN, -1) : wait_by_proc(wait);

	if (r < 0)
		return r;
	wait->end_ns = pol_boot_ns();
	ask_status(wait);
	return 0;
}

/* Who has the number now is not meant, but who had it before. */
static void ask_past(struct pol_pidwait *wait)
{
	wait->seen = false;
	wait->exe[0] = '\0';
	wait->process.parent_tgid = 0;
	(void)ask_engine(wait, wait->start_ns);
}

int pol_pidwait_end(struct pol_pidwait *wait, struct pol_event_view *ret,
		    enum pol_pidwait_step *ret_step)
{
	int r = wait->there ? wait_for(wait) : 0;

	if (r < 0)
		return r;
	if (wait->step == POL_PIDWAIT_NOBODY)
		ask_past(wait);
	pol_pidwait_view(wait, ret);
	*ret_step = wait->step;
	return 0;
}

void pol_pidwait_freep(struct pol_pidwait **wait)
{
	if (*wait)
		pol_closep(&(*wait)->pidfd);
	free(*wait);
	*wait = NULL;
}

int pol_pidwait(pid_t pid, uint64_t start_ns, struct pol_event_view *ret,
		enum pol_pidwait_step *ret_step)
{
	_cleanup_(pol_pidwait_freep) struct pol_pidwait *wait = NULL;
	int r = pol_pidwait_begin(pid, start_ns, &wait);

	return r < 0 ? r : pol_pidwait_end(wait, ret, ret_step);
}
