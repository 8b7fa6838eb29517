/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int set(struct pol_err *err, enum pol_err_kind kind, int code, const char *fmt, va_list ap)
{
	if (!err)
		return code;
	err->kind = kind;
	err->code = code;
	err->fix[0] = '\0';
	(void)vsnprintf(err->message, sizeof(err->message), fmt, ap);
	return code;
}

int pol_err_set(struct pol_err *err, enum pol_err_kind kind, int code, const char *fmt, ...)
{
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	set(err, kind, code, fmt, ap);
	va_end(ap);
	if (err) {
		len = strlen(err->message);
		(void)snprintf(err->message + len, sizeof(err->message) - len, ": %s",
			       strerror(-code));
	}
	return code;
}

int pol_err_say(struct pol_err *err, enum pol_err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, kind, code, fmt, ap);
	va_end(ap);
	return code;
}

int pol_err_fix(struct pol_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(err->fix, sizeof(err->fix), fmt, ap);
	va_end(ap);
	return err->code;
}
