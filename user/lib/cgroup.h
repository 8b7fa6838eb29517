/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroup v2 tree: a guest's cgroup and what is in it. Side effects only below the
 * policy's own parent cgroup, but for enabling controllers on the way down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* pol_cgroup_mount() - where cgroup2 is mounted. Return: 0; -ENOENT. */
int pol_cgroup_mount(char *buf, size_t size);

/**
 * pol_cgroup_create() - a guest's cgroup below @parent (a relative path), made if missing.
 * @ret_fd: O_DIRECTORY descriptor. @ret_id: the kernel's id. @ret_level: depth below the root that
 * is seen, which is 0.
 * @ret_created: whether this call made it.
 */
int pol_cgroup_create(const char *parent, const char *name, int *ret_fd, uint64_t *ret_id,
		      unsigned int *ret_level, bool *ret_created, struct pol_err *err);

/* pol_cgroup_open() - an existing one; -ENOENT without a message if there is none. */
int pol_cgroup_open(const char *parent, const char *name, int *ret_fd);

/**
 * pol_cgroup_open_path() - of any cgroup, by its clean path from the mount, "/system.slice/x".
 * Return: 0; -ENOENT; -ELOOP, -EXDEV: a symlink or another mount on the way.
 */
int pol_cgroup_open_path(const char *path, int *ret_fd);

/* pol_cgroup_sees_root() - is the cgroup2 tree seen from its root? Not in a cgroup namespace. */
bool pol_cgroup_sees_root(void);

/* pol_cgroup_id() - the kernel's id of an open cgroup directory. */
int pol_cgroup_id(int fd, uint64_t *ret);

/* pol_cgroup_enable() - the controllers that ceilings need, from the root down to @parent. */
int pol_cgroup_enable(const char *parent, struct pol_err *err);

/* pol_cgroup_enable_above() - the same for one that is there, @path: what can be enabled above it. */
void pol_cgroup_enable_above(const char *path);

/**
 * pol_cgroup_lacks() - why a cgroup has not got @controller.
 * @fd: the cgroup. @buf: the one above it that does not hand the controller on.
 *
 * Return: -ENODEV: it has none itself; -ENOENT: @fd is no cgroup of this mount; else what asking it to
 * gave (-EBUSY: a process lies in it; -EACCES, -EPERM, -EROFS: it is not ours); 0: nothing is in the way.
 */
int pol_cgroup_lacks(int fd, const char *controller, char *buf, size_t size);

/* pol_cgroup_populated() - 1: tasks in it or beneath, 0: none, negative errno. */
int pol_cgroup_populated(int fd);

/**
 * pol_cgroup_procs() - the processes in it and beneath. @ret: to be freed.
 * pol_cgroup_threads() - how many tasks these are.
 */
int pol_cgroup_procs(int fd, pid_t **ret, size_t *ret_cnt);
int pol_cgroup_threads(int fd, size_t *ret_cnt);

/* pol_cgroup_drain() - move all tasks, also of sub-cgroups, to the root. 0; -EBUSY: still some. */
int pol_cgroup_drain(const char *parent, const char *name);

/* pol_cgroup_remove() - rmdir, sub-cgroups first; -EBUSY while tasks are in it. -ENOENT is 0. */
int pol_cgroup_remove(const char *parent, const char *name);

/* pol_cgroup_remove_parent() - remove the empty components of @parent itself. */
void pol_cgroup_remove_parent(const char *parent);

/* pol_cgroup_path_of() - path of a cgroup below the mount, "/policyctl/web", by id. */
int pol_cgroup_path_of(uint64_t id, char *buf, size_t size);

/* pol_cgroup_name_of_pid() - path from the mount of the cgroup that a process is in. */
int pol_cgroup_name_of_pid(pid_t pid, char *buf, size_t size);

/* pol_cgroup_of_pid() - id of the cgroup2 cgroup that a process is in. */
int pol_cgroup_of_pid(pid_t pid, uint64_t *ret);

/* pol_cgroup_move() - write a process into cgroup.procs. */
int pol_cgroup_move(int fd, pid_t pid);
