/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base.h"
#include "cgroup.h"
#include "engine_int.h"
#include "file.h"


static const char *const map_names[] = {
#define X(nr, name) #name,
	POL_MAPS(X)
#undef X
	"cursors",
	"foreign",
};

static const char *const prog_names[] = {
#define X(nr, name, ...) #name,
	POL_PROGS(X) POL_FD_HOOKS(X) POL_STAT_HOOKS(X) POL_TOLD_HOOKS(X) POL_SHADOW_HOOKS(X)
#undef X
};

const char *pol_map_name(enum pol_map_nr nr)
{
	return map_names[nr];
}

const char *pol_prog_name(enum pol_prog_nr nr)
{
	return prog_names[nr];
}

/* ------------------------------------------------------------------ */

static void *map_memory(int fd, size_t size, bool write)
{
	void *at = mmap(NULL, size, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return NULL;
	/* Not for children: one is to become a guest. */
	if (!madvise(at, size, MADV_DONTFORK))
		return at;
	(void)munmap(at, size);
	return NULL;
}

static size_t pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

#define CONTROL_SIZE pages(sizeof(struct pol_control))
#define CGROUPS_SIZE pages(sizeof(struct pol_cgroup_slot) * POL_CGROUP_SLOTS)
#define STATES_SIZE pages(sizeof(struct pol_guest_state) * POL_GUESTS_MAX)

int pol_engine_map(struct pol_engine *engine, struct pol_err *err)
{
	if (!engine->control)
		engine->control = map_memory(engine->maps[POL_MAP_CONTROL], CONTROL_SIZE, true);
	engine->cgroups = map_memory(engine->maps[POL_MAP_CGROUPS], CGROUPS_SIZE, true);
	engine->states = map_memory(engine->maps[POL_MAP_STATES], STATES_SIZE, false);
	if (engine->control && engine->cgroups && engine->states)
		return 0;
	return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot map the engine's tables");
}

struct pol_engine *pol_engine_new(void)
{
	struct pol_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	for (size_t i = 0; i < POL_MAPS_CNT; i++)
		engine->maps[i] = -EBADF;
	for (size_t i = 0; i < POL_PROGS_CNT; i++)
		engine->progs[i] = engine->links[i] = -EBADF;
	engine->turn = engine->use = engine->snapshots = -EBADF;
	return engine;
}

void pol_engine_closep(struct pol_engine **engine)
{
	pol_engine_close(*engine);
}

static int open_pin(const char *kind, const char *name, struct pol_err *err)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), POL_STORE "/%s/%s", kind, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return pol_err_set(err, POL_ERR_FAILED, fd, "cannot open the pin '%s'", path);
	return fd;
}

/* Before anything else is opened: another version has other maps. */
static int check_abi(struct pol_engine *engine, struct pol_err *err)
{
	int r = engine->maps[POL_MAP_CONTROL] = open_pin("maps", map_names[POL_MAP_CONTROL], err);

	if (r < 0)
		return r;
	engine->control = map_memory(r, CONTROL_SIZE, true);
	if (!engine->control)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot map the engine's tables");
	if (engine->control->abi == POL_ABI_VERSION)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -EPROTO,
		    "the loaded engine is of another version (its interface is %u, this program's "
		    "is %u)",
		    engine->control->abi, POL_ABI_VERSION);
	return pol_err_fix(err, "use the policyctl that loaded it, or 'policyctl unload' with that "
				"one and load again");
}

static int open_pins(struct pol_engine *engine, struct pol_err *err)
{
	int r;

	for (size_t i = 0; i < POL_MAPS_CNT; i++) {
		if (i == POL_MAP_CONTROL)
			continue;
		r = engine->maps[i] = open_pin("maps", map_names[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < POL_PROGS_CNT; i++) {
		r = engine->progs[i] = open_pin("progs", prog_names[i], err);
		if (r < 0 && (r != -ENOENT || i < POL_PROG_GROUPS_FIRST))
			return r;
	}
	return 0;
}

static int open_locks(struct pol_engine *engine, struct pol_err *err)
{
	engine->turn = open(POL_STORE "/progs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	engine->use = open(POL_STORE "/links", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	engine->snapshots = open(POL_STORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (engine->turn < 0 || engine->use < 0 || engine->snapshots < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot open the pins");
	return 0;
}

static int check_active(const struct pol_engine *engine, struct pol_err *err)
{
	if (engine->control->active)
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -ESTALE,
		    "nothing is confined: an unload is under way, or one has died");
	return pol_err_fix(err, "policyctl unload, which finishes it");
}

int pol_engine_use(struct pol_engine *engine, bool alone, struct pol_err *err)
{
	int r = pol_flock(engine->use, alone ? LOCK_EX : LOCK_SH);

	if (!r)
		return check_active(engine, err);
	if (r != -EWOULDBLOCK)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot lock the engine");
	pol_err_say(err, POL_ERR_BUSY, -EBUSY, "another policyctl is %s",
		    alone ? "starting or adopting a guest" : "changing the engine");
	return pol_err_fix(err, "wait for it and try again");
}

void pol_engine_unuse(const struct pol_engine *engine)
{
	(void)flock(engine->use, LOCK_UN);
}

/* Looks for pins, also for those that an unload took out of sight and then died. */
static int find_store(struct pol_err *err)
{
	_cleanup_close_ int lock = -EBADF;
	int r;

	if (pol_engine_loaded())
		return 0;
	if (errno == EACCES || geteuid()) {
		pol_err_say(err, POL_ERR_HOST, -EPERM, "cannot look at the engine: not root");
		return pol_err_fix(err, "run it as root");
	}
	if (pol_store_state(POL_STORE_OLD) == POL_STORE_ENFORCES) {
		lock = pol_lock(err);
		r = lock < 0 ? lock : pol_store_revive(err);
		if (r < 0)
			return r;
	}
	if (pol_engine_loaded())
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -ENOENT, "no policy is loaded");
	return pol_err_fix(err, "policyctl load POLICY");
}

int pol_engine_open(struct pol_engine **ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	int r;

	r = find_store(err);
	if (r < 0)
		return r;
	engine = pol_engine_new();
	if (!engine)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot open the engine");
	r = check_abi(engine, err);
	if (!r)
		r = check_active(engine, err);
	if (!r)
		r = open_pins(engine, err);
	if (!r)
		r = open_locks(engine, err);
	if (!r)
		r = pol_engine_map(engine, err);
	if (r < 0)
		return r;
	if (pol_engine_counts_skippable(engine))
		(void)pol_reconcile(engine); /* what it cannot do now the next command does */
	*ret = TAKE_PTR(engine);
	return 0;
}

/* ------------------------------------------------------------------ */

/*
 * The command lies in one map for all: who iterates holds the lock. Engines that are not pinned yet
 * are their loader's alone.
 */
static int lock_iteration(const struct pol_engine *engine, int operation)
{
	if (engine->skel)
		return 0;
	while (flock(engine->turn, operation) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int iterate(const struct pol_engine *engine, enum pol_prog_nr prog,
		   const struct pol_iter_command *command, size_t size,
		   int (*fn)(const void *record, void *arg), void *arg)
{
	_cleanup_close_ int link = -EBADF, fd = -EBADF;
	_cleanup_free_ char *buf = malloc(size * 64);
	union bpf_iter_link_info process = { .task.pid = (__u32)getpid() };
	LIBBPF_OPTS(bpf_link_create_opts, own, .iter_info = &process, .iter_info_len = sizeof(process));
	__u32 zero = 0;
	size_t have = 0;
	ssize_t n;
	int r;

	if (!buf)
		return -ENOMEM;
	r = bpf_map_update_elem(engine->maps[POL_MAP_ITER], &zero, command, BPF_ANY);
	if (r < 0)
		return r;
	link = bpf_link_create(engine->progs[prog], 0, BPF_TRACE_ITER, prog == POL_PROG_ANCHOR ? &own : NULL);
	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	if (fd < 0)
		return fd;
	while ((n = read(fd, buf + have, size * 64 - have)) != 0) {
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		for (; have - at >= size; at += size) {
			r = fn(buf + at, arg);
			if (r < 0)
				return r;
		}
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	return have ? -EPROTO : 0;
}

int pol_iterate(const struct pol_engine *engine, enum pol_prog_nr prog,
		const struct pol_iter_command *command, size_t size,
		int (*fn)(const void *record, void *arg), void *arg)
{
	int r = lock_iteration(engine, LOCK_EX);

	if (r < 0)
		return r;
	r = iterate(engine, prog, command, size, fn, arg);
	(void)lock_iteration(engine, LOCK_UN);
	return r;
}

static int no_record(const void *record, void *arg)
{
	(void)record;
	(void)arg;
	return 0;
}

int pol_reconcile(const struct pol_engine *engine)
{
	const struct pol_iter_command command = { .action = POL_ITER_RECONCILE };

	return pol_iterate(engine, POL_PROG_FILES, &command, sizeof(struct pol_file_record),
			   no_record, NULL);
}

const enum pol_map_nr pol_rings[POL_RINGS_CNT] = { POL_MAP_RING, POL_MAP_CHAT };

int pol_folds(const struct pol_engine *engine, uint32_t action)
{
	const struct pol_iter_command command = { .action = action };

	return pol_iterate(engine, POL_PROG_FOLDS, &command, 1, no_record, NULL);
}

int pol_rebase(const struct pol_engine *engine, uint32_t guest)
{
	struct pol_rebase rebase = { .guest = guest };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &rebase, .ctx_size_in = sizeof(rebase));

	return bpf_prog_test_run_opts(engine->progs[POL_PROG_REBASE], &opts);
}

void pol_note(const struct pol_engine *engine, uint32_t guest, enum pol_action action)
{
	struct pol_event_note note = {
		.action = action,
		.by_uid = getuid(),
		.by_tgid = (uint32_t)getpid(),
		.guest = guest,
		.generation = engine->control->active,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &note, .ctx_size_in = sizeof(note));

	/* A record that finds no room is counted as lost by the program itself. */
	(void)bpf_prog_test_run_opts(engine->progs[POL_PROG_NOTE], &opts);
}

int pol_label_set(const struct pol_engine *engine, int pidfd, const struct pol_label *label)
{
	return bpf_map_update_elem(engine->maps[POL_MAP_LABELS], &pidfd, label, BPF_ANY);
}

int pol_label_clear(const struct pol_engine *engine, int pidfd)
{
	return bpf_map_delete_elem(engine->maps[POL_MAP_LABELS], &pidfd);
}

int pol_label_get(const struct pol_engine *engine, int pidfd, struct pol_label *ret)
{
	return bpf_map_lookup_elem(engine->maps[POL_MAP_LABELS], &pidfd, ret);
}

/*
 * A slot is filled guest first, id last, so that a program never sees an id with another guest's
 * number; and given free id first.
 */
int pol_cgroups_put(struct pol_engine *engine, uint64_t id, unsigned int level, uint32_t guest)
{
	uint32_t at = POL_CGROUP_HASH(id) & (POL_CGROUP_SLOTS - 1);
	struct pol_cgroup_slot *free_slot = NULL, *slot;

	if (level >= POL_CGROUP_LEVELS)
		return -ERANGE;
	for (uint32_t i = 0; i < POL_CGROUP_PROBES; i++) {
		slot = &engine->cgroups[at];
		if (slot->id == id) {
			free_slot = slot;
			break;
		}
		if (!free_slot && (slot->id == POL_CGROUP_FREE || slot->id == POL_CGROUP_GONE))
			free_slot = slot;
		if (slot->id == POL_CGROUP_FREE)
			break;
		at = (at + 1) & (POL_CGROUP_SLOTS - 1);
	}
	if (!free_slot)
		return -ENOSPC;
	__atomic_store_n(&free_slot->guest, guest, __ATOMIC_RELEASE);
	__atomic_store_n(&free_slot->id, id, __ATOMIC_RELEASE);
	/* From within a cgroup namespace nobody sees how deep it lies: any level from there on. */
	__atomic_fetch_or(&engine->control->level_mask,
			  pol_cgroup_sees_root() ? 1ull << level : ~0ull << level,
			  __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * Slots that were given up are passed over by every search, those of non-guests first of all; before a
 * free one nothing is left to be found, so they are free, too.
 */
static void free_slots(struct pol_engine *engine, uint32_t at)
{
	const uint32_t mask = POL_CGROUP_SLOTS - 1;

	while (engine->cgroups[(at + 1) & mask].id == POL_CGROUP_FREE &&
	       engine->cgroups[at].id == POL_CGROUP_GONE) {
		__atomic_store_n(&engine->cgroups[at].id, POL_CGROUP_FREE, __ATOMIC_RELEASE);
		at = (at - 1) & mask;
	}
}

/* Return: the index of the slot of @id, or -1. */
static int find_slot(const struct pol_engine *engine, uint64_t id)
{
	uint32_t at = POL_CGROUP_HASH(id) & (POL_CGROUP_SLOTS - 1);

	for (uint32_t i = 0; i < POL_CGROUP_PROBES; i++) {
		if (engine->cgroups[at].id == id)
			return (int)at;
		if (engine->cgroups[at].id == POL_CGROUP_FREE)
			return -1;
		at = (at + 1) & (POL_CGROUP_SLOTS - 1);
	}
	return -1;
}

bool pol_cgroups_has(const struct pol_engine *engine, uint64_t id)
{
	return find_slot(engine, id) >= 0;
}

void pol_cgroups_drop(struct pol_engine *engine, uint64_t id)
{
	int at = find_slot(engine, id);

	if (at < 0)
		return;
	__atomic_store_n(&engine->cgroups[at].id, POL_CGROUP_GONE, __ATOMIC_RELEASE);
	free_slots(engine, (uint32_t)at);
}

void pol_cgroups_sweep(struct pol_engine *engine, uint32_t guest)
{
	char path[PATH_MAX];

	for (uint32_t at = 0; at < POL_CGROUP_SLOTS; at++) {
		const struct pol_cgroup_slot *slot = &engine->cgroups[at];

		if (slot->guest == guest && slot->id > POL_CGROUP_GONE &&
		    pol_cgroup_path_of(slot->id, path, sizeof(path)) == -ESTALE)
			pol_cgroups_drop(engine, slot->id);
	}
}

/* ------------------------------------------------------------------ */

/* In the probe: 0: refused, 1: not refused, 2: it could not be tried. */
static int probe_child(const struct pol_engine *engine)
{
	const struct pol_label label = { .guest = POL_GUEST_PROBE };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int fd;

	if (pidfd < 0 || pol_label_set(engine, pidfd, &label) < 0)
		return 2;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return 1;
	return errno == EACCES ? 0 : 2;
}

int pol_engine_selftest(const struct pol_engine *engine, struct pol_err *err)
{
	int status = 0;
	pid_t pid;

	/* As fork(2), but that its end is no SIGCHLD of the caller's, and no handler of pthread_atfork(). */
	pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (pid < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot fork the self-test");
	if (!pid)
		_exit(probe_child(engine));
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return pol_err_set(err, POL_ERR_FAILED, -errno,
					   "cannot wait for the self-test");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		pol_err_say(err, POL_ERR_HOST, -ENOTSUP,
			    "the self-test was not refused: the kernel does not call the programs");
		return pol_err_fix(err, "see 'policyctl doctor'; the kernel command line needs bpf "
					"in lsm=");
	}
	return pol_err_say(err, POL_ERR_FAILED, -EIO, "the self-test could not be run (status %d)",
			   status);
}

/* ------------------------------------------------------------------ */

void pol_engine_close(struct pol_engine *engine)
{
	if (!engine)
		return;
	if (engine->control)
		(void)munmap(engine->control, CONTROL_SIZE);
	if (engine->cgroups)
		(void)munmap(engine->cgroups, CGROUPS_SIZE);
	if (engine->states)
		(void)munmap((void *)engine->states, STATES_SIZE);
	for (size_t i = 0; i < POL_MAPS_CNT; i++)
		pol_closep(&engine->maps[i]);
	for (size_t i = 0; i < POL_PROGS_CNT; i++) {
		pol_closep(&engine->progs[i]);
		pol_closep(&engine->links[i]);
	}
	pol_closep(&engine->turn);
	pol_closep(&engine->snapshots);
	if (engine->use >= 0)
		pol_engine_unuse(engine); /* a child of another thread's may have a copy */
	pol_closep(&engine->use);
	pol_engine_free_skel(engine->skel);
	free(engine);
}
