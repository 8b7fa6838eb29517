/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside metrics*.c: one family after the other, each with its samples. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "metrics.h"
#include "str.h"

#define METRIC_GAUGE   "gauge"
#define METRIC_COUNTER "counter"

/* struct metric - the family that is being written. @said: its head is out. */
struct metric {
	FILE *out;
	const char *name;
	const char *type;
	const char *help;
	bool said;
};

/* struct metric_label - @name: a word of ours; NULL: the last. @value: any bytes. */
struct metric_label {
	const char *name;
	const char *value;
};

#define LABELS(...) ((const struct metric_label[]){ __VA_ARGS__, { NULL, NULL } })

/* metric_family() - what is put from here on belongs to it. @help: one line, no backslash. */
void metric_family(struct metric *m, const char *name, const char *type, const char *help);

/* metric_put(), metric_put_seconds() - one sample; POL_STATUS_NONE: none. */
void metric_put(struct metric *m, const struct metric_label *labels, uint64_t value);
void metric_put_seconds(struct metric *m, const struct metric_label *labels, uint64_t ns);

/* metrics_put_daemon() - what policyd itself knows. */
void metrics_put_daemon(struct metric *m, const struct pol_metrics *metrics);
