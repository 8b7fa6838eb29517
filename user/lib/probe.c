/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base.h"
#include "host.h"
#include "probe_child.h"
#include "ring.h"

/**
 * struct pol_prober - @instance: its programs and maps. @whom: shared with the programs. @rings:
 * pol_rings. @pid, @sock: of the probe.
 */
struct pol_prober {
	struct pol_engine *instance;
	struct pol_probe *whom;
	struct pol_ring rings[POL_RINGS_CNT];
	struct pol_probe_answer one; /* of one right */
	pid_t pid;
	int sock;
};

/* What a right is for: how its hook names it where it is looked up, and whether of the name itself. */
static const struct use {
	uint32_t right;
	uint32_t op_hook;
	bool last;
} uses[] = {
	{ POL_RIGHT_READ, POL_OP_HOOK(OPEN, FILE_OPEN), false },
	{ POL_RIGHT_WRITE, POL_OP_HOOK(OPEN, FILE_OPEN), false },
	{ POL_RIGHT_EXECUTE, POL_OP_HOOK(EXEC, FILE_OPEN), false },
	{ POL_RIGHT_LIST, POL_OP_HOOK(OPEN, FILE_OPEN), false },
	{ POL_RIGHT_CREATE, POL_OP_HOOK(CREATE, PATH_MKNOD), true },
	{ POL_RIGHT_DELETE, POL_OP_HOOK(UNLINK, PATH_UNLINK), true },
	{ POL_RIGHT_RENAME, POL_OP_HOOK(RENAME, PATH_RENAME), true },
	{ POL_RIGHT_LINK, POL_OP_HOOK(LINK, PATH_LINK), true },
	{ POL_RIGHT_TRUNCATE, POL_OP_HOOK(TRUNCATE, PATH_TRUNCATE), false },
	{ POL_RIGHT_METADATA, POL_OP_HOOK(CHMOD, PATH_CHMOD), false },
	{ POL_RIGHT_IOCTL, POL_OP_HOOK(IOCTL, FILE_IOCTL), false },
	{ POL_RIGHT_CONNECT, POL_OP_HOOK(CONNECT, UNIX_STREAM_CONNECT), false },
};
_Static_assert(ARRAY_SIZE(uses) == POL_RIGHTS_CNT, "a use for each right");

/* ------------------------------------------------------------------ one attempt */

/* Return: 0 and @ret; -EIO: the probe has died. */
static int hear(struct pol_prober *prober, struct pol_try_answer *ret)
{
	ssize_t n;

	do
		n = recv(prober->sock, ret, sizeof(*ret), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

static int attempt(struct pol_prober *prober, enum pol_try what, bool scratch, const char *path,
		   struct pol_try_answer *ret)
{
	struct pol_try_request request = { .what = what, .scratch = scratch };

	if (strlen(path) >= sizeof(request.path))
		return -ENAMETOOLONG;
	memcpy(request.path, path, strlen(path));
	if (send(prober->sock, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return -EIO;
	return hear(prober, ret);
}

struct taken {
	struct pol_event_view *view;
	int cnt;
};

/*
 * The first is the answer. Refusals have the first ring: in audit what would be refused is told before
 * what may be done. And an operation is told twice of which the policy wants to be told.
 */
static int take(void *arg, uint64_t start, uint64_t end, const void *data, size_t len)
{
	struct taken *taken = arg;

	(void)start;
	(void)end;
	if (taken->cnt)
		return 0;
	taken->cnt = 1;
	return pol_event_decode(data, len, taken->view);
}

/* Return: 1: there was a record; 0: none; negative errno. */
static int read_record(struct pol_prober *prober, struct pol_event_view *ret)
{
	struct taken taken = { .view = ret };
	int r = 0;

	for (size_t i = 0; i < POL_RINGS_CNT && r >= 0; i++)
		r = pol_ring_read(&prober->rings[i], POL_RING_CONSUME, take, &taken);
	return r < 0 ? r : taken.cnt;
}

/* @look: 0: what is done is judged. */
static void set_whom(struct pol_prober *prober, uint32_t guest, uint32_t look, uint32_t op_hook,
		     bool device)
{
	prober->whom->guest = guest;
	prober->whom->look = look;
	prober->whom->op_hook = op_hook;
	prober->whom->device = device;
}

/* ------------------------------------------------------------------ which attempt */

/* What is at the path. @err: positive errno, 0: it is there. */
struct object {
	const char *path;
	int err;
	mode_t mode;
};

static bool ends_in_slash(const char *path)
{
	size_t len = strlen(path);

	return len > 1 && path[len - 1] == '/';
}

/* How a right is tried on an object of this kind. Return: false: there is no way to. */
static bool choose(uint32_t right, const struct object *object, enum pol_try *ret)
{
	bool is_dir = !object->err && S_ISDIR(object->mode);

	if (right == POL_RIGHT_CREATE) {
		*ret = ends_in_slash(object->path) ? POL_TRY_MKDIR : POL_TRY_CREATE;
		return object->err;
	}
	if (object->err)
		return false;
	switch (right) {
	case POL_RIGHT_READ:
		*ret = POL_TRY_OPEN_READ;
		return true;
	case POL_RIGHT_WRITE:
		*ret = POL_TRY_OPEN_WRITE;
		return true;
	case POL_RIGHT_LIST:
		*ret = POL_TRY_OPEN_DIR;
		return true;
	case POL_RIGHT_DELETE:
		*ret = is_dir ? POL_TRY_RMDIR : POL_TRY_UNLINK;
		return true;
	case POL_RIGHT_RENAME:
		*ret = POL_TRY_RENAME;
		return true;
	}
	return false;
}

/* The same right where nothing is done: by the hooks' own look-up, on what is there or would be. */
static int look(struct pol_prober *prober, uint32_t guest, const struct use *use,
		const struct object *object, struct pol_probe_answer *ret, struct pol_err *err)
{
	uint32_t wanted = use->right == POL_RIGHT_CREATE ? POL_RIGHT_CREATE | POL_RIGHT_WRITE :
							   use->right;
	bool device = use->right & (POL_RIGHT_READ | POL_RIGHT_WRITE | POL_RIGHT_IOCTL) &&
		      !object->err && (S_ISCHR(object->mode) || S_ISBLK(object->mode));
	struct pol_try_answer answer;
	enum pol_try what = POL_TRY_LOOK_FOR;
	int r;

	if (!object->err)
		what = use->last ? POL_TRY_LOOK_LAST : POL_TRY_LOOK;
	set_whom(prober, guest, wanted, use->op_hook, device);
	r = attempt(prober, what, false, object->path, &answer);
	if (!r)
		r = read_record(prober, &ret->view);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "the probe has failed");
	if (!r) /* the later: what is missing on a read-only mount cannot be asked for */
		return pol_err_set(err, POL_ERR_FAILED, -(answer.err ? answer.err : object->err),
				   "cannot look at '%s'", object->path);
	ret->wanted = wanted;
	if (device || ret->view.access.access == wanted)
		return 0;
	return pol_err_say(err, POL_ERR_HOST, -ENOTSUP,
			   "the probe's programs are not called in their order");
}

static int find(struct pol_prober *prober, const struct use *use, const char *path,
		struct object *ret, struct pol_err *err)
{
	struct pol_try_answer answer = {};
	int r;

	set_whom(prober, POL_GUEST_ENGINE, 0, 0, false);
	r = attempt(prober, use->last ? POL_TRY_FIND_LAST : POL_TRY_FIND, false, path, &answer);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot look at '%s'", path);
	*ret = (struct object){ .path = path, .err = answer.err, .mode = answer.mode };
	return 0;
}

static int ask_one(struct pol_prober *prober, uint32_t guest, const struct use *use,
		   const char *path, struct pol_probe_answer *ret, struct pol_err *err)
{
	struct pol_try_answer answer = {};
	struct object object = {};
	enum pol_try what;
	int r = find(prober, use, path, &object, err);

	if (r < 0)
		return r;
	ret->kernel = object.err;
	if (choose(use->right, &object, &what)) {
		set_whom(prober, guest, 0, 0, false);
		r = attempt(prober, what, false, path, &answer);
		if (!r)
			r = read_record(prober, &ret->view);
		if (r < 0)
			return pol_err_set(err, POL_ERR_FAILED, r, "the probe has failed");
		ret->kernel = r ? 0 : answer.err;
		ret->wanted = use->right;
		if (r)
			return 0;
	}
	return look(prober, guest, use, &object, ret, err);
}

int pol_prober_ask(struct pol_prober *prober, uint32_t guest, uint32_t rights, const char *path,
		   struct pol_probe_answer *ret, struct pol_err *err)
{
	struct pol_probe_answer *one = &prober->one;
	uint32_t wanted = 0;
	bool first = true;
	int r;

	if (!prober->instance->control->active)
		return pol_err_say(err, POL_ERR_HOST, -ESTALE,
				   "the engine was unloaded; nothing is confined");
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		if (!(rights & uses[i].right))
			continue;
		r = ask_one(prober, guest, &uses[i], path, one, err);
		if (r < 0)
			return r;
		wanted |= one->wanted;
		if (!first && !pol_probe_allows(ret)) {
			ret->view.access.missing |=
				pol_probe_allows(one) ? 0 : one->view.access.missing;
			continue;
		}
		if (first || !pol_probe_allows(one))
			*ret = *one;
		first = false;
	}
	ret->wanted = wanted;
	return 0;
}

/* ------------------------------------------------------------------ its beginning */

/*
 * On files of the probe's own, everything that it will do to others: nothing may succeed. Of nobody's
 * (@guest 0) the walls refuse it; of a guest without a rule the hooks, which come before them.
 */
static int try_all(struct pol_prober *prober, uint32_t guest, int want, struct pol_err *err)
{
	static const struct {
		enum pol_try what;
		const char *path;
		bool look;
	} all[] = {
		{ POL_TRY_OPEN_READ, "file", false }, { POL_TRY_OPEN_WRITE, "file", false },
		{ POL_TRY_OPEN_DIR, "dir", false },   { POL_TRY_CREATE, "new", false },
		{ POL_TRY_MKDIR, "new", false },      { POL_TRY_RENAME, "file", false },
		{ POL_TRY_UNLINK, "file", false },    { POL_TRY_RMDIR, "dir", false },
		{ POL_TRY_LOOK, "file", true },	      { POL_TRY_LOOK_LAST, "file", true },
		{ POL_TRY_LOOK_FOR, "new", true },
	};
	struct pol_try_answer answer;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		set_whom(prober, guest, all[i].look ? POL_RIGHT_READ : 0, POL_OP_HOOK(OPEN, FILE_OPEN),
			 false);
		r = attempt(prober, all[i].what, true, all[i].path, &answer);
		if (r < 0)
			return pol_err_set(err, POL_ERR_FAILED, r, "the probe has failed");
		if (answer.err == want)
			continue;
		return pol_err_say(err, POL_ERR_HOST, -ENOTSUP,
				   "the kernel does not refuse what the probe does (attempt %zu: %s)",
				   i, answer.err ? strerror(answer.err) : "done");
	}
	return 0;
}

static int start(struct pol_prober *prober, struct pol_err *err)
{
	struct pol_try_answer ready = {};
	int r;

	r = prober->pid = pol_probe_start(&prober->sock);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot start the probe");
	r = hear(prober, &ready);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "the probe has failed");
	if (!ready.err)
		return 0;
	r = pol_err_set(err, POL_ERR_HOST, -ready.err, "cannot give the probe a mount namespace");
	return r == -EINVAL ? pol_err_fix(err, "run it where '/' is a mount, not in a chroot") : r;
}

static int begin(struct pol_prober *prober, struct pol_err *err)
{
	int r = start(prober, err);

	if (r < 0)
		return r;
	prober->whom->tgid = (uint32_t)prober->pid;
	r = try_all(prober, POL_GUEST_ENGINE, POL_PROBE_ERR, err);
	if (!r)
		r = try_all(prober, POL_GUEST_PROBE, EACCES, err);
	return r;
}

int pol_prober_new(struct pol_engine *instance, struct pol_prober **ret, struct pol_err *err)
{
	_cleanup_(pol_prober_freep) struct pol_prober *prober = calloc(1, sizeof(*prober));
	int r;

	if (!prober) {
		pol_engine_close(instance);
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot start the probe");
	}
	prober->instance = instance;
	for (size_t i = 0; i < POL_RINGS_CNT; i++)
		prober->rings[i] = (struct pol_ring)POL_RING_INIT;
	prober->sock = -EBADF;
	r = pol_engine_probe_attach(instance, &prober->whom, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < POL_RINGS_CNT && !r; i++)
		r = pol_ring_open(instance->maps[pol_rings[i]], &prober->rings[i]);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map the probe's rings");
	r = begin(prober, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(prober);
	return 0;
}

int pol_prober_open(const struct pol_engine *loaded, struct pol_prober **ret, struct pol_err *err)
{
	struct pol_engine *instance;
	struct pol_host host;
	int r = pol_host_require_probe(&host, err);

	if (!r)
		r = pol_engine_create_probe(&host, loaded, &instance, err);
	return r ? r : pol_prober_new(instance, ret, err);
}

/* Once it is reaped its number can be anybody's: before that, the programs are told of none. */
static void end_probe(struct pol_prober *prober)
{
	siginfo_t info;

	pol_closep(&prober->sock); /* then it ends */
	if (prober->pid <= 0)
		return;
	while (waitid(P_PID, (id_t)prober->pid, &info, WEXITED | WNOWAIT | __WALL) < 0 &&
	       errno == EINTR)
		;
	if (prober->whom)
		__atomic_store_n(&prober->whom->tgid, 0, __ATOMIC_SEQ_CST);
	while (waitpid(prober->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

void pol_prober_free(struct pol_prober *prober)
{
	if (!prober)
		return;
	end_probe(prober);
	for (size_t i = 0; i < POL_RINGS_CNT; i++)
		pol_ring_close(&prober->rings[i]);
	if (prober->whom)
		(void)munmap(prober->whom, sizeof(*prober->whom));
	pol_engine_close(prober->instance);
	free(prober);
}

void pol_prober_freep(struct pol_prober **prober)
{
	pol_prober_free(*prober);
}
