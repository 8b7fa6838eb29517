/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's ceilings in systemd's words: the properties of a unit, and what they make of its
 * cgroup's files. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

/**
 * struct pol_unit_limit - one ceiling.
 * @property: name of the unit's property; @value: what it is set to (UINT64_MAX: systemd's infinity).
 * @device: NULL: the property is of D-Bus type t; else the block device, borrowed: of type a(st);
 * empty: of that type, and no device has any.
 * @file, @text: the file of the unit's cgroup, and what it reads once systemd has written it.
 * @disk: with @device: "8:0", the line of @file; @text is one word of it.
 */
struct pol_unit_limit {
	const char *property;
	uint64_t value;
	const char *device;
	const char *file;
	char disk[24];
	char text[48];
};

/* pol_unit_limits_max() - room that pol_unit_limits() needs. */
size_t pol_unit_limits_max(const struct pol_limits *limits);

/**
 * pol_unit_limits() - those that the policy sets, also with "max"; what it is silent on is left out.
 * @ret: room for pol_unit_limits_max(); they borrow from @limits.
 * Return: how many.
 *
 * Source: systemd.resource-control(5) and org.freedesktop.systemd1(5), systemd 244 and later (cgroup
 * v2 by TasksMax, MemoryMax, MemorySwapMax, CPUQuotaPerSecUSec, IOReadBandwidthMax and its like).
 */
size_t pol_unit_limits(const struct pol_limits *limits, struct pol_unit_limit *ret);

#define POL_UNIT_LIFTS_MAX (3 + POL_IO_CNT) /* memory, swap, cpu, each direction of io */

/**
 * pol_unit_lifts() - for a unit that may have ceilings of another policy: what @limits is silent on
 * goes back to none, and so does io of all devices. To be set with pol_unit_limits(), before them.
 * @ret: room for POL_UNIT_LIFTS_MAX; property, value and device are set.
 * Return: how many.
 */
size_t pol_unit_lifts(const struct pol_limits *limits, struct pol_unit_limit *ret);

/* pol_unit_no_io() - of all devices, none. @ret: room for POL_IO_CNT. Return: POL_IO_CNT. */
size_t pol_unit_no_io(struct pol_unit_limit *ret);

/**
 * pol_unit_limit_before() - what a unit had, to be set again: by what its cgroup's file read.
 * @text: empty: there was no such file, nothing bounded it.
 * Return: false: it is no file with one number that systemd has a property for.
 */
bool pol_unit_limit_before(const char *file, const char *text, struct pol_unit_limit *ret);

/* pol_unit_io_before() - the same of a line of io.max; device is not set. Return: false: it is none. */
bool pol_unit_io_before(const char *line, struct pol_io_limit *ret);

/* pol_unit_limit_holds() - has @text, which @limit's file reads, what is to be there? */
bool pol_unit_limit_holds(const struct pol_unit_limit *limit, const char *text);
