/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmm POLICY GUEST=HOST:PATH[:ro][,HOST:PATH...]... - a host process that serves the file calls of its
 * guests, as a unikernel's monitor does. Each guest is a thread (its only virtual CPU) of this one
 * process. Two walls are around its files:
 *
 *	the map		libpolicy resolves the guest's path within its mappings, and never out of them
 *	the engine	the thread is a guest of the policy: the kernel refuses what no rule allows,
 *			whatever the code on it is made to do
 *
 * What a guest calls is read from standard input, one call a line, here in place of a virtual machine:
 *
 *	alpha write /data/x hello	alpha read /data/x	alpha unlink /data/x
 *	alpha hold /data/x		opens it and keeps it open; alpha drop: closes all of these
 *	alpha raw /etc/passwd		opens a host path without the map: what a hijacked thread would do
 *	alpha left			descriptors that it may open yet; the host asks this
 *
 * cc vmm.c $(pkg-config --cflags --libs libpolicy) -pthread
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <policy/policy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GUESTS_MAX 8
#define HELD_MAX   256

struct guest {
	const char *name;
	struct pol_paths *paths;
	pthread_t thread;
	int calls[2];	/* lines to the thread */
	int results[2]; /* and one for each from it: the first says that it is the guest */
	int held[HELD_MAX];
	size_t held_count;
};

static void die(const char *what, const struct pol_error *error)
{
	fprintf(stderr, "vmm: %s: %s\n", what, error->message);
	if (error->fix[0])
		fprintf(stderr, "   fix: %s\n", error->fix);
	exit(1);
}

/* ---- what a guest's thread does ---- */

/* All on the guest's own thread: each returns 0 or a negative errno, a hypercall's answer. */
static int serve_read(struct guest *guest, const char *path, char *text, size_t size)
{
	int fd = pol_guest_path_open(guest->paths, path, O_RDONLY, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return n < 0 ? -EIO : 0;
}

static int serve_write(struct guest *guest, const char *path, const char *text)
{
	int fd = pol_guest_path_open(guest->paths, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -EIO : 0;
}

static int serve_unlink(struct guest *guest, const char *path)
{
	char name[256];
	int dir = pol_guest_path_parent(guest->paths, path, name, sizeof(name)), r;

	if (dir < 0)
		return dir;
	r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	close(dir);
	return r;
}

static int serve_hold(struct guest *guest, const char *path)
{
	int fd = guest->held_count < HELD_MAX ? pol_guest_path_open(guest->paths, path, O_RDONLY, 0)
					      : -ENFILE;

	if (fd >= 0)
		guest->held[guest->held_count++] = fd;
	return fd < 0 ? fd : 0;
}

static int serve_drop(struct guest *guest)
{
	while (guest->held_count)
		close(guest->held[--guest->held_count]);
	return 0;
}

static int serve_raw(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int serve(struct guest *guest, const char *call, const char *path, char *text, size_t size)
{
	if (strcmp(call, "read") == 0)
		return serve_read(guest, path, text, size);
	if (strcmp(call, "write") == 0)
		return serve_write(guest, path, text);
	if (strcmp(call, "unlink") == 0)
		return serve_unlink(guest, path);
	if (strcmp(call, "hold") == 0)
		return serve_hold(guest, path);
	if (strcmp(call, "drop") == 0)
		return serve_drop(guest);
	return strcmp(call, "raw") == 0 ? serve_raw(path) : -ENOSYS;
}

/* The virtual CPU. From its first line on the kernel confines this thread, and no other. */
static void *run(void *arg)
{
	struct guest *guest = arg;
	struct pol_error error = { .size = sizeof(error) };
	char line[1024], call[16], path[512], text[512];
	FILE *calls = fdopen(guest->calls[0], "r");
	int r = pol_guest_attach_self(guest->name, POL_SELF_THREAD, &error);

	if (r < 0 || !calls)
		die(guest->name, &error);
	dprintf(guest->results[1], "attached\n");
	while (fgets(line, sizeof(line), calls)) {
		call[0] = path[0] = text[0] = '\0';
		(void)sscanf(line, "%15s %511s %511s", call, path, text);
		r = serve(guest, call, path, text, sizeof(text));
		dprintf(guest->results[1], "%s %s %s: %s\n", guest->name, call, path,
			r < 0			    ? strerrorname_np(-r)
			: strcmp(call, "read") == 0 ? text
						    : "ok");
	}
	fclose(calls);
	return NULL;
}

/* ---- what the host does ---- */

static void load(const char *policy)
{
	struct pol_diagnostic at = { .size = sizeof(at) };
	struct pol_error error = { .size = sizeof(error) };
	struct pol_report *report = NULL;
	int r = pol_policy_load(policy, NULL, 0, 0, NULL, &report, &error);

	for (size_t i = 0; report && pol_report_get(report, i, &at) == 0; i++)
		fprintf(stderr, "%s:%u:%u: %s: %s\n", at.file, at.line, at.column,
			at.warning ? "warning" : "error", at.message);
	pol_report_free(report);
	if (r < 0)
		die(policy, &error);
}

/* "alpha=/srv/alpha:/data,/etc/hosts:/hosts:ro" */
static void configure(struct guest *guest, char *text)
{
	struct pol_error error = { .size = sizeof(error) };
	char *rest = NULL;

	guest->name = strtok_r(text, "=", &rest);
	if (!guest->name || pol_paths_new(&guest->paths) < 0)
		exit(1);
	for (char *map; (map = strtok_r(NULL, ",", &rest));)
		if (pol_paths_map_text(guest->paths, map, &error) < 0)
			die(map, &error);
}

static void await_result(struct guest *guest, char *line, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && read(guest->results[0], line + len, 1) == 1)
		if (line[len++] == '\n')
			break;
	line[len] = '\0';
}

static void start(struct guest *guest)
{
	char line[64];

	if (pipe2(guest->calls, O_CLOEXEC) < 0 || pipe2(guest->results, O_CLOEXEC) < 0 ||
	    pthread_create(&guest->thread, NULL, run, guest))
		exit(1);
	await_result(guest, line, sizeof(line));
}

static void end(struct guest *guest)
{
	close(guest->calls[1]);
	pthread_join(guest->thread, NULL);
	close(guest->results[0]);
	close(guest->results[1]);
	pol_paths_free(guest->paths);
}

static void print_left(const struct guest *guest)
{
	struct pol_guest_info info = { .size = sizeof(info) };
	struct pol_error error = { .size = sizeof(error) };

	if (pol_guest_info(guest->name, &info, &error) < 0)
		die(guest->name, &error);
	printf("%s left: %" PRIu64 " of %" PRIu64 "\n", guest->name, info.fds.left,
	       info.fds.ceiling);
}

static void dispatch(struct guest *guest, const char *call)
{
	char line[2048];

	if (strcmp(call, "left\n") == 0) {
		print_left(guest);
		return;
	}
	dprintf(guest->calls[1], "%s", call);
	await_result(guest, line, sizeof(line));
	fputs(line, stdout);
}

int main(int argc, char **argv)
{
	static struct guest guests[GUESTS_MAX];
	int count = argc - 2;
	char line[1024];

	if (count < 1 || count > GUESTS_MAX) {
		fputs("usage: vmm POLICY GUEST=HOST:PATH[:ro][,HOST:PATH...]...\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	load(argv[1]);
	for (int i = 0; i < count; i++)
		configure(&guests[i], argv[i + 2]);
	for (int i = 0; i < count; i++)
		start(&guests[i]);
	while (fgets(line, sizeof(line), stdin)) {
		char *call = strchr(line, ' ');

		for (int i = 0; call && i < count; i++)
			if (strlen(guests[i].name) == (size_t)(call - line) &&
			    strncmp(line, guests[i].name, (size_t)(call - line)) == 0)
				dispatch(&guests[i], call + 1);
	}
	for (int i = 0; i < count; i++)
		end(&guests[i]);
	return 0;
}
