/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the walk has to know of btrfs, whose types are in a module: told once it is there. */
#pragma once

#include "abi.h"

/**
 * pol_trees_learn() - find where a btrfs inode has its subvolume's number, and tell the programs.
 *
 * Without btrfs on this host, or without its types, @control stays as it is: the keys of objects on
 * btrfs say POL_TREE_UNKNOWN, and no rule is made on them.
 */
void pol_trees_learn(struct pol_control *control);
