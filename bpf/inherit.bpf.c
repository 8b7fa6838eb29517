/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that a guest brings along over exec from outside its policy: what it was given at
 * run, what it held when it was attached, what a newer policy does not give any more.
 *
 * With inherited_fds = "refuse" they are looked for twice: before the point of no return, where
 * there is an errno to give; and, as with "report", once the program is the only thread and the
 * table its own, its close-on-exec descriptors closed. What only the second look finds another
 * thread has brought in between: too late for an errno, so the task is killed, as the kernel does
 * where an exec fails so late.
 *
 * What passes the second look is remembered in the label (judged), and inherited by fork: whatever
 * comes into such a table later the guest has opened or received, and that is judged there. So it
 * costs an exec of a guest two looks at its label, until the policy changes.
 */
#include "held.bpf.h"

/*
 * A pass over the descriptor table, by one callback of bpf_loop: a descriptor, or a word of the
 * bitmap that has none, each time.
 * @table: address of the fdtable. @bits: what is left of the current word. @fd: the next one.
 * @hook: enum pol_hook. @refused: one was, not only told.
 */
struct pass {
	struct pol_actor actor;
	struct pol_found found;
	u64 table;
	u64 bits;
	u32 fd;
	u16 hook;
	u16 refused;
};

#define WORD_BITS 64u

/* Of a word of the bitmap those that survive the exec; what cannot be read is looked at. */
POL_SUBPROG u64 read_word(u64 address, u32 fd)
{
	const struct fdtable *table = (const void *)address;
	u64 at = fd / WORD_BITS * sizeof(u64), open = ~0ull, closing = 0;

	bpf_probe_read_kernel(&open, sizeof(open), (void *)BPF_CORE_READ(table, open_fds) + at);
	bpf_probe_read_kernel(&closing, sizeof(closing),
			      (void *)BPF_CORE_READ(table, close_on_exec) + at);
	return open & ~closing;
}

/* The address of a descriptor's struct file; 0: it is closed meanwhile. */
POL_SUBPROG u64 read_file(u64 address, u32 fd)
{
	const struct fdtable *table = (const void *)address;
	u64 file = 0;

	bpf_probe_read_kernel(&file, sizeof(file), (void *)BPF_CORE_READ(table, fd) + fd * 8ull);
	return file;
}

POL_SUBPROG u32 size_of(u64 address)
{
	const struct fdtable *table = (const void *)address;

	return BPF_CORE_READ(table, max_fds);
}

/* Return: whether the pass stops. */
static __always_inline int judge_file(struct pass *pass, u64 file)
{
	u32 held = pol_look_held(&pass->actor, file, &pass->found);

	if (!held)
		return 0;
	pass->refused = pol_refuse_held(&pass->actor, file, held, &pass->found,
					(u32)POL_OP_INHERIT << 16 | pass->hook) != POL_AUDITED;
	return pass->refused;
}

/*
 * Where the pass goes on, as numbers that the verifier does not know: from 6.7 on it would go through
 * each descriptor by itself.
 */
POL_SUBPROG int move_to(struct pass *pass, u32 fd, u64 bits)
{
	bpf_probe_read_kernel(&pass->fd, sizeof(pass->fd), &fd);
	bpf_probe_read_kernel(&pass->bits, sizeof(pass->bits), &bits);
	return 0;
}

static int judge_next(u32 i, struct pass *pass)
{
	u64 bits = pass->bits, file;
	u32 fd = pass->fd;

	if (fd >= size_of(pass->table))
		return 1;
	if (!(fd % WORD_BITS))
		bits = read_word(pass->table, fd);
	if (!bits) {
		move_to(pass, (fd | (WORD_BITS - 1)) + 1, 0);
		return 0;
	}
	move_to(pass, fd + 1, bits >> 1);
	file = bits & 1 ? read_file(pass->table, fd) : 0;
	return file ? judge_file(pass, file) : 0;
}

/* The address of the current task's descriptor table. */
POL_SUBPROG u64 table_of_current(void)
{
	return (u64)BPF_CORE_READ(bpf_get_current_task_btf(), files, fdt);
}

/*
 * All descriptors that survive. Return: whether one is refused; also if there are more than can be
 * looked at, and that is not only told.
 */
static __always_inline bool refuses_table(struct pass *pass, u32 hook)
{
	pass->table = table_of_current();
	pass->hook = hook;
	move_to(pass, 0, 0);
	bpf_loop(POL_INHERIT_MAX, judge_next, pass, 0);
	if (pass->refused || pass->fd >= size_of(pass->table))
		return pass->refused;
	pol_fail_count(POL_FAIL_FDS_TOO_MANY);
	return pol_refuse_for(&pass->actor, 0, 0, (u32)POL_OP_INHERIT << 16 | hook,
			      POL_REASON_ERR(INHERITED, pass->actor.err)) != POL_AUDITED;
}

/* Were the descriptors of the current task's table judged under the policy that is active? */
static __always_inline bool is_judged(const struct pol_label *label, u64 generation)
{
	return label && label->judged == generation;
}

/* Does the policy have the exec refused? Audit refuses no knob. */
static __always_inline bool refuses(const struct pol_actor *actor)
{
	return actor->flags & POL_GUEST_NO_INHERIT && actor->mode != POL_MODE_AUDIT;
}

/**
 * pol_exec_check - execve(2), the last moment that it can fail: once, whatever the interpreters.
 *
 * Context: lsm/bprm_creds_from_file, not sleepable; other threads may change the table meanwhile.
 * Return: 0; the policy's errno.
 */
SEC("lsm/bprm_creds_from_file")
int BPF_PROG(pol_exec_check, struct linux_binprm *bprm, struct file *file)
{
	struct pass pass = {};
	struct pol_label *label;

	if (!pol_actor_current(&pass.actor))
		return 0;
	label = pol_label_current();
	if (!refuses(&pass.actor) || is_judged(label, pass.actor.generation))
		return 0;
	return pol_return(refuses_table(&pass, POL_HOOK_BPRM_CREDS_FROM_FILE) ? pass.actor.err : 0);
}

/**
 * pol_exec_bring - the program is the task's: what it brings along is told.
 *
 * Context: lsm/bprm_committing_creds; can refuse nothing. The task is alone, the table its own.
 */
SEC("lsm/bprm_committing_creds")
int BPF_PROG(pol_exec_bring, struct linux_binprm *bprm)
{
	struct pass pass = {};
	struct pol_label *label;

	if (!pol_actor_current(&pass.actor))
		return 0;
	label = pol_label_current();
	if (is_judged(label, pass.actor.generation))
		return 0;
	if (!refuses(&pass.actor))
		pass.actor.mode = POL_MODE_AUDIT;
	if (refuses_table(&pass, POL_HOOK_BPRM_COMMITTING_CREDS))
		bpf_send_signal(SIGKILL);
	else if (label)
		label->judged = pass.actor.generation;
	return 0;
}
