/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random trees, mounts, rules and operations for the model; all of one seed. */
#pragma once

#include "model.h"

/* Below a new directory: filesystems, what is in them, mounts. Scanned; no rules yet. */
void model_make(struct model *m, uint64_t seed);

void model_unmake(struct model *m);

/* Rules of one guest, placed. Ends the process if the policy's text does not fit @buf. */
void model_make_rules(struct model *m, char *buf, size_t size);

/* The next operation, for what is there now; to be freed. "@" stands for the root. */
char *model_make_call(const struct model *m);

/* ---- between the parts of it ---- */

uint64_t model_random(void);
int model_pick(int cnt);
bool model_chance(int percent);

/* A name; a node of this type (0: any) if there is one; a directory with nothing mounted on it. */
const char *model_any_name(void);
int model_any_node(const struct model *m, mode_t type);
int model_any_dir(const struct model *m);
