/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl events: the verb's arguments. What it does is in events_stream.c.
 */
#include "cmd_events.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "events_remote.h"
#include "events_stream.h"
#include "feed.h"
#include "str.h"
#include "when.h"
#include "words.h"

struct options {
	bool help;
	const char *guest;
	char *path;
	struct pol_stream_options stream;
};

static const char usage[] =
	"usage: policyctl events [--follow] [--since T] [--guest G] [--type T]\n"
	"                        [--verdict V] [--path P]\n"
	"                        [--format text|json|ecs|ocsf|cef|syslog]\n"
	"\n"
	"Print the events of the loaded engine: refusals, ceilings, exits, changes of guests and\n"
	"policy. Without --follow, what is pending, then exit. An unfiltered reading consumes what\n"
	"it printed; with --since or a filter nothing is consumed. Filters all have to match.\n"
	"Where policyd runs: what it keeps; nothing is consumed.\n"
	"\n"
	"  --follow        go on with what comes, until interrupted\n"
	"  --since T       events after T: RFC 3339, or a span back (90, 1500ms, 30s, 10m, 2h)\n"
	"  --guest G       events of guest G only\n"
	"  --type T        events of one type only: violation ceiling exit lost guest policy\n"
	"                  escape allow shadow exec fork\n"
	"  --verdict V     events with one verdict only: denied would_deny allowed pressure killed\n"
	"  --path P        events on path P or beneath it only\n"
	"  --format F      text (default): for people; json: JSON Lines; and for other receivers\n"
	"                  ecs (Elastic Common Schema 9.4), ocsf (OCSF 1.8), each as JSON Lines,\n"
	"                  cef (CEF:0), syslog (RFC 5424)\n"
	"  --help          this text\n";

static int64_t now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* "policyctl events: BEFORE 'VALUE'AFTER", the user's bytes escaped. */
static int usage_error(const char *before, const char *value, const char *after)
{
	_cleanup_free_ char *shown = pol_str_escape(value, strlen(value));

	(void)fprintf(stderr, "policyctl events: %s '%s'%s\n", before, shown ? shown : "?", after);
	return POL_ERR_USAGE;
}

static int set_format(struct options *options, const char *value)
{
	char after[128] = ": expected one of";
	size_t len = strlen(after);

	options->stream.format = pol_format_find(value);
	if (options->stream.format)
		return 0;
	for (size_t i = 0; pol_format_at(i) && len < sizeof(after); i++)
		len += (size_t)snprintf(after + len, sizeof(after) - len, " %s",
					pol_format_at(i)->name);
	return usage_error("--format", value, after);
}

static int set_type(struct options *options, const char *value)
{
	int type = pol_type_parse(value);

	if (type < 0)
		return usage_error(
			"--type", value,
			": expected an event type: violation, ceiling, exit, lost, guest, policy, "
			"escape, allow, shadow, exec or fork");
	options->stream.filter.type = (uint32_t)type;
	return 0;
}

static int set_verdict(struct options *options, const char *value)
{
	int verdict = pol_verdict_parse(value);

	if (verdict < 0)
		return usage_error("--verdict", value,
				   ": expected denied, would_deny, allowed, pressure or killed");
	options->stream.filter.verdict = (uint32_t)verdict;
	return 0;
}

static int set_path(struct options *options, const char *value)
{
	_cleanup_free_ char *path = NULL;
	int r = pol_path_clean(value, strlen(value), &path);

	if (r < 0)
		return usage_error("--path", value, ": out of memory");
	if (r != POL_PATH_OK)
		return usage_error("--path", value,
				   ": expected an absolute path without '..', like /srv/web");
	free(options->path);
	options->path = TAKE_PTR(path);
	options->stream.filter.path = options->path;
	return 0;
}

static int set_since(struct options *options, const char *value)
{
	struct pol_event_filter *filter = &options->stream.filter;

	if (pol_since_parse(value, now_ns(), &filter->since_ns) < 0)
		return usage_error(
			"--since", value,
			": expected RFC 3339 (2026-11-21T01:02:03Z) or a span back (10m)");
	filter->has_since = true;
	return 0;
}

static int set_guest(struct options *options, const char *value)
{
	options->guest = value;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct options *options, const char *value);
} valued[] = {
	{ "--format", set_format }, { "--guest", set_guest }, { "--path", set_path },
	{ "--since", set_since },   { "--type", set_type },   { "--verdict", set_verdict },
};

/* An option with a value, "--x V" or "--x=V". Return: arguments used; 0: none of ours; -status. */
static int parse_valued(struct options *options, int left, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(valued); i++) {
		size_t len = strlen(valued[i].name);
		const char *value;
		int used = 1, r;

		if (strncmp(argv[0], valued[i].name, len) != 0)
			continue;
		if (argv[0][len] == '=') {
			value = argv[0] + len + 1;
		} else if (argv[0][len] == '\0') {
			value = left > 1 ? argv[1] : NULL;
			used = 2;
		} else {
			continue;
		}
		if (!value) {
			(void)fprintf(stderr, "policyctl events: %s needs a value\n",
				      valued[i].name);
			return -(int)POL_ERR_USAGE;
		}
		r = valued[i].set(options, value);
		return r ? -r : used;
	}
	return 0;
}

static int parse_options(int argc, char **argv, struct options *ret)
{
	for (int i = 1; i < argc;) {
		int r;

		if (strcmp(argv[i], "--follow") == 0) {
			ret->stream.follow = true;
			i++;
			continue;
		}
		if (strcmp(argv[i], "--help") == 0) {
			ret->help = true;
			return 0;
		}
		r = parse_valued(ret, argc - i, argv + i);
		if (r < 0)
			return -r;
		if (r == 0)
			return usage_error("unknown argument", argv[i],
					   "; see 'policyctl events --help'");
		i += r;
	}
	return 0;
}

static void close_feed(struct pol_feed **feed)
{
	pol_feed_close(*feed);
}

static void print_error(const struct pol_err *err)
{
	(void)fprintf(stderr, "policyctl events: %s\n", err->message);
	if (err->fix[0])
		(void)fprintf(stderr, "  help: %s\n", err->fix);
}

/* Not a filter's value but its number: names are the feed's to know. */
static int find_guest(struct pol_feed *feed, struct options *options)
{
	_cleanup_free_ char *shown = NULL;
	int r;

	if (!options->guest)
		return 0;
	r = pol_feed_guest_id(feed, options->guest, &options->stream.filter.guest);
	if (r == 0) {
		options->stream.filter.has_guest = true;
		return 0;
	}
	shown = pol_str_escape(options->guest, strlen(options->guest));
	(void)fprintf(stderr, "policyctl events: the loaded policy has no guest '%s'\n",
		      shown ? shown : "?");
	return POL_ERR_FAILED;
}

static void free_options(struct options *options)
{
	free(options->path);
}

int cmd_events(int argc, char **argv)
{
	_cleanup_(close_feed) struct pol_feed *feed = NULL;
	_cleanup_close_ int remote = -EBADF;
	_cleanup_(free_options) struct options options = {
		.stream.format = pol_format_find("text"),
	};
	struct pol_err err = { 0 };
	int r;

	r = parse_options(argc, argv, &options);
	if (r)
		return r;
	if (options.help) {
		(void)fputs(usage, stdout);
		return 0;
	}
	remote = pol_remote_connect();
	if (remote >= 0)
		return pol_remote_run(remote, &options.stream, options.guest);
	r = pol_feed_open(&feed, &err);
	if (r == -ENOENT && !options.stream.follow) {
		print_error(&err); /* nothing is pending: said, and no failure */
		return 0;
	}
	if (r < 0) {
		print_error(&err);
		return err.kind ? (int)err.kind : POL_ERR_FAILED;
	}
	r = find_guest(feed, &options);
	return r ? r : pol_stream_run(feed, &options.stream);
}
