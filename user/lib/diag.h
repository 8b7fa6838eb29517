/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Diagnostics about a policy file: every error and warning of one run, with its place, in the two
 * forms of policy-language.md ("Bad input"). A list of values; printing is the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "diag_codes.h"

/**
 * struct pol_diag - one error or warning.
 * @caret: width of what stands before the caret in @source.
 */
struct pol_diag {
	bool warning;
	char code[6];  /* "P0123"; closed list in Documentation/diagnostics.rst */
	int line;      /* from 1; 0: the file as a whole */
	int col;       /* from 1, in code points */
	char *message; /* one line, user strings quoted and escaped; owned */
	char *help;    /* or NULL; owned */
	char *source;  /* the source line (long ones: a part), escaped, or NULL; owned */
	size_t caret;
};

/**
 * struct pol_diags - all of a run. Starts zeroed.
 * @file: as the user named it; owned.
 * @text, @lines: the file's bytes and where its lines begin, for @source; owned.
 * @slots: hash table over @items (index + 1): the same diagnostic is kept once, since a profile's
 *	rule is looked at once for each guest that includes it.
 */
struct pol_diags {
	char *file;
	struct pol_diag *items;
	size_t cnt;
	size_t errors;
	size_t warnings;
	char *text;
	size_t text_len;
	size_t *lines;
	size_t lines_cnt;
	size_t room;
	uint32_t *slots;
	size_t slots_cnt;
};

void pol_diags_done(struct pol_diags *diags);

/* pol_diags_source() - name the file and give its bytes (copied; NULL: none). Return: 0; -ENOMEM. */
int pol_diags_source(struct pol_diags *diags, const char *file, const char *text, size_t len);

/**
 * pol_diag_add() - add one; @help may be NULL. Out of memory is counted in @diags->errors.
 *
 * Message and help are escaped here as a whole, so user strings are passed as they are.
 */
void pol_diag_add(struct pol_diags *diags, bool warning, const char *code, int line, int col,
		  const char *help, const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* pol_diags_strict() - make every warning an error (check --strict). */
void pol_diags_strict(struct pol_diags *diags);

/* pol_diags_sorted() - all of them by place, as long as @diags is unchanged; to be freed. NULL: -ENOMEM. */
const struct pol_diag **pol_diags_sorted(const struct pol_diags *diags);

/* Both print all of it, sorted by place; colour only if asked for. */
void pol_diags_print_text(const struct pol_diags *diags, FILE *out, bool colour);
void pol_diags_print_json(const struct pol_diags *diags, FILE *out);
