/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serve SOCKET KEEP GID SEQ: policyd's socket, server.c and subscriber.c as they are, with no engine
 * behind it. Members of the group may subscribe. Each line on standard input, a number, makes as many
 * violations of guest 3, numbered from SEQ on; "done" is the answer. Its end is policyd's end.
 */
#include <stdarg.h>
#include <sys/epoll.h>

#include "base.h"
#include "policyd.h"
#include "records.h"

static struct policyd_options options = { .group = "the test's" };
static struct policyd d = { .options = &options };
static uint64_t seq;

/* ---- what server.c and subscriber.c need of the rest of policyd ---- */

void policyd_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

int policyd_flush(struct policyd *policyd, struct pol_outlet *outlet, pol_outlet_fn fn, void *arg)
{
	int r;

	(void)policyd;
	do {
		r = pol_outlet_tell(outlet, &test_record_ctx, pol_boot_ns(), 3);
		if (!r)
			r = pol_outlet_flush(outlet, fn, arg);
	} while (!r && !pol_outlet_empty(outlet));
	return r;
}

void rounds_drain(struct policyd *policyd)
{
	(void)policyd;
}

/* ---- */

/* As a fan's round does: who reads gets all, whatever is kept. */
static void make_events(uint64_t cnt)
{
	union test_record record;
	static struct pol_event_view view;

	while (cnt--) {
		test_record_violation(&record);
		record.event.seq = seq++;
		if (pol_event_decode(&record, record.event.size, &view) < 0 ||
		    pol_keep_add(d.keep, &view, &test_record_ctx) < 0)
			abort();
		server_flush(&d);
	}
}

static int on_command(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	char line[64];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	(void)source;
	(void)events;
	(void)arg;
	if (n <= 0)
		return sd_event_exit(d.event, 0);
	line[n] = '\0';
	make_events(strtoull(line, NULL, 10));
	(void)puts("done");
	(void)fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	sd_event_source *commands = NULL;

	if (argc != 5) {
		(void)fprintf(stderr, "usage: serve SOCKET KEEP GID SEQ\n");
		return 2;
	}
	options.socket = argv[1];
	options.keep = strtoul(argv[2], NULL, 10);
	options.gid = (gid_t)strtoul(argv[3], NULL, 10);
	seq = strtoull(argv[4], NULL, 10);
	if (sd_event_default(&d.event) < 0 || server_add(&d) < 0 ||
	    sd_event_add_io(d.event, &commands, STDIN_FILENO, EPOLLIN, on_command, NULL) < 0)
		return 1;
	(void)puts("serving");
	(void)fflush(stdout);
	(void)sd_event_loop(d.event);
	server_done(&d);
	sd_event_source_unref(commands);
	sd_event_unref(d.event);
	return 0;
}
