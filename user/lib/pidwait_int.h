/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of pidwait share: what is known of a process that is waited for. */
#pragma once

#include <stdbool.h>

#include "pidwait.h"
#include "proc.h"

struct pol_pidwait {
	pid_t pid;
	int pidfd;	      /* -EBADF: pidfd_open(2) is not to be had */
	struct pol_proc proc; /* when last seen; @seen: ever */
	bool seen;
	bool was_over;	   /* when the wait began */
	bool may_see_code; /* proc.wait_status is the truth */
	bool is_guest;
	bool there;	   /* when the wait began */
	uint64_t start_ns; /* of who is meant; 0: whoever it is */
	uint64_t end_ns;   /* when the end was seen, CLOCK_BOOTTIME; 0: nobody was there */
	struct pol_event_process process;
	struct pol_event_exit exit;
	char exe[POL_EXE_SIZE];
	char parent_exe[POL_EXE_SIZE];
	enum pol_pidwait_step step;
	struct pol_exit_record record; /* of step ENGINE */
};

/* pol_pidwait_init() - nothing is known. */
void pol_pidwait_init(struct pol_pidwait *wait, pid_t pid);

/* pol_pidwait_view() - the record of what is. */
void pol_pidwait_view(struct pol_pidwait *wait, struct pol_event_view *ret);
