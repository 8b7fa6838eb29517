/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base.h"
#include "str.h"

int64_t ctl_number(const char *text, int64_t max)
{
	int64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > max / 10)
			return -EINVAL;
		value = value * 10 + (*text - '0');
		if (value > max)
			return -EINVAL;
	}
	return value;
}

pid_t ctl_pid(const char *text)
{
	int64_t value = ctl_number(text, INT_MAX);

	return value < 1 ? -EINVAL : (pid_t)value;
}

int ctl_fail(const char *verb, const struct pol_err *err)
{
	_cleanup_free_ char *shown = pol_str_escape(err->message, strlen(err->message));

	fprintf(stderr, "policyctl %s: error: %s\n", verb, shown ? shown : "?");
	if (err->fix[0])
		fprintf(stderr, "   fix: %s\n", err->fix);
	return err->kind ? (int)err->kind : POL_ERR_FAILED;
}

int ctl_usage(const char *verb, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "policyctl %s: ", verb);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\ntry 'policyctl %s --help'\n", verb);
	return POL_ERR_USAGE;
}

int ctl_json_option(const char *verb, int argc, char **argv, bool *ret_json, bool *ret_help)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'j')
			*ret_json = true;
		else if (c == 'h')
			*ret_help = true;
		else
			return ctl_usage(verb, "that option is not known");
	}
	return 0;
}

bool ctl_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(fileno(stream)) && !(no_color && *no_color);
}

void ctl_print_escaped(const char *text)
{
	_cleanup_free_ char *shown = text ? pol_str_escape(text, strlen(text)) : NULL;

	fputs(shown ? shown : "?", stdout);
}

void ctl_print_json(json_t *object)
{
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

void ctl_print_diags(const struct pol_diags *diags, bool json)
{
	if (json)
		pol_diags_print_json(diags, stderr);
	else
		pol_diags_print_text(diags, stderr, ctl_colour(stderr));
}
