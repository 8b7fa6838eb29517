/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine's files share, and nobody else needs. */
#pragma once

#include "engine.h"

struct pol_engine *pol_engine_new(void);
int pol_engine_map(struct pol_engine *engine, struct pol_err *err);
void pol_engine_free_skel(struct policy_bpf *skel);
const char *pol_map_name(enum pol_map_nr nr);
const char *pol_prog_name(enum pol_prog_nr nr);

struct policy_bpf;

/* pol_skel_load() - as it was set up. Return: 0; else what libbpf gave, with the verifier's log's path. */
int pol_skel_load(struct policy_bpf *skel, struct pol_err *err);

/* pol_skel_take() - @engine gets descriptors of its own. Return: 0; -EMFILE. */
int pol_skel_take(struct policy_bpf *skel, struct pol_engine *engine, struct pol_err *err);
