/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prometheus' text format, 0.0.4, of what is known: `status`, and what policyd counts. Pure: the same
 * numbers, the same text. What is not known is left out, never 0. Documentation/metrics.rst says what
 * each one is.
 *
 * policyctl_*: the kernel's numbers, whoever asks; they go on while policyd does not run.
 * policyd_*: one policyd's own, from its start.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "counts.h"
#include "status.h"

#define POL_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Whether an engine is loaded; UNKNOWN: it could not be asked. */
enum pol_metrics_engine { POL_METRICS_UNKNOWN, POL_METRICS_ABSENT, POL_METRICS_LOADED };

/**
 * struct pol_metrics_sink - where events go. @name: a word of ours.
 * @taken: events written, or that wait to be (@waiting of them). @lost: for want of room.
 */
struct pol_metrics_sink {
	const char *name;
	uint64_t taken;
	uint64_t waiting;
	uint64_t lost;
};

/* struct pol_metrics_ring - bytes: taken and not freed yet, and in all. */
struct pol_metrics_ring {
	uint64_t used;
	uint64_t size;
};

/**
 * struct pol_metrics_daemon - what policyd itself knows.
 * @start_ns: when it started, in nanoseconds since 1970. @undecodable: records of the ring passed over.
 * @subscribers: connected now.
 * @rings: by their number; none while it reads none.
 */
struct pol_metrics_daemon {
	uint64_t start_ns;
	uint64_t undecodable;
	uint64_t subscribers;
	const struct pol_counts *counts;
	const struct pol_metrics_sink *sinks;
	size_t sinks_cnt;
	const struct pol_metrics_ring *rings;
	size_t rings_cnt;
};

/**
 * struct pol_metrics - @status: NULL unless @engine is POL_METRICS_LOADED.
 * @daemon: NULL: not of policyd.
 */
struct pol_metrics {
	enum pol_metrics_engine engine;
	const struct pol_status *status;
	const struct pol_metrics_daemon *daemon;
};

/**
 * pol_metrics_text() - @ret: NUL-terminated, valid UTF-8, to be freed; @ret_len without the NUL.
 * Return: 0; -ENOMEM.
 */
int pol_metrics_text(const struct pol_metrics *metrics, char **ret, size_t *ret_len);
