/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The goals of performance.rst beside what was measured. A missed one is no failure. */
#include <math.h>
#include <string.h>

#include "report.h"

enum relation {
	RATIO_TO_EMPTY,	   /* actor / empty */
	OVER_EMPTY,	   /* actor - empty */
	OVER_NONE,	   /* actor - none */
	FROM_FRESH,	   /* none - fresh, either way */
	FLAT,		   /* actor - empty: the most of all depths less the least */
	LANDLOCK_TO_ADDED, /* (Landlock - none) / (actor - none); the goal is the least */
	ADDED_TO_LANDLOCK, /* (actor - none) / (Landlock - none) */
	TO_WARM_LANDLOCK,  /* actor / Landlock's "open" */
	ITSELF,		   /* instructions */
};

struct goal {
	const char *id;
	const char *text;
	const char *operation;
	const char *actor;
	int depth;
	enum relation relation;
	double limit;
	double limit_7; /* on kernels 7.x; 0: the same */
};

static const struct goal goals[] = {
	{ "G1", "a guest's open, to empty", "open", "guest", 1, RATIO_TO_EMPTY, 1.03, 1.035 },
	{ "G1", "a guest's open, to empty", "open", "guest", 8, RATIO_TO_EMPTY, 1.02, 0 },
	{ "G1", "a guest's open, to empty", "open", "guest", 32, RATIO_TO_EMPTY, 1.02, 0 },
	{ "G2", "the same over depth, flat", "open", "guest", 0, FLAT, 30, 0 },
	{ "G3", "a non-guest's open, over empty", "open", "nonguest", 1, OVER_EMPTY, 50, 0 },
	{ "G3", "with ceilings, over none", "ceiling", "nonguest", 1, OVER_NONE, 560, 0 },
	{ "G3", "pipe without ceilings, over none", "pipe", "nonguest", 0, OVER_NONE, 6, 0 },
	{ "G4", "unloaded, to never loaded", "open", "none", 1, FROM_FRESH, 6, 0 },
	{ "G4", "unloaded, to never loaded", "open", "none", 32, FROM_FRESH, 6, 0 },
	{ "G5", "Landlock's added, to a guest's", "open", "guest", 1, LANDLOCK_TO_ADDED, 4.5, 0 },
	{ "G5", "Landlock's added, to a guest's", "open", "guest", 8, LANDLOCK_TO_ADDED, 10, 0 },
	{ "G5", "Landlock's added, to a guest's", "open", "guest", 32, LANDLOCK_TO_ADDED, 30, 0 },
	{ "G6", "first touch, to Landlock's warm", "touch", "guest", 4, TO_WARM_LANDLOCK, 1, 0 },
	{ "G6", "first touch, to Landlock's warm", "touch", "guest", 32, TO_WARM_LANDLOCK, 1, 0 },
	{ "G7", "refused with path, over empty", "refuse", "guest", 1, OVER_EMPTY, 850, 0 },
	{ "G9", "a guest's fork (no exec), to empty", "fork", "guest", 0, RATIO_TO_EMPTY, 1.005,
	  0 },
	{ "G10", "ceilings, added, to Landlock's", "ceiling", "guest", 1, ADDED_TO_LANDLOCK, 0.5,
	  0 },
	{ "G10", "ceilings, added, to Landlock's", "ceiling", "guest", 8, ADDED_TO_LANDLOCK, 0.2,
	  0 },
	{ "G13", "1000 bytes of JSON, a violation", "json", "violation", 0, ITSELF, 3000, 0 },
	{ "G13", "1000 bytes of JSON, an exit", "json", "exit", 0, ITSELF, 3000, 0 },
	{ "G15", "a guest's stat, over none", "stat", "guest", 8, OVER_NONE, 6, 0 },
	{ "G15", "a guest's read, over none", "read", "guest", 0, OVER_NONE, 6, 0 },
};

static double value_of(const struct bench *bench, const char *operation, int depth,
		       const char *actor)
{
	const struct bench_row *row = bench_find(bench, operation, depth, actor);

	return row ? bench_value(row) : NAN;
}

static double over(const struct bench *bench, const struct goal *goal, const char *actor,
		   const char *base)
{
	return value_of(bench, goal->operation, goal->depth, actor) -
	       value_of(bench, goal->operation, goal->depth, base);
}

static double flatness(const struct bench *bench, const struct goal *goal)
{
	double least = NAN, most = NAN;

	for (int i = 0; i < bench->row_cnt; i++) {
		const struct bench_row *row = &bench->rows[i];
		double added;

		if (strcmp(row->operation, goal->operation) || strcmp(row->actor, goal->actor))
			continue;
		added = bench_value(row) - value_of(bench, row->operation, row->depth, "empty");
		least = fmin(least, added); /* of a NAN and a number, the number */
		most = fmax(most, added);
	}
	return most - least;
}

static double measured(const struct bench *bench, const struct goal *goal)
{
	double guest = over(bench, goal, goal->actor, "none");
	double value = value_of(bench, goal->operation, goal->depth, goal->actor);

	switch (goal->relation) {
	case RATIO_TO_EMPTY:
		return value / value_of(bench, goal->operation, goal->depth, "empty");
	case OVER_EMPTY:
		return over(bench, goal, goal->actor, "empty");
	case OVER_NONE:
		return guest;
	case ITSELF:
		return value;
	case FROM_FRESH:
		return fabs(over(bench, goal, goal->actor, "fresh"));
	case FLAT:
		return flatness(bench, goal);
	case LANDLOCK_TO_ADDED:
		return over(bench, goal, "landlock", "none") / guest;
	case ADDED_TO_LANDLOCK:
		return guest / over(bench, goal, "landlock", "none");
	case TO_WARM_LANDLOCK:
		return value / value_of(bench, "open", goal->depth, "landlock");
	}
	return NAN;
}

static bool counts(enum relation relation)
{
	return relation == ITSELF || relation == OVER_EMPTY || relation == OVER_NONE || relation == FROM_FRESH ||
	       relation == FLAT;
}

static void print_goal(const struct bench *bench, const struct goal *goal, FILE *to)
{
	bool is_7 = !strncmp(bench_fact(bench, "kernel"), "7.", 2), least;
	double limit = is_7 && goal->limit_7 > 0 ? goal->limit_7 : goal->limit;
	double value = measured(bench, goal);
	char depth[16] = "", bound[32];

	least = goal->relation == LANDLOCK_TO_ADDED;
	if (goal->depth)
		snprintf(depth, sizeof(depth), "%d", goal->depth);
	snprintf(bound, sizeof(bound), "%s %.*f",
		 least ? ">=" : "<=", counts(goal->relation) ? 0 : 3, limit);
	fprintf(to, "  %-4s %-36s %5s", goal->id, goal->text, depth);
	if (counts(goal->relation) && fabs(value) <= 0.5)
		value = 0; /* no "-0" */
	if (isnan(value))
		fprintf(to, " %10s  %-10s not measured\n", "-", bound);
	else
		fprintf(to, " %10.*f  %-10s %s\n", counts(goal->relation) ? 0 : 3, value, bound,
			(least ? value >= limit : value <= limit) ? "met" : "missed");
}

void bench_print_goals(const struct bench *bench, FILE *to)
{
	fprintf(to, "\nGoals\n  %-4s %-36s %5s %10s  %-10s\n", "", "", "depth", "measured", "goal");
	for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++)
		print_goal(bench, &goals[i], to);
}
