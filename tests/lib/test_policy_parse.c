/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/types.h>

#include "abi.h"
#include "policy.h"
#include "tmptree.h"

#define MUTATIONS 3000
#define RO	  (POL_RIGHT_READ | POL_RIGHT_LIST)
#define RW                                                                                 \
	(RO | POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE | POL_RIGHT_CREATE | POL_RIGHT_DELETE | \
	 POL_RIGHT_RENAME | POL_RIGHT_LINK | POL_RIGHT_METADATA)

/* The policy of a text that must be valid; */
static struct pol_policy *parse(const char *text)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = tree_policy("", text, &diags);

	pol_diags_done(&diags);
	return policy;
}

static const struct pol_rule *rule(const struct pol_policy *policy, const char *guest,
				   const char *path)
{
	const struct pol_guest *found = pol_policy_guest(policy, guest);

	cr_assert(found, "no guest %s", guest);
	return pol_guest_rule(found, path);
}

/* Every tests/data/<dir>/<case>.toml gives exactly <case>.err, or nothing if there is none. */
static void compare_golden(const char *dir, const char *name, int expected)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;
	char path[600], *text, *golden, *shown;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = file_read(path, &len);
	(void)snprintf(path, sizeof(path), "%s/%.*s.err", dir, (int)strlen(name) - 5, name);
	golden = file_read(path, NULL);
	cr_assert(text);
	cr_expect_eq(pol_policy_parse(name, text, len, &diags, &policy), expected, "%s", name);
	cr_expect_eq(policy == NULL, expected < 0, "%s", name);
	shown = text_print(&diags, false);
	cr_expect_str_eq(shown, golden ? golden : "", "%s:\n%s", name, shown);
	cr_expect_eq(diags.errors == 0, expected == 0);
	free(shown);
	free(golden);
	free(text);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

static size_t compare_all(const char *dir, int expected)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;
	size_t cnt = 0;

	cr_assert(entries, "%s", dir);
	while ((entry = readdir(entries)))
		if (strstr(entry->d_name, ".toml")) {
			compare_golden(dir, entry->d_name, expected);
			cnt++;
		}
	closedir(entries);
	return cnt;
}

Test(policy_parse, invalid_files_give_their_golden_diagnostics)
{
	cr_assert_gt(compare_all("tests/data/invalid", -EINVAL), 35);
}

Test(policy_parse, valid_files_are_accepted)
{
	cr_assert_gt(compare_all("tests/data/valid", 0), 4);
}

Test(policy_parse, silent_means_the_defaults_of_the_language)
{
	struct pol_policy *policy = parse("version = 1\n[guest.web]\n");
	const struct pol_guest *guest = pol_policy_guest(policy, "web");

	cr_assert_str_eq(policy->cgroup, "policyctl");
	cr_assert_eq(policy->guests_cnt, 1);
	cr_assert(!guest->audit);
	cr_assert_eq(guest->err, EACCES);
	cr_assert_eq(guest->knobs, 0);
	cr_assert_eq(guest->rules_cnt, 0);
	cr_assert_eq(guest->limits.pids, 1024);
	cr_assert_eq(guest->limits.memory_bytes, POL_LIMIT_UNSET);
	cr_assert_eq(guest->limits.swap_bytes, POL_LIMIT_UNSET);
	cr_assert_eq(guest->limits.cpu_milli, POL_LIMIT_UNSET);
	cr_assert(!guest->limits.best_effort);
	cr_assert_eq(guest->limits.fds, POL_LIMIT_UNSET);
	cr_assert(!guest->limits.fds_all);
	cr_assert(!guest->limits.kill);
	cr_assert_eq(guest->shadow.max_size, 256ull << 20);
	cr_assert_eq(guest->shadow.budget, 1ull << 30);
	cr_assert(!guest->shadow.exec);
	cr_assert_eq(guest->shadow.paths_cnt, 0);
	pol_policy_free(policy);
}

Test(policy_parse, a_guests_own_value_wins_field_by_field)
{
	struct pol_policy *policy = parse(
		"version = 1\n[defaults]\nmode = \"audit\"\nerrno = \"EPERM\"\ncgroup = \"a//b/./c/\"\n"
		"stat = \"deny\"\nwx = \"deny\"\nmounts = \"allow\"\nmemfd_exec = \"deny\"\n"
		"[defaults.limits]\npids = 7\nmemory = \"1GiB\"\nswap = 0\ncpu = 1\nbest_effort = true\n"
		"[guest.own]\nmode = \"enforce\"\nerrno = \"ENOENT\"\nstat = \"allow\"\n"
		"mounts = \"deny\"\nuserns = \"allow\"\nio_uring = \"allow\"\n"
		"[guest.own.limits]\npids = 9\nswap = \"max\"\ncpu = 0.255\nbest_effort = false\n"
		"[guest.silent]\n");
	const struct pol_guest *own = pol_policy_guest(policy, "own");
	const struct pol_guest *silent = pol_policy_guest(policy, "silent");

	cr_assert_str_eq(policy->cgroup, "a/b/c");
	cr_assert(!own->audit && silent->audit);
	cr_assert_eq(own->err, ENOENT);
	cr_assert_eq(silent->err, EPERM);
	cr_assert_eq(own->knobs, POL_GUEST_NO_WX | POL_GUEST_USERNS | POL_GUEST_IO_URING);
	cr_assert_eq(silent->knobs, POL_GUEST_STAT | POL_GUEST_NO_WX | POL_GUEST_MOUNTS);
	cr_assert_eq(own->limits.pids, 9);
	cr_assert_eq(silent->limits.pids, 7);
	cr_assert_eq(own->limits.memory_bytes, 1ull << 30);
	cr_assert_eq(own->limits.swap_bytes, POL_LIMIT_MAX);
	cr_assert_eq(silent->limits.swap_bytes, 0);
	cr_assert_eq(own->limits.cpu_milli, 255);
	cr_assert_eq(silent->limits.cpu_milli, 1000);
	cr_assert(!own->limits.best_effort && silent->limits.best_effort);
	pol_policy_free(policy);
}

Test(policy_parse, shadow_is_taken_from_the_defaults_field_by_field)
{
	struct pol_policy *policy = parse(
		"version = 1\n[defaults.shadow]\nmax_size = \"9MiB\"\nbudget = \"90MiB\"\n"
		"exec = true\n"
		"[guest.own]\nwx = \"deny\"\n"
		"[guest.own.shadow]\nmax_size = 4096\nbudget = \"1 MB\"\nexec = false\n"
		"paths = [\"/srv/b/\", \"//srv/./a\"]\n"
		"[guest.paths.shadow]\npaths = [\"/\"]\n"
		"[guest.large.shadow]\nmax_size = \"2GiB\"\nbudget = \"3GiB\"\n"
		"paths = [\"/srv\"]\n"
		"[guest.silent]\n");
	const struct pol_guest *own = pol_policy_guest(policy, "own");
	const struct pol_guest *paths = pol_policy_guest(policy, "paths");
	const struct pol_guest *large = pol_policy_guest(policy, "large");
	const struct pol_guest *silent = pol_policy_guest(policy, "silent");

	cr_assert_eq(own->shadow.max_size, 4096);
	cr_assert_eq(own->shadow.budget, 1000000);
	cr_assert(!own->shadow.exec);
	cr_assert_eq(own->shadow.paths_cnt, 2);
	cr_assert_str_eq(own->shadow.paths[0], "/srv/a");
	cr_assert_str_eq(own->shadow.paths[1], "/srv/b");
	cr_assert_eq(own->knobs, POL_GUEST_NO_WX | POL_GUEST_SHADOW);
	cr_assert_eq(paths->shadow.max_size, 9ull << 20);
	cr_assert_eq(paths->shadow.budget, 90ull << 20);
	cr_assert(paths->shadow.exec);
	cr_assert_str_eq(paths->shadow.paths[0], "/");
	cr_assert_eq(paths->knobs, POL_GUEST_SHADOW | POL_GUEST_SHADOW_EXEC);
	cr_assert_eq(large->shadow.max_size, 512ull << 20, "clamped");
	cr_assert_eq(large->shadow.budget, 3ull << 30);
	cr_assert_eq(silent->shadow.paths_cnt, 0);
	cr_assert_eq(silent->knobs, 0);
	pol_policy_free(policy);
}

/* One field, too: a guest's list stands for all of the default's, an empty one as well. */
Test(policy_parse, events_and_log)
{
	struct pol_policy *policy = parse(
		"version = 1\n[defaults]\nevents = [\"fork\", \"exec\"]\n"
		"[profile.p]\nfiles = [ { path = \"/p\", access = \"ro\", log = true } ]\n"
		"[guest.none]\nevents = []\n"
		"[guest.own]\nevents = [\"allow\", \"allow\"]\ninclude = [\"p\"]\n"
		"files = [ { path = \"/o\", access = \"ro\", log = false } ]\n"
		"[guest.silent]\n");
	const struct pol_guest *own = pol_policy_guest(policy, "own");

	cr_assert_eq(pol_policy_guest(policy, "none")->knobs, 0);
	cr_assert_eq(own->knobs, POL_GUEST_EVENT_ALLOW);
	cr_assert_eq(pol_policy_guest(policy, "silent")->knobs,
		     POL_GUEST_EVENT_FORK | POL_GUEST_EVENT_EXEC);
	cr_assert_eq(own->rules_cnt, 2);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(own->rules[i].log, strcmp(own->rules[i].path, "/p") == 0);
	pol_policy_free(policy);
}

Test(policy_parse, io_is_one_field)
{
	struct pol_policy *policy = parse(
		"version = 1\n[defaults.limits]\n"
		"io = [{ device = \"/dev/a\", rbps = \"1MiB\", riops = \"max\" }]\n"
		"[guest.silent]\n"
		"[guest.own.limits]\nio = [{ wbps = 4096, device = \"/dev//b\" },\n"
		" { device = \"/dev/c\", riops = 2, wiops = 4294967294 }]\n"
		"[guest.none.limits]\nio = []\n[guest.max.limits]\nio = \"max\"\n");
	const struct pol_limits *silent = &pol_policy_guest(policy, "silent")->limits;
	const struct pol_limits *own = &pol_policy_guest(policy, "own")->limits;

	cr_assert_eq(silent->io_cnt, 1);
	cr_assert_str_eq(silent->io[0].device, "/dev/a");
	cr_assert_eq(silent->io[0].max[POL_IO_RBPS], 1u << 20);
	cr_assert_eq(silent->io[0].max[POL_IO_WBPS], POL_LIMIT_MAX);
	cr_assert_eq(silent->io[0].max[POL_IO_RIOPS], POL_LIMIT_MAX);
	cr_assert_eq(silent->io[0].max[POL_IO_WIOPS], POL_LIMIT_MAX);
	cr_assert_eq(own->io_cnt, 2);
	cr_assert_str_eq(own->io[0].device, "/dev/b");
	cr_assert_eq(own->io[0].max[POL_IO_WBPS], 4096);
	cr_assert_eq(own->io[1].max[POL_IO_RIOPS], 2);
	cr_assert_eq(own->io[1].max[POL_IO_WIOPS], 4294967294);
	cr_assert_eq(own->io[1].line, 7);
	cr_assert_eq(pol_policy_guest(policy, "none")->limits.io_cnt, 0);
	cr_assert_eq(pol_policy_guest(policy, "max")->limits.io_cnt, 0);
	pol_policy_free(policy);
}

struct fds_case {
	char value[16];
	uint64_t fds;
};

ParameterizedTestParameters(policy_parse, fds)
{
	static struct fds_case params[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "256", 256 },
		{ "0x400", 1024 },
		{ "1073741824", 1073741824 },
		{ "\"max\"", POL_LIMIT_MAX },
	};

	return cr_make_param_array(struct fds_case, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct fds_case *param, policy_parse, fds)
{
	struct pol_policy *policy;
	char text[256];

	(void)snprintf(text, sizeof(text), "version = 1\n[guest.a.limits]\nfds = %s\n",
		       param->value);
	policy = parse(text);
	cr_assert_eq(policy->guests[0].limits.fds, param->fds, "%s", param->value);
	pol_policy_free(policy);
}

static void check_fds(const struct pol_policy *policy, const char *name, uint64_t fds, bool all,
		      bool kill)
{
	const struct pol_limits *limits = &pol_policy_guest(policy, name)->limits;

	cr_assert_eq(limits->fds, fds, "%s", name);
	cr_assert_eq(limits->fds_all, all, "%s", name);
	cr_assert_eq(limits->kill, kill, "%s", name);
}

Test(policy_parse, a_ceiling_on_descriptors_is_taken_from_the_defaults_field_by_field)
{
	struct pol_policy *policy =
		parse("version = 1\n"
		      "[guest.silent]\n"
		      "[guest.number.limits]\nfds = 0\n"
		      "[guest.lifted.limits]\nfds = \"max\"\n"
		      "[guest.baseline.limits]\nfds_baseline = \"attach\"\n"
		      "[guest.exceed.limits]\non_exceed = \"errno\"\n"
		      "[defaults.limits]\n" /* after the guests: order is no matter */
		      "fds = 64\nfds_baseline = \"none\"\non_exceed = \"kill\"\n");

	check_fds(policy, "silent", 64, true, true);
	check_fds(policy, "number", 0, true, true);
	check_fds(policy, "lifted", POL_LIMIT_MAX, true, true);
	check_fds(policy, "baseline", 64, false, true);
	check_fds(policy, "exceed", 64, true, false);
	pol_policy_free(policy);
}

Test(policy_parse, a_lifted_default_gives_way_to_a_guests_number)
{
	struct pol_policy *policy =
		parse("version = 1\n[defaults.limits]\nfds = \"max\"\n[guest.a]\n"
		      "[guest.b.limits]\nfds = 8\nfds_baseline = \"none\"\non_exceed = \"kill\"\n");

	check_fds(policy, "a", POL_LIMIT_MAX, false, false);
	check_fds(policy, "b", 8, true, true);
	pol_policy_free(policy);
}

struct memory_case {
	char limits[64];
	uint64_t bytes;
};

ParameterizedTestParameters(policy_parse, memory_follows_vm_memory)
{
	/* The first three are requirement C1's numbers. */
	static struct memory_case params[] = {
		{ "vm_memory = \"2GiB\"", 4831838208 },
		{ "vm_memory = \"256MiB\"", 1073741824 },
		{ "vm_memory = 134217728", 805306368 },
		{ "vm_memory = \"2GiB\"\nmemory = \"1GiB\"", 1073741824 },
		{ "vm_memory = \"2GiB\"\nmemory = \"max\"", POL_LIMIT_MAX },
		{ "vm_memory = \"max\"", POL_LIMIT_MAX },
		{ "memory = 4096", 4096 },
		{ "", POL_LIMIT_UNSET },
	};

	return cr_make_param_array(struct memory_case, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct memory_case *param, policy_parse, memory_follows_vm_memory)
{
	struct pol_policy *policy;
	char text[256];

	(void)snprintf(text, sizeof(text), "version = 1\n[guest.a.limits]\n%s\n", param->limits);
	policy = parse(text);
	cr_assert_eq(policy->guests[0].limits.memory_bytes, param->bytes, "%s", param->limits);
	pol_policy_free(policy);
}

struct access_case {
	char access[64];
	uint32_t mask;
};

ParameterizedTestParameters(policy_parse, access)
{
	static struct access_case params[] = {
		{ "\"none\"", 0 },
		{ "\"ro\"", RO },
		{ "\"rx\"", RO | POL_RIGHT_EXECUTE },
		{ "\"rw\"", RW },
		{ "\"rwx\"", RW | POL_RIGHT_EXECUTE },
		{ "\"read\"", POL_RIGHT_READ },
		{ "\"metadata\"", POL_RIGHT_METADATA },
		{ "[]", 0 },
		{ "[\"none\"]", 0 },
		{ "[\"rx\", \"write\", \"read\"]", RO | POL_RIGHT_EXECUTE | POL_RIGHT_WRITE },
		{ "[\"rw\", \"ioctl\", \"connect\"]", RW | POL_RIGHT_IOCTL | POL_RIGHT_CONNECT },
	};

	return cr_make_param_array(struct access_case, params, sizeof(params) / sizeof(params[0]));
}

ParameterizedTest(struct access_case *param, policy_parse, access)
{
	struct pol_policy *policy;
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "version = 1\n[guest.a]\nfiles = [{ path = \"/a\", access = %s }]\n",
		       param->access);
	policy = parse(text);
	cr_assert_eq(policy->guests[0].rules[0].access, param->mask, "%s", param->access);
	pol_policy_free(policy);
}

Test(policy_parse, includes_are_merged_depth_first_and_own_rules_win)
{
	struct pol_policy *policy = parse(
		"version = 1\n"
		"[profile.base]\nfiles = [{ path = \"/usr\", access = \"rx\", name = \"n\" },"
		" { path = \"/opt\", access = \"ro\", optional = true }]\n"
		"[profile.app]\ninclude = [\"base\"]\nfiles = [{ path = \"/app\", access = \"ro\" }]\n"
		"[guest.web]\ninclude = [\"app\"]\n"
		"files = [{ path = \"//usr/\", access = \"none\" }, { path = \"/a\", access = \"rw\" }]\n"
		"[guest.db]\ninclude = [\"base\", \"app\", \"base\"]\n");
	const struct pol_guest *web = pol_policy_guest(policy, "web");

	cr_assert_str_eq(policy->guests[0].name, "db", "guests are sorted by name");
	cr_assert_eq(web->rules_cnt, 4);
	for (size_t i = 1; i < web->rules_cnt; i++)
		cr_assert_lt(strcmp(web->rules[i - 1].path, web->rules[i].path), 0);
	cr_assert_eq(rule(policy, "web", "/usr")->access, 0);
	cr_assert_null(rule(policy, "web", "/usr")->profile);
	cr_assert_eq(rule(policy, "web", "/usr")->line, 9);
	cr_assert_str_eq(rule(policy, "web", "/app")->profile, "app");
	cr_assert_str_eq(rule(policy, "web", "/opt")->profile, "base");
	cr_assert(rule(policy, "web", "/opt")->optional);
	cr_assert_eq(policy->guests[0].rules_cnt, 3);
	cr_assert_str_eq(rule(policy, "db", "/usr")->name, "n");
	cr_assert_null(rule(policy, "db", "/a"));
	pol_policy_free(policy);
}

Test(policy_parse, paths_are_bytes)
{
	struct pol_policy *policy = parse(
		"version = 1\n[guest.a]\nfiles = [{ path_hex = \"2f612fff2f2f0a\", access = \"ro\" }]\n");

	cr_assert_str_eq(policy->guests[0].rules[0].path, "/a/\xff/\n");
	pol_policy_free(policy);
}

Test(policy_parse, the_hash_is_sha256_of_the_bytes)
{
	struct pol_policy *policy = parse("version = 1\n");

	/* printf 'version = 1\n' | sha256sum */
	cr_assert_str_eq(policy->sha256,
			 "dbab12665d98aef021ba64953c61b0ed8a908cfb56a1c01e2fcb4b052b71a2a1");
	pol_policy_free(policy);
}

static char *many_rules(size_t cnt, const char *access_key)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "version = 1\n[guest.web]\n");
	for (size_t i = 0; i < cnt; i++)
		fprintf(out, "[[guest.web.files]]\npath = \"/srv/%zu/d/file%zu\"\n%s = \"rw\"\n",
			i % 100, i * 7919 % cnt, access_key);
	fclose(out);
	return text;
}

Test(policy_parse, takes_100000_rules, .timeout = 300)
{
	char *text = many_rules(100000, "access");
	struct pol_policy *policy = parse(text);

	cr_assert_eq(policy->guests[0].rules_cnt, 100000);
	pol_policy_free(policy);
	free(text);
}

Test(policy_parse, reports_100000_errors, .timeout = 300)
{
	char *text = many_rules(100000, "acces");
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;

	cr_assert_eq(pol_policy_parse("p", text, strlen(text), &diags, &policy), -EINVAL);
	cr_assert_eq(diags.errors, 100000);
	pol_diags_done(&diags);
	free(text);
}

Test(policy_parse, a_long_chain_of_includes_is_no_recursion, .timeout = 300)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "version = 1\n[guest.web]\ninclude = [\"p0\"]\n");
	for (int i = 0; i < 20000; i++)
		fprintf(out, "[profile.p%d]\ninclude = [\"p%d\"]\n", i, i + 1);
	fprintf(out, "[profile.p20000]\nfiles = [{ path = \"/a\", access = \"ro\" }]\n");
	fclose(out);
	cr_assert_eq(pol_policy_parse("p", text, size, &diags, &policy), 0);
	cr_assert_eq(policy->guests[0].rules_cnt, 1);
	pol_policy_free(policy);
	pol_diags_done(&diags);
	/* The last one closes the circle over all of them. */
	text[size - 1] = '\n';
	memcpy(strstr(text, "files = ["), "include=[", 9);
	memcpy(strstr(text, "{ path = "), "\"p1\"  ]#  ", 9);
	policy = NULL;
	cr_assert_eq(pol_policy_parse("p", text, size, &diags, &policy), -EINVAL);
	cr_assert_eq(diags.errors, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_INCLUDE_CYCLE);
	pol_diags_done(&diags);
	free(text);
}

Test(policy_parse, too_many_guests_is_an_error, .timeout = 300)
{
	struct pol_diags diags = { 0 };
	struct pol_policy *policy = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "version = 1\n");
	for (unsigned int i = 0; i <= POL_GUESTS_MAX - POL_GUEST_FIRST; i++)
		fprintf(out, "[guest.g%u]\n", i);
	fclose(out);
	cr_assert_eq(pol_policy_parse("p", text, size, &diags, &policy), -EINVAL);
	cr_assert_eq(diags.cnt, 1);
	cr_assert_str_eq(diags.items[0].code, POL_P_GUESTS_MAX);
	pol_diags_done(&diags);
	free(text);
}

/* Also: whatever the bytes are, the result and the diagnostics agree. */
Test(policy_parse, mutated_policies_never_end_the_process, .timeout = 600)
{
	static const char bits[] = "[]{}=.,\"'\\#\n/-0a\0\xff";
	unsigned int seed = getenv("SEED") ? (unsigned int)strtoul(getenv("SEED"), NULL, 10)
					   : (unsigned int)time(NULL);
	size_t len, accepted = 0;
	char *valid = file_read("tests/data/valid/contract.toml", &len), *text;

	cr_assert(valid);
	fprintf(stderr, "policy_parse: SEED=%u\n", seed);
	text = malloc(len);
	for (int i = 0; i < MUTATIONS; i++) {
		struct pol_diags diags = { 0 };
		struct pol_policy *policy = NULL;
		int r;

		memcpy(text, valid, len);
		for (int k = rand_r(&seed) % 3; k >= 0; k--) {
			size_t from = (size_t)rand_r(&seed) % len, to = (size_t)rand_r(&seed) % len;

			if (rand_r(&seed) % 2)
				text[to] = bits[(size_t)rand_r(&seed) % (sizeof(bits) - 1)];
			else
				text[to] = text[from];
		}
		r = pol_policy_parse("p", text, len, &diags, &policy);
		cr_assert(r == 0 || r == -EINVAL);
		cr_assert_eq(r == 0, diags.errors == 0);
		cr_assert_eq(r == 0, policy != NULL);
		free(text_print(&diags, i % 2));
		accepted += r == 0;
		pol_policy_free(policy);
		pol_diags_done(&diags);
	}
	cr_assert_gt(accepted, 0, "no mutation was valid: the test tests nothing");
	free(text);
	free(valid);
}

Test(policy_parse, access_of_a_command_line)
{
	uint32_t access = 0;

	cr_assert_eq(pol_access_parse("read", &access), 0);
	cr_assert_eq(access, POL_RIGHT_READ);
	cr_assert_eq(pol_access_parse("ro,execute,connect", &access), 0);
	cr_assert_eq(access, POL_RIGHT_READ | POL_RIGHT_LIST | POL_RIGHT_EXECUTE | POL_RIGHT_CONNECT);
	cr_assert_eq(pol_access_parse("none", &access), -EINVAL);
	cr_assert_eq(pol_access_parse("", &access), -EINVAL);
	cr_assert_eq(pol_access_parse("read,", &access), -EINVAL);
	cr_assert_eq(pol_access_parse("rea", &access), -EINVAL);
	cr_assert_eq(pol_access_parse("readx", &access), -EINVAL);
}

Test(policy_parse, tests_are_kept)
{
	static const char text[] = "version = 1\n[guest.b]\n[guest.a]\n"
				   "[[test]]\nguest = \"b\"\naccess = \"connect\"\n"
				   "path_hex = \"2fff2f\"\nexpect = \"allow\"\n"
				   "[[test]]\nguest = \"a\"\naccess = \"read\"\npath = \"/x//y\"\n"
				   "expect = \"deny\"\n";
	struct pol_diags got = { 0 };
	struct pol_policy *policy = NULL;

	cr_assert_eq(pol_policy_parse("p.toml", text, sizeof(text) - 1, &got, &policy), 0);
	cr_assert_eq(policy->tests_cnt, 2);
	cr_assert_eq(policy->tests[0].guest, 1);
	cr_assert_eq(policy->tests[0].right, POL_RIGHT_CONNECT);
	cr_assert_str_eq(policy->tests[0].path, "/\xff");
	cr_assert(policy->tests[0].allow);
	cr_assert_eq(policy->tests[0].line, 4);
	cr_assert_eq(policy->tests[1].guest, 0);
	cr_assert_str_eq(policy->tests[1].path, "/x/y");
	cr_assert_not(policy->tests[1].allow);
	pol_policy_free(policy);
	pol_diags_done(&got);
}
