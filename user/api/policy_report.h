/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report (policy/policy.h): diagnostics in the order of the file. */
#pragma once

#include "diag.h"
#include "policy/policy.h"

/**
 * pol_report_make() - of @diags, which is empty then.
 * Return: 0; -ENOMEM: @diags stays as it is.
 */
int pol_report_make(struct pol_diags *diags, struct pol_report **ret);
