/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bad policies: each is refused by `load` with status 3, names file, line and what is wrong, and
 * changes nothing of what is loaded. And a very large good one, which loads.
 */
#include "harness.h"

#include <sys/stat.h>
#include <time.h>

#include "guest.h"

#define BAD "/tmp/bad.toml"

static const char *generation;

/* What is loaded while bad ones are tried; once per test process. */
static void load_good(void)
{
	ASSERT_LOAD(GUEST("g"));
	generation = status_value("engine.generation");
}

/* `load` of BAD: status 3, these words, and nothing has changed. */
static void expect_bad(const char *words)
{
	EXPECT_CTL(3, words, "load " BAD);
	EXPECT_TRUE(!strstr(ctl_said, "enforcing"));
	EXPECT_STREQ(generation, status_value("engine.generation"));
}

static void bad(const char *words, const char *policy)
{
	make_file(BAD, policy);
	expect_bad(words);
}

#define V		"version = 1\n"
#define FILE_RULE(path) V "[guest.b]\nfiles = [ { path = \"" path "\", access = \"rw\" } ]\n"

TEST(no_policy_file)
{
	load_good();
	EXPECT_CTL(3, "P0001", "load /tmp/is/not/there.toml");
	EXPECT_CTL(3, "P0001", "load /tmp");
	EXPECT_CTL(3, "P0001", "load ''");
	EXPECT_STREQ(generation, status_value("engine.generation"));
}

TEST(no_toml)
{
	load_good();
	bad("bad.toml:1:", "this is no TOML\n");
	bad("P0003", V "[guest.b\n");
	bad("P0003", V "[guest.b]\nmode = \"audit\"\nmode = \"enforce\"\n");
	bad("bad.toml:4:", V "[guest.b]\nmode = \"audit\"\nmode = \"enforce\"\n");
	bad("P0003", V "[guest.b]\n[guest.b]\n");
	bad("P0003", "\xff\xfe\n");
}

TEST(shape)
{
	load_good();
	bad("P0101", V "[guest.b]\nmdoe = \"audit\"\n");
	EXPECT_STRSTR("mode", ctl_said); /* the nearest known key */
	bad("P0102", V "[guest.b]\nmode = 1\n");
	bad("P0102", V "[guest.b]\nfiles = \"/tmp\"\n");
	bad("P0102", V "guest = 3\n");
	bad("P0103", "[guest.b]\n");
	bad("P0103", V "[guest.b]\nfiles = [ { path = \"/tmp\" } ]\n");
	bad("P0104", "version = 2\n");
	bad("P0105", V "[guest.b]\nmode = \"audlt\"\n");
	bad("P0103", "");
}

TEST(guest_names)
{
	load_good();
	bad("P0106", V "[guest.\"a/b\"]\n");
	bad("P0106", V "[guest.\"..\"]\n");
	bad("P0106", V "[guest.\".\"]\n");
	bad("P0106", V "[guest.\"\"]\n");
	bad("P0106", V "[guest.\"-a\"]\n");
	bad("P0106", V "[guest.\"a b\"]\n");
	bad("P0106", V "[guest.\"a\\nb\"]\n");
	bad("P0106",
	    V "[guest.a234567890123456789012345678901234567890123456789012345678901234]\n");
	EXPECT_FALSE(exists(CGROUPS "/a"));
}

TEST(paths)
{
	const char *root = scratch();

	load_good();
	bad("P0201", FILE_RULE("tmp"));
	bad("P0201", FILE_RULE(""));
	bad("P0202", FILE_RULE("/tmp/../etc"));
	bad("P0501", FILE_RULE("/tmp/not/there"));
	EXPECT_STRSTR("/tmp/not", ctl_said);
	ASSERT_EQ(0, symlink("/tmp/not/there", text("%s/dangling", root)));
	ASSERT_EQ(0, symlink("loop", text("%s/loop", root)));
	make_file(text("%s/file", root), "x");
	bad("P0505", text(FILE_RULE("%s/dangling"), root));
	bad("P0503", text(FILE_RULE("%s/loop"), root));
	bad("P0502", text(FILE_RULE("%s/file/beneath"), root));
	bad("P0209", V "[guest.b]\nfiles = [ { path = \"/tmp\", access = \"rwz\" } ]\n");
	bad("P0205", V "[guest.b]\nfiles = [ { path = \"/tmp\", access = \"rw\" }, "
		       "{ path = \"/tmp/\", access = \"ro\" } ]\n");
}

/* What this version lacks is an error, never silently open. */
TEST(what_a_later_version_brings)
{
	static const char *const keys[] = {
		"files = [ { path = \"/tmp/*\", access = \"ro\", in = \"guest\", glob = true } ]",
		"tmp = \"private\"\nfiles = [ { path = \"/tmp\", access = \"ro\", in = \"guest\" } ]",
		"members = { pids = [7] }\n"
		"files = [ { path = \"/tmp\", access = \"ro\", in = \"guest\" } ]",
	};

	load_good();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		bad("P0301", text(V "[guest.b]\n%s\n", keys[i]));
}

TEST(shadows_of_what_cannot_be)
{
	load_good();
	bad("P0107", V "[guest.b.shadow]\nbudget = \"max\"\n");
	bad("P0108", V "[guest.b.shadow]\nmax_size = \"big\"\n");
	bad("P0109", V "[defaults.shadow]\npaths = [\"/tmp\"]\n");
	bad("P0201", V "[guest.b.shadow]\npaths = [\"tmp\"]\n");
	bad("P0202", V "[guest.b.shadow]\npaths = [\"/tmp/../etc\"]\n");
	bad("P0205", V "[guest.b.shadow]\npaths = [\"/tmp\", \"/tmp/\"]\n");
	bad("P0221", V "[guest.b.shadow]\npaths = [\"/tmp/*\"]\n");
}

TEST(every_error_in_one_run)
{
	load_good();
	bad("bad.toml:3:", V "[guest.b]\nmdoe = 1\nerrno = \"EIO\"\n[guest.\"..\"]\n");
	EXPECT_STRSTR("bad.toml:4:", ctl_said);
	EXPECT_STRSTR("bad.toml:5:", ctl_said);
}

TEST(ten_megabytes_of_brackets)
{
	char *brackets = malloc(10 << 20);

	load_good();
	memset(brackets, '[', (10 << 20) - 1);
	brackets[(10 << 20) - 1] = 0;
	make_file(BAD, brackets);
	expect_bad("bad.toml");
	make_file(BAD, text(V "[guest.b]\nfiles = %.100000s\n", brackets));
	expect_bad("bad.toml");
}

TEST(from_standard_input)
{
	load_good();
	EXPECT_EQ(3, run_cmd(ctl_said, sizeof(ctl_said), "echo ][ | policyctl load -"));
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said), "policyctl load - < " POLICY_FILE));
}

/* 100 000 rules; 5 000 in CI, where the kernel is emulated. */
TEST_TIMEOUT(many_rules, 900)
{
	const char *root = scratch();
	long n = test_count(5000, 100000);
	struct timespec begin, end;
	FILE *f;

	make_dir(text("%s/last", root));
	f = fopen(POLICY_FILE, "we");
	fputs(RUNTIME GUEST("g") FILES, f);
	for (long i = 0; i < n; i++)
		fprintf(f, "\t{ path = \"%s/f%ld\", access = \"%s\" },\n", root, i,
			i % 2 ? "rw" : "ro");
	fprintf(f, "\t{ path = \"%s/last\", access = \"rw\" },\n" END, root);
	fclose(f);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("# %ld rules: loaded in %ld s\n", n, (long)(end.tv_sec - begin.tv_sec));
	EXPECT_EQ(0, PROBE("g", "open", "rwc", text("%s/f%ld", root, n - 1)));
	EXPECT_EQ(0, PROBE("g", "open", "rwc", text("%s/last/f", root)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "rwc", text("%s/f%ld", root, n - 2)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "rwc", text("%s/f%ld", root, n)));
}

LEAVES_NO_GUEST()
