/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that answer as a test wants: what another kernel, or a sandbox, would say. By
 * seccomp(2), which cannot be taken off again: in a process that the test forks and that ends with
 * _exit(2), for LeakSanitizer makes system calls of its own.
 */
#pragma once

#include <stddef.h>

/* test_refuse() - from now on each call @nr fails with @err (positive errno). */
void test_refuse(long nr, int err);

/**
 * test_script() - the next calls @nr have these results: an errno, or 0: the call is made. Later
 * ones are made. For one call number a process; by a handler of SIGSYS.
 */
void test_script(long nr, const int *results, size_t cnt);
