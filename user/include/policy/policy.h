/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpolicy - confine processes and threads as guests of a policy (policy.toml(5)), and resolve the
 * paths of guests whose file calls the caller serves itself. C11 and C++17. Documentation/libpolicy.rst
 * has the long form.
 *
 * What holds for all of it:
 *
 * - Return: 0 or a count, else a negative errno; a constructor's and any other @ret is untouched then.
 *   struct pol_error says the same in words. Text is UTF-8, bytes of users escaped; paths are bytes.
 * - Nothing is printed; no signal's disposition, no umask, directory, locale or environment of the
 *   caller is changed or kept; there is no state but what handles hold. Every descriptor is
 *   close-on-exec.
 * - Any function may be called by any thread, also beside others; of one handle only what says so.
 *   None is async-signal-safe. None may be called between fork(2) and execve(2).
 * - What asks the engine (pol_policy_*, pol_guest_* but pol_guest_path_*, pol_exits_*) needs root, and a
 *   caller that is no guest: -EPERM or -EACCES.
 * - A structure begins with its size: sizeof of it as the caller was compiled. Fewer bytes than the
 *   first version had: -EINVAL. Later versions append members, and read what a caller has not as 0.
 *   Members called reserved, and flags that are not named here, are 0.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* pol_library_version() - "0.1.0", of the library that runs. Static. */
const char *pol_library_version(void);

/* ---- errors --------------------------------------------------------------------------------- */

/* What a failure means; the numbers are policyctl's exit statuses. */
enum pol_error_kind {
	POL_ERROR_FAILED = 1, /* the operation failed */
	POL_ERROR_USAGE = 2,  /* an argument that this function does not take */
	POL_ERROR_POLICY = 3, /* the policy is invalid: the report says where */
	POL_ERROR_HOST = 4,   /* this kernel, host or user lacks something, named with the fix */
	POL_ERROR_BUSY = 5    /* another command or load is at it: try again */
};

/**
 * struct pol_error - why it failed. May be NULL wherever it is taken; untouched on success.
 * @code: the negative errno that was returned. @kind: enum pol_error_kind.
 * @message: what was tried, on what, why. @fix: what to do, or empty. One line each.
 */
struct pol_error {
	size_t size;
	int32_t code;
	uint32_t kind;
	char message[512];
	char fix[512];
};

/* ---- policies ------------------------------------------------------------------------------- */

/* All diagnostics of one check or load. Read by any thread until it is freed. */
struct pol_report;

/**
 * struct pol_diagnostic - one of them.
 * @warning: 1, or 0: an error. @line, @column: from 1, in code points; 0: the file as a whole.
 * @code: "P0123" (Documentation/diagnostics.rst). @help, @source: NULL: none. All strings live as
 * long as the report.
 */
struct pol_diagnostic {
	size_t size;
	uint32_t warning;
	uint32_t line;
	uint32_t column;
	uint32_t reserved;
	const char *file;
	const char *code;
	const char *message;
	const char *help;
	const char *source;
};

enum pol_check_flags {
	POL_CHECK_OFFLINE = 1, /* look at the text alone, not at this host's files */
	POL_CHECK_STRICT = 2   /* warnings are errors */
};

enum pol_load_flags {
	POL_LOAD_DRY_RUN = 1,  /* everything but making it so */
	POL_LOAD_REANCHOR = 2, /* accept directories that a guest could have replaced */
	POL_LOAD_FORCE = 4     /* guests that the policy lacks keep their tasks, which may open nothing */
};

/**
 * struct pol_loaded - what a load has made.
 * @generation: from 1, one more with each load. @guests, @rules: of the policy.
 * @replaced: 1: there was a generation before.
 */
struct pol_loaded {
	size_t size;
	uint64_t generation;
	uint64_t guests;
	uint64_t rules;
	uint32_t replaced;
	uint32_t reserved;
};

/**
 * pol_policy_check() - parse, resolve, lint. Touches nothing; needs no root.
 * @name: of the file, to be read if @text is NULL; else what messages call it.
 * @text, @len: the policy's bytes; or NULL and 0.
 * @flags: enum pol_check_flags. @ret_report: or NULL; to be freed, made for 0 and -EINVAL of the policy.
 *
 * Return: 0: it is valid, there may be warnings; -EINVAL: it is not (POL_ERROR_POLICY; what cannot be
 * read, too), or an argument (POL_ERROR_USAGE); -ENOMEM.
 */
int pol_policy_check(const char *name, const char *text, size_t len, uint32_t flags,
		     struct pol_report **ret_report, struct pol_error *error);

/**
 * pol_policy_load() - install it, or replace the running one atomically; or leave all as it was.
 * @name, @text, @len, @ret_report: as for pol_policy_check(). @flags: enum pol_load_flags.
 * @ret: or NULL.
 *
 * A first load takes seconds. Forks, without a SIGCHLD to the caller.
 * Return: 0; -EINVAL: the policy, or an argument; -EBUSY: another load (POL_ERROR_BUSY), or a guest
 * that the policy lacks has tasks; -ENOTSUP, -EPERM: the host lacks something (POL_ERROR_HOST);
 * -ENODEV: a ceiling's controller; -ENOMEM; else what a system call gave.
 */
int pol_policy_load(const char *name, const char *text, size_t len, uint32_t flags,
		    struct pol_loaded *ret, struct pol_report **ret_report, struct pol_error *error);

/* pol_report_count() - how many. pol_report_errors() - how many of them are errors. */
size_t pol_report_count(const struct pol_report *report);
size_t pol_report_errors(const struct pol_report *report);

/* pol_report_get() - by place in the file, from 0. Return: 0; -ERANGE; -EINVAL: @ret->size. */
int pol_report_get(const struct pol_report *report, size_t index, struct pol_diagnostic *ret);

/* pol_report_free() - NULL: nothing. */
void pol_report_free(struct pol_report *report);

/* ---- guest paths ---------------------------------------------------------------------------- */

/*
 * For a VMM that serves a guest's file calls itself: which host file a guest's path means. A guest's
 * tree is made of mappings, as in `docker -v HOST:GUEST`: the mapping of exactly that path, else of
 * the nearest directory above it and the remainder. Guest paths are cleaned by their text: "foo" is
 * "/foo", "a/..//b" is "b", and ".." never leads above the guest's root. What is found on the host is
 * then held against the mapping once more, by the kernel and after symlinks (openat2(2),
 * RESOLVE_BENEATH): nothing outside a mapping is ever reached, whoever renames what meanwhile.
 *
 * A set of mappings is made by one thread; once it is made, any number of threads resolve with it.
 */
struct pol_paths;

enum pol_map_flags {
	POL_MAP_READ_ONLY = 1 /* -EROFS for whatever would change what is there */
};

/* pol_paths_new() - without mappings. Return: 0; -ENOMEM. */
int pol_paths_new(struct pol_paths **ret);

/* pol_paths_free() - NULL: nothing. A private tmp is removed with all that is in it. */
void pol_paths_free(struct pol_paths *paths);

/**
 * pol_paths_map() - add a mapping.
 * @host: a path of the caller's, symlinks in it followed once, now. A directory: with all beneath it,
 *	  looked up at each access. Else that name alone, in its directory, whatever is there later;
 *	  it need not exist yet.
 * @guest: where the guest sees it. @flags: enum pol_map_flags.
 *
 * Return: 0; -EEXIST: the guest path is mapped already; -ENOTDIR: it lies below one that is mapped to a
 * file (or to nothing yet), or one lies below it and @host is no directory; -EINVAL: the guest path is
 * "/" or empty, @host is empty or ends in "..", or a flag; -ENAMETOOLONG: PATH_MAX; -ENOENT: the
 * directory that @host is in is missing; -ENOMEM; else what open(2) gave.
 */
int pol_paths_map(struct pol_paths *paths, const char *host, const char *guest, uint32_t flags,
		  struct pol_error *error);

/**
 * pol_paths_map_text() - the same from "HOST:GUEST" or "HOST:GUEST:ro" (":rw" is what is silent).
 * Return: as pol_paths_map(); -EINVAL: also another form.
 */
int pol_paths_map_text(struct pol_paths *paths, const char *text, struct pol_error *error);

/**
 * pol_paths_tmp() - a private place for what no mapping covers: what the guest creates there goes to
 * a new directory of mode 0700, with the directories above it, and is found again. Once for a set.
 * @dir: where the directory is made, such as "/tmp".
 *
 * Return: 0; -EALREADY; -EINVAL: no @dir; else what making or opening it gave.
 */
int pol_paths_tmp(struct pol_paths *paths, const char *dir, struct pol_error *error);

/**
 * pol_guest_path_resolve() - which host path a guest's path is: for messages, and for other programs.
 * @buf, @size: gets it, and NUL after it.
 *
 * Symlinks are followed, and what lies outside is refused; a name that does not exist yet is told if
 * its directory does. Between this and the use of the path all can change: pol_guest_path_open() and
 * pol_guest_path_parent() have no such gap. /proc is needed.
 *
 * Return: its length; -ENOENT: no mapping covers it, or it and its directory do not exist; -EACCES: a
 * symlink leads out of the mapping; -ERANGE: @size is too small; -ENOTDIR, -ELOOP, -ENAMETOOLONG,
 * -EACCES as open(2); -EAGAIN: directories above are renamed all the time.
 */
ssize_t pol_guest_path_resolve(const struct pol_paths *paths, const char *guest, char *buf,
			       size_t size);

/**
 * pol_guest_path_open() - open what a guest's path means.
 * @flags, @mode: as for open(2); O_CLOEXEC is added, O_NOCTTY too.
 *
 * Return: descriptor; -EROFS: it would write, create or truncate, and the mapping is read-only; else as
 * pol_guest_path_resolve(), or what openat2(2) gives for a file's own mapping: -EACCES for a symlink.
 */
int pol_guest_path_open(const struct pol_paths *paths, const char *guest, int flags, mode_t mode);

/**
 * pol_guest_path_parent() - the directory and the name in it, for unlinkat(2), mkdirat(2),
 * renameat2(2), symlinkat(2) and the like, which do not follow a symlink at the name.
 * @name, @size: gets the last component.
 *
 * Return: O_PATH descriptor of the directory, to be closed; -EBUSY: the guest's root, or a mapped
 * directory itself; -EROFS; else as pol_guest_path_resolve(). The name need not exist.
 */
int pol_guest_path_parent(const struct pol_paths *paths, const char *guest, char *name, size_t size);

#ifdef __cplusplus
}
#endif

#endif
