/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the selftests of the engine share: loading a policy, running the payload "probe" as a guest
 * or without confinement, and looking for events. All of it through policyctl, as a user has it.
 *
 * The engine stays loaded from one test to the next (a load on 6.1 waits seconds for RCU), so each
 * test uses a directory of its own, scratch(), and the last test of a suite is LEAVES_NO_GUEST(): its
 * engine stays for the next suite (a first load is most of what a suite costs), and init runs
 * unload_test at the end.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A first load waits for the verifier, and on 6.1 for RCU at each attachment; TCG is slow at both. */
#undef HARNESS_TIMEOUT_S
#define HARNESS_TIMEOUT_S 180

#define PINS	    "/sys/fs/bpf/policyctl"
#define CGROUPS	    "/sys/fs/cgroup/policyctl"
#define PROBE_BIN   "/selftests/guests/probe"
#define POLICY_FILE "/tmp/policy.toml"

/* What an ordinary dynamically linked program needs; policy_load() puts it before its text. */
#define RUNTIME                                           \
	"version = 1\n"                                   \
	"[profile.runtime]\n"                             \
	"files = [\n"                                     \
	"\t{ path = \"/usr\", access = \"rx\" },\n"       \
	"\t{ path = \"/etc\", access = \"ro\" },\n"       \
	"\t{ path = \"/selftests\", access = \"rx\" },\n" \
	"\t{ path = \"/dev/null\", access = \"rw\" },\n"  \
	"]\n"
#define RUNTIME_LINES 8

/* One guest's head; rules follow as [[guest.NAME.files]] or, with FILES, as one list. */
#define GUEST(name)	   "[guest." name "]\ninclude = [\"runtime\"]\n"
#define FILES		   "files = [\n"
#define RULE(path, access) "\t{ path = \"" path "\", access = \"" access "\" },\n"
#define END		   "]\n"

extern char ctl_said[65536]; /* stdout and stderr of the last command */

/* ---- texts, files ---- */

/* Formatted text; never freed: a test is a process of its own. */
__attribute__((format(printf, 1, 2))) const char *text(const char *fmt, ...);

/* A new empty directory, below /tmp or elsewhere. */
const char *scratch_in(const char *dir);
const char *scratch(void);

/* Make a directory, or a file with @content; ends the process with a message if that fails. */
const char *make_dir(const char *path);
const char *make_file(const char *path, const char *content);

/* The whole of a small file as a number, -errno if it cannot be read. */
long read_number(const char *path);

bool exists(const char *path);

/* ---- policyctl ---- */

/* policyctl with these words, by the shell. Return: exit status; output in ctl_said. */
__attribute__((format(printf, 1, 2))) int ctl(const char *fmt, ...);

/* Write RUNTIME and the text to POLICY_FILE. */
__attribute__((format(printf, 1, 2))) void policy_write(const char *fmt, ...);

/* policy_write() and load it. Return: exit status. */
__attribute__((format(printf, 1, 2))) int policy_load(const char *fmt, ...);

/* The value at a dotted path of `status --json` ("engine.generation"), as text. */
const char *status_value(const char *path);

/* The same of one guest ("tasks"); "absent" if the guest is not listed. */
const char *guest_value(const char *guest, const char *key);

/* Kill all guests, unload, see that nothing is left. Return: NULL or what is wrong. */
const char *engine_down(void);

/* Kill all guests, load a policy that has none, see that nothing of theirs is left. Likewise. */
const char *engine_idle(void);

/* What an unload has to leave: no pins, no cgroup, no program of ours. NULL or what is left. */
const char *engine_left(void);

/* ---- the payload ---- */

struct probe {
	pid_t pid; /* of policyctl run, or of the payload itself */
	int in;
	int out;
	bool ended; /* its output, at the last look */
	size_t len;
	char buf[4096];
};

/* Called in the child before it becomes policyctl run (or the payload); NULL again after use. */
extern void (*probe_prepare)(void);

/* Start the payload as @guest, or unconfined for NULL. Ends the process if it cannot. */
void probe_start(struct probe *p, const char *guest, const char *const steps[]);

/* Next line of the payload, without its end; NULL at its end or after 30 s. Static buffer. */
const char *probe_line(struct probe *p);

/* Skip lines until one begins with @word. Return: the line; NULL, said on stdout: none came. */
const char *probe_until(struct probe *p, const char *word);

/* Send a line to the payload: it goes on after "paused", "hammering", "ready". */
void probe_go(struct probe *p);

/* Close stdin, read to the end, wait. Return: exit status, 128 + signal. */
int probe_end(struct probe *p);

/* Kill it, with its policyctl, and wait. */
void probe_kill(struct probe *p);

/* The pid that a line such as "paused 0 PID" says. */
pid_t probe_pid(const char *line);

/* Run steps. Return: errno of the last one; -1: no line came (ctl_said has all output). */
int probe_errno(const char *guest, const char *const steps[]);

#define STEPS(...)	  ((const char *const[]){ __VA_ARGS__, NULL })
#define PROBE(guest, ...) probe_errno(guest, STEPS(__VA_ARGS__))

/* A batch: each step with the errno that it has to meet, run in one process. */
struct step {
	int want;
	const char *words[6];
};

/* Return: NULL, or what came out otherwise. */
const char *probe_batch(const char *guest, const struct step *steps, size_t cnt);

/*
 * The same of a payload that does the steps @before unconfined and is then attached as @guest (NULL:
 * stays unconfined).
 */
const char *probe_batch_after(const char *guest, const char *const before[],
			      const struct step *steps, size_t cnt);

#define EXPECT_BATCH(guest, steps)                                                                \
	do {                                                                                      \
		const char *why_ = probe_batch(guest, steps, sizeof(steps) / sizeof((steps)[0])); \
		if (why_)                                                                         \
			FAIL("%s", why_);                                                         \
	} while (0)

/* ---- events ---- */

/*
 * Conditions are "path=value" (dotted path into the event; an array is its items with commas
 * between, null is "null"), "path$=end", "path*=part", "path!=value".
 */

/*
 * End all windows in which equal refusals are folded: their repeats are in the ring, and the next of
 * each kind has a record of its own again. Reading, and starting a payload, do so first, unless
 * @events_fold.
 */
void events_unfold(void);
extern bool events_fold;

/* Fill the ring with records of the engine's own, until there is room for exits alone. */
void events_fill(void);

/* Take what is pending, and forget it with all that was read before. */
void events_forget(void);

/* Read what is pending. Return: NULL, or what was wrong with it. */
const char *events_read(void);

/* How many times it happened: events read so far, and pending, that fulfil all conditions; repeats count. */
int events_count(const char *const conditions[]);

/* The first of them, NULL: none. */
const json_t *events_find(const char *const conditions[]);

/* NULL if there is one; else a text with the event that came nearest. */
const char *events_missing(const char *const conditions[]);

/* Every event read so far. */
const json_t *events_all(void);

/* The value at a dotted path, as in conditions. Static buffers, 16 of them. */
const char *json_at(const json_t *object, const char *path);

#define EVENTS(...) events_count(STEPS(__VA_ARGS__))
#define EXPECT_EVENT(...)                                              \
	do {                                                           \
		const char *why_ = events_missing(STEPS(__VA_ARGS__)); \
		if (why_)                                              \
			FAIL("%s", why_);                              \
	} while (0)

#define ASSERT_LOAD(...)                                                            \
	do {                                                                        \
		int load_ = policy_load(__VA_ARGS__);                               \
		if (load_) {                                                        \
			FAIL("policyctl load: status %d: %.300s", load_, ctl_said); \
			END_TEST();                                                 \
		}                                                                   \
	} while (0)

/* policyctl with these words has this status, and says this. */
#define EXPECT_CTL(status, part, ...)                                                    \
	do {                                                                             \
		int got_ = ctl(__VA_ARGS__);                                             \
		if (got_ != (status) || !strstr(ctl_said, part))                         \
			FAIL("expected %d and '%s', got %d: %.300s", status, part, got_, \
			     ctl_said);                                                  \
	} while (0)

#define EXPECT_NOTHING(what)              \
	do {                              \
		const char *why_ = what;  \
		if (why_)                 \
			FAIL("%s", why_); \
	} while (0)

#define LEAVES_NO_GUEST()                      \
	TEST(leaves_no_guest)                  \
	{                                      \
		EXPECT_NOTHING(engine_idle()); \
	}
