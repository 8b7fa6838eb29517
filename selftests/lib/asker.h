/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the kernel as `policyctl explain` does, many times in one process: a start takes seconds. */
#pragma once

#include "engine.h"
#include "generation.h"
#include "harness.h"
#include "probe.h"

static struct pol_engine *asker_engine;
static struct pol_prober *asker;
static struct pol_probe_answer answer; /* of the last ask() */
static struct pol_err ask_err;

__attribute__((unused)) static void asker_open(void)
{
	int r = pol_engine_open(&asker_engine, &ask_err);

	if (!r)
		r = pol_prober_open(asker_engine, &asker, &ask_err);
	if (r) {
		FAIL("%s", ask_err.message);
		END_TEST();
	}
}

__attribute__((unused)) static void asker_close(void)
{
	pol_prober_free(asker);
	pol_engine_close(asker_engine);
	asker = NULL;
	asker_engine = NULL;
}

/* The number of a guest of the loaded policy. */
__attribute__((unused)) static uint32_t guest_id(const char *name)
{
	struct pol_meta *meta = NULL;
	const struct pol_meta_guest *guest;
	uint32_t id = 0;

	if (!pol_meta_load(asker_engine->control->active, &meta, NULL)) {
		guest = pol_meta_guest(meta, name);
		id = guest ? guest->id : 0;
	}
	pol_meta_free(meta);
	return id;
}

/* Return: 0: allowed; the errno of the refusal; negative: no answer, and ask_err says why. */
__attribute__((unused)) static int ask(uint32_t guest, uint32_t rights, const char *path)
{
	int r = pol_prober_ask(asker, guest, rights, path, &answer, &ask_err);

	if (r < 0)
		return r;
	return pol_probe_allows(&answer) ? 0 : (int)answer.view.access.err;
}
