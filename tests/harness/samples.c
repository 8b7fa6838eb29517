/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "samples.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "records.h"
#include "words.h"

static union test_record record;

static void set_access(uint32_t verdict, uint32_t reason)
{
	test_record_violation(&record);
	record.event.verdict = (uint8_t)verdict;
	record.event.access.reason = reason;
}

static void violation(void)
{
	test_record_violation(&record);
}

static void would_deny(void)
{
	set_access(POL_VERDICT_WOULD_DENY, POL_REASON_NO_RULE);
	record.event.flags &= ~POL_EVENT_HAS_RULE;
	record.event.access.repeats = 12;
	record.event.access.missing = record.event.access.access = POL_RIGHTS_ALL;
}

static void on_bytes(void)
{
	test_record_violation(&record);
	test_record_path(&record, "/srv/caf\xe9\n", 10);
}

static void on_memfd(void)
{
	set_access(POL_VERDICT_DENIED, POL_REASON_MEMFD);
	record.event.flags |= POL_EVENT_DETACHED;
	test_record_path(&record, "memfd:x", 7);
}

static void on_pipe(void)
{
	set_access(POL_VERDICT_DENIED, POL_REASON_BUILTIN);
	record.event.flags |= POL_EVENT_DETACHED;
	test_record_path(&record, "", 0);
}

static void on_root(void)
{
	test_record_violation(&record);
	test_record_path(&record, "/", 1);
}

static void without_object(void)
{
	test_record_violation(&record);
	record.event.access.inode = (struct pol_inode_key){ 0 };
	record.event.path_len = 0;
	test_record_room(&record, 0);
}

static void cut_by_the_kernel(void)
{
	test_record_violation(&record);
	record.event.flags |= POL_EVENT_PATH_TRUNCATED | POL_EVENT_EXE_TRUNCATED;
	test_record_path(&record, "web/key", 7);
}

static void of_a_gone_generation(void)
{
	test_record_violation(&record);
	record.event.generation = 1;
	record.event.guest = 9;
}

static void allow(void)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_ALLOW;
	record.event.verdict = POL_VERDICT_ALLOWED;
	record.event.access.err = 0;
	record.event.access.missing = 0;
}

static void escape(void)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_ESCAPE;
	record.event.flags = POL_EVENT_HAS_PROCESS;
	record.event.access = (struct pol_event_access){ .op = POL_OP_PTRACE, .err = EPERM };
}

static void escape_in_audit(void)
{
	escape();
	record.event.verdict = POL_VERDICT_WOULD_DENY;
}

static void ceiling(void)
{
	test_record_ceiling(&record);
}

static void pressure(void)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_PRESSURE;
	record.event.ceiling = (struct pol_event_ceiling){
		.now = 205, .ceiling = 256, .resource = POL_RESOURCE_PIDS, .percent = 80
	};
}

static void killed(void)
{
	test_record_ceiling(&record);
	record.event.verdict = POL_VERDICT_KILLED;
	record.event.flags = 0;
	record.event.ceiling = (struct pol_event_ceiling){ .now = 1ull << 40,
							   .ceiling = 1ull << 40,
							   .resource = POL_RESOURCE_MEMORY };
}

static void exit_by_signal(void)
{
	test_record_exit(&record);
	record.event.exit.sender.guest = 3;
}

static void exit_by_realtime_signal(void)
{
	test_record_exit(&record);
	record.event.exit.code = 40;
}

static void exit_with_core(void)
{
	test_record_exit(&record);
	record.event.exit.code = 0x80 | SIGSEGV;
	record.event.exit.sender = (struct pol_sender){ 0 };
	record.event.exit.fds_peak = POL_NO_CEILING;
}

static void exit_by_code(void)
{
	test_record_exit(&record);
	record.event.exit.code = 3 << 8;
	record.event.exit.cause = POL_CAUSE_EXIT;
	record.event.exit.sender = (struct pol_sender){ 0 };
}

static void exit_well(void)
{
	exit_by_code();
	record.event.exit.code = 0;
	record.event.process.parent_tgid = 0;
}

static void exit_by_oom(void)
{
	test_record_exit(&record);
	record.event.exit.cause = POL_CAUSE_OOM;
}

static void exit_unknown(void)
{
	test_record_exit(&record);
	record.event.exit.code = 0;
	record.event.exit.cause = POL_CAUSE_UNKNOWN;
	record.event.exit.sender = (struct pol_sender){ 0 };
}

static void exec(void)
{
	test_record_violation(&record);
	record.event.type = POL_TYPE_EXEC;
	record.event.verdict = POL_VERDICT_NONE;
	test_record_room(&record, 0);
	record.event.path_len = 0;
}

static void forked(void)
{
	exec();
	record.event.type = POL_TYPE_FORK;
}

static void shadow_stale(void)
{
	test_record_shadow(&record);
}

static void shadow_on_bytes(void)
{
	test_record_shadow(&record);
	test_record_path(&record, "/srv/caf\xe9\n", 10);
}

/* The file was open for writing when it was copied. */
static void shadow_never_fresh(void)
{
	test_record_shadow(&record);
	record.event.shadow.op = 0;
}

static void shadow_created(void)
{
	test_record_shadow(&record);
	record.event.shadow.action = POL_SHADOW_CREATED;
	record.event.shadow.op = 0;
	record.event.shadow.flags = POL_SHADOW_EXEC | POL_SHADOW_LAZY;
}

static void shadow_refused(void)
{
	shadow_created();
	record.event.shadow = (struct pol_event_shadow){ .size = 1ull << 40,
							 .action = POL_SHADOW_REFUSED,
							 .err = EFBIG };
}

static void shadow_freed(void)
{
	shadow_created();
	record.event.shadow.action = POL_SHADOW_FREED;
	record.event.shadow.flags = POL_SHADOW_OLD | POL_SHADOW_CUT;
	record.event.flags = POL_EVENT_PATH_TRUNCATED;
}

static const struct {
	const char *what;
	void (*make)(void);
} plain[] = {
	{ "violation", violation },
	{ "violation, would deny", would_deny },
	{ "violation on bytes", on_bytes },
	{ "violation on a memfd", on_memfd },
	{ "violation on a pipe", on_pipe },
	{ "violation on the root", on_root },
	{ "violation without an object", without_object },
	{ "violation on a cut path", cut_by_the_kernel },
	{ "violation of a gone generation", of_a_gone_generation },
	{ "allow", allow },
	{ "escape", escape },
	{ "escape, would deny", escape_in_audit },
	{ "ceiling denied", ceiling },
	{ "ceiling near", pressure },
	{ "ceiling killed", killed },
	{ "exit by a signal", exit_by_signal },
	{ "exit by a real-time signal", exit_by_realtime_signal },
	{ "exit with a core", exit_with_core },
	{ "exit by a code", exit_by_code },
	{ "exit with 0", exit_well },
	{ "exit by OOM", exit_by_oom },
	{ "exit unknown", exit_unknown },
	{ "exec", exec },
	{ "fork", forked },
	{ "shadow stale", shadow_stale },
	{ "shadow on bytes", shadow_on_bytes },
	{ "shadow never fresh", shadow_never_fresh },
	{ "shadow created", shadow_created },
	{ "shadow refused", shadow_refused },
	{ "shadow freed", shadow_freed },
};

#define X(name, nr, word) (nr),
static const uint32_t ops[] = { POL_OPS(X) };
static const uint32_t actions[] = { POL_ACTIONS(X) };
static const uint32_t reasons[] = { POL_REASONS(X) };
#undef X

/* Without the first one, which means none. */
#define REASONS (ARRAY_SIZE(reasons) - 1)
#define ACTIONS (ARRAY_SIZE(actions) - 1)

static const char *of_op(uint32_t op)
{
	if (op >= POL_OP_ESCAPE_FIRST)
		escape();
	else
		violation();
	record.event.access.op = op;
	return pol_op_word(op);
}

static const char *of_reason(uint32_t reason)
{
	set_access(POL_VERDICT_DENIED, reason);
	return pol_reason_word(reason);
}

static const char *of_action(uint32_t action)
{
	const bool guest = action < POL_ACTION_LOADED;

	test_record_plain(&record, guest ? POL_TYPE_GUEST : POL_TYPE_POLICY);
	record.event.guest = guest ? 3 : POL_GUEST_ENGINE;
	record.event.note = (struct pol_event_note){
		.action = action, .by_tgid = guest ? 0 : 9, .guest = 3, .generation = 3
	};
	return pol_action_word(action);
}

/* Made by the reader and by `policyctl wait`, not by the kernel. */
static const char *not_recorded(size_t index, struct pol_event_view *view)
{
	if (index == 0) {
		*view = (struct pol_event_view){
			.type = POL_TYPE_LOST,
			.boot_ns = 123456789,
			.seq = 60,
			.generation = 3,
			.guest = 3,
			.lost = { POL_TYPE_VIOLATION, 12, 41, 60 },
		};
		return "lost";
	}
	if (index > 1)
		return NULL;
	test_record_exit(&record);
	record.event.exit.sender = (struct pol_sender){ 0 };
	if (pol_event_decode(&record, record.event.size, view) < 0)
		abort();
	view->outside = true;
	view->guest = 0;
	view->seq = 0;
	view->exit.duration_ns = view->exit.utime_ns = view->exit.stime_ns = POL_EXIT_UNKNOWN;
	view->exit.maxrss_bytes = view->exit.minflt = view->exit.majflt = POL_EXIT_UNKNOWN;
	view->exit.read_bytes = view->exit.write_bytes = POL_EXIT_UNKNOWN;
	return "exit outside the engine";
}

const char *test_sample(size_t index, struct pol_event_view *view)
{
	const char *what;

	if (index < ARRAY_SIZE(plain)) {
		plain[index].make();
		what = plain[index].what;
	} else if ((index -= ARRAY_SIZE(plain)) < ARRAY_SIZE(ops)) {
		what = of_op(ops[index]);
	} else if ((index -= ARRAY_SIZE(ops)) < REASONS) {
		what = of_reason(reasons[index + 1]);
	} else if ((index -= REASONS) < ACTIONS) {
		what = of_action(actions[index + 1]);
	} else {
		return not_recorded(index - ACTIONS, view);
	}
	if (pol_event_decode(&record, record.event.size, view) < 0)
		abort();
	return what;
}

/* ------------------------------------------------------------------------------------------- */

const char *const test_text_names[] = {
	[TEST_TEXT_PATH] = "path",
	[TEST_TEXT_EXE] = "exe",
	[TEST_TEXT_COMM] = "comm",
	[TEST_TEXT_PARENT_EXE] = "parent_exe",
	[TEST_TEXT_PARENT_COMM] = "parent_comm",
	[TEST_TEXT_SENDER_COMM] = "sender_comm",
	[TEST_TEXT_RULE_PATH] = "rule_path",
	[TEST_TEXT_RULE_NAME] = "rule_name",
	[TEST_TEXT_RULE_WHERE] = "rule_where",
	[TEST_TEXT_CGROUP] = "cgroup",
	[TEST_TEXT_HOST] = "host",
};

static struct pol_event_rule evil_rule;
static char evil_string[8192]; /* what a callback can return: up to its first NUL */

static int give_rule(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	(void)arg;
	(void)generation;
	(void)id;
	*ret = evil_rule;
	return 0;
}

static const char *give_string(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
	return evil_string;
}

static size_t set_comm(char comm[POL_COMM_SIZE], const char *data, size_t len)
{
	size_t used = strnlen(data, len < POL_COMM_SIZE ? len : POL_COMM_SIZE);

	memset(comm, 0, POL_COMM_SIZE);
	memcpy(comm, data, used);
	return used;
}

static size_t set_text(struct pol_event_text *text, char *buf, size_t size, const char *data,
		       size_t len)
{
	size_t used = len < size - 1 ? len : size - 1;

	memcpy(buf, data, used);
	buf[used] = '\0';
	*text = (struct pol_event_text){ .data = buf, .len = used };
	return used;
}

size_t test_sample_evil(enum test_text text, const char *data, size_t len,
			struct pol_event_view *view, struct pol_event_ctx *ret_ctx)
{
	size_t used = strnlen(data, len < sizeof(evil_string) - 1 ? len : sizeof(evil_string) - 1);

	*ret_ctx = test_record_ctx;
	memcpy(evil_string, data, used);
	evil_string[used] = '\0';
	evil_rule =
		(struct pol_event_rule){ .name = "r", .where = "p:1", .path = "/a", .path_len = 2 };
	ret_ctx->rule = give_rule;
	if (text == TEST_TEXT_SENDER_COMM)
		exit_by_signal();
	else
		violation();
	if (pol_event_decode(&record, record.event.size, view) < 0)
		abort();
	switch (text) {
	case TEST_TEXT_PATH:
		return set_text(&view->path, view->path_buf, sizeof(view->path_buf), data, len);
	case TEST_TEXT_EXE:
		return set_text(&view->exe, view->exe_buf, sizeof(view->exe_buf), data, len);
	case TEST_TEXT_PARENT_EXE:
		return set_text(&view->parent_exe, view->parent_exe_buf,
				sizeof(view->parent_exe_buf), data, len);
	case TEST_TEXT_COMM:
		return set_comm(view->process.comm, data, len);
	case TEST_TEXT_PARENT_COMM:
		return set_comm(view->process.parent_comm, data, len);
	case TEST_TEXT_SENDER_COMM:
		return set_comm(view->exit.sender.comm, data, len);
	case TEST_TEXT_RULE_PATH:
		evil_rule.path = data;
		evil_rule.path_len = len;
		return len;
	case TEST_TEXT_RULE_NAME:
		evil_rule.name = evil_string;
		break;
	case TEST_TEXT_RULE_WHERE:
		evil_rule.where = evil_string;
		break;
	case TEST_TEXT_CGROUP:
		ret_ctx->cgroup = give_string;
		break;
	case TEST_TEXT_HOST:
		ret_ctx->host = evil_string;
		break;
	default:
		abort();
	}
	return used;
}
