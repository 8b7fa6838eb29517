/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl explain: the kernel's answer before anybody tries, and what happens then. */
#include "harness.h"

#include "guest.h"

TEST(first)
{
	const char *dir = scratch();

	make_file(text("%s/f", dir), "x");
	make_dir(text("%s/d", dir));
	ASSERT_LOAD(GUEST("g") FILES "\t{ path = \"%s\", access = [\"read\"] },\n" END, dir);
	printf("# %d %s\n", ctl("explain g read %s/f", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g write %s/f", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g rwx,connect,ioctl %s/f --json", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g delete %s/f --json", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g delete %s/d --json", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g create %s/n --json", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g read %s/n --json", dir), ctl_said);
	printf("# %d %s\n", ctl("explain g read /proc/self/status --json"), ctl_said);
	printf("# %d %s\n", ctl("explain g read /usr --json"), ctl_said);
	printf("# %d %s\n", ctl("explain nope read /usr --json"), ctl_said);
}

LEAVES_NO_GUEST()
