/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "newroot_int.h"

#include <errno.h>
#include <stdio.h>

static int say_thing(const struct pol_view_item *item, int code, struct pol_err *err)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s%s%s", item->dir[1] || !item->name ? item->dir : "",
		       item->name ? "/" : "", item->name ? item->name : "");
	if (code == -ESTALE) {
		pol_err_say(err, POL_ERR_FAILED, code,
			    "'%s' is not the directory that the rule on '%s' (line %u) was made on",
			    path, item->what, item->line);
		return pol_err_fix(err, "load the policy again");
	}
	if (code != -ELOOP)
		return pol_err_set(err, POL_ERR_FAILED, code, "cannot show '%s' to the guest at '%s'",
				   path, item->at);
	pol_err_say(err, POL_ERR_FAILED, code,
		    "'%s', to be seen at '%s', is a symlink now, or lies below one: it is not followed",
		    path, item->at);
	return pol_err_fix(err, "a guest may have made it; look at it, and take it away");
}

static int say_place(const struct pol_view_item *item, int code, struct pol_err *err)
{
	switch (code) {
	case -ENOENT:
		pol_err_say(err, POL_ERR_FAILED, code,
			    "'%s' cannot be seen at '%s': that lies in another mapped directory, which "
			    "has no such name",
			    item->what, item->at);
		return pol_err_fix(err, "make it there, on the host: something to mount on");
	case -ENOTDIR:
		return pol_err_say(err, POL_ERR_FAILED, code,
				   "'%s' cannot be seen at '%s': that is below a file, or one of the "
				   "two is a directory and the other is not",
				   item->what, item->at);
	case -ELOOP:
		pol_err_say(err, POL_ERR_FAILED, code,
			    "'%s' cannot be seen at '%s': there, in another mapped directory, is a "
			    "symlink that leads elsewhere in the guest's root",
			    item->what, item->at);
		return pol_err_fix(err, "map it to the path that the symlink leads to");
	}
	return pol_err_set(err, POL_ERR_FAILED, code, "cannot make the place '%s' for '%s'", item->at,
			   item->what);
}

int pol_newroot_say(const struct pol_view *view, const struct pol_root_report *report,
		    struct pol_err *err)
{
	const struct pol_view_item *item = view->cnt ? &view->items[report->item] : NULL;

	switch (report->at) {
	case POL_AT_THING:
		return say_thing(item, report->code, err);
	case POL_AT_MAKE:
		return pol_err_set(err, POL_ERR_FAILED, report->code,
				   "cannot make '%s' in '%s', to be seen at '%s'", item->name, item->dir,
				   item->at);
	case POL_AT_PLACE:
		return say_place(item, report->code, err);
	case POL_AT_MOUNT:
		return pol_err_set(err, POL_ERR_FAILED, report->code, "cannot mount '%s' at '%s'",
				   item->what, item->at);
	case POL_AT_LEAVE:
		pol_err_set(err, POL_ERR_FAILED, report->code, "cannot leave the host's root");
		if (report->code == -EINVAL)
			return pol_err_fix(err, "it has to be the root of a mount namespace, which "
						"pivot_root(2) takes: not the initramfs, and nothing after chroot(2)");
		return report->code;
	}
	pol_err_set(err, POL_ERR_FAILED, report->code, "cannot make a root for the guest");
	if (report->code == -EPERM)
		return pol_err_fix(err, "it takes CAP_SYS_ADMIN, for unshare(2) and mounts");
	return report->code;
}
