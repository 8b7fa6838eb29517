/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy_report.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "handback.h"

struct pol_report {
	struct pol_diags diags;
	const struct pol_diag **order;
};

int pol_report_make(struct pol_diags *diags, struct pol_report **ret)
{
	struct pol_report *report = calloc(1, sizeof(*report));

	if (report)
		report->order = pol_diags_sorted(diags);
	if (!report || !report->order) {
		free(report);
		return -ENOMEM;
	}
	report->diags = *diags;
	memset(diags, 0, sizeof(*diags));
	*ret = report;
	return 0;
}

size_t pol_report_count(const struct pol_report *report)
{
	return report->diags.cnt;
}

size_t pol_report_errors(const struct pol_report *report)
{
	return report->diags.errors;
}

int pol_report_get(const struct pol_report *report, size_t index, struct pol_diagnostic *ret)
{
	struct pol_diagnostic diagnostic = { .file = report->diags.file };
	const struct pol_diag *diag;

	if (index >= report->diags.cnt)
		return -ERANGE;
	diag = report->order[index];
	diagnostic.warning = diag->warning;
	diagnostic.line = (uint32_t)diag->line;
	diagnostic.column = (uint32_t)diag->col;
	diagnostic.code = diag->code;
	diagnostic.message = diag->message;
	diagnostic.help = diag->help;
	diagnostic.source = diag->source;
	return pol_hand_back(ret, sizeof(diagnostic), &diagnostic, sizeof(diagnostic));
}

void pol_report_free(struct pol_report *report)
{
	if (!report)
		return;
	pol_diags_done(&report->diags);
	free(report->order);
	free(report);
}
