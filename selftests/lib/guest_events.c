/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading events and finding one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "abi.h"
#include "guest.h"
#include "lib_util.h"

bool events_fold;

static json_t *events;

/* As pol_iterate() does it. Return: 0; -1: no engine is loaded, or it does not work. */
static int flush_windows(int turn, int map, int prog)
{
	const struct pol_iter_command command = { .action = POL_ITER_FLUSH };
	const __u32 zero = 0;
	int link = -1, iter = -1, r = -1;
	char byte;

	if (turn < 0 || map < 0 || prog < 0 || flock(turn, LOCK_EX))
		return -1;
	if (!bpf_map_update_elem(map, &zero, &command, BPF_ANY))
		link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	if (link >= 0)
		iter = bpf_iter_create(link);
	if (iter >= 0)
		r = (int)read(iter, &byte, 1);
	close(iter);
	close(link);
	return r;
}

void events_unfold(void)
{
	int turn = open(PINS "/progs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int map = bpf_obj_get(PINS "/maps/iter"), prog = bpf_obj_get(PINS "/progs/pol_folds");

	if (flush_windows(turn, map, prog) && turn >= 0)
		printf("# windows could not be ended\n");
	close(prog);
	close(map);
	close(turn);
}

void events_fill(void)
{
	struct pol_event_note note = { .action = POL_ACTION_LOADED };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &note, .ctx_size_in = sizeof(note));
	int prog = bpf_obj_get(PINS "/progs/pol_note"), cnt = 0;

	while (!bpf_prog_test_run_opts(prog, &opts) && !opts.retval)
		cnt++;
	printf("# %d records fill it\n", cnt);
	close(prog);
}

static const char *scalar(const json_t *value)
{
	static char number[32];

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		return number;
	case JSON_REAL:
		snprintf(number, sizeof(number), "%g", json_real_value(value));
		return number;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_OBJECT:
		return "{}";
	default:
		return value ? "null" : "(no such key)";
	}
}

const char *json_at(const json_t *object, const char *path)
{
	static char bufs[16][4096];
	static unsigned int next;
	char *buf = bufs[next++ % 16], key[64];
	const json_t *value = object, *item;
	size_t i, len = 0;

	while (value && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		value = json_is_null(value) ? value : json_object_get(value, key);
		path += n + (path[n] == '.');
	}
	buf[0] = 0;
	if (!json_is_array(value)) {
		snprintf(buf, sizeof(bufs[0]), "%s", scalar(value));
		return buf;
	}
	json_array_foreach(value, i, item)
		len += (size_t)snprintf(buf + len,
					len < sizeof(bufs[0]) ? sizeof(bufs[0]) - len : 0, "%s%s",
					i ? "," : "", scalar(item));
	return buf;
}

static bool ends(const char *got, const char *want)
{
	size_t g = strlen(got), w = strlen(want);

	return g >= w && !strcmp(got + g - w, want);
}

static bool fulfils(const json_t *event, const char *condition)
{
	const char *eq = strchr(condition, '='), *got;
	bool mark = eq > condition && strchr("$*!", eq[-1]);
	char path[64];

	snprintf(path, sizeof(path), "%.*s", (int)(eq - condition - mark), condition);
	got = json_at(event, path);
	switch (mark ? eq[-1] : '=') {
	case '$':
		return ends(got, eq + 1);
	case '*':
		return strstr(got, eq + 1);
	case '!':
		return strcmp(got, eq + 1) != 0;
	default:
		return !strcmp(got, eq + 1);
	}
}

static size_t score(const json_t *event, const char *const conditions[], size_t *ret_cnt)
{
	size_t n = 0;

	*ret_cnt = 0;
	for (; conditions[*ret_cnt]; ++*ret_cnt)
		n += fulfils(event, conditions[*ret_cnt]);
	return n;
}

/*
 * One event of each kind, once a suite, goes to the host: run.sh holds it against the schema, with a
 * validator that no VM has.
 */
static void show_kind(const json_t *event, const char *line)
{
	static const char *const parts[] = { "type",  "verdict", "op",	     "reason",
					     "errno", "action",	 "resource", "cause.kind" };
	static json_t *shown;
	char kind[1024];
	size_t len = 0;

	if (!shown)
		shown = json_object();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		len += (size_t)snprintf(kind + len, len < sizeof(kind) ? sizeof(kind) - len : 0,
					"%.60s ", json_at(event, parts[i]));
	if (json_object_get(shown, kind))
		return;
	json_object_set_new(shown, kind, json_true());
	printf("::event %s", line);
}

const char *events_read(void)
{
	static char line[65536];
	const char *why = NULL;
	json_error_t err;
	json_t *event;
	FILE *f;
	int r;

	if (!events)
		events = json_array();
	if (!events_fold)
		events_unfold();
	fflush(stdout);
	f = popen("policyctl events --format json 2>&1", "re");
	if (!f)
		lib_die("popen", "policyctl events");
	while (fgets(line, sizeof(line), f)) {
		event = json_loads(line, 0, &err);
		if (event) {
			json_array_append_new(events, event);
			show_kind(event, line);
		} else if (!why) {
			why = text("policyctl events: %s: %.300s", err.text, line);
		}
	}
	r = pclose(f);
	if (r && !why)
		why = text("policyctl events: wait status %d", r);
	return why;
}

void events_forget(void)
{
	const char *why = events_read();

	if (why)
		printf("# %s\n", why);
	json_array_clear(events);
}

const json_t *events_all(void)
{
	return events;
}

const json_t *events_find(const char *const conditions[])
{
	json_t *event;
	size_t i, cnt;

	json_array_foreach(events, i, event)
		if (score(event, conditions, &cnt) == cnt)
			return event;
	return NULL;
}

static int times(const json_t *event)
{
	int repeats = (int)json_integer_value(json_object_get(event, "repeats"));

	return repeats ? repeats : 1;
}

int events_count(const char *const conditions[])
{
	const char *why = events_read();
	json_t *event;
	size_t i, cnt;
	int n = 0;

	if (why)
		printf("# %s\n", why);
	json_array_foreach(events, i, event)
		if (score(event, conditions, &cnt) == cnt)
			n += times(event);
	return n;
}

static const char *explain(const json_t *event, const char *const conditions[])
{
	static char why[700];
	size_t len = 0;

	for (size_t i = 0; conditions[i]; i++) {
		const char *eq = strchr(conditions[i], '=');
		char path[64];

		if (fulfils(event, conditions[i]) || len >= sizeof(why))
			continue;
		snprintf(path, sizeof(path), "%.*s",
			 (int)(eq - conditions[i] - (strchr("$*!", eq[-1]) != NULL)),
			 conditions[i]);
		len += (size_t)snprintf(why + len, sizeof(why) - len,
					"wanted %.150s, got '%.150s'; ", conditions[i],
					json_at(event, path));
	}
	return why;
}

const char *events_missing(const char *const conditions[])
{
	size_t i, cnt, best = 0;
	json_t *event, *nearest = NULL;
	const char *why;

	if (!events_find(conditions)) {
		why = events_read();
		if (why)
			return why;
	}
	if (events_find(conditions))
		return NULL;
	json_array_foreach(events, i, event) {
		size_t n = score(event, conditions, &cnt);

		if (!nearest || n > best) {
			nearest = event;
			best = n;
		}
	}
	return nearest ? text("no such event among %zu; nearest: %s", json_array_size(events),
			      explain(nearest, conditions))
		       : text("no event at all (wanted %s, %s)", conditions[0],
			      conditions[1] ?: "");
}
