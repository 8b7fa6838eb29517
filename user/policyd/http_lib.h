/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmicrohttpd, loaded only where metrics are served: it brings along GnuTLS, which has no business
 * in a privileged process that nobody asked for HTTP.
 */
#pragma once

#define MHD_NO_DEPRECATION /* 1.0 has other names for some, which 0.9.75 lacks */
#include <microhttpd.h>

#include "err.h"

#define HTTP_CALLS(X)                                             \
	X(MHD_start_daemon)                                       \
	X(MHD_stop_daemon)                                        \
	X(MHD_run)                                                \
	X(MHD_get_timeout)                                        \
	X(MHD_get_daemon_info)                                    \
	X(MHD_get_connection_info)                                \
	X(MHD_create_response_from_buffer)                        \
	X(MHD_create_response_from_buffer_with_free_callback_cls) \
	X(MHD_add_response_header)                                \
	X(MHD_queue_response)                                     \
	X(MHD_destroy_response)

/* struct http_lib - its functions, by their own names. */
struct http_lib {
	void *handle;
#define X(name) __typeof__(name) *name;
	HTTP_CALLS(X)
#undef X
};

/* http_lib_open() - Return: 0; -ELIBACC (kind POL_ERR_HOST): it is not there, or too old. */
int http_lib_open(struct http_lib *ret, struct pol_err *err);
void http_lib_close(struct http_lib *lib);
