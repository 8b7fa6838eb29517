/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No privilege is kept, and none can be had again. */
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base.h"
#include "forward.h"

static int become(const char *name, struct pol_err *err)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		return pol_err_say(err, POL_ERR_HOST, -ENOENT, "--user: there is no user '%.64s'",
				   name);
	if (!user->pw_uid)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--user: '%.64s' is root", name);
	if (initgroups(name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return pol_err_set(err, POL_ERR_HOST, -errno, "--user: cannot become '%.64s'",
				   name);
	return 0;
}

/* Such as systemd's AmbientCapabilities= gives. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

int forward_become(const char *user, struct pol_err *err)
{
	int r = user ? become(user, err) : 0;

	if (r < 0)
		return r;
	if (!getuid() || !geteuid()) {
		pol_err_say(err, POL_ERR_HOST, -EPERM,
			    "this needs no root, and does not run as it");
		return pol_err_fix(err, "start it as a user of policyd's --group, or with --user");
	}
	r = drop_capabilities();
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? pol_err_set(err, POL_ERR_HOST, r, "cannot give up privileges") : 0;
}
