/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl run as the parent of its program: signals to it, its status, its end at a ceiling. */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "engine.h"

/* run_hold_signals() - what comes from here on waits. @ret_before: the mask of before. */
void run_hold_signals(sigset_t *ret_before);

/* run_forward_signals() - to @pid, what waited first. */
void run_forward_signals(pid_t pid, const sigset_t *before);

/* run_wait_for() - Return: its exit status, or 128 + the signal; EXIT_OURS: it is no child of ours. */
int run_wait_for(pid_t pid);

/* run_kill_when_exceeded() - until @pid ends: end the whole guest once the engine has ended a part. */
void run_kill_when_exceeded(const struct pol_engine *engine, uint32_t guest, pid_t pid);
