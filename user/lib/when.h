/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times as the command line takes them (cli.md, "Habits"). Pure.
 */
#pragma once

#include <stdint.h>

/**
 * pol_span_parse() - a span: "90", "90s", "1500ms", "10m", "2h"; a plain number is seconds.
 * Return: 0; -EINVAL: no such thing; -ERANGE: longer than 2^63 ns.
 */
int pol_span_parse(const char *text, int64_t *ret_ns);

/**
 * pol_time_parse() - RFC 3339, "2026-11-21T01:02:03.5Z", "2026-11-21 01:02:03+01:00".
 * @ret_ns: since 1970, UTC. Return: 0; -EINVAL; -ERANGE.
 */
int pol_time_parse(const char *text, int64_t *ret_ns);

/**
 * pol_since_parse() - RFC 3339, or a span back from @now_ns. Return: as the two above.
 */
int pol_since_parse(const char *text, int64_t now_ns, int64_t *ret_ns);
