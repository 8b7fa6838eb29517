/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diagnostics: collecting, and the source line with its caret. Printing is in diag_print.c. */
#include "diag.h"

#include <stdarg.h>
#include <string.h>

#include "base.h"
#include "str.h"

/* A longer source line is shown in part; 100 is the width of our own sources. */
#define SOURCE_WIDTH  100
#define SOURCE_BEFORE 60

static void diag_done(struct pol_diag *diag)
{
	free(diag->message);
	free(diag->help);
	free(diag->source);
}

void pol_diags_done(struct pol_diags *diags)
{
	for (size_t i = 0; i < diags->cnt; i++)
		diag_done(&diags->items[i]);
	free(diags->items);
	free(diags->slots);
	free(diags->lines);
	free(diags->text);
	free(diags->file);
	*diags = (struct pol_diags){ 0 };
}

static int index_lines(struct pol_diags *diags)
{
	size_t cnt = 1;

	for (size_t i = 0; i < diags->text_len; i++)
		cnt += diags->text[i] == '\n';
	diags->lines = calloc(cnt, sizeof(*diags->lines));
	if (!diags->lines)
		return -ENOMEM;
	diags->lines_cnt = 1;
	for (size_t i = 0; i < diags->text_len; i++)
		if (diags->text[i] == '\n')
			diags->lines[diags->lines_cnt++] = i + 1;
	return 0;
}

int pol_diags_source(struct pol_diags *diags, const char *file, const char *text, size_t len)
{
	char *name = strdup(file);

	free(diags->file);
	free(diags->text);
	free(diags->lines);
	diags->file = name;
	diags->text = NULL;
	diags->lines = NULL;
	diags->lines_cnt = 0;
	if (!name)
		return -ENOMEM;
	if (!text)
		return 0;
	diags->text = malloc(len ? len : 1);
	if (!diags->text)
		return -ENOMEM;
	if (len)
		memcpy(diags->text, text, len);
	diags->text_len = len;
	return index_lines(diags);
}

/* Bytes of the @cnt code points from @at on, at most @len. */
static size_t step_over(const char *text, size_t len, size_t cnt)
{
	size_t at = 0;
	uint32_t cp;

	while (at < len && cnt--) {
		int n = pol_utf8_next(text + at, len - at, &cp);

		at += n < 0 ? 1 : (size_t)n;
	}
	return at;
}

/* Code points of @len bytes. */
static size_t width(const char *text, size_t len)
{
	size_t cnt = 0, at = 0;

	for (; at < len; cnt++)
		at += step_over(text + at, len - at, 1);
	return cnt;
}

/* A tab is shown as one space, so that the caret stands under its column everywhere. */
static char *escape_source(const char *text, size_t len)
{
	_cleanup_free_ char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] == '\t' ? ' ' : text[i];
	return pol_str_escape(copy, len);
}

/* Best effort: without memory the diagnostic has no source line. */
static void add_source(const struct pol_diags *diags, struct pol_diag *diag)
{
	_cleanup_free_ char *before = NULL, *after = NULL;
	size_t line = (size_t)diag->line - 1, cols = diag->col > 0 ? (size_t)diag->col - 1 : 0;
	size_t from, to, caret, start = 0, end, room;
	const char *text;

	if (diag->line < 1 || line >= diags->lines_cnt)
		return;
	from = diags->lines[line];
	to = line + 1 < diags->lines_cnt ? diags->lines[line + 1] - 1 : diags->text_len;
	if (to > from && diags->text[to - 1] == '\r')
		to--;
	text = diags->text + from;
	caret = step_over(text, to - from, cols);
	cols = width(text, caret); /* a column behind the line is its end */
	if (cols > SOURCE_BEFORE)
		start = step_over(text, to - from, cols - SOURCE_BEFORE);
	end = start + step_over(text + start, to - from - start, SOURCE_WIDTH);
	if (caret > end)
		caret = end;
	before = escape_source(text + start, caret - start);
	after = escape_source(text + caret, end - caret);
	if (!before || !after)
		return;
	room = strlen(before) + strlen(after) + sizeof("......");
	diag->source = malloc(room);
	if (!diag->source)
		return;
	(void)snprintf(diag->source, room, "%s%s%s%s", start ? "..." : "", before, after,
		       end < to - from ? "..." : "");
	diag->caret = (start ? 3 : 0) + width(before, strlen(before));
}

static uint64_t hash(const struct pol_diag *diag)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (const char *p = diag->code; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ull;
	for (const char *p = diag->message; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ull;
	h = (h ^ (uint64_t)diag->line) * 0x9e3779b97f4a7c15ull;
	h = (h ^ (uint64_t)diag->col) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static bool same(const struct pol_diag *a, const struct pol_diag *b)
{
	return a->line == b->line && a->col == b->col && a->warning == b->warning &&
	       strcmp(a->code, b->code) == 0 && strcmp(a->message, b->message) == 0;
}

/* Return: the slot of @diag, or the free one where it belongs. */
static uint32_t *find_slot(const struct pol_diags *diags, const struct pol_diag *diag)
{
	size_t at = hash(diag) & (diags->slots_cnt - 1);

	while (diags->slots[at] && !same(&diags->items[diags->slots[at] - 1], diag))
		at = (at + 1) & (diags->slots_cnt - 1);
	return &diags->slots[at];
}

static int make_room(struct pol_diags *diags)
{
	size_t room = diags->room ? diags->room * 2 : 16;
	struct pol_diag *items;
	uint32_t *slots;

	if (diags->cnt < diags->room)
		return 0;
	items = reallocarray(diags->items, room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	diags->items = items;
	slots = calloc(room * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(diags->slots);
	diags->slots = slots;
	diags->slots_cnt = room * 2;
	diags->room = room;
	for (size_t i = 0; i < diags->cnt; i++)
		*find_slot(diags, &diags->items[i]) = (uint32_t)i + 1;
	return 0;
}

static char *escape_text(const char *text)
{
	return text ? pol_str_escape(text, strlen(text)) : NULL;
}

void pol_diag_add(struct pol_diags *diags, bool warning, const char *code, int line, int col,
		  const char *help, const char *fmt, ...)
{
	struct pol_diag diag = { .warning = warning, .line = line, .col = col };
	char *raw = NULL;
	uint32_t *slot;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&raw, fmt, ap);
	va_end(ap);
	(void)snprintf(diag.code, sizeof(diag.code), "%s", code);
	if (r >= 0) {
		diag.message = escape_text(raw);
		free(raw);
	}
	diag.help = escape_text(help);
	if (!diag.message || make_room(diags) < 0) {
		diags->errors++; /* something is wrong, and cannot be said */
		diag_done(&diag);
		return;
	}
	slot = find_slot(diags, &diag);
	if (*slot) {
		diag_done(&diag);
		return;
	}
	add_source(diags, &diag);
	diags->items[diags->cnt++] = diag;
	*slot = (uint32_t)diags->cnt;
	if (warning)
		diags->warnings++;
	else
		diags->errors++;
}

void pol_diags_strict(struct pol_diags *diags)
{
	for (size_t i = 0; i < diags->cnt; i++)
		diags->items[i].warning = false;
	diags->errors += diags->warnings;
	diags->warnings = 0;
}

static int by_place(const void *a, const void *b)
{
	const struct pol_diag *x = *(const struct pol_diag *const *)a;
	const struct pol_diag *y = *(const struct pol_diag *const *)b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->col != y->col)
		return x->col < y->col ? -1 : 1;
	return x < y ? -1 : x > y; /* as they were added: the sort stays stable */
}

const struct pol_diag **pol_diags_sorted(const struct pol_diags *diags)
{
	const struct pol_diag **order = calloc(diags->cnt + 1, sizeof(*order));

	for (size_t i = 0; order && i < diags->cnt; i++)
		order[i] = &diags->items[i];
	if (order)
		qsort(order, diags->cnt, sizeof(*order), by_place);
	return order;
}
