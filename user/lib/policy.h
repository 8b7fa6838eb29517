/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy model: what a policy.toml says, defaults filled in, includes merged. Pure data; made
 * by policy_parse.c, checked by policy.c, located in the filesystem by resolve.c, compiled to map
 * bytes by image.c. Owns nothing of the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "diag.h"

/* A limit that the policy does not set, and one that it lifts. */
#define POL_LIMIT_UNSET UINT64_MAX
#define POL_LIMIT_MAX	(UINT64_MAX - 1)

/* What ceilings can be. */
#define POL_FDS_LIMIT_MAX  (1ll << 30) /* above the highest nr_open */
#define POL_PIDS_LIMIT_MAX 4194304     /* PID_MAX_LIMIT, include/linux/threads.h */
#define POL_MEMORY_MIN	   4096	       /* the kernel counts in pages */
#define POL_CPU_MILLI_MIN  10	       /* cpu.max: a quota of at least 1 ms in its 100 ms */
#define POL_CPU_MILLI_MAX  8192000     /* NR_CPUS of the largest kernel configuration, 8192 */

#define POL_SHADOW_SIZE_MAX (512ull << 20) /* bytes of a snapshot: a larger max_size is clamped */

/* The shorthand "rw", of abi.h's rights. */
#define POL_ACCESS_RW                                                                       \
	(POL_RIGHT_READ | POL_RIGHT_LIST | POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE |           \
	 POL_RIGHT_CREATE | POL_RIGHT_DELETE | POL_RIGHT_RENAME | POL_RIGHT_LINK |          \
	 POL_RIGHT_METADATA)

/* Effective rules of a policy, a profile's counted for each guest that includes it. */
#define POL_RULES_MAX (4u << 20)

/**
 * struct pol_rule - one entry of a `files` list, after merging, in a guest's effective list.
 * @path: cleaned absolute path, raw bytes (may be no UTF-8), NUL-terminated. Owned.
 * @name: or NULL. Owned.
 * @glob: the pattern that a glob's rule was made from, or NULL. Owned.
 * @access: mask of enum pol_right.
 * @pattern: @path is a pattern (glob = true) that pol_resolve() has not expanded yet.
 * @in_guest: in = "guest": @path is one below the guest's own root, looked up when it starts.
 * @guest_path: where the guest sees it in a root of its own, clean and absolute, not "/"; or NULL. Owned.
 * @optional, @log: as in the file.
 * @line, @col: where the rule stands, from 1. @profile: name of the profile it came from, or NULL.
 */
struct pol_rule {
	char *path;
	char *name;
	char *profile;
	char *glob;
	char *guest_path;
	uint32_t access;
	bool pattern;
	bool in_guest;
	bool optional;
	bool log;
	int line;
	int col;
};

/* What io.max bounds of a device: bytes and operations a second, read and written. */
enum pol_io { POL_IO_RBPS, POL_IO_WBPS, POL_IO_RIOPS, POL_IO_WIOPS, POL_IO_CNT };

/**
 * struct pol_io_limit - ceilings on one block device.
 * @device: as the policy names it. Owned.
 * @major, @minor: of its disk, once pol_resolve_devices() has found it.
 * @max: by enum pol_io; POL_LIMIT_MAX: none.
 * @line, @col: where the device stands, from 1.
 */
struct pol_io_limit {
	char *device;
	uint32_t major;
	uint32_t minor;
	uint64_t max[POL_IO_CNT];
	int line;
	int col;
};

/**
 * struct pol_limits - a guest's ceilings.
 * @io: one for each device; other devices have none. Owned.
 * @fds: open file descriptions. POL_LIMIT_UNSET and POL_LIMIT_MAX mean the same once defaults are
 *	 filled in: no ceiling, and nothing is counted.
 * @fds_all: fds_baseline "none": what the guest holds when it is adopted is charged, too.
 * @kill: on_exceed "kill": passing @fds or @pids ends the whole guest.
 */
struct pol_limits {
	uint64_t fds;
	uint64_t pids;	       /* tasks; default 1024; never POL_LIMIT_MAX */
	uint64_t memory_bytes; /* explicit, or 2 x vm_memory + 512 MiB; else POL_LIMIT_UNSET */
	uint64_t swap_bytes;   /* POL_LIMIT_UNSET: not written */
	uint64_t cpu_milli;    /* thousandths of a core; POL_LIMIT_UNSET: not written */
	struct pol_io_limit *io;
	size_t io_cnt;
	bool best_effort;
	bool fds_all;
	bool kill;
};

/* pol_io_copy() - into @limits, which has none. Return: 0; -ENOMEM: nothing was copied. */
int pol_io_copy(const struct pol_io_limit *io, size_t cnt, struct pol_limits *limits);
void pol_limits_done(struct pol_limits *limits);

enum pol_member_kind {
	POL_MEMBER_CGROUP,   /* adopted in place */
	POL_MEMBER_UNIT,     /* of systemd, adopted in place */
	POL_MEMBER_PID_FILE, /* the process that it names is moved into the guest's cgroup */
	POL_MEMBER_PID,	     /* likewise, by its number */
};

/**
 * struct pol_member - what a load adopts for a guest.
 * @text: a cgroup's clean path below the cgroup2 mount, from "/"; a unit's name; a pid file's clean
 *	  absolute path; of POL_MEMBER_PID NULL. Owned.
 * @pid: of POL_MEMBER_PID, from 2.
 * @line, @col: where it stands, from 1.
 */
struct pol_member {
	enum pol_member_kind kind;
	char *text;
	pid_t pid;
	int line;
	int col;
};

/**
 * struct pol_shadow_policy - what snapshots of files a guest may be handed.
 * @max_size: bytes of one, from 1 to POL_SHADOW_SIZE_MAX. @budget: of all that are live, together,
 *	      from 1; may be smaller.
 * @exec: they may be executed.
 * @paths: what may be snapshotted: clean and absolute, sorted, none twice. None: nothing may, and the
 *	   rest means nothing. Owned.
 */
struct pol_shadow_policy {
	uint64_t max_size;
	uint64_t budget;
	bool exec;
	char **paths;
	size_t paths_cnt;
};

/* pol_shadow_copy() - with its paths. Return: 0; -ENOMEM: @ret has none. */
int pol_shadow_copy(const struct pol_shadow_policy *from, struct pol_shadow_policy *ret);
void pol_shadow_done(struct pol_shadow_policy *shadow);

/**
 * struct pol_guest - one guest, with its effective rules (own ones win over included ones).
 * @rules: sorted by pol_rule_order(); no two are equal by it.
 * @members: in the order of the file; none twice in a policy.
 * @shadow: with paths POL_GUEST_SHADOW is among @knobs, too.
 */
struct pol_guest {
	char *name;
	bool audit; /* mode */
	int err;    /* errno of refused file accesses: EACCES EPERM EROFS ENOENT, positive */
	uint32_t knobs; /* POL_GUEST_*: of those that are not at their default */
	struct pol_limits limits;
	struct pol_rule *rules;
	size_t rules_cnt;
	struct pol_member *members;
	size_t members_cnt;
	struct pol_shadow_policy shadow;
	int line;
	int col;
};

/**
 * struct pol_glob - a pattern that was looked up.
 * @matches: sorted paths. @dirs: directories in which names were looked for: no guest may make
 *	     names there. All owned.
 */
struct pol_glob_dir {
	char *path;
	uint64_t mnt_id;
};

struct pol_glob {
	char *pattern;
	int line;
	int col;
	char **matches;
	size_t matches_cnt;
	struct pol_glob_dir *dirs;
	size_t dirs_cnt;
};

/**
 * struct pol_test - one [[test]].
 * @guest: index into the policy. @right: one. @path: clean and absolute, raw bytes. Owned.
 * @line, @col: where it stands, from 1.
 */
struct pol_test {
	size_t guest;
	uint32_t right;
	char *path;
	bool allow;
	int line;
	int col;
};

/**
 * struct pol_policy - a whole file.
 * @file: as the user named it (for messages and events' `where`).
 * @sha256: lower-case hex of the file's bytes.
 * @cgroup: defaults.cgroup, a clean relative path.
 * @guests: sorted by name.
 * @globs: what pol_resolve() has expanded.
 * @tests: in the order of the file.
 */
struct pol_policy {
	char *file;
	char sha256[65];
	char *cgroup;
	struct pol_guest *guests;
	size_t guests_cnt;
	struct pol_glob *globs;
	size_t globs_cnt;
	struct pol_test *tests;
	size_t tests_cnt;
};

void pol_tests_done(struct pol_test *tests, size_t cnt);
void pol_rule_done(struct pol_rule *rule);
void pol_members_done(struct pol_member *members, size_t cnt);
void pol_policy_free(struct pol_policy *policy);

/**
 * pol_policy_parse() - parse and validate a policy's bytes.
 * @file: name for messages. @text, @len: the bytes; need not end in NUL.
 * @diags: receives every error and warning.
 * @ret: the policy; untouched if there is an error.
 *
 * Return: 0; -EINVAL: errors are in @diags; -ENOMEM.
 */
int pol_policy_parse(const char *file, const char *text, size_t len, struct pol_diags *diags,
		     struct pol_policy **ret);

/**
 * pol_policy_read() - read a file ("-": standard input) and parse it.
 *
 * Return: as pol_policy_parse(); what cannot be read (missing, a directory, over the size cap of
 * POL_POLICY_FILE_MAX bytes) is an error in @diags too, and -EINVAL.
 */
int pol_policy_read(const char *file, struct pol_diags *diags, struct pol_policy **ret);

/**
 * pol_policy_lint_offline() - warnings about rules that repeat others, judged by their text.
 *
 * Only where places are not resolved: pol_resolve() judges the same by what symlinks lead to.
 */
void pol_policy_lint_offline(const struct pol_policy *policy, struct pol_diags *diags);

/* pol_lint_repeats() - the warning about one rule and the nearest one above it (NULL: none). */
void pol_lint_repeats(const struct pol_guest *guest, const struct pol_rule *rule,
		      const struct pol_rule *nearer, struct pol_diags *diags);

#define POL_POLICY_FILE_MAX (64u << 20) /* 100 000 rules take about 8 MB; a policy is no blob */

/* pol_policy_guest() - by name, or NULL. */
const struct pol_guest *pol_policy_guest(const struct pol_policy *policy, const char *name);

/* pol_rule_order() - by path bytes, then those of the host first, then patterns last. */
int pol_rule_order(const struct pol_rule *a, const struct pol_rule *b);

/* pol_guest_rule() - the rule written on exactly this clean path of the host, or NULL. */
const struct pol_rule *pol_guest_rule(const struct pol_guest *guest, const char *path);

/* pol_guest_rule_in() - the same of the host's paths or (@in_guest) the guest's own. */
const struct pol_rule *pol_guest_rule_in(const struct pol_guest *guest, const char *path,
					 bool in_guest);

/* pol_guest_is_rooted() - has it a rule with in = "guest"? */
bool pol_guest_is_rooted(const struct pol_guest *guest);

/* pol_guest_is_mapped() - has it a rule with guest_path, and so a root of its own? */
bool pol_guest_is_mapped(const struct pol_guest *guest);

/**
 * pol_rule_seen_at() - where a rule of a mapped guest is in the guest's root, or NULL: nowhere.
 *
 * At its guest_path, else at its own path, unless it gives nothing.
 */
const char *pol_rule_seen_at(const struct pol_rule *rule);

/**
 * pol_access_parse() - rights as a command line names them: words and shorthands, commas between.
 *
 * Return: 0; -EINVAL: an unknown word, or no right.
 */
int pol_access_parse(const char *text, uint32_t *ret);

/**
 * pol_access_format() - the words of a mask, as the policy language writes them: "read", "list".
 *
 * @buf gets `["read", "list"]`; Return: length.
 */
int pol_access_format(uint32_t access, char *buf, size_t size);
