/* SPDX-License-Identifier: GPL-2.0-only */
/* Who ends a guest's process by a signal. Layer 2. */
#pragma once

#include "guest.bpf.h"

/**
 * pol_note_sender() - the current task sends a signal to a process: remember it, if the process is
 * charged to a guest and the signal will end it.
 * @leader: address of the thread group's leader.
 *
 * That is so where the process has left it to its default and the default is to end; it then ends, by
 * this signal or by one that is faster. Of two senders of one signal the first counts: the second
 * finds it pending. Kernel code that signals in nobody's name (faults, the OOM killer, a terminal,
 * cgroup.kill) does not come here.
 *
 * Context: lsm/task_kill, any context; verified once. Return: 0.
 */
int pol_note_sender(u64 leader, u32 sig);
