/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing what a guest has left in a directory: whatever it is, and nothing else. */
#pragma once

/**
 * pol_dir_empty() - remove all that is in a directory.
 *
 * No symlink is followed and no mount entered; depth and number of the entries do not matter: two
 * directories are open at a time, and what lies deeper is moved up first. Flags that forbid removal
 * (immutable, append only) are taken off.
 * Context: nobody else changes the directory.
 * Return: 0; negative errno of the first that could not be removed (EBUSY: a mount), after all
 * others were.
 */
int pol_dir_empty(int dirfd);
