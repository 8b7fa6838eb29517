/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init - PID 1 of the test VM; or with policy.init= a service of another one, which does the mounts.
 *
 * Owns: the mounts, running the job that the kernel command line names, the report, power-off.
 * Does not own: which tests there are (they lie in /selftests), how the VM is made (run.sh).
 *
 * The report goes to the second serial port, so that kernel messages (first port) never cut a
 * line of it in two. Lines that start with "::" are for run.sh, all others for people:
 *
 *	::init KERNEL SECONDS		we run; until this line a boot may be retried
 *	::start NAME			a test binary starts
 *	::skipped NAME: REASON		::failed likewise
 *	::total PASSED FAILED SKIPPED	after each binary, of all so far
 *	::event JSON, ::status JSON	from the harness: for run.sh to hold against the schemas
 *	::exit STATUS			of the script (mode run)
 *	::result passed|failed		the verdict; without this line the run has failed
 *
 * Command line words: policy.mode=selftests|run|shell, policy.tests=GLOB[,GLOB...],
 * policy.script=PATH (mode run), policy.seed=N, policy.count=ci|soak, policy.timeout=SECONDS,
 * policy.root=DEVICE (what becomes the root, by lib/root.sh; without it the initramfs stays),
 * policy.init=PATH (PID 1 in that root: it has to start this program as a service, for the job).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TESTS_DIR "/selftests"
#define LAST_TEST "unload_test"
#define PIN_DIR	  "/sys/fs/bpf/policyctl"

/* A longer line of the report is cut; more binaries than that are an error of ours. */
#define LINE_SIZE    1024
#define BINARIES_MAX 256

struct totals {
	long passed, failed, skipped;
};

static struct {
	char mode[16];
	char tests[1024];
	char script[256];
	char root[64];
	char init[64];
	long timeout_s;
} job = { .mode = "selftests", .tests = "*", .timeout_s = 600 };

static struct totals totals;
static int report_fd = STDOUT_FILENO;
static int child_fd = -1; /* signalfd of SIGCHLD */

static void write_all(const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(report_fd, buf, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
}

__attribute__((format(printf, 1, 2))) static void report(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		write_all(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

__attribute__((noreturn)) static void power_off(bool passed)
{
	report("::result %s\n", passed ? "passed" : "failed");
	tcdrain(report_fd);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void mount_or_note(const char *type, const char *where, unsigned long flags,
			  const char *data)
{
	mkdir(where, 0755);
	if (mount(type, where, type, flags, data))
		report("init: mount of %s on %s: %s\n", type, where, strerror(errno));
}

/*
 * The initramfs is a root without a parent mount: pivot_root(2) refuses it, which no real host
 * does. A bind mount of it, moved over it, is an ordinary root on the same tmpfs; and a filesystem
 * that was mounted there is one anyway. Then shared, as systemd leaves it.
 */
static void make_root_ordinary(void)
{
	mkdir("/.root", 0755);
	if ((!*job.root && mount("/", "/.root", NULL, MS_BIND, NULL)) || chdir("/.root") ||
	    mount("/.root", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		report("init: root stays the initramfs: %s\n", strerror(errno));
	rmdir("/.root");
}

static void mount_all(void)
{
	const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	mount_or_note("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_or_note("proc", "/proc", safe, NULL);
	mount_or_note("sysfs", "/sys", safe, NULL);
	mount_or_note("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666");
	mount_or_note("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_or_note("mqueue", "/dev/mqueue", safe, NULL);
	mount_or_note("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_or_note("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	mount_or_note("securityfs", "/sys/kernel/security", safe, NULL);
	mount_or_note("tracefs", "/sys/kernel/tracing", safe, NULL);
	mount_or_note("cgroup2", "/sys/fs/cgroup", safe, "nsdelegate,memory_recursiveprot");
	mount_or_note("bpf", "/sys/fs/bpf", safe, "mode=0700");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	/* What udev makes at boot: opening one loads its module. */
	mknod("/dev/loop-control", S_IFCHR | 0600, makedev(10, 237));
	mknod("/dev/fuse", S_IFCHR | 0666, makedev(10, 229));
	mkdir("/run/lock", 0755);
	mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
}

static void watch_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Raw output, so that a line feed stays one byte; large enough writes at TCG's speed. */
static void open_report_port(void)
{
	struct termios t;

	report_fd = open("/dev/ttyS1", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (report_fd < 0)
		report_fd = STDOUT_FILENO;
	if (tcgetattr(report_fd, &t))
		return;
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	t.c_cflag |= CLOCAL;
	tcsetattr(report_fd, TCSANOW, &t);
}

static void copy_word(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src);
}

static void read_job(void)
{
	char line[4096] = "", *word, *save = NULL;
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f || !fgets(line, sizeof(line), f))
		report("init: no /proc/cmdline\n");
	if (f)
		fclose(f);
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		char *value = strchr(word, '=');

		if (!value || strncmp(word, "policy.", 7))
			continue;
		*value++ = 0;
		word += 7;
		if (!strcmp(word, "mode"))
			copy_word(job.mode, sizeof(job.mode), value);
		else if (!strcmp(word, "tests"))
			copy_word(job.tests, sizeof(job.tests), value);
		else if (!strcmp(word, "script"))
			copy_word(job.script, sizeof(job.script), value);
		else if (!strcmp(word, "root"))
			copy_word(job.root, sizeof(job.root), value);
		else if (!strcmp(word, "init"))
			copy_word(job.init, sizeof(job.init), value);
		else if (!strcmp(word, "timeout"))
			job.timeout_s = strtol(value, NULL, 10);
		else if (!strcmp(word, "seed"))
			setenv("POL_TEST_SEED", value, 1);
		else if (!strcmp(word, "count"))
			setenv("POL_TEST_COUNT", value, 1);
	}
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/busybox", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C", 1);
	setenv("POL_GUESTS", TESTS_DIR "/guests", 1);
}

static double uptime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- running one binary ---- */

struct run {
	const char *name;
	char line[LINE_SIZE];
	size_t len;
	bool has_summary;
	struct totals sum;
	bool timed_out;
};

/* "SUITE: N passed, N failed, N skipped" from the harness, and its skip and not-ok lines. */
static void take_line(struct run *r, const char *line)
{
	const char *colon = strchr(line, ':');
	struct totals t;
	int end = 0;

	if (!strncmp(line, "skip ", 5))
		report("::skipped %s\n", line + 5);
	else if (!strncmp(line, "not ok ", 7))
		report("::failed %s\n", line + 7);
	else if (colon &&
		 sscanf(colon, ": %ld passed, %ld failed, %ld skipped%n", &t.passed, &t.failed,
			&t.skipped, &end) == 3 &&
		 end && !colon[end]) {
		r->sum = t;
		r->has_summary = true;
	}
}

static void take_output(struct run *r, const char *buf, size_t len)
{
	write_all(buf, len);
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n') {
			r->line[r->len] = 0;
			take_line(r, r->line);
			r->len = 0;
		} else if (r->len < sizeof(r->line) - 1) {
			r->line[r->len++] = buf[i];
		}
	}
}

static void fail(struct run *r, const char *why)
{
	report("not ok %s: %s\n::failed %s: %s\n", r->name, why, r->name, why);
	r->sum.failed++;
}

/*
 * Every process but us: what a test left running must not meet the next one. As a service we run one
 * job, and the others are not ours.
 */
static void reap_everything(void)
{
	if (getpid() != 1)
		return;
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static pid_t start(const char *const argv[], int out)
{
	pid_t pid = fork();
	sigset_t none;

	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(argv[0], (char *const *)argv);
	fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Mount it at /.root with our build in it. Needs what mount_all() will mount again, on top of it. */
static void prepare_root(void)
{
	const char *const argv[] = { "/bin/sh", TESTS_DIR "/lib/root.sh", job.root, NULL };
	const char *const used[] = { "/dev", "/proc", "/sys" };
	int status = 0;

	mount_or_note("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_or_note("proc", "/proc", 0, NULL);
	mount_or_note("sysfs", "/sys", 0, NULL);
	open_report_port();
	read_job();
	if (*job.root) {
		waitpid(start(argv, report_fd), &status, 0);
		if (status) {
			report("init: no root on %s\n", job.root);
			power_off(false);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(used); i++)
		umount2(used[i], MNT_DETACH);
}

/* Reap all orphans, as an init has to: their zombies would stay charged to their cgroups. */
static bool reap(pid_t pid, int *ret_status)
{
	bool found = false;
	pid_t p;
	int status;

	while ((p = waitpid(-1, &status, WNOHANG)) > 0) {
		if (p == pid) {
			*ret_status = status;
			found = true;
		}
	}
	return found;
}

static void drain(struct run *r, int in)
{
	char buf[4096];
	int avail = 0;

	/* Only what is there now: a daemon that a test left may go on writing for ever. */
	if (ioctl(in, FIONREAD, &avail))
		return;
	while (avail > 0) {
		ssize_t n =
			read(in, buf, (size_t)avail < sizeof(buf) ? (size_t)avail : sizeof(buf));

		if (n <= 0)
			return;
		take_output(r, buf, n);
		avail -= n;
	}
}

/* Return: the wait status of @pid, or -1 after a time-out. */
static int follow(struct run *r, pid_t pid, int in)
{
	double end = uptime() + job.timeout_s;
	struct pollfd p[] = { { .fd = in, .events = POLLIN },
			      { .fd = child_fd, .events = POLLIN } };
	struct signalfd_siginfo si;
	int status = -1;

	while (uptime() < end) {
		bool gone;

		poll(p, ARRAY_SIZE(p), 1000);
		if (p[1].revents && read(child_fd, &si, sizeof(si)) < 0)
			continue;
		gone = reap(pid, &status);
		drain(r, in);
		if (gone)
			return status;
	}
	kill(-pid, SIGKILL);
	r->timed_out = true;
	return -1;
}

/* A suite leaves an engine without guests to the next one; what a failed one left is not known. */
static void unload_after_failure(const struct run *r)
{
	const char *const argv[] = { "/usr/bin/policyctl", "unload", "--force", NULL };
	struct stat st;

	if (r->sum.failed && !stat(PIN_DIR, &st))
		waitpid(start(argv, report_fd), NULL, 0);
}

static int run_program(struct run *r, const char *const argv[])
{
	int pipe_fds[2], status;

	report("::start %s\n", r->name);
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		fail(r, strerror(errno));
		return -1;
	}
	status = follow(r, start(argv, pipe_fds[1]), pipe_fds[0]);
	reap_everything();
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return status;
}

/* What a suite leaves behind shows here first; -1: unknown. */
static long available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[80];
	long kib = -1024;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 1024;
}

/* A binary has passed if it says so: anything else, silence included, is a failure. */
static void run_binary(const char *name, const char *const argv[])
{
	struct run r = { .name = name };
	double begin = uptime();
	char why[80];
	int status = run_program(&r, argv);

	if (r.timed_out) {
		snprintf(why, sizeof(why), "killed after %ld s", job.timeout_s);
		fail(&r, why);
	} else if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "killed by signal %d", WTERMSIG(status));
		fail(&r, why);
	} else if (!r.has_summary) {
		snprintf(why, sizeof(why), "exit status %d and no summary", WEXITSTATUS(status));
		fail(&r, why);
	} else if (WEXITSTATUS(status) && !r.sum.failed) {
		snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
		fail(&r, why);
	}
	unload_after_failure(&r);
	totals.passed += r.sum.passed;
	totals.failed += r.sum.failed;
	totals.skipped += r.sum.skipped;
	report("::total %ld %ld %ld\n# %s: %.1f s, %ld MiB available\n", totals.passed, totals.failed,
	       totals.skipped, name, uptime() - begin, available_mib());
}

/* ---- the jobs ---- */

static bool wanted(const char *name)
{
	char globs[sizeof(job.tests)], *glob, *save = NULL;

	copy_word(globs, sizeof(globs), job.tests);
	for (glob = strtok_r(globs, ",", &save); glob; glob = strtok_r(NULL, ",", &save))
		if (!fnmatch(glob, name, 0))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_binaries(char *names[], int max)
{
	DIR *d = opendir(TESTS_DIR);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len > 5 && !strcmp(e->d_name + len - 5, "_test") && wanted(e->d_name) &&
		    strcmp(e->d_name, LAST_TEST) && n < max)
			names[n++] = strdup(e->d_name);
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

__attribute__((noreturn)) static void verdict(void)
{
	power_off(!totals.failed && totals.passed + totals.skipped > 0);
}

static void run_suite(const char *name)
{
	char path[512];
	const char *const argv[] = { path, NULL };

	snprintf(path, sizeof(path), TESTS_DIR "/%s", name);
	run_binary(name, argv);
}

static void job_selftests(void)
{
	char *names[BINARIES_MAX];
	int n = list_binaries(names, BINARIES_MAX);

	if (!n)
		report("init: no test matches '%s'\n", job.tests);
	for (int i = 0; i < n; i++)
		run_suite(names[i]);
	if (n)
		run_suite(LAST_TEST);
	verdict();
}

/* A variant: one script, counted as a test binary is. */
static void job_variant(void)
{
	const char *const argv[] = { "/bin/sh", job.script, NULL };
	char *base = strrchr(job.script, '/');

	run_binary(base ? base + 1 : job.script, argv);
	verdict();
}

/* One script; its exit status is the verdict and its output is all there is. */
static void job_run(void)
{
	const char *const argv[] = { "/bin/sh", job.script, NULL };
	struct run r = { .name = job.script };
	int status = run_program(&r, argv);

	report("::exit %d\n", r.timed_out	  ? 124
			      : WIFEXITED(status) ? WEXITSTATUS(status)
						  : 128 + WTERMSIG(status));
	power_off(status == 0);
}

static void job_shell(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		setsid();
		fd = open("/dev/ttyS0", O_RDWR);
		ioctl(fd, TIOCSCTTY, 1);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		setenv("TERM", "linux", 1);
		setenv("ENV", "/etc/vm.profile", 1);
		execl("/usr/bin/busybox", "sh", "-i", NULL);
		_exit(127);
	}
	while (waitpid(-1, NULL, 0) != pid)
		;
	power_off(true);
}

__attribute__((noreturn)) static void become(const char *init)
{
	execl(init, init, NULL);
	report("init: %s: %s\n", init, strerror(errno));
	power_off(false);
}

static void set_up(void)
{
	prepare_root();
	make_root_ordinary();
	if (*job.init)
		become(job.init);
	mount_all();
	sethostname("vm", 2);
}

int main(void)
{
	struct utsname u;

	if (getpid() == 1) {
		set_up();
	} else {
		open_report_port();
		read_job();
	}
	watch_children();
	uname(&u);
	report("::init %s %.1f\n", u.release, uptime());
	if (!strcmp(job.mode, "shell"))
		job_shell();
	else if (!strcmp(job.mode, "run"))
		job_run();
	else if (!strcmp(job.mode, "variant"))
		job_variant();
	else
		job_selftests();
	return 1;
}
