/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyd: the command line. */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "abi.h"
#include "base.h"
#include "descriptors.h"
#include "policyd.h"
#include "socket_path.h"
#include "str.h"
#include "version.h"

/* Some thousand events; an event is 2 KiB at most without its path. */
#define KEEP_DEFAULT	 (4u << 20)
#define KEEP_MIN	 (64u << 10)
#define KEEP_MIN_JOURNAL (256u << 10) /* of what may be one line, the queue's least is two */
#define KEEP_MAX	 (1u << 30)

#define FILE_SIZE_MIN	   (64u << 10)
#define FILE_COUNT_DEFAULT 5
#define FILE_COUNT_MAX	   999

static const char usage[] =
	"usage: policyd [--socket PATH] [--group GROUP] [--keep SIZE] [--format F]\n"
	"               [--syslog ADDRESS] [--journal] [--file PATH] [--file-size SIZE]\n"
	"               [--file-count N] [--sync] [--metrics ADDRESS]\n"
	"\n"
	"Reads the events of the loaded engine, writes them to standard output, a file, a syslog\n"
	"receiver or the journal, and serves them to subscribers. Waits while no policy is loaded.\n"
	"Enforcement does not need it.\n"
	"\n"
	"  --socket PATH     where subscribers connect (" POL_SOCKET ")\n"
	"  --group GROUP     its members may subscribe, too; else root only\n"
	"  --keep SIZE       memory for the last events, for subscribers, and as much for what\n"
	"                    waits to be written (4MiB)\n"
	"  --format F        json (default), or another of 'policyctl events'\n"
	"  --syslog ADDRESS  send RFC 5424 messages to unix:PATH, udp:HOST:PORT or tcp:HOST:PORT\n"
	"  --journal         write entries with all fields to the systemd journal\n"
	"  --file PATH       write to PATH, not to standard output\n"
	"  --file-size SIZE  rotate it once it has that many bytes\n"
	"  --file-count N    rotated files to keep (5)\n"
	"  --sync            fdatasync(2) it before the kernel forgets an event\n"
	"  --metrics ADDRESS serve metrics for Prometheus, GET /metrics: unix:PATH, 127.0.0.1:PORT or\n"
	"                    [::1]:PORT\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"SIGTERM reads what is pending and ends; SIGHUP and SIGUSR1 open PATH again. Exit status: 0\n"
	"done, 1 failed, 2 usage, 4 the kernel, host or user lacks something, 5 busy: another policyd\n"
	"serves the socket.\n";

enum {
	SOCKET = 256,
	GROUP,
	KEEP,
	FORMAT,
	SYSLOG,
	JOURNAL,
	FILE_PATH,
	FILE_SIZE,
	FILE_COUNT,
	SYNC,
	METRICS,
	HELP,
	VERSION
};

static const struct option longs[] = {
	{ "socket", required_argument, NULL, SOCKET },
	{ "group", required_argument, NULL, GROUP },
	{ "keep", required_argument, NULL, KEEP },
	{ "format", required_argument, NULL, FORMAT },
	{ "syslog", required_argument, NULL, SYSLOG },
	{ "journal", no_argument, NULL, JOURNAL },
	{ "file", required_argument, NULL, FILE_PATH },
	{ "file-size", required_argument, NULL, FILE_SIZE },
	{ "file-count", required_argument, NULL, FILE_COUNT },
	{ "sync", no_argument, NULL, SYNC },
	{ "metrics", required_argument, NULL, METRICS },
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

static int set_group(struct policyd_options *options, const char *name)
{
	const struct group *group = getgrnam(name);

	if (!group) {
		(void)fprintf(stderr,
			      "policyd: --group: there is no group '%s'\n  help: make it: groupadd "
			      "--system NAME\n",
			      name);
		return POL_ERR_HOST;
	}
	options->group = name;
	options->gid = group->gr_gid;
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

static int set_format(struct policyd_options *options, const char *name)
{
	options->format = pol_format_find(name);
	return options->format ? 0
			       : usage_error("--format: no such format; see 'policyctl events'");
}

static int set_syslog(struct policyd_options *options, const char *address)
{
	const char *why;
	char text[128];

	if (options->syslog.way)
		return usage_error("--syslog: one receiver");
	if (!pol_syslog_address_parse(address, &options->syslog, &why))
		return 0;
	(void)snprintf(text, sizeof(text), "--syslog: %s", why);
	return usage_error(text);
}

static int set_journal(struct policyd_options *options, const char *none)
{
	(void)none;
	options->journal = true;
	return 0;
}

static int set_file(struct policyd_options *options, const char *path)
{
	options->file = path;
	return *path == '/' ? 0 : usage_error("--file: expected an absolute path");
}

static int set_file_size(struct policyd_options *options, const char *text)
{
	if (pol_str_size(text, &options->file_size) < 0 || options->file_size < FILE_SIZE_MIN)
		return usage_error("--file-size: expected a size, at least 64KiB");
	return 0;
}

static int set_file_count(struct policyd_options *options, const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !count || count > FILE_COUNT_MAX)
		return usage_error("--file-count: expected a number, 1 to 999");
	options->file_count = (unsigned int)count;
	return 0;
}

static int set_sync(struct policyd_options *options, const char *none)
{
	(void)none;
	options->sync = true;
	return 0;
}

static int set_metrics(struct policyd_options *options, const char *text)
{
	const char *why;

	if (!pol_listen_parse(text, &options->metrics, &why))
		return 0;
	(void)fprintf(stderr, "policyd: --metrics: '%s': %s\ntry 'policyd --help'\n", text, why);
	return POL_ERR_USAGE;
}

/* By the numbers of the options. */
static int (*const setters[])(struct policyd_options *options, const char *value) = {
	[SOCKET - SOCKET] = set_socket,
	[GROUP - SOCKET] = set_group,
	[KEEP - SOCKET] = set_keep,
	[FORMAT - SOCKET] = set_format,
	[SYSLOG - SOCKET] = set_syslog,
	[JOURNAL - SOCKET] = set_journal,
	[FILE_PATH - SOCKET] = set_file,
	[FILE_SIZE - SOCKET] = set_file_size,
	[FILE_COUNT - SOCKET] = set_file_count,
	[SYNC - SOCKET] = set_sync,
	[METRICS - SOCKET] = set_metrics,
};

static int check(const struct policyd_options *options)
{
	if (!!options->file + !!options->syslog.way + options->journal > 1)
		return usage_error("--file, --syslog and --journal: one of them");
	if (options->syslog.way && options->format && strcmp(options->format->name, "syslog") != 0)
		return usage_error("--syslog sends RFC 5424 messages: no --format but syslog");
	if (options->journal && options->format)
		return usage_error("--journal writes fields of its own: no --format");
	if (options->journal && options->keep < KEEP_MIN_JOURNAL)
		return usage_error("--keep: with --journal at least 256KiB: an entry may be long");
	if (!options->file && (options->file_size || options->file_count || options->sync))
		return usage_error("--file-size, --file-count and --sync are for --file");
	return -1;
}

/* Return: -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct policyd_options *options)
{
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (opt) {
		case HELP:
			(void)fputs(usage, stdout);
			return 0;
		case VERSION:
			(void)printf("policyd %s (kernel interface %d)\n", POL_VERSION,
				     POL_ABI_VERSION);
			return 0;
		case '?':
			(void)fputs("try 'policyd --help'\n", stderr);
			return POL_ERR_USAGE;
		default:
			r = setters[opt - SOCKET](options, optarg);
			if (r)
				return r;
		}
	}
	return optind < argc ? usage_error("no arguments but options are taken") : check(options);
}

/* Not /dev/null for standard output: events would go nowhere, unsaid. */
static int open_standard(const struct policyd_options *options)
{
	if (!options->file && !options->syslog.way && !options->journal &&
	    fcntl(STDOUT_FILENO, F_GETFD) < 0) {
		policyd_say("standard output is closed; events go there");
		return -EBADF;
	}
	return pol_open_standard();
}

int main(int argc, char **argv)
{
	struct policyd_options options = {
		.socket = POL_SOCKET,
		.keep = KEEP_DEFAULT,
	};
	int r = parse(argc, argv, &options);

	if (r >= 0)
		return r;
	(void)libbpf_set_print(NULL); /* what matters of it is in our messages */
	if (!options.format)
		options.format = pol_format_find(options.syslog.way ? "syslog" : "json");
	if (!options.file_count)
		options.file_count = FILE_COUNT_DEFAULT;
	return open_standard(&options) < 0 ? POL_ERR_FAILED : policyd_run(&options);
}
