/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyd: the command line. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "abi.h"
#include "base.h"
#include "policyd.h"
#include "socket_path.h"
#include "str.h"
#include "version.h"

/* Some thousand events; an event is 2 KiB at most without its path. */
#define KEEP_DEFAULT (4u << 20)
#define KEEP_MIN     (64u << 10)
#define KEEP_MAX     (1u << 30)

static const char usage[] =
	"usage: policyd [--socket PATH] [--keep SIZE]\n"
	"\n"
	"Reads the events of the loaded engine, prints them as JSON Lines, and serves them to\n"
	"subscribers. Waits while no policy is loaded. Enforcement does not need it.\n"
	"\n"
	"  --socket PATH  where subscribers connect (" POL_SOCKET ")\n"
	"  --keep SIZE    memory for the last events, for subscribers (4MiB)\n"
	"  --help         this text\n"
	"  --version      the version\n"
	"\n"
	"SIGTERM reads what is pending and ends. Exit status: 0 done, 1 failed, 2 usage, 4 the\n"
	"kernel, host or user lacks something, 5 busy: another policyd, or another reader.\n";

enum { SOCKET = 256, KEEP, HELP, VERSION };

static const struct option longs[] = {
	{ "socket", required_argument, NULL, SOCKET },
	{ "keep", required_argument, NULL, KEEP },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ 0 },
};

static int usage_error(const char *what)
{
	(void)fprintf(stderr, "policyd: %s\ntry 'policyd --help'\n", what);
	return POL_ERR_USAGE;
}

static int set_socket(struct policyd_options *options, const char *path)
{
	if (*path != '/')
		return usage_error("--socket: expected an absolute path");
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return usage_error(
			"--socket: the path is longer than a socket's can be, 107 bytes");
	options->socket = path;
	return 0;
}

static int set_keep(struct policyd_options *options, const char *text)
{
	uint64_t bytes;

	if (pol_str_size(text, &bytes) < 0 || bytes < KEEP_MIN || bytes > KEEP_MAX)
		return usage_error("--keep: expected a size, 64KiB to 1GiB");
	options->keep = bytes;
	return 0;
}

/* Return: -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct policyd_options *options)
{
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (opt) {
		case SOCKET:
			r = set_socket(options, optarg);
			if (r)
				return r;
			break;
		case KEEP:
			r = set_keep(options, optarg);
			if (r)
				return r;
			break;
		case HELP:
			(void)fputs(usage, stdout);
			return 0;
		case VERSION:
			(void)printf("policyd %s (kernel interface %d)\n", POL_VERSION,
				     POL_ABI_VERSION);
			return 0;
		default:
			(void)fputs("try 'policyd --help'\n", stderr);
			return POL_ERR_USAGE;
		}
	}
	return optind < argc ? usage_error("no arguments but options are taken") : -1;
}

/*
 * Descriptors 0 to 2 are there: else a file of ours would get such a number, and be written to. Not
 * /dev/null for standard output: events would go nowhere, unsaid.
 */
static int open_standard(void)
{
	int fd;

	if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
		policyd_say("standard output is closed; events go there");
		return -EBADF;
	}
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct policyd_options options = { .socket = POL_SOCKET, .keep = KEEP_DEFAULT };
	int r = parse(argc, argv, &options);

	if (r >= 0)
		return r;
	return open_standard() < 0 ? POL_ERR_FAILED : policyd_run(&options);
}
