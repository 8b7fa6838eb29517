/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handback.h"

#include <errno.h>
#include <string.h>

#include "version.h"

const char *pol_library_version(void)
{
	return POL_VERSION;
}

static size_t size_of(const void *structure)
{
	size_t size;

	memcpy(&size, structure, sizeof(size));
	return size;
}

int pol_hand_back(void *to, size_t first, const void *from, size_t size)
{
	size_t known = to ? size_of(to) : 0;
	size_t shared = known < size ? known : size;

	if (known < first)
		return -EINVAL;
	memcpy((char *)to + sizeof(size_t), (const char *)from + sizeof(size_t),
	       shared - sizeof(size_t));
	if (known > shared)
		memset((char *)to + shared, 0, known - shared);
	return 0;
}

int pol_take_in(const void *from, size_t first, void *to, size_t size)
{
	size_t known = from ? size_of(from) : 0;
	size_t shared = known < size ? known : size;

	if (known < first)
		return -EINVAL;
	for (size_t i = shared; i < known; i++) /* asked for something of a later version */
		if (((const char *)from)[i])
			return -EINVAL;
	memset(to, 0, size);
	memcpy(to, from, shared);
	return 0;
}

int pol_fail(struct pol_error *ret, int code, const struct pol_err *err)
{
	struct pol_error error = { .code = code, .kind = POL_ERROR_FAILED };

	if (err->kind)
		error.kind = (uint32_t)err->kind;
	memcpy(error.message, err->message, sizeof(error.message));
	memcpy(error.fix, err->fix, sizeof(error.fix));
	if (ret)
		(void)pol_hand_back(ret, sizeof(error), &error, sizeof(error));
	return code;
}

int pol_fail_usage(struct pol_error *ret, const char *what)
{
	struct pol_err err = {};

	pol_err_say(&err, POL_ERR_USAGE, -EINVAL, "%s", what);
	return pol_fail(ret, -EINVAL, &err);
}

int pol_fail_memory(struct pol_error *ret)
{
	struct pol_err err = {};

	pol_err_say(&err, POL_ERR_FAILED, -ENOMEM, "out of memory");
	return pol_fail(ret, -ENOMEM, &err);
}
