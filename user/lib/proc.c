/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

#include "base.h"
#include "file.h"

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h */
#define SECOND_NS  UINT64_C(1000000000)

uint64_t pol_proc_tick_ns(void)
{
	return SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK); /* USER_HZ, 100, a constant of the ABI */
}

/* The name stands in brackets and may hold brackets, spaces and newlines itself. */
static int parse_name(const char *text, struct pol_proc *ret, const char **ret_rest)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	size_t len;

	if (!open || !close || close < open)
		return -EBADMSG;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(ret->comm))
		len = sizeof(ret->comm) - 1;
	memset(ret->comm, 0, sizeof(ret->comm));
	memcpy(ret->comm, open + 1, len);
	*ret_rest = close + 1;
	return 0;
}

/* From the space before field 3 to the one before @field. */
static const char *skip_to(const char *at, int field)
{
	for (; at && field > 3; field--)
		at = strchr(at + 1, ' ');
	return at;
}

int pol_proc_parse(const char *text, struct pol_proc *ret)
{
	uint64_t utime, stime, start;
	struct pol_proc proc = {};
	const char *rest;
	int status;

	if (parse_name(text, &proc, &rest) < 0)
		return -EBADMSG;
	/* From field 3, the state, to 22, the start; then 52, exit_code. */
	if (sscanf(rest,
		   " %c %d %*d %*d %*d %*d %u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64 " %" SCNu64
		   " %*d %*d %*d %*d %" SCNu32 " %*d %" SCNu64,
		   &proc.state, &proc.parent, &proc.flags, &proc.minflt, &proc.majflt, &utime,
		   &stime, &proc.threads, &start) != 9)
		return -EBADMSG;
	rest = skip_to(rest, 52);
	if (!rest || sscanf(rest, " %d", &status) != 1)
		return -EBADMSG;
	proc.utime_ns = utime * pol_proc_tick_ns();
	proc.stime_ns = stime * pol_proc_tick_ns();
	proc.start_ns = start * pol_proc_tick_ns();
	proc.wait_status = (uint32_t)status;
	*ret = proc;
	return 0;
}

static int read_of(pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	r = pol_file_read(AT_FDCWD, path, buf, size);
	return r == -ENOENT ? -ESRCH : r < 0 ? r : 0;
}

int pol_proc_read(pid_t pid, struct pol_proc *ret)
{
	char buf[2048];
	int r = read_of(pid, "stat", buf, sizeof(buf));

	return r < 0 ? r : pol_proc_parse(buf, ret);
}

int pol_proc_ids(pid_t pid, struct pol_proc_ids *ret)
{
	struct pol_proc_ids ids;
	char buf[2048], *at;
	int r = read_of(pid, "status", buf, sizeof(buf));

	if (r < 0)
		return r;
	at = strstr(buf, "\nTgid:");
	if (!at || sscanf(at, "\nTgid: %d", &ids.tgid) != 1)
		return -EBADMSG;
	at = strstr(at, "\nUid:");
	if (!at || sscanf(at, "\nUid: %u", &ids.uid) != 1)
		return -EBADMSG;
	at = strstr(at, "\nGid:");
	if (!at || sscanf(at, "\nGid: %u", &ids.gid) != 1)
		return -EBADMSG;
	*ret = ids;
	return 0;
}

bool pol_pidfd_is_reaped(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

bool pol_proc_ended(const struct pol_proc *proc)
{
	return (proc->state == 'Z' || proc->state == 'X') && proc->threads < 2;
}

bool pol_proc_is_kernel(const struct pol_proc *proc)
{
	return proc->flags & PF_KTHREAD;
}
