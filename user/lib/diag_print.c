/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnostics as text for people and as JSON Lines for programs; the same content in both. */
#include <jansson.h>
#include <string.h>

#include "base.h"
#include "diag.h"
#include "str.h"

typedef void print_fn(const struct pol_diag *diag, const char *file, FILE *out, bool colour);

static void print_sorted(const struct pol_diags *diags, FILE *out, bool colour, print_fn *print)
{
	_cleanup_free_ const struct pol_diag **order = NULL;
	_cleanup_free_ char *file = NULL;

	if (diags->file)
		file = pol_str_escape(diags->file, strlen(diags->file));
	order = pol_diags_sorted(diags);
	for (size_t i = 0; i < diags->cnt; i++)
		print(order ? order[i] : &diags->items[i], file ? file : "policy", out, colour);
}

static void print_text(const struct pol_diag *diag, const char *file, FILE *out, bool colour)
{
	const char *severity = diag->warning ? "warning" : "error";
	const char *tint = !colour ? "" : diag->warning ? "\033[1;33m" : "\033[1;31m";
	const char *plain = colour ? "\033[0m" : "";

	if (diag->line > 0)
		fprintf(out, "%s:%d:%d: ", file, diag->line, diag->col);
	else
		fprintf(out, "%s: ", file);
	fprintf(out, "%s%s[%s]%s: %s\n", tint, severity, diag->code, plain, diag->message);
	if (diag->source) {
		fprintf(out, "%5d | %s\n", diag->line, diag->source);
		fprintf(out, "      | %*s%s^%s\n", (int)diag->caret, "", tint, plain);
	}
	if (diag->help)
		fprintf(out, "   help: %s\n", diag->help);
}

static void print_json(const struct pol_diag *diag, const char *file, FILE *out, bool colour)
{
	json_t *line = json_object();

	(void)colour;
	/* A failed allocation leaves a member out; json_object_set_new(NULL) takes it. */
	json_object_set_new(line, "severity", json_string(diag->warning ? "warning" : "error"));
	json_object_set_new(line, "code", json_string(diag->code));
	json_object_set_new(line, "file", json_string(file));
	json_object_set_new(line, "line", diag->line > 0 ? json_integer(diag->line) : json_null());
	json_object_set_new(line, "col", diag->line > 0 ? json_integer(diag->col) : json_null());
	json_object_set_new(line, "message", json_string(diag->message));
	json_object_set_new(line, "help", diag->help ? json_string(diag->help) : json_null());
	(void)json_dumpf(line, out, JSON_COMPACT);
	(void)fputc('\n', out);
	json_decref(line);
}

void pol_diags_print_text(const struct pol_diags *diags, FILE *out, bool colour)
{
	print_sorted(diags, out, colour, print_text);
}

void pol_diags_print_json(const struct pol_diags *diags, FILE *out)
{
	print_sorted(diags, out, false, print_json);
}
