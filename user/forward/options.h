/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyd-forward: the command line. */
#pragma once

#include <stddef.h>

#include "request.h"
#include "syslog_address.h"

#define FORWARD_CONF_MAX 32

/**
 * struct forward_options - @socket: policyd's. @state: file of the mark; NULL: none.
 * @user: to become; NULL: stay. @request: to policyd; its guest and path are ours.
 * @tls: receiver, if it is one by TLS; @tls_text: as it was written; @ca, @cert, @key: PEM files, the
 * last two may be NULL. @name: in its certificate; NULL: the host's.
 * @kafka: brokers, NULL: none; @topic; @conf: K=V, or @FILE.
 */
struct forward_options {
	const char *socket;
	const char *state;
	const char *user;
	struct pol_request request;
	struct pol_syslog_address tls;
	const char *tls_text;
	const char *ca;
	const char *cert;
	const char *key;
	const char *name;
	const char *kafka;
	const char *topic;
	const char *conf[FORWARD_CONF_MAX];
	size_t conf_cnt;
};

/**
 * forward_options_parse() - what is wrong, the help and the version are printed.
 * @ret: to be freed by forward_options_done() in any case. Return: -1: go on; else the exit status.
 */
int forward_options_parse(int argc, char **argv, struct forward_options *ret);
void forward_options_done(struct forward_options *options);
