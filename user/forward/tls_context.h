/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a TLS connection is made of: who vouches for the receiver, who we are. */
#pragma once

#include <openssl/ssl.h>

#include "err.h"
#include "options.h"

/**
 * tls_context_new() - read the files; at each connection anew, as certificates are renewed.
 * Return: 0; negative: @err (kind POL_ERR_HOST) says which file, and why.
 */
int tls_context_new(const struct forward_options *options, SSL_CTX **ret, struct pol_err *err);

/**
 * tls_new() - of a connected socket. The receiver's certificate has to be of --name, or of the host.
 * Return: NULL: no memory, or a name that is none.
 */
SSL *tls_new(SSL_CTX *context, const struct forward_options *options, int fd);

/* tls_why() - why the handshake or a read or write failed, with what SSL_get_error(3) said. */
const char *tls_why(const SSL *ssl, int error, int saved_errno);
