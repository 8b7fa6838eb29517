/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exits.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <bpf/bpf.h>

#include "base.h"
#include "engine.h"
#include "proc.h"

#define SETS_SIZE (sizeof(struct pol_exit_set) * POL_EXIT_SETS)
/* A slot that was written to meanwhile holds another exit now: so one more look is enough. */
#define TRIES	     2
#define LATE_NS	     (10 * 1000 * 1000)
#define LATE_TRIES   100
#define REAPED_TRIES 3000

/* ------------------------------------------------------------------ open */

static int map_sets(int fd, struct pol_exits *exits)
{
	void *at = mmap(NULL, SETS_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	exits->sets = at;
	return 0;
}

/* Not read-only: such a descriptor's mapping is none that is shared. */
static int open_pin(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), POL_STORE "/maps/%s", name);
	return bpf_obj_get(path);
}

/* The rest of another version's maps would be read wrong. */
static int check_version(void)
{
	_cleanup_close_ int fd = open_pin("control");
	const struct pol_control *control;
	int r = -EPROTO;

	if (fd < 0)
		return fd;
	control = mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		return -errno;
	if (control->abi == POL_ABI_VERSION)
		r = 0;
	(void)munmap((void *)control, sizeof(*control));
	return r;
}

static int open_own(struct pol_exits *exits)
{
	_cleanup_close_ int sets = -EBADF;
	int r = check_version();

	if (r < 0)
		return r;
	sets = open_pin("exits");
	exits->ends = open_pin("ends");
	if (sets < 0 || exits->ends < 0)
		return sets < 0 ? sets : exits->ends;
	return map_sets(sets, exits);
}

int pol_exits_open(struct pol_exits *ret)
{
	struct pol_exits exits = POL_EXITS_INIT;
	int r;

	exits.owned = true;
	r = open_own(&exits);
	if (r < 0)
		pol_exits_close(&exits);
	else
		*ret = exits;
	return r;
}

int pol_exits_of(const struct pol_engine *engine, struct pol_exits *ret)
{
	*ret = (struct pol_exits){
		.ends = engine->maps[POL_MAP_ENDS],
	};
	return map_sets(engine->maps[POL_MAP_EXITS], ret);
}

void pol_exits_close(struct pol_exits *exits)
{
	if (exits->sets)
		(void)munmap((void *)exits->sets, SETS_SIZE);
	if (exits->owned)
		pol_closep(&exits->ends);
	*exits = (struct pol_exits)POL_EXITS_INIT;
}

/* ------------------------------------------------------------------ read */

/* Return: whether it is a whole record. */
static bool read_slot(const struct pol_exit_slot *slot, struct pol_exit_record *ret)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

		if (!turn)
			return false;
		memcpy(ret, &slot->record, sizeof(*ret));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (turn != POL_EXIT_WRITING &&
		    __atomic_load_n(&slot->turn, __ATOMIC_RELAXED) == turn)
			return true;
	}
	return false;
}

static bool is_meant(const struct pol_exit_record *record, pid_t pid, uint64_t start_ns)
{
	uint64_t tick = pol_proc_tick_ns();

	return record->process.tgid == (uint32_t)pid &&
	       (!start_ns || record->process.start_ns / tick == start_ns / tick);
}

int pol_exits_find(const struct pol_exits *exits, pid_t pid, uint64_t start_ns,
		   struct pol_exit_record *ret)
{
	struct pol_exit_record record;
	int r = -ENOENT;

	for (size_t i = 0; i < POL_EXIT_SETS * POL_EXIT_SLOTS; i++) {
		const struct pol_exit_set *set = &exits->sets[i / POL_EXIT_SLOTS];
		const struct pol_exit_slot *slot = &set->slots[i % POL_EXIT_SLOTS];

		/* Torn or not, most are others'. */
		if (__atomic_load_n(&slot->record.process.tgid, __ATOMIC_RELAXED) !=
			    (uint32_t)pid ||
		    !read_slot(slot, &record) || !is_meant(&record, pid, start_ns))
			continue;
		if (r || record.boot_ns > ret->boot_ns)
			*ret = record;
		r = 0;
	}
	return r;
}

int pol_exits_ask(pid_t pid, uint64_t start_ns, int guest, struct pol_exit_record *ret)
{
	const struct timespec nap = { .tv_nsec = LATE_NS };
	struct pol_exits exits = POL_EXITS_INIT;
	int r = pol_exits_open(&exits), left = LATE_TRIES;
	bool reaped = false;

	if (r < 0)
		return r;
	r = pol_exits_find(&exits, pid, start_ns, ret);
	for (; r && guest >= 0 && left; left--) {
		if (!reaped && pol_pidfd_is_reaped(guest)) {
			reaped = true;
			left = REAPED_TRIES;
		}
		(void)nanosleep(&nap, NULL);
		r = pol_exits_find(&exits, pid, start_ns, ret);
	}
	pol_exits_close(&exits);
	return r;
}

bool pol_exits_guest_by_pidfd(int pidfd)
{
	_cleanup_close_ int labels = check_version() < 0 ? -EBADF : open_pin("labels");
	struct pol_label label;

	return labels >= 0 && !bpf_map_lookup_elem(labels, &pidfd, &label) && label.guest &&
	       !(label.flags & POL_LABEL_LAUNCHER);
}

int pol_exits_ends(const struct pol_exits *exits, uint32_t guest, bool newest, uint32_t instance,
		   struct pol_exit_ends *ret)
{
	struct pol_guest_ends ends;
	const struct pol_exit_ends *of = &ends.of[instance & 1];
	int r = bpf_map_lookup_elem_flags(exits->ends, &guest, &ends, BPF_F_LOCK);

	if (r < 0)
		return r;
	if (newest)
		of = &ends.of[!ends.of[0].cnt ||
			      (ends.of[1].cnt && POL_INSTANCE_IS_NEWER(ends.of[1].instance,
								       ends.of[0].instance))];
	if (!of->cnt || (!newest && of->instance != instance))
		return -ENOENT;
	*ret = *of;
	return 0;
}

void pol_exits_view(const struct pol_exit_record *record, struct pol_event_view *ret)
{
	memset(ret, 0, offsetof(struct pol_event_view, path_buf));
	ret->type = POL_TYPE_EXIT;
	ret->boot_ns = record->boot_ns;
	ret->seq = record->seq;
	ret->generation = record->generation;
	ret->guest = record->guest;
	ret->flags = POL_EVENT_HAS_PROCESS;
	ret->has_process = true;
	ret->process = record->process;
	ret->exit = record->exit;
}
