/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of an address on a command line that listen.h and syslog_address.h share. Pure. */
#pragma once

#include <stdint.h>
#include <sys/un.h>

/**
 * pol_address_path() - of a unix socket.
 * @ret_why: what was expected. Return: 0; -EINVAL: not absolute, or longer than 107 bytes.
 */
int pol_address_path(const char *text, struct sockaddr_un *ret, const char **ret_why);

/* pol_address_port() - likewise, a decimal number and nothing else, 1 to 65535. */
int pol_address_port(const char *text, uint16_t *ret, const char **ret_why);

/* pol_address_refuse() - set @ret_why. Return: -EINVAL. */
int pol_address_refuse(const char *why, const char **ret_why);
