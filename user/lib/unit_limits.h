/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's ceilings in systemd's words: the properties of a unit, and what they make of its
 * cgroup's files. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy.h"

/**
 * struct pol_unit_limit - one ceiling.
 * @property: name of the unit's property, of D-Bus type t; @value: what it is set to (UINT64_MAX:
 *	      systemd's infinity).
 * @file, @text: the file of the unit's cgroup, and what it reads once systemd has written it.
 */
struct pol_unit_limit {
	const char *property;
	uint64_t value;
	const char *file;
	char text[48];
};

#define POL_UNIT_LIMITS_MAX 4

/**
 * pol_unit_limits() - those that the policy sets, also with "max"; what it is silent on is left out.
 * Return: how many.
 *
 * Source: systemd.resource-control(5) and org.freedesktop.systemd1(5), systemd 244 and later (cgroup
 * v2 by TasksMax, MemoryMax, MemorySwapMax, CPUQuotaPerSecUSec).
 */
size_t pol_unit_limits(const struct pol_limits *limits,
		       struct pol_unit_limit ret[POL_UNIT_LIMITS_MAX]);
