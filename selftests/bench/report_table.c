/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of `make bench`, for people. */
#include <math.h>
#include <string.h>

#include "report.h"

static void print_number(double value, bool there, FILE *to)
{
	if (there)
		fprintf(to, " %11.0f", fabs(value) <= 0.5 ? 0 : value); /* no "-0" */
	else
		fprintf(to, " %11s", "-");
}

static void print_row(const struct bench *bench, const struct bench_row *row, const char *actor,
		      FILE *to)
{
	double none = bench_value(bench_find(bench, row->operation, row->depth, "none"));
	double empty = bench_value(bench_find(bench, row->operation, row->depth, "empty"));
	double value = bench_value(row);
	bool is_base = !strcmp(row->actor, "none") || !strcmp(row->actor, "fresh");

	if (row->depth)
		fprintf(to, "  %5d  ", row->depth);
	else
		fprintf(to, "  %5s  ", "");
	fprintf(to, "%-34s %11.0f ", actor, value);
	if (none > 0)
		fprintf(to, "%8.3f", value / none);
	else
		fprintf(to, "%8s", "-");
	print_number(value - none, none > 0 && strcmp(row->actor, "none"), to);
	print_number(value - empty, empty > 0 && !is_base && strcmp(row->actor, "empty"), to);
	print_number(bench_later(row), true, to);
	fprintf(to, "\n");
}

static void print_operation(const struct bench *bench, const struct bench_name *operation, FILE *to)
{
	int last = -1;

	fprintf(to, "\n%s\n  %5s  %-34s %11s %8s %11s %11s %11s\n", operation->text, "depth", "",
		"instructions", "x none", "over none", "over empty", "with later");
	for (;;) {
		int depth = 1 << 30;

		for (int i = 0; i < bench->row_cnt; i++)
			if (!strcmp(bench->rows[i].operation, operation->word) &&
			    bench->rows[i].depth > last && bench->rows[i].depth < depth)
				depth = bench->rows[i].depth;
		if (depth == 1 << 30)
			return;
		for (const struct bench_name *actor = bench_actors; actor->word; actor++) {
			const struct bench_row *row =
				bench_find(bench, operation->word, depth, actor->word);

			if (row)
				print_row(bench, row, actor->text, to);
		}
		last = depth;
	}
}

static void print_spread(const struct bench *bench, FILE *to)
{
	const struct bench_row *worst = NULL;
	int exact = 0;

	for (int i = 0; i < bench->row_cnt; i++) {
		double spread = bench_spread(&bench->rows[i]);

		exact += spread / 100 * bench_value(&bench->rows[i]) < 1;
		if (!worst || spread > bench_spread(worst))
			worst = &bench->rows[i];
	}
	if (!worst)
		return;
	fprintf(to,
		"Each row was measured twice in each of two fresh VMs: %d of %d rows came out the same\n"
		"but for a fraction of an instruction, the worst (%s, depth %d, %s) to %.2f %%.\n",
		exact, bench->row_cnt, worst->operation, worst->depth, worst->actor,
		bench_spread(worst));
}

void bench_print_table(const struct bench *bench, FILE *to)
{
	for (int i = 0; i < bench->fact_cnt; i++)
		fprintf(to, "%-12s%s\n", bench->facts[i].word, bench->facts[i].text);
	for (const struct bench_name *operation = bench_operations; operation->word; operation++)
		print_operation(bench, operation, to);
	fprintf(to,
		"\nInstructions per operation, user space and kernel: of single operations, the mean of the\n"
		"middle half; \"with later\" is the mean of all, with what the kernel does afterwards (timer\n"
		"ticks, RCU, freeing).\n"
		"Depth: levels below the directory of the rule; Landlock's rule is on /, where it refuses on\n"
		"/bench. Empty programs: one on each hook at which the engine has one for that operation;\n"
		"where opens are refused, one that does nothing but refuse.\n"
		"Not in these figures: cache and TLB misses, mispredicted branches, what a locked or a\n"
		"serialising instruction costs beyond being one, waiting for another CPU. QEMU's emulation\n"
		"has none of them. They are no times, and no verdict about times.\n");
	print_spread(bench, to);
}
