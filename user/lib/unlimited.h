/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making kernel objects whose memory no cgroup's limit can refuse later. */
#pragma once

/**
 * pol_unlimited() - call @fn(@arg) from the root of the cgroup2 tree that is mounted here.
 *
 * What a map allocates at run time (labels of new tasks, charges) is taken from the memory cgroup of
 * the task that created it: in a limited one that is full, every fork of a guest would be refused.
 * The call is made by a child that shares memory and descriptors, as vfork(2)'s does, so the caller
 * itself is not moved; other threads run on, and no SIGCHLD comes of it. Where the root cannot be entered (no cgroup2, read-only), @fn is called all
 * the same.
 *
 * Return: what @fn returned; negative errno if there is no child.
 */
int pol_unlimited(int (*fn)(void *arg), void *arg);
