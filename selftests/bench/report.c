/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* measure's loop, and the two instructions that surround it. */
#define CLOCK_LEAST 200000
#define CLOCK_MOST  200100

const struct bench_name bench_operations[] = {
	{ "open", "open + close" },
	{ "touch", "first open + close in a directory, after a reload" },
	{ "refuse", "an open that is refused, reported with its path" },
	{ "repeat", "the same within a second of it, folded" },
	{ "fork", "fork + exit + wait" },
	{ "ceiling", "open + close, a guest has a ceiling of descriptors" },
	{ "pipe_ceiling", "pipe + close of both ends, likewise" },
	{ "pipe", "pipe + close of both ends, nobody has a ceiling" },
	{ "stat", "stat" },
	{ "read", "a read of one byte" },
	{ "rename", "a rename within a directory" },
	{ "mount", "mount(2) that changes nothing" },
	{ "ioctl", "an ioctl of a device" },
	{ "send", "a datagram by a unix socket" },
	{ "write", "open for writing + close" },
	{ "rewrite", "the same, the first time since a snapshot was made, where there is one" },
	{ "create", "create + close + unlink" },
	{ "chmod", "chmod to the mode that is there" },
	{ "copy", "one KiB of a file of so many MiB (depth) copied to a memfd" },
	{ "json", "1000 bytes of JSON: records decoded and their lines written" },
	{ "piece", "open + close with a program on file_open of one piece" },
	{ NULL, NULL },
};

const struct bench_name bench_actors[] = {
	{ "fresh", "no program, before the first load" },
	{ "none", "no program" },
	{ "empty", "empty programs" },
	{ "landlock", "Landlock, one rule" },
	{ "nonguest", "engine: not a guest" },
	{ "guest", "engine: a guest" },
	{ "paths", "the same, a guest has shadow.paths" },
	{ "live_1", "the same, 1 snapshot lives" },
	{ "live_1000", "the same, 1000 live" },
	{ "sendfile", "sendfile" },
	{ "splice", "splice by a pipe of 1 MiB" },
	{ "rw_64", "read + write, 64 KiB" },
	{ "rw_256", "read + write, 256 KiB" },
	{ "rw_1024", "read + write, 1 MiB" },
	{ "map", "read to a mapping" },
	{ "map_populate", "the same, MAP_POPULATE" },
	{ "map_advise", "the same, MADV_POPULATE_WRITE" },
	{ "violation", "a violation, as in events.md" },
	{ "exit", "an exit" },
	{ "ceiling", "a ceiling" },
	{ "array", "an element of an array" },
	{ "cgroup", "the id of the task's cgroup" },
	{ "cgroup_probe", "the same, a probe of a table by it" },
	{ "storage_none", "task storage, the task has none" },
	{ "storage_hit", "task storage" },
	{ "outer_array", "a map in a map, an element of it" },
	{ "hash_miss", "hash, key of 24 bytes, not there" },
	{ "hash_hit", "hash, key of 24 bytes" },
	{ "hash_cycle", "hash, add and delete an element" },
	{ "probe_read", "bpf_probe_read_kernel, 8 bytes" },
	{ "loop_8", "bpf_loop, 8 times nothing" },
	{ "swap", "array, a compare-and-swap" },
	{ "boot_ns", "bpf_ktime_get_boot_ns" },
	{ "ring", "a record of 1328 bytes, not filled" },
	{ "d_path", "bpf_d_path" },
	{ NULL, NULL },
};

static bool is_known(const struct bench_name *names, const char *word)
{
	for (; names->word; names++)
		if (!strcmp(names->word, word))
			return true;
	return false;
}

const struct bench_row *bench_find(const struct bench *bench, const char *operation, int depth,
				   const char *actor)
{
	for (int i = 0; i < bench->row_cnt; i++) {
		const struct bench_row *row = &bench->rows[i];

		if (row->depth == depth && !strcmp(row->operation, operation) &&
		    !strcmp(row->actor, actor))
			return row;
	}
	return NULL;
}

static struct bench_row *find_or_add(struct bench *bench, const struct bench_row *wanted)
{
	const struct bench_row *found =
		bench_find(bench, wanted->operation, wanted->depth, wanted->actor);
	struct bench_row *row;

	if (found)
		return &bench->rows[found - bench->rows];
	if (bench->row_cnt == BENCH_ROWS)
		return NULL;
	row = &bench->rows[bench->row_cnt++];
	*row = *wanted;
	return row;
}

static int add_run(struct bench *bench, const struct bench_row *wanted, const struct bench_run *run)
{
	struct bench_row *row = find_or_add(bench, wanted);

	if (!row)
		return -ENOSPC;
	for (int i = 0; i < row->cnt; i++)
		if (row->runs[i].vm == run->vm && row->runs[i].round == run->round)
			return -EEXIST;
	if (row->cnt == BENCH_RUNS)
		return -ENOSPC;
	row->runs[row->cnt++] = *run;
	return 0;
}

/* ROUND OPERATION DEPTH ACTOR MIDDLE MEAN LEAST TIMES */
static int add_row(struct bench *bench, int vm, const char *line)
{
	struct bench_row row = { .cnt = 0 };
	struct bench_run run = { .vm = vm };
	double least;
	long times;
	int end = 0;

	if (sscanf(line, "%d %15s %d %15s %lf %lf %lf %ld%n", &run.round, row.operation, &row.depth,
		   row.actor, &run.middle, &run.mean, &least, &times, &end) != 8 ||
	    line[end] || vm < 1)
		return -EINVAL;
	if (strcmp(row.operation, "clock") != 0 && !is_known(bench_operations, row.operation))
		return -EINVAL;
	if (!is_known(bench_actors, row.actor) || run.middle <= 0 || run.mean <= 0 || row.depth < 0)
		return -EINVAL;
	return add_run(bench, &row, &run);
}

static int add_fact(struct bench *bench, const char *line)
{
	struct bench_fact fact = { .text = "" };
	const char *space = strchr(line, ' ');
	const char *known;

	if (!space || space == line || (size_t)(space - line) >= sizeof(fact.word) ||
	    strlen(space + 1) >= sizeof(fact.text))
		return -EINVAL;
	memcpy(fact.word, line, (size_t)(space - line));
	memcpy(fact.text, space + 1, strlen(space + 1));
	known = bench_fact(bench, fact.word);
	if (*known)
		return strcmp(known, fact.text) ? -EEXIST : 0;
	if (bench->fact_cnt == BENCH_FACTS)
		return -ENOSPC;
	bench->facts[bench->fact_cnt++] = fact;
	return 0;
}

int bench_add(struct bench *bench, int vm, const char *line)
{
	return isdigit((unsigned char)line[0]) ? add_row(bench, vm, line) : add_fact(bench, line);
}

const char *bench_fact(const struct bench *bench, const char *word)
{
	for (int i = 0; i < bench->fact_cnt; i++)
		if (!strcmp(bench->facts[i].word, word))
			return bench->facts[i].text;
	return "";
}

/* ---- figures */

double bench_value(const struct bench_row *row)
{
	double sum = 0;

	for (int i = 0; row && i < row->cnt; i++)
		sum += row->runs[i].middle;
	return row && row->cnt ? sum / row->cnt : -1;
}

double bench_later(const struct bench_row *row)
{
	double sum = 0;

	for (int i = 0; row && i < row->cnt; i++)
		sum += row->runs[i].mean;
	return row && row->cnt ? sum / row->cnt : -1;
}

static const struct bench_run *extreme(const struct bench_row *row, bool most)
{
	const struct bench_run *found = &row->runs[0];

	for (int i = 1; i < row->cnt; i++)
		if (most ? row->runs[i].middle > found->middle
			 : row->runs[i].middle < found->middle)
			found = &row->runs[i];
	return found;
}

double bench_spread(const struct bench_row *row)
{
	double least = extreme(row, false)->middle;

	return (extreme(row, true)->middle - least) / least * 100;
}

/* ---- the verdict */

static void say_row(const struct bench_row *row, FILE *to)
{
	fprintf(to, "bench: %s", row->operation);
	if (row->depth)
		fprintf(to, ", depth %d", row->depth);
	fprintf(to, ", %s: ", row->actor);
}

static bool repeats(const struct bench_row *row, double limit, FILE *to)
{
	const struct bench_run *least = extreme(row, false), *most = extreme(row, true);

	if (row->cnt != BENCH_RUNS) {
		say_row(row, to);
		fprintf(to, "measured %d times instead of %d\n", row->cnt, BENCH_RUNS);
		return false;
	}
	if (bench_spread(row) <= limit)
		return true;
	say_row(row, to);
	fprintf(to, "%.0f instructions in VM %d, round %d, and %.0f in VM %d, round %d: %.2f %%\n",
		least->middle, least->vm, least->round, most->middle, most->vm, most->round,
		bench_spread(row));
	return false;
}

static bool counts_instructions(const struct bench *bench, FILE *to)
{
	const struct bench_row *row = bench_find(bench, "clock", 0, "none");

	for (int i = 0; row && i < row->cnt; i++) {
		double value = row->runs[i].middle;

		if (value >= CLOCK_LEAST && value <= CLOCK_MOST)
			continue;
		fprintf(to, "bench: the clock does not count instructions: %.0f for a loop of %d\n",
			value, CLOCK_LEAST);
		return false;
	}
	if (!row)
		fprintf(to, "bench: no measurement of the clock\n");
	return row;
}

int bench_check(const struct bench *bench, double limit, FILE *to)
{
	int bad = counts_instructions(bench, to) ? 0 : 1;

	for (int i = 0; i < bench->row_cnt; i++)
		if (!repeats(&bench->rows[i], limit, to))
			bad++;
	return bad;
}
