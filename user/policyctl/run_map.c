/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_map.h"

#include <errno.h>
#include <string.h>

#include "base.h"
#include "str.h"

/* Cut off; true if it was there. */
static bool take_ro(char *text)
{
	size_t len = strlen(text);

	if (len < 3 || strcmp(text + len - 3, ":ro") != 0)
		return false;
	text[len - 3] = '\0';
	return true;
}

static int take_path(const char *what, const char *text, char **ret, struct pol_err *err)
{
	int r = pol_path_clean(text, strlen(text), ret);

	switch (r) {
	case POL_PATH_OK:
		return 0;
	case -ENOMEM:
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot take '%s'", text);
	case POL_PATH_DOTDOT:
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--map: '..' in %s, '%s'", what, text);
	case POL_PATH_NAME_TOO_LONG:
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "--map: %s has a name of more than 255 bytes", what);
	}
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--map: %s is an absolute path, not '%s'", what,
			   text);
}

int run_map_parse(const char *text, struct pol_map *ret, struct pol_err *err)
{
	_cleanup_(pol_map_done) struct pol_map map = { 0 };
	_cleanup_free_ char *host = strdup(text);
	char *guest;
	int r;

	if (!host)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot take '%s'", text);
	map.ro = take_ro(host);
	guest = strchr(host, ':');
	if (!guest || strchr(guest + 1, ':'))
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "--map takes HOST:GUEST or HOST:GUEST:ro, paths without a ':', not "
				   "'%s'",
				   text);
	*guest++ = '\0';
	r = take_path("HOST", host, &map.host, err);
	if (!r)
		r = take_path("GUEST", guest, &map.guest, err);
	if (!r && !map.guest[1])
		r = pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				"--map: nothing can be mapped to '/', the guest's whole root");
	if (r < 0)
		return r;
	*ret = map;
	map = (struct pol_map){ 0 };
	return 0;
}
