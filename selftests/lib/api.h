/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the suites of the installed library share: policies loaded by it, programs run by it, and its
 * errors looked at. Included behind harness.h; static, and unused where a suite needs only some.
 */
#pragma once

#include <policy/policy.h>

#include "guest.h"

#define API_FN __attribute__((unused)) static

static struct pol_error error = { .size = sizeof(error) };
API_FN int load_text(const char *policy, uint32_t flags)
{
	const char *whole = text(RUNTIME "%s", policy);

	return pol_policy_load("test", whole, strlen(whole), flags, NULL, NULL, &error);
}

#define ASSERT_LOADED(...)                                                            \
	do {                                                                          \
		int loaded_ = load_text(text(__VA_ARGS__), POL_LOAD_FORCE);           \
		if (loaded_) {                                                        \
			FAIL("load: %d, %s (%s)", loaded_, error.message, error.fix); \
			END_TEST();                                                   \
		}                                                                     \
	} while (0)

/* A function of the library: exactly this, and if it failed the error says the same. */
#define EXPECT_RETURN(want, call)                                                     \
	do {                                                                          \
		error.code = 1;                                                       \
		int got_ = (call);                                                    \
		if (got_ != (want))                                                   \
			FAIL("%.80s: expected %d, got %d: %.300s", #call, want, got_, \
			     error.message);                                          \
		else if (got_ < 0 && (error.code != got_ || !error.message[0]))       \
			FAIL("%.80s: the error says %d: %.300s", #call, error.code,   \
			     error.message);                                          \
	} while (0)
#define EXPECT_KIND(kind_, want, call)        \
	do {                                  \
		EXPECT_RETURN(want, call);    \
		EXPECT_EQ(kind_, error.kind); \
	} while (0)

API_FN int end_of(pid_t pid)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As for execve(2), of literals. */
#define WORDS(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

API_FN int run(const char *guest, const char *script, pid_t *ret_pid)
{
	const struct pol_run program = {
		.size = sizeof(program),
		.path = "/usr/bin/sh",
		.argv = WORDS("sh", "-c", script),
		.envp = environ,
	};

	return pol_guest_run(guest, &program, ret_pid, &error);
}
