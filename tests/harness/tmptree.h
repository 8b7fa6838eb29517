/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test helpers: a temporary tree of files, and policies as text with its path filled in. */
#pragma once

#include "policy.h"

/* tree_make() - a fresh directory, canonical, on a filesystem that rules may be on; NULL: none. */
char *tree_make(void);
void tree_remove(char *root);

/* All take a path relative to @root; a failure ends the test. */
void tree_dir(const char *root, const char *path);
void tree_file(const char *root, const char *path);
void tree_link(const char *root, const char *path, const char *target);

/* tree_policy() - parse @text with every '@' replaced by @root. */
struct pol_policy *tree_policy(const char *root, const char *text, struct pol_diags *diags);

/* text_print() - the diagnostics as text; to be freed. */
char *text_print(const struct pol_diags *diags, bool json);

/* file_read() - a whole file, NUL after it; NULL: not there. */
char *file_read(const char *path, size_t *ret_len);
