/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of all rows, and a plot of what an open costs by depth (SVG). */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report.h"

/* ---- JSON */

static json_t *number(double value)
{
	return json_real(round(value * 1000) / 1000);
}

/* What a row has over another actor's of the same operation and depth; null: there is none. */
static json_t *over(const struct bench *bench, const struct bench_row *row, const char *actor)
{
	const struct bench_row *base = bench_find(bench, row->operation, row->depth, actor);

	return base ? number(bench_value(row) - bench_value(base)) : json_null();
}

static json_t *row_json(const struct bench *bench, const struct bench_row *row)
{
	const struct bench_row *none = bench_find(bench, row->operation, row->depth, "none");
	json_t *runs = json_array();

	for (int i = 0; i < row->cnt; i++)
		json_array_append_new(runs, json_pack("{s:i, s:i, s:o, s:o}", "vm", row->runs[i].vm,
						      "round", row->runs[i].round, "middle",
						      number(row->runs[i].middle), "mean",
						      number(row->runs[i].mean)));
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "operation",
			 row->operation, "depth",
			 row->depth ? json_integer(row->depth) : json_null(), "actor", row->actor,
			 "instructions", number(bench_value(row)), "ratio",
			 none ? number(bench_value(row) / bench_value(none)) : json_null(),
			 "over_none", over(bench, row, "none"), "over_empty",
			 over(bench, row, "empty"), "with_later", number(bench_later(row)),
			 "spread_percent", number(bench_spread(row)), "runs", runs);
}

int bench_write_json(const struct bench *bench, double limit, FILE *to)
{
	json_t *root = json_object(), *rows = json_array();
	int r;

	json_object_set_new(root, "unit", json_string("instructions per operation"));
	for (int i = 0; i < bench->fact_cnt; i++)
		json_object_set_new(root, bench->facts[i].word, json_string(bench->facts[i].text));
	json_object_set_new(root, "repeats_within_percent", number(limit));
	for (int i = 0; i < bench->row_cnt; i++)
		json_array_append_new(rows, row_json(bench, &bench->rows[i]));
	json_object_set_new(root, "rows", rows);
	r = json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', to);
	json_decref(root);
	return r ? -EIO : 0;
}

/* ---- the plot: added instructions (logarithmic) over depth (linear) */

#define LEFT   70
#define TOP    50
#define WIDTH  560
#define HEIGHT 340
#define LEAST  100.0
#define MOST   100000.0
#define DEEP   32

static const struct line {
	const char *operation;
	const char *actor;
	const char *text;
	const char *colour;
} lines[] = {
	{ "open", "empty", "empty program", "#888888" },
	{ "open", "landlock", "Landlock, one rule on /", "#cc7000" },
	{ "open", "nonguest", "engine: not a guest", "#2a7f2a" },
	{ "open", "guest", "engine: a guest", "#1f5fbf" },
	{ "touch", "guest", "engine: a guest, first touch", "#8f3fbf" },
};

static double x_of(double depth)
{
	return LEFT + depth / DEEP * WIDTH;
}

static double y_of(double added)
{
	double share = log10(fmax(added, LEAST) / LEAST) / log10(MOST / LEAST);

	return TOP + HEIGHT - share * HEIGHT;
}

static void write_axes(const struct bench *bench, FILE *to)
{
	fprintf(to,
		"<text x='%d' y='20' font-size='15'>open + close: instructions added, by depth</text>\n",
		LEFT);
	fprintf(to, "<text x='%d' y='38'>kernel %s, QEMU -icount; logarithmic</text>\n", LEFT,
		bench_fact(bench, "kernel"));
	for (double at = LEAST; at <= MOST; at *= 10)
		fprintf(to,
			"<path d='M%d %.1fh%d' stroke='#dddddd'/><text x='%d' y='%.1f' text-anchor='end'>%.0f</text>\n",
			LEFT, y_of(at), WIDTH, LEFT - 8, y_of(at) + 4, at);
	for (int depth = 0; depth <= DEEP; depth += 4)
		fprintf(to, "<text x='%.1f' y='%d' text-anchor='middle'>%d</text>\n", x_of(depth),
			TOP + HEIGHT + 18, depth);
	fprintf(to,
		"<text x='%d' y='%d' text-anchor='middle'>levels below the directory of the rule</text>\n",
		LEFT + WIDTH / 2, TOP + HEIGHT + 38);
}

static void write_line(const struct bench *bench, const struct line *line, int nr, FILE *to)
{
	const int at_y = TOP + HEIGHT + 62 + nr * 18;
	char step = 'M';

	fprintf(to, "<path fill='none' stroke-width='2' stroke='%s' d='", line->colour);
	for (int depth = 1; depth <= DEEP; depth++) {
		const struct bench_row *row =
			bench_find(bench, line->operation, depth, line->actor);
		const struct bench_row *none = bench_find(bench, line->operation, depth, "none");

		if (!row || !none)
			continue;
		fprintf(to, "%c%.1f %.1f", step, x_of(depth),
			y_of(bench_value(row) - bench_value(none)));
		step = 'L';
	}
	fprintf(to, "'/><path stroke-width='2' stroke='%s' d='M%d %dh24'/>", line->colour, LEFT,
		at_y - 4);
	fprintf(to, "<text x='%d' y='%d'>%s</text>\n", LEFT + 32, at_y, line->text);
}

void bench_write_plot(const struct bench *bench, FILE *to)
{
	const int cnt = sizeof(lines) / sizeof(lines[0]);

	fprintf(to,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
		"font-family='sans-serif' font-size='12'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		LEFT + WIDTH + 30, TOP + HEIGHT + 62 + cnt * 18);
	write_axes(bench, to);
	for (int i = 0; i < cnt; i++)
		write_line(bench, &lines[i], i, to);
	fprintf(to, "</svg>\n");
}
