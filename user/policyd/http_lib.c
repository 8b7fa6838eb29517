/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http_lib.h"

#include <dlfcn.h>

#include "base.h"

#define SONAME "libmicrohttpd.so.12"

static int fail(struct http_lib *lib, struct pol_err *err)
{
	(void)pol_err_say(err, POL_ERR_HOST, -ELIBACC, "cannot serve metrics: %s", dlerror());
	http_lib_close(lib);
	return pol_err_fix(err, "install libmicrohttpd12 (0.9.75 or newer)");
}

int http_lib_open(struct http_lib *ret, struct pol_err *err)
{
	ret->handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!ret->handle)
		return fail(ret, err);
#define X(name)                                           \
	*(void **)&ret->name = dlsym(ret->handle, #name); \
	if (!ret->name)                                   \
		return fail(ret, err);
	HTTP_CALLS(X)
#undef X
	return 0;
}

void http_lib_close(struct http_lib *lib)
{
	if (lib->handle)
		(void)dlclose(lib->handle);
	lib->handle = NULL;
}
