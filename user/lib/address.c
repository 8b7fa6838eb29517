/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address.h"

#include <sys/socket.h>

#include "base.h"

int pol_address_refuse(const char *why, const char **ret_why)
{
	*ret_why = why;
	return -EINVAL;
}

int pol_address_path(const char *text, struct sockaddr_un *ret, const char **ret_why)
{
	if (*text != '/')
		return pol_address_refuse("expected an absolute path behind unix:", ret_why);
	if (strlen(text) >= sizeof(ret->sun_path))
		return pol_address_refuse("the path is longer than a socket's can be, 107 bytes",
					  ret_why);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, text, strlen(text));
	return 0;
}

int pol_address_port(const char *text, uint16_t *ret, const char **ret_why)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !port || port > 65535)
		return pol_address_refuse("expected a port, 1 to 65535, behind the host", ret_why);
	*ret = (uint16_t)port;
	return 0;
}
