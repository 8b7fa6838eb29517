/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says of an access before anybody makes it: a process tries it, and the hooks decide as
 * for the guest; a second program on each hook refuses it in any case (bpf/probe.bpf.c). Nothing is
 * changed, counted or reported.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "event.h"

struct pol_prober;

/**
 * struct pol_probe_answer - @view: the record of the refusal as the guest's own attempt would make it,
 * but for sequence and process; POL_TYPE_ALLOW: there is none. @wanted: rights that were asked for.
 * @kernel: positive errno with which the kernel itself refuses the operation before it asks for a
 * right, and then the rights alone were looked up; 0: it does not.
 */
struct pol_probe_answer {
	struct pol_event_view view;
	uint32_t wanted;
	int kernel;
};

/* pol_probe_allows() - would_deny is no: enforce would refuse it. */
static inline bool pol_probe_allows(const struct pol_probe_answer *answer)
{
	return answer->view.type == POL_TYPE_ALLOW;
}

/**
 * pol_prober_new() - attach the programs, start the process, see that it can do nothing.
 * @instance: of pol_engine_create_probe(), with an active generation; taken over.
 *
 * Return: 0; -ENOTSUP: the kernel does not call the programs, or in another order; negative errno; of
 * kind POL_ERR_HOST, too, where '/' is no mount (a chroot).
 */
int pol_prober_new(struct pol_engine *instance, struct pol_prober **ret, struct pol_err *err);
void pol_prober_free(struct pol_prober *prober);
void pol_prober_freep(struct pol_prober **prober);

/**
 * pol_prober_open() - of the loaded engine, which may be closed afterwards.
 *
 * Return: 0; as pol_host_require_probe(), pol_engine_create_probe() and pol_prober_new().
 */
int pol_prober_open(const struct pol_engine *loaded, struct pol_prober **ret, struct pol_err *err);

/**
 * pol_prober_ask() - may the guest do what these rights are for, to what is at @path now?
 * @rights: one or more; each is tried, the first that is refused is the answer, and what the others
 *	    lack is added to what is missing.
 *
 * Return: 0; -ENOENT and others: the path leads nowhere, or not here; -EIO: the probe has died.
 */
int pol_prober_ask(struct pol_prober *prober, uint32_t guest, uint32_t rights, const char *path,
		   struct pol_probe_answer *ret, struct pol_err *err);
