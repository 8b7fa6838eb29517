/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "cgroup.h"
#include "file.h"
#include "foreign.h"
#include "generation.h"
#include "load.h"

void pol_status_done(struct pol_status *status)
{
	pol_meta_free(status->meta);
	free(status->guests);
	free(status->programs);
	free(status->shadows);
	memset(status, 0, sizeof(*status));
}

static int add_shadow(const struct pol_shadow_item *item, void *arg)
{
	struct pol_status *status = arg;
	struct pol_shadow_item *all;

	all = reallocarray(status->shadows, status->shadows_cnt + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	status->shadows = all;
	status->shadows[status->shadows_cnt++] = *item;
	for (size_t i = 0; i < status->guests_cnt; i++)
		if (status->guests[i].guest->id == item->key.guest)
			pol_shadow_add(item, &status->guests[i].shadows);
	return 0;
}

static uint64_t read_number(int fd, const char *file)
{
	uint64_t value;

	return pol_file_read_u64(fd, file, &value) < 0 ? POL_STATUS_NONE : value;
}

static void take_memory(const struct pol_meta *meta, struct pol_guest_status *status)
{
	_cleanup_close_ int fd = -EBADF;

	(void)pol_cgroup_open(meta->cgroup, status->guest->name, &fd);
	status->memory_now = read_number(fd, "memory.current");
	status->memory_peak = read_number(fd, "memory.peak");
	status->memory_ceiling = read_number(fd, "memory.max");
}

static void add(uint64_t *sum, uint64_t value)
{
	if (value != POL_STATUS_NONE)
		*sum = *sum == POL_STATUS_NONE ? value : *sum + value;
}

/* A guest that lies in foreign cgroups, too. */
static int add_memory(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct pol_status *status = arg;
	_cleanup_close_ int fd = -EBADF;
	char path[1024];

	if (pol_cgroup_path_of(cgroup, path, sizeof(path)) < 0 ||
	    pol_cgroup_open_path(path, &fd) < 0)
		return 0; /* it is gone */
	for (size_t i = 0; i < status->guests_cnt; i++) {
		if (status->guests[i].guest->id != foreign->guest)
			continue;
		add(&status->guests[i].memory_now, read_number(fd, "memory.current"));
		add(&status->guests[i].memory_peak, read_number(fd, "memory.peak"));
	}
	return 0;
}

static bool is_stale(const struct pol_meta_rule *rule)
{
	struct stat st;

	if (rule->pending || rule->entry || !rule->dir || rule->in_guest)
		return false;
	return lstat(rule->dir, &st) < 0 || st.st_ino != rule->ino;
}

static void take_stale(struct pol_status *status)
{
	for (size_t i = 0; i < status->meta->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &status->meta->rules[i];

		if (!is_stale(rule))
			continue;
		for (size_t k = 0; k < status->guests_cnt; k++)
			if (status->guests[k].guest->ruleset == rule->ruleset)
				status->guests[k].stale++;
	}
}

static const char *mode_of(const struct pol_status *status)
{
	size_t audit = 0;

	for (size_t i = 0; i < status->guests_cnt; i++)
		audit += status->guests[i].guest->audit;
	if (!audit)
		return "enforce";
	return audit == status->guests_cnt ? "audit" : "mixed";
}

static int take_guests(const struct pol_engine *engine, struct pol_status *status)
{
	_cleanup_free_ uint32_t *tasks = NULL;
	int r = pol_task_counts(engine, &tasks);

	if (r < 0)
		return r;
	status->guests = calloc(status->meta->guests_cnt + 1, sizeof(*status->guests));
	if (!status->guests)
		return -ENOMEM;
	for (size_t i = 0; i < status->meta->guests_cnt; i++) {
		struct pol_guest_status *guest = &status->guests[status->guests_cnt];

		if (status->meta->guests[i].ghost)
			continue;
		guest->guest = &status->meta->guests[i];
		guest->tasks = tasks[guest->guest->id];
		take_memory(status->meta, guest);
		pol_status_ceilings(&guest->guest->limits, guest);
		guest->shadow_budget = guest->guest->shadow.paths_cnt ?
					       guest->guest->shadow.budget :
					       POL_STATUS_NONE;
		pol_status_count(&engine->states[guest->guest->id], guest);
		status->guests_cnt++;
	}
	r = pol_foreign_each(engine->maps[POL_MAP_FOREIGN], add_memory, status);
	if (r >= 0)
		r = pol_shadow_each(engine, 0, add_shadow, status);
	return r < 0 ? r : 0;
}

static void take_programs(struct pol_status *status)
{
	status->recursion_misses = POL_STATUS_NONE;
	if (pol_health_programs(&status->programs, &status->programs_cnt) < 0)
		return;
	status->recursion_misses = 0;
	for (size_t i = 0; i < status->programs_cnt; i++)
		status->recursion_misses += status->programs[i].skipped;
}

/* Its meta is the last that is pinned before it is published. */
static uint64_t made_ns(uint64_t generation)
{
	struct stat st;
	char path[256];

	(void)snprintf(path, sizeof(path), POL_STORE "/gen_%llu/meta",
		       (unsigned long long)generation);
	if (lstat(path, &st) < 0)
		return POL_STATUS_NONE;
	return (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
}

static bool is_elsewhere(const struct pol_engine *engine)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) < 0 || st.st_ino != engine->control->mounts;
}

int pol_status_take(struct pol_status *ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_status status = {};
	int r;

	r = pol_engine_open(&engine, err);
	if (r < 0)
		return r;
	status.generation = engine->control->active;
	r = pol_meta_load(status.generation, &status.meta, err);
	if (r < 0)
		return r;
	r = take_guests(engine, &status);
	if (r < 0) {
		pol_status_done(&status);
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the guests' state");
	}
	take_stale(&status);
	pol_health_fails(engine, status.fails);
	take_programs(&status);
	status.made_ns = made_ns(status.generation);
	status.elsewhere = is_elsewhere(engine);
	status.mode = mode_of(&status);
	*ret = status;
	return 0;
}
