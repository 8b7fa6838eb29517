/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts, files, policyctl, and what it has to leave behind. */
#include "guest.h"
#include "harness_util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "lib_util.h"

char ctl_said[65536];

const char *text(const char *fmt, ...)
{
	char *ret = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&ret, fmt, ap) < 0)
		abort();
	va_end(ap);
	return ret;
}

void lib_die(const char *what, const char *on)
{
	printf("# %s %s: %s\n", what, on, strerror(errno));
	fflush(stdout);
	_exit(1);
}

const char *scratch_in(const char *dir)
{
	char *path = strdup(text("%s/t.XXXXXX", dir));

	if (!path || !mkdtemp(path))
		lib_die("mkdtemp", dir);
	chmod(path, 0755);
	return path;
}

const char *scratch(void)
{
	return scratch_in("/tmp");
}

const char *make_dir(const char *path)
{
	if (mkdir(path, 0755))
		lib_die("mkdir", path);
	return path;
}

const char *make_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content))
		lib_die("write", path);
	close(fd);
	return path;
}

long read_number(const char *path)
{
	char buf[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n < 0 ? -errno : strtol(buf, NULL, 10);
}

bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* stdout and stderr of a shell command to @buf; what does not fit is read and dropped. */
int lib_shell(const char *cmd, char *buf, size_t size)
{
	char sink[4096];
	size_t len = 0;
	FILE *f;
	int r;

	fflush(stdout);
	f = popen(cmd, "re");
	if (!f)
		lib_die("popen", cmd);
	for (;;) {
		bool room = len + 1 < size;
		size_t n =
			fread(room ? buf + len : sink, 1, room ? size - 1 - len : sizeof(sink), f);

		if (!n)
			break;
		if (room)
			len += n;
	}
	buf[len] = 0;
	r = pclose(f);
	return WIFEXITED(r) ? WEXITSTATUS(r) : 128 + WTERMSIG(r);
}

int ctl(const char *fmt, ...)
{
	char words[4096], cmd[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	snprintf(cmd, sizeof(cmd), "{ policyctl %s; } 2>&1", words);
	return lib_shell(cmd, ctl_said, sizeof(ctl_said));
}

static void policy_write_va(const char *fmt, va_list ap)
{
	FILE *f = fopen(POLICY_FILE, "we");

	if (!f)
		lib_die("fopen", POLICY_FILE);
	fputs(RUNTIME, f);
	vfprintf(f, fmt, ap);
	if (fclose(f))
		lib_die("write", POLICY_FILE);
}

void policy_write(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	policy_write_va(fmt, ap);
	va_end(ap);
}

int policy_load(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	policy_write_va(fmt, ap);
	va_end(ap);
	return ctl("load " POLICY_FILE);
}

/* The first of a suite go to the host, as events do (guest_events.c). */
static void show_status(const json_t *root)
{
	static int left = 5;
	char *line;

	if (!root || left == 0)
		return;
	left--;
	line = json_dumps(root, JSON_COMPACT);
	printf("::status %s\n", line ? line : "");
	free(line);
}

static json_t *status_json(void)
{
	static char said[65536];
	json_error_t err;
	json_t *root;

	if (lib_shell("policyctl status --json 2>/dev/null", said, sizeof(said)))
		return NULL;
	root = json_loads(said, 0, &err);
	show_status(root);
	return root;
}

const char *status_value(const char *path)
{
	json_t *root = status_json();
	const char *value = root ? json_at(root, path) : "no status";

	json_decref(root);
	return value;
}

const char *guest_value(const char *guest, const char *key)
{
	json_t *root = status_json(), *item;
	const char *value = "absent";
	size_t i;

	json_array_foreach(json_object_get(root, "guests"), i, item)
		if (!strcmp(json_at(item, "name"), guest))
			value = json_at(item, key);
	json_decref(root);
	return value;
}

static int count_dirs(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int cnt = 0;

	while (d && (e = readdir(d)))
		cnt += e->d_type == DT_DIR && e->d_name[0] != '.';
	if (d)
		closedir(d);
	return cnt;
}

static void kill_guests(void)
{
	DIR *d = opendir(CGROUPS);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *path = text(CGROUPS "/%s/cgroup.kill", e->d_name);
		int fd = e->d_name[0] == '.' ? -1 : open(path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, "1", 1) != 1)
			printf("# %s: %s\n", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

/* A program of ours that is still there; the kernel frees them some time after their links. */
static const char *program_left(void)
{
	unsigned int id = 0, len;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		int fd = bpf_prog_get_fd_by_id(id), r;

		if (fd < 0)
			continue;
		len = sizeof(info);
		r = bpf_obj_get_info_by_fd(fd, &info, &len);
		close(fd);
		if (!r && !strncmp(info.name, "pol_", 4))
			return text("program %s is left", info.name);
	}
	return NULL;
}

const char *engine_left(void)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	const char *program = NULL;

	if (exists(PINS))
		return PINS " is left";
	if (exists(CGROUPS))
		return CGROUPS " is left";
	if (exists("/run/policyctl") && rmdir("/run/policyctl"))
		return "/run/policyctl is left, and not empty";
	for (long i = 0; i < test_count(1200, 4000); i++) {
		program = program_left();
		if (!program)
			return NULL;
		nanosleep(&tick, NULL);
	}
	return program;
}

/* A directory below CGROUPS, or an entry of the map of tasks, that is still there. */
static const char *guest_left(void)
{
	int fd = bpf_obj_get(PINS "/maps/tasks");
	uint64_t task;
	bool charged;

	if (fd < 0)
		return PINS "/maps/tasks cannot be had";
	charged = !bpf_map_get_next_key(fd, NULL, &task);
	close(fd);
	if (charged)
		return "a task is still charged to a guest";
	return count_dirs(CGROUPS) ? "a guest's cgroup is left" : NULL;
}

const char *engine_idle(void)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	const char *left = NULL;

	kill_guests();
	if (policy_load("%s", ""))
		return text("load of no guest: %.300s", ctl_said);
	for (int i = 0; i < 200; i++) {
		left = guest_left();
		if (!left)
			return NULL;
		nanosleep(&tick, NULL);
	}
	return left;
}

const char *engine_down(void)
{
	int r;

	kill_guests();
	r = ctl("unload --force");
	if (r)
		return text("unload --force: status %d: %.300s", r, ctl_said);
	return engine_left();
}
