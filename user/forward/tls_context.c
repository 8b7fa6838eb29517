/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base.h"

/* The first one: later ones say in which layers it went through. */
static const char *reason(void)
{
	unsigned long error = ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	return text ? text : "unknown error";
}

static int fail(struct pol_err *err, const char *option, const char *file)
{
	pol_err_say(err, POL_ERR_HOST, -EINVAL, "%s '%.200s': %s", option, file, reason());
	return pol_err_fix(err, "it has to be PEM that this user can read");
}

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int load_own(SSL_CTX *context, const struct forward_options *options, struct pol_err *err)
{
	if (!options->cert)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1)
		return fail(err, "--cert", options->cert);
	if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return fail(err, "--key", options->key);
	return 0;
}

/* Only from @options->ca: not what the host trusts for the web. */
static int load(SSL_CTX *context, const struct forward_options *options, struct pol_err *err)
{
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return pol_err_say(err, POL_ERR_HOST, -EPROTO, "no TLS 1.2: %s", reason());
	if (SSL_CTX_load_verify_file(context, options->ca) != 1)
		return fail(err, "--ca", options->ca);
	return load_own(context, options, err);
}

int tls_context_new(const struct forward_options *options, SSL_CTX **ret, struct pol_err *err)
{
	SSL_CTX *context;
	int r;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return pol_err_say(err, POL_ERR_HOST, -ENOMEM, "no TLS: %s", reason());
	r = load(context, options, err);
	if (r < 0)
		SSL_CTX_free(context);
	else
		*ret = context;
	return r;
}

static bool is_address(const char *name)
{
	unsigned char address[16];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool set_peer(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *tls_new(SSL_CTX *context, const struct forward_options *options, int fd)
{
	SSL *ssl = SSL_new(context);

	if (ssl && set_peer(ssl, options->name ? options->name : options->tls.host) &&
	    SSL_set_fd(ssl, fd) == 1) {
		SSL_set_connect_state(ssl);
		return ssl;
	}
	SSL_free(ssl);
	return NULL;
}

const char *tls_why(const SSL *ssl, int error, int saved_errno)
{
	long verified = SSL_get_verify_result(ssl);

	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	if (error == SSL_ERROR_ZERO_RETURN ||
	    (error == SSL_ERROR_SYSCALL && !saved_errno && !ERR_peek_error()))
		return "it closed the connection";
	if (error == SSL_ERROR_SYSCALL && saved_errno)
		return strerror(saved_errno);
	return reason();
}
