/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules on procfs, sysfs and their like; bpf/procfs.h against the document. */
#include <criterion/criterion.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/types.h>

#include "abi.h"
#include "procfs.h"
#include "resolve_fixture.h"

TestSuite(resolve_pseudo, .init = init, .fini = fini, .timeout = 300);

static void need_fs(const char *path, long magic)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0 || (unsigned long)fs.f_type != (unsigned long)magic)
		cr_skip_test("no such filesystem at %s", path);
}

static void use_proc(const char *rules)
{
	need_fs("/proc", PROC_SUPER_MAGIC);
	use_rules(rules);
}

static const struct pol_place *place_at(const char *dir, const char *name)
{
	for (size_t i = 0; i < places.cnt; i++) {
		const struct pol_place *place = &places.items[i];

		if (strcmp(place->dir, dir) == 0 && !place->name == !name &&
		    (!name || strcmp(place->name, name) == 0))
			return place;
	}
	cr_assert_fail("no place at %s, %s", dir, name ? name : "(directory)");
	return NULL;
}

Test(resolve_pseudo, procfs_and_what_lies_directly_in_it)
{
	use_proc("{ path = \"/proc\", access = \"ro\" },\n"
		 "{ path = \"/proc/meminfo\", access = \"read\" },\n"
		 "{ path = \"/proc/sys\", access = \"none\" },\n");
	resolve_ok();
	cr_assert_eq(diags.cnt, 0);
	cr_assert_eq(places.cnt, 3);
	cr_assert(!place_at("/proc", NULL)->sysctl);
	cr_assert(!place_at("/proc", "meminfo")->sysctl);
	cr_assert(place_at("/proc/sys", NULL)->sysctl);
}

Test(resolve_pseudo, a_directory_in_proc_sys_is_held_by_its_name)
{
	use_proc("{ path = \"/proc/sys/kernel\", access = \"ro\" },\n");
	resolve_ok();
	cr_assert_eq(diags.cnt, 0);
	cr_assert(place_at("/proc/sys", "kernel")->sysctl);
}

static const char *const nowhere[] = {
	"/proc/self",
	"/proc/self/maps",
	"/proc/thread-self/status",
	"/proc/1",
	"/proc/1/status",
	"/proc/4194303",
	"/proc/net/dev",
	"/proc/sys/kernel/osrelease",
	"/proc/sys/net/core",
	"/proc/sys/vm/new",
};

Test(resolve_pseudo, no_rule_where_inodes_change)
{
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		char rule[256];

		(void)snprintf(rule, sizeof(rule), "{ path = \"%s\", access = \"ro\" },\n",
			       nowhere[i]);
		use_proc(rule);
		resolve_fails(POL_P_PROCFS, 4);
		pol_policy_free(policy);
		pol_diags_done(&diags);
		diags = (struct pol_diags){ 0 };
		policy = NULL;
	}
}

/* By its own mount its name is in another filesystem. */
Test(resolve_pseudo, a_mount_of_a_directory_in_proc_sys)
{
	char target[4096];

	need_fs("/proc", PROC_SUPER_MAGIC);
	need_tree();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("a mount namespace needs root");
	tree_dir(tree, "kernel");
	(void)snprintf(target, sizeof(target), "%s/kernel", tree);
	cr_assert_eq(mount("/proc/sys/kernel", target, NULL, MS_BIND, NULL), 0);
	use_rules("{ path = \"@/kernel\", access = \"ro\" },\n");
	resolve_fails(POL_P_PROCFS, 4);
}

static void warns(const char *rules, const char *message)
{
	use_rules(rules);
	resolve_ok();
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_NEVER);
	cr_assert_eq(diags.items[0].line, 4);
	cr_assert(strstr(diags.items[0].message, message), "%s", diags.items[0].message);
}

Test(resolve_pseudo, rights_that_are_never_given_on_procfs)
{
	need_fs("/proc", PROC_SUPER_MAGIC);
	warns("{ path = \"/proc\", access = \"rw\" },\n",
	      "no rule gives these rights: [\"create\", \"delete\", \"rename\", \"link\", \"metadata\"]");
}

Test(resolve_pseudo, files_of_procfs_that_no_rule_opens)
{
	need_fs("/proc", PROC_SUPER_MAGIC);
	warns("{ path = \"/proc/sysrq-trigger\", access = \"write\" },\n", "no rule opens it");
}

Test(resolve_pseudo, public_files_of_procfs_are_for_reading)
{
	need_fs("/proc", PROC_SUPER_MAGIC);
	warns("{ path = \"/proc/meminfo\", access = [\"read\", \"write\"] },\n",
	      "no rule gives these rights: [\"write\"]");
}

Test(resolve_pseudo, sysfs_is_for_reading)
{
	need_fs("/sys", SYSFS_MAGIC);
	warns("{ path = \"/sys/devices\", access = [\"ro\", \"write\"] },\n",
	      "'/sys/devices' is on sysfs, where no rule gives these rights: [\"write\"]");
}

Test(resolve_pseudo, what_can_be_given_is_no_warning)
{
	need_fs("/sys", SYSFS_MAGIC);
	use_proc("{ path = \"/sys\", access = \"ro\" },\n"
		 "{ path = \"/sys/devices\", access = \"none\" },\n"
		 "{ path = \"/proc\", access = [\"ro\", \"write\", \"truncate\"] },\n"
		 "{ path = \"/proc/kcore\", access = \"none\" },\n");
	resolve_ok();
	cr_assert_eq(diags.cnt, 0);
}

/* No guest can make or move a symlink there, whatever its rule says. */
Test(resolve_pseudo, sysfs_steers_nobody)
{
	need_fs("/sys", SYSFS_MAGIC);
	if (access("/sys/class/net/lo", F_OK) < 0)
		cr_skip_test("no symlink in sysfs");
	use_rules("{ path = \"/sys\", access = \"rw\" },\n"
		  "{ path = \"/sys/class/net/lo\", access = \"none\" },\n");
	resolve_ok();
}

Test(resolve_pseudo, no_rule_on_other_faces_of_the_kernel)
{
	char target[4096];

	need_tree();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("a mount namespace needs root");
	tree_dir(tree, "mnt");
	(void)snprintf(target, sizeof(target), "%s/mnt", tree);
	if (mount("none", target, "mqueue", 0, NULL) < 0 &&
	    mount("none", target, "bpf", 0, NULL) < 0)
		cr_skip_test("neither mqueue nor bpf can be mounted: %m");
	use_rules("{ path = \"@/mnt\", access = \"ro\" },\n");
	resolve_fails(POL_P_FILESYSTEM, 4);
	cr_assert(strstr(find_code(POL_P_FILESYSTEM)->message, "face of the kernel"));
}

#define P1(a)	       "``" a "``",
#define P2(a, b)       "``" a "/" b "``",
#define P3(a, b, c)    "``" a "/" b "/" c "``",
#define P4(a, b, c, d) "``" a "/" b "/" c "/" d "``",
#define X(name)	       "``" name "``",
static const char *const documented[] = { POL_PROC_PUBLIC(P1, P2, P3, P4) POL_PROC_WRITABLE(X) };

Test(resolve_pseudo, the_documented_lists_are_the_sources)
{
	char *docs = file_read("Documentation/policy-format.rst", NULL), *section, *end;

	cr_assert(docs);
	section = strstr(docs, "\nprocfs, sysfs, cgroup2\n");
	cr_assert(section);
	end = strstr(section, "\nLimits\n");
	cr_assert(end);
	*end = '\0';
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		cr_assert(strstr(section, documented[i]), "%s is not documented", documented[i]);
	free(docs);
}
