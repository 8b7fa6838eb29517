/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An instance of the programs for a probe alone: which of them, on which maps, in which order. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base.h"
#include "engine.h"
#include "engine_int.h"
#include "policy_bpf.skel.h"

/* In the order of their attachment: the kernel calls the last one first (bpf/probe.bpf.c). */
#define WALLS(X)                                                                                   \
	X(pol_wall_open)                                                                           \
	X(pol_wall_mknod)                                                                          \
	X(pol_wall_mkdir)                                                                          \
	X(pol_wall_unlink)                                                                         \
	X(pol_wall_rmdir)                                                                          \
	X(pol_wall_rename)
#define HOOKS(X)                                                                                   \
	X(pol_file_open)                                                                           \
	X(pol_path_mknod)                                                                          \
	X(pol_path_mkdir)                                                                          \
	X(pol_path_unlink)                                                                         \
	X(pol_path_rmdir)                                                                          \
	X(pol_path_rename)
#define LOOKS(X)                                                                                   \
	X(pol_look_at)                                                                             \
	X(pol_look_for)

/* What says who may do what, of the engine that is asked about. */
#define JUDGED_BY(X)                                                                               \
	X(CONTROL, control)                                                                        \
	X(CGROUPS, cgroups)                                                                        \
	X(TASKS, tasks)                                                                            \
	X(GUESTS, guests)                                                                          \
	X(DIRS, dirs)                                                                              \
	X(NAMES_32, names_32)                                                                      \
	X(NAMES_64, names_64)                                                                      \
	X(NAMES_LONG, names_long)

#define RING_SIZE (256u << 10) /* a record or two at a time */

static void choose_programs(struct policy_bpf *skel, const struct pol_host *host)
{
	for (size_t i = 0; i < (size_t)skel->skeleton->prog_cnt; i++)
		bpf_program__set_autoload(*skel->skeleton->progs[i].prog, false);
#define X(name) bpf_program__set_autoload(skel->progs.name, true);
	WALLS(X) HOOKS(X) LOOKS(X) X(pol_anchor)
#undef X
	skel->rodata->pol_rename_lock = host->rename_lock;
	skel->rodata->pol_unlabelled = POL_UNLABELLED_PROBE;
}

/* Counters and rings are its own, and small where nothing comes. */
static int choose_maps(struct policy_bpf *skel, const struct pol_engine *loaded)
{
	struct bpf_map *const unused[] = { skel->maps.files, skel->maps.owners, skel->maps.exits,
					   skel->maps.ends };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(unused) && !r; i++)
		r = bpf_map__set_max_entries(unused[i], 1);
	if (!r)
		r = bpf_map__set_max_entries(skel->maps.ring, RING_SIZE);
	if (!r)
		r = bpf_map__set_max_entries(skel->maps.chat, RING_SIZE);
	if (!loaded)
		return r ? r : bpf_map__set_max_entries(skel->maps.tasks, 1);
#define X(nr, name)                                                                                \
	if (!r)                                                                                    \
		r = bpf_map__reuse_fd(skel->maps.name, loaded->maps[POL_MAP_##nr]);
	JUDGED_BY(X)
#undef X
	return r;
}

/* ------------------------------------------------------------------ the same programs */

static int tag_of(int fd, unsigned char tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &len);

	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return r;
}

/* Of what is attached for the engine under this name. */
static int attached_tag(const char *name, unsigned char tag[BPF_TAG_SIZE])
{
	_cleanup_close_ int link = -EBADF, prog = -EBADF;
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char path[256];
	int r;

	(void)snprintf(path, sizeof(path), POL_STORE "/links/%s", name);
	link = bpf_obj_get(path);
	if (link < 0)
		return link;
	r = bpf_obj_get_info_by_fd(link, &info, &len);
	if (r < 0)
		return r;
	prog = bpf_prog_get_fd_by_id(info.prog_id);
	return prog < 0 ? prog : tag_of(prog, tag);
}

/* The kernel's digest of the instructions says that what answers is what decides. */
static int check_same(const struct bpf_program *prog, struct pol_err *err)
{
	unsigned char ours[BPF_TAG_SIZE], theirs[BPF_TAG_SIZE];
	const char *name = bpf_program__name(prog);
	int r = attached_tag(name, theirs);

	if (!r)
		r = tag_of(bpf_program__fd(prog), ours);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at the program '%s'", name);
	if (memcmp(ours, theirs, BPF_TAG_SIZE) == 0)
		return 0;
	pol_err_say(err, POL_ERR_HOST, -EPROTO,
		    "the loaded engine's program '%s' is not this policyctl's: another build", name);
	return pol_err_fix(err, "use the policyctl that loaded it, or 'policyctl unload' and load "
				"with this one");
}

static int check_programs(const struct policy_bpf *skel, struct pol_err *err)
{
	int r = 0;

#define X(name)                                                                                    \
	if (!r)                                                                                    \
		r = check_same(skel->progs.name, err);
	HOOKS(X)
#undef X
	return r;
}

/* ------------------------------------------------------------------ */

int pol_engine_create_probe(const struct pol_host *host, const struct pol_engine *loaded,
			    struct pol_engine **ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = pol_engine_new();
	int r;

	if (!engine)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot load the probe");
	engine->skel = policy_bpf__open();
	if (!engine->skel)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot open the programs");
	choose_programs(engine->skel, host);
	r = choose_maps(engine->skel, loaded);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot set up the probe's maps");
	r = pol_skel_load(engine->skel, err);
	if (!r)
		r = pol_skel_take(engine->skel, engine, err);
	if (!r)
		r = pol_engine_map(engine, err);
	if (!r && loaded)
		r = check_programs(engine->skel, err);
	if (r < 0)
		return r;
	if (!loaded)
		engine->control->abi = POL_ABI_VERSION;
	*ret = TAKE_PTR(engine);
	return 0;
}

static int attach(struct bpf_program *prog, struct bpf_link **link, struct pol_err *err)
{
	*link = bpf_program__attach(prog);
	if (*link)
		return 0;
	return pol_err_set(err, POL_ERR_HOST, -errno, "cannot attach the program '%s'",
			   bpf_program__name(prog));
}

int pol_engine_probe_attach(const struct pol_engine *engine, struct pol_probe **ret,
			    struct pol_err *err)
{
	struct policy_bpf *skel = engine->skel;
	int r = 0;
	void *at;

#define X(name)                                                                                    \
	if (!r)                                                                                    \
		r = attach(skel->progs.name, &skel->links.name, err);
	WALLS(X) HOOKS(X) LOOKS(X)
#undef X
	if (r < 0)
		return r;
	at = mmap(NULL, sizeof(struct pol_probe), PROT_READ | PROT_WRITE, MAP_SHARED,
		  bpf_map__fd(skel->maps.probe), 0);
	if (at == MAP_FAILED)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot map the probe");
	*ret = at;
	return 0;
}
