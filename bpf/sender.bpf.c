/* SPDX-License-Identifier: GPL-2.0-only */
/* Who ends a guest's process by a signal, kept in its entry of the table "tasks". */
#include "sender.bpf.h"

/* Signals whose default ends nobody (include/linux/signal.h: SIG_KERNEL_IGNORE_MASK, _STOP_MASK). */
static __always_inline bool ends_by_default(u32 sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return false;
	}
	return sig > 0 && sig <= NSIG;
}

/* Neither caught nor ignored; and it does not end already. */
static __always_inline bool will_end(u64 leader, u32 sig)
{
	const struct task_struct *task = (const void *)leader;
	u64 action = (u64)BPF_CORE_READ(task, sighand), handler = 0;

	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return false;
	action += bpf_core_field_offset(struct sighand_struct, action);
	action += (sig - 1) * (u64)bpf_core_type_size(struct k_sigaction);
	return !bpf_probe_read_kernel(&handler, sizeof(handler), (const void *)action) && !handler;
}

static __always_inline void write_sender(struct pol_sender *sender)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 generation = 0;

	sender->tgid = task->tgid;
	sender->guest = pol_guest_current(&generation);
	bpf_probe_read_kernel(sender->comm, sizeof(sender->comm), task->group_leader->comm);
}

__attribute__((noinline)) int pol_note_sender(u64 leader, u32 sig)
{
	struct pol_task_charge *entry = bpf_map_lookup_elem(&tasks, &leader);
	u32 before;

	if (!entry || !ends_by_default(sig) || !will_end(leader, sig))
		return 0;
	before = *(volatile u32 *)&entry->signal;
	if (before == sig || before == SIGKILL || before == POL_SIGNAL_CHANGING)
		return 0;
	if (__sync_val_compare_and_swap(&entry->signal, before, POL_SIGNAL_CHANGING) != before)
		return 0;
	write_sender(&entry->sender);
	__sync_val_compare_and_swap(&entry->signal, POL_SIGNAL_CHANGING, sig);
	return 0;
}
