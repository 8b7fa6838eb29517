/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include <bpf/bpf.h>

#include "anchors.h"
#include "base.h"
#include "enter.h"
#include "file.h"
#include "resolve.h"
#include "shadow_file.h"
#include "shadow_int.h"
#include "snapshot.h"
#include "str.h"

/* Of a file that others write all the time, or beside loads that come one after another. */
#define TRIES 3

/*
 * One that is being given. @changes: the source's, when copying began. @writers: somebody had it open for
 * writing then. @memory, @snapshot: once there is one.
 */
struct giving {
	struct pol_engine *engine;
	const struct pol_shadow_wish *wish;
	uint64_t generation;
	const struct pol_meta_guest *guest;
	const char *path;
	int file;
	struct pol_dir_key source;
	uint64_t changes;
	bool writers;
	bool torn;
	struct pol_memory_file memory;
	struct pol_snapshot snapshot;
	struct pol_shadow_item item;
};

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t cap(const struct giving *g)
{
	return g->wish->lazy ? INT64_MAX : lower(g->guest->shadow.max_size, g->wish->max_size);
}

static uint32_t flags_of(const struct giving *g)
{
	return (g->wish->exec ? POL_SHADOW_EXEC : 0) | (g->wish->lazy ? POL_SHADOW_LAZY : 0);
}

/* ------------------------------------------------------------------ the source */

static int identify(struct giving *g, struct pol_err *err)
{
	struct pol_anchor_record record;
	int r = pol_anchor_of(g->engine, g->file, &record);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the kernel's key of '%s'",
				   g->path);
	if (record.self.tree == POL_TREE_UNKNOWN || record.layer_magic == OVERLAYFS_SUPER_MAGIC ||
	    (record.layer_magic && !pol_fs_supported(record.layer_magic)))
		return pol_err_say(err, POL_ERR_HOST, -EOPNOTSUPP,
				   "'%s' has no exact key on this filesystem: nobody could say when it "
				   "changes",
				   g->path);
	g->source = record.self;
	g->source.ruleset = 0;
	return 0;
}

static int cannot_watch(const struct giving *g, int r, struct pol_err *err)
{
	if (r != -E2BIG)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot watch '%s'", g->path);
	return pol_err_say(err, POL_ERR_FAILED, -ENFILE,
			   "cannot watch '%s': there are snapshots of %u files already", g->path,
			   POL_SNAPSHOTS_MAX);
}

/*
 * From here on the kernel counts what may change it; and whoever had it open for writing before is seen:
 * in this order nobody slips between.
 */
static int watch(struct giving *g, struct pol_err *err)
{
	int map = g->engine->maps[POL_MAP_SOURCES];
	struct pol_anchor_record record;
	struct pol_source source = {};
	int r = bpf_map_update_elem(map, &g->source, &source, BPF_NOEXIST);

	if (r == -E2BIG && pol_sources_prune(g->engine))
		r = bpf_map_update_elem(map, &g->source, &source, BPF_NOEXIST);
	if (r < 0 && r != -EEXIST)
		return cannot_watch(g, r, err);
	r = bpf_map_lookup_elem(map, &g->source, &source);
	if (r == -ENOENT)
		return -EAGAIN; /* pruned by another */
	if (!r)
		r = pol_anchor_of(g->engine, g->file, &record);
	if (r < 0)
		return cannot_watch(g, r, err);
	g->changes = source.changes;
	g->writers = record.writers;
	return 0;
}

/* ------------------------------------------------------------------ the copy */

static int explain_copy(const struct giving *g, int r, struct pol_err *err)
{
	switch (r) {
	case -EFBIG:
		pol_err_say(err, POL_ERR_FAILED, r, "'%s' is larger than the cap for a snapshot, %llu bytes",
			    g->path, (unsigned long long)cap(g));
		return pol_err_fix(err, "raise shadow.max_size (at most 512MiB); or give the guest a rule "
					"to read the file itself, or a lazy shadow");
	case -EIO:
		return pol_err_say(err, POL_ERR_FAILED, r,
				   "'%s' shrank while it was copied, or cannot be read", g->path);
	case -EACCES:
		pol_err_say(err, POL_ERR_HOST, r, "cannot make an executable snapshot of '%s'", g->path);
		return pol_err_fix(err, "this host forbids them: sysctl vm.memfd_noexec = 2");
	default:
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot snapshot '%s'", g->path);
	}
}

static int copy(struct giving *g, int *ret, struct pol_err *err)
{
	enum pol_snapshot_kind kind = g->wish->exec ? POL_SNAPSHOT_EXEC :
				      g->wish->lazy ? POL_SNAPSHOT_LAZY :
						      POL_SNAPSHOT_DATA;
	uint64_t size;
	int r = pol_snapshot_make(g->file, cap(g), kind, ret, &size, &g->torn);

	if (r < 0)
		return explain_copy(g, r, err);
	g->snapshot.size = size;
	g->snapshot.source = g->source;
	g->snapshot.changes = g->changes;
	g->snapshot.flags = flags_of(g);
	memset(g->snapshot.holders, 0, sizeof(g->snapshot.holders));
	return pol_memory_file_of(*ret, &g->memory);
}

/* ------------------------------------------------------------------ into the maps, under the lock */

static int lock_snapshots(struct pol_err *err)
{
	_cleanup_close_ int fd = open(POL_STORE "/maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : pol_flock(fd, LOCK_EX);

	if (!r)
		return TAKE_FD(fd);
	pol_err_set(err, r == -EWOULDBLOCK ? POL_ERR_BUSY : POL_ERR_FAILED,
		    r == -EWOULDBLOCK ? -EBUSY : r, "cannot lock the snapshots");
	return err->code;
}

static int check_budget(const struct giving *g, struct pol_err *err)
{
	uint64_t budget = lower(g->guest->shadow.budget, g->wish->budget);
	struct pol_shadow_sum sum;
	int r = pol_shadow_sum(g->engine, g->guest->id, &sum);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the snapshots of '%s'",
				   g->guest->name);
	if (g->wish->lazy || g->snapshot.size <= budget - lower(sum.bytes, budget))
		return 0;
	pol_err_say(err, POL_ERR_FAILED, -ENOSPC,
		    "a snapshot of '%s' (%llu bytes) does not fit: guest '%s' has %llu bytes of them, of "
		    "at most %llu",
		    g->path, (unsigned long long)g->snapshot.size, g->guest->name,
		    (unsigned long long)sum.bytes, (unsigned long long)budget);
	return pol_err_fix(err, "raise shadow.budget; or free some: 'policyctl status -v' names them");
}

static void fill_value(const struct giving *g, struct pol_shadow_value *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	*ret = (struct pol_shadow_value){
		.source = g->source,
		.size = g->snapshot.size,
		.boot_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
		.flags = flags_of(g),
	};
	pol_shadow_put_path(ret, g->path);
}

static int full(const struct giving *g, int r, struct pol_err *err)
{
	if (r != -E2BIG)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot keep the snapshot of '%s'", g->path);
	return pol_err_say(err, POL_ERR_FAILED, -ENFILE,
			   "cannot keep the snapshot of '%s': there are %u snapshots, or %u in the hands of "
			   "guests",
			   g->path, POL_SNAPSHOTS_MAX, POL_SHADOWS_MAX);
}

/* Entries of a snapshot that nobody has yet. If we die here, the memfd goes, and with it they do. */
static int insert(struct giving *g, bool is_new, struct pol_err *err)
{
	const struct pol_shadow_key key = { g->memory.ino, g->memory.dev, g->guest->id };
	struct pol_shadow_value value;
	int r = 0;

	fill_value(g, &value);
	if (is_new)
		r = bpf_map_update_elem(g->engine->maps[POL_MAP_SNAPSHOTS], &g->memory, &g->snapshot,
					BPF_NOEXIST);
	if (r < 0)
		return full(g, r, err);
	r = bpf_map_update_elem(g->engine->maps[POL_MAP_SHADOWS], &key, &value, BPF_NOEXIST);
	if (r < 0 && is_new)
		(void)bpf_map_delete_elem(g->engine->maps[POL_MAP_SNAPSHOTS], &g->memory);
	return r < 0 ? full(g, r, err) : 0;
}

/* The kernel says it is there, and from now on when it is stale, which may be at once. */
static int announce(struct giving *g, struct pol_err *err)
{
	const struct pol_shadow_note note = {
		.key = { g->memory.ino, g->memory.dev, g->guest->id },
		.generation = g->generation,
		.action = POL_SHADOW_CREATED,
		.changes = g->snapshot.changes,
		.writers = g->writers || g->torn,
	};
	int r = pol_shadow_tell(g->engine, &note);

	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot watch '%s'", g->path) : 0;
}

/* The guest has none of it yet. */
static int enter_new(struct giving *g, bool is_new, struct pol_err *err)
{
	struct pol_source source;
	int r = check_budget(g, err);

	if (r < 0)
		return r;
	if (bpf_map_lookup_elem(g->engine->maps[POL_MAP_SOURCES], &g->source, &source) < 0)
		return -EAGAIN; /* pruned by another */
	r = insert(g, is_new, err);
	return r < 0 ? r : announce(g, err);
}

/*
 * @memfd: our copy; -EBADF: there is none yet. One that is there, of this very version, is taken instead.
 * Return: descriptor; -EAGAIN: a copy is needed, or all once more.
 */
static int enter_locked(struct giving *g, int memfd, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	bool is_new;
	int r;

	if (g->engine->control->active != g->generation)
		return -EAGAIN;
	if (!g->writers && !g->torn)
		fd = pol_snapshot_find(g->engine, &g->source, g->changes, flags_of(g), &g->memory,
				       &g->snapshot);
	is_new = fd < 0;
	if (is_new && memfd < 0)
		return -EAGAIN;
	if (!is_new && g->snapshot.size > cap(g))
		return explain_copy(g, -EFBIG, err);
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

static int enter(struct giving *g, int memfd, struct pol_err *err)
{
	int r = pol_engine_use(g->engine, false, err);
	int lock = r < 0 ? r : lock_snapshots(err);

	if (lock >= 0) {
		r = enter_locked(g, memfd, err);
		close(lock);
	}
	pol_engine_unuse(g->engine);
	return lock < 0 ? lock : r;
}

/* ------------------------------------------------------------------ */

/* While it was copied: its own times, or what the kernel has counted. */
static bool has_changed(const struct giving *g)
{
	struct pol_source source;

	return g->torn ||
	       bpf_map_lookup_elem(g->engine->maps[POL_MAP_SOURCES], &g->source, &source) < 0 ||
	       source.changes != g->changes;
}

/* Return: as enter_locked(). */
static int give_file(struct giving *g, bool last, struct pol_err *err)
{
	_cleanup_close_ int memfd = -EBADF;
	int r = identify(g, err);

	if (!r)
		r = watch(g, err);
	if (r < 0)
		return r;
	r = enter(g, -EBADF, err);
	if (r != -EAGAIN)
		return r;
	r = copy(g, &memfd, err);
	if (r < 0)
		return r;
	return has_changed(g) && !last ? -EAGAIN : enter(g, memfd, err);
}

/* Each time by the path: it may be another file's by now. */
static int give(struct giving *g, struct pol_err *err)
{
	int r = -EAGAIN;

	for (unsigned int i = 1; r == -EAGAIN && i <= TRIES; i++) {
		if (g->engine->control->active != g->generation)
			return r;
		g->torn = false;
		g->file = pol_shadow_file_open(&g->guest->shadow, g->path, err);
		r = g->file < 0 ? g->file : give_file(g, i == TRIES, err);
		pol_closep(&g->file);
	}
	return r;
}

/* What the policy says of the wish itself. */
static int check_wish(const struct giving *g, struct pol_err *err)
{
	if (g->wish->exec && g->wish->lazy)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "a lazy shadow is never executable: its guest fills it in");
	if (!g->guest->shadow.paths_cnt) {
		pol_err_say(err, POL_ERR_FAILED, -EACCES, "guest '%s' may have no shadows",
			    g->guest->name);
		return pol_err_fix(err, "[guest.%s.shadow] paths = [\"%s\"]", g->guest->name, g->path);
	}
	if (g->wish->exec && !g->guest->shadow.exec) {
		pol_err_say(err, POL_ERR_FAILED, -EPERM, "guest '%s' may have no executable shadows",
			    g->guest->name);
		return pol_err_fix(err, "[guest.%s.shadow] exec = true", g->guest->name);
	}
	return 0;
}

/* Under the lock: the entry that the record is made of is one for all refusals of the guest. */
static void tell_refused(struct giving *g, int code)
{
	const struct pol_shadow_key key = { .guest = g->guest->id };
	const struct pol_shadow_note note = {
		.key = key,
		.generation = g->generation,
		.action = POL_SHADOW_REFUSED,
		.err = (uint32_t)-code,
	};
	_cleanup_close_ int lock = lock_snapshots(&(struct pol_err){});
	struct pol_shadow_value value;

	fill_value(g, &value);
	if (lock < 0 ||
	    bpf_map_update_elem(g->engine->maps[POL_MAP_SHADOWS], &key, &value, BPF_ANY) < 0)
		return;
	(void)pol_shadow_tell(g->engine, &note);
	(void)bpf_map_delete_elem(g->engine->maps[POL_MAP_SHADOWS], &key);
}

static int wrong_path(const char *path, int fault, struct pol_err *err)
{
	if (fault < 0)
		return pol_err_set(err, POL_ERR_FAILED, fault, "cannot snapshot '%s'", path);
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
			   "'%s' is no path of a file to snapshot: it is absolute, without '..'", path);
}

/* Return: -EAGAIN: the policy is another one now. */
static int give_by_policy(struct pol_engine *engine, const struct pol_shadow_wish *wish, const char *path,
			  struct pol_shadow_item *ret_item, struct pol_err *err)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	struct giving g = { .engine = engine, .wish = wish, .path = path, .file = -EBADF };
	int r = pol_guest_read(engine, wish->guest, &meta, &g.guest, err);

	if (r < 0)
		return r;
	g.generation = meta->generation;
	r = check_wish(&g, err);
	if (r >= 0)
		r = give(&g, err);
	if (r < 0 && r != -EAGAIN)
		tell_refused(&g, r);
	if (r >= 0 && ret_item)
		*ret_item = g.item;
	return r;
}

int pol_shadow_give(struct pol_engine *engine, const struct pol_shadow_wish *wish,
		    struct pol_shadow_item *ret_item, struct pol_err *err)
{
	_cleanup_free_ char *path = NULL;
	int r = pol_path_clean(wish->path, strlen(wish->path), &path);

	if (r)
		return wrong_path(wish->path, r, err);
	for (unsigned int i = 0; i < TRIES; i++) {
		r = give_by_policy(engine, wish, path, ret_item, err);
		if (r != -EAGAIN)
			return r;
	}
	return pol_err_say(err, POL_ERR_BUSY, -EBUSY, "cannot snapshot '%s': policies change all the time",
			   path);
}
