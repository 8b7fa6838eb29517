/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TOML 1.0 by toml++ behind a C face: a tree of plain values in which every node and key knows
 * its place in the file. Pure. Tables keep the order of the file (toml++ sorts by name).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pol_toml_type {
	POL_TOML_TABLE,
	POL_TOML_ARRAY,
	POL_TOML_STRING,
	POL_TOML_INTEGER,
	POL_TOML_FLOAT,
	POL_TOML_BOOLEAN,
	POL_TOML_TIME, /* dates and times: no key of ours takes one */
};

struct pol_toml_entry;

/**
 * struct pol_toml_node - a value.
 * @line, @col: where it begins, from 1, @col in code points. A table made by a header begins at
 *		the header's bracket.
 * @cnt: entries of a table, items of an array, bytes of a string.
 * @string: NUL-terminated, but may hold a NUL too.
 */
struct pol_toml_node {
	enum pol_toml_type type;
	int line;
	int col;
	size_t cnt;
	union {
		struct pol_toml_entry *entries;
		struct pol_toml_node *items;
		char *string;
		int64_t integer;
		double real;
		bool boolean;
	};
};

struct pol_toml_entry {
	char *key;
	size_t key_len;
	int line;
	int col;
	struct pol_toml_node value;
};

struct pol_toml_error {
	int line;
	int col;
	char message[512];
};

/**
 * pol_toml_parse() - parse a document.
 * @ret: the root table; to be released by pol_toml_done(). Untouched on failure.
 * @reterr: filled with -EINVAL.
 *
 * Values nest at most 32 deep and dotted keys have at most 16 parts: no policy needs more, and
 * toml++ recurses. Return: 0; -EINVAL: a syntax error; -ENOMEM.
 */
int pol_toml_parse(const char *text, size_t len, struct pol_toml_node *ret,
		   struct pol_toml_error *reterr);

void pol_toml_done(struct pol_toml_node *node);

#ifdef __cplusplus
}
#endif
