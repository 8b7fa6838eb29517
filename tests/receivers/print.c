/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * print FORMAT: a line of each kind of event, and of each evil name in each text, for receivers that
 * are programs of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "evil.h"
#include "format.h"
#include "records.h"
#include "samples.h"

static char line[POL_EVENT_LINE_SIZE];
static struct pol_event_view view;

static void print(const struct pol_format *format, const struct pol_event_ctx *ctx)
{
	int len = format->write(&view, ctx, 0, line, sizeof(line));

	if (len < 0 || fwrite(line, 1, (size_t)len, stdout) != (size_t)len)
		abort();
}

static void print_evil(const struct pol_format *format, const char *data, size_t len)
{
	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++) {
		struct pol_event_ctx ctx;

		(void)test_sample_evil(text, data, len, &view, &ctx);
		print(format, &ctx);
	}
}

/* 4096 bytes of each of the characters that an escape makes longer. */
static void print_long(const struct pol_format *format)
{
	static const char fills[] = { 'x', '\n', '"', '\\', '=', '|', ']', '\xff' };
	static char name[4097];

	for (size_t i = 0; i < sizeof(fills); i++) {
		memset(name, fills[i], sizeof(name) - 1);
		name[0] = '/';
		print_evil(format, name, sizeof(name) - 1);
	}
}

int main(int argc, char **argv)
{
	const struct pol_format *format = argc == 2 ? pol_format_find(argv[1]) : NULL;

	if (!format) {
		(void)fprintf(stderr, "usage: print FORMAT\n");
		return 2;
	}
	for (size_t i = 0; test_sample(i, &view); i++)
		print(format, &test_record_ctx);
	for (size_t i = 0; i < ARRAY_SIZE(test_evil); i++)
		print_evil(format, test_evil[i].data, test_evil[i].len);
	print_long(format);
	return fflush(stdout) == 0 ? 0 : 1;
}
