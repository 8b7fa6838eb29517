/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's figures: read them, see whether they repeat, print them. Pure: no file is opened,
 * nothing is run. report.c has the rows and the verdict, report_table.c the tables for people,
 * report_files.c JSON and plot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BENCH_ROWS  256
#define BENCH_RUNS  4 /* two VMs, two rounds in each */
#define BENCH_FACTS 16

/**
 * struct bench_run - one measurement of a row. Instructions per operation.
 * @middle: mean of the middle half of single operations. @mean: of the loop, with what the kernel
 * does later for them.
 */
struct bench_run {
	int vm;
	int round;
	double middle;
	double mean;
};

struct bench_row {
	char operation[16];
	char actor[16];
	int depth; /* 0: the operation has none */
	int cnt;
	struct bench_run runs[BENCH_RUNS];
};

/* What is so in all of these VMs: kernel, CPU, commit, ... */
struct bench_fact {
	char word[16];
	char text[240];
};

struct bench {
	int row_cnt;
	int fact_cnt;
	struct bench_row rows[BENCH_ROWS];
	struct bench_fact facts[BENCH_FACTS];
};

struct bench_name {
	const char *word; /* as in-vm.sh writes it */
	const char *text;
};

/* In the order of the table; ends with a NULL word. */
extern const struct bench_name bench_operations[], bench_actors[];

/**
 * bench_add() - take one line of in-vm.sh.
 * @vm: its number from 1; 0: a file of facts only.
 *
 * Return: 0; -EINVAL: not such a line; -EEXIST: a row or fact that is there already (a fact: with
 * another text); -ENOSPC: more than there is room for.
 */
int bench_add(struct bench *bench, int vm, const char *line);

const struct bench_row *bench_find(const struct bench *bench, const char *operation, int depth,
				   const char *actor);

/* bench_fact() - the text of a fact; "" if there is none. */
const char *bench_fact(const struct bench *bench, const char *word);

/* Means over all runs; -1 for NULL. */
double bench_value(const struct bench_row *row);
double bench_later(const struct bench_row *row);

/* bench_spread() - largest middle less smallest, in per cent of the smallest. */
double bench_spread(const struct bench_row *row);

/**
 * bench_check() - do the figures repeat, and did the clock count instructions?
 * @limit: per cent by which a row may differ between its runs.
 *
 * Says each row that does not on @to. Return: how many; also 1 when there are no rows at all.
 */
int bench_check(const struct bench *bench, double limit, FILE *to);

void bench_print_table(const struct bench *bench, FILE *to);
void bench_print_goals(const struct bench *bench, FILE *to);
int bench_write_json(const struct bench *bench, double limit, FILE *to);
void bench_write_plot(const struct bench *bench, FILE *to);
