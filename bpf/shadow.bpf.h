/* SPDX-License-Identifier: GPL-2.0-only */
/* Snapshots of files in the hands of guests: is this memfd one? Layer 2. */
#pragma once

#include "maps.bpf.h"

/**
 * pol_shadow_of() - is a memfd a snapshot that @guest was given?
 * @dentry: address of its dentry, on the kernel's own tmpfs.
 *
 * Verified once. Return: 0: no; 1: yes; 2: yes, and it may be executed and mapped so: its content can
 * never change, so that wx = "deny" has nothing against it.
 */
int pol_shadow_of(u32 guest, u64 dentry);

/* pol_is_snapshot() - is a memfd one, whoever was given it? Verified once. Return: 1; 0. */
int pol_is_snapshot(u64 dentry);
