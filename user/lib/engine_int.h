/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What engine.c and engine_load.c share, and nobody else needs. */
#pragma once

#include "engine.h"

struct pol_engine *pol_engine_new(void);
int pol_engine_map(struct pol_engine *engine, struct pol_err *err);
void pol_engine_free_skel(struct policy_bpf *skel);
const char *pol_map_name(enum pol_map_nr nr);
const char *pol_prog_name(enum pol_prog_nr nr);
