/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shadows that are given: entered into the engine's maps, under the lock of snapshots, and told. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "base.h"
#include "file.h"
#include "here.h"
#include "shadow_int.h"

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t pol_shadow_cap(const struct giving *g)
{
	return g->wish->lazy ? INT64_MAX : lower(g->guest->shadow.max_size, g->wish->max_size);
}

uint32_t pol_shadow_flags(const struct giving *g)
{
	return (g->wish->exec ? POL_SHADOW_EXEC : 0) | (g->wish->lazy ? POL_SHADOW_LAZY : 0);
}

int pol_shadow_too_large(const struct giving *g, struct pol_err *err)
{
	pol_err_say(err, POL_ERR_FAILED, -EFBIG,
		    "'%s' is larger than the cap for a snapshot, %llu bytes", g->path,
		    (unsigned long long)pol_shadow_cap(g));
	return pol_err_fix(err, "raise shadow.max_size (at most 512MiB); or give the guest a rule to read the "
				"file itself, or a lazy shadow");
}

int pol_snapshots_lock(const struct pol_engine *engine, struct pol_err *err)
{
	int r = pol_flock(engine->snapshots, LOCK_EX);

	if (r == -EWOULDBLOCK)
		return pol_err_say(err, POL_ERR_BUSY, -EBUSY, "somebody else makes snapshots all the time");
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot lock the snapshots") : 0;
}

void pol_snapshots_unlock(const struct pol_engine *engine)
{
	(void)flock(engine->snapshots, LOCK_UN);
}

/* ------------------------------------------------------------------ what may be entered */

static int no_room(const struct giving *g, struct pol_err *err)
{
	return pol_err_say(err, POL_ERR_FAILED, -ENFILE,
			   "cannot keep the snapshot of '%s': there are %u snapshots, or %u in the hands of "
			   "guests",
			   g->path, POL_SNAPSHOTS_MAX, POL_SHADOWS_MAX);
}

/* The last entry of the table is for refusals. */
static int check_room(const struct giving *g, uint64_t size, struct pol_err *err)
{
	uint64_t budget = lower(g->guest->shadow.budget, g->wish->budget);
	struct pol_shadow_sum sum;
	int r = pol_shadow_sum(g->engine, g->guest->id, &sum);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the snapshots of '%s'",
				   g->guest->name);
	if (r >= (int)POL_SHADOWS_MAX)
		return no_room(g, err);
	if (g->wish->lazy || size <= budget - lower(sum.bytes, budget))
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -ENOSPC,
		    "a snapshot of '%s' (%llu bytes) does not fit: guest '%s' has %llu bytes of them, of "
		    "at most %llu",
		    g->path, (unsigned long long)size, g->guest->name, (unsigned long long)sum.bytes,
		    (unsigned long long)budget);
	return pol_err_fix(err, "raise shadow.budget; or free some: 'policyctl status -v' names them");
}

/* Before it is copied for nothing. */
static int check_copy(const struct giving *g, struct pol_err *err)
{
	struct stat st;
	int r;

	if (fstat(g->file, &st) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot look at '%s'", g->path);
	if ((uint64_t)st.st_size > pol_shadow_cap(g))
		return pol_shadow_too_large(g, err);
	r = check_room(g, (uint64_t)st.st_size, err);
	return r < 0 ? r : NEEDS_COPY;
}

/* ------------------------------------------------------------------ entries */

static void fill_value(const struct giving *g, struct pol_shadow_value *ret)
{
	*ret = (struct pol_shadow_value){
		.source = g->source,
		.size = g->snapshot.size,
		.boot_ns = pol_boot_ns(),
		.flags = pol_shadow_flags(g),
	};
	pol_shadow_put_path(ret, g->path);
}

static struct pol_shadow_key key_of(const struct giving *g)
{
	return (struct pol_shadow_key){ g->memory.ino, g->memory.dev, g->guest->id };
}

static int full(const struct giving *g, int r, struct pol_err *err)
{
	if (r == -E2BIG)
		return no_room(g, err);
	return pol_err_set(err, POL_ERR_FAILED, r, "cannot keep the snapshot of '%s'", g->path);
}

/* What nobody was told of. */
static void take_back(const struct giving *g, bool is_new)
{
	const struct pol_shadow_key key = key_of(g);

	(void)bpf_map_delete_elem(g->engine->maps[POL_MAP_SHADOWS], &key);
	if (is_new)
		(void)bpf_map_delete_elem(g->engine->maps[POL_MAP_SNAPSHOTS], &g->memory);
}

/* Of a snapshot that nobody has yet. If we die here, the memfd goes, and with it they do. */
static int insert(struct giving *g, bool is_new, struct pol_err *err)
{
	const struct pol_shadow_key key = key_of(g);
	struct pol_shadow_value value;
	int r = 0;

	fill_value(g, &value);
	if (is_new)
		r = bpf_map_update_elem(g->engine->maps[POL_MAP_SNAPSHOTS], &g->memory, &g->snapshot,
					BPF_NOEXIST);
	if (r < 0)
		return full(g, r, err);
	r = bpf_map_update_elem(g->engine->maps[POL_MAP_SHADOWS], &key, &value, BPF_NOEXIST);
	if (r < 0)
		take_back(g, is_new);
	return r < 0 ? full(g, r, err) : 0;
}

/* The kernel says it is there, and from now on when it is stale, which may be at once. */
static int announce(struct giving *g, struct pol_err *err)
{
	const struct pol_shadow_note note = {
		.key = key_of(g),
		.generation = g->generation,
		.action = POL_SHADOW_CREATED,
		.changes = g->snapshot.changes,
		.writers = g->writers || g->torn,
	};
	int r = pol_shadow_tell(g->engine, &note);

	if (r == 1)
		return -EAGAIN; /* its source was pruned by another */
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot watch '%s'", g->path) : 0;
}

/* The guest has none of it yet. */
static int enter_new(struct giving *g, bool is_new, struct pol_err *err)
{
	int r = check_room(g, g->snapshot.size, err);

	if (!r)
		r = insert(g, is_new, err);
	if (r < 0)
		return r;
	r = announce(g, err);
	if (r < 0)
		take_back(g, is_new);
	return r;
}

static int enter(struct giving *g, int memfd, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	bool is_new;
	int r;

	if (g->engine->control->active != g->generation)
		return -EAGAIN;
	/* A lazy one is one guest's: it can spoil it (shadow-lazy.rst). */
	if (!g->writers && !g->torn && !g->wish->lazy)
		fd = pol_snapshot_find(g->engine, &g->source, g->changes, pol_shadow_flags(g), &g->memory,
				       &g->snapshot);
	is_new = fd < 0;
	if (is_new && memfd < 0)
		return check_copy(g, err);
	if (!is_new && g->snapshot.size > pol_shadow_cap(g))
		return pol_shadow_too_large(g, err);
	if (is_new && (fd = fcntl(memfd, F_DUPFD_CLOEXEC, 3)) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot snapshot '%s'", g->path);
	r = pol_shadow_of(g->engine, g->guest->id, fd, &g->item);
	if (r == -ENOENT)
		r = enter_new(g, is_new, err);
	if (!r)
		r = pol_shadow_of(g->engine, g->guest->id, fd, &g->item);
	if (r < 0)
		return r;
	pol_snapshot_hold(g->engine, &g->memory, &g->snapshot, fd);
	return TAKE_FD(fd);
}

int pol_shadow_enter(struct giving *g, int memfd, struct pol_err *err)
{
	int r = pol_engine_use(g->engine, false, err);

	if (!r)
		r = pol_snapshots_lock(g->engine, err);
	if (!r) {
		r = enter(g, memfd, err);
		pol_snapshots_unlock(g->engine);
	}
	pol_engine_unuse(g->engine);
	return r;
}

/* The entry that the record is made of is one for all refusals of the guest, of no file that changes. */
void pol_shadow_refuse(struct giving *g, int code)
{
	const struct pol_shadow_key key = { .guest = g->guest->id };
	const struct pol_shadow_note note = {
		.key = key,
		.generation = g->generation,
		.action = POL_SHADOW_REFUSED,
		.err = (uint32_t)-code,
	};
	struct pol_shadow_value value;

	fill_value(g, &value);
	value.source = (struct pol_dir_key){};
	if (pol_snapshots_lock(g->engine, NULL) < 0)
		return;
	if (bpf_map_update_elem(g->engine->maps[POL_MAP_SHADOWS], &key, &value, BPF_ANY) == 0) {
		(void)pol_shadow_tell(g->engine, &note);
		(void)bpf_map_delete_elem(g->engine->maps[POL_MAP_SHADOWS], &key);
	}
	pol_snapshots_unlock(g->engine);
}
