/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct pol_err - why something failed, in words an operator can act on. A fixed-size value: no
 * allocation, so it works when memory is out. Setter and wrapper return the code, so that a
 * failure is one statement.
 */
#pragma once

/* What a failure means to a caller, and the exit status of the programs (cli.md). */
enum pol_err_kind {
	POL_ERR_FAILED = 1,  /* the operation failed */
	POL_ERR_USAGE = 2,
	POL_ERR_POLICY = 3,  /* the policy is invalid; the diagnostics say why */
	POL_ERR_HOST = 4,    /* this kernel, host or user lacks something, named with the fix */
	POL_ERR_BUSY = 5,    /* another load holds the lock */
};

struct pol_err {
	enum pol_err_kind kind;
	int code;	   /* negative errno */
	char message[512]; /* what was tried, on what, why */
	char fix[512];	   /* what to do; may be empty */
};

/**
 * pol_err_set() - fill @err (may be NULL) and return @code.
 * @code: negative errno; its text is appended to the message unless @code is -EINVAL with no
 *	  system call behind it: then use pol_err_say().
 */
int pol_err_set(struct pol_err *err, enum pol_err_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* pol_err_say() - the same without the errno's text. */
int pol_err_say(struct pol_err *err, enum pol_err_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* pol_err_fix() - add the remedy; returns @err->code. */
int pol_err_fix(struct pol_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
