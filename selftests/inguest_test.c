/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules with in = "guest": resolved below the guest's own root when it starts or is attached
 * (policy-language.md, semantics 17). The guest is a container: a root of its own on tmpfs, with its
 * own /tmp, /proc and volumes of the host's.
 */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"

/*
 * Of the host: @root becomes the container's root, @vol and @ro are mounted in it, and /tmp at /host.
 * @links: symlinks in it, target and path.
 */
static struct {
	const char *root, *vol, *ro;
	const char *links[4][2];
	bool pidns;
} box;

static const char *const box_dirs[] = { "usr",	"lib",	"lib64", "etc",	  "selftests", "dev",  "proc",
					"data", "tmp",	"vol",	 "ro",	  "data/no",   "other",
					"sys",	"host",	  "bin", "sbin" };
static const char *const box_files[] = { "data/f", "data/no/f", "other/f", "tmp/f" };

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "box: %s: %s\n", what, strerror(errno));
	_exit(124);
}

static void bind(const char *from, const char *to)
{
	struct stat st;

	if (lstat(from, &st) || !S_ISDIR(st.st_mode))
		return; /* this root has it otherwise: a symlink into /usr */
	if (mount(from, text("%s%s", box.root, to), NULL, MS_BIND | MS_REC, NULL))
		die(to);
}

static void copy_link(const char *path)
{
	char target[256];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return;
	target[len] = 0;
	rmdir(text("%s%s", box.root, path));
	if (symlink(target, text("%s%s", box.root, path)))
		die(path);
}

/* The mounts of the container, and its root in the place of ours. */
static void make_mounts(void)
{
	static const char *const shared[] = { "/usr", "/lib", "/lib64", "/bin", "/sbin",
					      "/etc", "/selftests", "/dev", "/sys" };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("box", box.root, "tmpfs", 0, "mode=0755"))
		die("tmpfs");
	for (size_t i = 0; i < sizeof(box_dirs) / sizeof(*box_dirs); i++)
		if (mkdir(text("%s/%s", box.root, box_dirs[i]), 0755))
			die(box_dirs[i]);
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		bind(shared[i], shared[i]);
		copy_link(shared[i]);
	}
	if (mount("tmp", text("%s/tmp", box.root), "tmpfs", 0, NULL) ||
	    mount(box.vol, text("%s/vol", box.root), NULL, MS_BIND, NULL) ||
	    mount(box.ro, text("%s/ro", box.root), NULL, MS_BIND, NULL) ||
	    mount("/tmp", text("%s/host", box.root), NULL, MS_BIND, NULL) ||
	    mount("proc", text("%s/proc", box.root), "proc", 0, NULL))
		die("mounts");
	for (size_t i = 0; i < sizeof(box_files) / sizeof(*box_files); i++)
		if (write_file(text("%s/%s", box.root, box_files[i]), "x"))
			die(box_files[i]);
	for (int i = 0; box.links[i][0]; i++)
		if (symlink(box.links[i][0], text("%s%s", box.root, box.links[i][1])))
			die(box.links[i][1]);
	if (chdir(box.root) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("root");
}

/* probe_prepare: whoever execs next is in the container. With a pid namespace: its first process. */
static void enter_box(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWNS | (box.pidns ? CLONE_NEWPID : 0)))
		die("unshare");
	pid = box.pidns ? fork() : 0;
	if (pid < 0)
		die("fork");
	if (!pid)
		return make_mounts();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void make_box(bool pidns)
{
	const char *dir = scratch();

	box.pidns = pidns;
	box.root = make_dir(text("%s/root", dir));
	box.vol = make_dir(text("%s/vol", dir));
	box.ro = make_dir(text("%s/ro", dir));
	memset(box.links, 0, sizeof(box.links));
	make_file("/tmp/f", "x");
	make_file(text("%s/f", box.vol), "x");
	make_file(text("%s/f", box.ro), "x");
	make_dir(text("%s/sub", box.vol));
	probe_prepare = enter_box;
}

/* The container's first process as the host numbers it. */
static pid_t pid_in_box(const struct probe *p)
{
	char children[64] = "";

	if (!box.pidns)
		return p->pid;
	read_file(text("/proc/%d/task/%d/children", p->pid, p->pid), children, sizeof(children));
	return (pid_t)strtol(children, NULL, 10);
}

#define IN(path, access) "\t{ path = \"" path "\", access = \"" access "\", in = \"guest\" },\n"

/* What the payload needs lies in the same directories of host and container: the profile has it. */
#define BOX_RULES                                                                       \
	IN("/data", "rw")                                                               \
	IN("/data/no", "none") IN("/tmp", "rw") IN("/vol", "rw") IN("/ro/f", "ro")      \
		IN("/data/new", "rw") IN("/proc", "ro")

#define BOX(name) GUEST(name) FILES BOX_RULES END

/* Steps and what they meet in a container that is confined by BOX_RULES. */
static const struct step confined[] = {
	{ 0, { "open", "rw", "/data/f" } },
	{ EACCES, { "open", "r", "/data/no/f" } },
	{ EACCES, { "open", "r", "/other/f" } },
	{ EACCES, { "open", "rwc", "/other/new" } },
	{ 0, { "open", "rwc", "/data/new" } },
	{ 0, { "open", "rwc", "/tmp/new" } },
	{ 0, { "open", "rw", "/vol/f" } },
	{ 0, { "mkdir", "/vol/made" } },
	{ 0, { "open", "r", "/ro/f" } },
	{ EACCES, { "open", "rw", "/ro/f" } },
	{ EACCES, { "list", "/ro" } },
	{ EACCES, { "open", "r", "/host/f" } }, /* the host's /tmp/f */
	{ EACCES, { "open", "rwc", "/host/new" } },
	{ EACCES, { "list", "/" } },
	{ 0, { "list", "/data" } },
	{ 0, { "open", "r", "/proc/self/status" } },
	{ 0, { "open", "r", "/proc/meminfo" } },
	{ EACCES, { "open", "r", "/proc/kallsyms" } },
	{ EACCES, { "open", "w", "/proc/sysrq-trigger" } },
	{ EACCES, { "open", "w", "/proc/sys/kernel/hostname" } },
	{ EBUSY, { "rename", "/data/no", "/data/yes" } },
	{ EBUSY, { "rmdir", "/data/no" } },
};

/* The same with no policy: what is refused above is the policy's doing. */
static const struct step unconfined[] = {
	{ 0, { "open", "rw", "/data/f" } },	   { 0, { "open", "r", "/data/no/f" } },
	{ 0, { "open", "r", "/other/f" } },	   { 0, { "open", "rwc", "/other/new" } },
	{ 0, { "open", "rw", "/ro/f" } },	   { 0, { "list", "/ro" } },
	{ 0, { "list", "/" } },			   { 0, { "open", "r", "/proc/kallsyms" } },
	{ 0, { "open", "r", "/host/f" } },	   { 0, { "open", "rwc", "/host/f" } },
	{ 0, { "open", "w", "/proc/sysrq-trigger" } },
	{ 0, { "open", "w", "/proc/sys/kernel/hostname" } },
	{ 0, { "rename", "/data/no", "/data/yes" } },
	{ 0, { "rename", "/data/yes", "/data/no" } },
};

#define EXPECT_REFUSALS()                                                                      \
	do {                                                                                   \
		EXPECT_EVENT("type=violation", "guest.name=box", "verdict=denied",             \
			     "errno=EACCES", "reason=no_rule", "path$=/other/f");              \
		EXPECT_EVENT("type=violation", "guest.name=box", "reason=rule", "missing=read", \
			     "path$=/data/no/f");                                              \
		EXPECT_EVENT("type=violation", "guest.name=box", "reason=builtin",             \
			     "path$=/proc/kallsyms");                                          \
		EXPECT_EVENT("type=violation", "guest.name=box", "reason=anchor", "errno=EBUSY"); \
	} while (0)

TEST(run_in_a_container)
{
	make_box(false);
	ASSERT_LOAD(BOX("box"));
	EXPECT_BATCH(NULL, unconfined);
	probe_prepare = enter_box;
	events_forget();
	EXPECT_BATCH("box", confined);
	EXPECT_REFUSALS();
}

/* A payload that waits in a container; its first line has been read. */
static void start_box(struct probe *p, const struct step *steps, size_t cnt)
{
	static const char *words[200];
	size_t n = 0;

	words[n++] = "pause";
	for (size_t i = 0; i < cnt; i++)
		for (int k = 0; k < 6 && steps[i].words[k]; k++)
			words[n++] = steps[i].words[k];
	words[n] = NULL;
	probe_start(p, NULL, words);
	ASSERT_TRUE(probe_until(p, "paused") != NULL);
}

/* It goes on, and meets what is wanted. */
static void end_box(struct probe *p, const struct step *steps, size_t cnt)
{
	probe_go(p);
	EXPECT_STREQ("pause 0", probe_line(p));
	for (size_t i = 0; i < cnt; i++) {
		const char *want = text("%s %d", steps[i].words[0], steps[i].want);
		const char *got = probe_line(p);

		if (!got || strncmp(got, want, strlen(want)) != 0)
			FAIL("step %zu, %s %s: expected '%s', got '%s'", i, steps[i].words[0],
			     steps[i].words[1], want, got ?: "the end");
	}
	EXPECT_EQ(0, probe_end(p));
}

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

TEST(attach_a_container)
{
	struct probe p;

	make_box(true);
	ASSERT_LOAD(BOX("box"));
	start_box(&p, confined, COUNT(confined));
	events_forget();
	EXPECT_CTL(0, "adopted", "attach box %d", pid_in_box(&p));
	end_box(&p, confined, COUNT(confined));
	EXPECT_REFUSALS();
}

/* ---- what cannot be resolved ---- */

/* As the guest "box" in the container: it is not started, and these are said. */
static void expect_no_start(const char *code, const char *message)
{
	bool has_code = false, has_message = false;
	const char *line;
	struct probe p;

	probe_start(&p, "box", STEPS("open", "r", "/data/f"));
	while ((line = probe_line(&p))) {
		has_code |= strstr(line, code) && strstr(line, POLICY_FILE ":");
		has_message |= strstr(line, message) != NULL;
		if (!strncmp(line, "open", 4))
			FAIL("it ran: %s", line);
	}
	if (!has_code || !has_message)
		FAIL("not said: %s, '%s'", code, message);
	EXPECT_EQ(125, probe_end(&p));
}

TEST(a_missing_path)
{
	const char *before;

	make_box(false);
	ASSERT_LOAD(GUEST("box") FILES IN("/data", "rw") IN("/nodir/x", "ro") END);
	before = status_value("engine.generation");
	expect_no_start("error[P0501]", "'/nodir'");
	EXPECT_STREQ(before, status_value("engine.generation"));
	ASSERT_LOAD(GUEST("box") FILES IN("/data", "rw") "\t{ path = \"/nodir/x\", access = \"ro\", "
		    "in = \"guest\", optional = true },\n" END);
	EXPECT_EQ(0, PROBE("box", "open", "r", "/data/f"));
}

/* Nobody may put one there: it is followed, below the container's root. */
TEST(a_symlink_is_followed)
{
	make_box(false);
	box.links[0][0] = "/ro";
	box.links[0][1] = "/lnk";
	ASSERT_LOAD(GUEST("box") FILES IN("/lnk", "ro") END);
	EXPECT_EQ(0, PROBE("box", "open", "r", "/ro/f"));
	EXPECT_EQ(EACCES, PROBE("box", "open", "rw", "/ro/f"));
	EXPECT_EQ(EACCES, PROBE("box", "open", "r", "/vol/f"));
}

/* ... unless the process has run in that root before anybody confined it. */
TEST(no_symlink_at_attach)
{
	static const struct step steps[] = { { 0, { "open", "r", "/other/f" } } };
	struct probe p;

	make_box(true);
	box.links[0][0] = "/ro";
	box.links[0][1] = "/lnk";
	ASSERT_LOAD(GUEST("box") FILES IN("/lnk", "ro") END);
	start_box(&p, steps, COUNT(steps));
	EXPECT_CTL(3, "error[P0504]", "attach box %d", pid_in_box(&p));
	EXPECT_STREQ("0", guest_value("box", "tasks"));
	end_box(&p, steps, COUNT(steps));
}

/* Where the guest's own rules let it make names, a link would choose what the next start gives. */
TEST(a_guest_steers_nothing)
{
	make_box(false);
	ASSERT_LOAD(GUEST("box") FILES IN("/data", "rw") "\t{ path = \"/data/lnk/f\", "
		    "access = \"ro\", in = \"guest\", optional = true },\n" END);
	EXPECT_EQ(0, PROBE("box", "open", "rw", "/data/f"));
	box.links[0][0] = "/ro";
	box.links[0][1] = "/data/lnk";
	expect_no_start("error[P0504]", "'/data/lnk'");
}

/* Nor does another guest, by the rules that it has on the same directory of the host's. */
TEST(another_guest_steers_nothing)
{
	make_box(false);
	EXPECT_EQ(0, symlink("/ro", text("%s/lnk", box.vol)));
	ASSERT_LOAD(GUEST("box") FILES IN("/vol/lnk/f", "ro") END);
	EXPECT_EQ(0, PROBE("box", "open", "r", "/ro/f"));
	ASSERT_LOAD(GUEST("box") FILES IN("/vol/lnk/f", "ro") END GUEST("b") FILES
		    RULE("%s", "rw") END, box.vol);
	expect_no_start("error[P0504]", "a running guest");
}

/* One place, by a rule of the host's and by one of the guest's own: they have to agree. */
TEST(both_kinds_on_one_place)
{
	make_box(false);
	ASSERT_LOAD(GUEST("box") FILES IN("/vol", "ro") RULE("%s", "rw") END, box.vol);
	expect_no_start("error[P0507]", "the rules differ");
	ASSERT_LOAD(GUEST("box") FILES IN("/vol", "rw") RULE("%s", "rw") END, box.vol);
	EXPECT_EQ(0, PROBE("box", "open", "rw", "/vol/f"));
}

/* ---- while it runs ---- */

/* Another process in it. Return: policyctl's exit status; output in ctl_said. */
static int in_box(const struct probe *p, const char *guest, const char *words)
{
	return run_cmd(ctl_said, sizeof(ctl_said),
		       "nsenter --mount=/proc/%d/ns/mnt --root=/proc/%d/root --wd=/ "
		       "policyctl run %s -- " PROBE_BIN " %s", pid_in_box(p), pid_in_box(p), guest,
		       words);
}

TEST(others_join)
{
	static const struct step steps[] = { { 0, { "open", "rw", "/data/f" } },
					     { EACCES, { "open", "r", "/other/f" } } };
	const char *generation;
	struct probe p, q;

	make_box(false);
	ASSERT_LOAD(BOX("box"));
	start_box(&p, steps, COUNT(steps));
	EXPECT_CTL(0, "adopted", "attach box %d", pid_in_box(&p));
	generation = status_value("engine.generation");
	EXPECT_EQ(0, in_box(&p, "box", "open rw /data/f open r /other/f"));
	EXPECT_STRSTR("open 0\nopen 13\n", ctl_said);
	EXPECT_CTL(125, "in another root", "run box -- /usr/bin/true");
	/* Another container is another root. */
	start_box(&q, unconfined, 1);
	EXPECT_CTL(1, "in another root", "attach box %d", pid_in_box(&q));
	EXPECT_CTL(1, "in another root", "attach box %d %d", pid_in_box(&p), pid_in_box(&q));
	EXPECT_STREQ(generation, status_value("engine.generation"));
	end_box(&q, unconfined, 1);
	end_box(&p, steps, COUNT(steps));
}

/* Who may mount there could choose what the other's paths lead to. */
TEST(nobody_starts_where_a_guest_may_mount)
{
	static const struct step steps[] = { { EACCES, { "open", "r", "/data/f" } } };
	struct probe p;

	make_box(false);
	ASSERT_LOAD("[guest.m]\ninclude = [\"runtime\"]\nmounts = \"allow\"\n" BOX("box"));
	start_box(&p, steps, COUNT(steps));
	EXPECT_CTL(0, "adopted", "attach m %d", pid_in_box(&p));
	EXPECT_EQ(125, in_box(&p, "box", "open rw /data/f"));
	EXPECT_STRSTR("guest 'm' may mount", ctl_said);
	ASSERT_LOAD("[guest.m]\ninclude = [\"runtime\"]\n" BOX("box"));
	EXPECT_EQ(0, in_box(&p, "box", "open rw /data/f"));
	EXPECT_STRSTR("open 0\n", ctl_said);
	end_box(&p, steps, COUNT(steps));
}

/* Two containers with the same rules, each its own; then one of them once more, in a new root. */
TEST(each_container_its_own)
{
	static const struct step good[] = { { 0, { "open", "rw", "/data/f" } },
					    { EACCES, { "open", "r", "/other/f" } } };
	struct probe p, q;

	make_box(true);
	ASSERT_LOAD(BOX("box") BOX("twin"));
	start_box(&p, good, COUNT(good));
	start_box(&q, good, COUNT(good));
	EXPECT_CTL(0, "adopted", "attach box %d", pid_in_box(&p));
	EXPECT_CTL(0, "adopted", "attach twin %d", pid_in_box(&q));
	end_box(&p, good, COUNT(good));
	start_box(&p, good, COUNT(good));
	EXPECT_CTL(0, "adopted", "attach box %d", pid_in_box(&p));
	end_box(&p, good, COUNT(good));
	end_box(&q, good, COUNT(good));
}

TEST(a_reload_while_it_runs)
{
	static const struct step steps[] = {
		{ 0, { "open", "rw", "/data/f" } },	 { 0, { "open", "r", "/tmp/f" } },
		{ EACCES, { "open", "r", "/data/no/f" } }, { 0, { "pause" } },
		{ 0, { "open", "r", "/data/f" } },	 { EACCES, { "open", "rw", "/data/f" } },
		{ EACCES, { "open", "r", "/tmp/f" } },	 { EACCES, { "open", "r", "/data/no/f" } },
		{ 0, { "open", "r", "/proc/self/stat" } },
	};
	struct probe p;

	make_box(true);
	ASSERT_LOAD(BOX("box"));
	start_box(&p, steps, COUNT(steps));
	EXPECT_CTL(0, "adopted", "attach box %d", pid_in_box(&p));
	probe_go(&p);
	EXPECT_STREQ("pause 0", probe_line(&p));
	EXPECT_STREQ("open 0", probe_line(&p));
	EXPECT_STREQ("open 0", probe_line(&p));
	EXPECT_STREQ("open 13", probe_line(&p));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	/* A rule that it did not start with cannot be resolved now; what runs stays. */
	EXPECT_EQ(3, policy_load(BOX("a") GUEST("box") FILES BOX_RULES IN("/other", "rw") END));
	EXPECT_STRSTR("error[P0517]", ctl_said);
	/* Other rights, another number, one rule less. */
	ASSERT_LOAD(BOX("a") GUEST("box") FILES IN("/data/no", "none") IN("/data", "ro")
		    IN("/proc", "ro") END);
	end_box(&p, steps + 4, COUNT(steps) - 4);
}

LEAVES_NO_GUEST()
