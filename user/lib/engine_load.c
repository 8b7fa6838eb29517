/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading the object, attaching and pinning it: this and engine_probe.c know the skeleton. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "engine.h"
#include "engine_int.h"
#include "foreign.h"
#include "policy_bpf.skel.h"
#include "unlimited.h"

#define VERIFIER_LOG "/run/policyctl-verifier.log"
#define VERIFIER_LOG_SIZE (4u << 20)

void pol_engine_free_skel(struct policy_bpf *skel)
{
	policy_bpf__destroy(skel);
}

/* Hooks that some supported kernel lacks, and what mediates there instead. */
static bool is_optional(const char *hook)
{
	static const char *const hooks[] = {
		"file_truncate",    /* from 6.2; before, path_truncate */
		"inode_set_acl",    /* from 6.2; before, inode_setxattr */
		"inode_remove_acl", /* likewise */
		"file_ioctl_compat", /* 6.8, and later ones of 6.1: before, file_ioctl is asked */
		"inode_file_setattr", /* 6.17 */
		"inode_file_getattr", /* likewise */
		"inode_get_acl", /* from 6.2; before, inode_getxattr */
	};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strcmp(hooks[i], hook) == 0)
			return true;
	return false;
}

static bool has_hook(const struct btf *btf, const char *hook)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

/* Before 6.3, inode_setattr has no idmap argument. */
static bool setattr_is_short(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_lsm_inode_setattr", BTF_KIND_FUNC);
	const struct btf_type *func, *proto;

	if (id < 0)
		return false;
	func = btf__type_by_id(btf, (__u32)id);
	proto = btf__type_by_id(btf, func->type);
	return btf_vlen(proto) == 2;
}

/* Of a program that is attached in a group, which of the walls it is; NULL: another program. */
static const char *group_wall(const char *name)
{
	static const struct {
		const char *name;
		const char *wall;
	} hooks[] = {
#define X(nr, prog, wall) { #prog, #wall },
		POL_FD_HOOKS(X) POL_STAT_HOOKS(X) POL_TOLD_HOOKS(X) POL_SHADOW_HOOKS(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strcmp(hooks[i].name, name) == 0)
			return hooks[i].wall;
	return NULL;
}

/*
 * Does a look-up in task storage give up while another is under way on the CPU? To 6.1, by a counter
 * per CPU; from 6.2 on not from programs of ours (..._recur is for those that could recur); 7.0 has
 * neither. What is neither the one nor the other is taken for the first.
 */
static bool storage_gives_up(const struct btf *btf)
{
	if (btf__find_by_name_kind(btf, "btf_bpf_task_storage_get_recur", BTF_KIND_TYPEDEF) > 0)
		return false;
	return btf__find_by_name_kind(btf, "bpf_task_storage_busy", BTF_KIND_VAR) > 0 ||
	       btf__find_by_name_kind(btf, "bpf_res_spin_lock", BTF_KIND_FUNC) < 0;
}

/* Which programs count descriptors here, and whether the first of them can be skipped. */
static void choose_fd_hooks(struct policy_bpf *skel, const struct btf *btf, bool skippable)
{

	for (size_t i = 0; i < (size_t)skel->skeleton->prog_cnt; i++) {
		const char *wall = group_wall(skel->skeleton->progs[i].name);

		if (wall && strcmp(wall, "SECOND") == 0)
			bpf_program__set_autoload(*skel->skeleton->progs[i].prog, skippable);
	}
	bpf_program__set_autoload(skel->progs.pol_file_alloc, !skippable);
	bpf_program__set_autoload(skel->progs.pol_file_alloc_fmod, skippable);
	skel->rodata->pol_alloc_skippable = skippable;
	skel->rodata->pol_unlabelled =
		storage_gives_up(btf) ? POL_UNLABELLED_TASKS : POL_UNLABELLED_CGROUP;
}

/* Chooses what fits this kernel; a hook that lacks and is not optional is an error. */
static int choose_programs(struct policy_bpf *skel, const struct pol_host *host,
			   struct pol_err *err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool short_setattr;
	int r = 0;

	if (!btf)
		return pol_err_set(err, POL_ERR_HOST, -errno, "cannot read the kernel's types");
	for (size_t i = 0; i < (size_t)skel->skeleton->prog_cnt && !r; i++) {
		struct bpf_program *prog = *skel->skeleton->progs[i].prog;
		const char *section = bpf_program__section_name(prog);

		if (strncmp(section, "lsm/", 4) != 0 || has_hook(btf, section + 4))
			continue;
		if (is_optional(section + 4))
			bpf_program__set_autoload(prog, false);
		else
			r = pol_err_say(err, POL_ERR_HOST, -ENOTSUP,
					"this kernel has no LSM hook '%s'", section + 4);
	}
	short_setattr = setattr_is_short(btf);
	bpf_program__set_autoload(skel->progs.pol_setattr_61, short_setattr);
	bpf_program__set_autoload(skel->progs.pol_setattr, !short_setattr);
	bpf_program__set_autoload(skel->progs.pol_shadow_set_61, short_setattr);
	bpf_program__set_autoload(skel->progs.pol_shadow_set, !short_setattr);
	choose_fd_hooks(skel, btf, !host->allocation_hook);
	btf__free(btf);
	return r;
}

/* The verifier's log of the program that failed, into a file. */
static int explain_failure(int code, const char *log, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;

	if (code == -EPERM) {
		pol_err_set(err, POL_ERR_HOST, code, "the kernel refuses the programs");
		return pol_err_fix(err, "needs CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN, and no "
					"lockdown; see 'policyctl doctor'");
	}
	pol_err_set(err, POL_ERR_FAILED, code, "cannot load the programs");
	if (!log[0])
		return code;
	fd = open(VERIFIER_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && write(fd, log, strlen(log)) > 0)
		(void)pol_err_fix(err, "the verifier's words are in " VERIFIER_LOG
				       "; please report them ('policyctl doctor' names the kernel)");
	return code;
}

static int load_call(void *skel)
{
	return policy_bpf__load(skel);
}

/* One log for all: each program that loads overwrites it, so the failing one's stays. */
int pol_skel_load(struct policy_bpf *skel, struct pol_err *err)
{
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	int r;

	for (size_t i = 0; log && i < (size_t)skel->skeleton->prog_cnt; i++)
		(void)bpf_program__set_log_buf(*skel->skeleton->progs[i].prog, log,
					       VERIFIER_LOG_SIZE);
	r = pol_unlimited(load_call, skel);
	if (r < 0)
		return explain_failure(r, log ? log : "", err);
	return 0;
}

static int attach_one(const struct bpf_prog_skeleton *at, struct pol_err *err)
{
	struct bpf_program *prog = *at->prog;
	enum bpf_prog_type type = bpf_program__type(prog);

	if (!bpf_program__autoload(prog) || type == BPF_PROG_TYPE_SYSCALL || group_wall(at->name) ||
	    bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER)
		return 0;
	*at->link = bpf_program__attach(prog);
	if (*at->link)
		return 0;
	return pol_err_set(err, POL_ERR_HOST, -errno, "cannot attach the program '%s'", at->name);
}

/* Some links attached is a failure, never a warning. */
static int attach_all(struct policy_bpf *skel, struct pol_err *err)
{
	int r = 0;

	for (size_t i = 0; i < (size_t)skel->skeleton->prog_cnt && !r; i++)
		r = attach_one(&skel->skeleton->progs[i], err);
	return r;
}

int pol_skel_take(struct policy_bpf *skel, struct pol_engine *engine, struct pol_err *err)
{
	const int maps[] = {
#define X(nr, name) bpf_map__fd(skel->maps.name),
		POL_MAPS(X)
#undef X
	};
	const int progs[] = {
#define X(nr, name, ...) bpf_program__fd(skel->progs.name),
		POL_PROGS(X) POL_FD_HOOKS(X) POL_STAT_HOOKS(X) POL_TOLD_HOOKS(X) POL_SHADOW_HOOKS(X)
#undef X
	};
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		engine->maps[i] = fcntl(maps[i], F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < ARRAY_SIZE(progs); i++)
		engine->progs[i] = progs[i] < 0 ? -EBADF : fcntl(progs[i], F_DUPFD_CLOEXEC, 0);
	engine->maps[POL_MAP_CURSORS] =
		bpf_map_create(BPF_MAP_TYPE_HASH, "cursors", sizeof(__u32),
			       sizeof(struct pol_cursor), POL_GUESTS_MAX, &opts);
	engine->maps[POL_MAP_FOREIGN] =
		bpf_map_create(BPF_MAP_TYPE_HASH, "foreign", sizeof(uint64_t),
			       sizeof(struct pol_foreign), POL_GUESTS_MAX, &opts);
	for (size_t i = 0; i < POL_MAPS_CNT; i++)
		if (engine->maps[i] < 0)
			return pol_err_set(err, POL_ERR_FAILED, -EMFILE, "cannot hold the maps");
	for (size_t i = 0; i < POL_PROGS_CNT; i++)
		if (engine->progs[i] < 0 && progs[i] >= 0)
			return pol_err_set(err, POL_ERR_FAILED, -EMFILE, "cannot hold the programs");
	return 0;
}

int pol_engine_create(const struct pol_host *host, struct pol_engine **ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = pol_engine_new();
	int r;

	if (!engine)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot load the engine");
	engine->skel = policy_bpf__open();
	if (!engine->skel)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot open the programs");
	engine->skel->rodata->pol_rename_lock = host->rename_lock;
	r = choose_programs(engine->skel, host, err);
	if (!r)
		r = pol_skel_load(engine->skel, err);
	if (!r)
		r = pol_skel_take(engine->skel, engine, err);
	if (!r)
		r = pol_engine_map(engine, err);
	if (r < 0)
		return r;
	engine->control->abi = POL_ABI_VERSION;
	engine->control->next_guest = POL_GUEST_FIRST;
	r = pol_folds(engine, POL_ITER_ARM);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot make the events' timers");
	r = attach_all(engine->skel, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(engine);
	return 0;
}

/* ------------------------------------------------------------------ */

static int pin_fd(int fd, const char *kind, const char *name, struct pol_err *err)
{
	char path[256];
	int r;

	(void)snprintf(path, sizeof(path), POL_STORE_NEW "/%s/%s", kind, name);
	r = bpf_obj_pin(fd, path);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot pin '%s'", path);
	return 0;
}

static int make_store(struct pol_err *err)
{
	static const char *const dirs[] = { "", "/maps", "/links", "/progs" };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		(void)snprintf(path, sizeof(path), POL_STORE_NEW "%s", dirs[i]);
		if (mkdir(path, 0700) < 0)
			return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make '%s'", path);
	}
	return 0;
}

static int pin_all(struct pol_engine *engine, struct pol_err *err)
{
	const struct bpf_object_skeleton *skeleton = engine->skel->skeleton;
	int r = make_store(err);

	for (size_t i = 0; i < POL_MAPS_CNT && !r; i++)
		r = pin_fd(engine->maps[i], "maps", pol_map_name((enum pol_map_nr)i), err);
	for (size_t i = 0; i < POL_PROGS_CNT && !r; i++)
		if (engine->progs[i] >= 0)
			r = pin_fd(engine->progs[i], "progs", pol_prog_name((enum pol_prog_nr)i),
				   err);
	for (size_t i = 0; i < POL_PROGS_CNT && !r; i++)
		if (engine->links[i] >= 0)
			r = pin_fd(engine->links[i], "links", pol_prog_name((enum pol_prog_nr)i),
				   err);
	for (size_t i = 0; i < (size_t)skeleton->prog_cnt && !r; i++)
		if (*skeleton->progs[i].link)
			r = pin_fd(bpf_link__fd(*skeleton->progs[i].link), "links",
				   skeleton->progs[i].name, err);
	return r;
}

int pol_engine_pin(struct pol_engine *engine, struct pol_err *err)
{
	int r = pin_all(engine, err);

	if (r < 0)
		(void)pol_engine_sweep();
	return r;
}
