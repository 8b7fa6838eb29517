/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that a guest has not opened itself. Layer 2. */
#pragma once

#include "verdict.bpf.h"

/**
 * pol_look_held() - may the guest hold an open file: could it open it now, in its mode?
 * @file: address of a struct file; of one that is being freed the answer is anything.
 * @found: always filled: the rule, or the reason.
 *
 * O_PATH gives nothing that is mediated here. Verified once, by probe reads alone. What it answers is
 * a number, not a structure: on 6.1 it and all above it have 160 bytes of stack beside the walk.
 * Return: 0: yes; else POL_HELD_OUTSIDE, the rights that lack, and maybe POL_HELD_ALWAYS.
 */
int pol_look_held(const struct pol_actor *actor, u64 file, struct pol_found *found);
