/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpolicy - confine processes and threads as guests of a policy (policy.toml(5)), and resolve the
 * paths of guests whose file calls the caller serves itself. C11 and C++17.
 * Documentation/libpolicy.rst has the long form.
 *
 * What holds for all of it:
 *
 * - Return: 0 or a count, else a negative errno; a constructor's and any other @ret is untouched
 *   then. struct pol_error says the same in words, with names as they were given. Texts of a report
 *   are UTF-8, users' bytes escaped.
 * - Nothing is printed; no signal's disposition, no umask, directory, locale or environment of the
 *   caller is changed or kept; there is no state but what handles hold (and libbpf's messages are
 *   off while a call of ours uses it). Every descriptor is close-on-exec.
 * - Any function may be called by any thread, also beside others; of one handle only what says so.
 *   None is async-signal-safe. None may be called between fork(2) and execve(2).
 * - What asks the engine (pol_policy_load, pol_guest_* but pol_guest_path_*, pol_shadow_*,
 *   pol_lazy_open, pol_exit_stream_*) needs root, and a caller that is no guest: -EPERM or -EACCES.
 * - A structure begins with its size: sizeof of it as the caller was compiled. Fewer bytes than the
 *   first version had: -EINVAL. Later versions append members, and read what a caller has not as 0.
 *   Members called reserved, and flags that are not named here, are 0.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* pol_library_version() - "0.1.0", of the library that runs. Static. */
const char *pol_library_version(void);

/* ---- errors --------------------------------------------------------------------------------- */

/* What a failure means; the numbers are policyctl's exit statuses. */
enum pol_error_kind {
	POL_ERROR_FAILED = 1, /* the operation failed */
	POL_ERROR_USAGE = 2,  /* an argument that this function does not take */
	POL_ERROR_POLICY = 3, /* the policy is invalid: the report says where */
	POL_ERROR_HOST = 4,   /* this kernel, host or user lacks something, named with the fix */
	POL_ERROR_BUSY = 5    /* another command or load is at it: try again */
};

/**
 * struct pol_error - why it failed. May be NULL wherever it is taken; untouched on success.
 * @code: the negative errno that was returned. @kind: enum pol_error_kind.
 * @message: what was tried, on what, why. @fix: what to do, or empty. One line each.
 */
struct pol_error {
	size_t size;
	int32_t code;
	uint32_t kind;
	char message[512];
	char fix[512];
};

/* ---- policies ------------------------------------------------------------------------------- */

/* All diagnostics of one check or load. Read by any thread until it is freed. */
struct pol_report;

/**
 * struct pol_diagnostic - one of them.
 * @warning: 1, or 0: an error. @line, @column: from 1, in code points; 0: the file as a whole.
 * @code: "P0123" (Documentation/diagnostics.rst). @help, @source: NULL: none. All strings live as
 * long as the report.
 */
struct pol_diagnostic {
	size_t size;
	uint32_t warning;
	uint32_t line;
	uint32_t column;
	uint32_t reserved;
	const char *file;
	const char *code;
	const char *message;
	const char *help;
	const char *source;
};

enum pol_check_flags {
	POL_CHECK_OFFLINE = 1, /* look at the text alone, not at this host's files */
	POL_CHECK_STRICT = 2   /* warnings are errors */
};

enum pol_load_flags {
	POL_LOAD_DRY_RUN = 1,  /* everything but making it so */
	POL_LOAD_REANCHOR = 2, /* accept directories that a guest could have replaced */
	POL_LOAD_FORCE = 4     /* guests that it lacks keep their tasks, which may open nothing */
};

/**
 * struct pol_loaded - what a load has made.
 * @generation: from 1, one more with each load. @guests, @rules: of the policy.
 * @replaced: 1: there was a generation before.
 */
struct pol_loaded {
	size_t size;
	uint64_t generation;
	uint64_t guests;
	uint64_t rules;
	uint32_t replaced;
	uint32_t reserved;
};

/**
 * pol_policy_check() - parse, resolve, lint. Touches nothing; needs no root.
 * @name: of the file, to be read if @text is NULL; else what messages call it.
 * @text, @len: the policy's bytes; or NULL and 0.
 * @flags: enum pol_check_flags. @ret_report: or NULL; to be freed, made for 0 and -EINVAL of the
 * policy.
 *
 * Return: 0: it is valid, there may be warnings; -EINVAL: it is not (POL_ERROR_POLICY; what cannot
 * be read, too), or an argument (POL_ERROR_USAGE); -ENOMEM.
 */
int pol_policy_check(const char *name, const char *text, size_t len, uint32_t flags,
		     struct pol_report **ret_report, struct pol_error *error);

/**
 * pol_policy_load() - install it, or replace the running one atomically; or leave all as it was.
 * @name, @text, @len, @ret_report: as for pol_policy_check(). @flags: enum pol_load_flags.
 * @ret: or NULL.
 *
 * A first load takes seconds. Forks, without a SIGCHLD to the caller.
 * Return: 0; -EINVAL: the policy, or an argument; -EBUSY: another load (POL_ERROR_BUSY), or a guest
 * that the policy lacks has tasks; -ENOTSUP, -EPERM: the host lacks something (POL_ERROR_HOST);
 * -ENODEV: a ceiling's controller; -ENOMEM; else what a system call gave.
 */
int pol_policy_load(const char *name, const char *text, size_t len, uint32_t flags,
		    struct pol_loaded *ret, struct pol_report **ret_report,
		    struct pol_error *error);

/* pol_report_count() - how many. pol_report_errors() - how many of them are errors. */
size_t pol_report_count(const struct pol_report *report);
size_t pol_report_errors(const struct pol_report *report);

/* pol_report_get() - by place in the file, from 0. Return: 0; -ERANGE; -EINVAL: @ret->size. */
int pol_report_get(const struct pol_report *report, size_t index, struct pol_diagnostic *ret);

/* pol_report_free() - NULL: nothing. */
void pol_report_free(struct pol_report *report);

/* ---- guests --------------------------------------------------------------------------------- */

/*
 * @guest: a name of the loaded policy. For all of these:
 * Return: -ENOENT: nothing is loaded, or the policy lacks the guest; -EPERM, -EACCES: not root, or
 * the caller is a guest itself; -EBUSY (POL_ERROR_BUSY): a load or unload goes on; -EPROTO: another
 * version's engine is loaded; -ESTALE: it has just been unloaded; -ENOMEM; and what each one names.
 */

/**
 * pol_guest_attach() - make a running process the guest, with all its threads and descendants.
 * Return: 0; -ESRCH: no such process; -EPERM: pid 1, a kernel thread or the caller's own process;
 * -EALREADY: it is another guest's; -EAGAIN, -EMFILE: the guest's ceiling of tasks, of descriptors
 * would be passed; -EINVAL: rules with in = "guest" cannot be resolved; -EBUSY: they are resolved
 * in another root. On failure nothing was moved, but for -EBUSY: it forked faster than we could
 * follow.
 */
int pol_guest_attach(const char *guest, pid_t pid, struct pol_error *error);

/**
 * pol_guest_attach_thread() - make one thread the guest: the others of its process stay what they
 * are, and what it forks or starts from now on is the guest. So one process can hold many guests.
 * @tid: any thread but the calling one, of the caller's process too.
 *
 * Descriptors of the process are shared; those that the thread opens are charged to the guest. It
 * has no cgroup and no RLIMIT_NOFILE of its own.
 * Return: 0; -ESRCH; -EPERM: pid 1, a kernel thread, the calling thread; -EALREADY: it is a
 * guest's; -EAGAIN: the ceiling of tasks; -EINVAL: the guest has a ceiling that only a cgroup can
 * hold, or fds_baseline = "none".
 */
int pol_guest_attach_thread(const char *guest, pid_t tid, struct pol_error *error);

enum pol_self {
	POL_SELF_THREAD = 1, /* the calling thread, as by pol_guest_attach_thread() */
	POL_SELF_PROCESS = 2 /* the whole process with its children, as by pol_guest_attach() */
};

/**
 * pol_guest_attach_self() - the caller becomes the guest; there is no way back from within.
 * @self: enum pol_self.
 *
 * A child that shares the caller's memory does it (CLONE_VM | CLONE_VFORK; no SIGCHLD), while this
 * thread stands still: a guest cannot make itself one.
 * Return: 0; -EINVAL: @self; else as these two.
 */
int pol_guest_attach_self(const char *guest, uint32_t self, struct pol_error *error);

/**
 * pol_guest_detach() - the reverse, from outside: a process with its descendants, or one thread
 * that was attached alone. Back to the cgroup that it came from, RLIMIT_NOFILE as it was.
 * Return: 0; -ESRCH; -ENOENT: also if it is no guest.
 */
int pol_guest_detach(pid_t pid, struct pol_error *error);

enum pol_run_flags {
	POL_RUN_USER = 1,	 /* as uid and gid, with groups and no other supplementary ones */
	POL_RUN_NO_NEW_PRIVS = 2 /* set-user-ID programs have no effect */
};

/* struct pol_run_fd - the program gets the caller's descriptor @fd as its @as, which may be 0 to 2. */
struct pol_run_fd {
	int32_t fd;
	int32_t as;
};

/**
 * struct pol_run - a program to start.
 * @path: absolute; PATH is not searched. @argv, @envp: as for execve(2), ended by NULL; none is
 * NULL.
 * @keep_fds: descriptors above 2 that it gets besides 0 to 2, close-on-exec or not; at most 64.
 * @flags: enum pol_run_flags.
 * @place_fds: others, by the numbers that it expects: shadows, sockets; at most 64, no number twice.
 */
struct pol_run {
	size_t size;
	const char *path;
	char *const *argv;
	char *const *envp;
	const int *keep_fds;
	size_t keep_fds_count;
	const gid_t *groups;
	size_t groups_count;
	uint32_t flags;
	uid_t uid;
	gid_t gid;
	uint32_t reserved;
	const struct pol_run_fd *place_fds;
	size_t place_fds_count;
};

/**
 * pol_guest_run() - start a program as the guest: in its cgroup, confined before its first
 * instruction, every other descriptor closed. With tmp = "private" it has its own /tmp; with
 * guest_path in its rules it begins at "/" of a root of its own, and @run's path is one in that.
 * @ret_pid: a child of the caller's process, for waitpid(2); or NULL.
 *
 * All its signals are at their default, none is blocked. Where SIGCHLD is ignored its status is
 * lost, as ever. With on_exceed = "kill" the engine ends the process that passed a ceiling; the
 * rest of the guest is the caller's to stop.
 * Return: 0; -EINVAL: @run; -EBADF, -EEXIST, -EMFILE: of its descriptors one is not open, a number is
 * there twice, is not below RLIMIT_NOFILE; -EAGAIN: the ceiling of tasks; -EPERM: a user; else what execve(2)
 * gave: also the policy's errno, if the guest may not execute it.
 */
int pol_guest_run(const char *guest, const struct pol_run *run, pid_t *ret_pid,
		  struct pol_error *error);

/**
 * struct pol_stopped - @tasks: how many there were. @killed: 1: SIGTERM was not enough. @removed:
 * 1: there was a cgroup, and it is gone.
 */
struct pol_stopped {
	size_t size;
	uint64_t tasks;
	uint32_t killed;
	uint32_t removed;
};

/**
 * pol_guest_stop() - SIGTERM to its processes, SIGKILL to those left when the grace is over, and
 * the cgroup is removed; run and attach make it again. Units among its members are stopped by
 * systemd.
 * @grace_ms: milliseconds; 0: SIGKILL at once. @ret: or NULL.
 *
 * Blocks for the grace and 10 s at most for what is killed.
 * Return: 0, also if nothing runs or nothing is loaded; -EINVAL: @grace_ms is negative; -EBUSY:
 * threads that were attached alone are left, which have to end by themselves or be detached, or
 * tasks that cannot be killed; -ETIMEDOUT, -EIO: a unit does not stop; POL_ERROR_HOST: no systemd
 * to ask.
 */
int pol_guest_stop(const char *guest, int64_t grace_ms, struct pol_stopped *ret,
		   struct pol_error *error);

/* ---- shadows -------------------------------------------------------------------------------- */

/*
 * Snapshots of files, sealed in memory, for a guest to map: a dynamic linker's libraries, a kernel image.
 * The guest never opens the file, and needs no rule for it; what may be snapshotted is in
 * [guest.NAME.shadow]. Documentation/shadow.rst has semantics, limits and costs.
 *
 * A shadow is a descriptor. It is handed over by pol_run.place_fds or over a unix socket (SCM_RIGHTS),
 * and is gone when nobody has a descriptor or a mapping of it: to free it is to close it. Who keeps it
 * open has it handed on to other guests without another copy. Its pages are charged to the memory cgroup
 * of the process that made it; what a guest may have of them is bounded by its shadow.budget.
 */

enum pol_shadow_make_flags {
	POL_SHADOW_MAKE_EXEC = 1, /* it may be executed, and mapped so */
	POL_SHADOW_MAKE_LAZY = 2  /* without bytes: its guest's faults are served, pol_lazy_open() */
};

/**
 * struct pol_shadow_limits - lower ones than the policy's, in bytes; 0: the policy's.
 * @max_size: of a file. @budget: of all that the guest has.
 */
struct pol_shadow_limits {
	size_t size;
	uint64_t max_size;
	uint64_t budget;
};

enum pol_shadow_is {
	POL_SHADOW_IS_EXEC = 1,
	POL_SHADOW_IS_STALE = 2, /* the file may have changed since: a new one would differ */
	POL_SHADOW_IS_LAZY = 4
};

/**
 * struct pol_shadow - one, now.
 * @bytes: its length. @made_ns: CLOCK_BOOTTIME. @flags: enum pol_shadow_is.
 * @inode: of the memfd, as fstat(2) has it: the same in two guests is one snapshot.
 * @guest: name. @path: of the file; begins with "…/" if it was longer than is kept.
 */
struct pol_shadow {
	size_t size;
	uint64_t bytes;
	uint64_t made_ns;
	uint64_t inode;
	uint32_t flags;
	uint32_t reserved;
	char guest[64];
	char path[520];
};

/**
 * pol_shadow_make() - snapshot a file for a guest, or hand on the snapshot of its present version.
 * @path: absolute; what it leads to lies in one of the policy's shadow.paths, which have no symlink.
 * @flags: enum pol_shadow_make_flags. @limits: or NULL. @ret: what it is; or NULL.
 *
 * The file is read at once (but for a lazy one); the guest is not stopped. A shadow of a file that is open
 * for writing, or that keeps changing, is stale from the start. What is refused is an event, too.
 * Return: descriptor: read-only, at its beginning, close-on-exec; -EACCES: not in shadow.paths; -EPERM:
 * exec, which shadow.exec does not give; -EFBIG: larger than max_size; -ENOSPC: past the budget; -ENODEV:
 * no regular file, or the kernel's own; -EIO: it shrank meanwhile; -EOPNOTSUPP: a filesystem on which
 * changes cannot be seen; -ENFILE: 4096 snapshots, or 16383 in the hands of guests; -ENOENT: no such
 * guest or file; -EBUSY: it is changed all the time, or leased; -EINVAL: an argument; -ENOMEM; else what
 * opening it gave, and as for all of guests.
 */
int pol_shadow_make(const char *guest, const char *path, uint32_t flags,
		    const struct pol_shadow_limits *limits, struct pol_shadow *ret,
		    struct pol_error *error);

/**
 * pol_shadow_get() - what a descriptor of the caller's is. Return: 0; -ENOENT: no shadow of this guest's;
 * -EBADF; -EINVAL: @ret->size; as for all of guests.
 */
int pol_shadow_get(const char *guest, int fd, struct pol_shadow *ret, struct pol_error *error);

/**
 * pol_shadow_list() - all that are live, in no order.
 * @guest: of one guest; NULL: of all. @fn: is given each until it returns other than 0; @shadow is valid
 * until then.
 *
 * Return: 0; what @fn returned; as for all of guests.
 */
int pol_shadow_list(const char *guest, int (*fn)(const struct pol_shadow *shadow, void *arg), void *arg,
		    struct pol_error *error);

/* ---- lazy shadows --------------------------------------------------------------------------- */

/*
 * A shadow of POL_SHADOW_MAKE_LAZY has no bytes. The guest maps it MAP_PRIVATE and sends the host a
 * userfaultfd(2) with the mapping's address; whoever touches a page waits until the host has copied that
 * page of the file into it. So the memory is the guest's, and only of what it touches. It takes a guest
 * that does this, and a host that goes on serving it. Documentation/shadow-lazy.rst.
 */

enum pol_lazy_flags {
	POL_LAZY_USER_ONLY = 1 /* a system call on a page that was never touched is -EFAULT */
};

/**
 * struct pol_lazy_mapping - @address, @length: for munmap(2); the length is the file's.
 * @uffd: to be sent to the host with @address (SCM_RIGHTS), and kept open as long as the mapping: once its
 * last descriptor is closed, and the host's may be at any time, what is not there yet is zeros.
 * @flags: enum pol_lazy_flags: without CAP_SYS_PTRACE, unless vm.unprivileged_userfaultfd = 1.
 */
struct pol_lazy_mapping {
	size_t size;
	void *address;
	uint64_t length;
	int32_t uffd;
	uint32_t flags;
};

/**
 * pol_lazy_map() - the guest's side: map a lazy shadow, and register the mapping. Neither root nor the
 * engine is needed.
 * @shadow: its descriptor. @prot: PROT_READ, or PROT_READ | PROT_WRITE: what is written is the caller's own.
 *
 * Nobody may touch it before the host serves it. It is not in children (MADV_DONTFORK), does not outlive
 * execve(2), and must not be moved: mremap(2) ends the service.
 * Return: 0; -EINVAL: an argument, or @shadow is empty, or not in memory; -ENOSYS, -EPERM: no
 * userfaultfd(2), by the kernel or a seccomp filter (POL_ERROR_HOST); -EMFILE, -ENFILE, -ENOMEM; else what
 * fstat(2) or mmap(2) gave.
 */
int pol_lazy_map(int shadow, int prot, struct pol_lazy_mapping *ret, struct pol_error *error);

/* One mapping, served. By one thread at a time, closing included. */
struct pol_lazy;

/**
 * pol_lazy_open() - the host's side: serve a guest's mapping of a lazy shadow.
 * @shadow: the shadow's descriptor, as pol_shadow_make() returned it; not needed afterwards. @path: of its
 * file, as it was given to it.
 * @uffd, @address: as the guest has sent them, true or not. The caller's descriptor stays its own, and may
 * be closed.
 *
 * Needs /proc. Return: 0; -EPROTO: @uffd is no userfaultfd after its handshake, or there is no room for the
 * file at @address; -ENOENT: also: @shadow is none of the guest's; -EINVAL: it is not lazy, or @path;
 * -ESTALE: the file has changed since the shadow was made, or another one is at @path; -EACCES, -ENODEV,
 * -EOPNOTSUPP: as pol_shadow_make(); -EMFILE; and as for all of guests.
 */
int pol_lazy_open(const char *guest, int shadow, const char *path, int uffd, uint64_t address,
		  struct pol_lazy **ret, struct pol_error *error);

/* pol_lazy_fd() - for poll(2): readable when the guest asks; POLLERR: serve says why. Not to be read. */
int pol_lazy_fd(const struct pol_lazy *lazy);

/**
 * pol_lazy_serve() - copy the pages that the guest waits for.
 * @max: how many it may ask for in this call, from 1.
 *
 * Does not wait for the guest to ask; it does for the file, and for the lock on the guest's address space
 * while its own mmap(2) and the like hold it: serve guests that trust each other little by a thread each.
 * Before Linux 6.10 a guest that makes its userfaultfd block in just that moment holds the caller until it
 * asks again.
 *
 * A page that cannot be had is SIGBUS to who touched it (before Linux 6.6 it waits; kill it), the others are
 * served on; so call it again after any failure but the final ones.
 * Return: how many were copied; 0: nothing is asked, or what asked is gone; -ESTALE: the file has changed:
 * no page is copied any more; -ENOMEM: the guest's; else what pread(2) gave. Final: -EPROTO: the guest asks
 * for what is not in its mapping, has moved it, or made @uffd block: who waits, waits on; -ESRCH: it has
 * ended. -EINVAL: @max.
 */
int pol_lazy_serve(struct pol_lazy *lazy, uint32_t max, struct pol_error *error);

/* pol_lazy_copied() - bytes so far; a page that the guest gave back and touched again, twice. */
uint64_t pol_lazy_copied(const struct pol_lazy *lazy);

/* pol_lazy_close() - NULL: nothing. Who waits in the guest, waits on. */
void pol_lazy_close(struct pol_lazy *lazy);

/* ---- what a guest has left ------------------------------------------------------------------ */

enum pol_budget_has {
	POL_HAS_NOW = 1,
	POL_HAS_PEAK = 2,
	POL_HAS_CEILING = 4 /* and left; without it there is none */
};

/**
 * struct pol_budget - one resource. @has: which numbers mean something (enum pol_budget_has).
 * @left: ceiling - now; 0: the next one is refused. @refused: how often, since the engine was
 * loaded.
 */
struct pol_budget {
	uint64_t now;
	uint64_t peak;
	uint64_t ceiling;
	uint64_t left;
	uint64_t refused;
	uint32_t has;
	uint32_t reserved;
};

/**
 * struct pol_guest_info - a guest, now.
 * @name: NUL-terminated. @id: of events and records. @audit: 1: mode audit. @generation: that
 * decides.
 * @tasks: live ones. @fds: open file descriptions, counted only under a ceiling. @pids: tasks.
 * @memory: bytes, over its cgroups. @denials, @would_deny, @escapes: of events.rst, since the load.
 * @orphaned: descriptions that a former instance left open elsewhere.
 * @stale: directory rules whose directory is gone.
 * @shadows: that it has. @shadows_stale: of them. @shadow_bytes: of those that are not lazy, of at most
 * @shadow_budget.
 */
struct pol_guest_info {
	size_t size;
	char name[64];
	uint32_t id;
	uint32_t audit;
	uint64_t generation;
	uint64_t tasks;
	struct pol_budget fds;
	struct pol_budget pids;
	struct pol_budget memory;
	uint64_t denials;
	uint64_t would_deny;
	uint64_t escapes;
	uint64_t orphaned;
	uint64_t stale;
	uint64_t shadows;
	uint64_t shadows_stale;
	uint64_t shadow_bytes;
	uint64_t shadow_budget;
};

/* pol_guest_info() - what `policyctl status` says. Return: 0; -EINVAL: @ret->size. */
int pol_guest_info(const char *guest, struct pol_guest_info *ret, struct pol_error *error);

enum pol_ceiling {
	POL_CEILING_FDS = 1,
	POL_CEILING_PIDS = 2,
	POL_CEILING_MEMORY = 4,
	POL_CEILING_SWAP = 8,
	POL_CEILING_CPU = 16
};

/**
 * struct pol_ceilings - what to change; all else stays.
 * @set: which of the values below count (enum pol_ceiling). @lift: which ceilings go; not pids.
 * @fds: open file descriptions, 0 to 2^30. @pids: tasks, 1 to 4194304. @memory, @swap: bytes,
 * memory from 4096. @cpu_milli: thousandths of a core, 10 to 8192000.
 */
struct pol_ceilings {
	size_t size;
	uint32_t set;
	uint32_t lift;
	uint64_t fds;
	uint64_t pids;
	uint64_t memory;
	uint64_t swap;
	uint64_t cpu_milli;
};

/**
 * pol_guest_limits_set() - other ceilings for a guest that runs or not, as a new generation that
 * keeps all else; until the next load, which writes what its policy says.
 *
 * Below what is held nothing is closed or killed: the next one is refused (memory: reclaimed, else
 * the guest is killed). A ceiling of descriptors that is new: what is held is its baseline.
 * RLIMIT_NOFILE of its processes follows.
 * Return: 0; -EINVAL: @ceilings; -ENODEV: a controller lacks; -EOPNOTSUPP: more than fds, of a
 * guest that lies in cgroups of somebody else's. On failure nothing is changed.
 */
int pol_guest_limits_set(const char *guest, const struct pol_ceilings *ceilings,
			 struct pol_error *error);

/* ---- ends ----------------------------------------------------------------------------------- */

enum pol_ended_by {
	POL_ENDED_EXIT = 1, /* it called exit(2) */
	POL_ENDED_SIGNAL = 2,
	POL_ENDED_OOM = 3,     /* out of memory, its cgroup's or the host's */
	POL_ENDED_CEILING = 4, /* a ceiling with on_exceed = "kill" */
	POL_ENDED_POLICY = 5,
	POL_ENDED_UNKNOWN = 6
};

/**
 * struct pol_exit - the end of a process.
 * @guest: name, or "": it was none, or one that is forgotten. @guest_id: 0: none. @seq: of the
 * guest's records; 0: not the engine's.
 * @code: of exit(2), or -1. @signal: or 0. @status: as a shell has it, code or 128 + signal; -1:
 * unknown.
 * @by: enum pol_ended_by. @uid, @gid: (uint32_t)-1: unknown.
 * @start_ns, @end_ns: CLOCK_BOOTTIME; 0: unknown. @command: as in /proc/PID/comm.
 */
struct pol_exit {
	size_t size;
	char guest[64];
	uint64_t seq;
	uint64_t start_ns;
	uint64_t end_ns;
	uint32_t guest_id;
	int32_t pid;
	int32_t parent;
	uint32_t uid;
	uint32_t gid;
	int32_t code;
	int32_t signal;
	int32_t status;
	uint32_t by;
	char command[20];
};

/**
 * pol_guest_wait() - block until the guest is empty.
 * @ret: the exit of its first process; of a guest that is empty already, at once, its last one. Or
 * NULL.
 *
 * A signal does not end it. Takes nothing from other waiters or readers.
 * Return: 0; -ENODATA: none of it has ended since the engine was loaded; -ECHILD: its tasks were
 * detached, no exit is kept; -ENOENT: also if it was started twice since; -ESTALE: unloaded
 * meanwhile.
 */
int pol_guest_wait(const char *guest, struct pol_exit *ret, struct pol_error *error);

/**
 * pol_process_wait() - block until a process has ended, whosever child it is, a guest's or not. A
 * child of the caller is not reaped. Without root or engine: what the kernel tells.
 * @start_ns: CLOCK_BOOTTIME of the start of the one that is meant (to 10 ms); 0: who has the number
 * now.
 *
 * Return: 0; -ESRCH: no such process; -EINVAL: @pid is not positive, or a thread's; -EACCES: it
 * cannot be seen; else what pidfd_open(2) or poll(2) gave.
 */
int pol_process_wait(pid_t pid, uint64_t start_ns, struct pol_exit *ret, struct pol_error *error);

/*
 * A subscription to the exits of all guests, or of one: each once, in the order of each guest. It
 * takes nothing from policyd, `policyctl events` or other subscribers. The engine keeps some
 * thousand; who falls further behind is told how many are gone. By one thread at a time, closing
 * included.
 */
struct pol_exit_stream;

enum pol_exits_flags {
	POL_EXITS_KEPT = 1 /* begin with those that are kept, not with the next one */
};

/**
 * pol_exit_stream_open() - from here on every exit is in it.
 * @guest: of the loaded policy; NULL: all. @flags: enum pol_exits_flags.
 *
 * Return: 0; -ENOENT: nothing is loaded, or no such guest; -EPERM, -EACCES; -EINVAL; -EMFILE;
 * -ENOMEM.
 */
int pol_exit_stream_open(const char *guest, uint32_t flags, struct pol_exit_stream **ret,
			 struct pol_error *error);

/**
 * pol_exit_stream_next() - the next one.
 *
 * Never blocks. Return: 0; -EAGAIN: none yet; -EOVERFLOW: some before it are gone, once for each
 * gap (pol_exit_stream_lost()); -ESTALE: none, and the engine was unloaded; -EINVAL: @ret->size.
 */
int pol_exit_stream_next(struct pol_exit_stream *stream, struct pol_exit *ret);

/**
 * pol_exit_stream_fd() - for poll(2): readable when there may be a next one; not to be read or
 * closed.
 *
 * At once where policyd keeps up with the events, else within 100 ms. Call pol_exit_stream_next()
 * until it says -EAGAIN before the next poll(2).
 */
int pol_exit_stream_fd(const struct pol_exit_stream *stream);

/* pol_exit_stream_lost() - how many are gone so far; with a guest, other guests' may be among them. */
uint64_t pol_exit_stream_lost(const struct pol_exit_stream *stream);

/* pol_exit_stream_close() - NULL: nothing. */
void pol_exit_stream_close(struct pol_exit_stream *stream);

/* ---- guest paths ---------------------------------------------------------------------------- */

/*
 * For a VMM that serves a guest's file calls itself: which host file a guest's path means. A
 * guest's tree is made of mappings, as in `docker -v HOST:GUEST`: the mapping of exactly that path,
 * else of the nearest directory above it and the remainder. Guest paths are cleaned by their text:
 * "foo" is "/foo", "a/..//b" is "b", and ".." never leads above the guest's root. What is found on
 * the host is then held against the mapping once more, by the kernel and after symlinks
 * (openat2(2), RESOLVE_BENEATH): nothing outside a mapping is ever reached, whoever renames what
 * meanwhile.
 *
 * A set of mappings is made by one thread; once it is made, any number of threads resolve with it.
 */
struct pol_paths;

enum pol_map_flags {
	POL_MAP_READ_ONLY = 1 /* -EROFS for whatever would change what is there */
};

/* pol_paths_new() - without mappings. Return: 0; -ENOMEM. */
int pol_paths_new(struct pol_paths **ret);

/* pol_paths_free() - NULL: nothing. A private tmp is removed with all that is in it. */
void pol_paths_free(struct pol_paths *paths);

/**
 * pol_paths_map() - add a mapping.
 * @host: a path of the caller's, symlinks in it followed once, now. A directory: with all beneath
 * it,
 *	  looked up at each access. Else that name alone, in its directory, whatever is there later;
 *	  it need not exist yet.
 * @guest: where the guest sees it. @flags: enum pol_map_flags.
 *
 * Return: 0; -EEXIST: the guest path is mapped already; -ENOTDIR: it lies below one that is mapped
 * to a file (or to nothing yet), or one lies below it and @host is no directory; -EINVAL: the guest
 * path is "/" or empty, @host is empty or ends in "..", or a flag; -ENAMETOOLONG: PATH_MAX;
 * -ENOENT: the directory that @host is in is missing; -ENOMEM; else what open(2) gave.
 */
int pol_paths_map(struct pol_paths *paths, const char *host, const char *guest, uint32_t flags,
		  struct pol_error *error);

/**
 * pol_paths_map_text() - the same from "HOST:GUEST" or "HOST:GUEST:ro" (":rw" is what is silent).
 * Return: as pol_paths_map(); -EINVAL: also another form.
 */
int pol_paths_map_text(struct pol_paths *paths, const char *text, struct pol_error *error);

/**
 * pol_paths_map_guest() - add a mapping for each rule of a guest of the loaded policy that has a
 * guest_path.
 *
 * Read-only where the guest's rules let nothing be changed there. All or none. They stay as they
 * are when another policy is loaded. An optional rule whose directory is missing is left out, and so
 * is one that a private tmp hides. Needs root and the engine.
 *
 * Return: 0; -ENOENT: nothing is loaded, no such guest, or it has no guest_path; -ESTALE: a directory
 * was replaced since the load; as pol_paths_map(), also for what was mapped before; -EPERM, -EACCES.
 */
int pol_paths_map_guest(struct pol_paths *paths, const char *guest, struct pol_error *error);

/**
 * pol_paths_tmp() - a private place for what no mapping covers: what the guest creates there goes
 * to a new directory of mode 0700, with the directories above it, and is found again. Once for a
 * set.
 * @dir: where the directory is made, such as "/tmp". Nothing bounds what it holds but the
 * filesystem.
 *
 * Return: 0; -EALREADY; -EINVAL: no @dir; else what making or opening it gave.
 */
int pol_paths_tmp(struct pol_paths *paths, const char *dir, struct pol_error *error);

/**
 * pol_guest_path_resolve() - which host path a guest's path is: for messages, and for other
 * programs.
 * @buf, @size: gets it, and NUL after it.
 *
 * Symlinks are followed, and what lies outside is refused; none is followed in a mapping below which
 * another one begins. A name that does not exist yet is told if
 * its directory does. Between this and the use of the path all can change: pol_guest_path_open()
 * and pol_guest_path_parent() have no such gap. /proc is needed.
 *
 * Return: its length; -ENOENT: no mapping covers it, or it and its directory do not exist; -EACCES:
 * a symlink leads out of the mapping; -ERANGE: @size is too small; -ENOTDIR, -ELOOP, -ENAMETOOLONG,
 * -EACCES as open(2); -EAGAIN: directories above are renamed all the time.
 */
ssize_t pol_guest_path_resolve(const struct pol_paths *paths, const char *guest, char *buf,
			       size_t size);

/**
 * pol_guest_path_open() - open what a guest's path means.
 * @flags, @mode: as for open(2); O_CLOEXEC is added, O_NOCTTY too.
 *
 * Return: descriptor; -EROFS: it would write, create or truncate, and the mapping is read-only;
 * else as pol_guest_path_resolve(), or what openat2(2) gives for a file's own mapping: -EACCES for
 * a symlink.
 */
int pol_guest_path_open(const struct pol_paths *paths, const char *guest, int flags, mode_t mode);

/**
 * pol_guest_path_parent() - the directory and the name in it, for unlinkat(2), mkdirat(2),
 * renameat2(2), symlinkat(2) and the like, which do not follow a symlink at the name.
 * @name, @size: gets the last component.
 *
 * Return: O_PATH descriptor of the directory, to be closed; -EBUSY: the guest's root, or a mapped
 * directory itself; -EROFS; else as pol_guest_path_resolve(). The name need not exist.
 */
int pol_guest_path_parent(const struct pol_paths *paths, const char *guest, char *name,
			  size_t size);

#ifdef __cplusplus
}
#endif

#endif
