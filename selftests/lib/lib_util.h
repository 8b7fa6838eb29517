/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the parts of selftests/lib; no test includes it. */
#pragma once

#include <stddef.h>

/* Say what failed, with errno, and end the test's process: it then counts as failed. */
__attribute__((noreturn)) void lib_die(const char *what, const char *on);

/* Output of a shell command. Return: exit status, 128 + signal. */
int lib_shell(const char *cmd, char *buf, size_t size);
