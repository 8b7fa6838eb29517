/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this kernel, host and user offer: everything that enforcement rests on, each found by
 * trying, and each with the remedy where it lacks. Reads the host, changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define POL_HOST_PROBLEMS_MAX 12

/* One thing that lacks. @code: stable word for scripts. */
struct pol_problem {
	const char *code;
	char message[256];
	char fix[384];
};

/**
 * struct pol_host - what was found.
 * @rename_lock: the kernel's address of it; 0: hidden.
 * @cgroup_mount: of the cgroup2 tree; empty: not mounted.
 * @controllers: what its root offers, as cgroup.controllers says.
 * @lsm: the LSM list as the kernel has it.
 * @allocation_hook: a program of LSM type, which is never skipped, sees every descriptor made.
 */
struct pol_host {
	char kernel[128];
	char lsm[256];
	char cgroup_mount[256];
	char controllers[256];
	uint64_t rename_lock;
	bool root;
	bool allocation_hook;
	struct pol_problem problems[POL_HOST_PROBLEMS_MAX];
	int problems_cnt;
};

/**
 * pol_host_try_hook() - load an empty program of LSM type for @hook, and drop it.
 *
 * Return: 0; -ESRCH: no such hook; -EINVAL: it is closed to BPF ("disabled hook"); -EPERM.
 */
int pol_host_try_hook(const char *hook);

/* pol_host_probe() - look at everything; @ret->problems tells what lacks. */
void pol_host_probe(struct pol_host *ret);

/**
 * pol_host_require() - look at all but what programs need, and fail with the first problem.
 *
 * Return: 0; -ENOTSUP with @err of kind POL_ERR_HOST and its fix; -EPERM: not root.
 */
int pol_host_require(struct pol_host *ret, struct pol_err *err);

/**
 * pol_host_require_programs() - add what programs need: the kernel's types, its leave, symbols. It
 * costs ten times a reload, whose kernel has shown that it has them.
 *
 * Return: as pol_host_require().
 */
int pol_host_require_programs(struct pol_host *host, struct pol_err *err);

/**
 * pol_host_require_probe() - what explain and test need: all that a load does, and the host's pid
 * namespace.
 *
 * Return: as pol_host_require().
 */
int pol_host_require_probe(struct pol_host *ret, struct pol_err *err);
