/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl run: start a program as a guest and be its parent. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "ceilings_only.h"
#include "ctl.h"
#include "enter.h"
#include "launch.h"
#include "members_refresh.h"
#include "ownroot.h"
#include "run_map.h"
#include "run_parent.h"
#include "run_path.h"
#include "run_shadow.h"
#include "run_user.h"
#include "tmpdir.h"

#define KEEP_MAX 64

static const char run_help[] =
	"Usage: policyctl run GUEST [OPTION]... -- CMD [ARG]...\n"
	"       policyctl run --ceilings-only --policy FILE GUEST [OPTION]... -- CMD [ARG]...\n"
	"\n"
	"Start CMD as that guest: born in its cgroup, confined before its first instruction, with\n"
	"descriptors 0 to 2 only; with tmp = \"private\", with a /tmp and /var/tmp of its own; with\n"
	"guest_path in its rules, or --map, in a root of its own. Exits with CMD's status, or 128 + the\n"
	"signal that ended it.\n"
	"\n"
	"  --map HOST:GUEST[:ro] HOST is seen at GUEST, in a root with nothing else but what the rules\n"
	"                      are on; it grants nothing; ro: read-only whatever the rules say; may be\n"
	"                      repeated\n"
	"  --shadow PATH=FD[:x]\n"
	"                      CMD gets a sealed snapshot of PATH as its descriptor FD, to be mapped, with\n"
	"                      :x also executed; PATH lies in the guest's shadow.paths; may be repeated\n"
	"  --shadow-max SIZE   no larger one: at most 512MiB, and the policy's max_size\n"
	"  --shadow-budget SIZE\n"
	"                      no more of them together: at most the policy's budget\n"
	"  --keep-fd N         CMD gets descriptor N, too; may be repeated\n"
	"  --user USER[:GROUP] CMD runs as this user\n"
	"  --no-new-privs      set-user-ID programs and file capabilities have no effect\n"
	"  --in-place          in the present cgroup, a member of the guest's, and as the same\n"
	"                      process: policyctl becomes CMD; for ExecStart= of a unit\n"
	"  --ceilings-only     for who can't load programs: only the guest's limits, by a systemd\n"
	"                      scope; files are not confined\n"
	"  --policy FILE       with --ceilings-only: the policy\n"
	"  --help              this text\n"
	"\n"
	"Exit status: 125 policyctl itself failed, 126 CMD cannot be executed, 127 not found.\n";

struct run_command {
	const char *guest;
	const char *policy;
	bool ceilings_only;
	bool in_place;
	char **argv;
	int keep[KEEP_MAX];
	size_t keep_cnt;
	struct run_user user;
	struct pol_launch launch;
	struct pol_map maps[RUN_MAPS_MAX];
	size_t maps_cnt;
	struct run_shadows shadows;
	struct pol_own_root root; /* where it starts, if it has one of its own */
	char *tmp; /* with tmp = "private": the directory, */
	int tmp_lock; /* and what keeps it as it is until the guest is there */
	bool help;
};

static void run_command_done(struct run_command *command)
{
	for (size_t i = 0; i < command->maps_cnt; i++)
		pol_map_done(&command->maps[i]);
	run_shadows_done(&command->shadows);
	pol_own_root_close(&command->root);
	free(command->tmp);
	pol_closep(&command->tmp_lock);
}

static int fail(const struct pol_err *err)
{
	(void)ctl_fail("run", err);
	return EXIT_OURS;
}

#define usage(...) (ctl_usage("run", __VA_ARGS__), EXIT_OURS)

/* ------------------------------------------------------------------ options */

static int add_keep(struct run_command *command, const char *text)
{
	int64_t fd = ctl_number(text, INT_MAX);

	if (fd < 0)
		return usage("--keep-fd takes the number of a descriptor, not '%s'", text);
	if (command->keep_cnt == KEEP_MAX)
		return usage("--keep-fd can be given %d times", KEEP_MAX);
	if (fcntl((int)fd, F_GETFD) < 0)
		return usage("--keep-fd: descriptor %s is not open", text);
	command->keep[command->keep_cnt++] = (int)fd;
	return 0;
}

static int add_map(struct run_command *command, const char *text)
{
	struct pol_err err = {};

	if (command->maps_cnt == RUN_MAPS_MAX)
		return usage("--map can be given %d times", RUN_MAPS_MAX);
	if (run_map_parse(text, &command->maps[command->maps_cnt], &err) < 0)
		return fail(&err);
	command->maps_cnt++;
	return 0;
}

static int add_shadow(struct run_command *command, const char *text)
{
	struct pol_err err = {};

	return run_shadows_add(&command->shadows, text, &err) < 0 ? fail(&err) : 0;
}

static int bound_shadows(const char *name, const char *text, uint64_t most, uint64_t *ret)
{
	struct pol_err err = {};
	bool clamped;

	if (run_shadows_size(name, text, most, ret, &clamped, &err) < 0)
		return fail(&err);
	if (clamped)
		fprintf(stderr, "policyctl run: warning: %s %s is more than 512MiB, which no snapshot may "
				"exceed: it is 512MiB\n",
			name, text);
	return 0;
}

static int set_user(struct run_command *command, const char *text)
{
	struct pol_err err = {};

	if (run_user_parse(text, &command->user, &err) < 0)
		return fail(&err);
	command->launch.set_user = true;
	return 0;
}

static int parse(int argc, char **argv, struct run_command *ret)
{
	static const struct option options[] = {
		{ "map", required_argument, NULL, 'm' },
		{ "shadow", required_argument, NULL, 's' },
		{ "shadow-max", required_argument, NULL, 'S' },
		{ "shadow-budget", required_argument, NULL, 'B' },
		{ "keep-fd", required_argument, NULL, 'k' },
		{ "user", required_argument, NULL, 'u' },
		{ "no-new-privs", no_argument, NULL, 'n' },
		{ "in-place", no_argument, NULL, 'i' },
		{ "ceilings-only", no_argument, NULL, 'c' },
		{ "policy", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, r = 0;

	/* '+': what follows CMD is CMD's. GUEST comes first, so options stand after it. */
	if (argc > 1 && argv[1][0] != '-') {
		ret->guest = argv[1];
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	optind = 0;
	while (!r && (c = getopt_long(argc, argv, "+h", options, NULL)) >= 0) {
		if (c == 'm')
			r = add_map(ret, optarg);
		else if (c == 's')
			r = add_shadow(ret, optarg);
		else if (c == 'S')
			r = bound_shadows("--shadow-max", optarg, POL_SHADOW_SIZE_MAX,
					  &ret->shadows.max_size);
		else if (c == 'B')
			r = bound_shadows("--shadow-budget", optarg, 0, &ret->shadows.budget);
		else if (c == 'k')
			r = add_keep(ret, optarg);
		else if (c == 'u')
			r = set_user(ret, optarg);
		else if (c == 'n')
			ret->launch.no_new_privs = true;
		else if (c == 'i')
			ret->in_place = true;
		else if (c == 'c')
			ret->ceilings_only = true;
		else if (c == 'p')
			ret->policy = optarg;
		else if (c == 'h')
			ret->help = true;
		else
			r = usage("that option is not known");
	}
	if (r || ret->help)
		return r;
	if (ret->ceilings_only != !!ret->policy)
		return usage("--ceilings-only and --policy FILE go together");
	if (ret->ceilings_only && ret->in_place)
		return usage("--in-place needs the engine: not with --ceilings-only");
	for (size_t i = 0; i < ret->keep_cnt; i++)
		if (run_shadows_has(&ret->shadows, ret->keep[i]))
			return usage("descriptor %d cannot be both kept and a shadow", ret->keep[i]);
	if (ret->shadows.cnt && ret->ceilings_only)
		return usage("--shadow needs the engine: not with --ceilings-only");
	if (ret->maps_cnt && (ret->ceilings_only || ret->in_place))
		return usage("--map needs a root that is made for CMD: not with %s",
			     ret->in_place ? "--in-place" : "--ceilings-only");
	if (!ret->guest && optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		ret->guest = argv[optind++];
		if (optind < argc && strcmp(argv[optind], "--") == 0)
			optind++; /* getopt(3) has stopped at GUEST, before it */
	}
	if (!ret->guest || optind >= argc)
		return usage("name a guest and, after '--', a command");
	ret->argv = argv + optind;
	return 0;
}

/* ------------------------------------------------------------------ what failed */

/* Was it the policy? Its counter of refusals says; and which rule lacks is one line to add. */
static int explain_exec(const struct run_command *command, const char *path, int code,
			bool refused)
{
	fprintf(stderr, "policyctl run: error: '%s' cannot be executed: %s\n", path,
		strerror(-code));
	if (code == -ENOENT && command->launch.root)
		fputs("   fix: its loader, or a script's interpreter, is not in the guest's root: a rule "
		      "on\n        it, or --map, puts it there (/lib64, /lib, /usr)\n",
		      stderr);
	if (refused && command->launch.root)
		fprintf(stderr,
			"   fix: the policy of guest '%s' refuses it; what is at '%s' in the guest's root "
			"needs a rule with rx\n",
			command->guest, path);
	else if (refused)
		fprintf(stderr,
			"   fix: the policy of guest '%s' refuses it; a rule to add: { path = \"%s\", "
			"access = \"rx\" }\n"
			"        (or the refused object was its interpreter or, with inherited_fds = "
			"\"refuse\",\n"
			"        a descriptor that it was given: 'policyctl events' names it)\n",
			command->guest, path);
	return EXIT_CANNOT_EXEC;
}

static int explain_launch(const struct run_command *command, const char *path, int code,
			  enum pol_launch_step step, bool refused)
{
	struct pol_err err = {};

	switch (step) {
	case POL_LAUNCH_EXEC:
		return explain_exec(command, path, code, refused);
	case POL_LAUNCH_CLONE:
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot start a task in guest '%s'",
			    command->guest);
		if (code == -EAGAIN)
			(void)pol_err_fix(&err, "its task ceiling is reached (limits.pids)");
		break;
	case POL_LAUNCH_LABEL:
		pol_err_set(&err, POL_ERR_FAILED, code,
			    "the kernel gave a task of guest '%s' no label, not started",
			    command->guest);
		(void)pol_err_fix(&err, "try again; before 6.2 other tasks can hold labels up");
		break;
	case POL_LAUNCH_DESCRIPTORS:
		pol_err_set(&err, POL_ERR_FAILED, code,
			    "inherited descriptors cannot be closed, not started");
		(void)pol_err_fix(&err, "close_range(2) or /proc is needed");
		break;
	case POL_LAUNCH_TMP:
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot make the private /tmp of guest '%s'",
			    command->guest);
		(void)pol_err_fix(&err, "it takes CAP_SYS_ADMIN, for unshare(2) and mount(2)");
		break;
	case POL_LAUNCH_ROOT:
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot enter the root of guest '%s'",
			    command->guest);
		(void)pol_err_fix(&err, "it takes CAP_SYS_ADMIN and CAP_SYS_CHROOT");
		break;
	case POL_LAUNCH_PLACE:
		pol_err_say(&err, POL_ERR_FAILED, code,
			    "who was to make '%s' guest '%s' has died, not started", path,
			    command->guest);
		break;
	case POL_LAUNCH_USER:
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot become the user");
		break;
	default:
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot start '%s'", path);
	}
	return fail(&err);
}

static void fill_launch(struct run_command *command, const char *path)
{
	command->launch.path = path;
	command->launch.argv = command->argv;
	command->launch.envp = environ;
	command->launch.keep_fds = command->keep;
	command->launch.keep_fds_cnt = command->keep_cnt;
	command->launch.placed = command->shadows.placed;
	command->launch.placed_cnt = command->shadows.cnt;
	command->launch.uid = command->user.uid;
	command->launch.gid = command->user.gid;
	command->launch.groups = command->user.groups;
	command->launch.groups_cnt = command->user.groups_cnt;
	command->launch.root = command->root.in.root >= 0 ? &command->root.in : NULL;
}

static uid_t uid_of(const struct run_command *command)
{
	return command->launch.set_user ? command->user.uid : geteuid();
}

static gid_t gid_of(const struct run_command *command)
{
	return command->launch.set_user ? command->user.gid : getegid();
}

static int take_tmp(const struct pol_engine *engine, const struct pol_meta *meta,
		    const struct pol_meta_guest *guest, struct run_command *command,
		    struct pol_err *err)
{
	int r;

	if (!pol_tmp_has(guest))
		return 0;
	command->tmp = pol_tmp_path(guest->name);
	if (!command->tmp)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot run '%s'", guest->name);
	if (command->root.in.root < 0) /* else it is mounted there already */
		command->launch.tmp = command->tmp;
	r = command->tmp_lock = pol_tmp_enter(engine, meta, guest, uid_of(command), gid_of(command),
					      err);
	return r < 0 ? r : 0;
}

/* The root that CMD starts in, if it is one of its own. */
static int take_root(struct pol_engine *engine, struct run_command *command, struct pol_err *err)
{
	int r = 0;

	for (size_t i = 0; i < command->maps_cnt && !r; i++)
		r = pol_map_find(&command->maps[i], err);
	if (!r)
		r = pol_own_root_open(engine, command->guest, command->maps, command->maps_cnt,
				      uid_of(command), gid_of(command), &command->root, err);
	return r;
}

static int run_in(const struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup,
		  struct run_command *command, const char *path)
{
	enum pol_launch_step step;
	uint64_t refused;
	sigset_t before;
	pid_t pid;
	int r;

	fill_launch(command, path);
	refused = engine->states[guest->id].denials;
	run_hold_signals(&before);
	r = pol_launch(engine, guest, cgroup, &command->launch, &pid, &step);
	pol_own_root_close(&command->root);
	pol_closep(&command->tmp_lock);
	command->tmp_lock = -EBADF;
	pol_engine_unuse(engine);
	if (r < 0)
		return explain_launch(command, path, r, step,
				      engine->states[guest->id].denials != refused);
	run_forward_signals(pid, &before);
	if (guest->limits.kill)
		run_kill_when_exceeded(engine, guest->id, pid);
	r = run_wait_for(pid);
	if (command->tmp)
		pol_tmp_leave(guest->name);
	return r;
}

static int find_and_run(struct run_command *command)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int cgroup = -EBADF;
	_cleanup_free_ char *path = NULL;
	const struct pol_meta_guest *guest;
	struct pol_diags diags = {};
	struct pol_err err = {};
	int status = 0, r;

	r = pol_engine_open(&engine, &err);
	if (!r)
		r = run_shadows_make(engine, command->guest, &command->shadows, &err);
	if (!r)
		r = take_root(engine, command, &err);
	if (!r)
		r = pol_own_root_enter(engine, command->guest, &command->root, &diags, &meta,
				       &guest, &cgroup, &err);
	if (r < 0) /* warnings alone would be in CMD's own output */
		ctl_print_diags(&diags, false);
	pol_diags_done(&diags);
	if (r < 0)
		return fail(&err);
	path = run_find_program(command->root.in.root, command->argv[0], &status);
	if (!path)
		return status;
	if (take_tmp(engine, meta, guest, command, &err) < 0)
		return fail(&err);
	return run_in(engine, guest, cgroup, command, path);
}

/* ------------------------------------------------------------------ in place */

/* In the helper: what is to be said it says itself. */
static int adopt_here(pid_t pid, void *arg)
{
	const struct run_command *command = arg;
	struct pol_diags diags = {};
	struct pol_err err = {};
	int r = pol_members_adopt_here(command->guest, pid, &diags, &err);

	if (r < 0) {
		ctl_print_diags(&diags, false);
		(void)fail(&err);
	}
	pol_diags_done(&diags);
	return r;
}

static int make_shadows(struct run_command *command)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_err err = {};
	int r = command->shadows.cnt ? pol_engine_open(&engine, &err) : 0;

	if (!r)
		r = run_shadows_make(engine, command->guest, &command->shadows, &err);
	return r < 0 ? fail(&err) : 0;
}

static int become_program(struct run_command *command)
{
	_cleanup_free_ char *path = NULL;
	enum pol_launch_step step;
	int status = 0, r;
	bool may;

	path = run_find_program(-EBADF, command->argv[0], &status);
	if (!path)
		return status;
	status = make_shadows(command);
	if (status)
		return status;
	may = !access(path, X_OK);
	fill_launch(command, path);
	r = pol_launch_in_place(&command->launch, adopt_here, command, &step);
	if (step == POL_LAUNCH_PLACE && r != -ECHILD)
		return EXIT_OURS;
	return explain_launch(command, path, r, step, may);
}

/* ------------------------------------------------------------------ ceilings only */

struct placing {
	const struct ctl_ceilings *ceilings;
	struct pol_err err;
};

static int place(pid_t pid, void *arg)
{
	struct placing *placing = arg;
	int r = pol_scope_put(placing->ceilings->scope, pid, &placing->err);

	if (!r)
		ctl_ceilings_say_lacks("run", placing->ceilings);
	return r;
}

static int run_under_ceilings(struct run_command *command)
{
	_cleanup_(ctl_ceilings_done) struct ctl_ceilings ceilings = {};
	_cleanup_free_ char *path = NULL;
	struct placing placing = {};
	enum pol_launch_step step;
	int status = 0, r;
	sigset_t before;
	pid_t pid;

	if (ctl_ceilings_open("run", command->policy, command->guest, &ceilings))
		return EXIT_OURS;
	path = run_find_program(-EBADF, command->argv[0], &status);
	if (!path)
		return status;
	fill_launch(command, path);
	placing.ceilings = &ceilings;
	run_hold_signals(&before);
	r = pol_launch_placed(&ceilings.guest->limits, &command->launch, place, &placing, &pid,
			      &step);
	if (r < 0 && step == POL_LAUNCH_PLACE)
		return fail(&placing.err);
	if (r < 0)
		return explain_launch(command, path, r, step, false);
	run_forward_signals(pid, &before);
	return run_wait_for(pid);
}

int cmd_run(int argc, char **argv)
{
	_cleanup_(run_command_done) struct run_command command = {
		.tmp_lock = -EBADF,
		.root = POL_OWN_ROOT_NONE,
		.shadows = { .max_size = UINT64_MAX, .budget = UINT64_MAX },
	};
	int r = parse(argc, argv, &command);

	if (r)
		return r;
	if (command.help) {
		fputs(run_help, stdout);
		return 0;
	}
	if (command.in_place)
		return become_program(&command);
	return command.ceilings_only ? run_under_ceilings(&command) : find_and_run(&command);
}
