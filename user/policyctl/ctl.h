/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs share: their table, how failures are said, and plain option parsing. */
#pragma once

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "diag.h"
#include "err.h"

#define CTL_SCHEMA "policyctl/v1"

int cmd_check(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* ctl_number() - digits and nothing else. Return: the number; -EINVAL: none, or more than @max. */
int64_t ctl_number(const char *text, int64_t max);

/* ctl_pid() - Return: a process id, or -EINVAL. */
pid_t ctl_pid(const char *text);

/* ctl_fail() - say why on stderr, with the fix. Return: the exit status. */
int ctl_fail(const char *verb, const struct pol_err *err);

/* ctl_usage() - one line on stderr and where help is. Return: 2. */
int ctl_usage(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * ctl_json_option() - of a verb that has no options but --json and --help. What follows is at optind.
 * Return: 0, and @ret_json or @ret_help is set; else the exit status, and it is said.
 */
int ctl_json_option(const char *verb, int argc, char **argv, bool *ret_json, bool *ret_help);

/* ctl_colour() - colour on this stream: a terminal and no NO_COLOR. */
bool ctl_colour(FILE *stream);

/* ctl_print_escaped() - bytes of others, on stdout: nothing in them moves the cursor. NULL: "?". */
void ctl_print_escaped(const char *text);

/* ctl_print_json() - compact, one line on stdout; frees @object. */
void ctl_print_json(json_t *object);

/* ctl_print_diags() - on stderr, as text or JSON Lines. */
void ctl_print_diags(const struct pol_diags *diags, bool json);
