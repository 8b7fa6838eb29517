/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * report LIMIT NAME FACTS VM1 VM2 - what `make bench` prints; also NAME.json and NAME.svg.
 *
 * Exit status 1, and neither table nor files, when some row differs by more than LIMIT per cent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static int read_file(struct bench *bench, int vm, const char *name)
{
	FILE *f = fopen(name, "re");
	char line[512];
	int r = f ? 0 : -errno;

	while (!r && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		r = bench_add(bench, vm, line);
		if (r)
			fprintf(stderr, "bench: %s: '%s'\n", name, line);
	}
	if (f)
		fclose(f);
	if (r)
		fprintf(stderr, "bench: %s: %s\n", name, strerror(-r));
	return r;
}

static FILE *create(const char *name, const char *suffix)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", name, suffix);
	f = fopen(path, "we");
	if (!f)
		perror(path);
	else
		printf("%s%s", !strcmp(suffix, "json") ? "\nwritten: " : ", ", path);
	return f;
}

static int write_files(const struct bench *bench, double limit, const char *name)
{
	FILE *json = create(name, "json"), *plot = create(name, "svg");
	int r = json && plot ? bench_write_json(bench, limit, json) : -1;

	printf("\n");
	if (!r)
		bench_write_plot(bench, plot);
	if (json && fclose(json))
		r = -1;
	if (plot && fclose(plot))
		r = -1;
	return r;
}

int main(int argc, char *argv[])
{
	static struct bench bench;
	double limit = argc > 1 ? strtod(argv[1], NULL) : 0;
	int bad;

	if (argc != 6 || limit <= 0) {
		fprintf(stderr, "usage: report LIMIT NAME FACTS VM1 VM2\n");
		return 2;
	}
	for (int vm = 0; vm < 3; vm++)
		if (read_file(&bench, vm, argv[3 + vm]))
			return 1;
	bad = bench_check(&bench, limit, stderr);
	if (bad) {
		fprintf(stderr, "bench: no report: %d rows do not repeat within %.2f %%\n", bad,
			limit);
		return 1;
	}
	bench_print_table(&bench, stdout);
	bench_print_goals(&bench, stdout);
	return write_files(&bench, limit, argv[2]) ? 1 : 0;
}
